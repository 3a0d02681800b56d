//! A siren or lamp of the site, as `[[siren]]` of alarms.toml describes it.

use std::time::Duration;

use linli_domain::Id;
use linli_domain::alarm::Priority;

/// A relay that is on while an alarm is not acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Siren {
    /// Id of the device with the relay.
    pub device: Id,
    /// Id of its point.
    pub point: Id,
    /// Priorities for which it is on.
    pub priorities: Vec<Priority>,
    /// Longest time it is on for one alarm.
    pub span: Duration,
}

impl Siren {
    /// Device and point: what identifies the relay.
    #[must_use]
    pub fn key(&self) -> (Id, Id) {
        (self.device.clone(), self.point.clone())
    }
}
