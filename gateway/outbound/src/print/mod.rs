//! Print jobs for the cabin's printer, by the Internet Printing Protocol (RFC 8011): one at a time, in order, each
//! until the printer says what became of it.

mod job;
mod printer;
mod service;

pub use job::{Job, State};
pub use printer::{Printer, Report};
pub use service::{Deps, PrintService};

use linli_domain::visit::{Naming, Paper};

/// Most jobs that are not over.
pub const MOST_OPEN: usize = 32;

/// Jobs that are over and still shown.
pub const KEPT: usize = 100;

/// Bound of the queue of requests.
pub const REQUEST_QUEUE: usize = 16;

/// A request to the service.
#[derive(Debug)]
pub enum Action {
    /// Prints the slip of a visit. The answer is the job.
    Print {
        /// Id of the visit.
        visit: String,
        /// The paper; without it that of the configuration.
        paper: Option<Paper>,
        /// How the resident is named.
        naming: Naming,
    },
    /// The jobs, newest first.
    Jobs,
    /// Cancels a job. The answer is the job.
    Cancel(u64),
}

/// A request in the queue of the service; the answer is the JSON that the API returns.
pub type Request = linli_services::client::Request<Action, serde_json::Value>;
