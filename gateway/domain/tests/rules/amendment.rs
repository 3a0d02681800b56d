//! What a device corrects or withdraws.

use linli_domain::visit::{Context, Status, Version, amend, amended};
use linli_domain::vital::{Measurement, NoReading, Patient, Quantity, Reading, Taken};
use linli_domain::{ClockQuality, Id, Timestamp};

fn measured(readings: Vec<Reading>, device: Option<i64>, amends: &[Quantity]) -> Measurement {
    let taken =
        Taken { at: Timestamp(9000), clock: ClockQuality::Synchronised, device: device.map(Timestamp) };
    Measurement {
        taken,
        readings,
        key: None,
        key_reused: false,
        sent: None,
        amends: amends.to_vec(),
        attachments: Vec::new(),
        attached: Vec::new(),
        user: None,
        patient: Patient::default(),
    }
}

fn pressure(id: &str, values: [f64; 2], device: Option<i64>) -> Version {
    let readings =
        vec![Reading::of(Quantity::Systolic, values[0]), Reading::of(Quantity::Diastolic, values[1])];
    Version {
        id: id.to_owned(),
        version: 1,
        status: Status::Final,
        visit: Some("v-1".to_owned()),
        unassigned: None,
        device: Id::new("cuff").unwrap(),
        room: None,
        measurement: measured(readings, device, &[]),
        context: Context::default(),
        at: Timestamp(9000),
        by: "device".to_owned(),
        why: None,
    }
}

#[test]
fn only_what_is_clearly_meant_is_amended() {
    let stored = [pressure("a", [150.0, 90.0], Some(1000)), pressure("b", [140.0, 85.0], Some(2000))];
    let report =
        |device, amends: &[Quantity]| measured(vec![Reading::of(Quantity::Systolic, 120.0)], device, amends);
    let found = |device, amends: &[Quantity], stored: &[Version]| {
        amended(&report(device, amends), stored).map(|version| version.id.clone())
    };
    let systolic = &[Quantity::Systolic][..];
    assert_eq!(found(Some(2000), systolic, &stored).as_deref(), Some("b"));
    assert_eq!(found(Some(3000), systolic, &stored), None, "of another time");
    assert_eq!(found(None, systolic, &stored), None, "it may mean either");
    assert_eq!(found(None, systolic, &stored[..1]).as_deref(), Some("a"));
    assert_eq!(found(Some(1000), &[Quantity::Glucose], &stored), None);
    assert_eq!(found(Some(1000), &[], &stored), None, "a new result replaces nothing");
    let withdrawn = [Version { status: Status::EnteredInError, ..stored[0].clone() }];
    assert_eq!(found(Some(1000), systolic, &withdrawn), None);
}

#[test]
fn a_correction_replaces_and_a_withdrawal_takes_away() {
    let old = pressure("a", [150.0, 90.0], Some(1000));
    let of = |reading: Reading| {
        let quantity = reading.quantity;
        amend(&old, &measured(vec![reading], Some(1000), &[quantity]))
    };
    let corrected = of(Reading::of(Quantity::Systolic, 120.0));
    let pair = [Quantity::Systolic, Quantity::Diastolic].map(|q| corrected.measurement.value(q));
    assert_eq!((corrected.status, pair), (Status::Corrected, [Some(120.0), Some(90.0)]));
    let half = of(Reading::none(Quantity::Systolic, NoReading::NotPerformed));
    let pair = [Quantity::Systolic, Quantity::Diastolic].map(|q| half.measurement.value(q));
    assert_eq!((half.status, pair), (Status::Corrected, [None, Some(90.0)]));
    let both = [Quantity::Systolic, Quantity::Diastolic];
    let none = both.map(|quantity| Reading::none(quantity, NoReading::NotPerformed)).to_vec();
    let gone = amend(&old, &measured(none, Some(1000), &both));
    assert_eq!(gone.status, Status::EnteredInError);
    assert_eq!(gone.measurement, old.measurement, "what was measured stays for the history");
    let unasked = amend(&old, &measured(vec![Reading::of(Quantity::Diastolic, 60.0)], Some(1000), &[]));
    assert_eq!(unasked.measurement.value(Quantity::Diastolic), Some(90.0));
}
