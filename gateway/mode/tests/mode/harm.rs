//! What must never follow, and what must never be.

use linli_mode::{
    Action, ActionPhase, Cause, Effect, Event, Fire, Phase, ResolvedPlan, State, StepState, Truth, step_under,
};

use super::world::{Rules, Way, World, actor};

/// What must not follow from one event.
pub fn harm_of(
    rules: &Rules<'_>,
    resolved: &ResolvedPlan,
    before: &State,
    after: &State,
    event: &Event,
    effects: &[Effect],
    world: &World,
) -> Option<&'static str> {
    if matches!(event, Event::Restarted) && matches!(after.phase, Phase::Ready | Phase::Degraded) {
        return Some("V a claim was shown again before it was proven again");
    }
    let starts =
        |turn: ActionPhase| effects.iter().any(|e| matches!(e, Effect::Act { turn: t, .. } if *t == turn));
    if (starts(ActionPhase::On) || starts(ActionPhase::Compensate)) && after.fire != Fire::Normal {
        return Some("B2 something was set in motion without knowing that there is no fire");
    }
    if before.phase == Phase::Held && after.phase == Phase::Running {
        if !matches!(event, Event::Resume { .. }) {
            return Some("T a held room went on by itself");
        }
        if before.fire != Fire::Normal {
            return Some("T2 a room went on in a fire");
        }
    }
    let run = after.run.as_ref()?;
    for (step, state) in run.steps.iter().enumerate() {
        let is_new = before.run.as_ref().and_then(|run| run.steps.get(step)) != Some(state);
        let resolved_step = &resolved.steps[step];
        if is_new
            && matches!(state, StepState::Verified(_))
            && matches!(resolved_step.action, Action::Actuate { .. })
            && !is_so(rules, resolved, world, step)
        {
            return Some("L a step was verified that is not so");
        }
        let is_process = matches!(resolved_step.action, Action::Process { .. });
        if is_new && matches!(state, StepState::Verified(_)) && is_process && world.uv {
            return Some("L2 lamps were told to be off that are on");
        }
        if is_new && matches!(state, StepState::Verified(_)) && resolved_step.id.as_str() == "accept" {
            let rest = run.steps.iter().enumerate().all(|(other, state)| other == step || state.is_settled());
            if !rest {
                return Some("S it was accepted before it was done");
            }
        }
    }
    None
}

/// Whether what a step sets is really so.
fn is_so(rules: &Rules<'_>, resolved: &ResolvedPlan, world: &World, step: usize) -> bool {
    let Action::Actuate { verify, .. } = &resolved.steps[step].action else { return true };
    verify.iter().all(|predicate| resolved.predicates[*predicate].truth(rules.facility, world).holds())
}

/// What must never be.
pub fn violated(rules: &Rules<'_>, world: &World) -> Option<&'static str> {
    if world.harm.is_some() {
        return world.harm;
    }
    if world.uv && world.somebody {
        return Some("A lamps are on with a person present");
    }
    if world.fire && world.is_secured {
        return Some("B a door is secured in a fire");
    }
    if world.uv && !world.is_up {
        return Some("G lamps are on without a supervisor");
    }
    if world.phase() == Phase::Peace && (world.uv || world.is_secured) {
        return Some("C' peace is claimed with lamps on or the door shut");
    }
    let run = world.room.run.as_ref()?;
    if world.is_up
        && world.room.fire == Fire::Alarm
        && !matches!(world.phase(), Phase::Held | Phase::Peace | Phase::Preview)
    {
        return Some("B3 a fire is known and the room goes on");
    }
    if let Some(wrong) = stopped(rules, world) {
        return Some(wrong);
    }
    let resolved = world.resolved(rules);
    if world.phase() == Phase::Held && run.unproven.is_empty() && !run.causes.is_empty() {
        let is_safe = !world.is_secured && !world.uv;
        let was_moved =
            world.is_up && !world.acts.iter().any(|act| matches!(act, Way::Step(_, ActionPhase::Off)));
        if !is_safe && was_moved {
            return Some("U a held room was told to be safe and is not");
        }
    }
    // A process that is gone claims nothing.
    if world.phase() == Phase::Ready && world.is_up {
        return ready(rules, world, resolved);
    }
    None
}

/// Stop works from everywhere, at once.
fn stopped(rules: &Rules<'_>, world: &World) -> Option<&'static str> {
    if !world.is_up {
        return None;
    }
    let event = Event::Stop { by: String::new() };
    let resolved = world.resolved(rules);
    let Ok((next, effects)) = step_under(rules.safety_rules, resolved, &world.room, &event) else {
        return Some("P stop was refused");
    };
    let run = next.run.as_ref()?;
    let is_held = next.phase == Phase::Held && run.causes.contains(&Cause::Stop);
    let all_safe = run.moved.iter().all(|output| effects.contains(&Effect::Safe(*output)));
    let nothing_moves = !run.steps.iter().any(StepState::is_in_flight);
    let starts = effects.iter().any(|effect| matches!(effect, Effect::Act { turn: ActionPhase::On, .. }));
    (!is_held || !all_safe || !nothing_moves || starts).then_some("P stop did not make the room safe")
}

/// What a claim rests on.
fn ready(rules: &Rules<'_>, world: &World, resolved: &ResolvedPlan) -> Option<&'static str> {
    let run = world.room.run.as_ref()?;
    let find = |name: &str| resolved.step(name);
    if run.steps.contains(&StepState::Failed) {
        return Some("R ready was claimed with a gap");
    }
    let doers = |name: &str| find(name).and_then(|step| run.doers.get(&step));
    // A drill says of what was made believe that it was; it is never called proven.
    let is_played = |name: &str| {
        let simulated = find(name).is_some_and(|step| run.steps[step] == StepState::Simulated);
        simulated && world.room.is_exercise()
    };
    let is_led = doers("accept")
        .is_some_and(|who| who.iter().all(|who| actor(who.as_str()).roles.contains(&"site_lead".to_owned())));
    if !is_led && !is_played("accept") {
        return Some("S nobody who may has accepted it");
    }
    let swept = find("sweep").is_some_and(|step| matches!(run.steps[step], StepState::Verified(_)));
    if !swept && !is_played("sweep") {
        return Some("S it was never searched");
    }
    if let (Some(by), Some(accepted)) = (doers("sweep"), doers("accept")) {
        if by.intersection(accepted).next().is_some() {
            return Some("S who did it accepted it");
        }
        let needed = resolved.steps.iter().find_map(|resolved_step| match &resolved_step.action {
            Action::Human { is_sweep: true, count, .. } => Some(*count),
            _ => None,
        });
        let is_few = Some(by.len()) < needed && !is_played("sweep");
        if is_few || by.iter().any(|who| !actor(who.as_str()).roles.contains(&"staff".to_owned())) {
            return Some("S too few searched it");
        }
    }
    if world.room.is_exercise() {
        return None;
    }
    let dose_waived = find("dose").is_some_and(|step| matches!(run.steps[step], StepState::Waived(_)));
    if find("dose").is_some() && !world.dosed && !dose_waived {
        return Some("H ready was claimed without a full dose");
    }
    for (step, state) in run.steps.iter().enumerate() {
        let Action::Actuate { verify, is_superseded: false, .. } = &resolved.steps[step].action else {
            continue;
        };
        if matches!(state, StepState::Waived(_)) {
            continue;
        }
        if !verify.iter().all(|predicate| run.truths.get(*predicate) == Some(&Truth::True)) {
            return Some("C2 ready is claimed of what is not known");
        }
        if !world.tripped && !is_so(rules, resolved, world, step) {
            return Some("C ready was claimed and is not so");
        }
    }
    (world.uv || world.is_secured).then_some("C ready with lamps on or the door shut")
}
