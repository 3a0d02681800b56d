//! The state of a room.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::event::OrderRef;
use super::plan::{Channel, Class, Direction};
use super::truth::Truth;
use linli_domain::{Id, Timestamp};

/// The state of a room.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct State {
    /// Its phase.
    pub phase: Phase,
    /// The state of the fire panel.
    pub fire: Fire,
    /// The run under way or completed; `None` in peace.
    pub run: Option<Run>,
}

/// The phase of a room.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Normal operation.
    #[default]
    Peace,
    /// An order was accepted; nothing has moved.
    Preview,
    /// Steps are being done.
    Running,
    /// All steps are proven.
    Ready,
    /// Usable, with gaps.
    Degraded,
    /// Ready before a restart; being proven again.
    Proving,
    /// Outputs are safe, and nothing moves.
    Held,
}

/// The stage of a room, as shown to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Normal operation.
    Peace,
    /// An order was accepted; nothing has moved.
    Preview,
    /// People are asked to leave.
    Notice,
    /// The room is being cleared and searched.
    Clearing,
    /// Devices act, people work.
    Acting,
    /// A second person is checking the result.
    Checking,
    /// All steps are proven.
    Ready,
    /// Usable, with gaps.
    Degraded,
    /// Ready before a restart; being proven again.
    Proving,
    /// Outputs are safe, and nothing moves.
    Held,
}

/// The state of the fire panel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fire {
    /// No reading.
    #[default]
    Unknown,
    /// No alarm.
    Normal,
    /// Alarm.
    Alarm,
}

/// Why a room is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Fire alarm.
    Fire,
    /// A person stopped it.
    Stop,
    /// A guard failed during an action.
    Guard,
    /// A step failed.
    Failed,
    /// The order was cancelled.
    Cancel,
    /// Nothing was heard of the fire panel for too long.
    Silent,
}

/// A run of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Run {
    /// The order.
    pub order: OrderRef,
    /// State of each step of the plan.
    pub steps: Vec<StepState>,
    /// Truth of each predicate. Not stored.
    #[serde(skip)]
    pub truths: Vec<Truth>,
    /// Steps whose time for first readings has passed.
    #[serde(skip)]
    pub settled: BTreeSet<usize>,
    /// Performers of each step.
    pub doers: BTreeMap<usize, BTreeSet<Id>>,
    /// Completed steps whose evidence is void.
    pub voided: BTreeSet<usize>,
    /// Pulses that were journaled; they may have acted.
    pub pulsed: BTreeSet<usize>,
    /// Outputs (positions in the plan's safe states) that were set or may have been set.
    pub moved: BTreeSet<usize>,
    /// Moved outputs whose safe state is not proven yet.
    pub unproven: BTreeSet<usize>,
    /// Outputs that an action moved and that are proven safe. They are watched: one that is moved by
    /// another hand is made safe again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub watched: BTreeSet<usize>,
    /// Outputs that must be proven safe before any device acts.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub awaited: BTreeSet<usize>,
    /// Waivers in force, by step.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub waivers: BTreeMap<usize, Waiver>,
    /// Number of the last waiver of this run; none was given while it is 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub waiver_count: u32,
    /// Whether it began in place of a return that was not finished.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_over_return: bool,
    /// Why the room is held.
    pub causes: BTreeSet<Cause>,
}

/// A decision of a person that a step is not needed for a time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Waiver {
    /// Its number in the run, from 1.
    pub number: u32,
    /// Who decided it.
    pub by: Id,
    /// Why.
    pub why: String,
    /// When it ends, by the wall clock; a timer ends it, whatever that clock says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// Evidence of which nothing is heard although a claim rests on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Silent {
    /// The fire panel.
    FirePanel,
    /// A door contact or a sensor for people: the predicate.
    Predicate(usize),
}

/// The state of a step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Waits for earlier steps.
    #[default]
    Pending,
    /// Waits for its guard, or for first readings.
    Blocked,
    /// People were asked to do it.
    Asked,
    /// The action is journaled and may have been executed: the attempt.
    Intent(u8),
    /// The action was executed and is being proven: the attempt.
    Sent(u8),
    /// Pauses before the next attempt: the attempt that failed.
    Pause(u8),
    /// The process runs.
    Running,
    /// The process ran for its duration; fresh readings must confirm that it did.
    Closing,
    /// The end of the process is being proven.
    Ending,
    /// Proven.
    Verified(Channel),
    /// Nothing had to be done: it already held.
    AlreadyOk,
    /// It failed and is reported as a gap.
    Failed,
    /// It failed, and a person must decide.
    Stuck,
    /// Waived by this person.
    Waived(Id),
    /// Simulated in a drill.
    Simulated,
    /// Left out of a drill.
    Skipped,
}

// === impl State ===

impl State {
    /// Returns whether the run is an exercise.
    #[must_use]
    pub fn is_exercise(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.order.class == Class::Exercise)
    }

    /// Returns whether another state differs in nothing but what is read: the fire panel and the predicates.
    #[must_use]
    pub fn is_same_but_readings(&self, other: &Self) -> bool {
        let mut same = self.clone();
        same.fire = other.fire;
        if let (Some(run), Some(read)) = (&mut same.run, &other.run) {
            run.truths.clone_from(&read.truths);
        }
        same == *other
    }

    /// Returns whether the room is ready and fully proven; never in a drill.
    #[must_use]
    pub fn is_verified_ready(&self) -> bool {
        self.phase == Phase::Ready && !self.is_exercise()
    }
}

// === impl Run ===

impl Run {
    /// Creates a run that has not begun, with this number of steps and predicates.
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
            watched: BTreeSet::new(),
            awaited: BTreeSet::new(),
            waivers: BTreeMap::new(),
            waiver_count: 0,
            is_over_return: false,
            causes: BTreeSet::new(),
        }
    }

    /// Returns whether the plan returns the room to normal operation.
    #[must_use]
    pub fn is_return(&self) -> bool {
        self.order.direction == Direction::Return
    }
}

// === impl StepState ===

impl StepState {
    /// Returns whether later steps may begin.
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

    /// Returns whether a device may be moving for this step.
    #[must_use]
    pub const fn is_in_flight(&self) -> bool {
        matches!(self, Self::Intent(_) | Self::Sent(_) | Self::Running | Self::Closing | Self::Ending)
    }

    /// Returns the name shown to people.
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
    /// Returns the name shown to people.
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

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(is: &bool) -> bool {
    !*is
}
