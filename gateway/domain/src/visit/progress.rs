//! What happens during a visit beside its measurements: the guided series of blood pressures, and the answers to critical
//! values. It is part of the visit, so that a screen that is reloaded and a gateway that is killed lose nothing of it.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::vital::Quantity;

/// What happened during a visit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The guided series of blood pressures, if one was begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressure: Option<PressureSeries>,
    /// Answers to critical values, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<CriticalAnswer>,
    /// The pseudonym that the visit had before two records of its resident were joined.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_from: Option<String>,
    /// Where the visit comes from, if it was taken in the field with another box.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outreach: Option<Box<Outreach>>,
}

/// Where a visit of an outreach (巡诊) comes from. Its times are those of the box; what is known of its clock stands beside
/// them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outreach {
    /// Id of the centre in the configuration of the box.
    pub from: String,
    /// When the box wrote the file, Unix milliseconds UTC by its clock.
    pub made: Timestamp,
    /// When the visit was taken into the register, Unix milliseconds UTC.
    pub imported: Timestamp,
    /// Account of who did that.
    pub by: String,
    /// How far the clock of the box was ahead, in milliseconds, negative if it was behind: as a person found, or by how much at
    /// least; `None` if nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock_ahead_ms: Option<i64>,
}

/// The beginning of a guided series: pressures taken from then on are part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PressureSeries {
    /// When it began, Unix milliseconds UTC.
    pub begun: Timestamp,
    /// Account of who began it.
    pub by: String,
}

/// What a person did about a critical value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CriticalDecision {
    /// It is measured again.
    Repeat,
    /// The resident is referred to a hospital.
    Refer,
    /// Somebody who may has seen to it.
    Handled,
}

/// The answer to a critical value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CriticalAnswer {
    /// Id of the measurement.
    pub measurement: String,
    /// The quantity.
    pub quantity: Quantity,
    /// The number as the person read it back.
    pub read_back: String,
    /// What was decided.
    pub decision: CriticalDecision,
    /// Account of who answered.
    pub by: String,
    /// When, Unix milliseconds UTC.
    pub at: Timestamp,
}

// === impl Progress ===

impl Progress {
    /// Whether nothing happened.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.pressure.is_none()
            && self.critical.is_empty()
            && self.merged_from.is_none()
            && self.outreach.is_none()
    }

    /// The answer to a critical value, if there is one. A value that was corrected since is another one.
    #[must_use]
    pub fn answer(&self, measurement: &str, quantity: Quantity, shown: &str) -> Option<&CriticalAnswer> {
        self.critical.iter().rev().find(|answer| {
            answer.measurement == measurement && answer.quantity == quantity && answer.read_back == shown
        })
    }
}
