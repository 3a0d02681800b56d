//! Rules about what moves: lamps, locks, gas, fridges, push buttons, and the proofs of steps.

use std::time::Duration;

use super::expression::Literal;
use super::plan::{Channel, Drill};
use super::plan_rule::PlanRule;
use super::resolved_plan::{Action, Condition, Fault, ResolvedPlan, ResolvedStep, Setting};
use crate::facility::{Contents, Facility, Fixture, Interlock, Kind, Output, Way};
use linli_domain::Value;

/// Longest lease: bounds how long lamps stay on after the gateway failed.
const LONGEST_LEASE: Duration = Duration::from_secs(10);

/// Contents of fridges and freezers.
const COLD: [Contents; 3] = [Contents::Chilled, Contents::Frozen, Contents::Medical];

/// A step that moves outputs of a fixture.
struct Moves<'p> {
    resolved: &'p ResolvedPlan,
    facility: &'p Facility,
    fixture: &'p Fixture,
    step: &'p ResolvedStep,
    /// What it sets first.
    sets: &'p [Setting],
    /// What it sets as compensation, or at the end.
    later: &'p [Setting],
}

/// Checks a step that moves or proves something.
pub(super) fn check(
    resolved: &ResolvedPlan,
    facility: &Facility,
    step: usize,
    fault: &mut impl FnMut(PlanRule, &'static str, String),
) {
    let step = &resolved.steps[step];
    let (sets, later, channel, verify): (&[Setting], &[Setting], _, _) = match &step.action {
        Action::Actuate { sets, compensate, channel, verify, .. } => {
            let later = compensate.as_ref().map_or(&[] as &[Setting], |(remedy, _)| remedy);
            (sets, later, *channel, verify)
        }
        Action::Process { sets, off, channel, verify, .. } => (sets, off, *channel, verify),
        Action::Verify { channel, verify, .. } => (&[], &[], *channel, verify),
        Action::Human { .. } => return,
    };
    independent(resolved, facility, channel, verify, fault);
    let Some(first) = sets.first() else { return };
    let fixture = &facility.fixtures[first.fixture];
    let moves = Moves { resolved, facility, fixture, step, sets, later };
    moves.doors(fault);
    moves.lamps(fault);
    moves.contents(fault);
    moves.repeats(fault);
}

// === impl Moves ===

impl Moves<'_> {
    fn output(&self, setting: &Setting) -> &Output {
        &self.facility.fixtures[setting.fixture].sets[setting.output]
    }

    fn secures(&self, setting: &Setting) -> bool {
        matches!(&setting.word, Literal::Word(word) if self.output(setting).secures.contains(word))
    }

    fn closes(&self, setting: &Setting) -> bool {
        matches!(&setting.word, Literal::Word(word) if self.output(setting).is_closing(word))
    }

    fn needs(&self, condition: Condition) -> bool {
        self.step.pre.contains(&condition)
    }

    fn is_vacant(&self) -> bool {
        self.step.pre.iter().any(|condition| matches!(condition, Condition::Vacant(n) if *n >= 2))
    }

    /// Doors, gates and exits.
    fn doors(&self, fault: &mut impl FnMut(PlanRule, &'static str, String)) {
        let secures = self.sets.iter().any(|setting| self.secures(setting));
        let is_guarded = self.is_vacant() && self.needs(Condition::NoFire) && self.needs(Condition::ExitFree);
        if secures && !is_guarded {
            let message = "nobody may be shut in: needs \"vacant(2)\", \"fire == normal\" and \"exit_free\"";
            fault(PlanRule::SecureGuarded, "pre", message.to_owned());
        }
        if self.later.iter().any(|setting| self.closes(setting)) {
            let key = if matches!(self.step.action, Action::Process { .. }) { "run" } else { "compensate" };
            let message = "closes a door when the step has failed or ended, and its evidence with it: leave the \
                           door open there, and secure it in a step of its own";
            fault(PlanRule::SecuresByStepOnly, key, message.to_owned());
        }
        let opening = self.fixture.opening.and_then(|opening| self.facility.openings.get(opening));
        let is_fire_exit = opening.is_some_and(|opening| opening.way == Way::FireExit);
        if is_fire_exit && self.sets.iter().any(|setting| self.closes(setting)) {
            let message = format!("{} is a fire exit: it is never closed", self.fixture.id);
            fault(PlanRule::FireExitUntouched, "set", message);
        }
        let is_dangerous = secures || matches!(self.fixture.kind, Kind::Uv | Kind::Door | Kind::Barrier);
        if is_dangerous && self.fixture.interlock == Interlock::None {
            let message = format!(
                "{} has interlock = \"none\": without one in hardware this is left to people",
                self.fixture.id
            );
            fault(PlanRule::Interlocked, "device", message);
        }
        if let Action::Actuate { compensate: Some((_, pre)), .. } = &self.step.action
            && !pre.contains(&Condition::NoFire)
        {
            let message = "has no guard of its own: needs pre with \"fire == normal\"";
            fault(PlanRule::CompensateGuarded, "compensate", message.to_owned());
        }
    }

    /// Lamps need a vacant room, a limited time and a supervisor.
    fn lamps(&self, fault: &mut impl FnMut(PlanRule, &'static str, String)) {
        if let Action::Process { span, .. } = &self.step.action
            && span.is_zero()
        {
            fault(PlanRule::ProcessEnds, "run", "for must be longer than nothing".to_owned());
        }
        if self.fixture.kind != Kind::Uv {
            return;
        }
        let Action::Process { lease, .. } = &self.step.action else {
            let message = "lamps are a process with a time, never an on and an off: kind = \"process\"";
            return fault(PlanRule::LampsAreProcess, "kind", message.to_owned());
        };
        if !(self.is_vacant() && self.needs(Condition::NoFire)) {
            let message = "lamps harm people: needs \"vacant(2)\" and \"fire == normal\"";
            fault(PlanRule::LampsGuarded, "pre", message.to_owned());
        }
        if *lease > LONGEST_LEASE {
            let message = "lease is longer than 10s: lamps would stay on when the gateway dies";
            fault(PlanRule::Leased, "run", message.to_owned());
        }
        if !self.later.iter().all(is_off) {
            let message = "the lamps are not off at the end: leave `then` out, or name their off state";
            fault(PlanRule::LampsEndOff, "run", message.to_owned());
        }
    }

    /// Fridges and heat, and what they hold.
    fn contents(&self, fault: &mut impl FnMut(PlanRule, &'static str, String)) {
        let held = &self.resolved.contents;
        let required: Vec<Contents> = match self.fixture.kind {
            Kind::Heat => vec![Contents::HotFood],
            Kind::Fridge => COLD.into_iter().filter(|cold| held.contains(cold)).collect(),
            _ => return,
        };
        let named: Vec<Contents> = self.step.pre.iter().filter_map(freed).collect();
        let is_named = required.iter().all(|contents| named.contains(contents))
            && (self.fixture.kind == Kind::Heat || named.iter().any(|contents| COLD.contains(contents)));
        if !is_named {
            let message = match self.fixture.kind {
                Kind::Heat => "needs \"free_of(hot_food)\": hot food must not cool by a plan",
                _ => {
                    "what it holds must be out before its set-point changes: needs \"free_of(...)\" of \
                      everything cold that the room holds"
                }
            };
            fault(PlanRule::ClearedFirst, "pre", message.to_owned());
        } else if let Some(left) =
            named.iter().find(|contents| held.contains(contents) && !self.cleared(**contents))
        {
            let message = format!("no task before it clears {left:?}: a task with clears = [...] goes first");
            fault(PlanRule::ClearedFirst, "after", message);
        }
        if self.fixture.kind == Kind::Heat && !self.sets.iter().chain(self.later).all(is_off) {
            let message = "heat and gas are only switched off by a plan; people light them again by hand";
            fault(PlanRule::GasOffOnly, "set", message.to_owned());
        }
    }

    /// Whether a task before the step clears these contents.
    fn cleared(&self, contents: Contents) -> bool {
        self.step.before.iter().any(|before| {
            matches!(&self.resolved.steps[*before].action, Action::Human { clears, .. } if clears.contains(&contents))
        })
    }

    /// What is written more than once, and what moves in a drill.
    fn repeats(&self, fault: &mut impl FnMut(PlanRule, &'static str, String)) {
        let kind = self.fixture.kind;
        if self.step.drill == Drill::Live && !kind.moves_in_drill() {
            let message = format!("a drill must not move a {}: simulate or skip", kind.as_str());
            fault(PlanRule::DrillNever, "drill", message);
        }
        let (is_reasserted, is_process) = match &self.step.action {
            Action::Actuate { is_reasserted, .. } => (*is_reasserted, false),
            _ => (false, true),
        };
        if is_reasserted && kind.is_hazardous() {
            let message = format!("a {} is never set again by itself: remove reassert", kind.as_str());
            fault(PlanRule::ReassertNever, "reassert", message);
        }
        let is_pulse = |setting: &Setting| self.output(setting).is_pulse;
        let is_first = self.sets.iter().any(is_pulse);
        if (is_first && (is_process || is_reasserted)) || self.later.iter().any(is_pulse) {
            let message =
                "each write to it moves something once more: it is pressed once, by a step of its own";
            fault(PlanRule::PulseOnce, "set", message.to_owned());
        }
    }
}

/// Checks the safe states: what a stop, a fire or a restart writes.
pub(super) fn safe_states(resolved: &ResolvedPlan, facility: &Facility, faults: &mut Vec<Fault>) {
    let mut fault = |step, key, message: String| {
        faults.push(Fault { step, key, rule: PlanRule::SafeStates, message });
    };
    for safe in &resolved.safe {
        let fixture = &facility.fixtures[safe.setting.fixture];
        let output = &fixture.sets[safe.setting.output];
        let closes = matches!(&safe.setting.word, Literal::Word(word) if output.is_closing(word));
        let is_on = matches!(fixture.kind, Kind::Uv | Kind::Heat) && !is_off(&safe.setting);
        if closes || is_on {
            let message = format!(
                "the safe state {} of {}.{} in facility.toml is not safe",
                safe.setting.word, fixture.id, output.name
            );
            fault(None, "room", message);
        }
    }
    for (step, resolved_step) in resolved.steps.iter().enumerate() {
        for setting in resolved_step.action.all_settings() {
            let fixture = &facility.fixtures[setting.fixture];
            let output = &fixture.sets[setting.output];
            let is_lock = !output.secures.is_empty() || !output.entry_only.is_empty();
            if (is_lock || matches!(fixture.kind, Kind::Uv | Kind::Heat)) && output.safe.is_none() {
                let message = format!("{}.{} has no safe state in facility.toml", fixture.id, output.name);
                return fault(Some(step), "device", message);
            }
        }
    }
}

/// A proof by an independent device must read another device than the one that acts.
fn independent(
    resolved: &ResolvedPlan,
    facility: &Facility,
    channel: Channel,
    verify: &[usize],
    fault: &mut impl FnMut(PlanRule, &'static str, String),
) {
    if channel != Channel::Independent {
        return;
    }
    let is_independent = verify.iter().any(|predicate| {
        let predicate = &resolved.predicates[*predicate];
        facility.fixtures[predicate.fixture].reads[predicate.read].is_independent
    });
    if !is_independent {
        let message =
            "channel is \"independent\", but nothing it reads is marked independent in facility.toml";
        fault(PlanRule::IndependentProof, "verify", message.to_owned());
    }
}

/// The contents that a condition requires to be out.
const fn freed(condition: &Condition) -> Option<Contents> {
    match condition {
        Condition::FreeOf(contents) => Some(*contents),
        _ => None,
    }
}

/// Whether a setting switches off, by its word or as zero.
fn is_off(setting: &Setting) -> bool {
    let is_zero = match &setting.value {
        Value::Bool(is_on) => !is_on,
        other => other.as_f64() == Some(0.0),
    };
    matches!(&setting.word, Literal::Word(word) if matches!(word.as_str(), "off" | "closed" | "shut"))
        || is_zero
}
