//! NEWS2 against its chart, at every boundary.

use linli_domain::vital::{News2, Oxygen, Parameters, Risk, Score};

const WELL: Parameters = Parameters {
    respiration_rate: Some(16.0),
    oxygen_saturation: Some(98.0),
    on_oxygen: Some(false),
    systolic: Some(125.0),
    pulse_rate: Some(70.0),
    is_alert: Some(true),
    temperature: Some(36.6),
};

/// The score of one parameter when only what `change` sets is known.
fn part(index: usize, change: impl Fn(&mut Parameters), oxygen: Oxygen) -> Option<u8> {
    let mut known = Parameters::default();
    change(&mut known);
    News2::of(&known, oxygen).parts[index]
}

/// Every boundary of the chart, on both sides.
#[test]
fn the_chart_cell_by_cell() {
    let cells = |index: usize, set: fn(&mut Parameters, f64), expect: &[(f64, u8)]| {
        for (value, points) in expect {
            let found = part(index, |known| set(known, *value), Oxygen::Scale1);
            assert_eq!(found, Some(*points), "{value}");
        }
    };
    cells(
        0,
        |known, rate| known.respiration_rate = Some(rate),
        &[(8., 3), (9., 1), (11., 1), (12., 0), (20., 0), (21., 2), (24., 2), (25., 3)],
    );
    cells(
        1,
        |known, percent| known.oxygen_saturation = Some(percent),
        &[(91., 3), (92., 2), (93., 2), (94., 1), (95., 1), (96., 0), (100., 0)],
    );
    cells(
        3,
        |known, pressure| known.systolic = Some(pressure),
        &[(90., 3), (91., 2), (100., 2), (101., 1), (110., 1), (111., 0), (219., 0), (220., 3)],
    );
    cells(
        4,
        |known, rate| known.pulse_rate = Some(rate),
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
        6,
        |known, celsius| known.temperature = Some(celsius),
        &[(35.0, 3), (35.1, 1), (36.0, 1), (36.1, 0), (38.0, 0), (38.1, 1), (39.0, 1), (39.1, 2)],
    );
}

#[test]
fn scale_2_depends_on_oxygen() {
    let scale_2 = |value, on_oxygen| {
        let change = |known: &mut Parameters| {
            (known.oxygen_saturation, known.on_oxygen) = (Some(value), on_oxygen);
        };
        part(1, change, Oxygen::Scale2)
    };
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
