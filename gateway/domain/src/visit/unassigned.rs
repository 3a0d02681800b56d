//! Why a measurement is nobody's until a person says whose it is.

use serde::{Deserialize, Serialize};

/// Why a measurement must be assigned by a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unassigned {
    /// The device has no room.
    NoRoom,
    /// There was no visit.
    NoVisit,
    /// It began before the visit.
    BegunBefore,
    /// Two visits lie so close together that it may be either's.
    TwoVisits,
    /// It comes out of the device's memory, or a clock is wrong.
    TimeUnclear,
    /// Its sender names somebody who is not the visit's resident.
    OtherPatient,
    /// Its sender names a visit in another room.
    OtherRoom,
    /// Its sender names several people who have open visits.
    SeveralPatients,
    /// The message is about several people and does not say about whom this is.
    PatientUnclear,
    /// It is a test, or of a control solution.
    Test,
}

// === impl Unassigned ===

impl Unassigned {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::NoRoom,
        Self::NoVisit,
        Self::BegunBefore,
        Self::TwoVisits,
        Self::TimeUnclear,
        Self::OtherPatient,
        Self::OtherRoom,
        Self::SeveralPatients,
        Self::PatientUnclear,
        Self::Test,
    ];

    /// English, for the sender and for workers.
    #[must_use]
    pub const fn english(self) -> &'static str {
        match self {
            Self::NoRoom => "the device stands in no room; give it one in devices.toml",
            Self::NoVisit => "no visit was open",
            Self::BegunBefore => "it was begun before the visit was",
            Self::TwoVisits => "two visits lie too close together",
            Self::TimeUnclear => "it comes from memory, or the clock is wrong",
            Self::OtherPatient => "the patient it names has no open visit here",
            Self::OtherRoom => "the visit it names is in another room",
            Self::SeveralPatients => "it names several patients who have open visits",
            Self::PatientUnclear => "the message is about several patients and does not say whose this is",
            Self::Test => "it is a test or a control solution, of no person",
        }
    }

    /// Chinese, for workers.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::NoRoom => "设备未登记房间，请在 devices.toml 中填写",
            Self::NoVisit => "当时没有进行中的就诊",
            Self::BegunBefore => "测量开始于就诊之前",
            Self::TwoVisits => "前后两次就诊间隔太近",
            Self::TimeUnclear => "来自设备存储，或时钟不准",
            Self::OtherPatient => "消息所指的人在此没有进行中的就诊",
            Self::OtherRoom => "消息所指的就诊在另一个房间",
            Self::SeveralPatients => "消息指向多位有就诊的居民",
            Self::PatientUnclear => "消息涉及多人，未说明这是谁的",
            Self::Test => "测试或质控液结果，不属于任何人",
        }
    }
}
