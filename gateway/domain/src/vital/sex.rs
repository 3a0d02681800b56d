//! Sex and age, on which reference ranges depend.

use serde::{Deserialize, Serialize};

use crate::Civil;

/// Sex, as identity cards and messages give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Female.
    Female,
    /// Male.
    Male,
}

/// Oldest age that is believed, in months: 130 years.
const OLDEST: i64 = 130 * 12;

// === impl Sex ===

impl Sex {
    /// By a code of HL7 table 0001, or a word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        match word.trim().to_uppercase().as_str() {
            "F" | "FEMALE" | "女" => Some(Self::Female),
            "M" | "MALE" | "男" => Some(Self::Male),
            _ => None,
        }
    }
}

/// Full months from a birthday (year, month, day) to a date; `None` if that is no age.
#[must_use]
pub fn months_between(birth: (i64, u8, u8), date: Civil) -> Option<u16> {
    let (year, month, day) = birth;
    let is_date = Civil { year, month, day, hour: 0, minute: 0, second: 0 }.timestamp().is_some();
    let full = (date.year - year) * 12 + i64::from(date.month) - i64::from(month) - i64::from(date.day < day);
    if is_date && (0..=OLDEST).contains(&full) { u16::try_from(full).ok() } else { None }
}
