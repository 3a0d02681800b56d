//! A room under the service: its state, its spans, what is under way.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::Timestamp;
use linli_mode::{Action, Effect, ResolvedPlan, Stage, State, StepState, Timer, Truth};
use linli_store::{Change, Document};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::evidence::{Claims, Moment};
use super::metrics::{Tally, Took};
use super::policy::{Entered, KeptEntered};
use super::setup::Setup;
use linli_config::CheckedPlan;

/// Kind of the pages that hold rooms.
pub const ROOM: &str = "mode-room";

/// A process is refreshed this many times in the span after which it drops by itself.
const REFRESHED: u32 = 3;

/// A room.
pub struct Room {
    /// Its id.
    pub id: Id,
    /// Its position in the building.
    pub index: usize,
    /// Where it is.
    pub state: State,
    /// The plan of the run.
    pub known: Option<Arc<CheckedPlan>>,
    /// Spans that run out.
    pub timers: BTreeMap<Timer, Instant>,
    /// Processes that are refreshed: the next time, and what takes a refreshment back.
    pub leases: BTreeMap<usize, (Instant, CancellationToken)>,
    /// What is to be reported of claims.
    pub claims: Claims,
    /// Acts that may still be taken back.
    acts: BTreeMap<usize, (u8, CancellationToken)>,
    /// Counts runs: what an earlier one asked for means nothing any more.
    pub serial: u64,
    /// Since when it is at this stage.
    pub since: Timestamp,
    /// When the order of the run was accepted.
    pub ordered: Timestamp,
    /// The plan it was entered by, whose policy holds.
    pub entered: Option<Entered>,
    /// What is counted of it.
    pub tally: Tally,
    /// Since when people are asked for a step.
    pub asked: BTreeMap<usize, Instant>,
    /// Whether somebody was told that another room can take its place.
    pub is_proposed: bool,
}

/// What is kept of a room.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// The plan of the run, and the hash of its file.
    pub(super) plan: Option<(String, String)>,
    /// Names the building as the plan was tied to it.
    pub(super) building: Option<String>,
    pub(super) state: State,
    pub(super) since: Timestamp,
    pub(super) ordered: Timestamp,
    #[serde(default)]
    pub(super) entered: Option<KeptEntered>,
    #[serde(default)]
    pub(super) last: BTreeMap<String, Took>,
}

/// Where a room is after a step.
#[derive(Debug, Clone)]
pub struct After {
    /// Since when it is at its stage.
    pub since: Timestamp,
    /// When the order of the run was accepted.
    pub ordered: Timestamp,
    /// The plan whose policy holds.
    pub entered: Option<Entered>,
    /// How long the last switches took.
    pub last: BTreeMap<String, Took>,
}

// === impl Room ===

impl Room {
    /// In peace.
    #[must_use]
    pub fn new(setup: &Setup, index: usize) -> Option<Self> {
        let id = setup.facility.rooms.get(index)?.id.clone();
        Some(Self {
            id,
            index,
            state: State::default(),
            known: None,
            timers: BTreeMap::new(),
            leases: BTreeMap::new(),
            claims: Claims::default(),
            acts: BTreeMap::new(),
            serial: 0,
            since: Timestamp::default(),
            ordered: Timestamp::default(),
            entered: None,
            tally: Tally::default(),
            asked: BTreeMap::new(),
            is_proposed: false,
        })
    }

    /// As it was kept. The plan of its run is missing when the configuration no longer has it; the
    /// answer also says whether the building is another one than the run began in.
    #[must_use]
    pub fn resume(setup: &Setup, index: usize, kept: Kept, now: Moment) -> Option<(Self, bool)> {
        let plan = kept.plan.as_ref();
        let known = plan.and_then(|(key, hash)| {
            setup.plan(key).filter(|known| linli_domain::audit::hex(&known.hash) == *hash)
        });
        let mut room = Self::new(setup, index)?;
        room.state = kept.state;
        room.claims.drill(room.state.is_exercise());
        (room.since, room.ordered) = (kept.since, kept.ordered);
        room.tally.last = kept.last;
        let entered = kept.entered;
        room.entered = entered.as_ref().and_then(|entered| Entered::resume(setup, entered.clone(), now));
        if entered.is_some() && room.entered.is_none() {
            tracing::error!(room = %room.id, "the plan it was entered by is no longer in plans/: its data policy ends");
        }
        let building = kept.building.as_deref();
        let is_other =
            known.is_some_and(|known| !building.is_some_and(|building| known.brief.has_identity(building)));
        if let (true, Some(known), Some(run)) = (is_other, known, &mut room.state.run) {
            // Nobody knows which output is which any more: all of them become safe.
            run.moved = (0..known.brief.safe.len()).collect();
            run.unproven.clear();
        }
        room.known = known.cloned();
        Some((room, is_other))
    }

    /// What is kept of it in that state.
    #[must_use]
    pub fn page_of(
        &self,
        state: &State,
        known: Option<&Arc<CheckedPlan>>,
        after: &After,
        at: Timestamp,
    ) -> Change {
        let plan = known.map(|known| (known.brief.plan.key(), linli_domain::audit::hex(&known.hash)));
        let building = known.map(|known| known.building.clone());
        let After { since, ordered, entered, last } = after.clone();
        let entered = entered.as_ref().map(Entered::kept);
        let kept = Kept { plan, building, state: state.clone(), since, ordered, entered, last };
        let body = serde_json::to_string(&kept).expect("a room is made of JSON values");
        Change::Document(Document { id: format!("{ROOM}/{}", self.id), kind: ROOM.to_owned(), at, body })
    }

    /// The plan it is looked at with.
    #[must_use]
    pub fn brief<'r>(&'r self, setup: &'r Setup) -> Option<&'r ResolvedPlan> {
        self.known.as_ref().or_else(|| setup.any(self.index)).map(|known| &known.brief)
    }

    /// Where it is, as people are shown.
    #[must_use]
    pub fn stage(&self, setup: &Setup) -> Stage {
        // A run whose plan is gone moves nothing.
        match (&self.known, &self.state.run) {
            (None, Some(_)) => Stage::Held,
            _ => self.brief(setup).map_or(Stage::Peace, |brief| self.state.stage(brief)),
        }
    }

    /// What the machine knows of a claim.
    #[must_use]
    pub fn knows(&self, atom: usize) -> Truth {
        self.state.run.as_ref().and_then(|run| run.truths.get(atom)).copied().unwrap_or_default()
    }

    /// Spans begin and end.
    pub fn time(&mut self, effect: &Effect, now: Instant) {
        match effect {
            Effect::Arm(timer, span) => drop(self.timers.insert(*timer, now + *span)),
            Effect::Disarm(timer) => drop(self.timers.remove(timer)),
            Effect::DisarmAll => self.timers.clear(),
            _ => {}
        }
    }

    /// The next moment at which something is due.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        let leases = self.leases.values().map(|(due, _)| due);
        self.timers.values().chain(leases).min().copied()
    }

    /// The span that ran out first, if one did.
    #[must_use]
    pub fn elapsed(&self, now: Instant) -> Option<Timer> {
        let due = self.timers.iter().filter(|(_, due)| **due <= now);
        due.min_by_key(|(_, due)| **due).map(|(timer, _)| *timer)
    }

    /// How soon a process is refreshed again.
    #[must_use]
    pub fn refreshed_every(brief: &ResolvedPlan, step: usize) -> Option<Duration> {
        match brief.steps.get(step)?.action {
            Action::Process { lease, .. } => Some(lease / REFRESHED),
            _ => None,
        }
    }

    /// An act begins; it can be taken back until it is sent.
    pub fn begins(&mut self, step: usize, attempt: u8) -> CancellationToken {
        let token = CancellationToken::new();
        self.acts.insert(step, (attempt, token.clone()));
        token
    }

    /// A process is refreshed then.
    pub fn begin_lease(&mut self, step: usize, next: Instant) {
        self.leases.entry(step).or_insert_with(|| (next, CancellationToken::new())).0 = next;
    }

    /// What takes the refreshments of a process back.
    #[must_use]
    pub fn lease(&self, step: usize) -> CancellationToken {
        self.leases.get(&step).map(|(_, token)| token.clone()).unwrap_or_default()
    }

    /// It is refreshed no more, and what was not sent yet is taken back.
    pub fn end_lease(&mut self, step: usize) {
        if let Some((_, token)) = self.leases.remove(&step) {
            token.cancel();
        }
    }

    /// The same of every process.
    pub fn end_leases(&mut self) {
        std::mem::take(&mut self.leases).into_values().for_each(|(_, token)| token.cancel());
    }

    /// Whatever was not sent yet is taken back.
    pub fn take_all_back(&mut self) {
        self.end_leases();
        std::mem::take(&mut self.acts).into_values().for_each(|(_, token)| token.cancel());
    }

    /// Acts that are not intended any more are taken back.
    pub fn take_back(&mut self) {
        let run = self.state.run.as_ref();
        self.acts.retain(|step, (attempt, token)| {
            let state = run.and_then(|run| run.steps.get(*step));
            let is_intended = matches!(state, Some(StepState::Intent(now)) if now == attempt);
            if !is_intended {
                token.cancel();
            }
            is_intended
        });
    }

    /// Since when people are asked for each step.
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
