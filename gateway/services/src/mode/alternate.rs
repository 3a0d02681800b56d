//! Proposes an alternate room when the ordered room cannot be used. A person starts the alternate, under
//! the same order, and only if that order names its plan.
//!
//! The unusable room keeps its state, with the gap reported, until an order returns it.

use std::collections::BTreeSet;
use std::sync::Arc;

use linli_domain::Topic;
use linli_domain::caller::Acting;
use linli_mode::order::{Order, Target};
use linli_mode::{Direction, Event, OrderRef, Stage, StepState, bracketed};
use linli_store::Entry;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::engine::Engine;
use super::payload::message;
use super::room::Room;
use crate::error::ServiceError;
use linli_config::CheckedPlan;
use linli_mode::record::ModeEvent;

/// An alternate for a room that cannot be used.
pub struct Proposal {
    /// The plan of the alternate room.
    pub plan: Arc<CheckedPlan>,
    /// Why the ordered room cannot be used.
    pub why: String,
}

/// Returns the plans that are only named as the alternate of another plan of the same target.
pub fn in_reserve<'e>(engine: &'e Engine, target: &Target) -> BTreeSet<&'e str> {
    let named = target.plans.iter().filter_map(|named| engine.setup.plan(&named.plan));
    let others = named.filter_map(|other| {
        let alternate = other.resolved.plan.alternate.as_deref()?;
        Some(alternate).filter(|alternate| !other.resolved.plan.is_named(alternate))
    });
    others.collect()
}

/// Returns the alternate of a room when one of its steps is stuck or its time is over.
pub fn proposal(engine: &Engine, room: &Room) -> Option<Proposal> {
    let (run, checked) = (room.state.run.as_ref()?, room.plan.as_ref()?);
    let plan = &checked.resolved.plan;
    if run.order.direction != Direction::Enter {
        return None;
    }
    let other = Arc::clone(engine.setup.plan(plan.alternate.as_deref()?)?);
    let stuck = run.steps.iter().position(|state| *state == StepState::Stuck);
    let is_late = {
        let within = i64::try_from(plan.ready_within.as_millis()).unwrap_or(i64::MAX);
        engine.deps.clock.now().at.0 > room.ordered.0.saturating_add(within)
    };
    let stage = room.stage(&engine.setup);
    let is_usable = matches!(stage, Stage::Ready | Stage::Degraded | Stage::Proving | Stage::Preview);
    let why = match stuck.and_then(|step| checked.resolved.steps.get(step)) {
        Some(job) => format!("step {} cannot be done", job.id),
        None if is_late && !is_usable => format!("it is {} and its time is over", stage.as_str()),
        None => return None,
    };
    Some(Proposal { plan: other, why })
}

/// Checks that the order of the room's run names the plan, with the same hash, and has not expired.
///
/// # Errors
/// Says why it does not, and which order is needed.
pub fn covers(engine: &Engine, room: &Room, plan: &CheckedPlan) -> Result<(), String> {
    let id = room.state.run.as_ref().map(|run| run.order.id.clone()).unwrap_or_default();
    let key = plan.resolved.plan.key();
    let needed = || {
        format!(
            "an order to enter is needed that names {key}: `linli order new --kind enter --plan {}:{}`",
            engine.setup.centre, plan.file
        )
    };
    let order: &Order =
        engine.orders.get(&id).ok_or_else(|| format!("order {id} is not known any more; {}", needed()))?;
    let target = order.target_at(&engine.setup.centre, &engine.setup.sites());
    let named = target.and_then(|target| target.plans.iter().find(|named| named.plan == key));
    match named {
        None => return Err(format!("order {id} does not name {key}; {}", needed())),
        Some(named) if named.hash != plan.hash => {
            return Err(format!("order {id} names another {key} than there is here; {}", needed()));
        }
        Some(_) => {}
    }
    let time = engine.time.known(engine.deps.clock.now(), Instant::now());
    engine.setup.people.is_signed_now(plan, &time).map_err(|why| format!("{} {why}", plan.file))?;
    if time.at >= order.expires {
        return Err(format!("order {id} has expired, and an expired order begins nothing; {}", needed()));
    }
    Ok(())
}

/// Returns the proposal as the JSON of the status, if there is one.
pub fn view(engine: &Engine, room: &Room) -> Option<Value> {
    let Proposal { plan, why } = proposal(engine, room)?;
    let needed = covers(engine, room, &plan).err();
    Some(json!({
        "plan": plan.resolved.plan.key(), "room": plan.resolved.plan.room, "why": why,
        "covered": needed.is_none(), "needed": needed,
    }))
}

// === impl Engine ===

impl Engine {
    /// Reports each new proposal once, on `event/mode`.
    pub(super) async fn propose(&mut self) {
        let all: Vec<usize> = self.rooms.keys().copied().collect();
        for index in all {
            let Some(room) = self.rooms.get(&index) else { continue };
            let proposed = view(self, room);
            if proposed.is_some() == room.is_proposed {
                continue;
            }
            if let Some(proposed) = proposed {
                let at = self.deps.clock.now().at;
                let name = self.setup.facility.rooms.get(index).map_or("", |room| room.name.as_str());
                let text =
                    format!("{name}无法使用，可改用 {}", proposed["room"].as_str().unwrap_or_default());
                let text = if room.state.is_exercise() { bracketed(&text) } else { text };
                let run = room.state.run.as_ref();
                let body = json!({
                    "at": at, "kind": "alternate", "room": room.id, "order": run.map(|run| &run.order.id),
                    "class": run.map(|run| run.order.class), "alternate": proposed, "text": text,
                    "record": self.record.head(),
                });
                self.deps.events.publish("mode", &body);
                let Value::Object(body) = body else { continue };
                let (records, id) = (vec![message(Topic::ModeEvent, at, body)], room.id.clone());
                if let Err(error) = self.store(Entry { records, ..Entry::default() }).await {
                    tracing::warn!(%error, "the alternate room could not be published yet");
                    continue;
                }
                tracing::warn!(room = %id, "the room cannot be used: an alternate room is proposed");
            }
            if let Some(room) = self.rooms.get_mut(&index) {
                room.is_proposed = !room.is_proposed;
            }
        }
    }

    /// Starts the alternate room, on behalf of a person who has the plan's leading role.
    pub(super) async fn alternate(
        &mut self,
        index: usize,
        person: Option<&str>,
        why: &str,
        by: &Acting,
    ) -> Result<(), ServiceError> {
        let room = self
            .rooms
            .get(&index)
            .ok_or_else(|| ServiceError::Unknown("there is no such room".to_owned()))?;
        let who = self.person(person)?;
        let lead = room.plan.as_ref().map(|plan| plan.resolved.plan.lead.clone());
        let lead = lead.ok_or_else(|| ServiceError::Conflict(format!("{} follows no order", room.id)))?;
        if !who.roles.contains(&lead) {
            let has = if who.roles.is_empty() { "none".to_owned() } else { who.roles.join(", ") };
            let why = format!("using another room needs the role {lead}; {} has {has}", who.id);
            return Err(ServiceError::Conflict(why));
        }
        if why.trim().is_empty() {
            return Err(ServiceError::Wrong("why is missing: it stands in the record".to_owned()));
        }
        let Proposal { plan, .. } = proposal(self, room).ok_or_else(|| {
            ServiceError::Conflict(format!(
                "{} has no alternate, or can still be used: nothing is stuck and its time is not over",
                room.id
            ))
        })?;
        covers(self, room, &plan).map_err(ServiceError::Conflict)?;
        let run = room.state.run.as_ref().map(|run| run.order.clone());
        let run = run.ok_or_else(|| ServiceError::Conflict("it follows no order".to_owned()))?;
        let key = plan.resolved.plan.key();
        let event = Event::Order(OrderRef { plan: key.clone(), ..run.clone() });
        if let Some(why) = self.air_conflict(&plan, &event, &[]) {
            return Err(ServiceError::Conflict(why));
        }
        let entry = ModeEvent::Alternate {
            room: room.id.clone(),
            plan: key,
            order: run.id,
            by: by.to_string(),
            why: why.to_owned(),
            acting: Some(by.clone()),
        };
        let decided = self.decide(plan.resolved.room, Some(&plan), event, None, None);
        let decided = decided.map_err(|refused| ServiceError::Conflict(refused.to_string()))?;
        let decided = decided.into_iter().map(|decided| decided.acted_by(by)).collect();
        let recorded = self.plan_entry(&plan).await?;
        self.commit(decided, [recorded.0, vec![entry]].concat(), recorded.1, Vec::new()).await?;
        Ok(())
    }
}
