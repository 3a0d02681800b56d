//! The phase of a room.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::OrderRef;
use super::plan::{Channel, Class, Direction};
use super::truth::Truth;
use linli_domain::Id;

/// A room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// Where it is.
    pub phase: Phase,
    /// The state of the fire panel.
    pub fire: Fire,
    /// What is under way, or was reached.
    pub run: Option<Run>,
}

/// The phase of a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Peace.
    #[default]
    Peace,
    /// An order is there, nothing has moved.
    Preview,
    /// Steps are done.
    Running,
    /// Everything is proven.
    Ready,
    /// Usable with gaps.
    Degraded,
    /// It was claimed before a restart and is proven again.
    Proving,
    /// Safe, and nothing moves.
    Held,
}

/// The stage of a room, as shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Peace.
    Peace,
    /// An order is there, nothing has moved.
    Preview,
    /// People are told to leave.
    Notice,
    /// The room is emptied and searched.
    Clearing,
    /// Devices move, people work.
    Acting,
    /// Somebody else looks at it.
    Checking,
    /// Everything is proven.
    Ready,
    /// Usable with gaps.
    Degraded,
    /// It was claimed before a restart and is proven again.
    Proving,
    /// Safe, and nothing moves.
    Held,
}

/// The state of the fire panel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fire {
    /// Nothing.
    #[default]
    Unknown,
    /// None.
    Normal,
    /// There is one.
    Alarm,
}

/// Why a room is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Fire.
    Fire,
    /// Somebody stopped it.
    Stop,
    /// A guard was lost.
    Guard,
    /// A step failed.
    Failed,
    /// The order was taken back.
    Cancel,
}

/// A run of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Run {
    /// The order.
    pub order: OrderRef,
    /// Per step of the plan.
    pub steps: Vec<StepState>,
    /// Truth per predicate. Does not survive the process.
    #[serde(skip)]
    pub truths: Vec<Truth>,
    /// Steps that waited long enough to know what is read.
    #[serde(skip)]
    pub settled: BTreeSet<usize>,
    /// Who did a step.
    pub doers: BTreeMap<usize, BTreeSet<Id>>,
    /// Steps whose evidence is worth nothing any more, though they were done.
    pub voided: BTreeSet<usize>,
    /// Pulses that were intended; they may have happened.
    pub pulsed: BTreeSet<usize>,
    /// Outputs (positions in the plan's safe states) that were set, or may have been.
    pub moved: BTreeSet<usize>,
    /// Of these, not yet proven to be safe again.
    pub unproven: BTreeSet<usize>,
    /// Why it is held.
    pub causes: BTreeSet<Cause>,
}

/// The state of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Its turn has not come.
    #[default]
    Pending,
    /// Its turn has come; it waits for its guard, or to know what is read.
    Blocked,
    /// People are asked.
    Asked,
    /// It is journaled, and may have acted.
    Intent(u8),
    /// It acted, and is being proven.
    Sent(u8),
    /// It is tried again soon.
    Pause(u8),
    /// The process runs.
    Running,
    /// The process ran long enough; it is looked at once more whether it ran to the end.
    Closing,
    /// The process was ended, and is proven to have ended.
    Ending,
    /// Proven.
    Verified(Channel),
    /// Nothing had to be done.
    AlreadyOk,
    /// It did not succeed: a gap.
    Failed,
    /// A person has to decide.
    Stuck,
    /// Done without, by a person's decision.
    Waived(Id),
    /// A drill.
    Simulated,
    /// Not for a drill.
    Skipped,
}

// === impl State ===

impl State {
    /// The run, if it is an exercise.
    #[must_use]
    pub fn is_exercise(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.order.class == Class::Exercise)
    }

    /// Whether it is shown as proven: never in a drill.
    #[must_use]
    pub fn is_verified_ready(&self) -> bool {
        self.phase == Phase::Ready && !self.is_exercise()
    }
}

// === impl Run ===

impl Run {
    /// A run that has not begun.
    #[must_use]
    pub fn new(order: OrderRef, steps: usize, predicates: usize) -> Self {
        Self {
            order,
            steps: vec![StepState::Pending; steps],
            truths: vec![Truth::Unknown; predicates],
            settled: BTreeSet::new(),
            doers: BTreeMap::new(),
            voided: BTreeSet::new(),
            pulsed: BTreeSet::new(),
            moved: BTreeSet::new(),
            unproven: BTreeSet::new(),
            causes: BTreeSet::new(),
        }
    }

    /// Whether it leads back to peace.
    #[must_use]
    pub fn is_return(&self) -> bool {
        self.order.direction == Direction::Return
    }
}

// === impl StepState ===

impl StepState {
    /// Whether what comes after it may begin.
    #[must_use]
    pub const fn is_settled(&self) -> bool {
        matches!(
            self,
            Self::Verified(_)
                | Self::AlreadyOk
                | Self::Failed
                | Self::Waived(_)
                | Self::Simulated
                | Self::Skipped
        )
    }

    /// Whether a device is being moved by it.
    #[must_use]
    pub const fn is_in_flight(&self) -> bool {
        matches!(self, Self::Intent(_) | Self::Sent(_) | Self::Running | Self::Closing | Self::Ending)
    }

    /// The word people read.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Blocked => "blocked",
            Self::Asked => "asked",
            Self::Intent(_) => "intent",
            Self::Sent(_) => "sent",
            Self::Pause(_) => "pause",
            Self::Running => "running",
            Self::Closing => "closing",
            Self::Ending => "ending",
            Self::Verified(_) => "verified",
            Self::AlreadyOk => "already_ok",
            Self::Failed => "failed",
            Self::Stuck => "stuck",
            Self::Waived(_) => "waived",
            Self::Simulated => "simulated",
            Self::Skipped => "skipped",
        }
    }
}

// === impl Stage ===

impl Stage {
    /// The word people read.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Peace => "peace",
            Self::Preview => "preview",
            Self::Notice => "notice",
            Self::Clearing => "clearing",
            Self::Acting => "acting",
            Self::Checking => "checking",
            Self::Ready => "ready",
            Self::Degraded => "degraded",
            Self::Proving => "proving",
            Self::Held => "held",
        }
    }
}
