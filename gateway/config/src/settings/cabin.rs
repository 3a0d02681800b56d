//! What the configuration says about the cabin.

use std::time::Duration;

use linli_domain::Id;
use linli_domain::vital::Limits;

use super::key::Keys;

/// Checked settings.
#[derive(Debug, Clone, PartialEq)]
pub struct CabinSettings {
    /// Without keys nobody can be named.
    pub keys: Option<Keys>,
    /// A visit in which nothing happens ends after this.
    pub visit_timeout: Duration,
    /// Visits, measurements and identities are kept this long.
    pub retention: Duration,
    /// Reference ranges.
    pub limits: Limits,
    /// Rooms in which devices measure vital signs.
    pub rooms: Vec<Id>,
}
