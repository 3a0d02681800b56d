//! An event of a room that no request waits for.

use linli_mode::record::Evidence;
use linli_mode::{Event, Truth};

/// An event of a room that no request waits for.
pub(super) struct RoomEvent {
    pub room: usize,
    pub event: Event,
    pub evidence: Option<Evidence>,
}

// === impl RoomEvent ===

impl RoomEvent {
    /// Creates an event without evidence.
    pub(super) const fn of(room: usize, event: Event) -> Self {
        Self { room, event, evidence: None }
    }

    pub(super) const fn is_urgent(&self) -> bool {
        matches!(self.event, Event::Fire(Truth::True))
    }
}
