//! What happens, as it happens: for screens. Whoever is too slow misses some and is told so.

use std::sync::Arc;

use serde_json::Value;
use tokio::sync::broadcast;

/// Events kept for a slow reader.
const KEPT: usize = 256;

/// One event.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its kind: `measurement`, `value`, `device`, `visit`.
    pub kind: &'static str,
    /// What anybody may see of it.
    pub public: Option<Arc<str>>,
    /// What a health worker sees.
    pub whole: Arc<str>,
}

/// Where events go and come from.
#[derive(Debug, Clone)]
pub struct Events {
    sender: broadcast::Sender<Event>,
}

// === impl Events ===

impl Events {
    /// Tells everybody.
    pub fn tell(&self, kind: &'static str, body: &Value) {
        self.send(kind, || {
            let body: Arc<str> = body.to_string().into();
            (Some(Arc::clone(&body)), body)
        });
    }

    /// Tells everybody a part of it, and health workers the whole.
    pub fn tell_partly(&self, kind: &'static str, public: &Value, whole: &Value) {
        self.send(kind, || (Some(public.to_string().into()), whole.to_string().into()));
    }

    /// Tells health workers.
    pub fn tell_workers(&self, kind: &'static str, whole: &Value) {
        self.send(kind, || (None, whole.to_string().into()));
    }

    /// Everything from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    /// While nobody listens, nothing is written.
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
