//! Something that happened in a room, as the engine hears of it.

use linli_mode::record::Evidence;
use linli_mode::{Event, Truth};

/// Something that happened in a room, of which nobody is answered.
pub(super) struct RoomEvent {
    pub room: usize,
    pub event: Event,
    pub evidence: Option<Evidence>,
}

// === impl RoomEvent ===

impl RoomEvent {
    /// Without evidence.
    pub(super) const fn of(room: usize, event: Event) -> Self {
        Self { room, event, evidence: None }
    }

    pub(super) const fn is_urgent(&self) -> bool {
        matches!(self.event, Event::Fire(Truth::True))
    }
}
