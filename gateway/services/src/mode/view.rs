//! The JSON views of rooms and plans: stages, steps, and what each step waits for.

use std::collections::BTreeSet;

use linli_domain::Id;
use linli_mode::facility::{Facility, Site};
use linli_mode::order::Series;
use linli_mode::{
    Action, Condition, Fold, ResolvedPlan, Run, Silent, StepState, Timer, Truth, bracketed, fold, forecast,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::engine::Engine;
use super::explain;
use super::payload::output_text;
use super::room::{MadeSafe, Room};
use super::setup::Setup;
use crate::error::ServiceError;

/// Returns the combined state of all rooms.
pub fn combined(engine: &Engine) -> Fold {
    fold(engine.rooms.values().map(|room| (room.stage(&engine.setup), &room.state)))
}

/// Returns the combined state of each site that has rooms with plans.
fn sites(engine: &Engine) -> Vec<Value> {
    let setup = &engine.setup;
    let at = |room: &Room| setup.facility.rooms.get(room.index).and_then(|room| room.site.as_ref());
    let view = |site: &Site| {
        let rooms = || engine.rooms.values().filter(|room| at(room) == Some(&site.id));
        rooms().next()?;
        let together = fold(rooms().map(|room| (room.stage(setup), &room.state)));
        let travel_time = site.travel_time.as_secs();
        Some(json!({ "site": site.id, "name": site.name, "walk_s": travel_time, "together": together }))
    };
    setup.facility.sites.iter().filter_map(view).collect()
}

/// Returns the state of every room.
pub fn status(engine: &Engine) -> Value {
    status_of(engine, engine.rooms.values())
}

/// Returns the state of some rooms. An operation in one room returns that room only, which is faster to
/// build.
pub fn status_of<'d>(engine: &'d Engine, rooms: impl IntoIterator<Item = &'d Room>) -> Value {
    let rooms: Vec<Value> = rooms.into_iter().map(|room| room_view(engine, room)).collect();
    let numbers = Series::EACH.map(|series| (series.to_string(), json!(engine.replay_guard.highest(series))));
    let numbers: serde_json::Map<String, Value> = numbers.into_iter().collect();
    json!({
        "centre": engine.setup.centre, "together": combined(engine), "sites": sites(engine), "rooms": rooms,
        "quarantined": engine.quarantine.codes(), "waiting": engine.quarantine.view(), "numbers": numbers, "record": engine.record.head(), "record_key": engine.record.verifier(),
    })
}

fn room_view(engine: &Engine, room: &Room) -> Value {
    let setup = &engine.setup;
    let built = setup.facility.rooms.get(room.index);
    let (name, site) = (built.map(|room| &room.name), built.and_then(|room| room.site.as_ref()));
    let mut body = json!({
        "room": room.id, "name": name, "site": site, "stage": room.stage(setup), "fire": room.state.fire,
        "verified": room.state.is_verified_ready(),
        "policy": room.entered.as_ref().map(super::policy::Entered::view),
        "alternate": super::alternate::view(engine, room),
        "fire_panel": explain::fire_panel(engine, room),
    });
    if let Some(service) = engine.services.view(&room.id) {
        body["service"] = service;
    }
    let (Some(run), Some(checked)) = (&room.state.run, &room.plan) else {
        if room.state.run.is_some() {
            body["lost"] = json!("its plan is no longer in the configuration: put the file back into plans/");
        }
        return body;
    };
    if let Some(notice) = &room.notice {
        body["notice"] = json!(notice);
    }
    let (resolved, plan) = (&checked.resolved, &checked.resolved.plan);
    let steps: Vec<Value> =
        (0..resolved.steps.len()).map(|step| step_view(engine, room, run, resolved, step)).collect();
    let silent: Vec<Value> = room
        .state
        .silent(resolved)
        .into_iter()
        .map(|silent| silent_view(&setup.facility, room, resolved, silent))
        .collect();
    let at_most = i64::try_from(forecast(resolved).at_most.as_millis()).unwrap_or(i64::MAX);
    let within = i64::try_from(plan.ready_within.as_millis()).unwrap_or(i64::MAX);
    let more = json!({
        "plan": plan.key(), "role": plan.role, "order": run.order.id, "class": run.order.class,
        "direction": run.order.direction, "causes": run.causes, "ordered": room.ordered,
        "since": room.since, "ready_by": room.ordered.0.saturating_add(at_most),
        "ready_within_until": room.ordered.0.saturating_add(within), "lead": plan.lead,
        "needs": super::needed::of_room(setup, room),
        "unproven": explain::unproven(&setup.facility, resolved, run),
        "outputs": outputs_view(setup, room, resolved), "silent": silent, "steps": steps,
        "held": explain::held(room, resolved, run), "asked": explain::asked(room, resolved, run),
        "waits": explain::waits_for(&setup.facility, room, resolved, run), "people": people(room, run),
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

/// Returns who acted under the present order: the person, the account, how it logged in, and whether that proves who
/// the person is. Of people who acted before an upgrade from 0.1 only the name is known.
fn people(room: &Room, run: &Run) -> Vec<Value> {
    let is_known = |person: &Id| room.acting.iter().any(|acting| acting.person.as_ref() == Some(person));
    let waived = run.waivers.values().map(|waiver| &waiver.by);
    let named: BTreeSet<&Id> = run.doers.values().flatten().chain(waived).collect();
    let unknown = named.into_iter().filter(|person| !is_known(person));
    let known = room.acting.iter().map(|acting| {
        json!({
            "person": acting.person, "account": acting.account, "login": acting.login, "screen": acting.screen,
            "unverified": acting.unverified,
        })
    });
    known.chain(unknown.map(|person| json!({"person": person, "unverified": true}))).collect()
}

fn step_view(engine: &Engine, room: &Room, run: &Run, resolved: &ResolvedPlan, step: usize) -> Value {
    let (job, state) = (&resolved.steps[step], &run.steps[step]);
    let mut body = step_definition(resolved, step);
    // The prompts of a drill are marked as such.
    if let (Some(prompt), true) = (body["prompt"].as_str().map(bracketed), room.state.is_exercise()) {
        body["prompt"] = json!(prompt);
    }
    body["state"] = json!(state.as_str());
    match state {
        StepState::Verified(channel) => body["channel"] = json!(channel),
        StepState::Waived(by) => {
            body["by"] = json!(by);
            body["waiver"] = waiver_view(engine, room, run, step);
        }
        _ => {}
    }
    if let Some(doers) = run.doers.get(&step) {
        body["done_by"] = json!(doers);
    }
    let is_open = !state.is_settled() && *state != StepState::Pending;
    if is_open {
        let facility = &engine.setup.facility;
        let unmet_texts = |conds: &[Condition]| -> Vec<String> {
            conds.iter().filter_map(|cond| unmet(facility, room, resolved, *cond)).collect()
        };
        let mut waits = unmet_texts(&job.pre);
        if let Action::Actuate { verify, .. }
        | Action::Process { verify, .. }
        | Action::Verify { verify, .. } = &job.action
        {
            waits.extend(
                verify.iter().filter_map(|predicate| unmet_predicate(facility, room, resolved, *predicate)),
            );
        }
        if !matches!(job.action, Action::Human { .. } | Action::Verify { .. }) {
            let awaited = run.awaited.iter().filter_map(|output| resolved.safe.get(*output));
            waits.extend(awaited.map(|safe| {
                let output = output_text(facility, safe.setting.fixture, safe.setting.output);
                format!("{output}: not proven safe")
            }));
        }
        body["waits_for"] = json!(waits);
        let due = [Timer::Deadline(step), Timer::Verify(step), Timer::Dwell(step)];
        let now = Instant::now();
        let left =
            |timer: &Timer| room.timers.get(timer).map(|due| due.saturating_duration_since(now).as_secs());
        if let Some(left) = due.iter().rev().find_map(left) {
            body["left_s"] = json!(left);
        }
    }
    body
}

/// Returns the waiver of a step: its number, who gave it and why, and when it ends.
fn waiver_view(engine: &Engine, room: &Room, run: &Run, step: usize) -> Value {
    let Some(waiver) = run.waivers.get(&step) else { return Value::Null };
    let person = engine.setup.facility.person(waiver.by.as_str());
    let left = room.timers.get(&Timer::Waiver(step));
    json!({
        "number": waiver.number, "by": waiver.by, "name": person.map(|person| &person.name), "why": waiver.why,
        "until": waiver.until, "left_s": left.map(|due| due.saturating_duration_since(Instant::now()).as_secs()),
    })
}

/// Returns what is not heard although the claim rests on it, and how long the room may be used so.
fn silent_view(facility: &Facility, room: &Room, resolved: &ResolvedPlan, silent: Silent) -> Value {
    match silent {
        Silent::FirePanel => {
            let left = room.timers.get(&Timer::Silent);
            let left = left.map(|due| due.saturating_duration_since(Instant::now()).as_secs());
            json!({"what": "fire panel", "held_in_s": left})
        }
        Silent::Predicate(predicate) => {
            json!({"what": resolved.predicates.get(predicate).map(|predicate| predicate.text(facility))})
        }
    }
}

/// Returns what became of every output with a safe state that the run moved.
fn outputs_view(setup: &Setup, room: &Room, resolved: &ResolvedPlan) -> Vec<Value> {
    let Some(run) = &room.state.run else { return Vec::new() };
    let all = run.moved.union(&run.watched);
    all.filter_map(|output| output_view(setup, room, resolved, *output)).collect()
}

/// Returns an output and what became of it: `safe` (read to be), `written` (and read back by its command),
/// `not_written` and why, `asked` (the command is under way), `moved` (stands as a step set it).
fn output_view(setup: &Setup, room: &Room, resolved: &ResolvedPlan, output: usize) -> Option<Value> {
    let (run, safe) = (room.state.run.as_ref()?, resolved.safe.get(output)?);
    let name = output_text(&setup.facility, safe.setting.fixture, safe.setting.output);
    let to = &safe.setting.word;
    let mut body = json!({"output": name, "safe": to.to_string()});
    if run.watched.contains(&output) {
        body["state"] = json!("safe");
    } else if run.unproven.contains(&output) {
        show_made_safe(room.outputs.get(&output), &mut body);
    } else {
        body["state"] = json!("moved");
    }
    Some(body)
}

/// Adds what became of the last command that made an output safe.
fn show_made_safe(made: Option<&MadeSafe>, body: &mut Value) {
    let (state, why) = match made {
        Some(MadeSafe::Written) => ("written", None),
        Some(MadeSafe::NotWritten(why)) => ("not_written", Some(why)),
        Some(MadeSafe::Asked) | None => ("asked", None),
    };
    body["state"] = json!(state);
    if let Some(why) = why {
        body["why"] = json!(why);
    }
}

/// What a stop that is executed and not stored says.
const NOT_RECORDED: &str = "停止已执行，但尚未写入记录：存储写不进去，恢复后自动补记；请查磁盘 \
    the stop is executed but not on record yet: the store cannot be written; it is recorded by itself as soon \
    as it can: look at the disk";

/// Returns the state of a room that was stopped, and what the stop did to each of its `outputs`.
/// `is_recorded` is false for a stop that was executed and whose audit entry is not stored yet.
pub fn stopped(engine: &Engine, index: usize, outputs: &BTreeSet<usize>, is_recorded: bool) -> Value {
    let mut body = status_of(engine, engine.rooms.get(&index));
    let Some(room) = engine.rooms.get(&index) else { return body };
    let (Some(run), Some(plan)) = (&room.state.run, &room.plan) else { return body };
    let resolved = &plan.resolved;
    // The state of a room whose stop is executed and not decided yet is the one before it.
    let is_decided = !engine.stopped.contains(&index);
    let view = |output: &usize| {
        let mut view = output_view(&engine.setup, room, resolved, *output)?;
        if !is_decided {
            show_made_safe(room.outputs.get(output), &mut view);
        }
        Some(view)
    };
    let mut did: Vec<Value> = outputs.iter().filter_map(view).collect();
    for output in &mut did {
        if output["state"] == "safe" || output["state"] == "written" {
            output["state"] = json!("made_safe");
        }
    }
    let before = run.watched.difference(outputs);
    did.extend(before.filter_map(|output| output_view(&engine.setup, room, resolved, *output)).map(
        |mut output| {
            output["state"] = json!("already_safe");
            output
        },
    ));
    let is_whole =
        did.iter().all(|output| output["state"] == "made_safe" || output["state"] == "already_safe");
    let text = match (did.is_empty(), is_whole) {
        (true, _) => "没有动过任何设备，没有写入任何输出 nothing had been moved, so no output was written",
        (false, true) => "动过的输出都已回到安全状态 every output that had been moved is safe",
        (false, false) => {
            "有的输出未能回到安全状态：派人到现场查看 not every output is safe: send somebody to look"
        }
    };
    body["stop"] = json!({"outputs": did, "is_safe": is_whole, "text": text});
    if !is_recorded {
        body["stop"]["recorded"] = json!(false);
        body["stop"]["text"] = json!(format!("{text}\n{NOT_RECORDED}"));
    }
    body
}

/// Returns the definition of a step.
fn step_definition(resolved: &ResolvedPlan, step: usize) -> Value {
    let job = &resolved.steps[step];
    let after: Vec<_> = job.after.iter().map(|before| &resolved.steps[*before].id).collect();
    let mut body = json!({"step": job.id, "after": after});
    let more = match &job.action {
        Action::Human { role, count, prompt, evidence, not_same_as, .. } => {
            let others: Vec<_> = not_same_as.iter().map(|other| &resolved.steps[*other].id).collect();
            json!({
                "kind": "human", "role": role, "count": count, "prompt": prompt, "evidence": evidence,
                "not_same_as": others, "deadline_s": job.deadline.as_secs(),
            })
        }
        Action::Actuate { channel, within, .. } => {
            json!({"kind": "actuate", "channel": channel, "within_s": within.as_secs()})
        }
        Action::Process { channel, span, .. } => {
            json!({"kind": "process", "channel": channel, "span_s": span.as_secs()})
        }
        Action::Verify { channel, within, .. } => {
            json!({"kind": "verify", "channel": channel, "within_s": within.as_secs()})
        }
    };
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

/// Returns the text of a condition that does not hold or is unknown.
pub(super) fn unmet(
    facility: &Facility,
    room: &Room,
    resolved: &ResolvedPlan,
    cond: Condition,
) -> Option<String> {
    match cond {
        Condition::Predicate(predicate) => unmet_predicate(facility, room, resolved, predicate),
        Condition::NoFire => (room.state.fire != linli_mode::Fire::Normal)
            .then(|| format!("fire == normal ({})", json!(room.state.fire).as_str().unwrap_or_default())),
        Condition::Vacant(count) => {
            let first = |truth: Truth| {
                let is_so = |predicate: &&usize| room.recorded_truth(**predicate) == truth;
                let predicate = resolved.predicates.get(*resolved.occupied.iter().find(is_so)?)?;
                facility.fixtures.get(predicate.fixture).map(|sensor| sensor.id.as_str())
            };
            let somebody = |sensor| format!("vacant({count}): {sensor} detects somebody （有人）");
            let silent = |sensor| {
                format!(
                    "vacant({count}): {sensor} is silent or doubtful; a search does not replace it, repair the \
                     sensor （传感器没有可信读数，人工搜查不能代替，请检修）"
                )
            };
            first(Truth::True).map(somebody).or_else(|| first(Truth::Unknown).map(silent))
        }
        Condition::ExitFree | Condition::FreeOf(_) => None,
    }
}

/// Returns the text of a predicate that does not hold or is unknown.
fn unmet_predicate(
    facility: &Facility,
    room: &Room,
    resolved: &ResolvedPlan,
    predicate: usize,
) -> Option<String> {
    let text =
        || resolved.predicates.get(predicate).map(|predicate| predicate.text(facility)).unwrap_or_default();
    match room.recorded_truth(predicate) {
        Truth::True => None,
        Truth::False => Some(format!("{} (false)", text())),
        Truth::Unknown => Some(format!("{} (unknown)", text())),
    }
}

/// Returns what a plan would do now: its steps in order, the people needed, the earliest end, and the
/// predicates that are unknown or do not hold.
pub fn preview(engine: &Engine, name: &str) -> Result<Value, ServiceError> {
    let setup = &engine.setup;
    let checked = setup.plan(name).ok_or_else(|| setup.unknown_plan(name))?;
    let (resolved, plan) = (&checked.resolved, &checked.resolved.plan);
    let forecast = forecast(resolved);
    let mut order: Vec<usize> = (0..resolved.steps.len()).collect();
    order.sort_by_key(|step| (forecast.ends[*step], *step));
    let steps: Vec<Value> = order
        .iter()
        .map(|step| {
            let mut body = step_definition(resolved, *step);
            body["ends_s"] = json!(forecast.ends[*step].as_secs());
            body["critical"] = json!(forecast.critical.contains(step));
            body
        })
        .collect();
    let now = Instant::now();
    // What a step of the plan itself brings about does not stop it.
    let own: BTreeSet<usize> = resolved.steps.iter().flat_map(|job| job.touches.iter().copied()).collect();
    let (mut unknown, mut unmet) = (Vec::new(), Vec::new());
    for (index, predicate) in resolved.predicates.iter().enumerate() {
        match engine.truth(resolved, index, now) {
            Truth::Unknown => unknown.push(predicate.text(&setup.facility)),
            Truth::False if own.contains(&index) => {}
            Truth::False => unmet.push(predicate.text(&setup.facility)),
            Truth::True => {}
        }
    }
    let stage = engine.rooms.get(&resolved.room).map(|room| room.stage(setup));
    Ok(json!({
        "plan": plan.key(), "room": plan.room, "role": plan.role, "direction": plan.direction, "stage": stage,
        "lead": plan.lead, "basis": plan.basis, "hash": linli_domain::audit::hex(&checked.hash),
        "grace_s": plan.grace.as_secs(), "at_most_s": forecast.at_most.as_secs(),
        "ready_within_s": plan.ready_within.as_secs(), "steps": steps,
        "unknown": unknown, "not_so_now": unmet, "alternate": plan.alternate,
        "snapshot": linli_domain::audit::hex(&super::snapshot::of(engine, &[&**checked]).0),
    }))
}
