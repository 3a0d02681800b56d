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
    /// Name of the receiver.
    pub id: Id,
    /// URL to POST to.
    pub url: String,
    /// Why it may be reached without encryption off this machine, where the configuration says so.
    pub insecure: Option<String>,
    /// Secret that signs notifications.
    pub secret: Option<String>,
    /// Priorities that are sent.
    pub priorities: Vec<Priority>,
    /// Time without acknowledgement after which the notification is repeated.
    pub escalate_after: Option<Duration>,
    /// Hours of the day in which only high priorities are sent.
    pub quiet: Option<(Hours, Zone)>,
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Webhook({})", self.id)
    }
}
