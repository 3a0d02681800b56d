//! The loop of the mode switch: one task that passes every event to the engine.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use linli_domain::Batch;
use linli_mode::Event;
use linli_uplink::InboundOrder;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

use super::engine::{Deps, Engine};
use super::order_intake;
use super::room::Room;
use super::room_event::RoomEvent;
use crate::VERSION;
use linli_mode::record::ModeEvent;

/// Interval at which all rooms are evaluated; a stale value is noticed this late at most.
const EVALUATE_EVERY: Duration = Duration::from_millis(250);

/// The task that owns the mode switch.
pub struct ModeService {
    engine: Engine,
}

// === impl ModeService ===

impl ModeService {
    /// Restores every room from the store. [`Self::run`] first makes the rooms safe and proves their
    /// evidence again.
    ///
    /// # Errors
    /// When the store cannot be read, or a stored document does not decode.
    pub async fn resume(deps: Deps, batches: mpsc::Receiver<Batch>) -> anyhow::Result<Self> {
        Ok(Self { engine: Engine::resume(deps, batches).await? })
    }

    /// Runs until the queue of batches is closed.
    pub async fn run(self, orders: mpsc::Receiver<InboundOrder>) {
        let Self { mut engine } = self;
        let (sorting, health) = (engine.sorting.subscribe(), Arc::clone(&engine.deps.health));
        let (stop_orders, mut orders) = order_intake::start(orders, sorting, health);
        engine.stop_orders = stop_orders;
        let mut evaluation = tokio::time::interval(EVALUATE_EVERY);
        evaluation.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_open = true;
        engine.begin().await;
        loop {
            engine.deps.health.turns.fetch_add(1, Ordering::Relaxed);
            // A request waits for at most one other event, so a stop is served soon.
            let next = engine.waiting.pop_front().or_else(|| engine.deps.asked.try_recv().ok());
            if let Some(asked) = next {
                engine.serve(asked).await;
            }
            if let Some(order) = engine.stop_orders.next_waiting() {
                engine.receive_order(&order).await;
            }
            let is_waiting = !engine.waiting.is_empty();
            engine.answer_stops();
            let stops = engine.stops.iter().map(|stop| stop.until).min();
            let deadlines = [
                engine.retry_at,
                engine.policies_until,
                engine.heads.due(engine.record.count()),
                engine.services.due(),
                stops,
            ];
            let due =
                engine.rooms.values().filter_map(Room::due).chain(deadlines.into_iter().flatten()).min();
            tokio::select! {
                Some(asked) = engine.deps.asked.recv() => engine.serve(asked).await,
                () = std::future::ready(()), if is_waiting => {}
                batch = engine.batches.next() => match batch {
                    Some(batch) => engine.read_batches(batch).await,
                    None => return,
                },
                Some(first) = engine.done.next() => engine.finish_commands(first).await,
                Some(order) = engine.stop_orders.next() => engine.receive_order(&order).await,
                Some(order) = orders.recv() => engine.receive_order(&order).await,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => engine.run_due().await,
                changed = engine.deps.setup.changed(), if is_open => {
                    is_open = changed.is_ok();
                    engine.take_configuration();
                }
                _ = evaluation.tick() => {
                    engine.take_configuration();
                    engine.evaluate(None).await;
                    engine.propose().await;
                    engine.keep_plans_ahead().await;
                    engine.keep_time().await;
                    engine.tell_dropped_orders().await;
                    engine.publish_metrics();
                }
            }
        }
    }
}

// === impl Engine ===

impl Engine {
    /// Ends timers, renews leases, publishes the head and retries events, whatever is due.
    async fn run_due(&mut self) {
        let now = Instant::now();
        if self.retry_at.is_some_and(|at| at <= now) {
            self.retry_at = None;
            for (room, event) in std::mem::take(&mut self.retries) {
                self.apply(room, event).await;
            }
            self.begin_following().await;
        }
        if self.policies_until.is_some_and(|at| at <= now) {
            self.publish_policies();
        }
        self.tend_services(now).await;
        self.publish_head(now).await;
        let all: Vec<usize> = self.rooms.keys().copied().collect();
        all.into_iter().for_each(|index| self.renew_leases(index, now));
        loop {
            let elapsed = |room: &mut Room| {
                let timer = room.elapsed(now)?;
                room.timers.remove(&timer);
                Some(RoomEvent::of(room.index, Event::Elapsed(timer)))
            };
            let events: Vec<RoomEvent> = self.rooms.values_mut().filter_map(elapsed).collect();
            if events.is_empty() {
                return;
            }
            self.apply_together(events).await;
        }
    }

    /// Applies the restart to every room: its evidence counts as unknown until it is read again.
    pub(super) async fn begin(&mut self) {
        let has_run = self.rooms.values().any(|room| room.state.run.is_some());
        if has_run || self.record.count() > 0 {
            let boot = self.deps.birth.borrow().boot.clone();
            self.pending.entries.push(ModeEvent::Started { version: VERSION.to_owned(), boot });
        }
        self.end_services_of_last_process().await;
        for room in std::mem::take(&mut self.noticed).iter().filter_map(|index| self.rooms.get(index)) {
            let (why, state) = (room.notice.clone().unwrap_or_default(), Box::new(room.state.clone()));
            self.pending.entries.push(ModeEvent::Reset { room: room.id.clone(), why, state });
        }
        let all = self.rooms.keys().map(|room| RoomEvent::of(*room, Event::Restarted)).collect();
        self.apply_together(all).await;
        for room in std::mem::take(&mut self.to_hold) {
            let by = self.rooms.get(&room).and_then(|room| room.notice.clone()).unwrap_or_default();
            self.apply(room, Event::Stop { by }).await;
        }
        self.begin_following().await;
        self.publish_status();
    }
}
