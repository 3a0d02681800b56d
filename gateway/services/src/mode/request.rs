//! Requests of people to the mode switch.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_mode::record::LogHead;
use serde::Deserialize;
use serde_json::Value;

/// An operation of a person in a room.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// Confirms that a step is done.
    Confirm(String),
    /// States that a step was only simulated, in a drill.
    Simulate(String),
    /// States that a step cannot be done, and why.
    Cannot(String, String),
    /// Waives a step: why, and for how long.
    Waive(String, String, Duration),
    /// Tries a step once more.
    Retry(String),
    /// Starts the plan before its grace period ends.
    Commit,
    /// Resumes a held room, with the reason.
    Resume(String),
    /// Rejects the order, with the reason.
    Reject(String),
    /// Uses the alternate room, with the reason.
    Alternate(String),
    /// Begins the service state: why, and for how long.
    BeginService(String, Duration),
    /// Ends the service state.
    EndService,
    /// Stops the room.
    Stop,
}

// === impl Operation ===

impl Operation {
    /// The reason that a person gives.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Cannot(_, why)
            | Self::Waive(_, why, _)
            | Self::Resume(why)
            | Self::Reject(why)
            | Self::Alternate(why)
            | Self::BeginService(why, _) => Some(why),
            Self::Confirm(_)
            | Self::Simulate(_)
            | Self::Retry(_)
            | Self::Commit
            | Self::EndService
            | Self::Stop => None,
        }
    }
}

/// A request.
#[derive(Debug)]
pub enum RequestedAction {
    /// The state of every room.
    Status,
    /// What a plan, named by `id@version`, would do now.
    Preview(String),
    /// The snapshot hash of these plans (`id@version`, separated by commas), which an order can name.
    Snapshot(String),
    /// Records a finding.
    Finding(Finding),
    /// Records the heads of the gateway's other logs.
    Heads(BTreeMap<String, LogHead>),
    /// An order or an alert message.
    Order {
        /// The bytes; none for an order that waits.
        bytes: Vec<u8>,
        /// The code that the caller compared on the spot.
        code: Option<String>,
    },
    /// An operation of a person in a room.
    Do {
        /// Id of the room.
        room: String,
        /// Id of the person to whom the caller's account belongs.
        person: Option<String>,
        /// The operation.
        operation: Operation,
    },
}

/// A finding of a drill or a switch.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Id of the order.
    pub order: String,
    /// Who reports it: the person to whom the caller's account belongs, never a name in the request.
    #[serde(skip_deserializing)]
    pub person: Option<String>,
    /// Who must correct it.
    pub owner: String,
    /// When it must be corrected: a date, `2026-12-31`.
    pub due: String,
    /// Description, one line.
    pub text: String,
}

/// A request in the queue of the service; the answer is the JSON that the API returns.
pub type Asked = crate::client::Request<RequestedAction, Value>;
