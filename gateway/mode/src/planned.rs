//! Expected durations of the steps of a plan, with which a report compares a switch.

use std::time::Duration;

/// A plan with its expected durations.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Time limit until the room is ready.
    pub ready_within: Duration,
    /// Its steps, in the order of the file.
    pub steps: Vec<PlannedStep>,
}

/// A step with its expected duration.
#[derive(Debug, Clone)]
pub struct PlannedStep {
    /// Its id.
    pub id: String,
    /// Role that does it; `None` for devices.
    pub role: Option<String>,
    /// Number of people.
    pub count: usize,
    /// The fixture.
    pub device: Option<String>,
    /// Its longest duration.
    pub span: Duration,
    /// Its latest end, since the plan began.
    pub ends: Duration,
}
