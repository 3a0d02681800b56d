//! The highest committed sequence number of each lane.

use std::sync::Arc;

use linli_domain::Lane;

/// How far each lane has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heads {
    /// The database these numbers belong to; a new one begins when a damaged one was set aside.
    pub epoch: Arc<str>,
    /// Highest committed sequence number of the urgent lane.
    pub urgent: u64,
    /// Highest committed sequence number of the data lane.
    pub data: u64,
}

// === impl Heads ===

impl Heads {
    /// The head of a lane.
    #[must_use]
    pub const fn of(&self, lane: Lane) -> u64 {
        match lane {
            Lane::Urgent => self.urgent,
            Lane::Data => self.data,
        }
    }
}
