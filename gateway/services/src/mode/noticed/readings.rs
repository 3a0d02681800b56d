//! Readings: what is looked at first, what is not skipped, and what is not known.

use std::time::Duration;

use linli_domain::{Quality, Reason, Value};
use linli_mode::{Cause, Condition, Event, Fire, Phase, StepState, Truth};
use tokio::time::Instant;

use super::{Bench, OFF, ON, batch_of};
use crate::mode::evidence::{LatestReadings, Moment, PredicateState};
use crate::mode::view::unmet;

const SEEN: &str = "reading-presence.occupied == true";

#[tokio::test]
async fn what_is_as_it_should_be_changes_nothing() {
    let mut bench = Bench::lit().await;
    let before = bench.engine.record.count();
    bench.reads(&[&[], &[]]).await;
    bench.expect(Phase::Running);
    assert_eq!(*bench.of("uv-dose"), StepState::Running);
    assert_eq!(bench.engine.record.count(), before);
}

#[tokio::test]
async fn nobody_is_missed_between_two_readings() {
    let mut bench = Bench::lit().await;
    bench.reads(&[&[("occupied", ON)], &[]]).await;
    bench.expect(Phase::Held);
    assert!(bench.state().run.as_ref().unwrap().causes.contains(&Cause::Guard));
    let mut bench = Bench::lit().await;
    bench.reads(&[&[], &[("occupied", ON)]]).await;
    bench.expect(Phase::Held);
    // More than are handled together, and the one that counts is the last of them.
    for at in [15, 16] {
        let mut bench = Bench::lit().await;
        let seen = [("occupied", ON)];
        let many: Vec<&[(&str, Value)]> =
            (0..=at).map(|index| if index == at { &seen[..] } else { &[] }).collect();
        bench.reads(&many).await;
        bench.expect(Phase::Held);
    }
}

#[tokio::test]
async fn a_silent_sensor_for_people_is_named() {
    for (truth, reason) in [(Truth::Unknown, "is silent or doubtful"), (Truth::True, "detects somebody")] {
        let mut bench = Bench::lit().await;
        bench.read(SEEN, truth).await;
        bench.expect(Phase::Held);
        let guard = Condition::Vacant(2);
        let shown = unmet(&bench.engine.setup.facility, bench.room(), bench.plan(), guard).unwrap();
        assert!(shown.starts_with(&format!("vacant(2): reading-presence {reason}")), "{shown}");
    }
}

#[tokio::test]
async fn a_fire_is_applied_before_anything_else_that_was_read() {
    let mut bench = Bench::lit().await;
    bench.reads(&[&[("fire_alarm", ON), ("occupied", ON), ("irradiance", OFF)]]).await;
    bench.expect(Phase::Held);
    let causes = &bench.state().run.as_ref().unwrap().causes;
    assert_eq!(causes.iter().copied().collect::<Vec<_>>(), [Cause::Fire]);
}

#[tokio::test]
async fn a_fire_is_applied_to_every_room_of_its_zone() {
    let mut bench = Bench::lit().await;
    let hall = bench.engine.setup.facility.room("hall").unwrap();
    bench.reads(&[&[("fire_alarm", ON)]]).await;
    assert_eq!(bench.engine.rooms[&hall].state.fire, Fire::Alarm);
    bench.reads(&[&[]]).await;
    assert_eq!(bench.engine.rooms[&hall].state.fire, Fire::Normal);
    bench.expect(Phase::Held);
}

/// A loose wire: the record does not grow with it, and what it says does not count.
#[tokio::test]
async fn a_contact_that_flickers_is_unknown_and_a_panel_that_flickers_ends_no_fire() {
    let mut bench = Bench::lit().await;
    bench.reads(&[&[("fire_alarm", ON)]]).await;
    bench.reads(&[&[]]).await;
    let before = bench.engine.record.count();
    for _ in 0..500 {
        bench.reads(&[&[("occupied", ON)]]).await;
        bench.reads(&[&[]]).await;
    }
    let grown = bench.engine.record.count() - before;
    assert!((50..=70).contains(&grown), "{grown} entries for 1000 changes");
    assert_eq!(bench.truth(SEEN), Truth::Unknown);
    for _ in 0..500 {
        bench.reads(&[&[("fire_alarm", ON)]]).await;
        bench.reads(&[&[]]).await;
    }
    assert_eq!(bench.state().fire, Fire::Alarm);
    // Two rooms have this panel.
    let grown = bench.engine.record.count() - before - grown;
    assert!(grown <= 130, "{grown} entries for 1000 changes");
}

#[tokio::test]
async fn a_panel_that_is_no_longer_read_is_unknown() {
    let mut bench = Bench::lit().await;
    assert_eq!(bench.state().fire, Fire::Normal);
    bench.engine.readings = LatestReadings::default();
    bench.engine.evaluate(Some(&std::collections::BTreeSet::new())).await;
    assert_eq!(bench.state().fire, Fire::Unknown);
    bench.expect(Phase::Held);
}

#[tokio::test]
async fn only_rooms_that_read_a_device_are_looked_at() {
    let mut bench = Bench::lit().await;
    bench.engine.readings.note(&batch_of("reading-mode", &[("occupied", ON)]), Instant::now());
    bench.engine.evaluate(Some(&[super::id("hall-mode")].into())).await;
    assert_eq!(bench.truth(SEEN), Truth::False);
    bench.engine.evaluate(Some(&[super::id("reading-mode")].into())).await;
    bench.expect(Phase::Held);
}

/// Truth of a predicate after one reading of this value and quality.
async fn after(name: &'static str, value: Option<Value>, quality: Quality, text: &str) -> Truth {
    let bench = Bench::open().await;
    let mut readings = LatestReadings::default();
    let mut batch = batch_of("reading-mode", &[(name, ON)]);
    (batch.samples[0].value, batch.samples[0].quality) = (value, quality);
    readings.note(&batch, Instant::now());
    let predicate = bench.predicate(text);
    readings.truth(&bench.engine.setup, bench.plan(), predicate, Instant::now(), None, false)
}

#[tokio::test]
async fn a_value_that_is_not_good_says_nothing() {
    let bad = Quality::Bad(Reason::Silent);
    for (value, quality, truth) in [
        (Some(ON), Quality::Good, Truth::True),
        (Some(OFF), Quality::Good, Truth::False),
        (Some(ON), bad, Truth::Unknown),
        (None, Quality::Good, Truth::Unknown),
    ] {
        assert_eq!(after("occupied", value.clone(), quality, SEEN).await, truth, "{value:?} {quality:?}");
    }
}

#[tokio::test]
async fn a_fire_input_is_a_bit_or_a_number() {
    let bench = Bench::open().await;
    let input = bench.engine.setup.facility.fire_zones[0].input.clone();
    for (value, truth) in [
        (Some(ON), Truth::True),
        (Some(OFF), Truth::False),
        (Some(Value::Integer(1)), Truth::True),
        (Some(Value::Float(0.5)), Truth::True),
        (Some(Value::Integer(0)), Truth::False),
        (Some(Value::Text("alarm".into())), Truth::Unknown),
        (None, Truth::Unknown),
    ] {
        let mut readings = LatestReadings::default();
        let mut batch = batch_of("reading-mode", &[("fire_alarm", ON)]);
        batch.samples[0].value = value.clone();
        readings.note(&batch, Instant::now());
        assert_eq!(readings.fire(&bench.engine.setup, &input, Instant::now()), truth, "{value:?}");
    }
    let nothing = LatestReadings::default();
    assert_eq!(nothing.fire(&bench.engine.setup, &input, Instant::now()), Truth::Unknown);
}

/// What is reported of a predicate: the recorded truth before, and the value read last.
struct ReportedPredicate {
    bench: Bench,
    state: PredicateState,
    readings: LatestReadings,
    began: Instant,
}

impl ReportedPredicate {
    async fn new() -> Self {
        let readings = LatestReadings::default();
        Self { bench: Bench::open().await, state: PredicateState::of(false), readings, began: Instant::now() }
    }

    fn at(&self, ms: u64) -> Instant {
        self.began + Duration::from_millis(ms)
    }

    fn moment(&self, ms: u64) -> Moment {
        Moment { instant: self.at(ms), at: super::NOW }
    }

    fn reads(&mut self, ms: u64, value: bool) {
        let now = self.at(ms);
        let values = [("occupied", Value::Bool(value)), ("irradiance", Value::Bool(value))];
        self.readings.note(&batch_of("reading-mode", &values), now);
    }

    fn change(&mut self, ms: u64, text: &str, recorded: Truth) -> Option<Truth> {
        let (predicate, now) = (self.bench.predicate(text), self.at(ms));
        let (setup, plan) = (self.bench.engine.setup.clone(), self.bench.plan().clone());
        self.state.change(&self.readings, &setup, &plan, predicate, recorded, now)
    }
}

const LIGHT: &str = "reading-uv.irradiance == on";

#[tokio::test]
async fn a_change_is_reported_once_and_from_fresh_readings_when_asked() {
    let mut reported = ReportedPredicate::new().await;
    reported.reads(100, true);
    assert_eq!(reported.change(200, LIGHT, Truth::Unknown), Some(Truth::True));
    assert_eq!(reported.change(200, LIGHT, Truth::True), None);
    let predicate = reported.bench.predicate(LIGHT);
    reported.state.reread(&[predicate], reported.moment(300));
    assert_eq!(reported.change(400, LIGHT, Truth::Unknown), None, "read before");
    reported.reads(500, true);
    assert_eq!(reported.change(600, LIGHT, Truth::True), Some(Truth::True), "reported though it is the same");
    assert_eq!(reported.change(600, LIGHT, Truth::True), None, "once");
}

#[tokio::test]
async fn during_an_action_only_danger_is_reported() {
    let mut reported = ReportedPredicate::new().await;
    let both = [reported.bench.predicate(LIGHT), reported.bench.predicate(SEEN)];
    reported.state.begin_action(&both);
    reported.state.begin_action(&both);
    reported.reads(100, true);
    assert_eq!(reported.change(200, LIGHT, Truth::Unknown), None);
    assert_eq!(reported.change(200, SEEN, Truth::Unknown), Some(Truth::True), "somebody is there");
    reported.state.end_action(&both, reported.moment(300));
    reported.reads(400, true);
    assert_eq!(reported.change(500, LIGHT, Truth::Unknown), None, "another action is under way");
    reported.state.end_action(&both, reported.moment(600));
    assert_eq!(reported.change(700, LIGHT, Truth::Unknown), None, "read before it ended");
    reported.reads(800, true);
    assert_eq!(reported.change(900, LIGHT, Truth::Unknown), Some(Truth::True));
}

#[tokio::test]
async fn what_is_no_longer_read_becomes_unknown() {
    let mut reported = ReportedPredicate::new().await;
    reported.reads(100, true);
    assert_eq!(reported.change(200, LIGHT, Truth::True), None);
    let hour = 3_600_000;
    assert_eq!(reported.change(hour, LIGHT, Truth::True), Some(Truth::Unknown));
    let predicate = reported.bench.predicate(LIGHT);
    reported.state.reread(&[predicate], reported.moment(hour));
    assert_eq!(
        reported.change(hour + 1, LIGHT, Truth::True),
        Some(Truth::Unknown),
        "also while new ones are awaited"
    );
    assert_eq!(reported.change(hour + 2, LIGHT, Truth::Unknown), None);
}

#[tokio::test]
async fn a_step_is_proven_only_by_readings_after_its_order() {
    let mut bench = Bench::open().await;
    bench.reads(&[&[]]).await;
    let order = super::enter(&bench.engine);
    bench.engine.order(&order, None, None).await.unwrap();
    bench.engine.evaluate(None).await;
    assert_eq!(bench.truth(SEEN), Truth::Unknown, "it was read before the order");
    bench.reads(&[&[]]).await;
    assert_eq!(bench.truth(SEEN), Truth::False);
    assert_eq!(*bench.of("notice"), StepState::Pending);
    bench.tell(Event::Elapsed(linli_mode::Timer::Grace)).await;
    bench.expect(Phase::Running);
}
