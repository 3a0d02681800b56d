//! What was carried out before it could be written: its entries become durable with whatever comes next.

use linli_domain::Record;
use linli_mode::record::ModeEvent;
use linli_store::Change;

/// What was carried out and could not be written yet; it is written with whatever comes next.
#[derive(Default)]
pub(super) struct PendingAudit {
    /// Lines of the record.
    pub lines: Vec<ModeEvent>,
    /// Where rooms are.
    pub pages: Vec<Change>,
    /// What the district is told.
    pub messages: Vec<Record>,
}

// === impl PendingAudit ===

impl PendingAudit {
    pub fn extend(&mut self, more: Self) {
        self.lines.extend(more.lines);
        self.pages.extend(more.pages);
        self.messages.extend(more.messages);
    }
}
