//! National Early Warning Score 2, exactly as its chart (Royal College of Physicians, 2017,
//! chart 1). A missing parameter makes it incomplete, never zero.

use serde::{Deserialize, Serialize};

/// How the oxygen saturation is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Oxygen {
    /// Scale 1, for everybody.
    #[default]
    Scale1,
    /// Scale 2, for hypercapnic respiratory failure, on a clinician's decision only.
    Scale2,
}

/// What is known of the seven parameters.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Parameters {
    /// Breaths per minute.
    pub respiration_rate: Option<f64>,
    /// Percent.
    pub oxygen_saturation: Option<f64>,
    /// Whether supplemental oxygen is given.
    pub on_oxygen: Option<bool>,
    /// mm\[Hg\].
    pub systolic: Option<f64>,
    /// Beats per minute.
    pub pulse_rate: Option<f64>,
    /// Alert; otherwise new confusion, responds to voice or pain, unresponsive (CVPU).
    pub is_alert: Option<bool>,
    /// Cel.
    pub temperature: Option<f64>,
}

/// Clinical risk of a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// 0 to 4.
    Low,
    /// 3 in any single parameter.
    LowMedium,
    /// 5 or 6.
    Medium,
    /// 7 and more.
    High,
}

/// What could be scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Score {
    /// All seven parameters were there.
    Complete {
        /// 0 to 20.
        total: u8,
        /// What it means.
        risk: Risk,
    },
    /// Some were missing: no total, but a single 3 is worth knowing at once.
    Incomplete {
        /// How many of the seven were there.
        known: u8,
        /// Whether one of them alone scores 3.
        any_three: bool,
    },
}

/// The score of each parameter and of them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct News2 {
    /// Respiration, saturation, air or oxygen, systolic, pulse, consciousness, temperature.
    pub parts: [Option<u8>; 7],
    /// All together.
    pub score: Score,
}

// === impl News2 ===

impl News2 {
    /// Scores what is known. Values are rounded to the chart's resolution first.
    #[must_use]
    pub fn of(known: &Parameters, oxygen: Oxygen) -> Self {
        let whole = |value: Option<f64>| value.map(f64::round);
        let saturation = whole(known.oxygen_saturation);
        let parts = [
            whole(known.respiration_rate).map(respiration),
            match oxygen {
                Oxygen::Scale1 => saturation.map(scale_1),
                // Above 92 % the chart asks whether oxygen is given.
                Oxygen::Scale2 => saturation.and_then(|value| scale_2(value, known.on_oxygen)),
            },
            known.on_oxygen.map(|on| if on { 2 } else { 0 }),
            whole(known.systolic).map(systolic),
            whole(known.pulse_rate).map(pulse),
            known.is_alert.map(|alert| if alert { 0 } else { 3 }),
            known.temperature.map(|value| temperature((value * 10.0).round())),
        ];
        Self { parts, score: sum(&parts) }
    }
}

fn sum(parts: &[Option<u8>; 7]) -> Score {
    let known = parts.iter().flatten().count();
    let any_three = parts.iter().flatten().any(|part| *part == 3);
    if known < parts.len() {
        return Score::Incomplete { known: u8::try_from(known).unwrap_or(0), any_three };
    }
    let total = parts.iter().flatten().sum();
    let risk = match total {
        7.. => Risk::High,
        5..=6 => Risk::Medium,
        _ if any_three => Risk::LowMedium,
        _ => Risk::Low,
    };
    Score::Complete { total, risk }
}

fn respiration(rate: f64) -> u8 {
    match rate {
        ..9.0 => 3,
        ..12.0 => 1,
        ..21.0 => 0,
        ..25.0 => 2,
        _ => 3,
    }
}

fn scale_1(saturation: f64) -> u8 {
    match saturation {
        ..92.0 => 3,
        ..94.0 => 2,
        ..96.0 => 1,
        _ => 0,
    }
}

fn scale_2(saturation: f64, on_oxygen: Option<bool>) -> Option<u8> {
    Some(match saturation {
        ..84.0 => 3,
        ..86.0 => 2,
        ..88.0 => 1,
        ..93.0 => 0,
        above => match (on_oxygen?, above) {
            (false, _) => 0,
            (true, ..95.0) => 1,
            (true, ..97.0) => 2,
            (true, _) => 3,
        },
    })
}

fn systolic(pressure: f64) -> u8 {
    match pressure {
        ..91.0 => 3,
        ..101.0 => 2,
        ..111.0 => 1,
        ..220.0 => 0,
        _ => 3,
    }
}

fn pulse(rate: f64) -> u8 {
    match rate {
        ..41.0 => 3,
        ..51.0 => 1,
        ..91.0 => 0,
        ..111.0 => 1,
        ..131.0 => 2,
        _ => 3,
    }
}

/// In tenths of a degree.
fn temperature(tenths: f64) -> u8 {
    match tenths {
        ..351.0 => 3,
        ..361.0 => 1,
        ..381.0 => 0,
        ..391.0 => 1,
        _ => 2,
    }
}
