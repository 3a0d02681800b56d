//! Who a sender says was measured, so that a reading is never given to somebody else.

use std::fmt;

use super::Sex;

/// Year, month and day of a birth.
pub type Birth = (i64, u8, u8);

/// What a message says of the person it is about. It stays in memory: it is neither stored nor sent, and its
/// `Debug` shows none of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Patient {
    /// Every identifier, from whatever field.
    pub ids: Vec<String>,
    /// The names, each without spaces between its parts.
    pub names: Vec<String>,
    /// The places that are said to be the patient's: point of care, room and bed.
    pub places: Vec<String>,
    /// The message is about several people and does not say about whom this is.
    pub is_unclear: bool,
    /// Birthday, where the sender says.
    pub birth: Option<Birth>,
    /// Sex, where the sender says.
    pub sex: Option<Sex>,
}

// === impl Patient ===

impl Patient {
    /// Somebody with one identifier.
    #[must_use]
    pub fn of_id(id: &str) -> Self {
        Self { ids: vec![id.to_owned()], ..Self::default() }
    }

    /// Whether the message names anybody.
    #[must_use]
    pub const fn is_named(&self) -> bool {
        !self.ids.is_empty() || !self.names.is_empty()
    }
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Patient({} ids, {} names)", self.ids.len(), self.names.len())
    }
}
