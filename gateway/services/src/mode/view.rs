//! What people see: every room, its steps, what is waited for and from whom.

use linli_mode::facility::{Facility, Site};
use linli_mode::{
    Action, Condition, Fold, ResolvedPlan, Run, StepState, Timer, Truth, bracketed, fold, forecast,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::room::Room;
use super::service::ModeService;
use crate::error::ServiceError;

/// Every room together.
pub fn together(service: &ModeService) -> Fold {
    fold(service.rooms.values().map(|room| (room.stage(&service.setup), &room.state)))
}

/// The rooms of each site together, of sites whose rooms have plans.
fn sites(service: &ModeService) -> Vec<Value> {
    let setup = &service.setup;
    let at = |room: &Room| setup.facility.rooms.get(room.index).and_then(|room| room.site.as_ref());
    let shown = |site: &Site| {
        let rooms = || service.rooms.values().filter(|room| at(room) == Some(&site.id));
        rooms().next()?;
        let together = fold(rooms().map(|room| (room.stage(setup), &room.state)));
        let walk = site.travel_time.as_secs();
        Some(json!({ "site": site.id, "name": site.name, "walk_s": walk, "together": together }))
    };
    setup.facility.sites.iter().filter_map(shown).collect()
}

/// Every room.
pub fn status(service: &ModeService) -> Value {
    status_of(service, service.rooms.values())
}

/// The same of some rooms: who does something in one of many needs no more, and need not wait for more.
pub fn status_of<'d>(service: &'d ModeService, rooms: impl IntoIterator<Item = &'d Room>) -> Value {
    let rooms: Vec<Value> = rooms.into_iter().map(|room| shown(service, room)).collect();
    let waiting: Vec<&String> = service.quarantine.keys().collect();
    json!({
        "centre": service.setup.centre, "together": together(service), "sites": sites(service), "rooms": rooms,
        "quarantined": waiting, "record": service.record.head(), "record_key": service.record.verifier(),
    })
}

fn shown(service: &ModeService, room: &Room) -> Value {
    let setup = &service.setup;
    let built = setup.facility.rooms.get(room.index);
    let (name, site) = (built.map(|room| &room.name), built.and_then(|room| room.site.as_ref()));
    let mut body = json!({
        "room": room.id, "name": name, "site": site, "stage": room.stage(setup), "fire": room.state.fire,
        "verified": room.state.is_verified_ready(),
        "policy": room.entered.as_ref().map(super::policy::Entered::shown),
        "alternate": super::alternate::shown(service, room),
    });
    let (Some(run), Some(known)) = (&room.state.run, &room.known) else {
        if room.state.run.is_some() {
            body["lost"] = json!("its plan is no longer in the configuration: put the file back into plans/");
        }
        return body;
    };
    let (brief, plan) = (&known.brief, &known.brief.plan);
    let steps: Vec<Value> =
        (0..brief.steps.len()).map(|step| step_shown(service, room, run, brief, step)).collect();
    let unproven: Vec<String> = run
        .unproven
        .iter()
        .filter_map(|output| brief.safe.get(*output))
        .map(|safe| output_text(&setup.facility, safe.setting.fixture, safe.setting.output))
        .collect();
    let at_most = i64::try_from(forecast(brief).at_most.as_millis()).unwrap_or(i64::MAX);
    let within = i64::try_from(plan.ready_within.as_millis()).unwrap_or(i64::MAX);
    let more = json!({
        "plan": plan.key(), "role": plan.role, "order": run.order.id, "class": run.order.class,
        "direction": run.order.direction, "causes": run.causes, "ordered": room.ordered,
        "since": room.since, "ready_by": room.ordered.0.saturating_add(at_most),
        "ready_within_until": room.ordered.0.saturating_add(within), "lead": plan.lead,
        "unproven": unproven, "steps": steps,
    });
    if let (Value::Object(body), Value::Object(more)) = (&mut body, more) {
        body.extend(more);
    }
    body
}

fn step_shown(service: &ModeService, room: &Room, run: &Run, brief: &ResolvedPlan, step: usize) -> Value {
    let (job, state) = (&brief.steps[step], &run.steps[step]);
    let mut body = about(brief, step);
    // Nobody shall take a drill for the real thing, nor the other way round.
    if let (Some(prompt), true) = (body["prompt"].as_str().map(bracketed), room.state.is_exercise()) {
        body["prompt"] = json!(prompt);
    }
    body["state"] = json!(state.as_str());
    match state {
        StepState::Verified(channel) => body["channel"] = json!(channel),
        StepState::Waived(by) => body["by"] = json!(by),
        _ => {}
    }
    if let Some(doers) = run.doers.get(&step) {
        body["done_by"] = json!(doers);
    }
    let is_open = !state.is_settled() && *state != StepState::Pending;
    if is_open {
        let facility = &service.setup.facility;
        let missing = |conds: &[Condition]| -> Vec<String> {
            conds.iter().filter_map(|cond| missing(facility, room, brief, *cond)).collect()
        };
        let mut waits = missing(&job.pre);
        if let Action::Actuate { verify, .. }
        | Action::Process { verify, .. }
        | Action::Verify { verify, .. } = &job.action
        {
            waits.extend(verify.iter().filter_map(|atom| claim(facility, room, brief, *atom)));
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

/// What a step is.
fn about(brief: &ResolvedPlan, step: usize) -> Value {
    let job = &brief.steps[step];
    let after: Vec<_> = job.after.iter().map(|before| &brief.steps[*before].id).collect();
    let mut body = json!({"step": job.id, "after": after});
    let more = match &job.action {
        Action::Human { role, count, prompt, evidence, not_same_as, .. } => {
            let others: Vec<_> = not_same_as.iter().map(|other| &brief.steps[*other].id).collect();
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

fn output_text(facility: &Facility, fixture: usize, output: usize) -> String {
    let Some(fixture) = facility.fixtures.get(fixture) else { return String::new() };
    let name = fixture.sets.get(output).map_or("?", |output| &output.name);
    format!("{}.{name}", fixture.id)
}

/// A condition that does not hold, or is not known to.
fn missing(facility: &Facility, room: &Room, brief: &ResolvedPlan, cond: Condition) -> Option<String> {
    match cond {
        Condition::Predicate(atom) => claim(facility, room, brief, atom),
        Condition::NoFire => (room.state.fire != linli_mode::Fire::Normal)
            .then(|| format!("fire == normal ({})", json!(room.state.fire).as_str().unwrap_or_default())),
        Condition::Vacant(count) => {
            let somebody = brief.occupied.iter().any(|atom| room.knows(*atom).holds());
            let unknown = brief.occupied.iter().any(|atom| room.knows(*atom) == Truth::Unknown);
            match (somebody, unknown) {
                (true, _) => Some(format!("vacant({count}): somebody is seen")),
                (false, true) => Some(format!("vacant({count}): a sensor tells nothing")),
                (false, false) => None,
            }
        }
        Condition::ExitFree | Condition::FreeOf(_) => None,
    }
}

/// A claim that does not hold, or is not known to.
fn claim(facility: &Facility, room: &Room, brief: &ResolvedPlan, atom: usize) -> Option<String> {
    let text = || brief.predicates.get(atom).map(|atom| atom.text(facility)).unwrap_or_default();
    match room.knows(atom) {
        Truth::True => None,
        Truth::False => Some(format!("{} (false)", text())),
        Truth::Unknown => Some(format!("{} (unknown)", text())),
    }
}

/// There is no such plan.
pub fn no_plan(service: &ModeService, name: &str) -> ServiceError {
    let keys: Vec<String> = service.setup.plans.iter().map(|known| known.brief.plan.key()).collect();
    ServiceError::Unknown(format!("there is no plan {name:?}; plans are: {}", keys.join(", ")))
}

/// What a plan would do now: its steps in order, who is needed, when it could be ready, and what
/// is not known or does not hold.
pub fn preview(service: &ModeService, name: &str) -> Result<Value, ServiceError> {
    let setup = &service.setup;
    let known = setup.plan(name).ok_or_else(|| no_plan(service, name))?;
    let (brief, plan) = (&known.brief, &known.brief.plan);
    let forecast = forecast(brief);
    let mut order: Vec<usize> = (0..brief.steps.len()).collect();
    order.sort_by_key(|step| (forecast.ends[*step], *step));
    let steps: Vec<Value> = order
        .iter()
        .map(|step| {
            let mut body = about(brief, *step);
            body["ends_s"] = json!(forecast.ends[*step].as_secs());
            body["critical"] = json!(forecast.critical.contains(step));
            body
        })
        .collect();
    let now = Instant::now();
    let (mut unknown, mut wrong) = (Vec::new(), Vec::new());
    for (index, atom) in brief.predicates.iter().enumerate() {
        match service.truth(brief, index, now) {
            Truth::Unknown => unknown.push(atom.text(&setup.facility)),
            Truth::False => wrong.push(atom.text(&setup.facility)),
            Truth::True => {}
        }
    }
    let stage = service.rooms.get(&brief.room).map(|room| room.stage(setup));
    Ok(json!({
        "plan": plan.key(), "room": plan.room, "role": plan.role, "direction": plan.direction, "stage": stage,
        "lead": plan.lead, "basis": plan.basis, "hash": linli_domain::audit::hex(&known.hash),
        "grace_s": plan.grace.as_secs(), "at_most_s": forecast.at_most.as_secs(),
        "ready_within_s": plan.ready_within.as_secs(), "steps": steps,
        "unknown": unknown, "not_so_now": wrong, "alternate": plan.alternate,
        "snapshot": linli_domain::audit::hex(&super::snapshot::of(service, &[&**known]).0),
    }))
}
