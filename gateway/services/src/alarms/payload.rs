//! JSON of alarms: for `event/alarm`, the journal and the API.

use linli_domain::alarm::{Event, Priority, Rule, State, Transition};
use linli_domain::{DeviceClass, Id, Message, Record, Timestamp, Topic};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// An alarm as the API shows it.
#[derive(Debug, Clone, Serialize)]
pub struct AlarmView {
    /// Id of the alarm.
    pub alarm: Id,
    /// The text for people.
    pub text: String,
    /// Id of the device.
    pub device: Id,
    /// Id of the point.
    pub point: Id,
    /// Its priority.
    pub priority: Priority,
    /// Its state (ISA-18.2).
    pub state: State,
    /// Whether the condition holds.
    pub active: bool,
    /// Time of the last change of state, Unix milliseconds UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Latest value of the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Limit of the rule, in the point's unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// Seconds until shelving ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shelved_for: Option<u64>,
    /// Account of the last operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Reason of the last operation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// The body of a transition.
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

/// The body for an alarm whose rule was removed.
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

/// The body of a test notification.
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

/// The message on `event/alarm` with this body.
pub fn record(body: Map<String, Value>, at: Timestamp) -> Record {
    Record::Message(Message { topic: Topic::AlarmEvent, class: DeviceClass::FoodSafety, at, body })
}
