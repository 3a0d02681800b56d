//! The service state of a room (检修): for a limited time a technician at the gateway's machine may command
//! outputs that otherwise obey the mode switch alone.
//!
//! It begins only in peace with a normal fire panel. It ends at its time, when a person ends or stops it, at an
//! order, at a fire or when the panel falls silent, at a change of the plans and at a restart. At each end the
//! commands are closed first, then every output with a safe state is made safe ahead of all other commands, and
//! again until it is read back: what was left on by hand harms nobody, and an order begins from safe outputs.
//! An output that an order moves meanwhile is left to that order. Nothing waits for the disk.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::caller::Acting;
use linli_domain::{Id, Timestamp, Topic};
use linli_mode::record::ModeEvent;
use linli_mode::{Fire, Truth};
use linli_store::{Change, Document, NotDurable};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::actuator::Task;
use super::engine::Engine;
use super::payload::message;
use super::service_rooms::{Ending, Open, ServiceEnd, StoredService};
use crate::error::ServiceError;
use crate::outputs::{ModeOutputs, PlanOutputs};

/// Kind of the documents that say which rooms are in the service state.
const SERVICE: &str = "mode-service";

/// Its duration unless given.
pub const USUAL_SERVICE: Duration = Duration::from_secs(30 * 60);

/// Its longest duration: a working day.
const LONGEST: Duration = Duration::from_secs(8 * 3600);

/// Most characters of the reason.
const MOST_CHARACTERS: usize = 500;

/// Who may begin it, besides the leading roles of the room's plans.
const TECHNICIAN: &str = "technician";

/// How often the outputs of an ended service state are looked at.
const PROVE_EVERY: Duration = Duration::from_millis(250);

/// How often a safe state that is not proven is written again.
const SAFE_AGAIN: Duration = Duration::from_secs(5);

// === impl Engine ===

impl Engine {
    /// Begins the service state of a room for a person. Its outputs open once that is durable.
    pub(super) async fn begin_service(
        &mut self,
        index: usize,
        person: Option<&str>,
        (why, span): (&str, Duration),
        acting: &Acting,
    ) -> Result<(), ServiceError> {
        let (who, by) = (self.person(person)?, acting.to_string());
        let why = why.trim();
        if why.is_empty() || why.chars().any(char::is_control) || why.chars().count() > MOST_CHARACTERS {
            let text = format!("why is not one line of 1 to {MOST_CHARACTERS} characters （请写明原因）");
            return Err(ServiceError::Wrong(text));
        }
        if span.is_zero() || span > LONGEST {
            return Err(ServiceError::Wrong(
                "for: at most 8h, and more than nothing （最长 8 小时）".to_owned(),
            ));
        }
        let leads = self.setup.plans.iter().filter(|plan| plan.resolved.room == index);
        let leads: std::collections::BTreeSet<&str> =
            leads.map(|plan| plan.resolved.plan.lead.as_str()).chain([TECHNICIAN]).collect();
        if !who.roles.iter().any(|role| leads.contains(role.as_str())) {
            let (needed, has) = (leads.into_iter().collect::<Vec<_>>().join(" or "), who.roles.join(", "));
            let text = format!("a service state needs the role {needed}; {} has {has} （角色不符）", who.id);
            return Err(ServiceError::Conflict(text));
        }
        self.may_be_served(index)?;
        let (now, room) = (self.now(), self.rooms[&index].id.clone());
        let until = now.at.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
        let (since, until) = (now.at, Timestamp(until));
        let stored =
            StoredService { by: by.clone(), why: why.to_owned(), since, until, acting: Some(acting.clone()) };
        let entry = ModeEvent::Service {
            room: room.clone(),
            state: "begun".to_owned(),
            by: Some(by.clone()),
            why: why.to_owned(),
            until: Some(stored.until),
            acting: Some(acting.clone()),
        };
        let text = format!("{}：进入检修状态（{why}）", self.room_name(index));
        let body = json!({
            "at": now.at, "kind": "service", "room": room, "text": text, "state": "begun", "by": by, "why": why,
            "until": stored.until, "record": self.record.head(),
        });
        let document = document(&room, Some(&stored), now.at);
        let Value::Object(members) = body.clone() else { return Ok(()) };
        let records = vec![message(Topic::ModeEvent, now.at, members)];
        self.commit(Vec::new(), vec![entry], vec![document], records).await?;
        self.deps.events.publish("mode", &body);
        tracing::warn!(%room, by, why, "service state: outputs of the mode switch are open to the control socket");
        self.services.open.insert(room, Open { stored, ends: now.instant + span });
        self.publish_outputs();
        self.publish_status();
        Ok(())
    }

    /// Ends the service state of a room on behalf of a person.
    pub(super) async fn end_service_of(&mut self, index: usize, by: &Acting) -> Result<(), ServiceError> {
        if !self.end_service(index, ServiceEnd::Person, Some(by)) {
            let room = &self.rooms[&index].id;
            return Err(ServiceError::Conflict(format!(
                "{room} is not in its service state （未处于检修状态）"
            )));
        }
        Ok(self.store_pending().await?)
    }

    /// Whether the room is in peace, without a fire, and in no service state.
    fn may_be_served(&self, index: usize) -> Result<(), ServiceError> {
        let room = &self.rooms[&index];
        let conflict = |text: String| Err(ServiceError::Conflict(text));
        if room.state.run.is_some() {
            let stage = room.stage(&self.setup).as_str();
            return conflict(format!(
                "{} is at {stage}: a service state begins only in peace; return or cancel the order first \
                 （仅平时可进入检修，请先转平或撤销指令）",
                room.id
            ));
        }
        if room.state.fire != Fire::Normal {
            return conflict(format!(
                "the fire panel of {} is not known to be normal: look there first （消防主机非正常，请先核查）",
                room.id
            ));
        }
        if let Some(open) = self.services.open.get(&room.id) {
            let text = "is in its service state already, begun by";
            return conflict(format!(
                "{} {text} {}: end it first, `linli mode service {} --end` （已在检修中）",
                room.id, open.stored.by, room.id
            ));
        }
        if self.services.is_ending(&room.id) {
            return conflict(format!(
                "outputs of {} are not proven safe after its last service state; `linli mode status` names them \
                 （上次检修后仍有输出未证实安全）",
                room.id
            ));
        }
        Ok(())
    }

    /// Ends the service state of a room: closes its outputs to commands and makes them safe at once. What the
    /// record says of it is stored with the next transaction. Returns whether there was one.
    pub(super) fn end_service(&mut self, index: usize, end: ServiceEnd, by: Option<&Acting>) -> bool {
        let Some(room) = self.setup.facility.rooms.get(index).map(|room| room.id.clone()) else {
            return false;
        };
        if self.services.open.remove(&room).is_none() {
            return false;
        }
        self.publish_outputs();
        self.publish_status();
        let now = self.now();
        if let Some(plan) = self.setup.any(index).cloned() {
            let ending = Ending {
                setup: Arc::clone(&self.setup),
                unproven: (0..plan.resolved.safe.len()).collect(),
                plan,
                since: now,
                next: now.instant + PROVE_EVERY,
                write_again: now.instant + SAFE_AGAIN,
            };
            self.write_safe(&ending, index);
            self.services.ending.insert(room.clone(), ending);
        }
        let (why, chinese) = end.words();
        tracing::warn!(%room, why, "service state ended: outputs are made safe");
        self.pending.entries.push(ModeEvent::Service {
            room: room.clone(),
            state: "ended".to_owned(),
            by: by.map(ToString::to_string),
            why: why.to_owned(),
            until: None,
            acting: by.cloned(),
        });
        self.pending.documents.push(document(&room, None, now.at));
        let text = format!("{}：检修状态结束（{chinese}），输出恢复安全状态", self.room_name(index));
        let body = json!({
            "at": now.at, "kind": "service", "room": room, "text": text, "state": "ended",
            "by": by.map(ToString::to_string), "why": why,
        });
        self.deps.events.publish("mode", &body);
        if let Value::Object(body) = body {
            self.pending.messages.push(message(Topic::ModeEvent, now.at, body));
        }
        self.services.unstored = Some(now.instant);
        true
    }

    /// Ends every service state.
    pub(super) fn end_services(&mut self, end: ServiceEnd) {
        for room in self.services.rooms() {
            if let Some(index) = self.setup.facility.room(&room) {
                self.end_service(index, end, None);
            }
        }
    }

    /// Ends the service states that the process before this one left behind.
    pub(super) async fn end_services_of_last_process(&mut self) {
        let ever = (Timestamp(i64::MIN), Timestamp(i64::MAX));
        let documents = match self.deps.store.of(SERVICE, ever.0, ever.1).await {
            Ok(documents) => documents,
            Err(error) => {
                tracing::error!(%error, "the service states of rooms cannot be read");
                return;
            }
        };
        let ends = Instant::now();
        for found in documents {
            let room = Id::new(found.id.trim_start_matches(SERVICE).trim_start_matches('/'));
            let stored = serde_json::from_str::<Option<StoredService>>(&found.body);
            if let (Ok(room), Ok(Some(stored))) = (room, stored) {
                self.services.open.insert(room, Open { stored, ends });
            }
        }
        self.end_services(ServiceEnd::Restart);
    }

    /// Ends the service state of every room with a fire, or without news of one.
    pub(super) async fn end_services_in_fire(&mut self) {
        let now = Instant::now();
        let zone = |index: usize| {
            let zone = self.setup.facility.rooms.get(index)?.fire_zone?;
            Some(&self.setup.facility.fire_zones.get(zone)?.input)
        };
        let fire = |room: String| {
            let index = self.setup.facility.room(&room)?;
            match zone(index).map_or(Truth::Unknown, |input| self.readings.fire(&self.setup, input, now)) {
                Truth::True => Some((index, ServiceEnd::Fire)),
                Truth::Unknown => Some((index, ServiceEnd::PanelSilent)),
                Truth::False => None,
            }
        };
        let ended: Vec<(usize, ServiceEnd)> = self.services.rooms().into_iter().filter_map(fire).collect();
        for (index, end) in &ended {
            self.end_service(*index, *end, None);
        }
        if !ended.is_empty() {
            self.try_to_store_pending().await;
        }
    }

    /// Ends service states whose time is over; looks whether outputs are safe, and makes them safe again.
    pub(super) async fn tend_services(&mut self, now: Instant) {
        let over = self.services.open.iter().filter(|(_, open)| open.ends <= now);
        let over: Vec<Id> = over.map(|(room, _)| room.clone()).collect();
        for room in over {
            match self.setup.facility.room(room.as_str()) {
                Some(index) => drop(self.end_service(index, ServiceEnd::Time, None)),
                None => drop(self.services.open.remove(&room)),
            }
        }
        for (room, mut ending) in std::mem::take(&mut self.services.ending) {
            if ending.next > now {
                self.services.ending.insert(room, ending);
                continue;
            }
            let Some(index) = ending.setup.facility.room(room.as_str()) else { continue };
            self.leave_what_is_safe(&room, &mut ending, now);
            if ending.unproven.is_empty() {
                tracing::info!(%room, "outputs are safe after the service state");
                continue;
            }
            if ending.write_again <= now {
                self.write_safe(&ending, index);
                ending.write_again = now + SAFE_AGAIN;
            }
            ending.next = now + PROVE_EVERY;
            self.services.ending.insert(room, ending);
        }
        if self.services.unstored.is_some_and(|since| since <= now) {
            self.try_to_store_pending().await;
        }
    }

    /// Leaves out outputs that are read back safe, and those that an order has moved since.
    fn leave_what_is_safe(&self, room: &Id, ending: &mut Ending, now: Instant) {
        let run =
            self.rooms.values().find(|known| known.id == *room).and_then(|room| room.state.run.as_ref());
        let Ending { setup, plan, unproven, since, .. } = ending;
        unproven.retain(|output| {
            let is_moved = run.is_some_and(|run| run.moved.contains(output));
            let proof = plan.resolved.safe.get(*output).and_then(|safe| safe.proof);
            let is_safe = proof.is_none_or(|proof| {
                self.readings.truth(setup, &plan.resolved, proof, now, Some(*since), false) == Truth::True
            });
            !(is_moved || is_safe)
        });
    }

    fn write_safe(&mut self, ending: &Ending, index: usize) {
        self.command_count += 1;
        let now = self.deps.clock.now().at.0;
        let number = format!("{}-v{}-{now}", self.record.count(), self.command_count);
        let serial = self.rooms.get(&index).map(|room| room.serial).unwrap_or_default();
        for output in &ending.unproven {
            let Some(safe) = ending.plan.resolved.safe.get(*output) else { continue };
            let task = Task { room: index, serial, act: None, safe: None, touches: Vec::new() };
            let number = format!("{number}-{output}");
            self.actuator.write_first(&ending.setup.facility, &[&safe.setting], &number, task);
        }
    }

    /// Publishes which outputs obey the mode switch alone, and which rooms are in the service state.
    pub(super) fn publish_outputs(&self) {
        let plans = self.setup.plans.iter().chain(self.rooms.values().filter_map(|room| room.plan.as_ref()));
        let outputs = ModeOutputs {
            in_use: PlanOutputs::of(&self.setup.facility, plans.map(|plan| &plan.resolved)),
            service: self.services.open.iter().map(|(room, open)| (room.clone(), open.ends)).collect(),
        };
        self.deps.outputs.send_if_modified(|known| {
            let is_changed = **known != outputs;
            if is_changed {
                *known = Arc::new(outputs);
            }
            is_changed
        });
    }

    /// Stores what was executed before it was stored.
    async fn store_pending(&mut self) -> Result<(), NotDurable> {
        self.commit(Vec::new(), Vec::new(), Vec::new(), Vec::new()).await?;
        self.services.unstored = None;
        Ok(())
    }

    async fn try_to_store_pending(&mut self) {
        if let Err(error) = self.store_pending().await {
            tracing::error!(%error, "the end of a service state is not in the record yet; tried again");
            self.services.unstored = Some(Instant::now() + SAFE_AGAIN);
        }
    }

    /// Stops the service state of a room, if it is in one or has just left it.
    pub(super) async fn stop_service(&mut self, index: usize, by: &Acting) -> Result<bool, ServiceError> {
        let room = self.rooms[&index].id.clone();
        let is_ended = self.end_service(index, ServiceEnd::Stop, Some(by));
        if is_ended {
            self.store_pending().await?;
        }
        Ok(is_ended || self.services.is_ending(&room))
    }

    fn room_name(&self, index: usize) -> String {
        self.setup.facility.rooms.get(index).map(|room| room.name.clone()).unwrap_or_default()
    }
}

/// The document that says whether a room is in the service state.
fn document(room: &Id, stored: Option<&StoredService>, at: Timestamp) -> Change {
    let body = serde_json::to_string(&stored).expect("a service state is made of JSON values");
    Change::Document(Document { id: format!("{SERVICE}/{room}"), kind: SERVICE.to_owned(), at, body })
}
