//! Zigbee devices by Zigbee2MQTT: the members of their JSON messages.
//!
//! Names, units and meanings are those of Zigbee2MQTT's "exposes" (numeric, binary, enum).

use std::ops::RangeInclusive;

use linli_domain::{Reason, Timestamp, Value, ValueType};
use serde_json::Value as Json;

use crate::points::{Point, count, flag, number};
use crate::publisher::PointResult;

/// A kind of device.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// Name of its profile.
    pub name: &'static str,
    /// What it is, in English.
    pub title: &'static str,
    /// What it is, in Chinese.
    pub title_zh: &'static str,
    /// Members of its messages, each a point of the same name.
    pub points: &'static [Point],
    /// Longest interval between two of its reports, seconds: battery devices report what does not change hourly.
    pub report_every: u64,
}

/// Default of the reporting configuration of Zigbee2MQTT and of most sensors, seconds.
const HOUR: u64 = 3600;

/// Members of messages that report no measurement.
const BOOKKEEPING: [&str; 6] =
    ["last_seen", "update", "update_available", "device", "power_on_behavior", "identify"];

/// Milliseconds since 1970 that a sensor of today can name; smaller numbers are seconds.
const SMALLEST_MS: i64 = 100_000_000_000;

const BATTERY: Point = number("battery", "%", "remaining charge");
const BATTERY_LOW: Point = flag("battery_low", "the battery must be changed");
const LINK: Point = count("linkquality", "0 to 255, as the coordinator hears it");
const TAMPER: Point = flag("tamper", "its case was opened");
const TEMPERATURE: Point = number("temperature", "Cel", "air");
const HUMIDITY: Point = number("humidity", "%", "relative humidity of the air");

/// All supported kinds.
pub static KINDS: &[Kind] = &[
    Kind {
        name: "zigbee2mqtt/climate",
        title: "Temperature and humidity sensor",
        title_zh: "温湿度传感器",
        points: &[TEMPERATURE, HUMIDITY, BATTERY, LINK],
        report_every: HOUR,
    },
    Kind {
        name: "zigbee2mqtt/contact",
        title: "Door or window contact",
        title_zh: "门磁",
        points: &[flag("contact", "true: closed"), BATTERY, BATTERY_LOW, TAMPER, LINK],
        report_every: HOUR,
    },
    Kind {
        name: "zigbee2mqtt/water-leak",
        title: "Water leak sensor",
        title_zh: "水浸传感器",
        points: &[flag("water_leak", "water is there"), BATTERY, BATTERY_LOW, TAMPER, LINK],
        report_every: HOUR,
    },
    Kind {
        name: "zigbee2mqtt/smoke",
        title: "Smoke detector",
        title_zh: "烟雾报警器",
        points: &[flag("smoke", "smoke is there"), BATTERY, BATTERY_LOW, TAMPER, LINK],
        report_every: HOUR,
    },
    Kind {
        name: "zigbee2mqtt/gas",
        title: "Combustible gas detector",
        title_zh: "可燃气体探测器",
        points: &[flag("gas", "gas is there"), TAMPER, LINK],
        report_every: HOUR,
    },
    Kind {
        name: "zigbee2mqtt/co2",
        title: "Carbon dioxide sensor",
        title_zh: "二氧化碳传感器",
        points: &[number("co2", "[ppm]", "of the air"), TEMPERATURE, HUMIDITY, BATTERY, LINK],
        report_every: HOUR,
    },
    Kind {
        name: "zigbee2mqtt/occupancy",
        title: "Motion or presence sensor",
        title_zh: "人体感应器",
        points: &[flag("occupancy", "somebody is there"), BATTERY, BATTERY_LOW, LINK],
        report_every: HOUR,
    },
    Kind {
        name: "zigbee2mqtt/plug",
        title: "Switch or metering plug",
        title_zh: "开关或计量插座",
        points: &[
            flag("state", "on or off").writable(),
            number("power", "W", "drawn now"),
            number("voltage", "V", "of the mains"),
            number("current", "A", "drawn now"),
            number("energy", "kW.h", "drawn so far"),
            LINK,
        ],
        report_every: HOUR,
    },
];

/// Finds a kind by its profile.
#[must_use]
pub fn find(profile: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == profile)
}

/// Returns the values of a message; `None` when it is not a JSON object. A missing member leaves
/// its point unchanged.
pub fn values(points: &[Point], payload: &[u8]) -> Option<Vec<(u16, PointResult)>> {
    let Ok(Json::Object(members)) = serde_json::from_slice(payload) else { return None };
    let result = |(index, point): (u16, &Point)| Some((index, value(point, members.get(point.name)?)));
    Some((0..).zip(points).filter_map(result).collect())
}

/// Whether a message has only members that report no measurement.
#[must_use]
pub fn is_bookkeeping(payload: &[u8]) -> bool {
    let Ok(Json::Object(members)) = serde_json::from_slice(payload) else { return false };
    !members.is_empty() && members.keys().all(|name| BOOKKEEPING.contains(&name.as_str()))
}

/// When a message says that its device was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// It does not say.
    Unsaid,
    /// At this time.
    At(Timestamp),
    /// It says something that is no time.
    Unclear,
}

/// When the device was last heard by Zigbee2MQTT: `last_seen` as a time with its zone, or since 1970 in milliseconds or,
/// as other bridges write it, seconds.
#[must_use]
pub fn last_seen(payload: &[u8]) -> Seen {
    let message: Json = serde_json::from_slice(payload).unwrap_or_default();
    let since_1970 = |number: i64| match number {
        ..=0 => Seen::Unclear,
        1..SMALLEST_MS => Seen::At(Timestamp(number * 1000)),
        _ => Seen::At(Timestamp(number)),
    };
    match message.get("last_seen") {
        None | Some(Json::Null) => Seen::Unsaid,
        Some(Json::Number(number)) => whole(number).map_or(Seen::Unclear, since_1970),
        Some(Json::String(text)) => match (text.parse(), Timestamp::from_rfc3339(text)) {
            (Ok(number), _) => since_1970(number),
            (_, Some(at)) => Seen::At(at),
            _ => Seen::Unclear,
        },
        Some(_) => Seen::Unclear,
    }
}

fn value(point: &Point, member: &Json) -> PointResult {
    match (point.kind, member) {
        (_, Json::Null) => Err(Reason::NoValue),
        (ValueType::Bool, Json::Bool(is)) => Ok(Value::Bool(*is)),
        (ValueType::Bool, Json::String(word)) if word == "ON" => Ok(Value::Bool(true)),
        (ValueType::Bool, Json::String(word)) if word == "OFF" => Ok(Value::Bool(false)),
        (ValueType::Float, Json::Number(number)) => {
            let number = number.as_f64().ok_or(Reason::NotANumber)?;
            // "Invalid" of the ZCL (0x8000, 0xFFFF, 0xFF), which bridges scale and pass on.
            let is_possible = possible(point.unit).is_none_or(|range| range.contains(&number));
            if is_possible { Value::float(number).ok_or(Reason::NotANumber) } else { Err(Reason::OutOfRange) }
        }
        (ValueType::Integer, Json::Number(number)) => {
            whole(number).map(Value::Integer).ok_or(Reason::Undecodable)
        }
        (ValueType::Text, Json::String(text)) => Ok(Value::Text(text.as_str().into())),
        _ => Err(Reason::Undecodable),
    }
}

/// What such a sensor can measure, by the unit.
const fn possible(unit: &str) -> Option<RangeInclusive<f64>> {
    match unit.as_bytes() {
        b"%" => Some(0.0..=100.0),
        b"Cel" => Some(-100.0..=300.0),
        b"[ppm]" => Some(0.0..=60_000.0),
        _ => None,
    }
}

/// A whole number, also one that is written with a fraction of zero.
fn whole(number: &serde_json::Number) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and small")]
    let of_float = || number.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 1e15).map(|n| n as i64);
    number.as_i64().or_else(of_float)
}

/// Parses an availability message: the legacy word or its JSON form.
#[must_use]
pub fn is_online(payload: &[u8]) -> Option<bool> {
    let text = std::str::from_utf8(payload).ok()?;
    let json: Option<Json> = serde_json::from_str(text).ok();
    let word = json.as_ref().and_then(|json| json["state"].as_str()).unwrap_or(text);
    match word {
        "online" => Some(true),
        "offline" => Some(false),
        _ => None,
    }
}
