//! Keeps the plans of rooms in peace, so that an order for many rooms does not have to write them all at once.

use std::sync::Arc;

use linli_mode::Direction;
use linli_store::{Change, Entry};

use super::engine::Engine;
use super::kept;
use super::room::{KeptPlans, Room};

/// Rooms whose plans are written together: a building of 168 rooms has them all within two seconds of its start.
const ROOMS_AT_A_TIME: usize = 32;

// === impl Engine ===

impl Engine {
    /// Keeps, for a few rooms in peace, the plan by which each is entered, unless it is kept already. Of several such
    /// plans the first is kept; another one is written when it is ordered.
    pub(super) async fn keep_plans_ahead(&mut self) {
        let is_next = |room: &&Room| room.kept.is_none() && room.state.run.is_none();
        let next: Vec<usize> =
            self.rooms.values().filter(is_next).take(ROOMS_AT_A_TIME).map(|room| room.index).collect();
        let (mut documents, mut known) = (Vec::new(), Vec::new());
        for index in next {
            let Some(room) = self.rooms.get(&index) else { continue };
            let enters =
                self.setup.plans.iter().find(|plan| {
                    plan.resolved.room == index && plan.resolved.plan.direction == Direction::Enter
                });
            let wired = enters.map(|plan| (Arc::clone(plan), self.setup.wiring_of(&plan.resolved)));
            let plans = enters.map(|plan| kept::plans(&self.setup, plan, None)).unwrap_or_default();
            known.push((index, kept::held(&plans), wired));
            let document = kept::document(&self.setup, room, &plans, self.deps.clock.now().at);
            documents.extend(document.filter(|_| !plans.is_empty()));
        }
        let mut changes = Vec::new();
        for document in documents {
            let (store, id) = (self.deps.store.clone(), document.id.clone());
            // However long the disk takes, a stop is not kept waiting.
            let stored = self.while_storing(async move { store.get(&id).await }).await.ok().flatten();
            if stored.is_none_or(|stored| stored.body != document.body) {
                changes.push(Change::Document(document));
            }
        }
        let entry = Entry { changes, is_dispensable: true, ..Entry::default() };
        let is_kept = entry.changes.is_empty() || self.is_stored_ahead(entry).await;
        for (index, held, wired) in known {
            if let Some(room) = self.rooms.get_mut(&index) {
                room.wiring_ahead = wired;
                room.kept = Some(if is_kept { held } else { KeptPlans::new() });
            }
        }
    }

    async fn is_stored_ahead(&mut self, entry: Entry) -> bool {
        let stored = self.store(entry).await;
        if let Err(error) = &stored {
            tracing::warn!(%error, "plans of rooms cannot be kept ahead: each is written with its order");
        }
        stored.is_ok()
    }
}
