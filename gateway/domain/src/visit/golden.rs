//! Forms of visits and of what was measured during them.

use super::{
    Context, CriticalAnswer, CriticalDecision, Ending, OpenedBy, Outreach, PressureSeries, Progress, Status,
    Unassigned, Version, Visit,
};
use crate::vital::{GlucoseTime, Measurement, Patient, Quantity, Reading, Sex, Taken};
use crate::{ClockQuality, Id, Timestamp};
use linli_golden::{stored, words};

#[test]
fn words_of_visits() {
    words!(stored "visit/opened_by", OpenedBy: Card, Code, Worker);
    words!(stored "visit/ending", Ending: Completed, Abandoned, TimedOut, Superseded);
    words!(stored "visit/status", Status: Final, Amended, Corrected, EnteredInError);
    words!(stored "visit/unassigned", Unassigned: NoRoom, NoVisit, BegunBefore, TwoVisits, TimeUnclear,
        OtherPatient, OtherRoom, SeveralPatients, PatientUnclear, Test);
}

#[test]
fn visits() {
    let text = |text: &str| Some(text.to_owned());
    let whole = Visit {
        id: "v-0011223344556677".to_owned(),
        room: Id::new("cabin-1").unwrap(),
        pseudonym: text("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        code: text("17"),
        consent: text("2026-1"),
        opened_by: OpenedBy::Card,
        opened: Timestamp(1_795_428_000_000),
        ended: Some((Timestamp(1_795_428_600_000), Ending::Completed)),
        progress: Progress::default(),
    };
    let least = Visit { pseudonym: None, code: None, consent: None, ended: None, ..whole.clone() };
    stored("visit/visit", &[whole.clone(), least]);
    words!(stored "visit/critical_decision", CriticalDecision: Repeat, Refer, Handled);
    let answer = CriticalAnswer {
        measurement: "m-0011223344556677".to_owned(),
        quantity: Quantity::Systolic,
        read_back: "186".to_owned(),
        decision: CriticalDecision::Refer,
        by: "lin".to_owned(),
        at: Timestamp(1_795_428_300_000),
    };
    let progress = Progress {
        pressure: Some(PressureSeries { begun: Timestamp(1_795_428_100_000), by: "lin".to_owned() }),
        critical: vec![answer],
        merged_from: text("ZYXWVUTSRQPONMLKJIHGFEDCBA"),
        outreach: None,
    };
    stored("visit/progress", &[Visit { progress, ..whole.clone() }]);
    let outreach = Outreach {
        from: "van".to_owned(),
        made: Timestamp(1_795_429_800_000),
        imported: Timestamp(1_795_429_500_000),
        by: "lin".to_owned(),
        clock_ahead_ms: Some(600_000),
    };
    let least = Outreach { clock_ahead_ms: None, ..outreach.clone() };
    let of = |outreach| Visit {
        progress: Progress { outreach: Some(Box::new(outreach)), ..Progress::default() },
        ..whole.clone()
    };
    stored("visit/outreach", &[of(outreach), of(least)]);
}

#[test]
fn versions_of_measurements() {
    let text = |text: &str| Some(text.to_owned());
    let whole = Context {
        glucose_time: Some(GlucoseTime::Fasting),
        on_oxygen: Some(false),
        is_alert: Some(true),
        ..Context::default()
    };
    let told = Context { age_months: Some(923), sex: Some(Sex::Male), ..whole };
    stored("visit/context", &[Context::default(), whole, told]);
    let taken = Taken { at: Timestamp(1_795_428_000_000), clock: ClockQuality::Synchronised, device: None };
    let measurement = Measurement {
        taken,
        readings: vec![Reading::of(Quantity::Systolic, 128.0)],
        key: None,
        key_reused: false,
        sent: None,
        amends: Vec::new(),
        attachments: Vec::new(),
        attached: Vec::new(),
        user: None,
        patient: Patient::of_id("never stored"),
    };
    let version = Version {
        id: "00112233445566778899aabbccddeeff".to_owned(),
        version: 2,
        status: Status::Amended,
        visit: text("v-0011223344556677"),
        unassigned: Some(Unassigned::NoVisit),
        device: Id::new("cuff-1").unwrap(),
        room: Some(Id::new("cabin-1").unwrap()),
        measurement,
        context: whole,
        at: Timestamp(1_795_428_100_000),
        by: "chen".to_owned(),
        why: text("属于这次就诊"),
    };
    let least = Version { visit: None, unassigned: None, room: None, why: None, ..version.clone() };
    stored("visit/version", &[version, least]);
}
