//! What was executed before it could be stored; it is stored with the next transaction.

use linli_domain::Record;
use linli_mode::record::ModeEvent;
use linli_store::Change;

/// What was executed and is not stored yet.
#[derive(Default)]
pub(super) struct PendingAudit {
    /// Audit entries.
    pub entries: Vec<ModeEvent>,
    /// Documents of rooms.
    pub documents: Vec<Change>,
    /// Messages for the uplink.
    pub messages: Vec<Record>,
}

// === impl PendingAudit ===

impl PendingAudit {
    pub fn of(entries: &[ModeEvent], documents: &[Change], messages: &[Record]) -> Self {
        Self { entries: entries.to_vec(), documents: documents.to_vec(), messages: messages.to_vec() }
    }

    pub fn extend(&mut self, more: Self) {
        self.entries.extend(more.entries);
        self.documents.extend(more.documents);
        self.messages.extend(more.messages);
    }
}
