//! Settings of the health cabin.

use std::time::Duration;

use linli_domain::Id;
use linli_domain::vital::Limits;

use super::key::Keys;

/// Checked settings of `[cabin]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CabinSettings {
    /// Keys that encrypt identities; `None`: no identity can be stored.
    pub keys: Option<Keys>,
    /// A visit without activity ends after this.
    pub visit_timeout: Duration,
    /// Retention of visits, measurements and identities.
    pub retention: Duration,
    /// Reference ranges of vital signs.
    pub limits: Limits,
    /// Rooms in which devices measure vital signs.
    pub rooms: Vec<Id>,
}
