//! Which visit a measurement belongs to.

use std::time::Duration;

use linli_domain::visit::{Span, Unassigned, bind};
use linli_domain::vital::{Caveat, Measurement, Quantity, Reading, Taken};
use linli_domain::{ClockQuality, Timestamp};

fn measured(quantity: Quantity, device: Option<i64>) -> Measurement {
    let taken = Taken {
        at: Timestamp(1_000_000),
        clock: ClockQuality::Synchronised,
        device: device.map(|behind| Timestamp(1_000_000 - behind)),
    };
    Measurement {
        taken,
        readings: vec![Reading::of(quantity, 97.0)],
        key: None,
        key_reused: false,
        user: None,
        patient: None,
    }
}

const fn span(opened: u64, ended: Option<u64>) -> Span {
    let ended = match ended {
        Some(ended) => Some(Duration::from_secs(ended)),
        None => None,
    };
    Span { opened: Duration::from_secs(opened), ended }
}

#[test]
fn only_a_visit_that_saw_the_whole_measurement_has_it() {
    let oximeter = measured(Quantity::OxygenSaturation, None);
    assert_eq!(bind(&oximeter, &[]), Err(Unassigned::NoVisit));
    assert_eq!(bind(&oximeter, &[span(5, None)]), Ok(0));
    assert_eq!(bind(&oximeter, &[span(4, None)]), Err(Unassigned::BegunBefore));
    assert_eq!(bind(&oximeter, &[span(60, Some(3))]), Err(Unassigned::NoVisit), "late");
}

#[test]
fn two_residents_in_quick_succession_never_mix() {
    let cuff = measured(Quantity::Systolic, None);
    let [before, now] = [span(300, Some(59)), span(30, None)];
    assert_eq!(bind(&cuff, &[before, now]), Err(Unassigned::TwoVisits));
    assert_eq!(bind(&cuff, &[span(300, Some(61)), now]), Ok(1));
    let told_late = measured(Quantity::Systolic, Some(20_000));
    assert_eq!(bind(&told_late, &[span(300, Some(61)), now]), Err(Unassigned::TwoVisits));
}

#[test]
fn what_a_device_kept_to_itself_waits() {
    let mut stored = measured(Quantity::Weight, None);
    stored.readings[0].doubt(Caveat::FromStorage);
    assert_eq!(bind(&stored, &[span(60, None)]), Err(Unassigned::TimeUnclear));
    let old = measured(Quantity::Weight, Some(600_000));
    assert_eq!(bind(&old, &[span(60, None)]), Err(Unassigned::TimeUnclear));
}

proptest::proptest! {
    /// Whenever a measurement is bound, no other visit was open while it can have been taken.
    #[test]
    fn never_the_wrong_one(
        spans in proptest::collection::vec((0_u64..400, proptest::option::of(0_u64..400)), 0..4),
        behind in 0_i64..400_000,
    ) {
        let spans: Vec<Span> = spans.into_iter().map(|(o, e)| span(o.max(e.unwrap_or(0)), e)).collect();
        let cuff = measured(Quantity::Systolic, Some(behind));
        if let Ok(bound) = bind(&cuff, &spans) {
            let begun = Duration::from_secs(60) + Duration::from_millis(behind.cast_unsigned());
            for (position, span) in spans.iter().enumerate() {
                let was_open = span.ended.is_none_or(|ended| ended < begun);
                proptest::prop_assert!(position == bound || !was_open);
            }
            proptest::prop_assert!(spans[bound].ended.is_none());
        }
    }
}
