//! Answers to commands.

use linli_domain::command::{CommandError, Inbound, LARGEST_REQUEST, State};
use linli_domain::{DeviceClass, Id, Message, Record, Timestamp, Topic, Value};
use linli_store::JournaledCommand;
use serde::Serialize;
use tokio::sync::oneshot;

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// Id of the command, if one could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Id of the device.
    pub device: String,
    /// `done`, `failed`, `unknown`, `refused`, or how far it has come.
    pub result: &'static str,
    /// The reason, for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The value that the device reports.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Destination of an answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    device: String,
    response_topic: Option<String>,
    correlation: Option<Vec<u8>>,
}

// === impl Answer ===

impl Answer {
    /// The answer for a journaled command.
    #[must_use]
    pub fn new(id: &str, device: &str, state: &State, value: Option<Value>) -> Self {
        let (result, reason) = match state {
            State::Accepted => ("accepted", None),
            State::Sent => ("sent", None),
            State::Done => ("done", None),
            State::Failed { reason } => ("failed", Some(reason.clone())),
            State::Unknown { reason } => ("unknown", Some(reason.clone())),
        };
        Self { id: Some(id.to_owned()), device: device.to_owned(), result, reason, value }
    }

    /// The answer for a request that was not taken.
    #[must_use]
    pub fn refused(inbound: &Inbound, refusal: &CommandError) -> Self {
        Self {
            id: readable_id(inbound),
            device: inbound.device.clone(),
            result: "refused",
            reason: Some(refusal.to_string()),
            value: None,
        }
    }

    /// The message for the outbox; none when the device's name cannot stand in a topic.
    #[must_use]
    pub fn record(&self, reply: &Reply, at: Timestamp) -> Option<Record> {
        let device = Id::new(&reply.device).ok()?;
        let Ok(serde_json::Value::Object(mut body)) = serde_json::to_value(self) else { return None };
        body.insert("at".to_owned(), at.0.into());
        let (response_topic, correlation) = (reply.response_topic.clone(), reply.correlation.clone());
        Some(Record::Message(Message {
            topic: Topic::CommandResult { device, response_topic, correlation },
            class: DeviceClass::Actuator,
            at,
            body,
        }))
    }

    /// Hands the answer to whoever waits; that they left is no fault.
    pub fn deliver(self, waiting: Option<oneshot::Sender<Self>>) {
        if let Some(waiting) = waiting {
            let _ = waiting.send(self);
        }
    }
}

/// Returns the id of a refused request, if it has a valid form, so that the sender can match the answer.
fn readable_id(inbound: &Inbound) -> Option<String> {
    if inbound.payload.len() > linli_domain::command::LARGEST_REQUEST {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(&inbound.payload).ok()?;
    value.get("id")?.as_str().map(|id| id.chars().take(64).collect())
}

// === impl Reply ===

impl Reply {
    /// To the sender of a request. A response topic and correlation data that are too long for any command
    /// are not repeated.
    #[must_use]
    pub fn to(inbound: &Inbound) -> Self {
        Self {
            device: inbound.device.clone(),
            response_topic: inbound.response_topic.clone().filter(|topic| topic.len() <= LARGEST_REQUEST),
            correlation: inbound.correlation.clone().filter(|data| data.len() <= LARGEST_REQUEST),
        }
    }

    /// To whoever listens to the results of a device.
    #[must_use]
    pub fn to_device(device: String) -> Self {
        Self { device, ..Self::default() }
    }

    /// To the sender of a journaled command.
    #[must_use]
    pub fn of(command: &JournaledCommand) -> Self {
        Self {
            device: command.device.clone(),
            response_topic: command.response_topic.clone(),
            correlation: command.correlation.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn correlation_data_longer_than_any_command_is_not_repeated() {
        let inbound = |bytes| Inbound {
            device: "fan".to_owned(),
            payload: Vec::new(),
            retained: false,
            response_topic: Some("t".repeat(bytes)),
            correlation: Some(vec![7; bytes]),
        };
        assert!(Reply::to(&inbound(LARGEST_REQUEST)).correlation.is_some());
        let long = Reply::to(&inbound(LARGEST_REQUEST + 1));
        assert_eq!((long.response_topic, long.correlation), (None, None));
    }

    #[test]
    fn a_refusal_names_the_id_if_there_is_one() {
        let inbound = Inbound {
            device: "fan-1".to_owned(),
            payload: br#"{"id":"a7","point":"x"}"#.to_vec(),
            retained: true,
            response_topic: None,
            correlation: None,
        };
        let answer = Answer::refused(&inbound, &CommandError::Retained);
        assert_eq!((answer.id.as_deref(), answer.result), (Some("a7"), "refused"));
        let bad_name = Reply { device: "Fan 1/#".to_owned(), ..Reply::default() };
        assert!(answer.record(&bad_name, Timestamp(0)).is_none());
        assert!(answer.record(&Reply::to(&inbound), Timestamp(0)).is_some());
    }
}
