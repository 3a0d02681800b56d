//! Critical values (危急值): a person must act at once. One table of limits with their sources; a centre may set others.
//!
//! The limits of pressure and pulse are those of adults; below 12 years they are not applied.

use super::{Caveat, Quantity, Reading};

/// Limits of one quantity, in its unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CriticalLimit {
    /// The quantity.
    pub quantity: Quantity,
    /// Critical at this value and below.
    pub low: Option<f64>,
    /// Critical at this value and above.
    pub high: Option<f64>,
    /// Where it comes from: a document, or the setting of the centre.
    pub source: &'static str,
    /// Whether it applies to children below 12 years too.
    pub is_for_children: bool,
}

/// Why a value is critical.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Critical {
    /// The quantity.
    pub quantity: Quantity,
    /// Whether it is too high; else it is too low.
    pub is_high: bool,
    /// The limit that it reaches.
    pub limit: f64,
    /// Where the limit comes from.
    pub source: &'static str,
}

const PUBLIC_HEALTH: &str = "国家基本公共卫生服务规范（第三版, 2017）, 需紧急转诊的情况";
const NEWS2: &str = "NEWS2 (Royal College of Physicians, 2017), a single score of 3";
const DIAGNOSTICS: &str = "诊断学（第9版, 2018）, hypoxaemia";

/// What is said of a limit that the centre set and nobody signed for.
pub const OF_CENTRE: &str = "本站设定（未署名） set by the centre, nobody signed for it: [cabin]";

const fn row(
    quantity: Quantity,
    low: Option<f64>,
    high: Option<f64>,
    source: &'static str,
    is_for_children: bool,
) -> CriticalLimit {
    CriticalLimit { quantity, low, high, source, is_for_children }
}

/// The limits that apply without settings.
pub const CRITICAL: [CriticalLimit; 9] = [
    row(Quantity::Systolic, None, Some(180.0), PUBLIC_HEALTH, false),
    row(Quantity::Systolic, Some(90.0), None, NEWS2, false),
    row(Quantity::Diastolic, None, Some(110.0), PUBLIC_HEALTH, false),
    row(Quantity::PulseRate, Some(40.0), Some(131.0), NEWS2, false),
    row(Quantity::OxygenSaturation, Some(89.0), None, DIAGNOSTICS, true),
    row(Quantity::RespirationRate, Some(8.0), Some(25.0), NEWS2, false),
    row(Quantity::Temperature, Some(35.0), None, NEWS2, true),
    row(Quantity::Temperature, None, Some(39.1), PUBLIC_HEALTH, true),
    row(Quantity::Glucose, Some(3.9), Some(16.7), PUBLIC_HEALTH, true),
];

/// From this age on, in months, the limits of adults apply.
const ADULT: u16 = 12 * 12;

/// Whether a doubt says that the number is not what it seems. An unusual one is the more critical.
const fn is_wrong(caveat: Caveat) -> bool {
    !matches!(
        caveat,
        Caveat::Unusual
            | Caveat::IrregularPulse
            | Caveat::PulseOutOfRange
            | Caveat::TimeUnclear
            | Caveat::ClockSkew
            | Caveat::Corrected
    )
}

/// Why a reading is critical, if it is. A doubtful one is not: it must be repeated first.
#[must_use]
pub fn critical(reading: &Reading, age_months: Option<u16>, limits: &[CriticalLimit]) -> Option<Critical> {
    let (least, most) = reading.judged()?;
    if reading.caveats.iter().any(|caveat| is_wrong(*caveat)) {
        return None;
    }
    let is_child = age_months.is_some_and(|months| months < ADULT);
    let rows = limits.iter().filter(|row| row.quantity == reading.quantity);
    rows.filter(|row| row.is_for_children || !is_child).find_map(|row| {
        let found = |is_high, limit| Critical { quantity: row.quantity, is_high, limit, source: row.source };
        let low = row.low.filter(|low| most <= *low).map(|low| found(false, low));
        low.or_else(|| row.high.filter(|high| least >= *high).map(|high| found(true, high)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_reached_at_their_value() {
        let is = |quantity, value| {
            critical(&Reading::of(quantity, value), None, &CRITICAL).map(|found| (found.is_high, found.limit))
        };
        assert_eq!(is(Quantity::Systolic, 179.0), None);
        assert_eq!(is(Quantity::Systolic, 180.0), Some((true, 180.0)));
        assert_eq!(is(Quantity::Systolic, 90.0), Some((false, 90.0)));
        assert_eq!(is(Quantity::Diastolic, 110.0), Some((true, 110.0)));
        assert_eq!(is(Quantity::OxygenSaturation, 90.0), None);
        assert_eq!(is(Quantity::OxygenSaturation, 89.0), Some((false, 89.0)));
        assert_eq!(is(Quantity::Glucose, 16.7), Some((true, 16.7)));
        assert_eq!(is(Quantity::Glucose, 5.0), None);
        assert_eq!(is(Quantity::Weight, 300.0), None);
    }

    #[test]
    fn a_doubtful_one_is_repeated_first_and_an_unusual_one_is_not() {
        let mut reading = Reading::of(Quantity::OxygenSaturation, 65.0);
        reading.doubt(Caveat::Unusual);
        assert!(critical(&reading, None, &CRITICAL).is_some());
        reading.doubt(Caveat::PoorSignal);
        assert_eq!(critical(&reading, None, &CRITICAL), None);
    }

    #[test]
    fn a_fast_pulse_is_no_emergency_of_a_child() {
        let pulse = Reading::of(Quantity::PulseRate, 140.0);
        assert_eq!(critical(&pulse, Some(20), &CRITICAL), None);
        assert!(critical(&pulse, Some(12 * 12), &CRITICAL).is_some());
        let glucose = Reading::of(Quantity::Glucose, 3.0);
        assert!(critical(&glucose, Some(20), &CRITICAL).is_some());
    }
}
