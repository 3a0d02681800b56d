//! Food safety in canteens: temperature limits with the regulation each comes from.

mod account;
pub mod cooling;
mod exposure;
#[cfg(test)]
mod golden;
mod signed;
pub mod wash;

use std::time::Duration;

use crate::alarm::{Condition, Priority};

pub use account::{Account, Day, Excursion};
pub use exposure::{DANGER, Exposure, Stretch};
pub use signed::{Signed, verify};

/// What a cabinet stores, or a machine disinfects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Chilled food.
    Cold,
    /// Frozen food.
    Frozen,
    /// Ready food held hot.
    Hot,
    /// Retained samples (留样).
    Samples,
    /// Dishes, washed by a machine.
    DishMachine,
    /// Dishes, disinfected by steam or boiling water.
    Steam,
    /// Dishes, disinfected by infrared.
    Infrared,
}

/// One limit on the temperature, in Cel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// What is added to the device's id.
    pub suffix: &'static str,
    /// Whether it is an upper limit.
    pub is_upper: bool,
    /// The limit.
    pub limit: f64,
    /// Dead-band.
    pub deadband: f64,
    /// On-delay: doors are opened, evaporators defrost.
    pub on_delay: Duration,
    /// Its priority.
    pub priority: Priority,
    /// The message to people.
    pub text: &'static str,
    /// The regulation it comes from.
    pub source: &'static str,
}

const COLD_RULE: &str = "GB 31654-2021: cold storage at 0 to 8 °C";
const FROZEN_RULE: &str = "operation specification for catering: frozen storage at −12 °C or below";
const HOT_RULE: &str = "GB 31654-2021: hot holding at 60 °C or above";
const SAMPLES_RULE: &str = "GB 31654-2021: samples retained at 0 to 8 °C for 48 h";

const fn above(suffix: &'static str, limit: f64, deadband: f64, seconds: u64, source: &'static str) -> Limit {
    let on_delay = Duration::from_secs(seconds);
    Limit {
        suffix,
        is_upper: true,
        limit,
        deadband,
        on_delay,
        priority: Priority::High,
        text: "温度过高",
        source,
    }
}

const fn below(suffix: &'static str, limit: f64, deadband: f64, seconds: u64, source: &'static str) -> Limit {
    let on_delay = Duration::from_secs(seconds);
    Limit {
        suffix,
        is_upper: false,
        limit,
        deadband,
        on_delay,
        priority: Priority::High,
        text: "温度过低",
        source,
    }
}

const COLD: &[Limit] = &[
    above("warm", 8.0, 1.0, 600, COLD_RULE),
    above("very-warm", 10.0, 1.0, 1800, COLD_RULE),
    Limit { priority: Priority::Medium, ..below("freezing", 0.0, 0.5, 600, COLD_RULE) },
];
const FROZEN: &[Limit] = &[above("warm", -12.0, 1.5, 1800, FROZEN_RULE)];
const HOT: &[Limit] = &[below("cool", 60.0, 2.0, 300, HOT_RULE)];
const SAMPLES: &[Limit] = &[above("warm", 8.0, 1.0, 300, SAMPLES_RULE)];

// === impl Kept ===

impl Kept {
    /// Returns the limits.
    #[must_use]
    pub const fn limits(self) -> &'static [Limit] {
        match self {
            Self::Cold => COLD,
            Self::Frozen => FROZEN,
            Self::Hot => HOT,
            Self::Samples => SAMPLES,
            Self::DishMachine | Self::Steam | Self::Infrared => &[],
        }
    }

    /// Returns the regulation, as it is written in the record.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Cold => "GB 31654-2021：冷藏 0–8 °C",
            Self::Frozen => "餐饮服务食品安全操作规范：冷冻 −12 °C 以下",
            Self::Hot => "GB 31654-2021：热藏 60 °C 以上",
            Self::Samples => "GB 31654-2021：留样 0–8 °C，48 小时",
            Self::DishMachine => "GB 31654-2021：洗碗机 85 °C，40 秒",
            Self::Steam => "GB 31654-2021：蒸汽或煮沸 100 °C，10 分钟",
            Self::Infrared => "GB 31654-2021：红外 120 °C，10 分钟",
        }
    }

    /// Returns the Chinese name.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::Cold => "冷藏",
            Self::Frozen => "冷冻",
            Self::Hot => "热藏",
            Self::Samples => "留样",
            Self::DishMachine => "洗碗机",
            Self::Steam => "蒸汽/煮沸消毒",
            Self::Infrared => "红外消毒",
        }
    }
}

// === impl Limit ===

impl Limit {
    /// Whether a value is beyond the limit; the limit itself is within.
    #[must_use]
    pub fn is_beyond(&self, value: f64) -> bool {
        if self.is_upper { value > self.limit } else { value < self.limit }
    }

    /// Returns the limit as an alarm condition.
    #[must_use]
    pub const fn condition(&self) -> Condition {
        let (limit, deadband) = (self.limit, self.deadband);
        if self.is_upper { Condition::High { limit, deadband } } else { Condition::Low { limit, deadband } }
    }
}
