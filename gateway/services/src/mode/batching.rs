//! Applies events of several rooms in one transaction. One transaction per room would delay later events
//! until the readings behind them are too old to count.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Batch, Id};
use linli_mode::facility::ReadSource;
use linli_mode::{Acted, Event};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::actuator::Done;
use super::engine::Engine;
use super::room_event::RoomEvent;
use linli_config::CheckedPlan;

/// Time until events that could not be stored are applied again.
const AGAIN: Duration = Duration::from_secs(1);

/// Most batches, or command results, that are handled in one turn of the loop: bounds how long a stop
/// waits.
const TOGETHER: usize = 16;

/// Position in the evaluation of one room's predicates.
struct Looked {
    room: usize,
    known: Arc<CheckedPlan>,
    atom: usize,
}

// === impl Engine ===

impl Engine {
    /// Reads waiting batches and evaluates the rooms they concern. Batches of different devices are
    /// evaluated together; a second batch of the same device is evaluated separately, so that no reading
    /// is skipped.
    pub(super) async fn see(&mut self, first: Batch, more: &mut mpsc::Receiver<Batch>) {
        let (mut devices, mut next) = (BTreeSet::new(), Some(first));
        for _ in 0..TOGETHER {
            let Some(batch) = next.take() else { break };
            if devices.contains(&batch.layout.device) {
                self.look(Some(&std::mem::take(&mut devices))).await;
            }
            self.readings.note(&batch, Instant::now());
            devices.insert(batch.layout.device.clone());
            next = more.try_recv().ok();
        }
        if let Some(batch) = next {
            self.look(Some(&std::mem::take(&mut devices))).await;
            self.readings.note(&batch, Instant::now());
            devices.insert(batch.layout.device.clone());
        }
        self.look(Some(&devices)).await;
    }

    /// Applies every changed fire input and predicate: of the rooms that read one of `devices`, or of
    /// all rooms for `None`. Fire alarms are applied first.
    pub(super) async fn look(&mut self, devices: Option<&BTreeSet<Id>>) {
        let now = Instant::now();
        let fires = self.rooms.keys().filter_map(|room| self.fire_news(*room, now));
        let (urgent, calm): (Vec<RoomEvent>, Vec<RoomEvent>) = fires.partition(RoomEvent::is_urgent);
        self.happen_together(urgent).await;
        self.happen_together(calm).await;
        let concerned = devices.map(|devices| self.concerned(devices));
        let is_concerned = |room: &usize| concerned.as_ref().is_none_or(|rooms| rooms.contains(room));
        let under_way =
            self.rooms.values().filter(|room| room.state.run.is_some() && is_concerned(&room.index));
        let mut looked: Vec<Looked> = under_way
            .filter_map(|room| Some(Looked { room: room.index, known: room.known.clone()?, atom: 0 }))
            .collect();
        loop {
            let reported: Vec<RoomEvent> =
                looked.iter_mut().filter_map(|looked| self.news(looked, now)).collect();
            if reported.is_empty() {
                return;
            }
            self.happen_together(reported).await;
        }
    }

    fn fire_news(&self, index: usize, now: Instant) -> Option<RoomEvent> {
        let zone = self.setup.facility.rooms.get(index)?.fire_zone?;
        let reported = self.readings.fire(&self.setup, &self.setup.facility.fire_zones.get(zone)?.input, now);
        self.rooms
            .get(&index)?
            .state
            .fire
            .is_news(reported)
            .then(|| RoomEvent::of(index, Event::Fire(reported)))
    }

    /// Returns the rooms with a fixture that is read from one of the devices.
    fn concerned(&self, devices: &BTreeSet<Id>) -> BTreeSet<usize> {
        let fixtures = self.setup.facility.fixtures.iter();
        let reads = fixtures.filter(|fixture| {
            fixture.reads.iter().any(|read| match &read.from {
                ReadSource::Point(point) => devices.contains(&point.device),
                ReadSource::Constant(_) => false,
            })
        });
        reads.map(|fixture| fixture.room).collect()
    }

    /// Returns the next predicate of the room whose truth changed.
    fn news(&mut self, looked: &mut Looked, now: Instant) -> Option<RoomEvent> {
        let room = self.rooms.get_mut(&looked.room)?;
        // An earlier event may have replaced the plan.
        if !room.known.as_ref().is_some_and(|known| Arc::ptr_eq(known, &looked.known)) {
            return None;
        }
        let (setup, brief) = (&self.setup, &looked.known.brief);
        while looked.atom < brief.predicates.len() {
            let atom = looked.atom;
            looked.atom += 1;
            let knows = room.knows(atom);
            if let Some(truth) = room.claims.news(&self.readings, setup, brief, atom, knows, now) {
                let evidence = self.readings.evidence(setup, brief, atom, now);
                return Some(RoomEvent { room: looked.room, event: Event::Truth(atom, truth), evidence });
            }
        }
        None
    }

    /// Applies the results of commands: one transaction for different rooms, one after the other for the
    /// same room.
    pub(super) async fn ended(&mut self, first: Done, more: &mut mpsc::Receiver<Done>) {
        let mut waiting = vec![first];
        while waiting.len() < TOGETHER
            && let Ok(next) = more.try_recv()
        {
            waiting.push(next);
        }
        while !waiting.is_empty() {
            let (mut rooms, mut reported, mut later) = (BTreeSet::new(), Vec::new(), Vec::new());
            for done in std::mem::take(&mut waiting) {
                match rooms.insert(done.task.room) {
                    true => reported.extend(self.end_of(done)),
                    false => later.push(done),
                }
            }
            self.happen_together(reported).await;
            waiting = later;
        }
    }

    /// Turns a result into an event of the room. Results of an earlier run are dropped.
    fn end_of(&mut self, done: Done) -> Option<RoomEvent> {
        let Done { task, is_done, why } = done;
        let moment = self.now();
        let room = self.rooms.get_mut(&task.room)?;
        if let Some(why) = why {
            tracing::warn!(room = %room.id, why, "a command of the mode switch");
        }
        if task.serial != room.serial {
            return None;
        }
        room.claims.moved(&task.touches, moment);
        let (step, turn) = task.act?;
        let acted = if is_done { Acted::Done } else { Acted::Failed };
        Some(RoomEvent::of(task.room, Event::Acted { step, turn, acted }))
    }

    /// Applies an event that no request waits for.
    pub(super) async fn happen(&mut self, index: usize, event: Event) {
        self.happen_together(vec![RoomEvent::of(index, event)]).await;
    }

    /// Applies events of several rooms, at most one per room, in one transaction. If it fails, the
    /// events are applied again after [`RETRY_AFTER`].
    pub(super) async fn happen_together(&mut self, reported: Vec<RoomEvent>) {
        let (mut decided, mut events) = (Vec::new(), Vec::new());
        for RoomEvent { room, event, evidence } in reported {
            match self.decide(room, None, event.clone(), None, evidence) {
                Ok(Some(made)) => {
                    decided.push(made);
                    events.push((room, event));
                }
                Ok(None) => {}
                Err(refused) => tracing::debug!(%refused, ?event, "nothing follows"),
            }
        }
        if decided.is_empty() {
            return;
        }
        if let Err(error) = self.settle(decided, Vec::new(), Vec::new(), Vec::new()).await {
            tracing::error!(%error, ?events, "the record of the mode switch cannot be written: nothing moves");
            self.again.extend(events);
            self.again_at = Some(Instant::now() + AGAIN);
        }
    }
}
