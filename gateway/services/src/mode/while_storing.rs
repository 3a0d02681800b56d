//! What does not wait while something is being stored: a stop and a fire are executed at once, and a stop is
//! answered. Everything else that arrives is set aside. A stop and a fire are decided and stored when their
//! turn comes.

use std::collections::BTreeSet;
use std::time::Duration;

use linli_domain::{Batch, Id};
use linli_mode::{Effect, Event, Fire, Phase, Truth};
use linli_store::{Entry, NotDurable};
use linli_uplink::InboundOrder;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::actuator::{Done, Task};
use super::engine::Engine;
use super::evidence::LatestReadings;
use super::metrics::DROPPED;
use super::pending_stop::{ANSWER_WITHIN, PendingStop};
use super::request::{Asked, Operation, RequestedAction};
use super::room::MadeSafe;
use super::service_rooms::ServiceEnd;

/// Most requests queued while something is being stored.
const MOST_WAITING: usize = 1024;

/// Most batches set aside while something is being stored. Beyond it the oldest are dropped, of which the
/// latest readings say the same, or more.
const MOST_BATCHES: usize = 4096;

/// Most results of commands set aside while something is being stored: more than can be under way.
const MOST_RESULTS: usize = 4096;

/// Most orders to stop that are set aside. Beyond it they are executed, and not decided once more.
const MOST_STOP_ORDERS: usize = 32;

/// Time until the answers are looked at again when nothing else wakes the wait.
const NO_STOP: Duration = Duration::from_secs(3600);

// === impl Engine ===

impl Engine {
    /// Stores an entry, with [`Self::while_storing`].
    pub(super) async fn store(&mut self, entry: Entry) -> Result<(), NotDurable> {
        let store = self.deps.store.clone();
        self.while_storing(async move { store.keep(entry).await }).await
    }

    /// Waits for a work of the disk, however long it takes. Meanwhile executes stops and fires at once,
    /// answers stops, and sets aside everything else.
    pub(super) async fn while_storing<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            let due = self.stops.iter().map(|stop| stop.until).min();
            let due = due.unwrap_or_else(|| Instant::now() + NO_STOP);
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(asked) = self.deps.asked.recv(), if self.waiting.len() < MOST_WAITING => {
                    let asked = self.stop_at_once(asked);
                    self.waiting.push_back(asked);
                }
                Some(batch) = self.batches.arrival() => {
                    self.fire_at_once(&batch);
                    self.batches.defer(batch, MOST_BATCHES);
                }
                Some(done) = self.done.arrival() => {
                    self.note_made_safe(&done);
                    self.done.defer(done, MOST_RESULTS);
                }
                Some(order) = self.stop_orders.arrival() => self.stop_by_order_at_once(order),
                () = sleep_until(due) => self.answer_stops(),
            }
        }
    }

    /// Executes a stop. Returns the request, which is decided in its turn.
    fn stop_at_once(&mut self, asked: Asked) -> Asked {
        let Some(index) = self.room_stopped_by(&asked.what) else { return asked };
        let stop = Event::Stop { by: asked.caller.account.clone() };
        let RequestedAction::Do { person, .. } = &asked.what else { return asked };
        if let Ok(by) = self.acting(&asked.caller, person.as_deref()) {
            self.end_service(index, ServiceEnd::Stop, Some(&by));
        }
        let Some(outputs) = self.make_safe_at_once(index, &stop, ServiceEnd::Stop) else { return asked };
        self.stopped.insert(index);
        let (unheard, _) = oneshot::channel();
        let Asked { caller, what, reply } = asked;
        let until = Instant::now() + ANSWER_WITHIN;
        self.stops.push(PendingStop { room: index, outputs, until, is_recorded: false, reply });
        Asked { caller, what, reply: unheard }
    }

    /// Executes a stop that an order asks for. The order is decided and recorded in its turn.
    fn stop_by_order_at_once(&mut self, order: InboundOrder) {
        let stops = self.stops_of(&order);
        let is_set_aside = self.stop_orders.defer_once(order, MOST_STOP_ORDERS);
        for stop in stops {
            let is_stopped = self.make_safe_at_once(stop.room, &stop.event, ServiceEnd::Stop).is_some();
            if is_stopped && is_set_aside && self.stopped.insert(stop.room) {
                self.stopped_by_order.insert(stop.room);
            }
        }
        if !is_set_aside {
            self.deps.health.ordered(DROPPED);
        }
    }

    /// Executes the fire that a batch reports.
    fn fire_at_once(&mut self, batch: &Batch) {
        for index in self.on_fire_by(batch) {
            let fire = Event::Fire(Truth::True);
            if self.make_safe_at_once(index, &fire, ServiceEnd::Fire).is_some() {
                self.burning.insert(index);
            }
        }
    }

    /// Returns the rooms whose fire panel a batch reports in alarm, and that do not know of it yet.
    fn on_fire_by(&self, batch: &Batch) -> Vec<usize> {
        let facility = &self.setup.facility;
        let is_of_batch = |device: &Id| *device == batch.layout.device;
        if !facility.fire_zones.iter().any(|zone| is_of_batch(&zone.input.device)) {
            return Vec::new();
        }
        let mut reported = LatestReadings::default();
        let now = Instant::now();
        reported.note(batch, now);
        let is_news = |index: &usize| {
            let zone = facility.rooms.get(*index).and_then(|room| facility.fire_zones.get(room.fire_zone?));
            zone.is_some_and(|zone| {
                is_of_batch(&zone.input.device) && reported.fire(&self.setup, &zone.input, now) == Truth::True
            }) && self.rooms.get(index).is_some_and(|room| room.state.fire != Fire::Alarm)
                && !self.burning.contains(index)
        };
        self.rooms.keys().copied().filter(is_news).collect()
    }

    /// Withdraws the room's actions and makes safe what the event, a stop or a fire, will make safe when it is
    /// decided. Ends its service state. Returns the outputs; `None` when the event does not hold the room.
    pub(super) fn make_safe_at_once(
        &mut self,
        index: usize,
        event: &Event,
        end: ServiceEnd,
    ) -> Option<BTreeSet<usize>> {
        self.end_service(index, end, None);
        let decision = self.decide(index, None, event.clone(), None, None).ok()??;
        if decision.next().phase != Phase::Held {
            return None;
        }
        self.command_count += 1;
        let number =
            format!("{}-s{}-{}", self.record.count(), self.command_count, self.deps.clock.now().at.0);
        let room = self.rooms.get_mut(&index)?;
        room.withdraw_all();
        let made_safe = decision.effects().iter().filter_map(|effect| match effect {
            Effect::Safe(output) => Some(*output),
            _ => None,
        });
        let outputs: BTreeSet<usize> = made_safe.collect();
        for (place, output) in outputs.iter().enumerate() {
            let Some(safe) = decision.plan().resolved.safe.get(*output) else { continue };
            room.predicates.begin_action(&safe.touches);
            room.outputs.insert(*output, MadeSafe::Asked);
            let (serial, touches) = (room.serial, safe.touches.clone());
            let task = Task { room: index, serial, act: None, safe: Some(*output), touches };
            let number = format!("{number}-{place}");
            self.actuator.write_first(&self.setup.facility, &[&safe.setting], &number, task);
        }
        Some(outputs)
    }

    /// Notes what became of a command that makes safe, for the answer to a stop.
    fn note_made_safe(&mut self, done: &Done) {
        let Some(output) = done.task.safe else { return };
        let room = self.rooms.get_mut(&done.task.room).filter(|room| room.serial == done.task.serial);
        let Some(room) = room else { return };
        room.outputs.insert(output, done.why.clone().map_or(MadeSafe::Written, MadeSafe::NotWritten));
    }

    /// Returns the room that the request stops.
    pub(super) fn room_stopped_by(&self, action: &RequestedAction) -> Option<usize> {
        match action {
            RequestedAction::Do { room, operation: Operation::Stop, .. } => self.setup.facility.room(room),
            _ => None,
        }
    }
}
