//! What happens in two cabins: visits begin and end, people are measured, messages about it are sent with faults. An
//! act is data, so that a failure can be shrunk and pasted as a test.

use serde::{Deserialize, Serialize};

/// One act. Times are in milliseconds after the beginning of the stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub enum Act {
    /// A resident's visit begins; the one before it in that room ends.
    Open { at: i64, room: u8, who: u8 },
    /// The visit of a room ends.
    End { at: i64, room: u8 },
    /// Somebody is measured and a message about it is sent.
    Send(Box<Sent>),
}

/// A measurement and its message.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// When there is a result, and how long measuring took.
    pub at: i64,
    pub takes: i64,
    /// How much later the message is sent.
    pub late: i64,
    /// The monitor: 0 and 2 stand in the first cabin, 1 in the second.
    pub monitor: u8,
    /// Who was measured; nobody in a test.
    pub who: Option<u8>,
    /// Whom the message names.
    pub names: Vec<Name>,
    pub clock: Clock,
    /// The number in its id; two messages may have the same.
    pub id: u16,
    /// It corrects the result of the act at that position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<usize>,
    #[serde(default)]
    pub faults: Vec<Fault>,
}

/// An identifier in a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Name {
    /// The card number of a resident.
    Card(u8),
    /// The code of the visit that began with the act at that position.
    Code(usize),
}

/// The clock of a monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Clock {
    /// It gives no time of measuring; the message says when it was made.
    None,
    Right,
    /// That many milliseconds ahead.
    Off(i64),
    /// It was never set.
    Unset,
}

/// What is wrong with the message, or with how it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fault {
    /// Sent once more, with the same bytes, on another connection.
    Duplicate,
    /// In several pieces; byte by byte.
    Split,
    Slow,
    /// In one frame with the message after it, or in one write.
    OneFrame,
    OneWrite,
    /// Cut at that share of its length (in parts of 256), its frame ended or the connection closed.
    Cut(u8),
    Closed(u8),
    /// GB 18030, ISO 8859-1, with a byte-order mark, with line feeds, in a batch, with other delimiters.
    Chinese,
    Latin,
    Mark,
    LineFeeds,
    Batch,
    Delimiters,
    /// The end without its return, the frame without its start.
    NoReturn,
    NoStart,
    /// The monitor connects anew before it.
    Reconnect,
    /// A second person is in the message, with results of their own.
    Second(u8),
    /// One result is no value, has the wrong unit, or is impossible.
    NoValue,
    WrongUnit,
    Impossible,
    /// A hundred repetitions without waiting for an answer.
    Burst,
    /// The segments that name the resident are indented and small.
    Indented,
}

// === impl Act ===

impl Act {
    /// When it happens.
    pub fn at(&self) -> i64 {
        match self {
            Self::Open { at, .. } | Self::End { at, .. } => *at,
            Self::Send(sent) => sent.at + sent.late,
        }
    }
}

// === impl Sent ===

impl Sent {
    /// The room of its monitor.
    pub const fn room(&self) -> u8 {
        self.monitor % 2
    }

    /// Whether what is sent ends before its end.
    pub fn is_cut(&self) -> bool {
        self.faults.iter().any(|fault| matches!(fault, Fault::Cut(_) | Fault::Closed(_)))
    }

    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}
