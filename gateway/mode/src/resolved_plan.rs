//! A plan resolved against a building: names looked up, guards turned into predicates.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::expression::Literal;
use super::plan::{Channel, Drill, OnFail, Plan, Retry, VoidOn};
use super::plan_rule::PlanRule;
use super::predicate::Predicate;
use crate::facility::Contents;
use linli_domain::{Id, Value};

/// Something wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The step; none for the plan as a whole.
    pub step: Option<usize>,
    /// The key at fault.
    pub key: &'static str,
    /// The rule that it breaks.
    pub rule: PlanRule,
    /// What is wrong, and how to correct it.
    pub message: String,
}

/// A condition of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// A predicate, by its position.
    Predicate(usize),
    /// At least this number of independent pieces of evidence that the room is vacant.
    Vacant(u8),
    /// An exit of the room is known to be free.
    ExitFree,
    /// Somebody removed these contents.
    FreeOf(Contents),
    /// The fire panel is normal.
    NoFire,
}

/// An output and what it is set to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Position of the fixture.
    pub fixture: usize,
    /// Position of the output in it.
    pub output: usize,
    /// The value as in the plan.
    pub word: Literal,
    /// The value as written to the point.
    pub value: Value,
}

/// A resolved step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedStep {
    /// Its id.
    pub id: Id,
    /// Steps that must be settled before, directly.
    pub after: Vec<usize>,
    /// All steps that must be settled before.
    pub before: Vec<usize>,
    /// What must hold before and while it acts.
    pub pre: Vec<Condition>,
    /// Its action.
    pub action: Action,
    /// Time until somebody is notified.
    pub deadline: Duration,
    /// Escalation: role, and time.
    pub escalate: Vec<(String, Duration)>,
    /// What happens when it fails.
    pub on_fail: OnFail,
    /// How a drill treats it.
    pub drill: Drill,
    /// Predicates about its outputs: unknown once it has acted.
    pub touches: Vec<usize>,
}

/// The action of a step, resolved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// People do it.
    Human {
        /// The required role.
        role: String,
        /// The number of people.
        count: usize,
        /// The instruction.
        prompt: String,
        /// What voids it.
        void_on: VoidOn,
        /// Steps whose performers may not do it.
        not_same_as: Vec<usize>,
        /// Whether it is evidence that the room is vacant.
        is_sweep: bool,
        /// Contents that are removed afterwards.
        clears: Vec<Contents>,
        /// Required evidence.
        evidence: Vec<String>,
    },
    /// Outputs are set.
    Actuate {
        /// The settings.
        sets: Vec<Setting>,
        /// Predicates that prove it.
        verify: Vec<usize>,
        /// Time limit for the proof.
        within: Duration,
        /// The source of the proof.
        channel: Channel,
        /// Retries.
        retry: Retry,
        /// Compensation, and its conditions.
        compensate: Option<(Vec<Setting>, Vec<Condition>)>,
        /// Whether it may be set again automatically.
        is_reasserted: bool,
        /// Whether each write acts again (pulse).
        is_pulse: bool,
        /// A later step sets the same output to another value: the proof is not watched afterwards.
        is_superseded: bool,
    },
    /// A process runs without interruption.
    Process {
        /// The settings.
        sets: Vec<Setting>,
        /// The settings that end it.
        off: Vec<Setting>,
        /// What proves that it runs.
        verify: Vec<usize>,
        /// Time limit for the proof.
        within: Duration,
        /// The source of the proof.
        channel: Channel,
        /// Its duration.
        span: Duration,
        /// Lease: the process stops by itself when it is not renewed for this long.
        lease: Duration,
    },
    /// Predicates are verified.
    Verify {
        /// What must hold.
        verify: Vec<usize>,
        /// Time limit for the proof.
        within: Duration,
        /// The source of the proof.
        channel: Channel,
    },
}

/// A safe state, and what proves it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Safe {
    /// The settings.
    pub setting: Setting,
    /// The predicate that proves it.
    pub proof: Option<usize>,
    /// Predicates about its output.
    pub touches: Vec<usize>,
}

/// A plan resolved against a building.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResolvedPlan {
    /// The plan.
    pub plan: Plan,
    /// Position of the room.
    pub room: usize,
    /// All predicates.
    pub predicates: Vec<Predicate>,
    /// The steps.
    pub steps: Vec<ResolvedStep>,
    /// Predicates that report occupancy.
    pub occupied: Vec<usize>,
    /// Predicates that report an open door.
    pub opened: Vec<usize>,
    /// Exits, each with all its predicates.
    pub ways_out: Vec<Vec<usize>>,
    /// The safe states of all outputs in the room.
    pub safe: Vec<Safe>,
    /// Contents of the room in normal operation.
    pub contents: Vec<Contents>,
}

// === impl Fault ===

impl Fault {
    /// Returns the message with the rule's id and its text in Chinese.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} [{}: {}]", self.message, self.rule, self.rule.chinese())
    }
}

// === impl Action ===

impl Action {
    /// Returns every setting that it may write: at the beginning, at the end, as compensation.
    pub fn all_settings(&self) -> impl Iterator<Item = &Setting> {
        let (first, last): (&[Setting], &[Setting]) = match self {
            Self::Actuate { sets, compensate, .. } => {
                (sets, compensate.as_ref().map_or(&[], |(remedy, _)| remedy.as_slice()))
            }
            Self::Process { sets, off, .. } => (sets, off),
            Self::Human { .. } | Self::Verify { .. } => (&[], &[]),
        };
        first.iter().chain(last)
    }
}

// === impl ResolvedPlan ===

impl ResolvedPlan {
    /// Returns the position of a step.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|resolved_step| resolved_step.id.as_str() == id)
    }

    /// Returns every output that the plan may set, as fixture and output: those of its steps, at their
    /// beginning, their end and as compensation, and those with a safe state. One may occur repeatedly.
    pub fn outputs(&self) -> impl Iterator<Item = (usize, usize)> {
        let of_steps = self.steps.iter().flat_map(|resolved_step| resolved_step.action.all_settings());
        let safe = self.safe.iter().map(|safe| &safe.setting);
        of_steps.chain(safe).map(|setting| (setting.fixture, setting.output))
    }

    /// Returns all predicates in the order in which news of them is applied: first those that prove outputs
    /// safe, so that no claim is made while an output is known not to be.
    #[must_use]
    pub fn urgency(&self) -> Vec<usize> {
        let proofs: Vec<usize> = self.safe.iter().filter_map(|safe| safe.proof).collect();
        let rest = (0..self.predicates.len()).filter(|predicate| !proofs.contains(predicate));
        proofs.iter().copied().chain(rest).collect()
    }

    /// Returns the settings of a phase of a step.
    #[must_use]
    pub fn settings(&self, step: usize, turn: super::event::ActionPhase) -> &[Setting] {
        use super::event::ActionPhase;
        match (self.steps.get(step).map(|resolved_step| &resolved_step.action), turn) {
            (Some(Action::Actuate { sets, .. } | Action::Process { sets, .. }), ActionPhase::On) => sets,
            (Some(Action::Process { off, .. }), ActionPhase::Off) => off,
            (Some(Action::Actuate { compensate: Some((sets, _)), .. }), ActionPhase::Compensate) => sets,
            _ => &[],
        }
    }
}
