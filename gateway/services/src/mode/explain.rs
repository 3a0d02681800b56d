//! What a room waits for, why it is held and what ends it, and who was asked: as JSON for every screen.

use linli_mode::advice::{self, Message};
use linli_mode::facility::Facility;
use linli_mode::{Action, Fire, ResolvedPlan, Run, StepState, Timer};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::engine::Engine;
use super::payload::output_text;
use super::room::Room;

/// Returns the state of the room's fire panel, with the age of its last reading.
///
/// `{"state", "zh", "en", "input", "age_s"}`; `age_s` is null as long as nothing was read.
pub fn fire_panel(engine: &Engine, room: &Room) -> Value {
    let facility = &engine.setup.facility;
    let zone = facility.rooms.get(room.index).and_then(|room| room.fire_zone);
    let Some(zone) = zone.and_then(|zone| facility.fire_zones.get(zone)) else { return Value::Null };
    let age = engine.readings.age(&zone.input, Instant::now());
    let (zh, en) = match room.state.fire {
        Fire::Normal => ("正常", "normal"),
        Fire::Alarm => ("火警", "alarm"),
        Fire::Unknown => ("未知：读不到消防主机", "unknown: the panel is not read"),
    };
    json!({
        "state": room.state.fire, "zh": zh, "en": en,
        "input": format!("{}.{}", zone.input.device, zone.input.point), "age_s": age.map(|age| age.as_secs()),
    })
}

/// Returns why a room is held, and what ends it: one object for each cause.
pub fn held(room: &Room, resolved: &ResolvedPlan, run: &Run) -> Value {
    let held = |cause: &linli_mode::Cause| {
        let held = advice::held(*cause, room.id.as_str(), &resolved.plan.lead);
        json!({"cause": cause, "why": held.why, "ends": held.ends})
    };
    run.causes.iter().map(held).collect()
}

/// Returns who was asked to do a step, since when, and how long they have.
///
/// `{"step", "role", "count", "done", "prompt", "asked_s", "left_s", "escalated_to"}`
pub fn asked(room: &Room, resolved: &ResolvedPlan, run: &Run) -> Value {
    let now = Instant::now();
    let asked = |(step, state): (usize, &StepState)| {
        let job = resolved.steps.get(step)?;
        let (role, count, prompt) = match (&job.action, state) {
            (Action::Human { role, count, prompt, .. }, StepState::Asked) => (role, *count, prompt.as_str()),
            // A step that failed: the leading role decides.
            (_, StepState::Stuck) => (&resolved.plan.lead, 1, ""),
            _ => return None,
        };
        let since = room.asked.get(&step).map(|since| now.saturating_duration_since(*since));
        let left = room.timers.get(&Timer::Deadline(step)).map(|due| due.saturating_duration_since(now));
        let passed = |after: &std::time::Duration| since.is_some_and(|since| since >= *after);
        let escalated: Vec<&String> =
            job.escalate.iter().filter(|(_, after)| passed(after)).map(|(role, _)| role).collect();
        let done = run.doers.get(&step).map_or(0, std::collections::BTreeSet::len);
        Some(json!({
            "step": job.id, "role": role, "count": count, "done": done,
            "prompt": if room.state.is_exercise() { linli_mode::bracketed(prompt) } else { prompt.to_owned() },
            "decide": *state == StepState::Stuck, "asked_s": since.map(|since| since.as_secs()),
            "left_s": left.map(|left| left.as_secs()), "escalated_to": escalated,
        }))
    };
    run.steps.iter().enumerate().filter_map(asked).collect()
}

/// Returns in one sentence what the room waits for; `None` when it waits for nothing.
pub fn waits_for(facility: &Facility, room: &Room, resolved: &ResolvedPlan, run: &Run) -> Option<Message> {
    use linli_mode::Phase;
    let message = |zh: String, en: String| Some(Message { zh, en });
    let lead = &resolved.plan.lead;
    match room.state.phase {
        Phase::Peace | Phase::Ready => None,
        Phase::Preview => {
            let left = room.timers.get(&Timer::Grace);
            let left = left.map(|due| due.saturating_duration_since(Instant::now()).as_secs());
            let start = format!("linli mode commit {} --login …", room.id);
            match left {
                Some(left) => message(
                    format!("{left} 秒后开始；{lead} 可以提前开始：{start}"),
                    format!("starts in {left} s; a {lead} may start it now: {start}"),
                ),
                None => message(format!("{lead} 开始：{start}"), format!("a {lead} starts it: {start}")),
            }
        }
        Phase::Proving => {
            let left = room.timers.get(&Timer::Prove);
            let left = left.map_or(0, |due| due.saturating_duration_since(Instant::now()).as_secs());
            message(
                format!("重新读取全部证据，最多还要 {left} 秒"),
                format!("every condition is read again, {left} s at most"),
            )
        }
        Phase::Degraded => {
            let gaps = gaps(resolved, run);
            message(
                format!("有缺项：{gaps}。{lead} 重试或豁免"),
                format!("gaps: {gaps}. A {lead} retries or waives them"),
            )
        }
        Phase::Held if !run.unproven.is_empty() => {
            let outputs = unproven(facility, resolved, run).join(", ");
            message(format!("输出证实安全：{outputs}"), format!("these outputs to be proven safe: {outputs}"))
        }
        Phase::Held => message(format!("{lead} 决定"), format!("a {lead} decides")),
        Phase::Running => running(resolved, run),
    }
}

fn gaps(resolved: &ResolvedPlan, run: &Run) -> String {
    let failed = resolved.steps.iter().zip(&run.steps).filter(|(_, state)| **state == StepState::Failed);
    failed.map(|(step, _)| step.id.as_str()).collect::<Vec<_>>().join(", ")
}

/// People come first: a device that waits usually waits for them.
fn running(resolved: &ResolvedPlan, run: &Run) -> Option<Message> {
    let steps = || resolved.steps.iter().zip(&run.steps);
    let ids = |is_wanted: &dyn Fn(&StepState) -> bool| {
        steps().filter(|(_, state)| is_wanted(state)).map(|(step, _)| step.id.as_str()).collect::<Vec<_>>()
    };
    let asked = ids(&|state| matches!(state, StepState::Asked | StepState::Stuck));
    let blocked = ids(&|state| *state == StepState::Blocked);
    let moving = ids(&|state| state.is_in_flight() || matches!(state, StepState::Pause(_)));
    let (zh, en, which) = match () {
        () if !asked.is_empty() => ("人员完成", "people to do", asked),
        () if !blocked.is_empty() => ("条件成立", "the conditions of", blocked),
        () if !moving.is_empty() => ("设备完成并读回", "devices to act and be read back", moving),
        () => return None,
    };
    let which = which.join(", ");
    Some(Message { zh: format!("{zh}：{which}"), en: format!("{en}: {which}") })
}

/// Returns the outputs that are not proven safe.
pub fn unproven(facility: &Facility, resolved: &ResolvedPlan, run: &Run) -> Vec<String> {
    let safe = run.unproven.iter().filter_map(|output| resolved.safe.get(*output));
    safe.map(|safe| output_text(facility, safe.setting.fixture, safe.setting.output)).collect()
}
