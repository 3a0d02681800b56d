//! Results that are no exact number: beyond what a device measures, or between two numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How the true value stands to the number that is given (FHIR `Quantity.comparator`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Comparator {
    /// Below it.
    #[serde(rename = "<")]
    Below,
    /// At most it.
    #[serde(rename = "<=")]
    AtMost,
    /// At least it.
    #[serde(rename = ">=")]
    AtLeast,
    /// Above it.
    #[serde(rename = ">")]
    Above,
}

// === impl Comparator ===

impl Comparator {
    /// The sign, as FHIR and HL7 write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::AtLeast => ">=",
            Self::Above => ">",
        }
    }

    /// Splits a text such as `>33.3` or `≤ 1.1` into its comparator, if it has one, and the rest.
    #[must_use]
    pub fn split(text: &str) -> (Option<Self>, &str) {
        const SIGNS: [(&str, Comparator); 10] = [
            ("<=", Comparator::AtMost),
            (">=", Comparator::AtLeast),
            ("=<", Comparator::AtMost),
            ("=>", Comparator::AtLeast),
            ("≤", Comparator::AtMost),
            ("≥", Comparator::AtLeast),
            ("<", Comparator::Below),
            (">", Comparator::Above),
            ("＜", Comparator::Below),
            ("＞", Comparator::Above),
        ];
        let text = text.trim();
        let found =
            SIGNS.iter().find_map(|(sign, of)| Some((Some(*of), text.strip_prefix(sign)?.trim_start())));
        found.unwrap_or((None, text))
    }
}

impl fmt::Display for Comparator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
