//! Stop and fire wait for no disk: they are carried out first, and written down afterwards; and who
//! presses stop while something else becomes durable does not wait for that either.

use linli_store::{Entry, NotDurable};

use super::actuator::Task;
use super::engine::Engine;
use super::request::{Asked, Operation, RequestedAction};

/// Most requests that are heard while something becomes durable.
const MOST_WAITING: usize = 1024;

// === impl Engine ===

impl Engine {
    /// Answers who asked.
    pub(super) async fn serve(&mut self, asked: Asked) {
        let Asked { account: who, what: action, reply } = asked;
        let stopped = self.stopped_by(&action);
        let _ = reply.send(self.answer(&who, action).await);
        if let Some(room) = stopped {
            self.stopped.remove(&room);
        }
    }

    /// Makes an entry durable. Who asks meanwhile waits; who presses stop is obeyed at once.
    pub(super) async fn kept(&mut self, entry: Entry) -> Result<(), NotDurable> {
        let store = self.deps.store.clone();
        let keeping = store.keep(entry);
        tokio::pin!(keeping);
        loop {
            tokio::select! {
                biased;
                kept = &mut keeping => return kept,
                Some(asked) = self.deps.asked.recv(), if self.waiting.len() < MOST_WAITING => {
                    self.stop_ahead(&asked.what);
                    self.waiting.push_back(asked);
                }
            }
        }
    }

    /// Nothing more moves in the room, and what was moved becomes safe; the stop itself is decided
    /// and written down in its turn.
    fn stop_ahead(&mut self, action: &RequestedAction) {
        let Some(index) = self.stopped_by(action) else { return };
        self.refreshed += 1;
        let number = format!("{}-s{}-{}", self.record.count(), self.refreshed, self.deps.clock.now().at.0);
        let Some(room) = self.rooms.get_mut(&index) else { return };
        let (Some(run), Some(known)) = (&room.state.run, room.known.clone()) else { return };
        self.stopped.insert(index);
        let moved: Vec<usize> = run.moved.iter().copied().collect();
        room.take_all_back();
        for (place, safe) in moved.iter().filter_map(|output| known.brief.safe.get(*output)).enumerate() {
            room.claims.moves(&safe.touches);
            let task = Task { room: index, serial: room.serial, act: None, touches: safe.touches.clone() };
            let number = format!("{number}-{place}");
            self.actuator.write_first(&self.setup.facility, &[&safe.setting], &number, task);
        }
    }

    /// The room in which somebody presses stop.
    fn stopped_by(&self, action: &RequestedAction) -> Option<usize> {
        match action {
            RequestedAction::Do { room, operation: Operation::Stop, .. } => self.setup.facility.room(room),
            _ => None,
        }
    }
}
