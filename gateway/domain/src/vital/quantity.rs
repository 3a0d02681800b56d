//! The quantities, with their codes.

use serde::{Deserialize, Serialize};

/// What is measured. Codes: LOINC as in the FHIR R4 vital-signs profile; glucose is a laboratory
/// observation there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Systolic blood pressure.
    Systolic,
    /// Diastolic blood pressure.
    Diastolic,
    /// Mean arterial pressure.
    MeanArterial,
    /// Pulse or heart rate.
    PulseRate,
    /// Oxygen saturation by pulse oximetry.
    OxygenSaturation,
    /// Breaths per minute.
    RespirationRate,
    /// Body temperature.
    Temperature,
    /// Body weight.
    Weight,
    /// Body height.
    Height,
    /// Body mass index.
    BodyMassIndex,
    /// Glucose in capillary blood, by glucometer.
    Glucose,
    /// Circumference of the waist, by tape measure.
    WaistCircumference,
}

/// A row of the table.
struct Facts {
    loinc: &'static str,
    unit: &'static str,
    english: &'static str,
    chinese: &'static str,
    word: &'static str,
    decimals: u8,
}

const fn facts(
    loinc: &'static str,
    unit: &'static str,
    english: &'static str,
    chinese: &'static str,
    word: &'static str,
    decimals: u8,
) -> Facts {
    Facts { loinc, unit, english, chinese, word, decimals }
}

// === impl Quantity ===

impl Quantity {
    /// All of them, in the order people read them.
    pub const ALL: [Self; 12] = [
        Self::Systolic,
        Self::Diastolic,
        Self::MeanArterial,
        Self::PulseRate,
        Self::OxygenSaturation,
        Self::RespirationRate,
        Self::Temperature,
        Self::Weight,
        Self::Height,
        Self::BodyMassIndex,
        Self::Glucose,
        Self::WaistCircumference,
    ];

    const fn facts(self) -> Facts {
        match self {
            Self::Systolic => facts("8480-6", "mm[Hg]", "Systolic blood pressure", "收缩压", "systolic", 0),
            Self::Diastolic => {
                facts("8462-4", "mm[Hg]", "Diastolic blood pressure", "舒张压", "diastolic", 0)
            }
            Self::MeanArterial => {
                facts("8478-0", "mm[Hg]", "Mean blood pressure", "平均动脉压", "mean_arterial", 0)
            }
            Self::PulseRate => facts("8867-4", "/min", "Heart rate", "脉率", "pulse_rate", 0),
            Self::OxygenSaturation => facts(
                "59408-5",
                "%",
                "Oxygen saturation by pulse oximetry",
                "血氧饱和度",
                "oxygen_saturation",
                0,
            ),
            Self::RespirationRate => {
                facts("9279-1", "/min", "Respiratory rate", "呼吸频率", "respiration_rate", 0)
            }
            Self::Temperature => facts("8310-5", "Cel", "Body temperature", "体温", "temperature", 1),
            Self::Weight => facts("29463-7", "kg", "Body weight", "体重", "weight", 1),
            Self::Height => facts("8302-2", "cm", "Body height", "身高", "height", 1),
            Self::BodyMassIndex => {
                facts("39156-5", "kg/m2", "Body mass index", "体质指数", "body_mass_index", 1)
            }
            Self::Glucose => facts(
                "14743-9",
                "mmol/L",
                "Glucose in capillary blood by glucometer",
                "血糖（末梢血）",
                "glucose",
                1,
            ),
            Self::WaistCircumference => {
                facts("8280-0", "cm", "Waist circumference by tape measure", "腰围", "waist_circumference", 0)
            }
        }
    }

    /// LOINC code.
    #[must_use]
    pub const fn loinc(self) -> &'static str {
        self.facts().loinc
    }

    /// The unit it is kept in (UCUM code).
    #[must_use]
    pub const fn unit(self) -> &'static str {
        self.facts().unit
    }

    /// English name, as LOINC's.
    #[must_use]
    pub const fn english(self) -> &'static str {
        self.facts().english
    }

    /// Chinese name.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        self.facts().chinese
    }

    /// The word used in payloads and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.facts().word
    }

    /// Decimals a person reads.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        self.facts().decimals
    }

    /// By its word.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|quantity| quantity.as_str() == word)
    }
}
