//! Reference ranges used in China, as data. The result is a flag beside the number, with the
//! range and its source; it is no diagnosis.

use serde::{Deserialize, Serialize};

use super::{Quantity, Reading};

/// When glucose was taken; without it glucose is not classified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GlucoseTime {
    /// At least eight hours after the last meal.
    Fasting,
    /// Two hours after a meal.
    AfterMeal,
    /// Any time.
    Random,
}

/// Limits a centre may set otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// Blood pressure from which it is hypertension, systolic and diastolic. 140/90 by the Chinese
    /// guideline of 2018 and 2024; a clinical-practice guideline of 2022 proposed 130/80.
    pub hypertension: (f64, f64),
    /// Axillary temperature from which it is fever.
    pub fever: f64,
}

/// What a value is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Assessment {
    /// The word used in payloads.
    pub flag: &'static str,
    /// English.
    pub english: &'static str,
    /// Chinese.
    pub chinese: &'static str,
    /// Whether somebody should look.
    pub is_notable: bool,
    /// Where the range comes from.
    pub source: &'static str,
}

const PRESSURE: &str = "Chinese guideline for hypertension (2018, 2024), adults, office";
const LOW_PRESSURE: &str = "Diagnostics (诊断学), adults: hypotension below 90 or below 60 mmHg";
const GLUCOSE: &str =
    "Chinese guideline for type 2 diabetes, venous plasma; capillary readings are for screening";
const OXYGEN: &str = "common clinical range";
const FEVER: &str = "axillary temperature, common range in China";
const COLD: &str = "hypothermia: core temperature below 35 °C";
const PULSE: &str = "Diagnostics (诊断学), adults at rest: 60 to 100 per minute";
const BREATH: &str = "Diagnostics (诊断学), adults at rest: 12 to 20 per minute";
const BODY_MASS: &str = "WS/T 428-2013, adults";

/// From that value on, a quantity is called so.
type Band = (f64, Assessment);

/// The bands of quantities that are judged by themselves, each from its lower limit up. Adults: a cabin does not
/// know ages, and says so in the source.
const OXYGEN_BANDS: &[Band] = &[
    (0.0, of("hypoxaemia", "hypoxaemia range", "低氧血症范围", true, OXYGEN)),
    (90.0, of("low", "low", "偏低", true, OXYGEN)),
    (95.0, of("normal", "normal", "正常", false, OXYGEN)),
];
const PULSE_BANDS: &[Band] = &[
    (0.0, of("low", "slow", "偏慢", true, PULSE)),
    (60.0, of("normal", "normal", "正常", false, PULSE)),
    (101.0, of("high", "fast", "偏快", true, PULSE)),
];
const BREATH_BANDS: &[Band] = &[
    (0.0, of("low", "slow", "偏慢", true, BREATH)),
    (12.0, of("normal", "normal", "正常", false, BREATH)),
    (21.0, of("high", "fast", "偏快", true, BREATH)),
];
const BODY_MASS_BANDS: &[Band] = &[
    (0.0, of("low", "underweight", "体重过低", true, BODY_MASS)),
    (18.5, of("normal", "normal", "正常", false, BODY_MASS)),
    (24.0, of("overweight", "overweight", "超重", true, BODY_MASS)),
    (28.0, of("obese", "obese", "肥胖", true, BODY_MASS)),
];

/// Lower limits of adults' pressure.
const LOW: (f64, f64) = (90.0, 60.0);

const fn of(
    flag: &'static str,
    english: &'static str,
    chinese: &'static str,
    is_notable: bool,
    source: &'static str,
) -> Assessment {
    Assessment { flag, english, chinese, is_notable, source }
}

// === impl Limits ===

impl Default for Limits {
    fn default() -> Self {
        Self { hypertension: (140.0, 90.0), fever: 37.3 }
    }
}

/// What a blood pressure is called: the higher grade of the two, and low if one of them is.
fn pressure(systolic: f64, diastolic: f64, limits: &Limits) -> Assessment {
    let (high, low) = limits.hypertension;
    if let Some(extreme) = extreme(Some(systolic), Some(diastolic)).filter(|found| found.flag != "low") {
        extreme
    } else if systolic >= 160.0 || diastolic >= 100.0 {
        of("grade_2", "hypertension range, grade 2", "高血压范围（2级）", true, PRESSURE)
    } else if systolic >= high && diastolic < low {
        of(
            "isolated_systolic",
            "isolated systolic hypertension range",
            "单纯收缩期高血压范围",
            true,
            PRESSURE,
        )
    } else if systolic >= high || diastolic >= low {
        of("grade_1", "hypertension range, grade 1", "高血压范围（1级）", true, PRESSURE)
    } else if let Some(low) = extreme(Some(systolic), Some(diastolic)) {
        low
    } else if systolic >= 120.0 || diastolic >= 80.0 {
        of("high_normal", "high normal", "正常高值", false, PRESSURE)
    } else {
        of("normal", "normal", "正常", false, PRESSURE)
    }
}

/// What one pressure says even without the other: the highest grade, or low.
fn extreme(systolic: Option<f64>, diastolic: Option<f64>) -> Option<Assessment> {
    if systolic.is_some_and(|value| value >= 180.0) || diastolic.is_some_and(|value| value >= 110.0) {
        return Some(of("grade_3", "hypertension range, grade 3", "高血压范围（3级）", true, PRESSURE));
    }
    let is_low = systolic.is_some_and(|value| value < LOW.0) || diastolic.is_some_and(|value| value < LOW.1);
    is_low.then(|| of("low", "low", "偏低", true, LOW_PRESSURE))
}

fn temperature(value: f64, limits: &Limits) -> Assessment {
    if value >= limits.fever {
        of("fever", "fever", "发热", true, FEVER)
    } else if value < 35.0 {
        of("low", "hypothermia range", "体温过低", true, COLD)
    } else {
        of("normal", "normal", "正常", false, FEVER)
    }
}

fn glucose(value: f64, time: GlucoseTime) -> Assessment {
    let (impaired, diabetic) = match time {
        GlucoseTime::Fasting => (6.1, 7.0),
        GlucoseTime::AfterMeal => (7.8, 11.1),
        GlucoseTime::Random => (f64::INFINITY, 11.1),
    };
    // 3.9: of people with diabetes, who may not be known as such; of others 2.8.
    if value < 3.9 {
        of("low", "low", "偏低", true, GLUCOSE)
    } else if value >= diabetic {
        of("high", "diabetes range", "糖尿病范围", true, GLUCOSE)
    } else if value >= impaired {
        of("impaired", "impaired range", "糖调节受损范围", true, GLUCOSE)
    } else {
        of("normal", "normal", "正常", false, GLUCOSE)
    }
}

/// What readings of one measurement mean. One that is no exact number is judged only if all that it can be is called
/// the same.
#[must_use]
pub fn judge(
    readings: &[Reading],
    glucose_time: Option<GlucoseTime>,
    limits: &Limits,
) -> Vec<(Quantity, Assessment)> {
    let judged = || readings.iter().filter_map(|reading| Some((reading.quantity, reading.judged()?)));
    let least: Vec<_> = judged().map(|(quantity, (least, _))| (quantity, least)).collect();
    let most: Vec<_> = judged().map(|(quantity, (_, most))| (quantity, most)).collect();
    let of_most = assess(&most, glucose_time, limits);
    assess(&least, glucose_time, limits).into_iter().filter(|found| of_most.contains(found)).collect()
}

/// What the values mean. Blood pressure needs both values unless one of them is extreme, glucose its time unless it
/// is low; what cannot be classified is not.
#[must_use]
pub fn assess(
    values: &[(Quantity, f64)],
    glucose_time: Option<GlucoseTime>,
    limits: &Limits,
) -> Vec<(Quantity, Assessment)> {
    let value = |quantity: Quantity| {
        let found = values.iter().find(|(q, _)| *q == quantity)?.1;
        // As people read it: 94.96 is 95, and 37.29999 is 37.3.
        let scale = 10_f64.powi(i32::from(quantity.decimals()));
        Some((found * scale).round() / scale)
    };
    let banded = |quantity: Quantity, bands: &[Band]| {
        let value = value(quantity)?;
        bands.iter().rev().find(|(from, _)| value >= *from).map(|(_, found)| (quantity, *found))
    };
    let (systolic, diastolic) = (value(Quantity::Systolic), value(Quantity::Diastolic));
    let pressures = match (systolic, diastolic) {
        (Some(systolic), Some(diastolic)) => Some(pressure(systolic, diastolic, limits)),
        _ => extreme(systolic, diastolic),
    };
    let of_pressure = if systolic.is_some() { Quantity::Systolic } else { Quantity::Diastolic };
    let sugar = value(Quantity::Glucose).and_then(|value| match glucose_time {
        Some(time) => Some(glucose(value, time)),
        // Low is low at any time.
        None => Some(glucose(value, GlucoseTime::Random)).filter(|found| found.flag == "low"),
    });
    [
        pressures.map(|found| (of_pressure, found)),
        banded(Quantity::OxygenSaturation, OXYGEN_BANDS),
        value(Quantity::Temperature).map(|value| (Quantity::Temperature, temperature(value, limits))),
        sugar.map(|found| (Quantity::Glucose, found)),
        banded(Quantity::PulseRate, PULSE_BANDS),
        banded(Quantity::RespirationRate, BREATH_BANDS),
        banded(Quantity::BodyMassIndex, BODY_MASS_BANDS),
    ]
    .into_iter()
    .flatten()
    .collect()
}
