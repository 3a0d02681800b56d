//! What the engine says of more orders than it can judge, and what they are sorted by.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::Topic;
use linli_mode::order::Sorting;
use serde_json::Value;
use tokio::time::Instant;

use super::engine::Engine;
use super::metrics::DROPPED;
use super::order_outcome::{Outcome, Via};
use super::payload::message;

/// Shortest time between two reports of dropped orders.
const TELL_EVERY: Duration = Duration::from_secs(60);

// === impl Engine ===

impl Engine {
    /// Publishes what orders are sorted by.
    pub(super) fn publish_sorting(&self) {
        let (centre, keyring) = (Some(self.setup.centre.clone()), self.setup.people.keyring.clone());
        let sorting = Sorting { centre, keyring, replay_guard: self.replay_guard.clone() };
        self.sorting.send_replace(Arc::new(sorting));
    }

    /// Tells how many orders were dropped since that was told last, and puts it on record.
    pub(super) async fn tell_dropped_orders(&mut self) {
        let (now, total) = (Instant::now(), self.deps.health.count_of_orders(DROPPED));
        let is_due = self.dropped.1.is_none_or(|at| now.saturating_duration_since(at) >= TELL_EVERY);
        if total == self.dropped.0 || !is_due {
            return;
        }
        let more = total - self.dropped.0;
        let why = format!(
            "{more} orders and messages were dropped because too many came at once: orders that people signed are \
             judged first （一时来得太多，丢弃 {more} 份；有有效签名的指令优先）"
        );
        self.dropped = (total, Some(now));
        tracing::error!(dropped = more, "more orders came than can be judged");
        let mut outcome = Outcome::refused(why);
        outcome.result = DROPPED;
        let (at, body) = (self.deps.clock.now().at, outcome.body(&Via::Broker));
        self.deps.events.publish("order", &Value::Object(body.clone()));
        let entry = outcome.audit_entry(&Via::Broker);
        let record = message(Topic::OrderEvent, at, body);
        if let Err(error) = self.commit(Vec::new(), vec![entry], Vec::new(), vec![record.clone()]).await {
            // There may be no room for it in the record: it is told all the same.
            tracing::error!(%error, "that orders were dropped is not put on record");
            let _ = self.commit(Vec::new(), Vec::new(), Vec::new(), vec![record]).await;
        }
    }
}
