//! A siren or lamp of the site, as `[[siren]]` of alarms.toml describes it.

use std::time::Duration;

use linli_domain::Id;
use linli_domain::alarm::Priority;

/// A relay that sounds while an alarm waits for somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Siren {
    /// The relay's device.
    pub device: Id,
    /// Its point.
    pub point: Id,
    /// Priorities it sounds for.
    pub priorities: Vec<Priority>,
    /// Longest time it sounds for one alarm.
    pub span: Duration,
}

impl Siren {
    /// Device and point: what identifies the relay.
    #[must_use]
    pub fn key(&self) -> (Id, Id) {
        (self.device.clone(), self.point.clone())
    }
}
