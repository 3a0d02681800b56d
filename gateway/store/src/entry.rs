//! What the health cabin and the alarms keep, and one change of it: all or nothing.

use linli_domain::visit::{Version, Visit};
use linli_domain::{Id, Record, Timestamp};
use serde::Serialize;

/// A resident's identity, sealed. The key is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// Who, as the district knows them.
    pub pseudonym: String,
    /// Which key it is sealed with.
    pub key: String,
    /// Nonce and ciphertext.
    pub sealed: Vec<u8>,
    /// When it was last needed.
    pub at: Timestamp,
}

/// Who looked at or changed what. It names residents by pseudonym only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// When, Unix milliseconds UTC.
    pub at: Timestamp,
    /// The account.
    pub who: String,
    /// The deed: `visit.open`, `identity.reveal`, ….
    pub what: String,
    /// A visit, a measurement, a pseudonym.
    pub about: String,
    /// More for a person.
    pub detail: String,
}

/// What somebody outside is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Its number, given when it is kept; they are told in this order.
    pub id: i64,
    /// Who is told.
    pub hook: Id,
    /// The same for every attempt: the receiver knows a repetition by it.
    pub key: String,
    /// JSON.
    pub body: String,
    /// Not told before.
    pub after: Timestamp,
}

/// A page of the book that desks write in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Unique.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// When it was, or began.
    pub at: Timestamp,
    /// JSON.
    pub body: String,
}

/// One thing that changes.
#[derive(Debug, Clone)]
pub enum Change {
    /// Entry, or sealed anew.
    Resident(Resident),
    /// Opened, or changed.
    Visit(Visit),
    /// One more version.
    Version(Box<Version>),
    /// The visit and everything measured during it is gone.
    EraseVisit(String),
    /// All versions of the measurement are gone.
    EraseMeasurement(String),
    /// The identity is gone.
    EraseResident(String),
    /// Older entries of the audit are gone.
    ForgetAudit(Timestamp),
    /// Where an alarm is now, as its owner writes it.
    Alarm {
        /// The alarm.
        id: Id,
        /// JSON.
        body: String,
    },
    /// An alarm's rule is gone.
    ForgetAlarm(Id),
    /// Somebody outside is to be told.
    Notify(Notification),
    /// They have been; or it is given up.
    Notified(i64),
    /// A page of the book, as its desk writes it.
    Document(Document),
    /// One step of an alarm, for the journal.
    AlarmStep {
        /// When.
        at: Timestamp,
        /// JSON.
        body: String,
    },
}

/// Changes that become durable together, with what tells the district of them.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Told before under this key: nothing happens.
    pub once: Option<String>,
    /// What changes.
    pub changes: Vec<Change>,
    /// Who did it.
    pub audit: Vec<Audit>,
    /// What is delivered.
    pub records: Vec<Record>,
}

// === impl Entry ===

impl Entry {
    /// Whether something is erased: then it must not be found in the file either.
    pub(crate) fn erases(&self) -> bool {
        let erases = |change: &Change| {
            matches!(change, Change::EraseVisit(_) | Change::EraseMeasurement(_) | Change::EraseResident(_))
        };
        self.changes.iter().any(erases)
    }
}
