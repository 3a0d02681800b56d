//! Stop, fire and a restart act on the outputs that a room moved, whatever the configuration has become.

use linli_domain::{ClockQuality, Id, Timestamp};
use linli_mode::{ActionResult, Event, Phase, Stage, Truth};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use super::actuator::{Done, Task};
use super::engine::Engine;
use super::golden::{PLAN, engine, engine_in, enter, switch};
use super::needed::{self, Needed};
use super::request::{Asked, Operation, RequestedAction};
use super::setup::Setup;
use super::view;
use crate::command_queue::Submission;
use crate::golden::site::{NOW, Site, checked};

const ROOM: &str = "reading-room";

/// The configuration without what `change` takes out of it.
fn without(change: impl Fn(&mut Setup)) -> Setup {
    let mut setup = Setup::of(&checked());
    change(&mut setup);
    setup
}

fn no_plans(setup: &mut Setup) {
    setup.plans =
        setup.plans.iter().filter(|plan| plan.resolved.plan.room.as_str() != ROOM).cloned().collect();
}

fn index(engine: &Engine) -> usize {
    engine.setup.facility.room(ROOM).unwrap()
}

/// What the first lane of the command service was asked for: device and payload.
fn made_safe(commands: &mut [mpsc::Receiver<Submission>; 2]) -> Vec<(String, Value)> {
    let mut all = Vec::new();
    while let Ok(submission) = commands[1].try_recv() {
        let body: Value = serde_json::from_slice(&submission.inbound.payload).unwrap();
        all.push((
            format!("{}.{}", submission.inbound.device, body["point"].as_str().unwrap()),
            body["value"].clone(),
        ));
    }
    all
}

/// A room whose lamps were being lit, after a restart with another configuration.
async fn restarted(site: &Site, setup: Setup) -> (Engine, [mpsc::Receiver<Submission>; 2]) {
    let (mut before, _commands, _birth) = engine(site).await;
    let order = enter(&before);
    switch(&mut before, &order).await;
    let run = before.rooms[&index(&before)].state.run.clone().unwrap();
    assert!(!run.moved.is_empty(), "the lamps were moved");
    drop(before);
    let (mut after, commands, _birth) = engine_in(site, setup).await;
    after.begin().await;
    (after, commands)
}

fn the_lamps() -> (String, Value) {
    ("reading-mode.lamps".to_owned(), json!(false))
}

async fn stop(engine: &mut Engine) -> Result<Value, String> {
    let what = RequestedAction::Do { room: ROOM.to_owned(), person: None, operation: Operation::Stop };
    let (reply, answer) = oneshot::channel();
    engine.serve(Asked { caller: linli_domain::caller::Caller::local("lin"), what, reply }).await;
    // Nobody answers the commands here: the time of the answer is over.
    engine.stops.iter_mut().for_each(|stop| stop.until = tokio::time::Instant::now());
    engine.answer_stops();
    answer.await.unwrap().map_err(|why| why.to_string())
}

#[tokio::test]
async fn a_room_is_stopped_and_hears_a_fire_although_its_plan_was_removed() {
    let site = Site::open().await;
    let (mut engine, mut commands) = restarted(&site, without(no_plans)).await;
    let room = index(&engine);
    assert!(made_safe(&mut commands).contains(&the_lamps()), "a restart makes safe");
    assert!(engine.rooms[&room].notice.is_some(), "it is told");
    let shown = view::status(&engine);
    let shown =
        shown["rooms"].as_array().unwrap().iter().find(|shown| shown["room"] == ROOM).unwrap().clone();
    assert_eq!((&shown["plan"], &shown["verified"]), (&json!(PLAN), &json!(false)));
    assert!(shown["notice"].as_str().unwrap().contains("plan"), "{shown}");
    let answer = stop(&mut engine).await.unwrap();
    assert!(made_safe(&mut commands).contains(&the_lamps()), "{answer}");
    assert!(
        answer["stop"]["outputs"].as_array().unwrap().iter().any(|did| did["output"] == "reading-uv.power")
    );
    engine.apply(room, Event::Fire(Truth::True)).await;
    assert!(made_safe(&mut commands).contains(&the_lamps()), "the fire is heard of");
}

#[tokio::test]
async fn a_room_is_made_safe_although_its_lamps_were_removed_from_the_building() {
    let site = Site::open().await;
    let change = |setup: &mut Setup| {
        no_plans(setup);
        let zone = setup.facility.room(ROOM).unwrap();
        setup.facility.rooms[zone].fire_zone = None;
        setup.facility.fixtures.retain(|fixture| fixture.id.as_str() != "reading-uv");
    };
    let (mut engine, mut commands) = restarted(&site, without(change)).await;
    let room = index(&engine);
    assert!(made_safe(&mut commands).contains(&the_lamps()));
    assert_eq!(engine.rooms[&room].state.phase, Phase::Held, "the building has changed: a person resumes");
    assert!(engine.setup.facility.rooms[room].fire_zone.is_some(), "the fire panel is still read");
    assert!(stop(&mut engine).await.is_ok());
    assert!(made_safe(&mut commands).contains(&the_lamps()));
}

#[tokio::test]
async fn a_room_is_made_safe_although_it_was_removed_from_the_building() {
    let site = Site::open().await;
    let change = |setup: &mut Setup| {
        setup.plans = super::plans::Plans::default();
        setup.facility = linli_mode::facility::Facility::default();
    };
    let (mut engine, mut commands) = restarted(&site, without(change)).await;
    assert!(made_safe(&mut commands).contains(&the_lamps()));
    assert!(stop(&mut engine).await.is_ok());
    assert!(made_safe(&mut commands).contains(&the_lamps()));
}

#[tokio::test]
async fn a_room_keeps_the_plan_that_it_began_with_when_the_file_was_edited() {
    let site = Site::open().await;
    let change = |setup: &mut Setup| setup.plans = setup.plans.changed(|plan| plan.hash = [7; 32]);
    let (engine, mut commands) = restarted(&site, without(change)).await;
    let room = &engine.rooms[&index(&engine)];
    assert_ne!(room.plan.as_ref().unwrap().hash, [7; 32], "the last good plan");
    assert_ne!(room.state.phase, Phase::Held, "the building is the same");
    assert!(made_safe(&mut commands).contains(&the_lamps()));
}

/// The same configuration, with the room's controller at another unit id.
fn rewired() -> Setup {
    without(|setup| {
        for (point, wired) in &mut setup.wiring {
            if point.device.as_str() == "reading-mode" {
                *wired = wired.replace("unit 4", "unit 14");
            }
        }
    })
}

/// The same plan of the same building, on another device: a stop would write to the wrong one.
#[tokio::test]
async fn a_configuration_that_rewires_a_plan_is_refused_while_a_room_follows_it() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    let needs = |engine: &Engine| -> Vec<Needed> {
        engine.rooms.values().filter_map(|room| needed::of_room(&engine.setup, room)).collect()
    };
    assert_eq!(needs(&engine), [], "in peace everything may change");
    let order = enter(&engine);
    switch(&mut engine, &order).await;
    assert_eq!(needed::missing(&needs(&engine), &without(|_| {})), Vec::<String>::new());
    let told = needed::missing(&needs(&engine), &rewired());
    assert!(told.len() == 1 && told[0].contains(PLAN) && told[0].contains("unit"), "{told:?}");
    let other = without(|setup| {
        for (point, wired) in &mut setup.wiring {
            if point.device.as_str() == "hall-mode" {
                wired.push('0');
            }
        }
    });
    assert_eq!(needed::missing(&needs(&engine), &other), Vec::<String>::new(), "no device of this plan");
}

/// What a reload must have is published again whenever anything of it is another.
#[tokio::test]
async fn the_plans_that_rooms_follow_are_published_as_they_are() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    let order = enter(&engine);
    switch(&mut engine, &order).await;
    let is_current = |known: &[Needed]| needed::is_current(known, &engine.setup, engine.rooms.values());
    let published = engine.deps.needed.borrow().clone();
    let all = engine.rooms.values().filter_map(|room| needed::of_room(&engine.setup, room));
    assert_eq!(published, all.collect::<Vec<_>>());
    assert!(published.len() == 1 && is_current(&published), "{published:?}");
    assert!(!is_current(&[]), "a room follows a plan");
    assert!(!is_current(&[published.clone(), published.clone()].concat()), "no second room does");
    let changes: [fn(&mut Needed); 6] = [
        |needed| needed.room = Id::new("hall").unwrap(),
        |needed| needed.stage = Stage::Peace,
        |needed| needed.plan.insert(needed.plan.len() - 1, '0'),
        |needed| needed.hash.replace_range(63.., "x"),
        |needed| needed.building.push('0'),
        |needed| needed.wiring.clear(),
    ];
    for change in changes {
        let mut other = published.clone();
        change(&mut other[0]);
        assert!(!is_current(&other), "{other:?}");
    }
}

#[tokio::test]
async fn a_room_whose_devices_were_rewired_is_held_and_says_so() {
    let site = Site::open().await;
    let (after, _commands) = restarted(&site, rewired()).await;
    let room = &after.rooms[&index(&after)];
    assert_eq!(room.state.phase, Phase::Held);
    assert!(room.notice.as_ref().unwrap().contains("devices.toml"), "{:?}", room.notice);
    // It stays so until the room is in peace, whatever is restarted.
    drop(after);
    let (mut again, _commands, _birth) = engine_in(&site, rewired()).await;
    again.begin().await;
    assert!(again.rooms[&index(&again)].notice.is_some());
    drop(again);
    let (mut back, _commands, _birth) = engine(&site).await;
    back.begin().await;
    assert_eq!(back.rooms[&index(&back)].notice, None, "as it was");
}

#[tokio::test]
async fn every_output_is_made_safe_when_nothing_was_kept() {
    let site = Site::open().await;
    let (mut before, _commands, _birth) = engine(&site).await;
    let order = enter(&before);
    switch(&mut before, &order).await;
    drop(before);
    site.store_document("mode-kept", "mode-kept/reading-room", "{}").await;
    let (mut engine, mut commands, _birth) = engine_in(&site, without(no_plans)).await;
    engine.begin().await;
    let all = made_safe(&mut commands);
    assert!(all.contains(&the_lamps()) && all.len() > 1, "{all:?}");
    let room = index(&engine);
    assert_eq!(engine.rooms[&room].state.phase, Phase::Held);
    assert!(stop(&mut engine).await.is_ok());
    assert!(made_safe(&mut commands).contains(&the_lamps()));
    engine.apply(room, Event::Fire(Truth::True)).await;
    assert!(made_safe(&mut commands).contains(&the_lamps()));
}

#[tokio::test]
async fn a_stop_says_what_it_did_to_each_output() {
    let site = Site::open().await;
    let (mut engine, mut commands, _birth) = engine(&site).await;
    let refused = stop(&mut engine).await.unwrap_err();
    assert!(refused.contains("peace"), "{refused}");
    let order = enter(&engine);
    engine.order(&order, None, None).await.unwrap();
    let answer = stop(&mut engine).await.unwrap();
    assert_eq!(answer["stop"]["outputs"], json!([]));
    assert!(answer["stop"]["text"].as_str().unwrap().contains("nothing had been moved"), "{answer}");
    assert_eq!(made_safe(&mut commands), []);
}

#[tokio::test]
async fn a_stop_says_which_output_could_not_be_written_and_why() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    let order = enter(&engine);
    switch(&mut engine, &order).await;
    let room = index(&engine);
    let what = RequestedAction::Do { room: ROOM.to_owned(), person: None, operation: Operation::Stop };
    let (reply, mut answer) = oneshot::channel();
    engine.serve(Asked { caller: linli_domain::caller::Caller::local("lin"), what, reply }).await;
    assert!(answer.try_recv().is_err(), "the answer waits for the ends of the commands");
    let (serial, outputs) = (engine.rooms[&room].serial, engine.stops[0].outputs.clone());
    for output in outputs {
        let task = Task { room, serial, act: None, safe: Some(output), touches: Vec::new() };
        let done = Done { task, is_done: false, why: Some("reading-mode: no answer".to_owned()) };
        engine.finish_commands(done).await;
    }
    engine.answer_stops();
    let answer = answer.try_recv().unwrap().unwrap();
    let did = &answer["stop"]["outputs"][0];
    assert_eq!((&did["state"], &did["why"]), (&json!("not_written"), &json!("reading-mode: no answer")));
    assert_eq!(answer["stop"]["is_safe"], false);
}

#[tokio::test]
async fn after_a_stop_no_lease_is_renewed() {
    let site = Site::open().await;
    let (mut engine, mut commands, _birth) = engine(&site).await;
    let order = enter(&engine);
    switch(&mut engine, &order).await;
    let room = index(&engine);
    let lamps = engine.setup.plan(PLAN).unwrap().resolved.step("uv-dose").unwrap();
    assert_eq!(engine.rooms[&room].state.run.as_ref().unwrap().steps[lamps].as_str(), "intent");
    let (turn, acted) = (linli_mode::ActionPhase::On, ActionResult::Done);
    engine.apply(room, Event::Acted { step: lamps, turn, acted }).await;
    assert!(!engine.rooms[&room].leases.is_empty(), "the lamps burn on a lease");
    stop(&mut engine).await.unwrap();
    assert!(engine.rooms[&room].leases.is_empty());
    while commands[0].try_recv().is_ok() {}
    engine.renew_leases(room, tokio::time::Instant::now() + std::time::Duration::from_secs(60));
    assert!(commands[0].try_recv().is_err(), "the lamps are written on again");
}

#[tokio::test]
async fn a_waiver_has_a_number_an_end_and_a_name() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    let order = enter(&engine);
    switch(&mut engine, &order).await;
    site.clock.set(Timestamp(NOW.0 + 1000), ClockQuality::Synchronised);
    let waive = |step: &str, hours: u64| {
        let span = std::time::Duration::from_secs(hours * 3600);
        let operation = Operation::Waive(step.to_owned(), "风机维修".to_owned(), span);
        RequestedAction::Do { room: ROOM.to_owned(), person: Some("zhao".to_owned()), operation }
    };
    let steps = engine.setup.plan(PLAN).unwrap().resolved.steps.clone();
    let waivable: Vec<&str> = steps
        .iter()
        .filter(|step| matches!(step.action, linli_mode::Action::Actuate { .. }))
        .map(|step| step.id.as_str())
        .filter(|id| *id != "entry-closed")
        .collect();
    for hours in [0, 24 * 8] {
        let refused = engine
            .answer(&linli_domain::caller::Caller::local("lin"), waive(waivable[0], hours))
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains("7 days"), "{refused}");
    }
    for (number, step) in (1..).zip(&waivable) {
        let answer =
            engine.answer(&linli_domain::caller::Caller::local("lin"), waive(step, 2)).await.unwrap();
        let shown =
            answer["rooms"][0]["steps"].as_array().unwrap().iter().find(|shown| shown["step"] == **step);
        let waiver = &shown.unwrap()["waiver"];
        assert_eq!((&waiver["number"], &waiver["by"]), (&json!(number), &json!("zhao")), "{waiver}");
        assert_eq!(waiver["until"], json!(NOW.0 + 1000 + 7_200_000));
        assert!(waiver["name"].is_string(), "{waiver}");
    }
}

/// Anybody may stop, as often as they like: every stop makes safe and is answered, and the record does not grow with them.
#[tokio::test]
async fn a_flood_of_stops_does_not_fill_the_record() {
    let site = Site::open().await;
    let (mut engine, mut commands, _birth) = engine(&site).await;
    let order = enter(&engine);
    switch(&mut engine, &order).await;
    stop(&mut engine).await.unwrap();
    let before = engine.record.count();
    for nth in 0..1000 {
        while commands[1].try_recv().is_ok() {}
        let answer = stop(&mut engine).await.unwrap_or_else(|why| panic!("stop {nth}: {why}"));
        assert!(!answer["stop"]["outputs"].as_array().unwrap().is_empty(), "stop {nth}: {answer}");
        assert!(made_safe(&mut commands).contains(&the_lamps()), "stop {nth}");
    }
    let grown = engine.record.count() - before;
    assert!((300..=302).contains(&grown), "{grown} entries");
    // Resumed and stopped again is another stop.
    let why = Operation::Resume("复位".to_owned());
    let what = RequestedAction::Do { room: ROOM.to_owned(), person: Some("zhao".to_owned()), operation: why };
    engine.apply(index(&engine), Event::Fire(Truth::False)).await;
    engine.answer(&linli_domain::caller::Caller::local("lin"), what).await.unwrap();
    let before = engine.record.count();
    stop(&mut engine).await.unwrap();
    assert_eq!(engine.record.count(), before + 1);
}

/// A reason stands in the record, on every screen and on paper.
#[tokio::test]
async fn a_reason_is_one_line_and_not_endless() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    let order = enter(&engine);
    switch(&mut engine, &order).await;
    let before = engine.record.count();
    for why in ["\u{1b}[2J", "一行\n两行", &"长".repeat(501), &"x".repeat(1 << 20)] {
        let (step, span) = ("sweep".to_owned(), std::time::Duration::from_secs(60));
        for operation in [
            Operation::Resume(why.to_owned()),
            Operation::Reject(why.to_owned()),
            Operation::Alternate(why.to_owned()),
            Operation::Cannot(step.clone(), why.to_owned()),
            Operation::Waive(step, why.to_owned(), span),
        ] {
            let what =
                RequestedAction::Do { room: ROOM.to_owned(), person: Some("zhao".to_owned()), operation };
            let told = engine.answer(&linli_domain::caller::Caller::local("lin"), what).await.unwrap_err();
            assert!(told.to_string().contains("one line"), "{told}");
        }
    }
    assert_eq!(engine.record.count(), before, "nothing of it is on record");
}
