//! Visits to a health cabin, and what was measured during them.

mod amendment;
mod belonging;
mod follow_up;
#[cfg(test)]
mod golden;
mod guided;
pub mod payload;
mod progress;
mod slip;
mod unassigned;
mod version;
mod window;

pub use amendment::{amend, amended};
pub use belonging::{Arrival, Candidate, Forms, Rule, Span, decide, decide_without, named};
pub use follow_up::{Condition, FOLLOW_UP, FollowUp, FollowUpRule, follow_up};
pub use guided::{PressureGuide, Series, SeriesReading};
pub use progress::{CriticalAnswer, CriticalDecision, Outreach, PressureSeries, Progress};
pub use slip::{Naming, NoSuchWord, Paper};
pub use unassigned::Unassigned;
pub use version::{Context, Outline, Status, Version};

use serde::{Deserialize, Serialize};

use crate::{Id, Timestamp};

/// How a visit began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OpenedBy {
    /// A card was read.
    Card,
    /// A code was scanned.
    Code,
    /// A health worker opened it.
    Worker,
}

/// How a visit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// All was done.
    Completed,
    /// The resident left.
    Abandoned,
    /// Nothing happened for a while.
    TimedOut,
    /// The next resident came.
    Superseded,
}

/// One resident's stay in a cabin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Its id.
    pub id: String,
    /// The cabin.
    pub room: Id,
    /// Who, as the district knows them; none when nobody was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonym: Option<String>,
    /// A number handed out in place of a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The version of the consent text the resident agreed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<String>,
    /// How it began.
    pub opened_by: OpenedBy,
    /// When it began, Unix milliseconds UTC.
    pub opened: Timestamp,
    /// When and how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<(Timestamp, Ending)>,
    /// What happened during it.
    #[serde(default, skip_serializing_if = "Progress::is_empty")]
    pub progress: Progress,
}
