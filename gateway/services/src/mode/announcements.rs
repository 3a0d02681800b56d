//! Publishes the mode of the centre on the `status` topic and the head of the audit record on
//! `event/mode`.

use std::collections::BTreeMap;

use linli_domain::Topic;
use linli_store::Entry;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::engine::Engine;
use super::needed;
use super::payload::message;
use super::view;

// === impl Engine ===

impl Engine {
    /// Publishes the head of the audit record when it is due. Tries again later if the message cannot be
    /// stored.
    pub(super) async fn publish_head(&mut self, now: Instant) {
        if self.heads.due(self.record.count()).is_none_or(|due| due > now) {
            return;
        }
        let at = self.deps.clock.now().at;
        let count = self.record.count();
        let mut body = Map::new();
        body.insert("at".to_owned(), Value::from(at.0));
        body.insert("kind".to_owned(), Value::from("head"));
        body.insert("record".to_owned(), serde_json::json!(self.record.head()));
        let record = message(Topic::ModeEvent, at, body);
        let stored = self.store(Entry { records: vec![record], ..Entry::default() }).await;
        if let Err(error) = &stored {
            tracing::warn!(%error, "the head of the audit record could not be published yet");
        }
        self.heads.note_published(if stored.is_ok() { count } else { self.heads.published }, now);
    }

    /// Updates the mode of the centre and the numbers of its orders on the retained `status` topic.
    pub(super) fn publish_status(&self) {
        self.publish_needed();
        let mode = view::combined(self).stage.as_str().to_owned();
        let numbers = self.replay_guard.numbers().into_iter();
        let orders: BTreeMap<String, u64> = numbers.map(|(series, seq)| (series.to_string(), seq)).collect();
        let service = self.services.rooms();
        self.deps.birth.send_if_modified(|birth| {
            let is_changed = birth.mode != mode || birth.orders != orders || birth.service != service;
            (birth.mode, birth.orders, birth.service) = (mode, orders, service);
            is_changed
        });
    }

    /// Publishes the plans that rooms follow.
    pub(super) fn publish_needed(&self) {
        self.deps.needed.send_if_modified(|needed| {
            let is_changed = !needed::is_current(needed, &self.setup, self.rooms.values());
            if is_changed {
                let of_room = |room| needed::of_room(&self.setup, room);
                *needed = self.rooms.values().filter_map(of_room).collect();
            }
            is_changed
        });
    }

    /// Has the devices read that the plans kept with rooms need, and the configuration does not.
    pub(super) fn watch_devices(&self) {
        let own = self.setup.devices();
        self.deps.evidence.send_if_modified(|devices| {
            let lacks = !own.is_subset(devices);
            if lacks {
                *devices = std::sync::Arc::new(own.union(devices).cloned().collect());
            }
            lacks
        });
    }
}
