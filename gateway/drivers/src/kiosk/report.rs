//! Status reports of kiosks: one JSON object, the same over HTTP and MQTT.

use linli_domain::kiosk::{PARTS, Part};
use std::collections::BTreeMap;

use linli_domain::{Reason, Value, ValueType};
use serde_json::{Map, Value as Json};

use crate::points::{Point, count, flag, number, text};
use crate::publisher::PointResult;

/// The profile of a kiosk with an agent of its own.
pub const PROFILE: &str = "kiosk/terminal";

/// The point with the text that is shown to residents instead of the service.
pub const MESSAGE: &str = "message";

/// Byte-order mark of UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// The words for the state of a component.
const WORDS: &str = "ok, busy, warn, low, user_error, fault, out, jam, absent or offline";

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
#[derive(Debug, Default)]
pub struct Report {
    /// Changes with every start of the kiosk.
    pub boot: String,
    /// Counts the reports since then.
    pub seq: u64,
    /// The values of its points, by name; what is not reported is not there.
    members: BTreeMap<&'static str, PointResult>,
    /// Members that are wrong, for the developer of the kiosk's software. They cost none beside them.
    pub wrong: Vec<String>,
}

// === impl Report ===

impl Report {
    /// Parses JSON. The error is a sentence for the developer of the kiosk's software: nothing of it can be used.
    pub fn parse(payload: &[u8]) -> Result<Self, String> {
        let payload = payload.strip_prefix(MARK).unwrap_or(payload);
        let mut members: Map<String, Json> =
            serde_json::from_slice(payload).map_err(|error| error.to_string())?;
        let mut report = Self::default();
        let boot = match members.remove("boot") {
            Some(Json::String(text)) => text,
            Some(Json::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        if boot.is_empty() || boot.len() > 64 {
            return Err("boot: must be 1 to 64 characters, new with every start".to_owned());
        }
        let seq = members.remove("seq").as_ref().and_then(whole).and_then(|seq| u64::try_from(seq).ok());
        (report.boot, report.seq) = (boot, seq.ok_or("seq: must be a whole number from 0 on (u64)")?);
        for (name, member) in &members {
            // `null` is the same as leaving it out.
            match (name.as_str(), member) {
                (_, Json::Null) => {}
                ("parts", Json::Object(parts)) => {
                    parts.iter().for_each(|(name, word)| report.part(name, word))
                }
                ("parts", _) => report.wrong.push("parts: must be an object".to_owned()),
                (name, member) => report.member(name, member),
            }
        }
        Ok(report)
    }

    /// Takes the state of a component.
    fn part(&mut self, name: &str, word: &Json) {
        let Some((known, _)) = PARTS.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = PARTS.iter().map(|(known, _)| *known).collect();
            return self.wrong.push(format!("parts: there is no {name:?}; there are {}", known.join(", ")));
        };
        let Some(part) = word.as_str().and_then(|word| Part::parse(&word.trim().to_lowercase())) else {
            if !word.is_null() {
                self.wrong.push(format!("parts: {name} is {word}; it is {WORDS}"));
                self.members.insert(known, Err(Reason::Undecodable));
            }
            return;
        };
        self.members.insert(known, Ok(Value::Integer(part.code().into())));
    }

    /// Takes any other member.
    fn member(&mut self, name: &str, member: &Json) {
        let is_part = |point: &&Point| PARTS.iter().any(|(part, _)| *part == point.name);
        let own = || POINTS.iter().filter(|point| !is_part(point));
        let Some(point) = own().find(|point| point.name == name) else {
            let known: Vec<&str> = own().map(|point| point.name).collect();
            return self.wrong.push(format!(
                "there is no member {name:?}; there are boot, seq, parts, {}",
                known.join(", ")
            ));
        };
        let text = |text: &String| text.chars().count() <= LONGEST_TEXT;
        let value = match (point.kind, member) {
            (ValueType::Bool, Json::Bool(is)) => Some(Value::Bool(*is)),
            (ValueType::Float, Json::Number(number)) => number.as_f64().and_then(Value::float),
            (ValueType::Integer, number) => whole(number).map(Value::Integer),
            (ValueType::Text, Json::String(told)) if text(told) => Some(Value::Text(told.as_str().into())),
            _ => None,
        };
        if value.is_none() {
            self.wrong.push(match member {
                Json::String(_) if point.kind == ValueType::Text => {
                    format!("{name}: longer than {LONGEST_TEXT} characters")
                }
                _ => format!("{name}: is {member}, not {}", kind(point.kind)),
            });
        }
        self.members.insert(point.name, value.ok_or(Reason::Undecodable));
    }

    /// Returns the values of its points; missing components have no value.
    #[must_use]
    pub fn values(&self) -> Vec<(u16, PointResult)> {
        (0..).zip(POINTS).map(|(index, point)| (index, self.value(point.name))).collect()
    }

    fn value(&self, name: &str) -> PointResult {
        match self.members.get(name) {
            Some(value) => value.clone(),
            None if name == MESSAGE => Ok(Value::Text("".into())),
            None => Err(Reason::NoValue),
        }
    }
}

/// A whole number, also one that is written with a fraction of zero.
fn whole(member: &Json) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "whole, and small")]
    let of_float = || member.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 1e15).map(|n| n as i64);
    member.as_i64().or_else(of_float)
}

const fn kind(of: ValueType) -> &'static str {
    match of {
        ValueType::Bool => "true or false",
        ValueType::Float => "a number",
        ValueType::Integer => "a whole number",
        ValueType::Text => "a text",
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
