//! Merging values so that a restart never turns an hour into nothing.

use linli_domain::report::{Report, Reporter};
use linli_domain::{ClockQuality, Quality, Reason, Sample, Timestamp, Value};

fn sample(at: i64, value: f64) -> Sample {
    Sample {
        point: 0,
        at: Timestamp(at),
        clock: ClockQuality::Synchronised,
        quality: Quality::Good,
        value: Value::float(value),
    }
}

fn check(rule: Report, input: &[(i64, f64)], expect: &[i64]) {
    let mut reporter = Reporter::default();
    let passed: Vec<i64> = input
        .iter()
        .map(|(at, v)| sample(*at, *v))
        .filter(|s| reporter.admits(&rule, s))
        .map(|s| s.at.0)
        .collect();
    assert_eq!(passed, expect, "{rule:?}");
}

#[test]
fn a_change_is_measured_from_what_was_last_passed_on() {
    let rule = Report::Change { deadband: 0.5, at_least_ms: 100_000 };
    check(rule, &[(0, 4.0), (1, 4.4), (2, 4.6), (3, 4.9), (4, 5.2)], &[0, 2, 4]);
}

#[test]
fn a_steady_value_still_speaks_now_and_then() {
    let rule = Report::Change { deadband: 0.0, at_least_ms: 10 };
    check(rule, &[(0, 4.0), (5, 4.0), (10, 4.0), (15, 4.0)], &[0, 10]);
}

#[test]
fn a_period_thins_out() {
    check(Report::Period { every_ms: 10 }, &[(0, 1.0), (4, 2.0), (11, 3.0), (20, 4.0)], &[0, 11]);
}

#[test]
fn a_clock_set_back_silences_nothing() {
    let rule = Report::Change { deadband: 0.0, at_least_ms: 10 };
    check(rule, &[(1_000_000, 4.0), (5, 4.0), (6, 4.0)], &[1_000_000, 5]);
}

#[test]
fn a_change_of_quality_always_speaks() {
    let rule = Report::Change { deadband: 5.0, at_least_ms: 100_000 };
    let mut reporter = Reporter::default();
    assert!(reporter.admits(&rule, &sample(0, 4.0)));
    let bad = Sample { quality: Quality::Bad(Reason::Silent), value: None, ..sample(1, 0.0) };
    assert!(reporter.admits(&rule, &bad));
    assert!(!reporter.admits(&rule, &Sample { at: Timestamp(2), ..bad }));
}
