//! Golden files of the mode switch: stored rooms, audit entries and heads, published messages; and one
//! whole switch with everything the store contains afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use linli_domain::audit::Head;
use linli_domain::caller::{Acting, Caller};
use linli_domain::{ClockQuality, Id, Timestamp, Value};
use linli_mode::checkpoint::CheckpointSigner;
use linli_mode::order::{Authority, Envelope, Kind, Order, PlanHash, SecretKey, Target, sign};
use linli_mode::{
    Actor, Cause, Channel, Class, Direction, Effect, Event, Fire, OrderRef, Phase, Run, Stage, State,
    StepState, Truth,
};
use linli_uplink::{Birth, InboundOrder};
use tokio::sync::{mpsc, watch};

use super::engine::Deps;
use super::engine::Engine;
use super::metrics::{Health, SwitchTime};
use super::notices::Written;
use super::order_numbers::OrderNumbersFile;
use super::policy::{PolicyPublisher, StoredEntered};
use super::record::Record;
use super::request::{Finding, Operation, RequestedAction};
use super::room::StoredRoom;
use super::service_rooms::StoredService;
use super::setup::Setup;
use crate::command_queue::{Lanes, Submission};
use crate::golden::site::{NOW, SIGNERS, Site, building_0_1, checked};
use linli_golden::{every, frozen, sent, stored};
use linli_mode::record::{Evidence, LogHead, ModeEntry, ModeEvent, StepChange};

pub(super) const PLAN: &str = "reading-room.sampling@1";

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn run(class: Class, direction: Direction, steps: Vec<StepState>) -> Run {
    let order = OrderRef { id: text("0197f0c2-1"), class, direction, plan: text(PLAN) };
    Run { steps, ..Run::new(order, 0, 0) }
}

/// Stored rooms: in peace, entering, held with unproven outputs, in a drill, returning.
fn rooms() -> Vec<StoredRoom> {
    let room = |state, entered, last| StoredRoom {
        plan: Some((text(PLAN), "a5".repeat(32))),
        building: Some("5a".repeat(32)),
        state,
        since: NOW,
        ordered: Timestamp(NOW.0 - 60_000),
        entered,
        last,
        acting: BTreeSet::new(),
        wiring: None,
    };
    let entered = StoredEntered {
        plan: text(PLAN),
        hash: "a5".repeat(32),
        order: text("0197f0c2-1"),
        class: Class::Actual,
        began: NOW,
    };
    let switch_time = SwitchTime { order: text("0197f0c2-0"), ms: 6_500_000, within_ms: 7_200_000 };
    let last = BTreeMap::from([(text("enter Actual"), switch_time)]);
    let steps = || {
        vec![
            StepState::Verified(Channel::Human),
            StepState::Waived(id("zhao")),
            StepState::Intent(1),
            StepState::Asked,
            StepState::Pending,
        ]
    };
    let entering = Run {
        doers: BTreeMap::from([(0, BTreeSet::from([id("qian"), id("sun")]))]),
        moved: BTreeSet::from([0, 2]),
        pulsed: BTreeSet::from([2]),
        ..run(Class::Actual, Direction::Enter, steps())
    };
    let held = Run {
        unproven: BTreeSet::from([2]),
        voided: BTreeSet::from([1]),
        causes: BTreeSet::from([Cause::Fire, Cause::Stop]),
        ..entering.clone()
    };
    let state = |phase, run| State { phase, fire: Fire::Normal, run };
    let peace = StoredRoom { plan: None, building: None, ..room(State::default(), None, BTreeMap::new()) };
    vec![
        peace,
        room(
            state(Phase::Preview, Some(run(Class::Actual, Direction::Enter, Vec::new()))),
            None,
            BTreeMap::new(),
        ),
        room(state(Phase::Running, Some(entering.clone())), Some(entered.clone()), BTreeMap::new()),
        room(state(Phase::Ready, Some(entering)), Some(entered.clone()), last.clone()),
        room(state(Phase::Held, Some(held)), Some(entered.clone()), last.clone()),
        room(
            state(Phase::Running, Some(run(Class::Exercise, Direction::Enter, steps()))),
            None,
            last.clone(),
        ),
        room(
            state(Phase::Running, Some(run(Class::Actual, Direction::Return, steps()))),
            Some(entered),
            last,
        ),
    ]
}

/// Steps with all optional members, and with none.
fn steps() -> [ModeEvent; 2] {
    let evidence = Evidence {
        claim: text("reading-door.contact == closed"),
        point: Some(text("reading-mode.door_open")),
        value: Some(Value::Bool(false)),
        age_ms: Some(250),
        is_independent: true,
    };
    let moved = StepChange {
        step: id("sweep"),
        state: text("verified"),
        channel: Some(Channel::Human),
        by: Some(id("zhao")),
        done_by: BTreeSet::from([id("qian"), id("sun")]),
    };
    let least = StepChange {
        step: id("notice"),
        state: text("asked"),
        channel: None,
        by: None,
        done_by: BTreeSet::new(),
    };
    let nothing =
        Evidence { point: None, value: None, age_ms: None, is_independent: false, ..evidence.clone() };
    stored("mode/evidence", &[evidence.clone(), nothing]);
    stored("mode/moved", &[moved.clone(), least.clone()]);
    let step = |by, evidence, steps| ModeEvent::Step {
        room: id("reading-room"),
        plan: text(PLAN),
        event: Event::Truth(4, Truth::True),
        by,
        evidence,
        from: Stage::Clearing,
        to: Stage::Acting,
        effects: vec![Effect::Disarm(linli_mode::Timer::Verify(2)), Effect::Ask(3)],
        steps,
        state: "0f".repeat(32),
        acting: None,
    };
    [step(Some(text("zhao (lin)")), Some(evidence), vec![moved, least]), step(None, None, Vec::new())]
}

fn events() -> Vec<ModeEvent> {
    let who = Actor { id: id("zhao"), roles: vec![text("site_lead")] };
    let [whole, least] = steps();
    vec![
        ModeEvent::Started { version: text("0.1.0"), boot: text("b1") },
        ModeEvent::Plan { plan: text(PLAN), hash: "a5".repeat(32), text: text("[plan]\nid = \"x\"\n") },
        ModeEvent::Order {
            result: text("accepted"),
            reason: Some(text("why")),
            order: Some(text("0197f0c2-1")),
            signers: vec![id("wang"), id("li")],
            confirmed_by: Vec::new(),
            alarm: None,
            via: text("mqtt"),
            envelope: Some(text("d8628440")),
            acting: None,
        },
        ModeEvent::Order {
            result: text("refused"),
            reason: None,
            order: None,
            signers: Vec::new(),
            confirmed_by: Vec::new(),
            alarm: None,
            via: text("mqtt"),
            envelope: None,
            acting: None,
        },
        ModeEvent::Message {
            identifier: text("1_2026"),
            proposes: Some(text("Actual Enter")),
            via: text("mqtt"),
        },
        ModeEvent::Message { identifier: text("1_2026"), proposes: None, via: text("lin") },
        ModeEvent::Reset { room: id("reading-room"), why: text("why"), state: Box::new(State::default()) },
        whole,
        least,
        ModeEvent::Alternate {
            room: id("reading-room"),
            plan: text("hall.command@1"),
            order: text("0197f0c2-1"),
            by: text("zhao (lin)"),
            why: text("门坏了"),
            acting: None,
        },
        ModeEvent::Finding {
            order: text("0197f0c2-1"),
            by: id("zhao"),
            owner: text("物业"),
            due: text("2026-12-31"),
            text: text("门禁反应慢"),
            acting: None,
        },
        ModeEvent::Refused {
            room: id("reading-room"),
            event: Event::Commit { who },
            by: Some(text("lin")),
            why: text("the room is peace: commit means nothing there"),
            acting: None,
        },
    ]
}

/// Entries of service states; not among [`events`], whose chain is frozen.
fn services() -> Vec<ModeEvent> {
    let service = |state: &str, by, why: &str, until| ModeEvent::Service {
        room: id("reading-room"),
        state: text(state),
        by,
        why: text(why),
        until,
        acting: None,
    };
    vec![
        service("begun", Some(text("zhao (lin)")), "更换灯管", Some(NOW)),
        service("ended", None, "its time was over", None),
    ]
}

/// The ends of the gateway's other logs.
fn heads() -> ModeEvent {
    let head = |count, last: &str| LogHead { count, last: last.repeat(32) };
    ModeEvent::Heads {
        heads: BTreeMap::from([(text("access"), head(7, "0a")), (text("accounts"), head(12, "ff"))]),
    }
}

/// Readings that were left out, with all members and with few; not among [`events`] either.
fn readings() -> Vec<ModeEvent> {
    let of = |plan, truths, fire| ModeEvent::Readings {
        room: id("reading-room"),
        plan,
        truths,
        fire,
        state: "0f".repeat(32),
    };
    let truths = vec![(0, Truth::True), (4, Truth::False), (7, Truth::Unknown)];
    vec![of(Some(text(PLAN)), truths, Some(Fire::Normal)), of(None, Vec::new(), None)]
}

#[test]
fn documents_of_rooms() {
    let (by, why) = (text("zhao (lin)"), text("更换灯管"));
    let service = StoredService { by, why, since: NOW, until: NOW, acting: None };
    stored("mode/service", &[Some(service.clone()), None]);
    stored("mode/service_acting", &[Some(StoredService { acting: Some(acting()), ..service })]);
    stored("mode/room", &rooms());
    let room = rooms().remove(0);
    stored("mode/room_acting", &[StoredRoom { acting: BTreeSet::from([acting()]), ..room }]);
    let written = |shown: Option<&str>| Written { text: shown.map(text), before: text("欢迎") };
    stored("mode/notice", &[written(Some("暂停服务")), written(None)]);
}

#[test]
fn audit_entries() {
    let all = [events(), services(), vec![heads()], readings()].concat();
    every!(all; ModeEvent::Started { .. }, ModeEvent::Plan { .. }, ModeEvent::Order { .. }, ModeEvent::Message { .. },
        ModeEvent::Reset { .. }, ModeEvent::Step { .. }, ModeEvent::Alternate { .. }, ModeEvent::Finding { .. },
        ModeEvent::Refused { .. }, ModeEvent::Service { .. }, ModeEvent::Heads { .. }, ModeEvent::Readings { .. });
    let numbered = |first: usize, all: Vec<ModeEvent>| -> Vec<ModeEntry> {
        let entry = |(n, what)| ModeEntry { n, prev: "00".repeat(32), at: NOW, what };
        (first as u64..).zip(all).map(entry).collect()
    };
    let (first, later) = (events().len(), events().len() + services().len());
    let lines = numbered(0, [events(), services()].concat());
    stored("mode/line", &lines[..first]);
    stored("mode/line_service", &lines[first..]);
    stored("mode/line_heads", &numbered(later, vec![heads()]));
    stored("mode/line_readings", &numbered(later, readings()));
    let acting: Vec<ModeEntry> = lines.iter().cloned().filter_map(with_acting).collect();
    stored("mode/line_acting", &acting);
}

/// The entry with who acted; `None` if it has none.
fn with_acting(mut entry: ModeEntry) -> Option<ModeEntry> {
    let (ModeEvent::Order { acting: who, .. }
    | ModeEvent::Step { acting: who, .. }
    | ModeEvent::Alternate { acting: who, .. }
    | ModeEvent::Finding { acting: who, .. }
    | ModeEvent::Service { acting: who, .. }
    | ModeEvent::Refused { acting: who, .. }) = &mut entry.what
    else {
        return None;
    };
    *who = Some(acting());
    Some(entry)
}

/// Somebody at the control socket who says that they are zhao.
fn acting() -> Acting {
    Caller::local("lin").acting(Some(&id("zhao")))
}

fn signer() -> Arc<CheckpointSigner> {
    Arc::new(CheckpointSigner::new(text("linli/xinghe/main"), SecretKey::from_seed([7; 32])))
}

#[tokio::test]
async fn the_chain_and_its_signed_heads() {
    let site = Site::open().await;
    let documents = site.store.documents();
    let mut out = String::new();
    for signer in [None, Some(signer())] {
        let mut record = Record::resume(&documents, signer).await.unwrap();
        for event in events() {
            let change = record.append(NOW, event);
            let changes = vec![change, record.document(NOW)];
            documents.keep(linli_store::Entry { changes, ..linli_store::Entry::default() }).await.unwrap();
            out += &(serde_json::to_string(&record.head()).unwrap() + "\n");
        }
    }
    frozen("mode/head.jsonl", &out);
    frozen("mode/chain.txt", &site.dump().await);
    let heads: Vec<Head> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(heads.last().unwrap().count, 2 * u64::try_from(events().len()).unwrap());
}

/// Creates an engine over a site; returns it with its command queues and its status.
pub(super) async fn engine(site: &Site) -> (Engine, [mpsc::Receiver<Submission>; 2], watch::Receiver<Birth>) {
    engine_with(site, site.order_numbers()).await
}

/// The same, with the numbers of orders in that file.
pub(super) async fn engine_with(
    site: &Site,
    order_numbers: OrderNumbersFile,
) -> (Engine, [mpsc::Receiver<Submission>; 2], watch::Receiver<Birth>) {
    engine_of(site, Setup::of(&checked()), order_numbers).await
}

/// The same, with another configuration.
pub(super) async fn engine_in(
    site: &Site,
    setup: Setup,
) -> (Engine, [mpsc::Receiver<Submission>; 2], watch::Receiver<Birth>) {
    engine_of(site, setup, site.order_numbers()).await
}

async fn engine_of(
    site: &Site,
    setup: Setup,
    order_numbers: OrderNumbersFile,
) -> (Engine, [mpsc::Receiver<Submission>; 2], watch::Receiver<Birth>) {
    let birth = watch::Sender::new(Birth {
        version: text("0.1.0"),
        boot: text("b1"),
        mode: text("peace"),
        record_key: None,
        orders: BTreeMap::new(),
        service: Vec::new(),
        order_bytes: None,
        rooms: BTreeMap::new(),
        switches: BTreeSet::new(),
    });
    let reported = birth.subscribe();
    let ((usual, from_usual), (first, from_first)) = (mpsc::channel(64), mpsc::channel(64));
    let overflow = mpsc::channel(1).0;
    let deps = Deps {
        store: site.store.documents(),
        commands: Lanes { usual, first, overflow },
        asked: mpsc::channel(1).1,
        events: crate::events::Events::default(),
        clock: site.clock.clone(),
        health: Arc::new(Health::default()),
        setup: watch::Sender::new(Arc::new(setup)).subscribe(),
        needed: watch::Sender::default(),
        evidence: watch::Sender::default(),
        birth,
        policies: PolicyPublisher::default(),
        outputs: watch::Sender::default(),
        signer: Some(signer()),
        order_numbers,
    };
    (Engine::resume(deps, mpsc::channel(1).1).await.unwrap(), [from_usual, from_first], reported)
}

fn order(engine: &Engine, number: u64, kind: Kind, class: Class, plan: &str) -> Vec<u8> {
    let hash = engine.setup.plan(plan).unwrap().hash;
    let plan = PlanHash { plan: text(plan), hash };
    let target = Target { centre: id("xinghe"), site: None, plans: vec![plan], snapshot: None };
    let order = Order {
        id: format!("0197f0c2-{number}"),
        seq: number,
        kind,
        class,
        authority: Authority::District,
        targets: vec![target],
        mode: text("epidemic.sampling"),
        not_before: NOW,
        expires: Timestamp(NOW.0 + 3_600_000),
        sent: NOW,
        reference: Some(text("沪防〔2026〕12号")),
        supersedes: Vec::new(),
        cap: None,
    };
    let seeds =
        SIGNERS.iter().map(|(_, _, actual, drill)| if class == Class::Actual { actual } else { drill });
    let signed = seeds
        .take(2)
        .fold(Envelope::of(order), |envelope, seed| sign(&envelope, &SecretKey::from_seed([*seed; 32])));
    signed.bytes()
}

/// Returns the order that makes the reading room a sampling area.
pub(super) fn enter(engine: &Engine) -> Vec<u8> {
    order(engine, 1, Kind::Enter, Class::Actual, PLAN)
}

/// Follows that order until the first output moves. Sends it twice, and commits as an unauthorised
/// person first.
pub(super) async fn switch(engine: &mut Engine, order: &[u8]) {
    let room = engine.setup.facility.room("reading-room").unwrap();
    engine.apply(room, Event::Fire(Truth::False)).await;
    engine.order(order, None, None).await.unwrap();
    engine.order(order, None, None).await.unwrap();
    let resolved = engine.setup.plan(PLAN).unwrap().resolved.clone();
    for predicate in 0..resolved.predicates.len() {
        let is_of_people = resolved.occupied.contains(&predicate) || resolved.opened.contains(&predicate);
        engine.apply(room, Event::Truth(predicate, (!is_of_people).into())).await;
    }
    act(engine, "reading-room", "qian", Operation::Commit).await.unwrap_err();
    act(engine, "reading-room", "zhao", Operation::Commit).await.unwrap();
    act(engine, "reading-room", "qian", Operation::Confirm(text("notice"))).await.unwrap();
    act(engine, "reading-room", "qian", Operation::Confirm(text("sweep"))).await.unwrap();
    act(engine, "reading-room", "sun", Operation::Confirm(text("sweep"))).await.unwrap();
}

async fn act(engine: &mut Engine, room: &str, person: &str, operation: Operation) -> Result<(), String> {
    let action = RequestedAction::Do { room: text(room), person: Some(text(person)), operation };
    engine.answer(&Caller::local("lin"), action).await.map(drop).map_err(|why| why.to_string())
}

pub(super) const MESSAGE: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>1_20261124080000_1</identifier><sender>qzx@district.example</sender>
  <sent>2026-11-24T08:00:00+08:00</sent><status>Actual</status><msgType>Alert</msgType><scope>Public</scope>
  <info><category>Health</category><event>sampling</event><urgency>Immediate</urgency>
    <severity>Severe</severity><certainty>Observed</certainty></info>
</alert>"#;

#[tokio::test]
async fn a_whole_switch_as_stored_and_published() {
    let site = Site::open().await;
    let (mut engine, mut commands, birth) = engine(&site).await;
    engine.order(MESSAGE, None, None).await.unwrap();
    engine.receive_order(&InboundOrder { payload: Vec::new(), retained: true }).await;
    site.clock.set(NOW, ClockQuality::FreeRunning);
    let bytes = enter(&engine);
    engine.order(&bytes, None, None).await.unwrap();
    site.clock.set(NOW, ClockQuality::Synchronised);
    switch(&mut engine, &bytes).await;
    let finding = Finding {
        order: text("0197f0c2-1"),
        person: Some(text("zhao")),
        owner: text("物业"),
        due: text("2026-12-31"),
        text: text("门禁反应慢"),
    };
    engine.answer(&Caller::local("lin"), RequestedAction::Finding(finding)).await.unwrap();
    act(&mut engine, "reading-room", "sun", Operation::Stop).await.unwrap();
    let drill = order(&engine, 2, Kind::Enter, Class::Exercise, "hall.command@1");
    engine.order(&drill, None, Some(&Caller::local("lin"))).await.unwrap();
    engine.publish_status();
    // Replaces the building's canonical name by the one of version 0.1.
    let plans = engine.setup.plans.iter();
    let mut dump = plans.fold(site.dump().await, |dump, plan| {
        dump.replace(&plan.building, &building_0_1(&plan.resolved.plan.key()))
    });
    for (lane, commands) in ["usual", "first"].into_iter().zip(&mut commands) {
        while let Ok(submission) = commands.try_recv() {
            let inbound = submission.inbound;
            dump += &format!(
                "command {lane} {} {}\n",
                inbound.device,
                String::from_utf8(inbound.payload).unwrap()
            );
        }
    }
    dump += &format!("birth {} {}\n", birth.borrow().mode, birth.borrow().record_key.clone().unwrap());
    frozen("mode/journey.txt", &dump);
}

#[tokio::test]
async fn snapshot_of_a_preview() {
    let site = Site::open().await;
    let (mut engine, _commands, _birth) = engine(&site).await;
    let names = format!("{PLAN},hall.command@1");
    let mut answer = engine.answer(&Caller::local("lin"), RequestedAction::Snapshot(names)).await.unwrap();
    // Other tests check the name of the building.
    for facts in answer["facts"].as_array_mut().unwrap() {
        assert!(facts["building"].take().is_string());
    }
    answer["snapshot"].take();
    sent("mode/snapshot", &[answer]);
}
