//! Device classes: the priority of data when not everything can be stored or sent.

use serde::{Deserialize, Serialize};

/// The purpose of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceClass {
    /// Meters, rooms, counters: evicted first when space runs out.
    #[default]
    Telemetry,
    /// Kiosks and their printers.
    Kiosk,
    /// Doors, fans, lamps: their state matters after a mode switch.
    Actuator,
    /// Fridges, hot holding, gas: kept longer than telemetry.
    FoodSafety,
    /// Residents' vital signs: evicted last.
    Vital,
}

/// The order in which the uplink delivers, and the reverse order in which the store evicts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Alarms, mode events, orders, vital signs, command results, the loss ledger.
    Urgent,
    /// Everything else. While it is older than the connection the uplink calls it backlog.
    Data,
}

// === impl DeviceClass ===

impl DeviceClass {
    /// Every class, in the order of eviction.
    pub const ALL: [Self; 5] = [Self::Telemetry, Self::Kiosk, Self::Actuator, Self::FoodSafety, Self::Vital];

    /// The word used in configuration, payloads and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Telemetry => "telemetry",
            Self::Kiosk => "kiosk",
            Self::Actuator => "actuator",
            Self::FoodSafety => "food_safety",
            Self::Vital => "vital",
        }
    }

    /// Returns the code for storage: the position in [`DeviceClass::ALL`].
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Reverse of [`DeviceClass::code`].
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Whether people are in danger when its data comes late.
    #[must_use]
    pub const fn is_alarm_relevant(self) -> bool {
        matches!(self, Self::FoodSafety | Self::Vital)
    }

    /// Vital signs travel with the alarms.
    #[must_use]
    pub const fn lane(self) -> Lane {
        match self {
            Self::Vital => Lane::Urgent,
            _ => Lane::Data,
        }
    }
}

// === impl Lane ===

impl Lane {
    /// The word used in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Urgent => "urgent",
            Self::Data => "data",
        }
    }
}
