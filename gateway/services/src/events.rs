//! Events for screens. A receiver that is too slow misses some, and gets their number.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::broadcast;

/// Events kept for a slow reader.
const KEPT: usize = 256;

/// An event for screens.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its kind: `measurement`, `value`, `device`, `visit`.
    pub kind: &'static str,
    /// JSON for everybody; `None` if only health workers may see the event.
    pub public: Option<Arc<str>>,
    /// JSON for health workers.
    pub whole: Arc<str>,
}

/// Sends events to every subscriber.
#[derive(Debug, Clone)]
pub struct Events {
    sender: broadcast::Sender<Event>,
}

// === impl Events ===

impl Events {
    /// Sends an event to everybody.
    pub fn publish(&self, kind: &'static str, body: &Value) {
        self.send(kind, || {
            let body: Arc<str> = body.to_string().into();
            (Some(Arc::clone(&body)), body)
        });
    }

    /// Sends `public` to everybody and `whole` to health workers.
    pub fn publish_partly(&self, kind: &'static str, public: &Value, whole: &Value) {
        self.send(kind, || (Some(public.to_string().into()), whole.to_string().into()));
    }

    /// Sends an event to health workers only.
    pub fn publish_workers(&self, kind: &'static str, whole: &Value) {
        self.send(kind, || (None, whole.to_string().into()));
    }

    /// Receives every event from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    /// Without a subscriber no JSON is written.
    fn send(&self, kind: &'static str, bodies: impl FnOnce() -> (Option<Arc<str>>, Arc<str>)) {
        if self.sender.receiver_count() > 0 {
            let (public, whole) = bodies();
            let _ = self.sender.send(Event { kind, public, whole });
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(KEPT) }
    }
}
