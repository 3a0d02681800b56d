//! A plan tied to a building: names found, guards turned into claims, everything checked.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::expression::{Literal, Op};
use super::plan::{Channel, Drill, OnFail, Plan, Retry, VoidOn};
use super::plan_resolver::PlanResolver;
use super::predicate::Predicate;
use super::{check, exits, path};
use crate::facility::{Contents, Facility, Kind};
use crate::{Id, Value};

/// Something wrong with a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The step; none for the plan as a whole.
    pub step: Option<usize>,
    /// The key at fault.
    pub key: &'static str,
    /// What is wrong, and how to mend it.
    pub message: String,
}

/// Something that must hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cond {
    /// An atom.
    Predicate(usize),
    /// That many evidences that nobody is there.
    Vacant(u8),
    /// A way out is known to be free.
    ExitFree,
    /// Somebody took it away.
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
    /// As the plan says it.
    pub word: Literal,
    /// As it is written.
    pub value: Value,
}

/// A step, tied.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedStep {
    /// Its id.
    pub id: Id,
    /// What must be settled before.
    pub after: Vec<usize>,
    /// The same, and what is before that.
    pub before: Vec<usize>,
    /// What must hold before and while it acts.
    pub pre: Vec<Cond>,
    /// What is done.
    pub action: Action,
    /// When somebody hears of it.
    pub deadline: Duration,
    /// Whom, and when.
    pub escalate: Vec<(String, Duration)>,
    /// When it does not succeed.
    pub on_fail: OnFail,
    /// What a drill makes of it.
    pub drill: Drill,
    /// Claims about what it moves: none of them is known any more once it moved.
    pub touches: Vec<usize>,
}

/// What is done, tied.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// People do it.
    Human {
        /// Who may.
        role: String,
        /// How many.
        count: usize,
        /// What they are told.
        prompt: String,
        /// What voids it.
        void_on: VoidOn,
        /// Whoever did these may not.
        not_same_as: Vec<usize>,
        /// Whether it is evidence that nobody is there.
        is_sweep: bool,
        /// What is gone afterwards.
        clears: Vec<Contents>,
        /// What they show.
        evidence: Vec<String>,
    },
    /// Something is set.
    Actuate {
        /// What to what.
        sets: Vec<Setting>,
        /// What proves it.
        verify: Vec<usize>,
        /// In what time.
        within: Duration,
        /// By which way.
        channel: Channel,
        /// How often.
        retry: Retry,
        /// What makes good, and when it may.
        compensate: Option<(Vec<Setting>, Vec<Cond>)>,
        /// Whether it may be set again by itself.
        is_reasserted: bool,
        /// Whether each write moves it once more.
        is_pulse: bool,
        /// A later step sets the same to something else: it is not watched.
        is_superseded: bool,
    },
    /// Something runs without a break.
    Process {
        /// What to what.
        sets: Vec<Setting>,
        /// Its end.
        off: Vec<Setting>,
        /// What proves that it runs.
        verify: Vec<usize>,
        /// In what time.
        within: Duration,
        /// By which way.
        channel: Channel,
        /// For how long.
        span: Duration,
        /// It drops when it is not refreshed for this long.
        lease: Duration,
    },
    /// Something is looked at.
    Verify {
        /// What must hold.
        verify: Vec<usize>,
        /// In what time.
        within: Duration,
        /// By which way.
        channel: Channel,
    },
}

/// A safe state, and what proves it.
#[derive(Debug, Clone, PartialEq)]
pub struct Safe {
    /// What to what.
    pub setting: Setting,
    /// The atom.
    pub proof: Option<usize>,
    /// Claims about what it moves.
    pub touches: Vec<usize>,
}

/// A plan tied to a building.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedPlan {
    /// The plan.
    pub plan: Plan,
    /// Position of the room.
    pub room: usize,
    /// The claims that matter.
    pub predicates: Vec<Predicate>,
    /// The steps.
    pub steps: Vec<ResolvedStep>,
    /// Atoms: somebody is there.
    pub occupied: Vec<usize>,
    /// Atoms: a door stands open.
    pub opened: Vec<usize>,
    /// Ways out: one of them, with all its atoms.
    pub ways_out: Vec<Vec<usize>>,
    /// What is safe, of everything in the room.
    pub safe: Vec<Safe>,
    /// What is in the room in peace.
    pub contents: Vec<Contents>,
}

// === impl ResolvedPlan ===

impl ResolvedPlan {
    /// Ties a plan to a building; all faults at once.
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

    /// A step by its id.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<usize> {
        self.steps.iter().position(|planned| planned.id.as_str() == id)
    }

    /// The settings of a step's turn.
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

/// Finds which claims are about what each step, and each safe state, moves.
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
