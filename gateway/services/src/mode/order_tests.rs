//! What orders may and may not do to the rooms of a centre, by a whole engine.

use std::time::Duration;

use linli_domain::caller::{Caller, Login, Screen};
use linli_domain::{ClockQuality, Id, Timestamp};
use linli_mode::order::{
    Authority, Envelope, Kind, Numbers, Order, PlanHash, SecretKey, Series, Target, sign,
};
use linli_mode::record::ModeEvent;
use linli_mode::{Class, Event, Phase, Truth};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::mpsc;

use super::engine::Engine;
use super::golden::{PLAN, engine, engine_with};
use super::order_numbers::OrderNumbersFile;
use crate::command_queue::Submission;
use crate::error::ServiceError;
use crate::golden::site::{NOW, SIGNERS, Site};

const BACK: &str = "reading-room.from-sampling@1";
const HALL: &str = "hall.command@1";
const DAY: i64 = 86_400_000;

pub(super) fn order(engine: &Engine, seq: u64, kind: Kind, class: Class, plans: &[&str]) -> Order {
    let named = |plan: &&str| PlanHash {
        plan: (*plan).to_owned(),
        hash: engine.setup.plan(plan).expect("a plan of the example").hash,
    };
    let plans = plans.iter().map(named).collect();
    Order {
        id: format!("o-{seq}"),
        seq,
        kind,
        class,
        authority: Authority::District,
        targets: vec![Target { centre: Id::new("xinghe").unwrap(), site: None, plans, snapshot: None }],
        mode: "epidemic.sampling".to_owned(),
        not_before: NOW,
        expires: Timestamp(NOW.0 + 3_600_000),
        sent: NOW,
        reference: None,
        supersedes: Vec::new(),
        cap: None,
    }
}

fn naming(order: Order, other: &str) -> Order {
    Order { supersedes: vec![other.to_owned()], ..order }
}

/// Signed by the first so many of wang, li and chen.
pub(super) fn signed(order: &Order, people: usize) -> Envelope {
    let seed = |(_, _, actual, drill): &(&str, &str, u8, u8)| match order.class {
        Class::Actual => *actual,
        Class::Exercise => *drill,
    };
    let keys = SIGNERS.iter().take(people).map(|signer| SecretKey::from_seed([seed(signer); 32]));
    keys.fold(Envelope::of(order.clone()), |envelope, key| sign(&envelope, &key))
}

async fn send(engine: &mut Engine, order: &Order) -> Value {
    send_by(engine, order, 2).await
}

async fn send_by(engine: &mut Engine, order: &Order, people: usize) -> Value {
    engine.order(&signed(order, people).bytes(), None, None).await.expect("it is answered")
}

/// An account of a person, in a session of its own, with its secret entered again.
fn account(person: &str) -> Caller {
    Caller {
        person: Some(Id::new(person).unwrap()),
        session: Some(format!("session of {person}")),
        is_renewed: true,
        ..Caller::of(person, Login::Password, Screen::Network)
    }
}

/// A person on the spot compared the code.
async fn confirm(engine: &mut Engine, order: &Order, person: &str) -> Value {
    confirm_as(engine, order, &account(person)).await.expect("it is answered")
}

async fn confirm_as(engine: &mut Engine, order: &Order, caller: &Caller) -> Result<Value, ServiceError> {
    let envelope = signed(order, 2);
    let (bytes, code) = (envelope.bytes(), envelope.code());
    engine.order(&bytes, Some(&code), Some(caller)).await
}

#[track_caller]
fn refused(answer: &Value, why: &str) {
    let reason = answer["reason"].as_str().unwrap_or_default();
    assert!(answer["result"] == "refused" && reason.contains(why), "{why}: {answer}");
}

#[track_caller]
fn accepted(answer: &Value) {
    assert!(answer["together"].is_object(), "{answer}");
}

async fn without_fire(engine: &mut Engine) {
    let all: Vec<usize> = engine.rooms.keys().copied().collect();
    for room in all {
        engine.apply(room, Event::Fire(Truth::False)).await;
    }
}

/// The order that a room follows, and its phase.
fn follows(engine: &Engine, room: &str) -> (Option<String>, Phase) {
    let room = &engine.rooms[&engine.setup.facility.room(room).unwrap()];
    (room.state.run.as_ref().map(|run| run.order.id.clone()), room.state.phase)
}

#[tokio::test]
async fn a_drill_touches_nothing_that_an_actual_order_did() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    without_fire(&mut engine).await;
    let enter = order(&engine, 1, Kind::Enter, Class::Actual, &[PLAN]);
    accepted(&send(&mut engine, &enter).await);
    let before = (Some("o-1".to_owned()), Phase::Preview);
    assert_eq!(follows(&engine, "reading-room"), before);
    let drill = |kind, plans: &[&str]| naming(order(&engine, 1, kind, Class::Exercise, plans), "o-1");
    let drills = [
        (drill(Kind::Cancel, &[]), "does not touch"),
        // Seen in preview: the amendment of a drill replaced the order.
        (drill(Kind::Amend, &[HALL]), "does not touch"),
        (drill(Kind::Return, &[BACK]), "does not touch"),
        (drill(Kind::StandDown, &[]), "names no plan"),
        (drill(Kind::Stop, &[PLAN]), "does not touch"),
        (Order { supersedes: Vec::new(), ..drill(Kind::Return, &[BACK]) }, "does not touch"),
        (drill(Kind::Enter, &[PLAN]), "does not touch"),
    ];
    for (seq, (drill, why)) in (1..).zip(drills) {
        let drill = Order { id: format!("drill-{seq}"), seq, ..drill };
        refused(&send(&mut engine, &drill).await, why);
        assert_eq!(follows(&engine, "reading-room"), before, "{:?}", drill.kind);
        assert_eq!(follows(&engine, "hall"), (None, Phase::Peace), "{:?}", drill.kind);
    }
}

#[tokio::test]
async fn an_actual_order_cancels_no_drill_but_ends_it_by_entering() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    without_fire(&mut engine).await;
    let drill = order(&engine, 1, Kind::Enter, Class::Exercise, &[HALL]);
    accepted(&send(&mut engine, &drill).await);
    let cancel = naming(order(&engine, 2, Kind::Cancel, Class::Actual, &[]), "o-1");
    refused(&send(&mut engine, &cancel).await, "does not touch");
    let enter = order(&engine, 3, Kind::Enter, Class::Actual, &[HALL]);
    accepted(&send(&mut engine, &enter).await);
    assert_eq!(follows(&engine, "hall").0.as_deref(), Some("o-3"));
}

#[tokio::test]
async fn one_signer_stops_and_cancels_nothing() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    without_fire(&mut engine).await;
    let enter = order(&engine, 1, Kind::Enter, Class::Actual, &[PLAN]);
    accepted(&send(&mut engine, &enter).await);
    for (seq, kind, plans) in
        [(2, Kind::Cancel, &[][..]), (3, Kind::StandDown, &[]), (4, Kind::Return, &[BACK])]
    {
        let one = naming(order(&engine, seq, kind, Class::Actual, plans), "o-1");
        refused(&send_by(&mut engine, &one, 1).await, "2 different people");
        assert_eq!(follows(&engine, "reading-room"), (Some("o-1".to_owned()), Phase::Preview));
    }
    // Rooms without a run do not follow a stop; the others do, by one signature.
    let stop = order(&engine, 5, Kind::Stop, Class::Actual, &[]);
    accepted(&send_by(&mut engine, &stop, 1).await);
    assert_eq!(follows(&engine, "reading-room"), (Some("o-1".to_owned()), Phase::Held));
}

#[tokio::test]
async fn a_new_or_restored_database_forgets_no_number() {
    let (first, second) = (Site::open().await, Site::open().await);
    let (mut engine, ..) = engine(&first).await;
    without_fire(&mut engine).await;
    let enter = Order { seq: 7, ..order(&engine, 7, Kind::Enter, Class::Actual, &[PLAN]) };
    accepted(&send(&mut engine, &enter).await);
    let series = Series { authority: Authority::District, class: Class::Actual };
    assert_eq!(first.order_numbers().read().unwrap().numbers, Numbers::from([(series, 7)]));
    // A new database beside the same file.
    let (mut next, ..) = engine_with(&second, first.order_numbers()).await;
    without_fire(&mut next).await;
    refused(&send(&mut next, &enter).await, "number 7 is not above 7");
    let old = order(&next, 6, Kind::Enter, Class::Actual, &[PLAN]);
    refused(&send(&mut next, &old).await, "not above 7");
    let new = order(&next, 8, Kind::Enter, Class::Actual, &[PLAN]);
    accepted(&send(&mut next, &new).await);
    // The file was lost or damaged, and the database is there.
    let nowhere = OrderNumbersFile::beside(&std::env::temp_dir().join("linli-there-is-no-such-database"));
    let (mut again, ..) = engine_with(&first, nowhere).await;
    refused(&send(&mut again, &old).await, "not above 7");
    assert_eq!(send(&mut again, &enter).await["result"], "repeated");
}

#[tokio::test]
async fn without_any_numbers_two_people_on_the_spot_confirm() {
    let (first, second) = (Site::open().await, Site::open().await);
    let lost =
        || OrderNumbersFile::beside(&std::env::temp_dir().join(format!("linli-lost-{}", std::process::id())));
    let _ =
        std::fs::remove_file(std::env::temp_dir().join(format!("linli-lost-{}.orders", std::process::id())));
    let (mut engine, ..) = engine_with(&first, lost()).await;
    without_fire(&mut engine).await;
    let enter = order(&engine, 5_000_000, Kind::Enter, Class::Actual, &[PLAN]);
    let answer = send(&mut engine, &enter).await;
    assert_eq!((&answer["result"], &answer["waits_for"][0]), (&"quarantined".into(), &"numbers".into()));
    // The same person twice is one; nobody else can be made up.
    let answer = confirm(&mut engine, &enter, "zhao").await;
    assert_eq!(answer["result"], "quarantined", "{answer}");
    let in_the_same_session = Caller { session: account("zhao").session, ..account("qian") };
    let with_an_old_secret = Caller { is_renewed: false, ..account("qian") };
    for (caller, why) in [
        (account("zhao"), "another person"),
        (account("nobody"), "nobody"),
        (Caller::local("lin"), "belongs to no person"),
        (in_the_same_session, "session of their own"),
        (with_an_old_secret, "password again"),
    ] {
        let refused = confirm_as(&mut engine, &enter, &caller).await.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
    accepted(&confirm(&mut engine, &enter, "qian").await);
    // Who confirmed it stands in the record.
    let lines =
        crate::audit_log::entries_after::<ModeEvent>(&first.store.documents(), None, 1000).await.unwrap();
    let mut of_it = lines.iter().filter(|line| line.contains(r#""result":"accepted""#));
    assert!(of_it.next_back().unwrap().contains(r#""confirmed_by":["qian","zhao"]"#), "{lines:?}");
    // That file says that earlier numbers were lost, and which are known again.
    let kept = lost().read().expect("written");
    assert!(kept.is_lost && kept.numbers.len() == 1, "{kept:?}");
    let (mut next, ..) = engine_with(&second, lost()).await;
    without_fire(&mut next).await;
    let drill = order(&next, 1, Kind::Enter, Class::Exercise, &[HALL]);
    assert_eq!(send(&mut next, &drill).await["result"], "quarantined");
    refused(&send(&mut next, &enter).await, "not above 5000000");
    let _ =
        std::fs::remove_file(std::env::temp_dir().join(format!("linli-lost-{}.orders", std::process::id())));
}

#[tokio::test]
async fn an_expired_order_is_never_accepted_by_its_code() {
    let site = Site::open().await;
    let (mut engine, ..) = engine(&site).await;
    without_fire(&mut engine).await;
    site.clock.set(NOW, ClockQuality::FreeRunning);
    let enter = order(&engine, 1, Kind::Enter, Class::Actual, &[PLAN]);
    let answer = send(&mut engine, &enter).await;
    assert_eq!((&answer["result"], &answer["waits_for"][0]), (&"quarantined".into(), &"clock".into()));
    let _ = confirm(&mut engine, &enter, "zhao").await;
    // 399 days later nobody vouches for the clock still.
    site.clock.set(Timestamp(NOW.0 + 399 * DAY), ClockQuality::FreeRunning);
    refused(&confirm(&mut engine, &enter, "qian").await, "expired");
    // The clock loses its battery: the time that was reached stays.
    site.clock.set(Timestamp(0), ClockQuality::Unset);
    for person in ["zhao", "qian"] {
        refused(&confirm(&mut engine, &enter, person).await, "expired");
    }
    // Neither does it go back with the next process; the loop of the service keeps it every hour.
    engine.keep_time().await;
    let (mut next, ..) = super::golden::engine(&site).await;
    without_fire(&mut next).await;
    for person in ["zhao", "qian"] {
        refused(&confirm(&mut next, &enter, person).await, "expired");
    }
}

/// Each approval is void when two minutes have passed, or the building is no longer as it was.
#[tokio::test]
async fn an_approval_is_void_after_two_minutes_and_after_a_change() {
    let site = Site::open().await;
    let (mut engine, ..) = engine(&site).await;
    without_fire(&mut engine).await;
    site.clock.set(NOW, ClockQuality::FreeRunning);
    let enter = order(&engine, 1, Kind::Enter, Class::Actual, &[PLAN]);
    let _ = send(&mut engine, &enter).await;
    let first = confirm(&mut engine, &enter, "zhao").await;
    assert_eq!(first["result"], "quarantined", "{first}");
    engine.began = engine.began.checked_sub(Duration::from_secs(121)).unwrap();
    let late = confirm_as(&mut engine, &enter, &account("qian")).await.unwrap_err().to_string();
    assert!(late.contains("2 minutes"), "{late}");
    // The fire panel is no longer read.
    let room = engine.setup.facility.room("reading-room").unwrap();
    engine.rooms.get_mut(&room).unwrap().state.fire = linli_mode::Fire::Unknown;
    let changed = confirm_as(&mut engine, &enter, &account("zhao")).await.unwrap_err().to_string();
    assert!(changed.contains("has changed"), "{changed}");
    without_fire(&mut engine).await;
    let changed = confirm_as(&mut engine, &enter, &account("sun")).await.unwrap_err().to_string();
    assert!(changed.contains("has changed"), "{changed}");
    accepted(&confirm(&mut engine, &enter, "qian").await);
}

#[tokio::test]
async fn a_flood_of_refusals_hides_no_equivocation() {
    let site = Site::open().await;
    let (mut engine, ..) = engine(&site).await;
    without_fire(&mut engine).await;
    let enter = order(&engine, 1, Kind::Enter, Class::Actual, &[PLAN]);
    accepted(&send(&mut engine, &enter).await);
    for _ in 0..100 {
        refused(&engine.order(b"\xff", None, None).await.unwrap(), "COSE_Sign");
    }
    let other = Order { id: "other".to_owned(), ..order(&engine, 1, Kind::Enter, Class::Actual, &[HALL]) };
    let answer = send(&mut engine, &other).await;
    assert_eq!((&answer["security_alarm"], &answer["alarm"]), (&true.into(), &"equivocation".into()));
    let lines =
        crate::audit_log::entries_after::<ModeEvent>(&site.store.documents(), None, 1000).await.unwrap();
    assert!(lines.iter().any(|line| line.contains(r#""alarm":"equivocation""#)), "it is not on record");
    let told = site.dump().await;
    assert!(told.lines().any(|line| line.contains("event/order") && line.contains("equivocation")), "{told}");
}

#[tokio::test]
async fn a_plan_counts_while_a_key_that_signed_it_does() {
    let site = Site::open().await;
    let (mut engine, ..) = engine(&site).await;
    without_fire(&mut engine).await;
    let key = engine.setup.people.keyring.keys[0].public.id();
    let mut setup = (*engine.setup).clone();
    setup.plans = setup.plans.changed(|plan| plan.signed = Some(vec![key]));
    let with = |until: Option<i64>, revoked: Option<i64>| {
        let mut setup = setup.clone();
        let key = &mut setup.people.keyring.keys[0];
        (key.until, key.revoked) = (until.map(Timestamp), revoked.map(Timestamp));
        Arc::new(setup)
    };
    // Li and a second person sign the orders: wang's key only signed the plans.
    let by_others = |order: &Order| {
        let keys = [2_u8, 9].map(|seed| SecretKey::from_seed([seed; 32]));
        keys.iter().fold(Envelope::of(order.clone()), |envelope, key| sign(&envelope, key)).bytes()
    };
    let second = linli_mode::order::Key {
        person: Id::new("zhou").unwrap(),
        roles: vec!["commander".to_owned()],
        class: Class::Actual,
        public: SecretKey::from_seed([9; 32]).public(),
        from: None,
        until: None,
        revoked: None,
    };
    for (seq, until, revoked) in [(1, Some(NOW.0), None), (2, None, Some(NOW.0)), (3, None, None)] {
        let mut setup = (*with(until, revoked)).clone();
        setup.people.keyring.keys.push(second.clone());
        engine.setup = Arc::new(setup);
        let enter = order(&engine, seq, Kind::Enter, Class::Actual, &[PLAN]);
        let answer = engine.order(&by_others(&enter), None, None).await.unwrap();
        match seq {
            3 => accepted(&answer),
            _ => refused(&answer, "signed by no key that is valid now"),
        }
    }
}

#[tokio::test]
async fn an_order_does_not_count_before_its_number_is_kept() {
    let site = Site::open().await;
    let (mut engine, ..) = engine(&site).await;
    without_fire(&mut engine).await;
    let enter = order(&engine, 1, Kind::Enter, Class::Actual, &[PLAN]);
    accepted(&send(&mut engine, &enter).await);
    let nowhere = OrderNumbersFile::beside(std::path::Path::new("/there/is/no/such/directory/linli.db"));
    let (mut engine, ..) = engine_with(&site, nowhere).await;
    without_fire(&mut engine).await;
    let hall = order(&engine, 2, Kind::Enter, Class::Actual, &[HALL]);
    refused(&send(&mut engine, &hall).await, "cannot be written");
    assert_eq!(follows(&engine, "hall"), (None, Phase::Peace));
    // A stop is executed whatever the disk says.
    let stop = order(&engine, 3, Kind::Stop, Class::Actual, &[]);
    accepted(&send_by(&mut engine, &stop, 1).await);
    assert_eq!(follows(&engine, "reading-room").1, Phase::Held);
}

/// Nothing can be read or written: an order to stop is executed all the same, and put on record when that is possible
/// again, with who signed it.
#[tokio::test]
async fn a_stop_by_order_needs_no_disk_and_is_recorded_later() {
    let site = Site::open().await;
    let (mut engine, _commands) = ordered(&site).await;
    engine.deps.store = super::noticed::closed().await;
    let stop = order(&engine, 2, Kind::Stop, Class::Actual, &[]);
    accepted(&send_by(&mut engine, &stop, 1).await);
    assert_eq!(follows(&engine, "reading-room"), (Some("o-1".to_owned()), Phase::Held));
    engine.deps.store = site.store.documents();
    without_fire(&mut engine).await;
    let room = engine.setup.facility.room("reading-room").unwrap();
    engine.apply(room, Event::Fire(Truth::True)).await;
    let lines =
        crate::audit_log::entries_after::<ModeEvent>(&site.store.documents(), None, 1000).await.unwrap();
    let of_stop = lines.iter().filter(|line| line.contains(r#""result":"accepted","order":"o-2""#));
    assert_eq!(of_stop.filter(|line| line.contains("wang")).count(), 1, "{lines:?}");
    assert!(lines.iter().any(|line| line.contains(r#""to":"held""#)), "{lines:?}");
    assert!(site.store.documents().get("mode-order/o-2").await.unwrap().is_some());
    assert_eq!(site.order_numbers().read().unwrap().numbers.into_values().max(), Some(2));
    assert_eq!(send_by(&mut engine, &stop, 1).await["result"], "repeated");
}

/// Whoever sends more than can be judged is told of and put on record, once a minute at most.
#[tokio::test]
async fn dropped_orders_are_counted_told_and_on_record() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    engine.tell_dropped_orders().await;
    for _ in 0..70 {
        engine.deps.health.ordered("dropped");
        engine.tell_dropped_orders().await;
    }
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    engine.tell_dropped_orders().await;
    engine.tell_dropped_orders().await;
    let lines =
        crate::audit_log::entries_after::<ModeEvent>(&site.store.documents(), None, 1000).await.unwrap();
    let told: Vec<&String> = lines.iter().filter(|line| line.contains(r#""result":"dropped""#)).collect();
    assert!(told.len() == 2 && told[0].contains("\"1 orders") && told[1].contains("\"69 orders"), "{told:?}");
    let sent = site.dump().await;
    assert_eq!(
        sent.lines().filter(|line| line.contains("event/order") && line.contains("dropped")).count(),
        2
    );
}

/// Nobody fills the record with alert messages, or with requests that are refused.
#[tokio::test]
async fn a_flood_of_messages_and_refused_requests_does_not_fill_the_record() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    without_fire(&mut engine).await;
    let message = super::golden::MESSAGE;
    for _ in 0..400 {
        assert_eq!(engine.order(message, None, None).await.unwrap()["result"], "proposal");
        let action = super::request::RequestedAction::Do {
            room: "reading-room".to_owned(),
            person: Some("qian".to_owned()),
            operation: super::request::Operation::Commit,
        };
        engine.answer(&Caller::local("lin"), action).await.unwrap_err();
        tokio::time::pause();
        tokio::time::advance(Duration::from_secs(1)).await;
        tokio::time::resume();
    }
    let lines =
        crate::audit_log::entries_after::<ModeEvent>(&site.store.documents(), None, 1000).await.unwrap();
    let of = |kind: &str| lines.iter().filter(|line| line.contains(&format!("\"kind\":\"{kind}\""))).count();
    for kind in ["message", "refused"] {
        assert!((50..=60).contains(&of(kind)), "{kind}: 50 at once and one a minute: {}", of(kind));
    }
}

#[tokio::test]
async fn an_order_of_the_spot_does_not_come_from_the_broker() {
    let site = Site::open().await;
    let (mut engine, ..) = engine(&site).await;
    let order = order(&engine, 1, Kind::Enter, Class::Actual, &[PLAN]);
    let order = Order { authority: Authority::Local, id: "local-1".to_owned(), ..order };
    refused(&send(&mut engine, &order).await, "is given on the spot");
}

#[tokio::test]
async fn the_numbers_are_published_with_the_head_and_the_status() {
    let site = Site::open().await;
    let (mut engine, _commands, birth) = engine(&site).await;
    without_fire(&mut engine).await;
    let enter = order(&engine, 7, Kind::Enter, Class::Actual, &[PLAN]);
    let answer = send(&mut engine, &enter).await;
    assert_eq!(answer["numbers"]["district.Actual"], 7);
    assert_eq!(answer["numbers"]["local.Exercise"], 0);
    assert_eq!(birth.borrow().orders.get("district.Actual"), Some(&7));
    let note = answer["record"]["checkpoint"].as_str().expect("it is signed").to_owned();
    assert!(note.contains("\norder district.Actual 7\n"), "{note}");
    let signer = engine.deps.signer.as_ref().expect("a signer");
    assert!(signer.verifier().open(&note).is_ok(), "further lines are no hindrance");
}

/// Sends an order of which only the first of its two transactions becomes durable: its answer is not looked at, and the
/// second is never asked for. Then the process dies.
async fn cut_after_first_transaction(site: &Site, mut engine: Engine, order: &Order) {
    let heads = site.store.outbox().heads();
    let before = heads.borrow().urgent;
    let mut sent = Box::pin(send(&mut engine, order));
    while heads.borrow().urgent == before {
        let ended = futures_util::future::poll_immediate(&mut sent).await;
        assert!(ended.is_none(), "it ended in one transaction");
        tokio::task::yield_now().await;
    }
}

/// An engine of this site whose reading room was ordered by `o-1`, and the queues of its commands.
async fn ordered(site: &Site) -> (Engine, [mpsc::Receiver<Submission>; 2]) {
    let (mut engine, commands, _birth) = engine(site).await;
    without_fire(&mut engine).await;
    let enter = order(&engine, 1, Kind::Enter, Class::Actual, &[PLAN]);
    accepted(&send(&mut engine, &enter).await);
    (engine, commands)
}

/// A gateway that dies between the two transactions of an amendment: the order is accepted, and sent again it is only
/// repeated. The next process begins what it orders.
#[tokio::test]
async fn an_amendment_that_a_power_cut_interrupts_is_begun_by_the_next_process() {
    let site = Site::open().await;
    let (first, _commands) = ordered(&site).await;
    let amend = naming(order(&first, 2, Kind::Amend, Class::Actual, &[HALL]), "o-1");
    cut_after_first_transaction(&site, first, &amend).await;
    let (mut next, _commands, _birth) = engine(&site).await;
    assert_eq!(follows(&next, "reading-room"), (None, Phase::Peace));
    next.begin().await;
    assert_eq!(follows(&next, "hall"), (Some("o-2".to_owned()), Phase::Preview));
    assert_eq!(send(&mut next, &amend).await["result"], "repeated");
    drop(next);
    // It is begun once.
    let stored = site.store.documents().get("mode-following").await.unwrap().unwrap();
    assert_eq!(stored.body, "null");
}

/// The same, found so late that the order has expired: nothing enters.
#[tokio::test]
async fn an_interrupted_amendment_that_has_expired_begins_nothing() {
    let site = Site::open().await;
    let (first, _commands) = ordered(&site).await;
    let amend = naming(order(&first, 2, Kind::Amend, Class::Actual, &[HALL]), "o-1");
    cut_after_first_transaction(&site, first, &amend).await;
    site.clock.set(Timestamp(NOW.0 + DAY), ClockQuality::Synchronised);
    let (mut next, _commands, _birth) = engine(&site).await;
    next.begin().await;
    assert_eq!(follows(&next, "hall"), (None, Phase::Peace));
}

/// A cancellation that is interrupted: the room is held until its return begins, by the next process, however late.
#[tokio::test]
async fn the_return_of_an_interrupted_cancellation_is_begun_by_the_next_process() {
    let site = Site::open().await;
    let (mut first, _commands) = ordered(&site).await;
    let room = first.setup.facility.room("reading-room").unwrap();
    first.apply(room, Event::Elapsed(linli_mode::Timer::Grace)).await;
    assert_eq!(follows(&first, "reading-room").1, Phase::Running);
    let cancel = naming(order(&first, 2, Kind::Cancel, Class::Actual, &[]), "o-1");
    cut_after_first_transaction(&site, first, &cancel).await;
    site.clock.set(Timestamp(NOW.0 + DAY), ClockQuality::Synchronised);
    let (mut next, _commands, _birth) = engine(&site).await;
    assert_eq!(follows(&next, "reading-room"), (Some("o-1".to_owned()), Phase::Held));
    next.begin().await;
    assert_eq!(follows(&next, "reading-room").0.as_deref(), Some("o-2"));
}

/// An order that nobody signed, of the largest size, again and again: what it puts on record is bounded, and an order
/// of two people is accepted after it.
#[tokio::test]
async fn a_flood_of_large_forged_orders_does_not_fill_the_record() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    without_fire(&mut engine).await;
    let forged = |seq: u64| Order {
        cap: Some(vec![7; 60_000]),
        ..order(&engine, seq, Kind::Enter, Class::Actual, &[PLAN])
    };
    let forged: Vec<Vec<u8>> = (1..=400).map(|seq| signed(&forged(seq), 0).bytes()).collect();
    let before = site.dump().await.len();
    for bytes in forged {
        let answer = engine.order(&bytes, None, None).await.expect("it is answered");
        refused(&answer, "2 different people");
        // The store is not asked while time stands still.
        tokio::time::pause();
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        tokio::time::resume();
    }
    let lines =
        crate::audit_log::entries_after::<ModeEvent>(&site.store.documents(), None, 1000).await.unwrap();
    let refusals = lines.iter().filter(|line| line.contains("refused")).count();
    assert!((50..=60).contains(&refusals), "50 at once and one a minute: {refusals}");
    let grown = site.dump().await.len() - before;
    assert!(grown < 1_000_000, "{grown} bytes for 24 MB of orders");
    let enter = order(&engine, 500, Kind::Enter, Class::Actual, &[PLAN]);
    accepted(&send(&mut engine, &enter).await);
    // What is accepted is on record with its bytes, however long.
    let lines =
        crate::audit_log::entries_after::<ModeEvent>(&site.store.documents(), None, 1000).await.unwrap();
    let last = lines.iter().rfind(|line| line.contains("accepted")).unwrap();
    assert!(last.contains("\"envelope\":\""), "{last}");
}

/// Eight drills that wait for their codes push out no Actual order that waits for its own.
#[tokio::test]
async fn drills_in_quarantine_push_out_no_actual_order() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    without_fire(&mut engine).await;
    site.clock.set(NOW, ClockQuality::FreeRunning);
    let actual = order(&engine, 1, Kind::Enter, Class::Actual, &[PLAN]);
    assert_eq!(confirm(&mut engine, &actual, "chen").await["result"], "quarantined");
    for seq in 1..=9 {
        let drill = Order {
            id: format!("drill-{seq}"),
            ..order(&engine, seq, Kind::Enter, Class::Exercise, &[HALL])
        };
        assert_eq!(send(&mut engine, &drill).await["result"], "quarantined");
    }
    let code = signed(&actual, 2).code();
    let by_code = engine.order(&[], Some(&code), Some(&account("wang"))).await;
    accepted(&by_code.expect("it still waits"));
    assert_eq!(follows(&engine, "reading-room").0.as_deref(), Some("o-1"));
}
