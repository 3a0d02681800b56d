//! Quality of values, with the reason.

use std::fmt;
use std::str::FromStr;

/// OPC-style quality with the reason attached to everything that is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Quality {
    /// Measured, decoded, plausible.
    #[default]
    Good,
    /// The value is doubtful.
    Uncertain(Reason),
    /// There is no usable value.
    Bad(Reason),
}

/// Why a quality is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    /// The device did not answer in time.
    Silent = 1,
    /// The device answered with an exception.
    Refused = 2,
    /// The reply was damaged or not an answer to the question.
    Garbled = 3,
    /// The line itself (port, cable, connection) is down.
    LineDown = 4,
    /// The device sent its code for "no measurement".
    NoValue = 5,
    /// A float that is not a number, or infinite.
    NotANumber = 6,
    /// Outside what the device can physically measure.
    OutOfRange = 7,
    /// The device is not the configured model.
    WrongDevice = 8,
    /// The bytes do not decode, e.g. a BCD digit above 9.
    Undecodable = 9,
    /// Too old to be shown as live.
    Stale = 10,
    /// The device says that its own sensor is faulty.
    SensorFault = 11,
    /// The value contradicts those before it, such as a counter that fell once.
    Doubtful = 12,
    /// The device was too busy to answer.
    Busy = 13,
    /// A broker kept the value while nobody listened; when it was measured is not known.
    Retained = 14,
    /// The device has no such value.
    NotThere = 15,
}

// === impl Quality ===

impl Quality {
    /// Whether the value may be used without reservation.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Good)
    }

    /// Returns the code for storage: 0 good, else the reason, with the high bit set for bad.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Uncertain(reason) => reason as u8,
            Self::Bad(reason) => 0x80 | reason as u8,
        }
    }

    /// Reverse of [`Quality::code`].
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        if code == 0 {
            return Some(Self::Good);
        }
        let reason = Reason::ALL.into_iter().find(|r| *r as u8 == code & 0x7F)?;
        Some(if code & 0x80 == 0 { Self::Uncertain(reason) } else { Self::Bad(reason) })
    }
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Good => f.write_str("good"),
            Self::Uncertain(reason) => write!(f, "uncertain:{}", reason.as_str()),
            Self::Bad(reason) => write!(f, "bad:{}", reason.as_str()),
        }
    }
}

/// A text that does not name a quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoQuality;

impl FromStr for Quality {
    type Err = NoQuality;

    /// Reverse of its display.
    fn from_str(text: &str) -> Result<Self, NoQuality> {
        if text == "good" {
            return Ok(Self::Good);
        }
        let (word, reason) = text.split_once(':').ok_or(NoQuality)?;
        let reason = Reason::ALL.into_iter().find(|known| known.as_str() == reason).ok_or(NoQuality)?;
        match word {
            "uncertain" => Ok(Self::Uncertain(reason)),
            "bad" => Ok(Self::Bad(reason)),
            _ => Err(NoQuality),
        }
    }
}

// === impl Reason ===

impl Reason {
    /// Every reason, in the order of the codes.
    pub const ALL: [Self; 15] = [
        Self::Silent,
        Self::Refused,
        Self::Garbled,
        Self::LineDown,
        Self::NoValue,
        Self::NotANumber,
        Self::OutOfRange,
        Self::WrongDevice,
        Self::Undecodable,
        Self::Stale,
        Self::SensorFault,
        Self::Doubtful,
        Self::Busy,
        Self::Retained,
        Self::NotThere,
    ];

    /// The word used in payloads, metrics and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::Refused => "refused",
            Self::Garbled => "garbled",
            Self::LineDown => "line_down",
            Self::NoValue => "no_value",
            Self::NotANumber => "not_a_number",
            Self::OutOfRange => "out_of_range",
            Self::WrongDevice => "wrong_device",
            Self::Undecodable => "undecodable",
            Self::Stale => "stale",
            Self::SensorFault => "sensor_fault",
            Self::Doubtful => "doubtful",
            Self::Busy => "busy",
            Self::Retained => "retained",
            Self::NotThere => "not_there",
        }
    }
}
