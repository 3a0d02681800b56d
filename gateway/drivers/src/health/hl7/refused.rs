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
    /// A unit that does not fit the code.
    #[error("OBX-{set}: {reason}")]
    Unit {
        /// OBX-1.
        set: String,
        /// The expected unit.
        reason: NotConvertible,
    },
    /// A value that is no number.
    #[error("OBX-{set}: {value:?} is not a number")]
    Value {
        /// OBX-1.
        set: String,
        /// The value received.
        value: String,
    },
}

// === impl Refused ===

impl Refused {
    /// Whether this type of message is rejected, as opposed to an error in this message.
    #[must_use]
    pub const fn is_rejection(&self) -> bool {
        matches!(self, Self::Kind(_) | Self::Processing(_))
    }
}
