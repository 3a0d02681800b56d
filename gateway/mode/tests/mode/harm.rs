//! What must never follow, and what must never be.

use linli_mode::{
    Action, ActionPhase, Cause, Effect, Event, Fire, Phase, ResolvedPlan, State, StepState, Truth, step_under,
};

use super::world::{Meddled, Rules, Way, World, actor};

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
    if before.fire == Fire::Alarm && after.fire == Fire::Unknown {
        return Some("B4 silence ended a fire");
    }
    if let Some(wrong) = outranked(before, event) {
        return Some(wrong);
    }
    if let Some(wrong) = forgotten(before, after, event, effects) {
        return Some(wrong);
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
    let acts = effects.iter().filter_map(|effect| match effect {
        Effect::Act { step, turn: ActionPhase::On, .. } => Some(*step),
        _ => None,
    });
    let known = |predicate: &usize| run.truths.get(*predicate) != Some(&Truth::Unknown);
    if acts.into_iter().any(|step| resolved.steps[step].touches.iter().any(known)) {
        return Some("L3 a reading from before an action counts after it");
    }
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

/// What a fire or a person holds, no order of the same class replaces, and none begins in a fire.
fn outranked(before: &State, event: &Event) -> Option<&'static str> {
    let Event::Order(order) = event else { return None };
    if before.fire == Fire::Alarm {
        return Some("T3 an order was taken in a fire");
    }
    let run = before.run.as_ref().filter(|run| run.order.class == order.class)?;
    let is_held = run.causes.iter().any(|cause| matches!(cause, Cause::Fire | Cause::Stop));
    is_held.then_some("T4 an order was taken over a stop or a fire")
}

/// Outputs that are not proven safe are not forgotten, whatever goes on.
fn forgotten(before: &State, after: &State, event: &Event, effects: &[Effect]) -> Option<&'static str> {
    let (old, new) = (before.run.as_ref()?, after.run.as_ref()?);
    let goes_on = matches!(event, Event::Resume { .. } | Event::Order(_)) && after.phase != Phase::Held;
    if goes_on && !old.unproven.is_subset(&new.unproven) {
        return Some("Z what was not proven safe was forgotten");
    }
    let acts = effects.iter().any(|effect| matches!(effect, Effect::Act { turn: ActionPhase::On, .. }));
    if acts && !new.awaited.is_empty() {
        return Some("Z2 something moved before everything was proven safe");
    }
    if !matches!(event, Event::Restarted) {
        return None;
    }
    let begins = matches!(after.phase, Phase::Running | Phase::Preview | Phase::Held);
    let is_left = |output: &usize| !effects.contains(&Effect::Safe(*output));
    if begins && old.moved.union(&old.watched).any(is_left) {
        return Some("V2 a restart left an output as it was");
    }
    let is_waived = new.steps.iter().any(|state| matches!(state, StepState::Waived(_)));
    is_waived.then_some("Y a waiver outlived the process")
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
    if world.phase() == Phase::Peace && (world.uv || (world.is_secured && world.meddled == Meddled::No)) {
        return Some("C' peace is claimed with lamps on or the door shut");
    }
    if world.phase() == Phase::Peace && world.owed {
        return Some("C'' peace is claimed, and nobody brought the room back");
    }
    if world.phase() == Phase::Peace && world.stored {
        return Some("C' peace is claimed with the fridge as it was set for stored goods");
    }
    let run = world.room.run.as_ref()?;
    if world.is_up && world.room.fire == Fire::Alarm && !matches!(world.phase(), Phase::Held | Phase::Peace) {
        return Some("B3 a fire is known and the room goes on");
    }
    if let Some(wrong) = stopped(rules, world) {
        return Some(wrong);
    }
    let resolved = world.resolved(rules);
    if world.phase() == Phase::Held && run.unproven.is_empty() && !run.causes.is_empty() {
        let is_safe = (!world.is_secured || world.meddled != Meddled::No) && !world.uv;
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
    let is_known =
        |predicate: &usize| run.truths.get(*predicate).is_some_and(|truth| *truth != Truth::Unknown);
    let hears = resolved.opened.iter().chain(&resolved.occupied).all(is_known);
    if !hears || world.room.fire != Fire::Normal {
        return Some("K ready is claimed while evidence is silent");
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
    if find("sweep").is_some() && !swept && !is_played("sweep") {
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
    let is_shut = world.is_secured && world.meddled == Meddled::No;
    (world.uv || is_shut).then_some("C ready with lamps on or the door shut")
}
