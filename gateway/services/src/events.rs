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
    /// For everybody; `None` if only health workers may see the event.
    pub public: Option<EventText>,
    /// For health workers.
    pub whole: EventText,
}

/// An event as every stream sends it (Server-Sent Events, WHATWG HTML 9.2.6): written once, its bytes shared by all.
#[derive(Debug, Clone)]
pub struct EventText {
    text: Arc<str>,
    /// Where its JSON begins.
    begin: usize,
}

/// What ends an event.
const END: &str = "\n\n";

// === impl EventText ===

impl EventText {
    /// The text of an event of that kind. `json` has no line breaks, as serde_json writes it.
    #[must_use]
    pub fn new(kind: &str, json: &str) -> Self {
        debug_assert!(!json.contains(['\n', '\r']), "a line break would end the data");
        let head = ["event: ", kind, "\ndata: "];
        let begin = head.iter().map(|part| part.len()).sum();
        Self { text: [head.as_slice(), &[json, END]].concat().concat().into(), begin }
    }

    /// Its JSON.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.text[self.begin..self.text.len() - END.len()]
    }
}

impl AsRef<[u8]> for EventText {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
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
            let text = EventText::new(kind, &body.to_string());
            (Some(text.clone()), text)
        });
    }

    /// Sends `public` to everybody and `whole` to health workers.
    pub fn publish_partly(&self, kind: &'static str, public: &Value, whole: &Value) {
        let text = |body: &Value| EventText::new(kind, &body.to_string());
        self.send(kind, || (Some(text(public)), text(whole)));
    }

    /// Sends an event to health workers only.
    pub fn publish_workers(&self, kind: &'static str, whole: &Value) {
        self.send(kind, || (None, EventText::new(kind, &whole.to_string())));
    }

    /// Receives every event from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.sender.subscribe()
    }

    /// Without a subscriber no JSON is written.
    fn send(&self, kind: &'static str, texts: impl FnOnce() -> (Option<EventText>, EventText)) {
        if self.sender.receiver_count() > 0 {
            let (public, whole) = texts();
            let _ = self.sender.send(Event { kind, public, whole });
        }
    }
}

impl Default for Events {
    fn default() -> Self {
        Self { sender: broadcast::Sender::new(KEPT) }
    }
}
