//! What stands for the record is reported with every change of a room, and every five minutes while
//! anything else was recorded: whoever keeps it can prove later that nothing was changed.

use std::time::Duration;

use linli_domain::Topic;
use linli_store::Entry;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::payload::message;
use super::service::ModeService;

/// Told this often while anything was recorded.
const EVERY: Duration = Duration::from_secs(300);

/// What was reported.
#[derive(Debug, Clone, Copy)]
pub struct Heads {
    /// How many lines stood behind it.
    reported: u64,
    /// When.
    at: Instant,
}

// === impl Heads ===

impl Heads {
    /// What was reported before the process ended is not known; it is reported again with the next line.
    pub const fn resume(count: u64, now: Instant) -> Self {
        Self { reported: count, at: now }
    }

    /// When it is reported again, if anything was recorded since.
    pub fn due(&self, count: u64) -> Option<Instant> {
        (count > self.reported).then(|| self.at + EVERY)
    }

    /// It was reported.
    pub const fn tell(&mut self, count: u64, now: Instant) {
        (self.reported, self.at) = (count, now);
    }
}

// === impl ModeService ===

impl ModeService {
    /// Tells the head when it is due; when it cannot be made durable, a little later.
    pub(super) async fn tell_head(&mut self, now: Instant) {
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
        let kept = self.kept(Entry { records: vec![record], ..Entry::default() }).await;
        if let Err(error) = &kept {
            tracing::warn!(%error, "the head of the record could not be told yet");
        }
        self.heads.tell(if kept.is_ok() { count } else { self.heads.reported }, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_head_is_told_every_five_minutes_while_anything_is_recorded() {
        let began = Instant::now();
        let mut heads = Heads::resume(7, began);
        assert_eq!(heads.due(7), None, "nothing was recorded");
        assert_eq!(heads.due(8), Some(began + EVERY));
        heads.tell(8, began + EVERY);
        assert_eq!(heads.due(8), None);
        assert_eq!(heads.due(9), Some(began + EVERY * 2));
    }
}
