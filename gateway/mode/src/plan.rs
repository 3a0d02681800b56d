//! A plan as written: the steps by which a room changes its use.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::expression::Literal;
use linli_domain::Id;

/// Where a plan leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the emergency role.
    Enter,
    /// Return to normal operation.
    Return,
}

/// Actual or exercise (CAP `<status>`). An exercise never becomes an actual operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Class {
    /// A drill.
    Exercise,
    /// An actual operation.
    Actual,
}

/// How air flows against the neighbours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pressure {
    /// As it is.
    #[default]
    Neutral,
    /// Air flows in.
    Negative,
    /// Air flows out.
    Positive,
}

/// A plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Its name; with the version it never changes.
    pub id: Id,
    /// Counts from 1.
    pub version: u32,
    /// Where it leads.
    pub direction: Direction,
    /// The room.
    pub room: Id,
    /// What the room is afterwards.
    pub role: String,
    /// In what time it shall be ready.
    pub ready_within: Duration,
    /// Who commits, resumes, waives and rejects.
    pub lead: String,
    /// How air flows afterwards.
    pub pressure: Pressure,
    /// On what rules it stands.
    pub basis: Vec<String>,
    /// The way back, `id@version`.
    pub return_plan: Option<String>,
    /// Where to go when the room cannot be used, `id@version`.
    pub alternate: Option<String>,
    /// How long a person can still say no before it begins.
    pub grace: Duration,
    /// Numbers and words that steps use.
    pub params: BTreeMap<String, Literal>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Its id in the plan.
    pub id: Id,
    /// What must be settled before; `*` is every other step.
    pub after: Vec<String>,
    /// What is done.
    pub work: Work,
    /// What must hold while it is done.
    pub pre: Vec<String>,
    /// When somebody hears that it takes too long.
    pub deadline: Duration,
    /// Whom: a role, and after what time.
    pub escalate: Vec<(String, Duration)>,
    /// What happens when it does not succeed.
    pub on_fail: OnFail,
    /// What a drill makes of it.
    pub drill: Drill,
}

/// What is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// People do it.
    Human(HumanTask),
    /// A fixture is set, and read back.
    Actuate {
        /// The fixture.
        device: String,
        /// What is set to what.
        set: Vec<(String, Literal)>,
        /// How it is proven.
        verify: Option<Verify>,
        /// How often it is tried.
        retry: Retry,
        /// What is set when it failed, and what must hold for that.
        compensate: Option<Compensate>,
        /// Whether it may be set again when it has changed by itself.
        is_reasserted: bool,
    },
    /// A fixture runs for a time without a break.
    Process {
        /// The fixture.
        device: String,
        /// What is set to what while it runs.
        set: Vec<(String, Literal)>,
        /// What is set to what afterwards; what is not named takes its safe state.
        then: Vec<(String, Literal)>,
        /// How it is proven to run.
        verify: Option<Verify>,
        /// For how long.
        span: Duration,
        /// It ends by itself when it is not refreshed for this long.
        lease: Option<Duration>,
        /// What ends it at once.
        abort_on: Vec<String>,
    },
    /// Something is looked at.
    Verify(Verify),
}

/// What makes good for a step that failed.
#[derive(Debug, Clone, PartialEq)]
pub struct Compensate {
    /// What is set to what.
    pub set: Vec<(String, Literal)>,
    /// What must hold for that.
    pub pre: Vec<String>,
}

/// A task for people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HumanTask {
    /// The required role.
    pub role: String,
    /// The number of people.
    pub count: u8,
    /// The instruction.
    pub prompt: String,
    /// What they show, such as a tag's name.
    pub evidence: Vec<String>,
    /// What makes it worthless again.
    pub void_on: VoidOn,
    /// Whoever did these steps may not do this one.
    pub not_same_as: Vec<String>,
    /// Whether it is evidence that nobody is in the room.
    pub is_sweep: bool,
    /// What is no longer in the room afterwards.
    pub clears: Vec<String>,
}

/// What makes people's evidence worthless.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct VoidOn {
    /// A door of the room opens.
    pub door_opened: bool,
    /// Somebody is seen.
    pub presence: bool,
    /// Time passes.
    pub after: Option<Duration>,
}

/// How something is proven.
#[derive(Debug, Clone, PartialEq)]
pub struct Verify {
    /// What must hold.
    pub read: Vec<String>,
    /// In what time.
    pub within: Duration,
    /// By which way it is known.
    pub channel: Channel,
}

/// By which way something is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The device that acted says so.
    Itself,
    /// Another one says so.
    Independent,
    /// A person says so.
    Human,
}

/// How often something is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How many times after the first.
    pub times: u8,
    /// With what pause.
    pub gap: Duration,
}

/// What happens when a step does not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFail {
    /// The room is held.
    Hold,
    /// The room goes on with a gap.
    Degrade,
    /// A person decides.
    Human,
}

/// What a drill makes of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drill {
    /// It is really done.
    Live,
    /// It counts as if it were done.
    Simulate,
    /// It is left out.
    Skip,
}

// === impl Plan ===

impl Plan {
    /// `id@version`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Exercise => "Exercise",
            Self::Actual => "Actual",
        })
    }
}
