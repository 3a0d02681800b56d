//! Sends visits that have ended to a FHIR server, as transactions.

mod item;
mod server;
mod service;

pub use item::{Item, State};
pub use server::Server;
pub use service::{Deps, FhirService};

/// Bound of the queue of requests.
pub const REQUEST_QUEUE: usize = 16;

/// Most visits that an answer lists.
pub const MOST_LISTED: usize = 500;

/// A request to the service.
#[derive(Debug)]
pub enum Action {
    /// How the queue stands: counts, and what waits or was refused.
    Status,
    /// Sends a visit again: one that the server refused, or one that was sent before.
    Retry(String),
}

/// A request in the queue of the service; the answer is the JSON that the API returns.
pub type Request = linli_services::client::Request<Action, serde_json::Value>;
