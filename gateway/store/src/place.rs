//! Names one row of any table, for the report of a row that cannot be decoded.

/// Where a row is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// In an outbox table, which the writer finds by the sequence number.
    Outbox(u64),
    Notification(i64),
    History {
        device: i64,
        minute: i64,
        layout: i64,
    },
    /// A journaled command whose request cannot be decoded.
    Command(String),
    /// A journaled command whose state cannot be decoded.
    CommandState(String),
    Alarm(String),
    AlarmStep(i64),
    Document(String),
    Visit(String),
    Measurement {
        id: String,
        version: u32,
    },
    Resident(String),
    Audit(i64),
}

// === impl Place ===

impl Place {
    /// The table, as people see it in logs.
    pub(crate) const fn table(&self) -> &'static str {
        match self {
            Self::Outbox(_) => "outbox",
            Self::Notification(_) => "notification",
            Self::History { .. } => "history",
            Self::Command(_) | Self::CommandState(_) => "command",
            Self::Alarm(_) => "alarm",
            Self::AlarmStep(_) => "alarm_journal",
            Self::Document(_) => "book",
            Self::Visit(_) => "visit",
            Self::Measurement { .. } => "measurement",
            Self::Resident(_) => "resident",
            Self::Audit(_) => "audit",
        }
    }

    /// The row's key, several parts separated by a slash.
    pub(crate) fn key(&self) -> String {
        match self {
            Self::Outbox(seq) => seq.to_string(),
            Self::Notification(id) | Self::AlarmStep(id) | Self::Audit(id) => id.to_string(),
            Self::History { device, minute, layout } => format!("{device}/{minute}/{layout}"),
            Self::Measurement { id, version } => format!("{id}/{version}"),
            Self::Command(id)
            | Self::CommandState(id)
            | Self::Alarm(id)
            | Self::Document(id)
            | Self::Visit(id)
            | Self::Resident(id) => id.clone(),
        }
    }
}
