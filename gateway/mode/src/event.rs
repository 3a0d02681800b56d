//! Events of a room, and their effects.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::plan::{Class, Direction};
use super::truth::Truth;
use linli_domain::{Id, Timestamp};

/// The person who acts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// Id of the person.
    pub id: Id,
    /// Their roles.
    pub roles: Vec<String>,
}

/// An accepted order, as far as a room is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderRef {
    /// Its id.
    pub id: String,
    /// Actual or drill.
    pub class: Class,
    /// Enter or return.
    pub direction: Direction,
    /// The plan, `id@version`.
    pub plan: String,
}

/// The outcome of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionResult {
    /// The device accepted it.
    Done,
    /// The command failed, or its result is unknown.
    Failed,
}

/// The phase of an action, which selects its settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionPhase {
    /// The settings of the step.
    On,
    /// The end of a process.
    Off,
    /// The compensation of a failed step.
    Compensate,
}

/// A timer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// The time for objections.
    Grace,
    /// Time limit for the first readings of a step's predicates.
    Settle(usize),
    /// Time limit for the proof of a step.
    Verify(usize),
    /// Pause before the next attempt.
    Gap(usize),
    /// Required duration of a process.
    Dwell(usize),
    /// Deadline of a step.
    Deadline(usize),
    /// Time until a step is escalated.
    Escalate(usize, usize),
    /// Lifetime of people's evidence.
    Void(usize),
    /// End of a waiver.
    Waiver(usize),
    /// Pause before a safe state that is not proven is written again.
    Safe,
    /// Time limit for proving a claim again after a restart.
    Prove,
    /// Time until a claim ends because nothing is heard of the fire panel.
    Silent,
}

/// An event, in the order of urgency.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The state of the fire panel.
    Fire(Truth),
    /// A person stops the room.
    Stop {
        /// Who stops it, as reported by the sender.
        by: String,
    },
    /// The process started: all predicates are unknown.
    Restarted,
    /// An order.
    Order(OrderRef),
    /// The order was cancelled.
    Cancel {
        /// Id of the cancelling order.
        by: String,
    },
    /// The truth of a predicate, by fresh evidence.
    Truth(usize, Truth),
    /// The commands of an action ended.
    Acted {
        /// The step.
        step: usize,
        /// The phase of the action.
        turn: ActionPhase,
        /// How it ended.
        acted: ActionResult,
    },
    /// A person confirms a step.
    Confirm {
        /// The step.
        step: usize,
        /// Who.
        who: Actor,
    },
    /// A person confirms that a step was only simulated, in a drill.
    Simulate {
        /// The step.
        step: usize,
        /// Who.
        who: Actor,
    },
    /// A person reports that a step cannot be done or had no effect.
    Cannot {
        /// The step.
        step: usize,
        /// Who.
        who: Actor,
        /// Why.
        why: String,
    },
    /// A person waives a step.
    Waive {
        /// The step.
        step: usize,
        /// Who.
        who: Actor,
        /// Why.
        why: String,
        /// For how long.
        span: Duration,
        /// When that ends, by the wall clock; for people.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// A person starts another attempt of a step.
    Retry {
        /// The step.
        step: usize,
        /// Who.
        who: Actor,
    },
    /// A person starts the plan now.
    Commit {
        /// Who.
        who: Actor,
    },
    /// A person resumes a held room.
    Resume {
        /// Who.
        who: Actor,
        /// The reason.
        why: String,
    },
    /// A person rejects the result.
    Reject {
        /// Who.
        who: Actor,
        /// Why.
        why: String,
    },
    /// A timer expired.
    Elapsed(Timer),
}

impl Event {
    /// Returns the person who acts; `None` for events that no named person causes.
    #[must_use]
    pub const fn who(&self) -> Option<&Id> {
        match self {
            Self::Confirm { who, .. }
            | Self::Simulate { who, .. }
            | Self::Cannot { who, .. }
            | Self::Waive { who, .. }
            | Self::Retry { who, .. }
            | Self::Commit { who }
            | Self::Resume { who, .. }
            | Self::Reject { who, .. } => Some(&who.id),
            Self::Fire(_)
            | Self::Stop { .. }
            | Self::Restarted
            | Self::Order(_)
            | Self::Cancel { .. }
            | Self::Truth(..)
            | Self::Acted { .. }
            | Self::Elapsed(_) => None,
        }
    }
}

/// An effect.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A step's settings are written; [`Event::Acted`] reports how it ended.
    Act {
        /// The step.
        step: usize,
        /// The phase of the action.
        turn: ActionPhase,
        /// The attempt, from 1.
        attempt: u8,
    },
    /// Writes the safe state of an output, by its position in
    /// [`ResolvedPlan::safe`](super::ResolvedPlan::safe).
    Safe(usize),
    /// Renews the lease of a process until it ends; without renewal the process stops by itself.
    Lease(usize),
    /// Ends the renewals of a lease.
    Unlease(usize),
    /// Requires these predicates to be evaluated again, from readings newer than now.
    Reread(Vec<usize>),
    /// Asks people to do a step.
    Ask(usize),
    /// Notifies this role that a step takes too long.
    Escalate {
        /// The step.
        step: usize,
        /// The role.
        role: String,
    },
    /// A guard refused a step; it is reported.
    GuardRefused(usize),
    /// An output that was proven safe was moved by another hand, by its position in
    /// [`ResolvedPlan::safe`](super::ResolvedPlan::safe); it is made safe again, and reported.
    Disturbed(usize),
    /// The drill ended because an actual order arrived.
    DrillEnded,
    /// Starts or restarts a timer.
    Arm(Timer, Duration),
    /// Cancels a timer.
    Disarm(Timer),
    /// Cancels all timers.
    DisarmAll,
}

/// Why an event was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The event is not possible at this stage.
    #[error("the room is {stage}: {what} means nothing there")]
    Meaningless {
        /// The stage of the room.
        stage: &'static str,
        /// The event.
        what: &'static str,
    },
    /// The person's roles do not permit it.
    #[error("{what} needs the role {needed}; {who} has {has}")]
    Role {
        /// The event.
        what: &'static str,
        /// A role that permits it.
        needed: String,
        /// Id of the person.
        who: Id,
        /// Their roles.
        has: String,
    },
    /// The person may not do it, because of another step they did.
    #[error("{who} did what is to be looked at: somebody else must do this step")]
    SamePerson {
        /// Id of the person.
        who: Id,
    },
    /// There is a fire alarm, or the fire panel was not reset.
    #[error(
        "there is a fire alarm, or nothing is known of the fire panel: nothing begins before it is normal"
    )]
    Fire,
    /// A reason is missing.
    #[error("why is missing: it stands in the record")]
    NoReason,
    /// A waiver without an end, or with one that is too far away.
    #[error("a waiver lasts longer than nothing and 7 days at most: give it again when it has ended")]
    Span,
    /// The plan has no such step.
    #[error("the plan has no such step")]
    NoStep,
    /// The step cannot be waived.
    #[error("this step cannot be waived: it is what safety or acceptance rests on")]
    NotWaivable,
    /// A sweep cannot be confirmed while a door of the room is open or unknown.
    #[error("a door of the room stands open, or nothing is known of it: close it, then search the room")]
    Open,
    /// The guard of the step does not hold.
    #[error("the guard of the step does not hold")]
    Guard,
}
