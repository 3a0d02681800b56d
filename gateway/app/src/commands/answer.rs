//! What the sender of a command is told, and how many refusals are worth telling.

use std::time::Duration;

use linli_domain::command::{Inbound, Refusal, State};
use linli_domain::{DeviceClass, Id, Message, Record, Timestamp, Topic, Value};
use linli_store::JournaledCommand;
use serde::Serialize;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Refusals answered in a burst; a flood of rubbish must not fill the urgent lane.
const REFUSALS_AT_ONCE: f64 = 50.0;

/// Refusals answered per second in the long run.
const REFUSALS_PER_SECOND: f64 = 5.0;

/// The answer to a command.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// The command's id, where one could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The device it was for.
    pub device: String,
    /// `done`, `failed`, `unknown`, `refused`, or how far it has come.
    pub result: &'static str,
    /// Why, for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the device says now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Value>,
}

/// Where an answer goes.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    device: String,
    response_topic: Option<String>,
    correlation: Option<Vec<u8>>,
}

/// A token bucket over the answers to refused requests.
#[derive(Debug)]
pub struct RefusalBudget {
    left: f64,
    since: Option<Instant>,
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
    pub fn refused(inbound: &Inbound, refusal: &Refusal) -> Self {
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

/// The id of a refused request, if it looks like one: the sender finds the answer by it.
fn readable_id(inbound: &Inbound) -> Option<String> {
    if inbound.payload.len() > linli_domain::command::LARGEST_REQUEST {
        return None;
    }
    let value: serde_json::Value = serde_json::from_slice(&inbound.payload).ok()?;
    value.get("id")?.as_str().map(|id| id.chars().take(64).collect())
}

// === impl Reply ===

impl Reply {
    /// To the sender of a request.
    #[must_use]
    pub fn to(inbound: &Inbound) -> Self {
        Self {
            device: inbound.device.clone(),
            response_topic: inbound.response_topic.clone(),
            correlation: inbound.correlation.clone(),
        }
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

// === impl RefusalBudget ===

impl Default for RefusalBudget {
    fn default() -> Self {
        Self { left: REFUSALS_AT_ONCE, since: None }
    }
}

impl RefusalBudget {
    /// Whether one more refusal may be answered.
    pub fn spend(&mut self, now: Instant) -> bool {
        let passed = self.since.map_or(Duration::ZERO, |since| now - since);
        self.since = Some(now);
        self.left = (self.left + passed.as_secs_f64() * REFUSALS_PER_SECOND).min(REFUSALS_AT_ONCE);
        if self.left < 1.0 {
            return false;
        }
        self.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_flood_of_rubbish_is_not_answered_for_ever() {
        let mut budget = RefusalBudget::default();
        let answered = (0..1000).filter(|_| budget.spend(Instant::now())).count();
        assert_eq!(answered, 50);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((0..100).filter(|_| budget.spend(Instant::now())).count(), 5);
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
        let answer = Answer::refused(&inbound, &Refusal::Retained);
        assert_eq!((answer.id.as_deref(), answer.result), (Some("a7"), "refused"));
        let bad_name = Reply { device: "Fan 1/#".to_owned(), ..Reply::default() };
        assert!(answer.record(&bad_name, Timestamp(0)).is_none());
        assert!(answer.record(&Reply::to(&inbound), Timestamp(0)).is_some());
    }
}
