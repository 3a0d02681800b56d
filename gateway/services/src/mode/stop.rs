//! The answer to a stop: what became of every output, and whether it is on record. It waits for the commands
//! and for the disk, and for neither longer than [`ANSWER_WITHIN`].

use std::collections::BTreeSet;

use linli_mode::{Cause, Event, Phase};
use tokio::time::Instant;

use super::engine::Engine;
use super::pending_stop::{ANSWER_WITHIN, PendingStop};
use super::request::Asked;
use super::room::{MadeSafe, Room};
use super::service_rooms::ServiceEnd;
use super::view;

// === impl Engine ===

impl Engine {
    /// Stops a room again that a person has stopped already, when that was recorded often enough: its outputs are made
    /// safe, and nothing is put on record. Returns whether it was done.
    pub(super) fn stop_again(&mut self, room: usize, event: &Event) -> bool {
        let is_stopped = |room: &Room| {
            let run = room.state.run.as_ref();
            room.state.phase == Phase::Held && run.is_some_and(|run| run.causes.contains(&Cause::Stop))
        };
        if !self.rooms.get(&room).is_some_and(is_stopped) || self.stops_again.spend(Instant::now()) {
            return false;
        }
        let Some(outputs) = self.make_safe_at_once(room, event, ServiceEnd::Stop) else { return false };
        if let Some(stop) = &mut self.deciding {
            stop.outputs = outputs;
        }
        true
    }

    /// Serves a request and sends the answer.
    pub(super) async fn serve(&mut self, asked: Asked) {
        let Asked { caller, what: action, reply } = asked;
        let Some(room) = self.room_stopped_by(&action) else {
            let answer = self.answer(&caller, action).await;
            let _ = reply.send(answer);
            return;
        };
        let until = Instant::now() + ANSWER_WITHIN;
        let outputs = BTreeSet::new();
        self.deciding = Some(PendingStop { room, outputs, until, is_recorded: false, reply });
        let answer = self.answer(&caller, action).await;
        self.stopped.remove(&room);
        if let Some(stop) = self.deciding.take() {
            match answer {
                // Nothing had to be executed.
                Ok(_) => self.stops.push(stop),
                Err(_) => drop(stop.reply.send(answer)),
            }
        }
        let is_recorded = self.pending.entries.is_empty();
        let of_room = self.stops.iter_mut().filter(|stop| stop.room == room);
        of_room.for_each(|stop| stop.is_recorded = is_recorded);
        self.answer_stops();
    }

    /// From here on the stop that is being decided is answered without its audit entry, if that takes long: it
    /// was executed.
    pub(super) fn note_stop_executed(&mut self) {
        let Some(mut stop) = self.deciding.take() else { return };
        let run = self.rooms.get(&stop.room).and_then(|room| room.state.run.as_ref());
        stop.outputs = run.map(|run| run.moved.clone()).unwrap_or_default();
        self.stops.push(stop);
    }

    /// Answers the stops that are on record and of which it is known what became of every output, and those
    /// whose time is over.
    pub(super) fn answer_stops(&mut self) {
        let now = Instant::now();
        let (ended, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.stops)
            .into_iter()
            .partition(|stop| stop.until <= now || (stop.is_recorded && self.has_ended(stop)));
        self.stops = waiting;
        for stop in ended {
            // Whoever asked may be gone; the room is stopped all the same.
            let answer = view::stopped(self, stop.room, &stop.outputs, stop.is_recorded);
            let _ = stop.reply.send(Ok(answer));
        }
    }

    fn has_ended(&self, stop: &PendingStop) -> bool {
        let Some(room) = self.rooms.get(&stop.room) else { return true };
        stop.outputs
            .iter()
            .all(|output| room.outputs.get(output).is_some_and(|made| *made != MadeSafe::Asked))
    }
}
