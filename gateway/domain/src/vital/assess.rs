//! Reference ranges used in China, as data. The result is a flag beside the number, with the
//! range and its source; it is no diagnosis.

use serde::{Deserialize, Serialize};

use super::Quantity;

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
const GLUCOSE: &str =
    "Chinese guideline for type 2 diabetes, venous plasma; capillary readings are for screening";
const OXYGEN: &str = "common clinical range";
const FEVER: &str = "axillary temperature, common range in China";

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

/// What a blood pressure is called: the higher grade of the two.
fn pressure(systolic: f64, diastolic: f64, limits: &Limits) -> Assessment {
    let (high, low) = limits.hypertension;
    if systolic >= 180.0 || diastolic >= 110.0 {
        of("grade_3", "hypertension range, grade 3", "高血压范围（3级）", true, PRESSURE)
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
    } else if systolic >= 120.0 || diastolic >= 80.0 {
        of("high_normal", "high normal", "正常高值", false, PRESSURE)
    } else {
        of("normal", "normal", "正常", false, PRESSURE)
    }
}

fn glucose(value: f64, time: GlucoseTime) -> Assessment {
    let (impaired, diabetic) = match time {
        GlucoseTime::Fasting => (6.1, 7.0),
        GlucoseTime::AfterMeal => (7.8, 11.1),
        GlucoseTime::Random => (f64::INFINITY, 11.1),
    };
    if value < 2.8 {
        of("low", "low", "偏低", true, GLUCOSE)
    } else if value >= diabetic {
        of("high", "diabetes range", "糖尿病范围", true, GLUCOSE)
    } else if value >= impaired {
        of("impaired", "impaired range", "糖调节受损范围", true, GLUCOSE)
    } else {
        of("normal", "normal", "正常", false, GLUCOSE)
    }
}

/// What the values mean. Blood pressure needs both values, glucose its time; what cannot be
/// classified is not.
#[must_use]
pub fn assess(
    values: &[(Quantity, f64)],
    glucose_time: Option<GlucoseTime>,
    limits: &Limits,
) -> Vec<(Quantity, Assessment)> {
    let value = |quantity| values.iter().find(|(q, _)| *q == quantity).map(|(_, value)| *value);
    let mut all = Vec::new();
    if let (Some(systolic), Some(diastolic)) = (value(Quantity::Systolic), value(Quantity::Diastolic)) {
        all.push((Quantity::Systolic, pressure(systolic, diastolic, limits)));
    }
    if let Some(saturation) = value(Quantity::OxygenSaturation) {
        all.push((
            Quantity::OxygenSaturation,
            match saturation {
                95.0.. => of("normal", "normal", "正常", false, OXYGEN),
                90.0.. => of("low", "low", "偏低", true, OXYGEN),
                _ => of("hypoxaemia", "hypoxaemia range", "低氧血症范围", true, OXYGEN),
            },
        ));
    }
    if let Some(temperature) = value(Quantity::Temperature) {
        let flag = if temperature >= limits.fever {
            of("fever", "fever", "发热", true, FEVER)
        } else {
            of("normal", "normal", "正常", false, FEVER)
        };
        all.push((Quantity::Temperature, flag));
    }
    if let (Some(value), Some(time)) = (value(Quantity::Glucose), glucose_time) {
        all.push((Quantity::Glucose, glucose(value, time)));
    }
    all
}
