//! Why a message is not taken, as its answer says it.

use linli_domain::vital::NotConvertible;

/// Why a message has no usable results.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another kind of message; to be rejected.
    #[error("{0:?} is not taken here, ORU^R01 is")]
    Kind(String),
    /// A test message sent to a production system; to be rejected.
    #[error("processing id {0:?} is not P (production)")]
    Processing(String),
    /// No control id (MSH-10).
    #[error("MSH-10 (message control id) is missing")]
    NoControlId,
    /// A field of the header that is longer than the standard permits.
    #[error("MSH-{field} has {characters} characters; at most {most} are permitted")]
    TooLong {
        /// Number of the field.
        field: usize,
        /// Its length.
        characters: usize,
        /// The longest permitted.
        most: usize,
    },
    /// None of its observations is a vital sign linli knows.
    #[error("no observation with a code linli knows (LOINC or MDC)")]
    NothingKnown,
    /// A unit that does not fit the code; of one result, or of all.
    #[error("OBX-{set}: {reason}; no value is kept of it")]
    Unit {
        /// OBX-1.
        set: String,
        /// The expected unit.
        reason: NotConvertible,
    },
    /// Codes that name different quantities; of one result.
    #[error("OBX-{set}: the codes of OBX-3 are of different quantities; no value is kept of it")]
    Codes {
        /// OBX-1.
        set: String,
    },
    /// A result that ends in the middle of its flags.
    #[error(
        "OBX-{set}: the message ends within OBX-8; no value is kept of it; end each segment with a return"
    )]
    Cut {
        /// OBX-1.
        set: String,
    },
    /// A document that is not kept.
    #[error("OBX-{set}: the document is not kept: {why}")]
    Document {
        /// OBX-1.
        set: String,
        /// Why.
        why: &'static str,
    },
    /// A value that is no number; of one result, or of all.
    #[error("OBX-{set}: {value:?} is not a number; no value is kept of it")]
    Value {
        /// OBX-1.
        set: String,
        /// The value received.
        value: String,
    },
}

// === impl Refused ===

impl Refused {
    /// What to change, without the value that was received: it may be a person's.
    #[must_use]
    pub fn advice(&self) -> String {
        match self {
            Self::Value { set, .. } => format!("OBX-{set}: OBX-5 is not a number"),
            other => other.to_string(),
        }
    }

    /// Whether this type of message is rejected, as opposed to an error in this message.
    #[must_use]
    pub const fn is_rejection(&self) -> bool {
        matches!(self, Self::Kind(_) | Self::Processing(_))
    }
}
