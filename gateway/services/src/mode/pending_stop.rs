//! A stop that was carried out, and whose answer waits for the ends of its commands.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::ServiceError;
use crate::refusal_budget::RefusalBudget;

/// Longest wait of a stop's answer for the ends of its commands, and for the disk. The commands themselves do
/// not wait.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// Stops of a room that a person has stopped already are recorded so many times in a burst, and per second in the
/// long run: one a minute. Anybody may stop, and the record has no end.
pub(super) const RECORDED_AGAIN: RefusalBudget = RefusalBudget::of(300.0, 1.0 / 60.0);

/// A stop that was carried out and is not answered yet.
pub(super) struct PendingStop {
    /// The room.
    pub room: usize,
    /// The outputs that it makes safe, by their positions in the plan.
    pub outputs: BTreeSet<usize>,
    /// When it is answered at the latest.
    pub until: Instant,
    /// Whether its audit entry is stored.
    pub is_recorded: bool,
    /// Whoever waits for the answer.
    pub reply: oneshot::Sender<Result<Value, ServiceError>>,
}
