//! What people ask of the mode switch.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// What a person does.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// A step is done.
    Confirm(String),
    /// In a drill it was only simulated.
    Simulate(String),
    /// It cannot be done.
    Cannot(String, String),
    /// It is done without.
    Waive(String, String, Duration),
    /// It is tried once more.
    Retry(String),
    /// The plan begins now.
    Commit,
    /// A held room goes on.
    Resume(String),
    /// It is not accepted.
    Reject(String),
    /// Another room takes its place.
    Alternate(String),
    /// Nothing moves any more.
    Stop,
}

/// What is asked.
#[derive(Debug)]
pub enum RequestedAction {
    /// Every room.
    Status,
    /// What a plan would do now.
    Preview(String),
    /// What an order can name as having been seen, of these plans.
    Snapshot(String),
    /// Something that was found, and who mends it until when.
    Finding(Finding),
    /// An order, or a message; the code that somebody compared, for a clock nobody vouches for.
    Order(Vec<u8>, Option<String>),
    /// Something done in a room, by that person.
    Do {
        /// The room.
        room: String,
        /// The person.
        person: Option<String>,
        /// What.
        operation: Operation,
    },
}

/// Something that was found in a drill or a switch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// The order.
    pub order: String,
    /// Who found it: a person of facility.toml.
    pub person: String,
    /// Who mends it.
    pub owner: String,
    /// Until that day, `2026-12-31`.
    pub due: String,
    /// What it is.
    pub text: String,
}

/// A request in the queue of the service; the answer is the JSON that the API returns.
pub type Asked = crate::client::Request<RequestedAction, Value>;
