//! A room under the service: its state, its timers and its actions under way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::Timestamp;
use linli_domain::caller::Acting;
use linli_mode::{Action, Effect, LeftOut, ResolvedPlan, Stage, State, StepState, Timer, Truth};
use linli_store::{Change, Document};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::chatter::Chatter;
use super::evidence::{Moment, PredicateState};
use super::metrics::{SwitchTime, Tally};
use super::policy::{Entered, StoredEntered};
use super::setup::Setup;
use crate::refusal_budget::RefusalBudget;
use linli_config::CheckedPlan;

/// Kind of the documents that store rooms.
pub const ROOM: &str = "mode-room";

/// Readings of a room of which nothing follows that are recorded at once, and per second in the long run: one in ten
/// minutes. A door that people use, or a panel whose line comes and goes, changes thousands of times a day.
const MERE_READINGS: RefusalBudget = RefusalBudget::of(300.0, 1.0 / 600.0);

/// A lease is renewed this many times before it would run out.
const RENEWALS: u32 = 3;

pub struct Room {
    pub id: Id,
    /// Position in the facility.
    pub index: usize,
    /// State of the state machine.
    pub state: State,
    /// The plan of the run; `None` in peace, or when the configuration no longer has it.
    pub plan: Option<Arc<CheckedPlan>>,
    /// Running timers, by when they end.
    pub timers: BTreeMap<Timer, Instant>,
    /// Leases of processes: when each is renewed next, and the token that withdraws a renewal.
    pub leases: BTreeMap<usize, (Instant, CancellationToken)>,
    /// Evaluation state of the predicates.
    pub predicates: PredicateState,
    /// Whether its fire panel changes all the time.
    pub fire_chatter: Chatter,
    /// Actions that can still be withdrawn: attempt and token, by step.
    actions: BTreeMap<usize, (u8, CancellationToken)>,
    /// Number of the run; results of commands of earlier runs are dropped.
    pub serial: u64,
    /// When the room reached its stage.
    pub since: Timestamp,
    /// When the order of the run was accepted.
    pub ordered: Timestamp,
    /// The plan by which it was entered, whose policy is in force.
    pub entered: Option<Entered>,
    /// Counts for the metrics.
    pub tally: Tally,
    /// Since when people are asked for a step.
    pub asked: BTreeMap<usize, Instant>,
    /// Whether the alternate room was reported.
    pub is_proposed: bool,
    /// What became of the last command that made each output safe, by its position in the plan.
    pub outputs: BTreeMap<usize, MadeSafe>,
    /// Why its plan is not that of the configuration.
    pub notice: Option<String>,
    /// Who acted under the present order.
    pub acting: BTreeSet<Acting>,
    /// The name of what the plan was wired to when the run began.
    pub wiring: Option<String>,
    /// What is stored of its plans; `None` when that has to be looked at.
    pub kept: Option<KeptPlans>,
    /// The name of what the plan is wired to by which the room is entered next, made in peace.
    pub wiring_ahead: Option<(Arc<CheckedPlan>, String)>,
    /// Readings that are not on record yet.
    pub(super) left_out: LeftOut,
    /// How many of them are put on record.
    pub(super) mere_readings: RefusalBudget,
}

/// What the document of a room holds: of each plan the hash of its file and the name of the building. With the
/// configuration it was made from, it says whether the document has to be written again.
pub type KeptPlans = Vec<([u8; 32], String)>;

/// What became of the command that makes an output safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MadeSafe {
    /// It is under way.
    Asked,
    /// It was written and read back.
    Written,
    /// It was not, and why.
    NotWritten(String),
}

/// The stored form of a room.
#[derive(Debug, Serialize, Deserialize)]
pub struct StoredRoom {
    /// Plan of the run and the hash of its file.
    pub(super) plan: Option<(String, String)>,
    /// Canonical name of the building that the plan was resolved against.
    pub(super) building: Option<String>,
    pub(super) state: State,
    pub(super) since: Timestamp,
    pub(super) ordered: Timestamp,
    #[serde(default)]
    pub(super) entered: Option<StoredEntered>,
    #[serde(default)]
    pub(super) last: BTreeMap<String, SwitchTime>,
    /// Who acted under the present order.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) acting: BTreeSet<Acting>,
    /// The name of what the plan was wired to when the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) wiring: Option<String>,
}

// === impl StoredRoom ===

impl StoredRoom {
    /// When the order began that the room follows, or the one by which it was entered; `None` in peace.
    pub(super) fn began(&self) -> Option<Timestamp> {
        self.state.run.as_ref()?;
        Some(self.entered.as_ref().map_or(self.ordered, |entered| entered.began.min(self.ordered)))
    }
}

/// What is stored beside a room's state after a transition.
#[derive(Debug, Clone)]
pub struct RoomUpdate {
    /// When the room reached its stage.
    pub since: Timestamp,
    /// When the order of the run was accepted.
    pub ordered: Timestamp,
    /// The plan whose policy is in force.
    pub entered: Option<Entered>,
    /// Durations of the last switches.
    pub last: BTreeMap<String, SwitchTime>,
    /// Who acted under the present order.
    pub acting: BTreeSet<Acting>,
    /// The name of what the plan was wired to when the run began; `None` in peace.
    pub wiring: Option<String>,
    /// What is stored of its plans.
    pub kept: Option<KeptPlans>,
}

// === impl Room ===

impl Room {
    /// Creates a room in peace; `None` when the facility has no room at `index`.
    #[must_use]
    pub fn new(setup: &Setup, index: usize) -> Option<Self> {
        let id = setup.facility.rooms.get(index)?.id.clone();
        Some(Self {
            id,
            index,
            state: State::default(),
            plan: None,
            timers: BTreeMap::new(),
            leases: BTreeMap::new(),
            predicates: PredicateState::default(),
            fire_chatter: Chatter::default(),
            actions: BTreeMap::new(),
            serial: 0,
            since: Timestamp::default(),
            ordered: Timestamp::default(),
            entered: None,
            tally: Tally::default(),
            asked: BTreeMap::new(),
            is_proposed: false,
            outputs: BTreeMap::new(),
            notice: None,
            acting: BTreeSet::new(),
            wiring: None,
            kept: None,
            wiring_ahead: None,
            left_out: LeftOut::default(),
            mere_readings: MERE_READINGS,
        })
    }

    /// Restores a room that follows `plan`.
    #[must_use]
    pub fn resume(
        setup: &Setup,
        index: usize,
        plan: Option<Arc<CheckedPlan>>,
        stored: StoredRoom,
        now: Moment,
    ) -> Option<Self> {
        let mut room = Self::new(setup, index)?;
        room.plan = plan;
        room.state = stored.state;
        room.predicates.set_drill(room.state.is_exercise());
        (room.since, room.ordered) = (stored.since, stored.ordered);
        room.tally.last = stored.last;
        (room.acting, room.wiring) = (stored.acting, stored.wiring);
        let entered = stored.entered;
        room.entered = entered.as_ref().and_then(|entered| Entered::resume(setup, entered.clone(), now));
        if entered.is_some() && room.entered.is_none() {
            tracing::error!(room = %room.id, "the plan by which the room was entered is no longer in plans/: its data policy ends");
        }
        Some(room)
    }

    /// Returns the name of what a plan of this room is wired to; made ahead for the one by which it is entered next.
    #[must_use]
    pub fn wiring_of(&self, setup: &Setup, plan: &Arc<CheckedPlan>) -> String {
        match &self.wiring_ahead {
            Some((ahead, wiring)) if Arc::ptr_eq(ahead, plan) => wiring.clone(),
            _ => setup.wiring_of(&plan.resolved),
        }
    }

    /// Returns the document that stores the room in that state.
    #[must_use]
    pub fn document(
        &self,
        state: &State,
        plan: Option<&Arc<CheckedPlan>>,
        after: &RoomUpdate,
        at: Timestamp,
    ) -> Change {
        let plan_name = plan.map(|plan| (plan.resolved.plan.key(), linli_domain::audit::hex(&plan.hash)));
        let building = plan.map(|plan| plan.building.clone());
        let RoomUpdate { since, ordered, entered, last, acting, wiring, kept: _ } = after.clone();
        let entered = entered.as_ref().map(Entered::stored);
        let (plan, state) = (plan_name, state.clone());
        let stored = StoredRoom { plan, building, state, since, ordered, entered, last, acting, wiring };
        let body = serde_json::to_string(&stored).expect("a room is made of JSON values");
        Change::Document(Document { id: format!("{ROOM}/{}", self.id), kind: ROOM.to_owned(), at, body })
    }

    /// Returns the plan that its state is evaluated with: the plan of the run, or any plan of the room.
    #[must_use]
    pub fn resolved<'r>(&'r self, setup: &'r Setup) -> Option<&'r ResolvedPlan> {
        self.plan.as_ref().or_else(|| setup.any(self.index)).map(|plan| &plan.resolved)
    }

    /// Returns its stage.
    #[must_use]
    pub fn stage(&self, setup: &Setup) -> Stage {
        // A run without its plan moves nothing.
        match (&self.plan, &self.state.run) {
            (None, Some(_)) => Stage::Held,
            (_, None) => Stage::Peace,
            (Some(_), Some(_)) => {
                self.resolved(setup).map_or(Stage::Peace, |resolved| self.state.stage(resolved))
            }
        }
    }

    /// Returns the truth of a predicate in the room's state.
    #[must_use]
    pub fn recorded_truth(&self, predicate: usize) -> Truth {
        self.state.run.as_ref().and_then(|run| run.truths.get(predicate)).copied().unwrap_or_default()
    }

    /// Starts or ends the timers that an effect names.
    pub fn update_timer(&mut self, effect: &Effect, now: Instant) {
        match effect {
            Effect::Arm(timer, span) => drop(self.timers.insert(*timer, now + *span)),
            Effect::Disarm(timer) => drop(self.timers.remove(timer)),
            Effect::DisarmAll => self.timers.clear(),
            _ => {}
        }
    }

    /// Returns when the next timer ends or the next lease is due.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let leases = self.leases.values().map(|(due, _)| due);
        self.timers.values().chain(leases).min().copied()
    }

    /// Returns the timer that ended first, if any has ended.
    #[must_use]
    pub fn elapsed(&self, now: Instant) -> Option<Timer> {
        let due = self.timers.iter().filter(|(_, due)| **due <= now);
        due.min_by_key(|(_, due)| **due).map(|(timer, _)| *timer)
    }

    /// Returns the interval at which a step's lease is renewed; `None` when the step is no process.
    #[must_use]
    pub fn lease_renewal(resolved: &ResolvedPlan, step: usize) -> Option<Duration> {
        match resolved.steps.get(step)?.action {
            Action::Process { lease, .. } => Some(lease / RENEWALS),
            _ => None,
        }
    }

    /// Begins an action; the token withdraws it until it is sent.
    pub fn begin_action(&mut self, step: usize, attempt: u8) -> CancellationToken {
        let token = CancellationToken::new();
        self.actions.insert(step, (attempt, token.clone()));
        token
    }

    /// Sets when a lease is renewed next; begins the lease if it is new.
    pub fn begin_lease(&mut self, step: usize, next: Instant) {
        self.leases.entry(step).or_insert_with(|| (next, CancellationToken::new())).0 = next;
    }

    /// Returns the token that withdraws renewals of a lease.
    #[must_use]
    pub fn lease(&self, step: usize) -> CancellationToken {
        self.leases.get(&step).map(|(_, token)| token.clone()).unwrap_or_default()
    }

    /// Ends a lease, and withdraws renewals that were not sent yet.
    pub fn end_lease(&mut self, step: usize) {
        if let Some((_, token)) = self.leases.remove(&step) {
            token.cancel();
        }
    }

    /// Ends every lease.
    pub fn end_leases(&mut self) {
        std::mem::take(&mut self.leases).into_values().for_each(|(_, token)| token.cancel());
    }

    /// Withdraws every action and renewal that was not sent yet.
    pub fn withdraw_all(&mut self) {
        self.end_leases();
        std::mem::take(&mut self.actions).into_values().for_each(|(_, token)| token.cancel());
    }

    /// Withdraws actions that the state no longer intends.
    pub fn withdraw_stale(&mut self) {
        let run = self.state.run.as_ref();
        self.actions.retain(|step, (attempt, token)| {
            let state = run.and_then(|run| run.steps.get(*step));
            let is_intended = matches!(state, Some(StepState::Intent(now)) if now == attempt);
            if !is_intended {
                token.cancel();
            }
            is_intended
        });
    }

    /// Updates since when people are asked for each step.
    pub fn note_asked(&mut self, now: Instant) {
        let asked: Vec<usize> = self
            .state
            .run
            .iter()
            .flat_map(|run| &run.steps)
            .enumerate()
            .filter(|(_, state)| matches!(state, StepState::Asked | StepState::Stuck))
            .map(|(step, _)| step)
            .collect();
        self.asked.retain(|step, _| asked.contains(step));
        for step in asked {
            self.asked.entry(step).or_insert(now);
        }
    }
}
