//! What is told of an alarm: `event/alarm`, the journal, screens.

use linli_domain::alarm::{Event, Priority, Rule, State, Transition};
use linli_domain::{DeviceClass, Id, Message, Record, Timestamp, Topic};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// An alarm as the API shows it.
#[derive(Debug, Clone, Serialize)]
pub struct AlarmView {
    /// Its id.
    pub alarm: Id,
    /// What people are told.
    pub text: String,
    /// The device.
    pub device: Id,
    /// The point.
    pub point: Id,
    /// How soon somebody must act.
    pub priority: Priority,
    /// Where it is.
    pub state: State,
    /// Whether the condition holds.
    pub active: bool,
    /// Since when it is there, Unix milliseconds UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The latest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// How long it is still shelved, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shelved_for: Option<u64>,
    /// Who moved it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// A step as it is told and journaled.
pub fn step(
    rule: &Rule,
    transition: &Transition,
    at: Timestamp,
    by: Option<&str>,
    why: Option<&str>,
) -> Map<String, Value> {
    let body = json!({
        "alarm": rule.id,
        "device": rule.source.device,
        "point": rule.source.point,
        "priority": rule.priority,
        "from": transition.from,
        "to": transition.to,
        "event": transition.event,
        "value": transition.value,
        "limit": rule.condition.limit(),
        "first_out": transition.is_first_out.then_some(true),
        "text": rule.text,
        "by": by,
        "why": why,
        "at": at.0,
    });
    match body {
        Value::Object(mut body) => {
            body.retain(|_, member| !member.is_null());
            body
        }
        _ => Map::new(),
    }
}

/// An alarm whose rule is gone.
pub fn retired(alarm: &Id, from: State, at: Timestamp) -> Map<String, Value> {
    let body = json!({
        "alarm": alarm, "from": from, "to": State::OutOfService, "event": Event::TakeOut,
        "by": "linli", "why": "its rule was removed", "at": at.0,
    });
    match body {
        Value::Object(body) => body,
        _ => Map::new(),
    }
}

/// A test of the way to people.
pub fn test(who: &str, at: Timestamp) -> Map<String, Value> {
    let body = json!({
        "alarm": "test", "event": "test", "priority": Priority::High, "text": "测试报警，无需处理",
        "test": true, "by": who, "at": at.0,
    });
    match body {
        Value::Object(body) => body,
        _ => Map::new(),
    }
}

/// The same for the district.
pub fn record(body: Map<String, Value>, at: Timestamp) -> Record {
    Record::Message(Message { topic: Topic::AlarmEvent, class: DeviceClass::FoodSafety, at, body })
}
