//! Entries: changes of visits, alarms, documents and the audit trail that are stored together.

use linli_domain::visit::{Version, Visit};
use linli_domain::{Id, Record, Timestamp};
use serde::Serialize;

/// A resident's identity, encrypted. The key is stored elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resident {
    /// Pseudonym of the resident.
    pub pseudonym: String,
    /// Id of the key it is encrypted with.
    pub key: String,
    /// The encrypted identity: nonce, then ciphertext.
    pub sealed: Vec<u8>,
    /// Time of the latest visit with this identity.
    pub at: Timestamp,
}

/// An audit entry. It names residents by pseudonym only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Time of the action, Unix milliseconds UTC.
    pub at: Timestamp,
    /// Account that acted.
    pub who: String,
    /// The action: `visit.open`, `identity.reveal`, ….
    pub what: String,
    /// Id of the visit or measurement, or pseudonym.
    pub about: String,
    /// Further text for a reader.
    pub detail: String,
}

/// A message for a receiver outside the gateway (a webhook).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notification {
    /// Number given when it is stored. Notifications are delivered in this order.
    pub id: i64,
    /// Id of the receiver.
    pub hook: Id,
    /// The same for every attempt, so that the receiver recognises a repetition.
    pub key: String,
    /// The message as JSON.
    pub body: String,
    /// Not delivered before this time.
    pub after: Timestamp,
}

/// A JSON document of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Id, unique among all documents.
    pub id: String,
    /// Kind of document, named by its service.
    pub kind: String,
    /// Time of what it describes, or of its beginning.
    pub at: Timestamp,
    /// The contents as JSON.
    pub body: String,
}

/// One thing that changes.
#[derive(Debug, Clone)]
pub enum Change {
    /// An identity is stored, or encrypted with another key.
    Resident(Resident),
    /// A visit is opened or changed.
    Visit(Visit),
    /// A version of a measurement is added.
    Version(Box<Version>),
    /// The same sealed, as [`Cabin::keep`](crate::Cabin::keep) makes it of a version that is a resident's.
    Sealed {
        /// Id of the measurement.
        id: String,
        /// Number of the version.
        version: u32,
        /// Id of the visit.
        visit: Option<String>,
        /// When it was measured.
        at: Timestamp,
        /// The sealed body as it is stored.
        body: String,
    },
    /// The body of a stored version is sealed, or sealed for somebody else.
    Reseal {
        /// Id of the measurement.
        id: String,
        /// Number of the version.
        version: u32,
        /// The sealed body as it is stored.
        body: String,
    },
    /// A visit and everything measured during it is erased.
    EraseVisit(String),
    /// All versions of a measurement are erased.
    EraseMeasurement(String),
    /// An identity is erased.
    EraseResident(String),
    /// What has not been sent says nothing any more, under the same sequence number; what the broker refused is
    /// removed.
    EraseUnsent {
        /// Messages about these measurements say only that they were erased.
        measurements: Vec<String>,
        /// Samples of these devices between these times become none.
        samples: Vec<(Id, Timestamp, Timestamp)>,
    },
    /// The trends of a device in these minutes are erased.
    EraseTrend {
        /// The device.
        device: Id,
        /// The first minute.
        from: Timestamp,
        /// The last minute.
        to: Timestamp,
    },
    /// Audit entries before this time are deleted.
    ForgetAudit(Timestamp),
    /// The state of an alarm, as the alarm service writes it.
    Alarm {
        /// Id of the alarm.
        id: Id,
        /// The state, or the change of state, as JSON.
        body: String,
    },
    /// The state of an alarm is deleted: its rule was removed.
    ForgetAlarm(Id),
    /// A notification is queued.
    Notify(Notification),
    /// A notification was delivered or abandoned; it leaves the queue.
    Notified(i64),
    /// A document is stored; one with the same id is replaced.
    Document(Document),
    /// Documents of a kind are deleted, from one id to another, both included.
    ForgetDocuments {
        /// The kind.
        kind: String,
        /// The first id.
        from: String,
        /// The last id.
        to: String,
    },
    /// A state change of an alarm, for the journal.
    AlarmStep {
        /// Time of the change.
        at: Timestamp,
        /// The state, or the change of state, as JSON.
        body: String,
    },
}

/// Changes that become durable together, with their audit entries and the records that report them.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// If an entry with this key was stored before, nothing is stored.
    pub once: Option<String>,
    /// Further keys that are remembered as seen; they decide nothing.
    pub marks: Vec<String>,
    /// The changes, applied in order.
    pub changes: Vec<Change>,
    /// Audit entries to add.
    pub audit: Vec<Audit>,
    /// Records to deliver to the broker.
    pub records: Vec<Record>,
    /// Nothing depends on it: it takes nothing from the reserve.
    pub is_dispensable: bool,
}

// === impl Entry ===

impl Entry {
    /// Whether the place of something in the file must be overwritten: what is erased, and what is sealed from now on.
    pub(crate) fn overwrites(&self) -> bool {
        self.erases() || self.changes.iter().any(|change| matches!(change, Change::Reseal { .. }))
    }

    /// Whether something is erased: then it must not be found in the file either.
    pub(crate) fn erases(&self) -> bool {
        self.changes.iter().any(Change::erases)
    }
}

// === impl Change ===

impl Change {
    /// Whether something is erased.
    pub(crate) const fn erases(&self) -> bool {
        matches!(
            self,
            Self::EraseVisit(_)
                | Self::EraseMeasurement(_)
                | Self::EraseResident(_)
                | Self::EraseUnsent { .. }
                | Self::EraseTrend { .. }
        )
    }
}
