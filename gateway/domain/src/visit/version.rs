//! A measurement as it is kept: what is put right is a new version, never a change.

use serde::{Deserialize, Serialize};

use super::Unassigned;
use crate::vital::{Circumstances, GlucoseTime, Measurement, Sex};
use crate::{Id, Timestamp};

/// What a version says of the measurement (FHIR observation status).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As the device told it.
    Final,
    /// A person has added what the device cannot know, or said whose it is.
    Amended,
    /// A person has put its values right.
    Corrected,
    /// It should not have been taken.
    EnteredInError,
}

/// What erasing has to know of a measurement; nothing that was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    /// Its id.
    pub id: String,
    /// Number of its latest version.
    pub version: u32,
    /// The device.
    pub device: Id,
    /// When it was received, Unix milliseconds UTC.
    pub at: Timestamp,
}

/// What a device cannot know and a person adds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// When glucose was taken; without it glucose is not classified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub glucose_time: Option<GlucoseTime>,
    /// Whether oxygen was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_oxygen: Option<bool>,
    /// Whether the resident was alert (the A of ACVPU).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is_alert: Option<bool>,
    /// Age in full months when it was measured: of the resident, else as the message says. Reference ranges depend on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_months: Option<u16>,
    /// Sex of the resident, else as the message says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sex: Option<Sex>,
}

// === impl Context ===

impl Context {
    /// What the reference ranges depend on.
    #[must_use]
    pub const fn circumstances(self) -> Circumstances {
        let Self { glucose_time, age_months, sex, .. } = self;
        Circumstances { glucose_time, age_months, sex }
    }

    /// Whether NEWS2 may be computed: it is for people of 16 years and more (Royal College of Physicians, 2017).
    #[must_use]
    pub fn is_scored(self) -> bool {
        self.age_months.is_none_or(|months| months >= 16 * 12)
    }
}

/// One version of a measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// The measurement; all its versions have this id.
    pub id: String,
    /// 1 is what the device told.
    pub version: u32,
    /// What this version says.
    pub status: Status,
    /// The visit it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<String>,
    /// Why it belongs to none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unassigned: Option<Unassigned>,
    /// The device.
    pub device: Id,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<Id>,
    /// What was measured.
    pub measurement: Measurement,
    /// What a person has added.
    #[serde(default)]
    pub context: Context,
    /// When this version was made, Unix milliseconds UTC.
    pub at: Timestamp,
    /// Who made it: `device`, or the name of an account.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

// === impl Version ===

impl Version {
    /// What erasing has to know of it.
    #[must_use]
    pub fn outline(&self) -> Outline {
        let (id, device) = (self.id.clone(), self.device.clone());
        Outline { id, version: self.version, device, at: self.measurement.taken.at }
    }
}
