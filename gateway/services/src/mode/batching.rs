//! What happens in many rooms at once becomes durable at once: a disk that was asked once for each
//! room would keep whoever comes after waiting, until what was read is too old to count.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Batch, Id};
use linli_mode::facility::ReadSource;
use linli_mode::{ActionResult, Event, Truth};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::actuator::Done;
use super::service::ModeService;
use linli_config::CheckedPlan;
use linli_mode::record::Evidence;

/// What could not be made durable is tried again after this.
const AGAIN: Duration = Duration::from_secs(1);

/// Batches, and ends of acts, that are looked at together: whoever presses stop waits for no more.
const TOGETHER: usize = 16;

/// Something that happened in a room, of which nobody is answered.
pub(super) struct RoomEvent {
    room: usize,
    event: Event,
    evidence: Option<Evidence>,
}

/// A room whose claims are looked at, and which is next.
struct Looked {
    room: usize,
    known: Arc<CheckedPlan>,
    atom: usize,
}

// === impl RoomEvent ===

impl RoomEvent {
    /// Without evidence.
    pub(super) const fn of(room: usize, event: Event) -> Self {
        Self { room, event, evidence: None }
    }

    const fn is_urgent(&self) -> bool {
        matches!(self.event, Event::Fire(Truth::True))
    }
}

// === impl ModeService ===

impl ModeService {
    /// Batches of different devices are looked at together. One of a device that was already among
    /// them waits: nothing that was read is passed over.
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

    /// Tells every room what is news to it; of some devices, or because time passed. Fire goes first.
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

    /// Rooms in which something is read from one of those devices.
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

    /// The next claim of a room of which there is something to tell.
    fn news(&mut self, looked: &mut Looked, now: Instant) -> Option<RoomEvent> {
        let room = self.rooms.get_mut(&looked.room)?;
        // The plan may be another one now.
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

    /// Commands ended; those of different rooms together, those of one room one after the other.
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

    /// What a room hears of it. Of an earlier run nothing.
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
        let acted = if is_done { ActionResult::Done } else { ActionResult::Failed };
        Some(RoomEvent::of(task.room, Event::Acted { step, turn, acted }))
    }

    /// Something happened that nobody is answered for.
    pub(super) async fn happen(&mut self, index: usize, event: Event) {
        self.happen_together(vec![RoomEvent::of(index, event)]).await;
    }

    /// The same in several rooms, once in each.
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
