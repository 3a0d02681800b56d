//! What people ask of the service, and what the machine hears of it.

use std::time::Duration;

use linli_mode::{Actor, Event, ResolvedPlan};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::service::ModeService;
use super::view;
use crate::error::ServiceError;
use linli_mode::record::ModeEvent;

/// Longest finding.
const LONGEST: usize = 500;

/// What a person does.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// A step is done.
    Confirm(String),
    /// In a drill it was only simulated.
    Simulate(String),
    /// It cannot be done.
    Cannot(String, String),
    /// It is done without.
    Waive(String, String, Duration),
    /// It is tried once more.
    Retry(String),
    /// The plan begins now.
    Commit,
    /// A held room goes on.
    Resume(String),
    /// It is not accepted.
    Reject(String),
    /// Another room takes its place.
    Alternate(String),
    /// Nothing moves any more.
    Stop,
}

/// What is asked.
#[derive(Debug)]
pub enum RequestedAction {
    /// Every room.
    Status,
    /// What a plan would do now.
    Preview(String),
    /// What an order can name as having been seen, of these plans.
    Snapshot(String),
    /// Something that was found, and who mends it until when.
    Finding(Finding),
    /// An order, or a message; the code that somebody compared, for a clock nobody vouches for.
    Order(Vec<u8>, Option<String>),
    /// Something done in a room, by that person.
    Do {
        /// The room.
        room: String,
        /// The person.
        person: Option<String>,
        /// What.
        operation: Operation,
    },
}

/// Something that was found in a drill or a switch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The order.
    pub order: String,
    /// Who found it: a person of facility.toml.
    pub person: String,
    /// Who mends it.
    pub owner: String,
    /// Until that day, `2026-12-31`.
    pub due: String,
    /// What it is.
    pub text: String,
}

/// A request in the queue of the service; the answer is the JSON that the API returns.
pub type Asked = crate::client::Request<RequestedAction, Value>;

// === impl ModeService ===

impl ModeService {
    /// Answers one request.
    pub(super) async fn answer(&mut self, who: &str, action: RequestedAction) -> Result<Value, ServiceError> {
        match action {
            RequestedAction::Status => Ok(view::status(self)),
            RequestedAction::Preview(plan) => view::preview(self, &plan),
            RequestedAction::Snapshot(plans) => super::snapshot::shown(self, &plans),
            RequestedAction::Finding(finding) => self.finding(finding).await,
            RequestedAction::Order(bytes, code) => self.order(&bytes, code.as_deref(), who).await,
            RequestedAction::Do { room, person, operation } => {
                self.carry(who, &room, person.as_deref(), operation).await?;
                Ok(view::status_of(self, self.rooms.values().filter(|found| found.id.as_str() == room)))
            }
        }
    }

    async fn carry(
        &mut self,
        who: &str,
        room: &str,
        person: Option<&str>,
        operation: Operation,
    ) -> Result<(), ServiceError> {
        let index = self.setup.facility.room(room).filter(|index| self.rooms.contains_key(index));
        let index = index.ok_or_else(|| {
            let known: Vec<&str> = self.rooms.values().map(|room| room.id.as_str()).collect();
            ServiceError::Unknown(format!(
                "no plan is about a room {room:?}; rooms are: {}",
                known.join(", ")
            ))
        })?;
        let by = match person {
            Some(person) => format!("{person} ({who})"),
            None => who.to_owned(),
        };
        if let Operation::Alternate(why) = &operation {
            return self.alternate(index, person, why, &by).await;
        }
        let event = self.event(index, person, operation, &by)?;
        match self.decide(index, None, event.clone(), Some(by.clone()), None) {
            Ok(Some(decided)) => Ok(self.settle(vec![decided], Vec::new(), Vec::new(), Vec::new()).await?),
            Ok(None) => Ok(()),
            Err(refused) => {
                let why = refused.to_string();
                let room = self.rooms[&index].id.clone();
                let line = ModeEvent::Refused { room, event, by: Some(by), why: why.clone() };
                if self.refusals.spend(Instant::now()) {
                    self.settle(Vec::new(), vec![line], Vec::new(), Vec::new()).await?;
                }
                tracing::info!(why, "refused");
                Err(ServiceError::Conflict(why))
            }
        }
    }

    /// Who does something.
    pub(super) fn person(&self, person: Option<&str>) -> Result<Actor, ServiceError> {
        let person = person.ok_or_else(|| {
            ServiceError::Wrong("who does it is missing: name a person of facility.toml".to_owned())
        })?;
        self.setup.actor(person).ok_or_else(|| {
            let known: Vec<&str> = self.setup.facility.people.iter().map(|p| p.id.as_str()).collect();
            ServiceError::Unknown(format!("there is no person {person:?}; people are: {}", known.join(", ")))
        })
    }

    /// Puts a finding on record.
    async fn finding(&mut self, finding: Finding) -> Result<Value, ServiceError> {
        let who = self.person(Some(&finding.person))?;
        let Finding { order, owner, due, text, .. } = finding;
        if due.parse::<jiff::civil::Date>().is_err() {
            return Err(ServiceError::Wrong(format!("by: {due:?} is no day such as 2026-12-31")));
        }
        for (what, given) in [("the finding", &text), ("owner", &owner)] {
            let is_line = !given.trim().is_empty() && !given.chars().any(char::is_control);
            if !is_line || given.chars().count() > LONGEST {
                let why = format!("{what} is not one line of 1 to {LONGEST} characters");
                return Err(ServiceError::Wrong(why));
            }
        }
        if !self.ledger.accepted.iter().any(|(_, _, id, _)| *id == order) {
            return Err(ServiceError::Unknown(format!("no order {order:?} was accepted here")));
        }
        let line = ModeEvent::Finding { order, by: who.id, owner, due, text };
        self.settle(Vec::new(), vec![line], Vec::new(), Vec::new()).await?;
        Ok(serde_json::json!({"record": self.record.head()}))
    }

    /// An operation as the machine hears it.
    fn event(
        &self,
        index: usize,
        person: Option<&str>,
        operation: Operation,
        by: &str,
    ) -> Result<Event, ServiceError> {
        if operation == Operation::Stop {
            return Ok(Event::Stop { by: by.to_owned() });
        }
        let who = self.person(person)?;
        let brief: Option<&ResolvedPlan> = self.rooms.get(&index).and_then(|room| room.brief(&self.setup));
        let step = |id: &str| {
            brief.and_then(|brief| brief.step(id)).ok_or_else(|| {
                let steps = brief.map(|b| b.steps.iter().map(|job| job.id.as_str()).collect::<Vec<_>>());
                let steps = steps.unwrap_or_default().join(", ");
                ServiceError::Unknown(format!("the plan has no step {id:?}; its steps are: {steps}"))
            })
        };
        Ok(match operation {
            Operation::Confirm(id) => Event::Confirm { step: step(&id)?, who },
            Operation::Simulate(id) => Event::Simulate { step: step(&id)?, who },
            Operation::Cannot(id, why) => Event::Cannot { step: step(&id)?, who, why },
            Operation::Waive(id, why, span) => Event::Waive { step: step(&id)?, who, why, span },
            Operation::Retry(id) => Event::Retry { step: step(&id)?, who },
            Operation::Commit => Event::Commit { who },
            Operation::Resume(why) => Event::Resume { who, why },
            Operation::Reject(why) => Event::Reject { who, why },
            Operation::Stop | Operation::Alternate(_) => Event::Stop { by: by.to_owned() },
        })
    }
}
