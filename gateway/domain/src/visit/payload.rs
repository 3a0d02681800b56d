//! Measurements as they are published: on `vital/{device}`, to screens, as live values.

use std::sync::Arc;

use super::{Context, Outline, Version};
use crate::vital::{self, Limits, Measurement, News2, Oxygen, Parameters, Quantity, Reading};
use crate::{
    Batch, ClockQuality, DeviceClass, Id, Layout, Message, Quality, Reason, Record, Sample, Timestamp, Topic,
    Value,
};
use serde_json::{Map, json};

/// A version of a measurement as a message on `vital/{device}`. It contains the resident's pseudonym, if any,
/// and never the identity or a reason written by a person.
pub fn record(version: &Version, pseudonym: Option<&str>, limits: &Limits) -> Record {
    let mut body = public(version, limits);
    let mut add = |key: &str, value: serde_json::Value| body.insert(key.to_owned(), value);
    if let Some(visit) = &version.visit {
        add("visit", json!(visit));
    }
    if let Some(pseudonym) = pseudonym {
        add("pseudonym", json!(pseudonym));
    }
    message(&version.device, version.measurement.taken.at, body)
}

/// A message to the district that a measurement was erased here.
pub fn erased(version: &Outline, at: Timestamp) -> Record {
    let mut body = Map::new();
    body.insert("id".to_owned(), json!(version.id));
    body.insert("version".to_owned(), json!(version.version + 1));
    body.insert("status".to_owned(), json!("erased"));
    body.insert("device".to_owned(), json!(version.device));
    body.insert("at".to_owned(), json!(at.0));
    message(&version.device, version.at, body)
}

fn message(device: &Id, at: Timestamp, body: Map<String, serde_json::Value>) -> Record {
    let topic = Topic::Vital { device: device.clone() };
    Record::Message(Message { topic, class: DeviceClass::Vital, at, body })
}

/// The part of a measurement that does not identify the resident.
pub fn public(version: &Version, limits: &Limits) -> Map<String, serde_json::Value> {
    let (measurement, taken) = (&version.measurement, version.measurement.taken);
    let mut body = Map::new();
    let mut add = |key: &str, value: serde_json::Value| body.insert(key.to_owned(), value);
    add("id", json!(version.id));
    add("version", json!(version.version));
    add("status", json!(version.status));
    add("device", json!(version.device));
    if let Some(room) = &version.room {
        add("room", json!(room));
    }
    add("at", json!(taken.at.0));
    if let Some(device) = taken.device {
        add("device_time", json!(device.0));
    }
    if taken.clock != ClockQuality::Synchronised {
        add("clock", json!(taken.clock.as_str()));
    }
    if let Some(user) = measurement.user {
        add("user", json!(user));
    }
    if let Some(why) = version.unassigned {
        add("unassigned", json!(why));
    }
    if measurement.key_reused {
        add("key_reused", json!(true));
    }
    let observations: Vec<_> = measurement.readings.iter().map(observation).collect();
    add("observations", observations.into());
    add("assessment", assessment(&measurement.readings, version.context, limits));
    if version.context.is_scored() {
        add("news2", json!(news2(&measurement.readings, version.context).score));
    }
    body
}

fn observation(reading: &Reading) -> serde_json::Value {
    let quantity = reading.quantity;
    let mut observation = json!({
        "quantity": quantity.as_str(), "code": quantity.loinc(), "unit": quantity.unit(), "value": reading.value.ok(),
    });
    qualify(&mut observation, reading);
    if let Err(why) = reading.value {
        observation["absent"] = json!(why);
    }
    if !reading.caveats.is_empty() {
        observation["caveats"] = json!(reading.caveats);
    }
    observation
}

/// Adds what qualifies a value: how it stands to the number, the other end of a range, the site on the body.
pub fn qualify(observation: &mut serde_json::Value, reading: &Reading) {
    if let Some(comparator) = reading.comparator {
        observation["comparator"] = json!(comparator);
    }
    if let Some(upper) = reading.upper {
        observation["upper"] = json!(upper);
    }
    if let Some(site) = reading.site {
        observation["site"] = json!(site);
    }
}

/// Reference-range flags of readings that were taken together.
pub fn assessment(readings: &[Reading], context: Context, limits: &Limits) -> serde_json::Value {
    let all = vital::judge(readings, context.circumstances(), limits);
    let flags = all.iter().map(|(quantity, found)| {
        json!({
            "quantity": quantity.as_str(), "flag": found.flag, "text": found.chinese, "notable": found.is_notable,
        })
    });
    flags.collect::<Vec<_>>().into()
}

/// The early-warning score NEWS2 of readings that were taken together; missing and inexact ones make it partial.
pub fn news2(readings: &[Reading], context: Context) -> News2 {
    let exact = |reading: &Reading| reading.judged().filter(|(least, most)| least == most);
    let value = |quantity| {
        let mut newest = readings.iter().rev().filter(|reading| reading.quantity == quantity);
        newest.find_map(exact).map(|(value, _)| value)
    };
    let parameters = Parameters {
        respiration_rate: value(Quantity::RespirationRate),
        oxygen_saturation: value(Quantity::OxygenSaturation),
        systolic: value(Quantity::Systolic),
        pulse_rate: value(Quantity::PulseRate),
        temperature: value(Quantity::Temperature),
        on_oxygen: context.on_oxygen,
        is_alert: context.is_alert,
    };
    News2::of(&parameters, Oxygen::Scale1)
}

/// A measurement as a batch, for live values and trends.
pub fn batch(layout: &Arc<Layout>, measurement: &Measurement) -> Batch {
    let taken = measurement.taken;
    let samples = measurement.readings.iter().filter_map(|reading| {
        let point = layout.points.iter().position(|p| p.name.as_str() == reading.quantity.as_str())?;
        let is_exact = reading.comparator.is_none() && reading.upper.is_none();
        let quality = match (&reading.value, is_exact && reading.caveats.is_empty()) {
            (Err(_), _) => Quality::Bad(Reason::NoValue),
            (Ok(_), true) => Quality::Good,
            (Ok(_), false) => Quality::Uncertain(Reason::OutOfRange),
        };
        let value = reading.value.ok().and_then(Value::float);
        Some(Sample { point: u16::try_from(point).ok()?, at: taken.at, clock: taken.clock, quality, value })
    });
    Batch { layout: Arc::clone(layout), samples: samples.collect() }
}
