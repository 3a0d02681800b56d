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

#[cfg(test)]
mod tests {
    use super::*;

    const WELL: Parameters = Parameters {
        respiration_rate: Some(16.0),
        oxygen_saturation: Some(98.0),
        on_oxygen: Some(false),
        systolic: Some(125.0),
        pulse_rate: Some(70.0),
        is_alert: Some(true),
        temperature: Some(36.6),
    };

    /// Every boundary of the chart, on both sides.
    #[test]
    fn the_chart_cell_by_cell() {
        let cells = |score: fn(f64) -> u8, expect: &[(f64, u8)]| {
            for (value, points) in expect {
                assert_eq!(score(*value), *points, "{value}");
            }
        };
        cells(respiration, &[(8., 3), (9., 1), (11., 1), (12., 0), (20., 0), (21., 2), (24., 2), (25., 3)]);
        cells(scale_1, &[(91., 3), (92., 2), (93., 2), (94., 1), (95., 1), (96., 0), (100., 0)]);
        cells(
            systolic,
            &[(90., 3), (91., 2), (100., 2), (101., 1), (110., 1), (111., 0), (219., 0), (220., 3)],
        );
        cells(
            pulse,
            &[
                (40., 3),
                (41., 1),
                (50., 1),
                (51., 0),
                (90., 0),
                (91., 1),
                (110., 1),
                (111., 2),
                (130., 2),
                (131., 3),
            ],
        );
        cells(
            temperature,
            &[(350., 3), (351., 1), (360., 1), (361., 0), (380., 0), (381., 1), (390., 1), (391., 2)],
        );
        for (value, air, oxygen) in [
            (83.0, 3, 3),
            (84.0, 2, 2),
            (85.0, 2, 2),
            (86.0, 1, 1),
            (87.0, 1, 1),
            (88.0, 0, 0),
            (92.0, 0, 0),
            (93.0, 0, 1),
            (94.0, 0, 1),
            (95.0, 0, 2),
            (96.0, 0, 2),
            (97.0, 0, 3),
            (100.0, 0, 3),
        ] {
            assert_eq!(scale_2(value, Some(false)), Some(air), "{value} on air");
            assert_eq!(scale_2(value, Some(true)), Some(oxygen), "{value} on oxygen");
        }
        assert_eq!(scale_2(95.0, None), None, "nobody knows whether oxygen is given");
    }

    #[test]
    fn totals_have_the_risk_of_the_chart() {
        let score = |change: fn(&mut Parameters)| {
            let mut known = WELL;
            change(&mut known);
            News2::of(&known, Oxygen::Scale1).score
        };
        assert_eq!(score(|_| {}), Score::Complete { total: 0, risk: Risk::Low });
        assert_eq!(score(|p| p.systolic = Some(89.0)), Score::Complete { total: 3, risk: Risk::LowMedium });
        let medium =
            score(|p| (p.on_oxygen, p.pulse_rate, p.temperature) = (Some(true), Some(115.0), Some(38.5)));
        assert_eq!(medium, Score::Complete { total: 5, risk: Risk::Medium });
        let worst = score(|p| {
            *p = Parameters {
                respiration_rate: Some(30.0),
                oxygen_saturation: Some(80.0),
                on_oxygen: Some(true),
                systolic: Some(80.0),
                pulse_rate: Some(140.0),
                is_alert: Some(false),
                temperature: Some(34.0),
            };
        });
        assert_eq!(worst, Score::Complete { total: 20, risk: Risk::High });
    }

    #[test]
    fn what_is_missing_is_never_zero() {
        let known = Parameters { is_alert: None, respiration_rate: None, ..WELL };
        assert_eq!(News2::of(&known, Oxygen::Scale1).score, Score::Incomplete { known: 5, any_three: false });
        let known = Parameters { oxygen_saturation: Some(88.0), ..Parameters::default() };
        assert_eq!(News2::of(&known, Oxygen::Scale1).score, Score::Incomplete { known: 1, any_three: true });
    }

    #[test]
    fn values_are_rounded_to_the_chart_first() {
        let known = Parameters { temperature: Some(38.04), pulse_rate: Some(90.4), ..WELL };
        assert_eq!(News2::of(&known, Oxygen::Scale1).score, Score::Complete { total: 0, risk: Risk::Low });
    }
}
