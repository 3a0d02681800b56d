//! Resolved plans that use every variant of everything a plan consists of.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{
    Action, Channel, Claim, Compensate, Condition, Direction, Drill, HumanTask, Literal, OnFail, Op, Plan,
    Predicate, Pressure, ResolvedPlan, ResolvedStep, Retry, Safe, Setting, Step, Verify, VoidOn, Work,
};
use crate::facility::Contents;
use linli_domain::{Id, Value};
use linli_golden::every;

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

fn text(text: &str) -> String {
    text.to_owned()
}

fn word(word: &str) -> Literal {
    Literal::Word(text(word))
}

const SECOND: Duration = Duration::from_secs(1);

fn verify(channel: Channel) -> Verify {
    Verify { read: vec![text("a.b == \"c\""), text("é 热\t\u{7f}")], within: SECOND * 10, channel }
}

fn works() -> Vec<Work> {
    let void_on = VoidOn { door_opened: true, presence: false, after: Some(Duration::from_millis(1500)) };
    let human = HumanTask {
        role: text("staff"),
        count: 2,
        prompt: text("两人逐排清场\n\"随手\"关门\\'"),
        evidence: vec![text("nfc:reading-corner")],
        void_on,
        not_same_as: vec![text("notice")],
        is_sweep: true,
        clears: vec![text("hot_food")],
    };
    let actuate = |verify, compensate| Work::Actuate {
        device: text("reading-door"),
        set: vec![(text("entry"), word("staff_only")), (text("level"), Literal::Number(-0.0))],
        verify,
        retry: Retry { times: 2, gap: SECOND * 5 },
        compensate,
        is_reasserted: true,
    };
    let compensate =
        Compensate { set: vec![(text("entry"), word("public"))], pre: vec![text("fire == normal")] };
    let process = |verify, lease| Work::Process {
        device: text("reading-uv"),
        set: vec![(text("power"), word("on"))],
        then: vec![(text("power"), word("off"))],
        verify,
        span: SECOND * 1800,
        lease,
        abort_on: vec![text("presence")],
    };
    vec![
        Work::Human(human),
        Work::Human(HumanTask::default()),
        actuate(Some(verify(Channel::Independent)), Some(compensate)),
        actuate(None, None),
        process(Some(verify(Channel::Itself)), Some(Duration::from_nanos(1_000_000_001))),
        process(None, None),
        Work::Verify(verify(Channel::Human)),
    ]
}

fn conditions() -> Vec<Condition> {
    let conditions = vec![
        Condition::Predicate(4),
        Condition::Vacant(2),
        Condition::ExitFree,
        Condition::FreeOf(Contents::Chilled),
        Condition::NoFire,
    ];
    every!(conditions; Condition::Predicate(_), Condition::Vacant(_), Condition::ExitFree, Condition::FreeOf(_), Condition::NoFire);
    conditions
}

fn contents() -> Vec<Contents> {
    let contents = vec![
        Contents::HotFood,
        Contents::Chilled,
        Contents::Frozen,
        Contents::Dry,
        Contents::Medical,
        Contents::Hazard,
    ];
    every!(contents; Contents::HotFood, Contents::Chilled, Contents::Frozen, Contents::Dry,
        Contents::Medical, Contents::Hazard);
    contents
}

fn actions() -> Vec<Action> {
    let values = [
        Value::Bool(true),
        Value::Integer(-7),
        Value::Unsigned(u64::MAX),
        Value::Float(1e21),
        Value::Text("启用 \"now\"".into()),
    ];
    let set = |value: &Value| Setting { fixture: 3, output: 1, word: word("on"), value: value.clone() };
    let sets: Vec<Setting> = values.iter().map(set).collect();
    let human = |after, clears| Action::Human {
        role: text("staff"),
        count: 2,
        prompt: text("清场"),
        void_on: VoidOn { door_opened: false, presence: true, after },
        not_same_as: vec![0, 1],
        is_sweep: false,
        clears,
        evidence: vec![text("nfc:1"), text("")],
    };
    let actuate = |sets: &[Setting], compensate| Action::Actuate {
        sets: sets.to_vec(),
        verify: vec![0, 2],
        within: SECOND * 10,
        channel: Channel::Independent,
        retry: Retry { times: 0, gap: Duration::ZERO },
        compensate,
        is_reasserted: false,
        is_pulse: true,
        is_superseded: true,
    };
    let actions = vec![
        human(Some(SECOND * 2700), contents()),
        human(None, Vec::new()),
        actuate(&sets, Some((sets[..1].to_vec(), conditions()))),
        actuate(&[], None),
        Action::Process {
            sets: sets[..2].to_vec(),
            off: sets[2..].to_vec(),
            verify: Vec::new(),
            within: Duration::from_micros(1),
            channel: Channel::Itself,
            span: SECOND * 1800,
            lease: SECOND * 600,
        },
        Action::Verify {
            verify: vec![7],
            within: Duration::new(u64::MAX, 999_999_999),
            channel: Channel::Human,
        },
    ];
    every!(actions; Action::Human { .. }, Action::Actuate { .. }, Action::Process { .. }, Action::Verify { .. });
    actions
}

fn predicates() -> Vec<Predicate> {
    let claims = vec![
        Claim::Is(Op::Equal, word("closed")),
        Claim::Is(Op::Unequal, word("开")),
        Claim::Is(Op::Less, Literal::Number(0.1)),
        Claim::Is(Op::AtMost, Literal::Number(1e-7)),
        Claim::Is(Op::More, Literal::Number(6.0)),
        Claim::Is(Op::AtLeast, Literal::Number(f64::MAX)),
        Claim::Within(-20.5, 80.0),
    ];
    every!(claims; Claim::Is(Op::Equal, _), Claim::Is(Op::Unequal, _), Claim::Is(Op::Less, _),
        Claim::Is(Op::AtMost, _), Claim::Is(Op::More, _), Claim::Is(Op::AtLeast, _), Claim::Within(_, _));
    claims.into_iter().enumerate().map(|(fixture, claim)| Predicate { fixture, read: 9, claim }).collect()
}

fn plan(direction: Direction, pressure: Pressure) -> Plan {
    let (fails, drills) =
        ([OnFail::Hold, OnFail::Degrade, OnFail::Human], [Drill::Live, Drill::Simulate, Drill::Skip]);
    every!(fails; OnFail::Hold, OnFail::Degrade, OnFail::Human);
    every!(drills; Drill::Live, Drill::Simulate, Drill::Skip);
    let works = works();
    every!(works; Work::Human(_), Work::Actuate { .. }, Work::Process { .. }, Work::Verify(_));
    let step = |(index, work): (usize, Work)| Step {
        id: id(&format!("step-{index}")),
        after: if index == 0 { Vec::new() } else { vec![text("*"), format!("step-{}", index - 1)] },
        work,
        pre: vec![text("vacant(2)"), text("exit_free")],
        deadline: SECOND * 600,
        escalate: vec![(text("site_lead"), SECOND * 300), (text("district"), SECOND * 900)],
        on_fail: fails[index % fails.len()],
        drill: drills[index % drills.len()],
    };
    let is_enter = direction == Direction::Enter;
    Plan {
        id: id("reading-room.sampling"),
        version: 3,
        direction,
        room: id("reading-room"),
        role: text("sampling_area"),
        ready_within: SECOND * 7200,
        lead: text("site_lead"),
        pressure,
        basis: vec![text("WS 696-2020"), text("WS/T 367 C.6")],
        return_plan: is_enter.then(|| text("reading-room.from-sampling@1")),
        alternate: is_enter.then(|| text("hall.sampling@1")),
        grace: SECOND * 30,
        params: BTreeMap::from([(text("min_ach"), Literal::Number(6.0)), (text("word"), word("一\"二"))]),
        steps: works.into_iter().enumerate().map(step).collect(),
    }
}

/// Plans that together use every variant, and one with empty lists only.
pub(crate) fn resolved_plans() -> Vec<ResolvedPlan> {
    let step = |(index, action): (usize, Action)| ResolvedStep {
        id: id(&format!("step-{index}")),
        after: vec![0; index % 2],
        before: (0..index).collect(),
        pre: vec![Condition::Predicate(index), Condition::NoFire],
        action,
        deadline: SECOND * 600,
        escalate: vec![(text("site_lead"), SECOND * 300)],
        on_fail: OnFail::Degrade,
        drill: Drill::Skip,
        touches: vec![1, 2],
    };
    let safe = |proof| Safe {
        setting: Setting { fixture: 0, output: 0, word: Literal::Number(2.5), value: Value::Float(2.5) },
        proof,
        touches: vec![0],
    };
    let resolved_plan = |direction, pressure| ResolvedPlan {
        plan: plan(direction, pressure),
        room: 1,
        predicates: predicates(),
        steps: actions().into_iter().enumerate().map(step).collect(),
        occupied: vec![0, 3],
        opened: vec![1],
        ways_out: vec![vec![2, 4], Vec::new()],
        safe: vec![safe(Some(2)), safe(None)],
        contents: vec![Contents::Dry, Contents::Hazard],
    };
    let least = Plan {
        basis: Vec::new(),
        params: BTreeMap::new(),
        steps: Vec::new(),
        ..plan(Direction::Return, Pressure::Neutral)
    };
    let least = ResolvedPlan {
        plan: least,
        room: 0,
        predicates: Vec::new(),
        steps: Vec::new(),
        occupied: Vec::new(),
        opened: Vec::new(),
        ways_out: Vec::new(),
        safe: Vec::new(),
        contents: Vec::new(),
    };
    let all = vec![
        resolved_plan(Direction::Enter, Pressure::Negative),
        resolved_plan(Direction::Return, Pressure::Positive),
        resolved_plan(Direction::Return, Pressure::Neutral),
        least,
    ];
    every!(all.iter().map(|resolved_plan| resolved_plan.plan.pressure).collect::<Vec<_>>(); Pressure::Neutral,
        Pressure::Negative, Pressure::Positive);
    all
}
