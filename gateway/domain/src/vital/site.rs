//! Where on the body a temperature was taken: the same person has different ones.

use serde::{Deserialize, Serialize};

/// A site on the body, with its SNOMED CT code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// Armpit.
    Axillary,
    /// Body, unspecified.
    Body,
    /// Ear canal.
    Ear,
    /// Ear drum.
    Tympanic,
    /// Finger.
    Finger,
    /// Forehead, temporal artery.
    Forehead,
    /// Stomach or gut.
    Gastrointestinal,
    /// Mouth.
    Oral,
    /// Rectum.
    Rectal,
    /// Skin.
    Skin,
    /// Toe.
    Toe,
}

// === impl Site ===

impl Site {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Axillary,
        Self::Body,
        Self::Ear,
        Self::Tympanic,
        Self::Finger,
        Self::Forehead,
        Self::Gastrointestinal,
        Self::Oral,
        Self::Rectal,
        Self::Skin,
        Self::Toe,
    ];

    /// Whether its temperature is that of the surroundings as much as of the body: no range of body temperature
    /// applies to it.
    #[must_use]
    pub const fn is_peripheral(self) -> bool {
        matches!(self, Self::Finger | Self::Skin | Self::Toe)
    }

    /// The word used in payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Axillary => "axillary",
            Self::Body => "body",
            Self::Ear => "ear",
            Self::Tympanic => "tympanic",
            Self::Finger => "finger",
            Self::Forehead => "forehead",
            Self::Gastrointestinal => "gastrointestinal",
            Self::Oral => "oral",
            Self::Rectal => "rectal",
            Self::Skin => "skin",
            Self::Toe => "toe",
        }
    }

    /// Chinese name.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Axillary => "腋下",
            Self::Body => "体",
            Self::Ear => "耳",
            Self::Tympanic => "耳膜",
            Self::Finger => "手指",
            Self::Forehead => "额",
            Self::Gastrointestinal => "胃肠",
            Self::Oral => "口",
            Self::Rectal => "直肠",
            Self::Skin => "皮肤",
            Self::Toe => "脚趾",
        }
    }

    /// By the LOINC code of a temperature.
    #[must_use]
    pub fn by_loinc(code: &str) -> Option<Self> {
        Some(match code {
            "8328-7" => Self::Axillary,
            "8331-1" => Self::Oral,
            "8332-9" => Self::Rectal,
            "8333-7" | "76010-8" => Self::Tympanic,
            "76011-6" => Self::Ear,
            "75539-7" => Self::Forehead,
            _ => return None,
        })
    }

    /// By the number of a temperature in ISO/IEEE 11073-10101.
    #[must_use]
    pub const fn by_mdc(code: u32) -> Option<Self> {
        Some(match code {
            188_452 | 188_496 => Self::Axillary,
            188_424 => Self::Oral,
            188_420 => Self::Rectal,
            150_392 => Self::Tympanic,
            188_428 => Self::Ear,
            188_432 => Self::Finger,
            188_448 => Self::Toe,
            150_384 | 188_456 => Self::Gastrointestinal,
            150_388 => Self::Skin,
            _ => return None,
        })
    }

    /// By a word in a message: English or Chinese, or the code of HL7 table 0163.
    #[must_use]
    pub fn find(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase();
        let known: [(&[&str], Self); 9] = [
            (&["axil", "armpit", "腋"], Self::Axillary),
            (&["tymp", "耳膜", "鼓膜"], Self::Tympanic),
            (&["forehead", "temporal", "额"], Self::Forehead),
            (&["oral", "mouth", "sublingual", "口"], Self::Oral),
            (&["rect", "anal", "直肠", "肛"], Self::Rectal),
            (&["finger", "指"], Self::Finger),
            (&["toe", "趾"], Self::Toe),
            (&["ear", "耳"], Self::Ear),
            (&["skin", "皮肤"], Self::Skin),
        ];
        known
            .into_iter()
            .find(|(words, _)| words.iter().any(|part| word.contains(part)))
            .map(|(_, site)| site)
    }
}
