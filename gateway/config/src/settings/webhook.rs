//! A receiver outside the centre, as `[[webhook]]` of alarms.toml describes it.

use std::fmt;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::alarm::Priority;
use linli_domain::hours::Hours;
use linli_domain::timezone::Zone;

/// A receiver of alarms. Its `Debug` shows neither address nor secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Webhook {
    /// What it is called.
    pub id: Id,
    /// Where.
    pub url: String,
    /// Signs what is sent.
    pub secret: Option<String>,
    /// What is told.
    pub priorities: Vec<Priority>,
    /// Told once more when nobody has acknowledged for so long.
    pub escalate_after: Option<Duration>,
    /// Hours of the centre's day in which only high priorities are told.
    pub quiet: Option<(Hours, Zone)>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.id)
    }
}
