//! Rooms under the service: timers, what people are asked, and changes of the configuration.

use std::sync::Arc;
use std::time::Duration;

use linli_mode::{Effect, Event, Phase, Timer, Truth};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Bench;
use crate::mode::kept;
use crate::mode::request::Operation;
use crate::mode::room::{Room, StoredRoom};
use crate::mode::setup::Setup;

#[tokio::test]
async fn timers_end_in_their_order_and_can_be_taken_back() {
    let bench = Bench::open().await;
    let mut room = Room::new(&bench.engine.setup, bench.room).unwrap();
    let (now, second) = (Instant::now(), Duration::from_secs(1));
    room.update_timer(&Effect::Arm(Timer::Safe, second * 2), now);
    room.update_timer(&Effect::Arm(Timer::Grace, second), now);
    assert_eq!(room.due(), Some(now + second));
    assert_eq!(room.elapsed(now), None);
    assert_eq!(room.elapsed(now + second), Some(Timer::Grace));
    assert_eq!(room.elapsed(now + second * 3), Some(Timer::Grace), "the first first");
    room.update_timer(&Effect::Arm(Timer::Grace, second * 5), now);
    assert_eq!(room.elapsed(now + second * 3), Some(Timer::Safe), "it was armed anew");
    room.update_timer(&Effect::Disarm(Timer::Safe), now);
    assert_eq!(room.due(), Some(now + second * 5));
    room.begin_lease(0, now + second);
    assert_eq!(room.due(), Some(now + second), "a lease is due as well");
    room.end_lease(0);
    room.update_timer(&Effect::DisarmAll, now);
    assert_eq!((room.due(), room.elapsed(now + second * 9)), (None, None));
}

#[tokio::test]
async fn a_lease_keeps_its_token_until_it_ends() {
    let bench = Bench::open().await;
    let mut room = Room::new(&bench.engine.setup, bench.room).unwrap();
    let now = Instant::now();
    room.begin_lease(3, now);
    let token = room.lease(3);
    room.begin_lease(3, now + Duration::from_secs(1));
    assert!(!token.is_cancelled());
    let action = room.begin_action(4, 1);
    room.withdraw_all();
    assert!(token.is_cancelled() && action.is_cancelled() && room.leases.is_empty());
    assert!(!room.lease(3).is_cancelled(), "a lease that is not there is not withdrawn");
}

#[tokio::test]
async fn it_is_known_since_when_people_are_asked() {
    let mut bench = Bench::lit().await;
    bench.act("sun", Operation::Stop).await.unwrap();
    assert!(bench.room().asked.is_empty());
    bench.act("zhao", Operation::Resume("it is over".to_owned())).await.unwrap();
    let notice = bench.step("notice");
    let since = bench.room().asked[&notice];
    bench.learns_something().await;
    assert_eq!(bench.room().asked[&notice], since, "not anew");
    bench.act("qian", Operation::Confirm("notice".to_owned())).await.unwrap();
    assert!(!bench.room().asked.contains_key(&notice));
}

/// The engine sees this configuration.
fn configure(bench: &mut Bench, change: impl Fn(&mut Setup)) -> watch::Sender<Arc<Setup>> {
    let before = Arc::clone(&bench.engine.setup);
    let (sender, receiver) = watch::channel(Arc::clone(&before));
    bench.engine.deps.setup = receiver;
    let mut setup = (*before).clone();
    change(&mut setup);
    sender.send_replace(Arc::new(setup));
    sender
}

#[tokio::test]
async fn a_changed_configuration_waits_for_the_rooms_that_it_concerns() {
    let changed = |setup: &mut Setup| setup.facility.people.truncate(1);
    let mut bench = Bench::open().await;
    let _sender = configure(&mut bench, changed);
    bench.engine.take_configuration();
    assert_eq!(bench.engine.setup.facility.people.len(), 1, "all is at peace");

    let mut bench = Bench::lit().await;
    let _sender = configure(&mut bench, changed);
    bench.engine.take_configuration();
    assert!(bench.engine.setup.facility.people.len() > 1, "the building changed under a run");

    // Another room's plan goes, this one's stays.
    let mut bench = Bench::lit().await;
    let hall = bench.engine.setup.facility.room("hall").unwrap();
    let _sender = configure(&mut bench, |setup| setup.plans = setup.plans.replaced(hall, Vec::new()));
    bench.engine.take_configuration();
    assert!(!bench.engine.rooms.contains_key(&hall));
    bench.expect(Phase::Running);

    // The plan of the run goes: the room keeps it.
    let mut bench = Bench::lit().await;
    let room = bench.room;
    let _sender = configure(&mut bench, |setup| setup.plans = setup.plans.replaced(room, Vec::new()));
    bench.engine.take_configuration();
    assert!(bench.engine.setup.plan(super::PLAN).is_some());
    assert!(bench.room().plan.is_some());
}

/// What is found of the stored room if it was stored in that building: how many outputs count as moved, and
/// whether it is held.
async fn found(bench: &Bench, building: Option<&str>) -> (usize, bool) {
    let documents = bench.site.store.documents();
    let document = documents.get("mode-room/reading-room").await.unwrap().unwrap();
    let mut stored: StoredRoom = serde_json::from_str(&document.body).unwrap();
    if building.is_some() {
        stored.building = building.map(str::to_owned);
    }
    let mut setup = (*bench.engine.setup).clone();
    let found = kept::find(&documents, &mut setup, super::ROOM, &mut stored).await.unwrap().unwrap();
    assert!(found.plan.is_some());
    (stored.state.run.unwrap().moved.len(), found.notice.is_some_and(|notice| notice.is_held))
}

#[tokio::test]
async fn in_another_building_a_room_is_held_and_every_output_may_have_been_moved() {
    let bench = Bench::lit().await;
    let all = bench.plan().safe.len();
    let (moved, is_held) = found(&bench, None).await;
    assert!(moved < all && !is_held);
    let other = format!("2:{}", "0f".repeat(32));
    assert_eq!(found(&bench, Some(&other)).await, (moved, true), "positions are those of the kept plan");
    bench.site.store_document("mode-kept", "mode-kept/reading-room", "{}").await;
    assert_eq!(found(&bench, None).await, (moved, false));
    assert_eq!(found(&bench, Some(&other)).await, (all, true), "positions may mean other outputs now");
}

#[tokio::test]
async fn every_room_is_told_of_a_restart() {
    let mut bench = Bench::lit().await;
    bench.tell(Event::Fire(Truth::False)).await;
    let (mut again, ..) = super::engine(&bench.site).await;
    let before = again.record.count();
    again.begin().await;
    let room = &again.rooms[&bench.room];
    assert_eq!(room.state.fire, linli_mode::Fire::Unknown);
    assert_eq!(room.state.phase, Phase::Running);
    assert!(room.timers.contains_key(&Timer::Deadline(bench.step("notice"))), "people are asked again");
    assert!(again.record.count() > before + 1, "the start and the rooms are recorded");
    assert_eq!(bench.site.dump().await.matches(r#""kind":"started""#).count(), 1);
    let (mut quiet, ..) = super::engine(&crate::golden::site::Site::open().await).await;
    quiet.begin().await;
    assert_eq!(quiet.record.count(), 0, "nothing ever happened");
    assert!(quiet.pending.entries.is_empty(), "and nothing of it waits to be recorded");
}

/// Orders the room and returns what is kept of its plans. What was kept before is first replaced by `{}`.
async fn kept_by_order(bench: &mut Bench) -> String {
    bench.site.store_document("mode-kept", "mode-kept/reading-room", "{}").await;
    let order = super::enter(&bench.engine);
    super::switch(&mut bench.engine, &order).await;
    bench.site.store.documents().get("mode-kept/reading-room").await.unwrap().unwrap().body
}

async fn keep_ahead(bench: &mut Bench) -> String {
    while bench.engine.rooms.values().any(|room| room.kept.is_none()) {
        bench.engine.keep_plans_ahead().await;
    }
    bench.site.store.documents().get("mode-kept/reading-room").await.unwrap().unwrap().body
}

#[tokio::test]
async fn plans_that_are_kept_ahead_are_not_written_with_the_order() {
    let mut bench = Bench::open().await;
    let ahead = keep_ahead(&mut bench).await;
    let wired = bench.engine.rooms[&bench.room].wiring_ahead.clone();
    let (plan, wiring) = wired.expect("the name of what it is wired to is made as well");
    assert_eq!(wiring, bench.engine.setup.wiring_of(&plan.resolved));
    assert_eq!(kept_by_order(&mut bench).await, "{}", "nothing was written");
    assert_eq!(bench.engine.rooms[&bench.room].wiring, Some(wiring));

    let mut bench = Bench::open().await;
    assert_eq!(kept_by_order(&mut bench).await, ahead, "it was not kept ahead");
}

#[tokio::test]
async fn plans_are_kept_again_after_the_configuration_changed() {
    let mut bench = Bench::open().await;
    let before = keep_ahead(&mut bench).await;
    let room = bench.room;
    let _sender = configure(&mut bench, |setup| {
        setup.plans = setup.plans.changed(|plan| {
            if plan.resolved.room == room {
                plan.text = "# another".into();
            }
        });
    });
    bench.engine.take_configuration();
    assert!(bench.engine.rooms[&room].wiring_ahead.is_none(), "it was that of the plan before");
    let ahead = keep_ahead(&mut bench).await;
    assert_ne!(ahead, before);
    assert!(ahead.contains("# another"));
}
