//! A measurement of vital signs, as a device reports it.

use serde::{Deserialize, Serialize};

use super::plausible::possible;
use super::{Attachment, AttachmentInfo, Comparator, Patient, Quantity, Site};
use crate::{ClockQuality, Timestamp};

/// Something about a reading that makes it doubtful. It is stored and shown with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Caveat {
    /// The body moved.
    BodyMovement,
    /// The cuff was too loose.
    CuffLoose,
    /// The pulse was irregular.
    IrregularPulse,
    /// The pulse was above or below what the device measures well.
    PulseOutOfRange,
    /// The arm or body was in the wrong position.
    ImproperPosition,
    /// The signal was weak, displaced or disturbed.
    PoorSignal,
    /// Perfusion was low.
    LowPerfusion,
    /// The measurement was still going on, or an early estimate.
    Preliminary,
    /// The device itself calls it questionable.
    Questionable,
    /// The device was in demonstration or test mode.
    Demonstration,
    /// It came out of the device's memory.
    FromStorage,
    /// Believable, but outside what such devices measure well.
    Unusual,
    /// It does not fit another reading of the same measurement.
    Inconsistent,
    /// The device's clock is wrong by more than five minutes.
    ClockSkew,
    /// The sender has corrected an earlier result.
    Corrected,
    /// The sample was control solution, not blood.
    ControlSolution,
    /// The strip was wrong, or inserted wrongly.
    StripError,
    /// There was too little blood.
    SampleTooSmall,
    /// The sensor or the device has a fault.
    DeviceFault,
    /// The device was too hot or too cold.
    TemperatureOutOfRange,
    /// The strip was pulled too early.
    Interrupted,
    /// The device gave a time of measuring that cannot be one: unreadable, not to the minute, of a clock that was never
    /// set, or of the future.
    TimeUnclear,
}

/// Why there is no value (FHIR data-absent-reason).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoReading {
    /// The device sent "not a number".
    NotANumber,
    /// Too large to express.
    PositiveInfinity,
    /// Too small to express.
    NegativeInfinity,
    /// Nothing was measured: finger out, probe error, still searching, cannot obtain.
    NotPerformed,
    /// The device reports an error, or the value cannot be one of a living person.
    Error,
}

/// One quantity of a measurement, in its own unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct Reading {
    /// The quantity.
    pub quantity: Quantity,
    /// The value in [`Quantity::unit`], or why there is none.
    pub value: Result<f64, NoReading>,
    /// The true value is not this number but beyond it.
    pub comparator: Option<Comparator>,
    /// The true value lies between the number and this one.
    pub upper: Option<f64>,
    /// Where on the body, where that matters (temperature) and is known.
    pub site: Option<Site>,
    /// Reasons to doubt it.
    pub caveats: Vec<Caveat>,
}

/// A reading as it is written: `{"quantity":"temperature","value":36.6}`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    quantity: Quantity,
    #[serde(default)]
    value: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    comparator: Option<Comparator>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    upper: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    site: Option<Site>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absent: Option<NoReading>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    caveats: Vec<Caveat>,
}

/// When it was taken, by both clocks. Neither is ever corrected by the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// By the gateway's clock: when the device told it.
    pub at: Timestamp,
    /// How far that clock can be trusted.
    pub clock: ClockQuality,
    /// By the device's clock, where it has one that was set: local time as Unix milliseconds of
    /// the same wall reading.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Timestamp>,
}

/// One measurement.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// When it was taken.
    pub taken: Taken,
    /// The readings.
    pub readings: Vec<Reading>,
    /// The device's own name for it (sequence number, message control id): the same one told
    /// again is the same measurement.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The sender used the key before for something else: both are stored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub key_reused: bool,
    /// When the sender made the message (HL7, MSH-7); of the message, never stored.
    #[serde(skip)]
    pub sent: Option<Timestamp>,
    /// Quantities whose reading replaces an earlier one, or withdraws it if it has no value. Of the message; never
    /// stored.
    #[serde(skip)]
    pub amends: Vec<Quantity>,
    /// Documents that came with it: sealed and stored apart, never with it.
    #[serde(skip)]
    pub attachments: Vec<Attachment>,
    /// What is kept of each document beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attached: Vec<AttachmentInfo>,
    /// The user's number on a device with several users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<u8>,
    /// Who the sender says was measured; never stored, never sent.
    #[serde(skip)]
    pub patient: Patient,
}

// === impl Caveat ===

impl Caveat {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::BodyMovement,
        Self::CuffLoose,
        Self::IrregularPulse,
        Self::PulseOutOfRange,
        Self::ImproperPosition,
        Self::PoorSignal,
        Self::LowPerfusion,
        Self::Preliminary,
        Self::Questionable,
        Self::Demonstration,
        Self::FromStorage,
        Self::Unusual,
        Self::Inconsistent,
        Self::ClockSkew,
        Self::Corrected,
        Self::ControlSolution,
        Self::StripError,
        Self::SampleTooSmall,
        Self::DeviceFault,
        Self::TemperatureOutOfRange,
        Self::Interrupted,
        Self::TimeUnclear,
    ];

    /// Chinese, for workers.
    #[must_use]
    pub const fn chinese(self) -> &'static str {
        match self {
            Self::BodyMovement => "体动",
            Self::CuffLoose => "袖带松",
            Self::IrregularPulse => "脉搏不齐",
            Self::PulseOutOfRange => "脉率超出量程",
            Self::ImproperPosition => "体位不当",
            Self::PoorSignal => "信号差",
            Self::LowPerfusion => "灌注低",
            Self::Preliminary => "初步结果",
            Self::Questionable => "设备存疑",
            Self::Demonstration => "演示或测试",
            Self::FromStorage => "来自设备存储",
            Self::Unusual => "数值少见",
            Self::Inconsistent => "与同次读数矛盾",
            Self::ClockSkew => "设备时钟不准",
            Self::Corrected => "设备已更正",
            Self::ControlSolution => "质控液",
            Self::StripError => "试纸错误",
            Self::SampleTooSmall => "血量不足",
            Self::DeviceFault => "设备故障",
            Self::TemperatureOutOfRange => "环境温度超限",
            Self::Interrupted => "测量中断",
            Self::TimeUnclear => "测量时间不明",
        }
    }

    /// Whether it keeps the value from being averaged: the value may be wrong, or nobody knows when it was measured.
    #[must_use]
    pub const fn is_doubt(self) -> bool {
        !matches!(self, Self::FromStorage | Self::ClockSkew | Self::Corrected)
    }
}

// === impl Reading ===

impl Reading {
    /// A reading without doubts.
    #[must_use]
    pub const fn of(quantity: Quantity, value: f64) -> Self {
        Self { quantity, value: Ok(value), comparator: None, upper: None, site: None, caveats: Vec::new() }
    }

    /// No reading, and why.
    #[must_use]
    pub const fn none(quantity: Quantity, why: NoReading) -> Self {
        Self { quantity, value: Err(why), comparator: None, upper: None, site: None, caveats: Vec::new() }
    }

    /// The lowest and the highest number that the true value can be, `None` if no reference range applies: there is
    /// no value, it is a test, or it was taken where the body has no temperature of its own.
    #[must_use]
    pub fn judged(&self) -> Option<(f64, f64)> {
        let is_peripheral =
            self.quantity == Quantity::Temperature && self.site.is_some_and(Site::is_peripheral);
        let value = self.value.ok().filter(|_| !is_peripheral && !self.is_test())?;
        let (least, most) = possible(self.quantity);
        let step = 0.1_f64.powi(i32::from(self.quantity.decimals()));
        Some(match (self.comparator, self.upper) {
            (None, upper) => (value, upper.unwrap_or(value)),
            (Some(Comparator::Below), _) => (least, value - step),
            (Some(Comparator::AtMost), _) => (least, value),
            (Some(Comparator::AtLeast), _) => (value, most),
            (Some(Comparator::Above), _) => (value + step, most),
        })
    }

    /// Whether it is of no person: the device was tested, or measured control solution.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.caveats.iter().any(|caveat| matches!(caveat, Caveat::Demonstration | Caveat::ControlSolution))
    }

    /// The number, if it may be averaged and compared: it is exact, and nothing makes it doubtful.
    #[must_use]
    pub fn certain(&self) -> Option<f64> {
        let is_exact = self.comparator.is_none() && self.upper.is_none();
        let is_sound = !self.caveats.iter().any(|caveat| caveat.is_doubt());
        self.value.ok().filter(|_| is_exact && is_sound)
    }

    /// The value as people read it: `36.6`, `>33.3`, `10-12`; `None` if there is none.
    #[must_use]
    pub fn shown(&self) -> Option<String> {
        let decimals = usize::from(self.quantity.decimals());
        let value = self.value.ok()?;
        let upper = self.upper.map(|upper| format!("-{upper:.decimals$}")).unwrap_or_default();
        let comparator = self.comparator.map_or("", Comparator::as_str);
        Some(format!("{comparator}{value:.decimals$}{upper}"))
    }

    /// Takes the value away; why there is none.
    pub fn refuse(&mut self, why: NoReading) {
        (self.value, self.comparator, self.upper) = (Err(why), None, None);
    }

    /// Notes a doubt once.
    pub fn doubt(&mut self, caveat: Caveat) {
        if !self.caveats.contains(&caveat) {
            self.caveats.push(caveat);
        }
    }
}

// === impl Written ===

impl From<Written> for Reading {
    fn from(written: Written) -> Self {
        let value = written.value.ok_or(written.absent.unwrap_or(NoReading::NotPerformed));
        let Written { quantity, comparator, upper, site, caveats, .. } = written;
        Self { quantity, value, comparator, upper, site, caveats }
    }
}

impl From<Reading> for Written {
    fn from(reading: Reading) -> Self {
        let Reading { quantity, value, comparator, upper, site, caveats } = reading;
        Self { quantity, value: value.ok(), comparator, upper, site, absent: value.err(), caveats }
    }
}

// === impl Measurement ===

impl Measurement {
    /// A measurement of which only time and readings are known.
    #[must_use]
    pub fn of(taken: Taken, readings: Vec<Reading>) -> Self {
        Self {
            taken,
            readings,
            key: None,
            key_reused: false,
            sent: None,
            amends: Vec::new(),
            attachments: Vec::new(),
            attached: Vec::new(),
            user: None,
            patient: Patient::default(),
        }
    }

    /// When it was taken: by the device's clock if it has one that can be right, else when it arrived.
    #[must_use]
    pub fn when(&self) -> Timestamp {
        let is_wrong = |caveat: &Caveat| matches!(caveat, Caveat::ClockSkew | Caveat::TimeUnclear);
        let is_wrong = self.readings.iter().any(|reading| reading.caveats.iter().any(is_wrong));
        self.taken.device.filter(|_| !is_wrong).unwrap_or(self.taken.at)
    }

    /// Whether it is of no person: one of its readings is a test.
    #[must_use]
    pub fn is_test(&self) -> bool {
        self.readings.iter().any(Reading::is_test)
    }

    /// The value of a quantity, if there is one that is exact and not doubtful.
    #[must_use]
    pub fn certain(&self, quantity: Quantity) -> Option<f64> {
        self.readings.iter().find(|r| r.quantity == quantity).and_then(Reading::certain)
    }

    /// The value of a quantity, if there is one.
    #[must_use]
    pub fn value(&self, quantity: Quantity) -> Option<f64> {
        self.readings.iter().find(|r| r.quantity == quantity).and_then(|r| r.value.ok())
    }
}
