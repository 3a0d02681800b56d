//! What is durable before it acts, what acts before it is durable, and what becomes of it.

use std::collections::BTreeSet;

use linli_domain::caller::{Caller, Login, Screen};
use linli_mode::{Event, Phase, StepState, Truth};

use super::{Bench, LAMPS, OFF, ON, batch_of};
use crate::mode::request::Operation;
use crate::mode::room_event::RoomEvent;

#[tokio::test]
async fn a_stop_is_done_though_it_cannot_be_stored() {
    let mut bench = Bench::lit().await;
    bench.break_store().await;
    bench.act("sun", Operation::Stop).await.unwrap();
    bench.expect(Phase::Held);
    assert!(bench.commands().iter().any(|sent| sent.point == LAMPS && sent.value == false));
}

#[tokio::test]
async fn a_fire_is_done_though_it_cannot_be_stored_and_its_end_is_not() {
    let mut bench = Bench::lit().await;
    bench.break_store().await;
    bench.tell(Event::Fire(Truth::True)).await;
    bench.expect(Phase::Held);
    assert!(bench.engine.retries.is_empty());
    bench.tell(Event::Fire(Truth::False)).await;
    assert_eq!(bench.state().fire, linli_mode::Fire::Alarm, "nothing else changes before it is stored");
    assert_eq!(bench.engine.retries.len(), 1);
}

#[tokio::test]
async fn what_was_done_first_is_stored_with_the_next_transaction() {
    let mut bench = Bench::lit().await;
    let before = bench.engine.record.count();
    bench.break_store().await;
    bench.act("sun", Operation::Stop).await.unwrap();
    assert_eq!(bench.engine.record.count(), before, "the published head covers what is stored");
    assert!(!bench.site.dump().await.contains(r#""stage":"held""#));
    bench.mend_store();
    bench.tell(Event::Fire(Truth::Unknown)).await;
    let entries = bench.entries().await;
    let last: Vec<(&str, &str)> = entries[entries.len() - 2..].iter().map(|(e, to)| (&**e, &**to)).collect();
    assert_eq!(last, [("stop", "held"), ("fire", "held")]);
    assert_eq!(bench.engine.record.count(), before + 2);
    let dump = bench.site.dump().await;
    let told = dump.lines().find(|line| line.starts_with("message") && line.contains(r#""stage":"held""#));
    assert!(!told.expect("the district is told").contains(r#""record""#), "no head that was not stored");
    // Once only.
    bench.tell(Event::Fire(Truth::False)).await;
    assert_eq!(bench.engine.record.count(), before + 3);
}

#[tokio::test]
async fn the_room_is_held_after_a_restart_though_only_its_stop_was_pending() {
    let mut bench = Bench::lit().await;
    bench.break_store().await;
    bench.act("sun", Operation::Stop).await.unwrap();
    bench.mend_store();
    // Anything stored next brings the room's document along.
    let finding = crate::mode::request::Finding {
        order: "0197f0c2-1".to_owned(),
        person: Some("zhao".to_owned()),
        owner: "物业".to_owned(),
        due: "2026-12-31".to_owned(),
        text: "门禁反应慢".to_owned(),
    };
    bench.engine.answer(&Caller::local("lin"), crate::mode::RequestedAction::Finding(finding)).await.unwrap();
    let (again, ..) = super::engine(&bench.site).await;
    assert_eq!(again.rooms[&bench.room].state.phase, Phase::Held);
}

/// The people of the room's status: person, account, log-in, and `unverified` beside a name that nothing proves.
fn people(engine: &crate::mode::engine::Engine) -> BTreeSet<String> {
    let shown = crate::mode::view::status(engine);
    let rooms = shown["rooms"].as_array().expect("rooms");
    let room = rooms.iter().find(|room| room["room"] == super::ROOM).expect("the room");
    let row = |acting: &serde_json::Value| {
        let text = |key: &str| acting[key].as_str().unwrap_or("-").to_owned();
        let mark = if acting["unverified"] == true { "unverified" } else { "verified" };
        [text("person"), text("account"), text("login"), mark.to_owned()].join(" ")
    };
    room["people"].as_array().expect("people").iter().map(row).collect()
}

/// Stops the room as somebody.
async fn stops(bench: &mut Bench, caller: &Caller, person: Option<&str>) {
    let person = person.map(str::to_owned);
    let (room, operation) = (super::ROOM.to_owned(), Operation::Stop);
    let stop = crate::mode::RequestedAction::Do { room, person, operation };
    bench.engine.answer(caller, stop).await.expect("a stop");
}

#[tokio::test]
async fn who_acts_is_shown_and_recorded_with_the_log_in_that_proves_it() {
    let mut bench = Bench::switched().await;
    let named = ["qian", "sun", "zhao"].map(|person| format!("{person} lin local unverified"));
    assert_eq!(
        people(&bench.engine),
        BTreeSet::from(named.clone()),
        "names, and an account that is no log-in"
    );
    // The same person, at a screen where they logged in.
    let screen = Screen::Enrolled(linli_domain::Id::new("reading-screen").expect("an id"));
    let logged_in = Caller::of("sun", Login::Code, screen);
    stops(&mut bench, &logged_in, Some("sun")).await;
    let more = ["sun sun code verified".to_owned()];
    let all: BTreeSet<String> = named.into_iter().chain(more).collect();
    assert_eq!(people(&bench.engine), all, "what was not proven before remains so");
    let (again, ..) = super::engine(&bench.site).await;
    assert_eq!(people(&again), all, "a restart forgets nobody");
    let dump = bench.site.dump().await;
    for acting in [
        r#""acting":{"account":"lin","login":"local","screen":"local_socket","person":"sun","unverified":true}"#,
        r#""acting":{"account":"sun","login":"code","screen":{"enrolled":"reading-screen"},"person":"sun"}"#,
    ] {
        let mut entries = dump.lines().filter(|line| line.starts_with("document mode-line "));
        assert!(entries.any(|line| line.contains(acting)), "{acting}");
    }
    // A room that was stored by an earlier version knows the names only.
    bench.engine.rooms.get_mut(&bench.room).expect("the room").acting.clear();
    assert!(people(&bench.engine).iter().all(|row| row.ends_with(" - - unverified")));
}

#[tokio::test]
async fn accounts_beside_an_order_have_a_bound() {
    let mut bench = Bench::switched().await;
    for number in 0..100 {
        stops(&mut bench, &Caller::local(format!("local:{number}")), None).await;
    }
    assert_eq!(bench.engine.rooms[&bench.room].acting.len(), 64);
    let last = r#""acting":{"account":"local:99","login":"local","screen":"local_socket"}"#;
    assert!(bench.site.dump().await.contains(last), "the record names everybody");
}

#[tokio::test]
async fn nothing_else_is_done_before_it_is_stored() {
    let mut bench = Bench::open().await;
    let order = super::enter(&bench.engine);
    super::switch(&mut bench.engine, &order).await;
    bench.commands();
    bench.break_store().await;
    let own = bench.ended("uv-dose", true);
    bench.finish(own, Vec::new()).await;
    assert_eq!(*bench.of("uv-dose"), StepState::Intent(1));
    assert!(bench.room().leases.is_empty());
    assert_eq!(bench.engine.retries.len(), 1, "it is applied again");
    assert!(bench.engine.retry_at.is_some());
    let resume = bench.act("sun", Operation::Confirm("layout".to_owned())).await;
    assert!(resume.is_err());
}

#[tokio::test]
async fn a_fire_beside_something_calm_waits_with_it() {
    let mut bench = Bench::lit().await;
    let hall = bench.engine.setup.facility.room("hall").unwrap();
    bench.break_store().await;
    let events = vec![
        RoomEvent::of(bench.room, Event::Truth(bench.predicate("reading-air.ach >= 6"), Truth::True)),
        RoomEvent::of(hall, Event::Fire(Truth::True)),
    ];
    bench.engine.apply_together(events).await;
    assert_eq!(bench.engine.retries.len(), 2, "all or none");
}

#[tokio::test]
async fn a_fire_is_done_though_the_news_of_another_zone_waits_for_the_disk() {
    let mut bench = Bench::lit().await;
    bench.break_store().await;
    let now = tokio::time::Instant::now();
    bench.engine.readings.note(&batch_of("kitchen-mode", &[("fire_alarm", OFF)]), now);
    bench.engine.readings.note(&batch_of("reading-mode", &[("fire_alarm", ON)]), now);
    bench.engine.evaluate(None).await;
    bench.expect(Phase::Held);
}

#[tokio::test]
async fn commands_of_stops_that_could_not_be_stored_are_told_apart() {
    let mut bench = Bench::lit().await;
    bench.break_store().await;
    for _ in 0..3 {
        bench.act("sun", Operation::Stop).await.unwrap();
    }
    let sent = bench.commands();
    let ids: BTreeSet<&str> = sent.iter().map(|sent| sent.id.as_str()).collect();
    assert!(sent.len() >= 3);
    assert_eq!(ids.len(), sent.len());
}

#[tokio::test]
async fn a_refused_operation_is_recorded_and_moves_nothing() {
    let mut bench = Bench::lit().await;
    let before = bench.engine.record.count();
    assert!(bench.act("sun", Operation::Resume("now".to_owned())).await.is_err());
    assert_eq!(bench.engine.record.count(), before + 1);
    assert!(bench.commands().is_empty());
    assert_eq!(*bench.of("uv-dose"), StepState::Running);
}
