//! Which visit a measurement belongs to.

use std::time::Duration;

use linli_domain::visit::{Arrival, Candidate, Rule, Span, Unassigned, decide, decide_without, named};
use linli_domain::vital::{Caveat, Measurement, Patient, Quantity, Reading, Sex, Taken};
use linli_domain::{ClockQuality, Id, Timestamp};

/// Visits of one room, and a message that names nobody.
fn bind(measurement: &Measurement, spans: &[Span]) -> Result<usize, Unassigned> {
    let room = Id::new("cabin").unwrap();
    let visit = |span: &Span| Candidate {
        room: &room,
        span: *span,
        codes: Vec::new(),
        known_as: Vec::new(),
        name: None,
        born: None,
    };
    let visits: Vec<Candidate<'_>> = spans.iter().map(visit).collect();
    decide(&Arrival { measurement, room: Some(&room), is_elsewhere: false, identities: Vec::new() }, &visits)
}

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
        sent: None,
        amends: Vec::new(),
        attachments: Vec::new(),
        attached: Vec::new(),
        user: None,
        patient: Patient::default(),
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

/// Two cabins with an open visit each; the visit of cabin 2 has taken the place of an earlier one. Minutes ago.
fn centre() -> [Candidate<'static>; 3] {
    let room = |name| -> &'static Id { Box::leak(Box::new(Id::new(name).unwrap())) };
    let of = |name, span, codes: [&str; 2], called: Option<&str>| Candidate {
        room: room(name),
        span,
        codes: codes.map(str::to_owned).to_vec(),
        known_as: called.map(|_| "card-1".to_owned()).into_iter().collect(),
        name: called.map(str::to_owned),
        born: called.map(|_| ((1950, 3, 7), Sex::Female)),
    };
    [
        of("cabin-1", span(240, None), ["v-1", "17"], Some("欧阳若水")),
        of("cabin-2", span(600, Some(5)), ["v-2", "18"], None),
        of("cabin-2", span(4, None), ["v-3", "19"], None),
    ]
}

/// A weight (1 to 15 s) on a device of a room, in a message that names these.
fn weighed(room: Option<&str>, ids: &[&str], change: impl Fn(&mut Measurement)) -> Result<usize, Unassigned> {
    weighed_without(None, room, ids, change)
}

fn weighed_without(
    without: Option<Rule>,
    room: Option<&str>,
    ids: &[&str],
    change: impl Fn(&mut Measurement),
) -> Result<usize, Unassigned> {
    let mut measurement = measured(Quantity::Weight, None);
    measurement.patient.ids = ids.iter().map(|id| (*id).to_owned()).collect();
    change(&mut measurement);
    let identities = measurement.patient.ids.iter().map(|id| vec![id.clone()]).collect();
    let room = room.map(|room| Id::new(room).unwrap());
    decide_without(
        &Arrival { measurement: &measurement, room: room.as_ref(), is_elsewhere: false, identities },
        &centre(),
        without,
    )
}

const SAME: fn(&mut Measurement) = |_| {};

#[test]
fn row_1_the_device_has_no_room() {
    assert_eq!(weighed(None, &["17"], SAME), Err(Unassigned::NoRoom));
    assert_eq!(weighed(None, &[], SAME), Err(Unassigned::NoRoom));
}

#[test]
fn row_2_several_people_and_not_said_which() {
    assert_eq!(
        weighed(Some("cabin-1"), &["17"], |m| m.patient.is_unclear = true),
        Err(Unassigned::PatientUnclear)
    );
    assert_eq!(
        weighed(Some("cabin-1"), &[], |m| m.patient.is_unclear = true),
        Err(Unassigned::PatientUnclear)
    );
}

#[test]
fn row_3_a_test_is_of_no_person() {
    for mark in [Caveat::Demonstration, Caveat::ControlSolution] {
        assert_eq!(weighed(Some("cabin-1"), &["17"], |m| m.readings[0].doubt(mark)), Err(Unassigned::Test));
        let one_of_two = |m: &mut Measurement| {
            m.readings.push(Reading::of(Quantity::PulseRate, 70.0));
            m.readings[0].doubt(mark);
        };
        assert_eq!(
            weighed(Some("cabin-1"), &["17"], one_of_two),
            Err(Unassigned::Test),
            "one of it is enough"
        );
    }
}

#[test]
fn row_4_not_known_when() {
    for change in [
        (|m: &mut Measurement| m.readings[0].doubt(Caveat::FromStorage)) as fn(&mut Measurement),
        |m| m.readings[0].doubt(Caveat::ClockSkew),
        |m| m.readings[0].doubt(Caveat::TimeUnclear),
        |m| m.taken.device = Some(Timestamp(m.taken.at.0 - 301_000)),
        |m| m.taken.device = Some(Timestamp(m.taken.at.0 + 301_000)),
        |m| (m.taken.device, m.taken.clock) = (Some(m.taken.at), ClockQuality::Unset),
    ] {
        assert_eq!(weighed(Some("cabin-1"), &["17"], change), Err(Unassigned::TimeUnclear));
        assert_eq!(weighed(Some("cabin-1"), &[], change), Err(Unassigned::TimeUnclear));
    }
}

#[test]
fn row_4_a_message_made_long_ago_that_names_nobody() {
    let made = |ago: i64, ids: &[&str]| {
        weighed(Some("cabin-1"), ids, |m| m.sent = Some(Timestamp(m.taken.at.0 - ago)))
    };
    assert_eq!((made(0, &[]), made(0, &["card-1"])), (Ok(0), Ok(0)));
    for ago in [301_000, 86_400_000, -301_000] {
        assert_eq!(made(ago, &[]), Err(Unassigned::TimeUnclear), "{ago}");
        assert_eq!(made(ago, &["17"]), Ok(0), "{ago}: it names this visit");
        assert_eq!(
            made(ago, &["card-1"]),
            Err(Unassigned::TimeUnclear),
            "{ago}: it may be of an earlier visit"
        );
    }
    let mut late = measured(Quantity::Weight, None);
    late.sent = Some(Timestamp(late.taken.at.0 - 60_000));
    let [before, now] = [span(300, Some(50)), span(40, None)];
    assert_eq!(bind(&late, &[before, now]), Err(Unassigned::TwoVisits), "it may be of the one before");
    let corrected = |ids: &[&str]| weighed(Some("cabin-1"), ids, |m| m.amends = vec![Quantity::Weight]);
    assert_eq!((corrected(&[]), corrected(&["17"])), (Err(Unassigned::TimeUnclear), Ok(0)));
    let measured_now = |m: &mut Measurement| {
        (m.sent, m.taken.device) = (Some(Timestamp(0)), Some(m.taken.at));
    };
    assert_eq!(weighed(Some("cabin-1"), &[], measured_now), Ok(0), "the time of measuring counts");
}

#[test]
fn row_5_it_names_nobody_who_is_here() {
    for stranger in ["99", "18", "v-2", "p-7f3a"] {
        assert_eq!(weighed(Some("cabin-1"), &[stranger], SAME), Err(Unassigned::OtherPatient), "{stranger}");
    }
}

#[test]
fn row_6_it_names_several_who_have_visits() {
    assert_eq!(weighed(Some("cabin-1"), &["17", "19"], SAME), Err(Unassigned::SeveralPatients));
    assert_eq!(weighed(Some("cabin-2"), &["v-1", "v-3"], SAME), Err(Unassigned::SeveralPatients));
}

#[test]
fn row_7_it_names_a_visit_in_another_room() {
    assert_eq!(weighed(Some("cabin-2"), &["17"], SAME), Err(Unassigned::OtherRoom));
    assert_eq!(weighed(Some("cabin-1"), &["19"], SAME), Err(Unassigned::OtherRoom));
    assert_eq!(weighed(Some("hall"), &["19"], SAME), Err(Unassigned::OtherRoom));
}

#[test]
fn row_7_it_says_that_the_patient_is_in_another_room() {
    let (visits, room) = (centre(), Id::new("cabin-1").unwrap());
    let measurement = measured(Quantity::Weight, None);
    for ids in [&[][..], &["17"]] {
        let identities: Vec<Vec<String>> = ids.iter().map(|id| vec![(*id).to_owned()]).collect();
        let arrival =
            Arrival { measurement: &measurement, room: Some(&room), is_elsewhere: true, identities };
        assert_eq!(decide(&arrival, &visits), Err(Unassigned::OtherRoom), "{ids:?}");
        assert_eq!(named(&arrival, &visits), [0; 0]);
    }
}

#[test]
fn row_8_an_identifier_or_a_name_is_not_the_residents() {
    assert_eq!(weighed(Some("cabin-1"), &["17", "99"], SAME), Err(Unassigned::OtherPatient));
    let called = |name: &str, ids: &[&str], room: &str| {
        weighed(Some(room), ids, |m| m.patient.names = vec![name.to_owned()])
    };
    assert_eq!(called("李四", &["17"], "cabin-1"), Err(Unassigned::OtherPatient));
    assert_eq!(called("李四", &[], "cabin-1"), Err(Unassigned::OtherPatient));
    assert_eq!(called("欧阳 若水", &["17"], "cabin-1"), Ok(0));
    assert_eq!(called("欧阳若水", &[], "cabin-1"), Ok(0), "it names the one who is there");
    assert_eq!(called("OuyangRuoshui", &["17"], "cabin-1"), Ok(0), "another script is no other name");
    assert_eq!(called("OuyangRuoshui", &[], "cabin-1"), Err(Unassigned::OtherPatient), "but proves nothing");
    assert_eq!(called("李四", &["19"], "cabin-2"), Ok(2), "the visit has a code and no name");
    let both = |m: &mut Measurement| m.patient.names = ["李四", "欧阳若水"].map(str::to_owned).to_vec();
    assert_eq!(weighed(Some("cabin-1"), &["17"], both), Ok(0), "one of several names is the resident's");
}

#[test]
fn row_8_birthday_or_sex_are_another_persons() {
    let born = |birth: Option<(i64, u8, u8)>, sex: Option<Sex>, ids: &[&str]| {
        weighed(Some("cabin-1"), ids, |m| (m.patient.birth, m.patient.sex) = (birth, sex))
    };
    let (own, other) = (Some((1950, 3, 7)), Some((1981, 11, 30)));
    for ids in [&[][..], &["17"]] {
        assert_eq!(born(own, Some(Sex::Female), ids), Ok(0));
        assert_eq!(born(Some((1900, 1, 1)), None, ids), Ok(0), "a monitor's default");
    }
    for (birth, sex) in [(other, None), (None, Some(Sex::Male))] {
        assert_eq!(born(birth, sex, &[]), Err(Unassigned::OtherPatient));
        assert_eq!(born(birth, sex, &["17"]), Ok(0), "a default beside the right number");
    }
    let of_code = weighed(Some("cabin-2"), &["19"], |m| m.patient.birth = other);
    assert_eq!(of_code, Ok(2), "nothing is known of the resident");
}

#[test]
fn row_9_no_visit_was_open() {
    assert_eq!(weighed(Some("hall"), &[], SAME), Err(Unassigned::NoVisit));
}

#[test]
fn row_10_two_visits_and_nobody_named() {
    assert_eq!(weighed(Some("cabin-2"), &[], SAME), Err(Unassigned::TwoVisits));
}

#[test]
fn row_11_begun_before_the_visit() {
    let ago = |ms: i64| move |m: &mut Measurement| m.taken.device = Some(Timestamp(m.taken.at.0 - ms));
    assert_eq!(weighed(Some("cabin-1"), &["17"], ago(250_000)), Err(Unassigned::BegunBefore));
    assert_eq!(weighed(Some("cabin-1"), &[], ago(250_000)), Err(Unassigned::BegunBefore));
    assert_eq!(weighed(Some("cabin-2"), &["19"], ago(6_000)), Err(Unassigned::BegunBefore));
    assert_eq!(weighed(Some("cabin-2"), &["19"], ago(4_900)), Ok(2), "devices give whole seconds");
}

#[test]
fn row_12_everything_fits() {
    for ids in [&["17"][..], &["v-1"], &["17", "v-1"], &[" V-1 "], &[]] {
        assert_eq!(weighed(Some("cabin-1"), ids, SAME), Ok(0), "{ids:?}");
    }
    assert_eq!(weighed(Some("cabin-2"), &["19"], SAME), Ok(2), "its sender says whose it is");
}

#[test]
fn a_measurement_must_have_fitted_into_the_visit_and_no_other() {
    for (quantity, shortest, longest) in [
        (Quantity::Systolic, 20, 60),
        (Quantity::Diastolic, 20, 60),
        (Quantity::MeanArterial, 20, 60),
        (Quantity::OxygenSaturation, 5, 15),
        (Quantity::PulseRate, 5, 15),
        (Quantity::RespirationRate, 15, 60),
        (Quantity::Temperature, 1, 60),
        (Quantity::Glucose, 5, 60),
        (Quantity::Weight, 1, 15),
        (Quantity::Height, 1, 15),
        (Quantity::BodyMassIndex, 1, 15),
    ] {
        let one = measured(quantity, None);
        assert_eq!(bind(&one, &[span(shortest, None)]), Ok(0), "{quantity:?}");
        assert_eq!(bind(&one, &[span(shortest - 1, None)]), Err(Unassigned::BegunBefore), "{quantity:?}");
        let after = |ended| bind(&one, &[span(900, Some(ended)), span(ended, None)]);
        assert_eq!((after(longest - 1), after(longest)), (Err(Unassigned::TwoVisits), Ok(1)), "{quantity:?}");
    }
}

#[test]
fn a_correction_is_looked_for_in_the_visits_of_the_one_it_names_in_its_room() {
    let visits = centre();
    let found = |room: &str, ids: &[&str], is_unclear: bool| {
        let mut measurement = measured(Quantity::Weight, None);
        measurement.patient.ids = ids.iter().map(|id| (*id).to_owned()).collect();
        measurement.patient.is_unclear = is_unclear;
        let identities = ids.iter().map(|id| vec![(*id).to_owned()]).collect();
        let room = Id::new(room).unwrap();
        named(
            &Arrival { measurement: &measurement, room: Some(&room), is_elsewhere: false, identities },
            &visits,
        )
    };
    assert_eq!((found("cabin-1", &["17"], false), found("cabin-2", &["18"], false)), (vec![0], vec![1]));
    assert_eq!(found("cabin-2", &["17"], false), Vec::<usize>::new(), "of another room");
    assert_eq!(found("cabin-1", &["17", "99"], false), Vec::<usize>::new(), "of another person");
    assert_eq!(found("cabin-1", &["17"], true), Vec::<usize>::new(), "of several people");
    assert_eq!(found("cabin-1", &[], false), Vec::<usize>::new(), "of nobody");
}

#[test]
fn each_rule_decides_something() {
    let all = |without| {
        let at =
            |room, ids: &[&str], change: fn(&mut Measurement)| weighed_without(without, room, ids, change);
        [
            at(Some("cabin-1"), &["17"], |m| m.patient.is_unclear = true),
            at(Some("cabin-1"), &["17"], |m| m.readings[0].doubt(Caveat::Demonstration)),
            at(Some("cabin-2"), &["17"], SAME),
            at(Some("cabin-1"), &["17"], |m| m.readings[0].doubt(Caveat::FromStorage)),
            at(Some("cabin-2"), &[], |m| m.taken.device = Some(Timestamp(m.taken.at.0 - 1_000))),
            at(Some("cabin-1"), &["17", "99"], SAME),
            at(Some("cabin-1"), &["17"], |m| m.taken.device = Some(Timestamp(m.taken.at.0 - 250_000))),
        ]
    };
    let kept = all(None);
    assert!(kept.iter().all(Result::is_err), "{kept:?}");
    for (nth, rule) in Rule::ALL.into_iter().enumerate() {
        assert_ne!(all(Some(rule))[nth], kept[nth], "{rule:?} changes nothing");
    }
}

#[test]
fn every_reason_is_said_in_both_languages() {
    for why in Unassigned::ALL {
        assert!(!why.english().is_empty() && !why.chinese().is_ascii(), "{why:?}");
    }
}
