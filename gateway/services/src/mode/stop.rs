//! Stop and fire do not wait for the disk: they are executed first and stored afterwards. A stop that
//! arrives while something else is being stored is executed at once. Its answer says what became of every
//! output.

use std::collections::BTreeSet;
use std::time::Duration;

use linli_store::{Entry, NotDurable};
use tokio::time::Instant;

use super::actuator::Task;
use super::engine::Engine;
use super::pending_stop::PendingStop;
use super::request::{Asked, Operation, RequestedAction};
use super::room::MadeSafe;
use super::service_rooms::ServiceEnd;
use super::view;

/// Most requests queued while something is being stored.
const MOST_WAITING: usize = 1024;

/// Longest wait of a stop's answer for the ends of its commands. The commands themselves do not wait.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

// === impl Engine ===

impl Engine {
    /// Serves a request and sends the answer.
    pub(super) async fn serve(&mut self, asked: Asked) {
        let Asked { caller, what: action, reply } = asked;
        let stopped = self.room_stopped_by(&action);
        let answer = self.answer(&caller, action).await;
        let Some(room) = stopped else {
            let _ = reply.send(answer);
            return;
        };
        self.stopped.remove(&room);
        match answer {
            Ok(_) => {
                let outputs = self.moved_outputs(room);
                self.stops.push(PendingStop { room, outputs, until: Instant::now() + ANSWER_WITHIN, reply });
                self.answer_stops();
            }
            Err(_) => drop(reply.send(answer)),
        }
    }

    /// Answers the stops of which it is known what became of every output, or whose time is over.
    pub(super) fn answer_stops(&mut self) {
        let now = Instant::now();
        let (ended, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.stops)
            .into_iter()
            .partition(|stop| stop.until <= now || self.has_ended(stop));
        self.stops = waiting;
        for stop in ended {
            // Whoever asked may be gone; the room is stopped all the same.
            let _ = stop.reply.send(Ok(view::stopped(self, stop.room, &stop.outputs)));
        }
    }

    fn has_ended(&self, stop: &PendingStop) -> bool {
        let Some(room) = self.rooms.get(&stop.room) else { return true };
        stop.outputs
            .iter()
            .all(|output| room.outputs.get(output).is_some_and(|made| *made != MadeSafe::Asked))
    }

    fn moved_outputs(&self, room: usize) -> BTreeSet<usize> {
        let run = self.rooms.get(&room).and_then(|room| room.state.run.as_ref());
        run.map(|run| run.moved.clone()).unwrap_or_default()
    }

    /// Stores an entry. Queues requests that arrive meanwhile; executes a stop at once.
    pub(super) async fn store(&mut self, entry: Entry) -> Result<(), NotDurable> {
        let store = self.deps.store.clone();
        self.while_stopping(async move { store.keep(entry).await }).await
    }

    /// Waits for a work of the disk. Queues requests that arrive meanwhile; executes a stop at once.
    pub(super) async fn while_stopping<T>(&mut self, work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                Some(asked) = self.deps.asked.recv(), if self.waiting.len() < MOST_WAITING => {
                    self.stop_at_once(&asked.what);
                    self.waiting.push_back(asked);
                }
            }
        }
    }

    /// Withdraws the room's actions and makes its moved outputs safe. The stop itself is decided and
    /// stored when its request is served.
    fn stop_at_once(&mut self, action: &RequestedAction) {
        let Some(index) = self.room_stopped_by(action) else { return };
        self.end_service(index, ServiceEnd::Stop, None);
        self.command_count += 1;
        let number =
            format!("{}-s{}-{}", self.record.count(), self.command_count, self.deps.clock.now().at.0);
        let Some(room) = self.rooms.get_mut(&index) else { return };
        let (Some(run), Some(plan)) = (&room.state.run, room.plan.clone()) else { return };
        self.stopped.insert(index);
        let moved: Vec<usize> = run.moved.iter().copied().collect();
        room.withdraw_all();
        let moved = moved.into_iter().filter_map(|output| Some((output, plan.brief.safe.get(output)?)));
        for (place, (output, safe)) in moved.enumerate() {
            room.predicates.begin_action(&safe.touches);
            let (serial, touches) = (room.serial, safe.touches.clone());
            let task = Task { room: index, serial, act: None, safe: Some(output), touches };
            let number = format!("{number}-{place}");
            self.actuator.write_first(&self.setup.facility, &[&safe.setting], &number, task);
        }
    }

    /// Returns the room that the request stops.
    fn room_stopped_by(&self, action: &RequestedAction) -> Option<usize> {
        match action {
            RequestedAction::Do { room, operation: Operation::Stop, .. } => self.setup.facility.room(room),
            _ => None,
        }
    }
}
