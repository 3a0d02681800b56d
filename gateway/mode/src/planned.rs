//! How long the steps of a plan may take: what a report compares a switch with.

use std::time::Duration;

/// A plan as a report compares with it.
#[derive(Debug, Clone)]
pub struct Planned {
    /// In what time it shall be ready.
    pub ready_within: Duration,
    /// Its steps, in the order of the file.
    pub steps: Vec<PlannedStep>,
}

/// A step as a report compares with it.
#[derive(Debug, Clone)]
pub struct PlannedStep {
    /// Its id.
    pub id: String,
    /// Who does it; none for what devices do.
    pub role: Option<String>,
    /// How many people.
    pub count: usize,
    /// The fixture.
    pub device: Option<String>,
    /// How long it may take.
    pub span: Duration,
    /// When it ends at the latest, since the plan began.
    pub ends: Duration,
}
