//! How version 0.1 named the building that a plan sees: the SHA-256 of a text that listed every member.
//!
//! **Frozen.** Rooms that version 0.1 stored in the middle of a switch are known again by it. The text
//! writes out the names that members and variants had then; they stay when the source text renames
//! them. What a plan has learnt since then does not belong here: a plan that uses it was not stored by
//! version 0.1.

use std::fmt::Debug;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::super::expression::{Literal, Op};
use super::super::plan::{
    Channel, Compensate, Direction, Drill, HumanTask, OnFail, Plan, Pressure, Retry, Step, Verify, VoidOn,
    Work,
};
use super::super::predicate::{Claim, Predicate};
use super::super::resolved_plan::{Action, Condition, ResolvedPlan, ResolvedStep, Safe, Setting};
use crate::facility::Contents;
use linli_domain::Value;
use linli_domain::audit::hex;

/// The name, 64 hexadecimal digits.
#[must_use]
pub(super) fn identity(resolved: &ResolvedPlan) -> String {
    hex(&Sha256::digest(text(resolved)))
}

// What the standard library writes of its own types is the same in every version so far: numbers with
// a point, texts in quotes, spans with their unit. The golden file finds a version that differs.

fn plain(value: impl Debug) -> String {
    format!("{value:?}")
}

fn list<T>(items: &[T], each: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(each).collect::<Vec<_>>().join(", "))
}

fn maybe<T>(item: Option<&T>, each: impl Fn(&T) -> String) -> String {
    item.map_or_else(|| "None".to_owned(), |item| format!("Some({})", each(item)))
}

fn members(name: &str, members: &[(&str, String)]) -> String {
    let members: Vec<String> = members.iter().map(|(key, text)| format!("{key}: {text}")).collect();
    format!("{name} {{ {} }}", members.join(", "))
}

/// The text that is hashed.
pub(super) fn text(resolved: &ResolvedPlan) -> String {
    let ResolvedPlan { plan, room, predicates, steps, occupied, opened, ways_out, safe, contents } = resolved;
    members(
        "Brief",
        &[
            ("plan", self::plan(plan)),
            ("room", plain(room)),
            ("atoms", list(predicates, predicate)),
            ("jobs", list(steps, job)),
            ("occupied", plain(occupied)),
            ("opened", plain(opened)),
            ("ways_out", plain(ways_out)),
            ("safe", list(safe, self::safe)),
            ("contents", list(contents, |contents| self::contents(*contents))),
        ],
    )
}

fn plan(plan: &Plan) -> String {
    let Plan {
        id,
        version,
        direction,
        room,
        role,
        ready_within,
        lead,
        pressure,
        basis,
        return_plan,
        alternate,
        grace,
        params,
        steps,
    } = plan;
    let params: Vec<String> =
        params.iter().map(|(name, value)| format!("{}: {}", plain(name), literal(value))).collect();
    members(
        "Plan",
        &[
            ("id", id.to_string()),
            ("version", plain(version)),
            ("direction", direction_name(*direction).to_owned()),
            ("room", room.to_string()),
            ("role", plain(role)),
            ("ready_within", plain(ready_within)),
            ("lead", plain(lead)),
            ("pressure", pressure_name(*pressure).to_owned()),
            ("basis", plain(basis)),
            ("return_plan", plain(return_plan)),
            ("alternate", plain(alternate)),
            ("grace", plain(grace)),
            ("params", format!("{{{}}}", params.join(", "))),
            ("steps", list(steps, step)),
        ],
    )
}

fn step(step: &Step) -> String {
    let Step { id, after, work, pre, deadline, escalate, on_fail, drill } = step;
    members(
        "Step",
        &[
            ("id", id.to_string()),
            ("after", plain(after)),
            ("work", self::work(work)),
            ("pre", plain(pre)),
            ("deadline", plain(deadline)),
            ("escalate", rungs(escalate)),
            ("on_fail", on_fail_name(*on_fail).to_owned()),
            ("drill", drill_name(*drill).to_owned()),
        ],
    )
}

fn rungs(escalate: &[(String, Duration)]) -> String {
    list(escalate, |(role, after)| format!("({}, {})", plain(role), plain(after)))
}

fn work(work: &Work) -> String {
    match work {
        Work::Human(task) => format!("Human({})", human_task(task)),
        Work::Actuate { device, set, verify, retry, compensate, is_reasserted } => members(
            "Actuate",
            &[
                ("device", plain(device)),
                ("set", assignments(set)),
                ("verify", maybe(verify.as_ref(), self::verify)),
                ("retry", self::retry(*retry)),
                ("compensate", maybe(compensate.as_ref(), self::compensate)),
                ("is_reasserted", plain(is_reasserted)),
            ],
        ),
        Work::Process { device, set, then, verify, span, lease, abort_on } => members(
            "Process",
            &[
                ("device", plain(device)),
                ("set", assignments(set)),
                ("then", assignments(then)),
                ("verify", maybe(verify.as_ref(), self::verify)),
                ("span", plain(span)),
                ("lease", plain(lease)),
                ("abort_on", plain(abort_on)),
            ],
        ),
        Work::Verify(verify) => format!("Verify({})", self::verify(verify)),
    }
}

fn assignments(set: &[(String, Literal)]) -> String {
    list(set, |(output, value)| format!("({}, {})", plain(output), literal(value)))
}

fn compensate(compensate: &Compensate) -> String {
    let Compensate { set, pre } = compensate;
    members("Compensate", &[("set", assignments(set)), ("pre", plain(pre))])
}

fn human_task(task: &HumanTask) -> String {
    let HumanTask { role, count, prompt, evidence, void_on, not_same_as, is_sweep, clears } = task;
    members(
        "Hands",
        &[
            ("role", plain(role)),
            ("count", plain(count)),
            ("prompt", plain(prompt)),
            ("evidence", plain(evidence)),
            ("void_on", self::void_on(void_on)),
            ("not_same_as", plain(not_same_as)),
            ("is_sweep", plain(is_sweep)),
            ("clears", plain(clears)),
        ],
    )
}

fn void_on(void_on: &VoidOn) -> String {
    let VoidOn { door_opened, presence, after } = void_on;
    let after = ("after", plain(after));
    members("VoidOn", &[("door_opened", plain(door_opened)), ("presence", plain(presence)), after])
}

fn verify(verify: &Verify) -> String {
    let Verify { read, within, channel } = verify;
    let channel = ("channel", channel_name(*channel).to_owned());
    members("Verify", &[("read", plain(read)), ("within", plain(within)), channel])
}

fn retry(retry: Retry) -> String {
    let Retry { times, gap } = retry;
    members("Retry", &[("times", plain(times)), ("gap", plain(gap))])
}

fn literal(literal: &Literal) -> String {
    match literal {
        Literal::Number(number) => format!("Number({})", plain(number)),
        Literal::Word(word) => format!("Word({})", plain(word)),
    }
}

fn predicate(predicate: &Predicate) -> String {
    let Predicate { fixture, read, claim } = predicate;
    let claim = match claim {
        Claim::Is(op, with) => format!("Is({}, {})", op_name(*op), literal(with)),
        Claim::Within(low, high) => format!("Within({}, {})", plain(low), plain(high)),
    };
    members("Atom", &[("fixture", plain(fixture)), ("read", plain(read)), ("claim", claim)])
}

fn cond(cond: &Condition) -> String {
    match cond {
        Condition::Predicate(predicate) => format!("Atom({predicate})"),
        Condition::Vacant(count) => format!("Vacant({count})"),
        Condition::ExitFree => "ExitFree".to_owned(),
        Condition::FreeOf(contents) => format!("FreeOf({})", self::contents(*contents)),
        Condition::NoFire => "NoFire".to_owned(),
    }
}

fn setting(setting: &Setting) -> String {
    let Setting { fixture, output, word, value } = setting;
    let value = match value {
        Value::Bool(value) => format!("Bool({value})"),
        Value::Integer(value) => format!("Integer({value})"),
        Value::Unsigned(value) => format!("Unsigned({value})"),
        Value::Float(value) => format!("Float({})", plain(value)),
        Value::Text(value) => format!("Text({})", plain(value)),
    };
    let place = [("fixture", plain(fixture)), ("output", plain(output))];
    members("Setting", &[place.to_vec(), vec![("word", literal(word)), ("value", value)]].concat())
}

fn job(job: &ResolvedStep) -> String {
    let ResolvedStep { id, after, before, pre, action, deadline, escalate, on_fail, drill, touches } = job;
    members(
        "Job",
        &[
            ("id", id.to_string()),
            ("after", plain(after)),
            ("before", plain(before)),
            ("pre", list(pre, cond)),
            ("doing", self::action(action)),
            ("deadline", plain(deadline)),
            ("escalate", rungs(escalate)),
            ("on_fail", on_fail_name(*on_fail).to_owned()),
            ("drill", drill_name(*drill).to_owned()),
            ("touches", plain(touches)),
        ],
    )
}

fn action(action: &Action) -> String {
    match action {
        Action::Human { role, count, prompt, void_on, not_same_as, is_sweep, clears, evidence } => members(
            "Human",
            &[
                ("role", plain(role)),
                ("count", plain(count)),
                ("prompt", plain(prompt)),
                ("void_on", self::void_on(void_on)),
                ("not_same_as", plain(not_same_as)),
                ("is_sweep", plain(is_sweep)),
                ("clears", list(clears, |contents| self::contents(*contents))),
                ("evidence", plain(evidence)),
            ],
        ),
        Action::Actuate {
            sets,
            verify,
            within,
            channel,
            retry,
            compensate,
            is_reasserted,
            is_pulse,
            is_superseded,
        } => members(
            "Actuate",
            &[
                ("sets", list(sets, setting)),
                ("verify", plain(verify)),
                ("within", plain(within)),
                ("channel", channel_name(*channel).to_owned()),
                ("retry", self::retry(*retry)),
                (
                    "compensate",
                    maybe(compensate.as_ref(), |(sets, pre)| {
                        format!("({}, {})", list(sets, setting), list(pre, cond))
                    }),
                ),
                ("is_reasserted", plain(is_reasserted)),
                ("is_pulse", plain(is_pulse)),
                ("is_superseded", plain(is_superseded)),
            ],
        ),
        Action::Process { sets, off, verify, within, channel, span, lease } => members(
            "Process",
            &[
                ("sets", list(sets, setting)),
                ("off", list(off, setting)),
                ("verify", plain(verify)),
                ("within", plain(within)),
                ("channel", channel_name(*channel).to_owned()),
                ("span", plain(span)),
                ("lease", plain(lease)),
            ],
        ),
        Action::Verify { verify, within, channel } => {
            let channel = ("channel", channel_name(*channel).to_owned());
            members("Verify", &[("verify", plain(verify)), ("within", plain(within)), channel])
        }
    }
}

fn safe(safe: &Safe) -> String {
    let Safe { setting, proof, touches } = safe;
    let setting = ("setting", self::setting(setting));
    members("Safe", &[setting, ("proof", plain(proof)), ("touches", plain(touches))])
}

fn contents(contents: Contents) -> String {
    match contents {
        Contents::HotFood => "HotFood",
        Contents::Chilled => "Chilled",
        Contents::Frozen => "Frozen",
        Contents::Dry => "Dry",
        Contents::Medical => "Medical",
        Contents::Hazard => "Hazard",
    }
    .to_owned()
}

const fn op_name(op: Op) -> &'static str {
    match op {
        Op::Equal => "Equal",
        Op::Unequal => "Unequal",
        Op::Less => "Less",
        Op::AtMost => "AtMost",
        Op::More => "More",
        Op::AtLeast => "AtLeast",
    }
}

const fn on_fail_name(on_fail: OnFail) -> &'static str {
    match on_fail {
        OnFail::Hold => "Hold",
        OnFail::Degrade => "Degrade",
        OnFail::Human => "Human",
    }
}

const fn drill_name(drill: Drill) -> &'static str {
    match drill {
        Drill::Live => "Live",
        Drill::Simulate => "Simulate",
        Drill::Skip => "Skip",
    }
}

const fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Itself => "Itself",
        Channel::Independent => "Independent",
        Channel::Human => "Human",
    }
}

const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Enter => "Enter",
        Direction::Return => "Return",
    }
}

const fn pressure_name(pressure: Pressure) -> &'static str {
    match pressure {
        Pressure::Neutral => "Neutral",
        Pressure::Negative => "Negative",
        Pressure::Positive => "Positive",
    }
}
