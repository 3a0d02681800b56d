//! What happens to a room, and what follows from it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::plan::{Class, Direction};
use super::truth::Truth;
use crate::Id;

/// Who does something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The person.
    pub id: Id,
    /// What they may do.
    pub roles: Vec<String>,
}

/// An accepted order, as far as a room is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderRef {
    /// Its id.
    pub id: String,
    /// Whether it is meant.
    pub class: Class,
    /// There or back.
    pub direction: Direction,
    /// The plan, `id@version`.
    pub plan: String,
}

/// How an act ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Acted {
    /// The device took it.
    Done,
    /// It did not, or nobody knows.
    Failed,
}

/// Which of a step's settings are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionPhase {
    /// What the step sets.
    On,
    /// The end of a process.
    Off,
    /// What makes good for a step that failed.
    Compensate,
}

/// A span that runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timer {
    /// Nobody said no.
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

/// What happens. In the order of urgency.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// What is known of a fire.
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
    /// An atom of the plan, by fresh evidence.
    Truth(usize, Truth),
    /// An act ended.
    Acted {
        /// The step.
        step: usize,
        /// What was set.
        turn: ActionPhase,
        /// How it ended.
        acted: Acted,
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
    /// A span ran out.
    Elapsed(Timer),
}

/// What follows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// A step's settings are written, then [`Event::Acted`] is told.
    Act {
        /// The step.
        step: usize,
        /// Which settings.
        turn: ActionPhase,
        /// Which try it is.
        attempt: u8,
    },
    /// An output takes its safe state, by its position among the brief's.
    Safe(usize),
    /// A process is refreshed until it ends: it drops by itself otherwise.
    Lease(usize),
    /// It is refreshed no more.
    Unlease(usize),
    /// These atoms are told anew, from evidence newer than now.
    Reread(Vec<usize>),
    /// People are asked.
    Ask(usize),
    /// Whoever has this role hears that a step takes too long.
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
    /// A timer begins anew.
    Arm(Timer, Duration),
    /// A timer ends.
    Disarm(Timer),
    /// All of them end.
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
