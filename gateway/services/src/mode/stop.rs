//! Stop and fire do not wait for the disk: they are executed first and stored afterwards. A stop that
//! arrives while something else is being stored is executed at once.

use linli_store::{Entry, NotDurable};

use super::actuator::Task;
use super::engine::Engine;
use super::request::{Asked, Operation, RequestedAction};
use super::service_rooms::ServiceEnd;

/// Most requests queued while something is being stored.
const MOST_WAITING: usize = 1024;

// === impl Engine ===

impl Engine {
    /// Serves a request and sends the answer.
    pub(super) async fn serve(&mut self, asked: Asked) {
        let Asked { account: who, what: action, reply } = asked;
        let stopped = self.room_stopped_by(&action);
        let _ = reply.send(self.answer(&who, action).await);
        if let Some(room) = stopped {
            self.stopped.remove(&room);
        }
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
        for (place, safe) in moved.iter().filter_map(|output| plan.brief.safe.get(*output)).enumerate() {
            room.predicates.begin_action(&safe.touches);
            let task = Task { room: index, serial: room.serial, act: None, touches: safe.touches.clone() };
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
