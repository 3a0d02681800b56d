//! Alert messages (CAP, GB/T 35965) that propose an order: kept as they came, never obeyed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use linli_services::events::Event;
use serde_json::Value;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

/// Most that are kept; the oldest goes.
const MOST: usize = 16;

/// The latest alert messages, newest first. They are lost with the process; the record has them.
#[derive(Debug, Clone, Default)]
pub struct Proposals(Arc<Mutex<VecDeque<Value>>>);

// === impl Proposals ===

impl Proposals {
    /// Keeps what the mode switch tells, until the events end.
    pub async fn listen(self, mut received: Receiver<Event>) {
        loop {
            match received.recv().await {
                Ok(event) if event.kind == "order" => self.take(event.whole.json()),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => tracing::warn!(missed, "alert messages may be missing"),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn take(&self, text: &str) {
        let Ok(body) = serde_json::from_str::<Value>(text) else { return };
        if body["result"] != "proposal" {
            return;
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|known| known["identifier"] != body["identifier"]);
        kept.push_front(body);
        kept.truncate(MOST);
    }

    /// All of them, newest first.
    #[must_use]
    pub fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_latest_messages_are_kept_and_nothing_else() {
        let kept = Proposals::default();
        kept.take("no JSON");
        kept.take(r#"{"result":"accepted","identifier":"x"}"#);
        assert!(kept.all().is_empty());
        for number in 0..20 {
            kept.take(&json!({"result": "proposal", "identifier": number}).to_string());
        }
        // The same message again is one.
        kept.take(&json!({"result": "proposal", "identifier": 10}).to_string());
        let identifiers: Vec<i64> = kept.all().iter().filter_map(|one| one["identifier"].as_i64()).collect();
        assert_eq!(identifiers.len(), MOST);
        assert_eq!(identifiers[..3], [10, 19, 18]);
    }
}
