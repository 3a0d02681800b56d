//! A plan resolved against a building: names looked up, guards turned into predicates, everything checked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::expression::{Literal, Op};
use super::plan::{Channel, Drill, OnFail, Plan, Retry, VoidOn};
use super::plan_resolver::PlanResolver;
use super::predicate::Predicate;
use super::{check, exits, path};
use crate::facility::{Contents, Facility, Kind};
use linli_domain::{Id, Value};

/// Something wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The step; none for the plan as a whole.
    pub step: Option<usize>,
    /// The key at fault.
    pub key: &'static str,
    /// What is wrong, and how to correct it.
    pub message: String,
}

/// A condition of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cond {
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
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedStep {
    /// Its id.
    pub id: Id,
    /// Steps that must be settled before, directly.
    pub after: Vec<usize>,
    /// All steps that must be settled before.
    pub before: Vec<usize>,
    /// What must hold before and while it acts.
    pub pre: Vec<Cond>,
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
#[derive(Debug, Clone, PartialEq)]
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
        compensate: Option<(Vec<Setting>, Vec<Cond>)>,
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
#[derive(Debug, Clone, PartialEq)]
pub struct Safe {
    /// The settings.
    pub setting: Setting,
    /// The predicate that proves it.
    pub proof: Option<usize>,
    /// Predicates about its output.
    pub touches: Vec<usize>,
}

/// A plan resolved against a building.
#[derive(Debug, Clone, PartialEq)]
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

// === impl ResolvedPlan ===

impl ResolvedPlan {
    /// Resolves a plan against a building. Returns all faults at once.
    pub fn new(plan: Plan, facility: &Facility) -> Result<Self, Vec<Fault>> {
        let Some(room) = facility.room(plan.room.as_str()) else {
            let known: Vec<&str> = facility.rooms.iter().map(|room| room.id.as_str()).collect();
            let message =
                format!("there is no room {:?}; rooms are: {}", plan.room.as_str(), known.join(", "));
            return Err(vec![Fault { step: None, key: "room", message }]);
        };
        let mut resolver = PlanResolver::new(facility, &plan, room);
        let steps: Vec<Option<ResolvedStep>> =
            (0..plan.steps.len()).map(|index| resolver.resolve_step(index)).collect();
        let occupied = resolver.about(Kind::Occupancy, "occupied", Op::Equal, "true");
        let opened = resolver.about(Kind::Door, "contact", Op::Unequal, "closed");
        let ways_out = exits::ways_out(&mut resolver);
        let safe = resolver.safe();
        let PlanResolver { predicates, mut faults, .. } = resolver;
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut steps: Vec<ResolvedStep> = steps.into_iter().flatten().collect();
        check::order(&mut steps);
        check::supersede(&mut steps);
        path::add_travel_time(&mut steps, facility.travel_time(room));
        let mut safe = safe;
        touch(&mut steps, &mut safe);
        let contents = facility.rooms[room].contents.clone();
        let resolved = Self { plan, room, predicates, steps, occupied, opened, ways_out, safe, contents };
        check::check(&resolved, facility, &mut faults);
        if faults.is_empty() { Ok(resolved) } else { Err(faults) }
    }

    /// Returns the position of a step.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|planned| planned.id.as_str() == id)
    }

    /// Returns the settings of a phase of a step.
    #[must_use]
    pub fn settings(&self, step: usize, turn: super::event::ActionPhase) -> &[Setting] {
        use super::event::ActionPhase;
        match (self.steps.get(step).map(|planned| &planned.action), turn) {
            (Some(Action::Actuate { sets, .. } | Action::Process { sets, .. }), ActionPhase::On) => sets,
            (Some(Action::Process { off, .. }), ActionPhase::Off) => off,
            (Some(Action::Actuate { compensate: Some((sets, _)), .. }), ActionPhase::Compensate) => sets,
            _ => &[],
        }
    }
}

/// Finds the predicates about the outputs of each step and safe state.
fn touch(steps: &mut [ResolvedStep], safe: &mut [Safe]) {
    let output = |set: &Setting| (set.fixture, set.output);
    let mut about: BTreeMap<(usize, usize), BTreeSet<usize>> = BTreeMap::new();
    for planned in steps.iter() {
        let (Action::Actuate { sets, verify, .. } | Action::Process { sets, verify, .. }) = &planned.action
        else {
            continue;
        };
        for set in sets {
            about.entry(output(set)).or_default().extend(verify);
        }
    }
    for safe in safe.iter() {
        about.entry(output(&safe.setting)).or_default().extend(safe.proof);
    }
    let claims = |sets: &[Setting]| -> Vec<usize> {
        let all = sets.iter().filter_map(|set| about.get(&output(set))).flatten().copied();
        all.collect::<BTreeSet<usize>>().into_iter().collect()
    };
    for planned in steps {
        planned.touches = match &planned.action {
            Action::Actuate { sets, .. } | Action::Process { sets, .. } => claims(sets),
            Action::Verify { verify, .. } => verify.clone(),
            Action::Human { .. } => Vec::new(),
        };
    }
    for safe in safe {
        safe.touches = claims(std::slice::from_ref(&safe.setting));
    }
}
