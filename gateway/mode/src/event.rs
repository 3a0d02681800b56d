//! Events of a room, and their effects.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::plan::{Class, Direction};
use super::truth::Truth;
use linli_domain::Id;

/// The person who acts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The person.
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
    /// The device did not, or the outcome is unknown.
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
    /// What is read should be known by now.
    Settle(usize),
    /// It should be proven by now.
    Verify(usize),
    /// It is tried again.
    Gap(usize),
    /// The process ran long enough.
    Dwell(usize),
    /// It takes too long.
    Deadline(usize),
    /// Somebody higher hears of it.
    Escalate(usize, usize),
    /// People's evidence is too old.
    Void(usize),
    /// A waiver ends.
    Waiver(usize),
    /// The safe state is asked for once more.
    Safe,
    /// What was claimed before a restart should be proven by now.
    Prove,
}

/// An event, in the order of urgency.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The state of the fire panel.
    Fire(Truth),
    /// Anybody stops the room.
    Stop {
        /// Who, as far as they said.
        by: String,
    },
    /// The process started: nothing is known any more.
    Restarted,
    /// An order.
    Order(OrderRef),
    /// The order is taken back.
    Cancel {
        /// By which order.
        by: String,
    },
    /// The truth of a predicate, by fresh evidence.
    Truth(usize, Truth),
    /// An action ended.
    Acted {
        /// The step.
        step: usize,
        /// The phase of the action.
        turn: ActionPhase,
        /// How it ended.
        acted: ActionResult,
    },
    /// A person does a step.
    Confirm {
        /// The step.
        step: usize,
        /// Who.
        who: Actor,
    },
    /// In a drill: a person says that they only simulated it.
    Simulate {
        /// The step.
        step: usize,
        /// Who.
        who: Actor,
    },
    /// A person cannot do it, or says that it did not work.
    Cannot {
        /// The step.
        step: usize,
        /// Who.
        who: Actor,
        /// Why.
        why: String,
    },
    /// A step is done without.
    Waive {
        /// The step.
        step: usize,
        /// Who.
        who: Actor,
        /// Why.
        why: String,
        /// For how long.
        span: Duration,
    },
    /// A step is tried once more.
    Retry {
        /// The step.
        step: usize,
        /// Who.
        who: Actor,
    },
    /// The plan begins now.
    Commit {
        /// Who.
        who: Actor,
    },
    /// A held room goes on.
    Resume {
        /// Who.
        who: Actor,
        /// Why it may.
        why: String,
    },
    /// What was done is not accepted.
    Reject {
        /// Who.
        who: Actor,
        /// Why.
        why: String,
    },
    /// A timer expired.
    Elapsed(Timer),
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
    /// An output takes its safe state, by its position in [`ResolvedPlan::safe`](super::ResolvedPlan::safe).
    Safe(usize),
    /// A process is refreshed until it ends: it drops by itself otherwise.
    Lease(usize),
    /// It is refreshed no more.
    Unlease(usize),
    /// These predicates are evaluated again, from evidence newer than now.
    Reread(Vec<usize>),
    /// People are asked.
    Ask(usize),
    /// This role is notified that a step takes too long.
    Escalate {
        /// The step.
        step: usize,
        /// The role.
        role: String,
    },
    /// A guard said no: a success of safety, listed and not hidden.
    GuardRefused(usize),
    /// The drill ended because it is serious now.
    DrillEnded,
    /// A timer is started or restarted.
    Arm(Timer, Duration),
    /// A timer is cancelled.
    Disarm(Timer),
    /// All timers are cancelled.
    DisarmAll,
}

/// Why nothing was done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It means nothing there.
    #[error("the room is {stage}: {what} means nothing there")]
    Meaningless {
        /// Where the room is.
        stage: &'static str,
        /// What was asked.
        what: &'static str,
    },
    /// Another role may.
    #[error("{what} needs the role {needed}; {who} has {has}")]
    Role {
        /// What was asked.
        what: &'static str,
        /// The role.
        needed: String,
        /// Who asked.
        who: Id,
        /// Their roles.
        has: String,
    },
    /// Somebody else must.
    #[error("{who} did what is to be looked at: somebody else must do this step")]
    SamePerson {
        /// Who.
        who: Id,
    },
    /// There is a fire alarm, or it was not reset.
    #[error(
        "there is a fire alarm, or nothing is known of the fire panel: nothing begins before it is normal"
    )]
    Fire,
    /// A reason is missing.
    #[error("why is missing: it stands in the record")]
    NoReason,
    /// The plan knows no such step.
    #[error("the plan has no such step")]
    NoStep,
    /// It must not be done without.
    #[error("this step cannot be waived: it is what safety or acceptance rests on")]
    NotWaivable,
    /// Whoever searches a room closes its doors behind them.
    #[error("a door of the room stands open, or nothing is known of it: close it, then search the room")]
    Open,
    /// The guard of the step does not hold.
    #[error("the guard of the step does not hold")]
    Guard,
}
