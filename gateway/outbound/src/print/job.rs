//! A print job as it is stored: which visit, for whom, and how far it is.

use linli_domain::Timestamp;
use linli_domain::visit::{Naming, Paper};
use serde::{Deserialize, Serialize};

use super::printer::Report;

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It has not been sent.
    Waiting,
    /// It is being sent; after a crash the printer is asked whether it has it.
    Sending,
    /// The printer has it, under this number.
    Sent(i32),
    /// Somebody has cancelled it; the printer has yet to be told, if it has a number there.
    Cancelling(i32),
    /// It is printed.
    Printed,
    /// It is cancelled.
    Cancelled,
    /// It was not printed and will not be.
    Failed,
}

/// A print job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Number, from 1.
    pub job: u64,
    /// Id of the visit.
    pub visit: String,
    /// The paper.
    pub paper: Paper,
    /// How the resident is named.
    pub naming: Naming,
    /// Who printed it.
    pub by: String,
    /// When, Unix milliseconds UTC.
    pub at: Timestamp,
    /// How far it is.
    pub state: State,
    /// What keeps it waiting, or why it failed: for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// When it was over, Unix milliseconds UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Timestamp>,
}

// === impl State ===

impl State {
    /// Whether nothing more happens to it.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Printed | Self::Cancelled | Self::Failed)
    }
}

// === impl Job ===

impl Job {
    /// The name under which the printer shows it: it names nobody, and no two jobs of a gateway have the same.
    #[must_use]
    pub fn name(&self, gateway: &str) -> String {
        format!("linli {gateway} {} {}", self.job, self.at.0)
    }

    /// What becomes of a job by what the printer says about it.
    pub fn learn(&mut self, report: Report, at: Timestamp) {
        let state = match report {
            Report::Has(number) => {
                self.why = None;
                State::Sent(number)
            }
            Report::Waits(why) => {
                self.why = Some(why);
                return;
            }
            Report::Printed => State::Printed,
            Report::Cancelled => State::Cancelled,
            Report::Failed(why) => {
                self.why = Some(why);
                State::Failed
            }
            Report::NotThere => State::Waiting,
        };
        if matches!(state, State::Printed | State::Cancelled) {
            self.why = None;
        }
        if state.is_over() {
            self.over = Some(at);
        }
        self.state = state;
    }
}
