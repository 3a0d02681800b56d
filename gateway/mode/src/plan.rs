//! A plan as written: the steps by which a room changes its use.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::expression::Literal;
use linli_domain::Id;

/// The direction of a plan.
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

/// Air pressure of a room against its neighbours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pressure {
    /// Unchanged.
    #[default]
    Neutral,
    /// Negative: air flows in.
    Negative,
    /// Positive: air flows out.
    Positive,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id; id and version identify the plan's content for ever.
    pub id: Id,
    /// Version, from 1.
    pub version: u32,
    /// Its direction.
    pub direction: Direction,
    /// Id of the room.
    pub room: Id,
    /// Role of the room afterwards.
    pub role: String,
    /// Time limit until the room is ready.
    pub ready_within: Duration,
    /// Role that commits, resumes, waives and rejects.
    pub lead: String,
    /// Air pressure of the room afterwards.
    pub pressure: Pressure,
    /// The regulations it is based on.
    pub basis: Vec<String>,
    /// The return plan, `id@version`.
    pub return_plan: Option<String>,
    /// The plan of the alternate room, `id@version`.
    pub alternate: Option<String>,
    /// Time for objections before an actual plan begins.
    pub grace: Duration,
    /// Parameters of steps: numbers and words.
    pub params: BTreeMap<String, Literal>,
    /// The steps.
    pub steps: Vec<Step>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its id in the plan.
    pub id: Id,
    /// Steps that must be settled before it; `*` is every other step.
    pub after: Vec<String>,
    /// Its action.
    pub work: Work,
    /// Guard: must hold before and while it acts.
    pub pre: Vec<String>,
    /// Deadline, after which people are notified.
    pub deadline: Duration,
    /// Escalation: role, and time.
    pub escalate: Vec<(String, Duration)>,
    /// What to do when it fails.
    pub on_fail: OnFail,
    /// How a drill treats it.
    pub drill: Drill,
}

/// The action of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Work {
    /// A task for people.
    Human(HumanTask),
    /// Sets outputs of a fixture and reads them back.
    Actuate {
        /// The fixture.
        device: String,
        /// Outputs and their values.
        set: Vec<(String, Literal)>,
        /// The proof.
        verify: Option<Verify>,
        /// Retries.
        retry: Retry,
        /// Compensation after a failure, with its guard.
        compensate: Option<Compensate>,
        /// Whether it may be set again automatically when its proof fails later.
        is_reasserted: bool,
    },
    /// Runs a fixture for a time without interruption.
    Process {
        /// The fixture.
        device: String,
        /// Outputs and their values while it runs.
        set: Vec<(String, Literal)>,
        /// Outputs and their values afterwards; outputs not listed take their safe states.
        then: Vec<(String, Literal)>,
        /// The proof that it runs.
        verify: Option<Verify>,
        /// Required duration.
        span: Duration,
        /// Lease: the process stops by itself when it is not renewed for this long.
        lease: Option<Duration>,
        /// Conditions that end it at once.
        abort_on: Vec<String>,
    },
    /// Verifies predicates without acting.
    Verify(Verify),
}

/// Compensation of a failed step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compensate {
    /// Outputs and their values.
    pub set: Vec<(String, Literal)>,
    /// Its guard.
    pub pre: Vec<String>,
}

/// A task for people.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HumanTask {
    /// The required role.
    pub role: String,
    /// The number of people.
    pub count: u8,
    /// The instruction.
    pub prompt: String,
    /// Required evidence, such as the name of a tag.
    pub evidence: Vec<String>,
    /// Events that void the evidence.
    pub void_on: VoidOn,
    /// Steps whose performers may not do this one.
    pub not_same_as: Vec<String>,
    /// Whether it is evidence that the room is vacant.
    pub is_sweep: bool,
    /// Contents that are removed by it.
    pub clears: Vec<String>,
}

/// An event that voids people's evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoidOn {
    /// A door of the room opens.
    pub door_opened: bool,
    /// Somebody is detected in the room.
    pub presence: bool,
    /// Time passes: the evidence's lifetime.
    pub after: Option<Duration>,
}

/// How a step is proven.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verify {
    /// Predicates that must hold.
    pub read: Vec<String>,
    /// Time limit.
    pub within: Duration,
    /// Source of the proof.
    pub channel: Channel,
}

/// The source of a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// The device that acted.
    Itself,
    /// An independent device.
    Independent,
    /// A person.
    Human,
}

/// Retries of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Number of attempts after the first.
    pub times: u8,
    /// Pause between attempts.
    pub gap: Duration,
}

/// What to do when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnFail {
    /// The room is held.
    Hold,
    /// The room continues with a gap.
    Degrade,
    /// A person decides.
    Human,
}

/// How a drill treats a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Drill {
    /// The step is executed.
    Live,
    /// The step counts as done without being executed.
    Simulate,
    /// The step is left out.
    Skip,
}

// === impl Plan ===

impl Plan {
    /// Returns `id@version`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }

    /// Whether `key` is its `id@version`.
    #[must_use]
    pub fn is_named(&self, key: &str) -> bool {
        let version = key.strip_prefix(self.id.as_str()).and_then(|rest| rest.strip_prefix('@'));
        // Written otherwise, such as `@01`, it is another key.
        let digits = self.version.checked_ilog10().unwrap_or_default() + 1;
        version.is_some_and(|text| text.len() == digits as usize && text.parse() == Ok(self.version))
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
