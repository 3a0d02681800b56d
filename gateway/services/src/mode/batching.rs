//! Applies events of several rooms in one transaction. One transaction per room would delay later events
//! until the readings behind them are too old to count.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Batch, Id};
use linli_mode::facility::ReadSource;
use linli_mode::{ActionResult, Event, Fire, Truth, is_mere_reading};
use tokio::time::Instant;

use super::actuator::Done;
use super::commit::Decision;
use super::engine::Engine;
use super::room::MadeSafe;
use super::room_event::RoomEvent;
use linli_config::CheckedPlan;

/// Time until events that could not be stored are applied again.
pub(super) const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Most batches, or command results, that are handled in one turn of the loop: bounds how long a stop
/// waits.
const MOST_TOGETHER: usize = 16;

/// Position in the evaluation of one room's predicates.
struct RoomScan {
    room: usize,
    plan: Arc<CheckedPlan>,
    /// Predicates that are still to be evaluated, the next one last.
    left: Vec<usize>,
}

// === impl Engine ===

impl Engine {
    /// Reads waiting batches and evaluates the rooms they concern. Batches of different devices are
    /// evaluated together; a second batch of the same device is evaluated separately, so that no reading
    /// is skipped.
    pub(super) async fn read_batches(&mut self, first: Batch) {
        let (mut devices, mut next) = (BTreeSet::new(), Some(first));
        for _ in 0..MOST_TOGETHER {
            let Some(batch) = next.take() else { break };
            if devices.contains(&batch.layout.device) {
                self.evaluate(Some(&std::mem::take(&mut devices))).await;
            }
            self.readings.note(&batch, Instant::now());
            devices.insert(batch.layout.device.clone());
            next = self.batches.next_waiting();
        }
        if let Some(batch) = next {
            self.evaluate(Some(&std::mem::take(&mut devices))).await;
            self.readings.note(&batch, Instant::now());
            devices.insert(batch.layout.device.clone());
        }
        self.evaluate(Some(&devices)).await;
        if !self.batches.has_deferred() {
            // Every fire that was reported meanwhile is decided.
            self.burning.clear();
        }
    }

    /// Applies every changed fire input and predicate: of the rooms that read one of `devices`, or of
    /// all rooms for `None`. Fire alarms are applied first.
    pub(super) async fn evaluate(&mut self, devices: Option<&BTreeSet<Id>>) {
        self.end_services_in_fire().await;
        let now = Instant::now();
        let rooms: Vec<usize> = self.rooms.keys().copied().collect();
        let fires = rooms.into_iter().filter_map(|room| self.fire_change(room, now));
        let (urgent, calm): (Vec<RoomEvent>, Vec<RoomEvent>) = fires.partition(RoomEvent::is_urgent);
        self.apply_together(urgent).await;
        self.apply_together(calm).await;
        let concerned = devices.map(|devices| self.concerned(devices));
        let is_concerned = |room: &usize| concerned.as_ref().is_none_or(|rooms| rooms.contains(room));
        let under_way =
            self.rooms.values().filter(|room| room.state.run.is_some() && is_concerned(&room.index));
        let mut scans: Vec<RoomScan> = under_way
            .filter_map(|room| {
                let plan = room.plan.clone()?;
                let left = plan.resolved.urgency().into_iter().rev().collect();
                Some(RoomScan { room: room.index, plan, left })
            })
            .collect();
        loop {
            let events: Vec<RoomEvent> =
                scans.iter_mut().filter_map(|scan| self.next_change(scan, now)).collect();
            if events.is_empty() {
                return;
            }
            self.apply_together(events).await;
        }
    }

    fn fire_change(&mut self, index: usize, now: Instant) -> Option<RoomEvent> {
        let zone = self.setup.facility.rooms.get(index)?.fire_zone?;
        let says = self.readings.fire(&self.setup, &self.setup.facility.fire_zones.get(zone)?.input, now);
        let room = self.rooms.get_mut(&index)?;
        // A panel that changes all the time ends no fire, and does not say that there is none.
        let truth = match (room.fire_chatter.note(says, now), room.state.fire) {
            (true, Fire::Alarm) => Truth::True,
            (true, _) if says == Truth::False => Truth::Unknown,
            _ => says,
        };
        room.state.fire.is_news(truth).then(|| RoomEvent::of(index, Event::Fire(truth)))
    }

    /// Returns the rooms with a fixture that is read from one of the devices; a connecting door is a fixture of
    /// both rooms.
    fn concerned(&self, devices: &BTreeSet<Id>) -> BTreeSet<usize> {
        let facility = &self.setup.facility;
        let fixtures = facility.fixtures.iter();
        let reads = fixtures.filter(|fixture| {
            fixture.reads.iter().any(|read| match &read.from {
                ReadSource::Point(point) => devices.contains(&point.device),
                ReadSource::Constant(_) => false,
            })
        });
        let reads: Vec<_> = reads.collect();
        let concerns = |room: &usize| reads.iter().any(|fixture| fixture.concerns(facility, *room));
        (0..facility.rooms.len()).filter(concerns).collect()
    }

    /// Returns the next predicate of the room whose truth changed.
    fn next_change(&mut self, scan: &mut RoomScan, now: Instant) -> Option<RoomEvent> {
        let room = self.rooms.get_mut(&scan.room)?;
        // An earlier event may have replaced the plan.
        if !room.plan.as_ref().is_some_and(|plan| Arc::ptr_eq(plan, &scan.plan)) {
            return None;
        }
        let (setup, resolved) = (&self.setup, &scan.plan.resolved);
        while let Some(predicate) = scan.left.pop() {
            let recorded = room.recorded_truth(predicate);
            if let Some(truth) =
                room.predicates.change(&self.readings, setup, resolved, predicate, recorded, now)
            {
                let evidence = self.readings.evidence(setup, resolved, predicate, now);
                return Some(RoomEvent { room: scan.room, event: Event::Truth(predicate, truth), evidence });
            }
        }
        None
    }

    /// Applies the results of commands: one transaction for different rooms, one after the other for the
    /// same room.
    pub(super) async fn finish_commands(&mut self, first: Done) {
        let mut waiting = vec![first];
        while waiting.len() < MOST_TOGETHER
            && let Some(next) = self.done.next_waiting()
        {
            waiting.push(next);
        }
        while !waiting.is_empty() {
            let (mut rooms, mut events, mut later) = (BTreeSet::new(), Vec::new(), Vec::new());
            for done in std::mem::take(&mut waiting) {
                match rooms.insert(done.task.room) {
                    true => events.extend(self.command_event(done)),
                    false => later.push(done),
                }
            }
            self.apply_together(events).await;
            waiting = later;
        }
    }

    /// Turns a result into an event of the room. Results of an earlier run are dropped.
    fn command_event(&mut self, done: Done) -> Option<RoomEvent> {
        let Done { task, is_done, why } = done;
        let moment = self.now();
        let room = self.rooms.get_mut(&task.room)?;
        if let Some(why) = &why {
            tracing::warn!(room = %room.id, why, "a command of the mode switch failed");
        }
        if task.serial != room.serial {
            return None;
        }
        if let Some(output) = task.safe {
            room.outputs.insert(output, why.map_or(MadeSafe::Written, MadeSafe::NotWritten));
        }
        room.predicates.end_action(&task.touches, moment);
        let (step, turn) = task.act?;
        let acted = if is_done { ActionResult::Done } else { ActionResult::Failed };
        Some(RoomEvent::of(task.room, Event::Acted { step, turn, acted }))
    }

    /// Takes over a reading of which nothing follows without recording it, if enough of them were recorded. Returns
    /// whether it did.
    fn leave_out(&mut self, room: usize, event: &Event, decision: &Decision) -> bool {
        let Some(room) = self.rooms.get_mut(&room) else { return false };
        let (next, has_effects) = (decision.next(), !decision.effects().is_empty());
        let is_mere = is_mere_reading(&room.state, event, next, has_effects);
        if !is_mere || room.mere_readings.spend(Instant::now()) {
            return false;
        }
        room.left_out.note(event);
        room.state = next.clone();
        true
    }

    /// Applies an event that no request waits for.
    pub(super) async fn apply(&mut self, index: usize, event: Event) {
        self.apply_together(vec![RoomEvent::of(index, event)]).await;
    }

    /// Applies events of several rooms, at most one per room, in one transaction. If it fails, the
    /// events are applied again after [`RETRY_AFTER`].
    pub(super) async fn apply_together(&mut self, room_events: Vec<RoomEvent>) {
        let (mut decisions, mut events) = (Vec::new(), Vec::new());
        for RoomEvent { room, event, evidence } in room_events {
            match self.decide(room, None, event.clone(), None, evidence) {
                Ok(Some(decision)) if self.leave_out(room, &event, &decision) => {}
                Ok(Some(decision)) => {
                    decisions.push(decision);
                    events.push((room, event));
                }
                Ok(None) => {}
                Err(refused) => tracing::debug!(%refused, ?event, "the state machine refused an event"),
            }
        }
        if decisions.is_empty() {
            return;
        }
        if let Err(error) = self.commit(decisions, Vec::new(), Vec::new(), Vec::new()).await {
            tracing::error!(%error, ?events, "the audit record cannot be stored: nothing moves until it can");
            self.retries.extend(events);
            self.retry_at = Some(Instant::now() + RETRY_AFTER);
        }
    }
}
