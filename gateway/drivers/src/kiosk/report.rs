//! Status reports of kiosks: one JSON object, the same over HTTP and MQTT.

use linli_domain::kiosk::{PARTS, Part};
use linli_domain::{Reason, Value};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

use crate::points::{Point, count, flag, number, text};
use crate::publisher::PointResult;

/// The profile of a kiosk with an agent of its own.
pub const PROFILE: &str = "kiosk/terminal";

/// The point with the text that is shown to residents instead of the service.
pub const MESSAGE: &str = "message";

/// Longest text for a screen, in characters.
const LONGEST_TEXT: usize = 200;

/// Points of a kiosk: its parts by their codes (0 ok, 1 busy, 2 warn, 3 `user_error`, 4 fault, 5 absent,
/// 6 offline), then the rest.
pub static POINTS: &[Point] = &[
    count("printer", "printer"),
    count("paper", "paper: 2 low, 4 out"),
    count("toner", "toner: 2 low, 4 out"),
    count("id_reader", "reader of identity cards"),
    count("card_reader", "reader of bank and social-security cards"),
    count("scanner", "bar-code scanner"),
    count("camera", "document camera"),
    count("touch", "touch screen"),
    count("network", "its own network"),
    count("upstream", "the government service behind it"),
    flag("busy", "a resident is at it"),
    flag("door_open", "the cabinet is open"),
    number("temperature", "Cel", "inside the cabinet"),
    number("disk_free", "%", "free disk space"),
    count("transactions", "matters done since it started"),
    text("version", "of its software"),
    text(MESSAGE, "text shown instead of the service; empty: in service").writable(),
];

/// A status report of a kiosk.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Changes with every start of the kiosk.
    pub boot: String,
    /// Counts the reports since then.
    pub seq: u64,
    /// States of its components.
    #[serde(default, deserialize_with = "present")]
    pub parts: BTreeMap<String, String>,
    /// Whether a resident uses it.
    pub busy: Option<bool>,
    /// Whether the cabinet is open.
    pub door_open: Option<bool>,
    /// °C inside the cabinet.
    pub temperature: Option<f64>,
    /// Free disk space, per cent.
    pub disk_free: Option<f64>,
    /// Services completed since it started.
    pub transactions: Option<i64>,
    /// Software version.
    pub version: Option<String>,
    /// The text it shows now.
    #[serde(default, deserialize_with = "nothing")]
    pub message: String,
}

/// `null` is the same as leaving it out, for all parts and for one.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<BTreeMap<String, String>, D::Error> {
    let parts: Option<BTreeMap<String, Option<String>>> = Deserialize::deserialize(from)?;
    Ok(parts.into_iter().flatten().filter_map(|(name, word)| Some((name, word?))).collect())
}

/// `null` is the same as leaving it out.
fn nothing<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text: Option<String> = Deserialize::deserialize(from)?;
    Ok(text.unwrap_or_default())
}

// === impl Report ===

impl Report {
    /// Parses JSON. The error is a sentence for the developer of the kiosk's software.
    pub fn parse(payload: &[u8]) -> Result<Self, String> {
        let report: Self = serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        for (name, word) in &report.parts {
            if !PARTS.iter().any(|(known, _)| known == name) {
                let known: Vec<&str> = PARTS.iter().map(|(known, _)| *known).collect();
                return Err(format!("parts: there is no {name:?}; there are {}", known.join(", ")));
            }
            if Part::parse(word).is_none() {
                return Err(format!(
                    "parts: {name} is {word:?}; it is ok, busy, warn, low, user_error, fault, out, jam, absent or offline"
                ));
            }
        }
        if report.boot.is_empty() || report.boot.len() > 64 {
            return Err("boot: must be 1 to 64 characters, new with every start".to_owned());
        }
        if report.message.chars().count() > LONGEST_TEXT {
            return Err(format!("message: longer than {LONGEST_TEXT} characters"));
        }
        Ok(report)
    }

    /// Returns the values of its points; missing components have no value.
    #[must_use]
    pub fn values(&self) -> Vec<(u16, PointResult)> {
        (0..)
            .zip(POINTS)
            .map(|(index, point)| (index, self.value(point.name).ok_or(Reason::NoValue)))
            .collect()
    }

    fn value(&self, name: &str) -> Option<Value> {
        match name {
            "busy" => self.busy.map(Value::Bool),
            "door_open" => self.door_open.map(Value::Bool),
            "temperature" => self.temperature.and_then(Value::float),
            "disk_free" => self.disk_free.and_then(Value::float),
            "transactions" => self.transactions.map(Value::Integer),
            "version" => self.version.as_deref().map(|version| Value::Text(version.into())),
            MESSAGE => Some(Value::Text(self.message.as_str().into())),
            part => {
                let part = self.parts.get(part).and_then(|word| Part::parse(word))?;
                Some(Value::Integer(part.code().into()))
            }
        }
    }
}

/// Whether a text may be shown.
pub fn accepts(value: &Value) -> Result<(), String> {
    match value {
        Value::Text(text) if text.chars().count() > LONGEST_TEXT => {
            Err(format!("at most {LONGEST_TEXT} characters fit on the screen"))
        }
        Value::Text(text) if text.chars().any(char::is_control) => {
            Err("the text must be one line of printable characters".to_owned())
        }
        Value::Text(_) => Ok(()),
        _ => Err("write a text; \"\" puts the kiosk back into service".to_owned()),
    }
}
