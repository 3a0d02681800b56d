//! Serves requests of people: turns each into an event of a room, or refuses it with the reason.

use linli_domain::caller::{Acting, Caller};
use linli_domain::{Id, Timestamp};
use linli_mode::record::ModeEvent;
use linli_mode::{Actor, Event, ResolvedPlan};
use serde_json::Value;

use super::engine::Engine;
use super::request::{Finding, Operation, RequestedAction};
use super::view;
use crate::error::ServiceError;

/// Most characters of a text that a person gives: it stands in the record, on every screen and on paper.
const MOST_CHARACTERS: usize = 500;

/// Refuses a text that is longer, or has more than one line, or moves the cursor of a terminal.
fn one_line(what: &str, text: &str) -> Result<(), ServiceError> {
    if text.chars().any(char::is_control) || text.chars().count() > MOST_CHARACTERS {
        let why = format!(
            "{what} is not one line of 1 to {MOST_CHARACTERS} characters （请用一行写明，最多 {MOST_CHARACTERS} 字）"
        );
        return Err(ServiceError::Wrong(why));
    }
    Ok(())
}

// === impl Engine ===

impl Engine {
    /// Serves one request.
    pub(super) async fn answer(
        &mut self,
        caller: &Caller,
        action: RequestedAction,
    ) -> Result<Value, ServiceError> {
        match action {
            RequestedAction::Status => Ok(view::status(self)),
            RequestedAction::Preview(plan) => view::preview(self, &plan),
            RequestedAction::Snapshot(plans) => super::snapshot::view(self, &plans),
            RequestedAction::Finding(finding) => self.finding(caller, finding).await,
            RequestedAction::Heads(heads) => {
                self.commit(Vec::new(), vec![ModeEvent::Heads { heads }], Vec::new(), Vec::new()).await?;
                Ok(Value::Null)
            }
            RequestedAction::Order { bytes, code } => self.order(&bytes, code.as_deref(), Some(caller)).await,
            RequestedAction::Do { room, person, operation } => {
                self.perform(caller, &room, person.as_deref(), operation).await?;
                Ok(view::status_of(self, self.rooms.values().filter(|found| found.id.as_str() == room)))
            }
        }
    }

    async fn perform(
        &mut self,
        caller: &Caller,
        room: &str,
        person: Option<&str>,
        operation: Operation,
    ) -> Result<(), ServiceError> {
        let index = self.setup.facility.room(room).filter(|index| self.rooms.contains_key(index));
        let index = index.ok_or_else(|| {
            let ids: Vec<&str> = self.rooms.values().map(|room| room.id.as_str()).collect();
            ServiceError::Unknown(format!("no plan is about a room {room:?}; rooms are: {}", ids.join(", ")))
        })?;
        let by = self.acting(caller, person)?;
        if let Some(why) = operation.reason() {
            one_line("why", why)?;
        }
        match &operation {
            Operation::Alternate(why) => return self.alternate(index, person, why, &by).await,
            Operation::BeginService(why, span) => {
                return self.begin_service(index, person, (why, *span), &by).await;
            }
            Operation::EndService => return self.end_service_of(index, &by).await,
            Operation::Stop => {
                let is_ended = self.stop_service(index, &by).await?;
                if is_ended && self.rooms[&index].state.run.is_none() {
                    return Ok(());
                }
            }
            _ => {}
        }
        let event = self.event(index, person, operation, &by)?;
        if matches!(event, Event::Stop { .. }) && self.stop_again(index, &event) {
            return Ok(());
        }
        match self.decide(index, None, event.clone(), None, None) {
            Ok(Some(decided)) => {
                Ok(self.commit(vec![decided.acted_by(&by)], Vec::new(), Vec::new(), Vec::new()).await?)
            }
            // A stop that does nothing is no success.
            Ok(None) if matches!(event, Event::Stop { .. }) => {
                let why = "nothing is known of what this room moved, so nothing could be written: look at its devices";
                Err(ServiceError::Conflict(why.to_owned()))
            }
            Ok(None) => Ok(()),
            Err(refused) => {
                let why = linli_mode::advice::refused(&refused).to_string();
                let room = self.rooms[&index].id.clone();
                let text = Some(by.to_string());
                let entry = ModeEvent::Refused { room, event, by: text, why: why.clone(), acting: Some(by) };
                if self.is_recorded("request") {
                    self.commit(Vec::new(), vec![entry], Vec::new(), Vec::new()).await?;
                }
                tracing::info!(why, "operation refused");
                Err(ServiceError::Conflict(why))
            }
        }
    }

    /// Who acts: the account, with the person that it names.
    ///
    /// # Errors
    /// When the name has a form that no person of facility.toml can have.
    pub(super) fn acting(&self, caller: &Caller, person: Option<&str>) -> Result<Acting, ServiceError> {
        let Some(name) = person else { return Ok(caller.acting(None)) };
        let id = Id::new(name).map_err(|_| self.nobody(name))?;
        Ok(caller.acting(Some(&id)))
    }

    fn nobody(&self, person: &str) -> ServiceError {
        let ids: Vec<&str> = self.setup.facility.people.iter().map(|p| p.id.as_str()).collect();
        ServiceError::Unknown(format!("there is no person {person:?}; people are: {}", ids.join(", ")))
    }

    /// Returns the acting person.
    ///
    /// # Errors
    /// When no person is given, or facility.toml has no such person.
    pub(super) fn person(&self, person: Option<&str>) -> Result<Actor, ServiceError> {
        let person = person.ok_or_else(|| {
            let why = "须由本人登录 your account belongs to no person of facility.toml: log in as yourself, \
                       `linli login NAME`, then `--login NAME`";
            ServiceError::Wrong(why.to_owned())
        })?;
        self.setup.actor(person).ok_or_else(|| self.nobody(person))
    }

    /// Adds a finding to the audit record.
    async fn finding(&mut self, caller: &Caller, finding: Finding) -> Result<Value, ServiceError> {
        let who = self.person(finding.person.as_deref())?;
        let Finding { order, owner, due, text, .. } = finding;
        if due.parse::<jiff::civil::Date>().is_err() {
            return Err(ServiceError::Wrong(format!("by: {due:?} is no day such as 2026-12-31")));
        }
        for (what, given) in [("the finding", &text), ("owner", &owner)] {
            one_line(what, given)?;
            if given.trim().is_empty() {
                return Err(ServiceError::Wrong(format!("{what} is missing")));
            }
        }
        if self.replay_guard.with_id(&order).is_none() {
            return Err(ServiceError::Unknown(format!("no order {order:?} was accepted here")));
        }
        let acting = Some(caller.acting(Some(&who.id)));
        let entry = ModeEvent::Finding { order, by: who.id, owner, due, text, acting };
        self.commit(Vec::new(), vec![entry], Vec::new(), Vec::new()).await?;
        Ok(serde_json::json!({"record": self.record.head()}))
    }

    /// Turns a person's operation into an event of the state machine.
    fn event(
        &self,
        index: usize,
        person: Option<&str>,
        operation: Operation,
        by: &Acting,
    ) -> Result<Event, ServiceError> {
        if operation == Operation::Stop {
            return Ok(Event::Stop { by: by.to_string() });
        }
        let who = self.person(person)?;
        let resolved: Option<&ResolvedPlan> =
            self.rooms.get(&index).and_then(|room| room.resolved(&self.setup));
        let step = |id: &str| {
            resolved.and_then(|resolved| resolved.step(id)).ok_or_else(|| {
                let steps = resolved.map(|b| b.steps.iter().map(|job| job.id.as_str()).collect::<Vec<_>>());
                let steps = steps.unwrap_or_default().join(", ");
                ServiceError::Unknown(format!("the plan has no step {id:?}; its steps are: {steps}"))
            })
        };
        Ok(match operation {
            Operation::Confirm(id) => Event::Confirm { step: step(&id)?, who },
            Operation::Simulate(id) => Event::Simulate { step: step(&id)?, who },
            Operation::Cannot(id, why) => Event::Cannot { step: step(&id)?, who, why },
            Operation::Waive(id, why, span) => {
                let ms = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
                let until = Some(Timestamp(self.deps.clock.now().at.0.saturating_add(ms)));
                Event::Waive { step: step(&id)?, who, why, span, until }
            }
            Operation::Retry(id) => Event::Retry { step: step(&id)?, who },
            Operation::Commit => Event::Commit { who },
            Operation::Resume(why) => Event::Resume { who, why },
            Operation::Reject(why) => Event::Reject { who, why },
            Operation::Stop
            | Operation::Alternate(_)
            | Operation::BeginService(..)
            | Operation::EndService => Event::Stop { by: by.to_string() },
        })
    }
}
