//! How commands reach the command service: two queues, each with a bound.

use linli_domain::command::Inbound;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::command_answer::Answer;

/// Commands waiting at the service. A centre has a few hundred outputs; an order moves some dozens.
const USUAL_QUEUE: usize = 256;

/// Commands to the safe state waiting at the service: every output of the largest centre at once.
const FIRST_QUEUE: usize = 1024;

/// Prefix of the ids of commands that are valid only for the process that gave them: after a restart
/// they are not sent any more, and the mode service decides anew.
pub const OF_THIS_PROCESS: &str = "mode-";

/// A command on its way to the service.
#[derive(Debug)]
pub struct Submission {
    /// The request.
    pub inbound: Inbound,
    /// Takes the answer, besides the topic it is published on.
    pub waiting: Option<oneshot::Sender<Answer>>,
    /// Cancelling it withdraws the command if it was not sent yet.
    pub taken_back: CancellationToken,
}

/// The senders of both queues of the command service.
#[derive(Debug, Clone)]
pub struct Lanes {
    /// For commands that are journaled before they are sent.
    pub usual: mpsc::Sender<Submission>,
    /// For commands to the safe state: sent at once, journaled afterwards.
    pub first: mpsc::Sender<Submission>,
}

/// The receivers of both queues.
#[derive(Debug)]
pub struct Queues {
    pub(crate) usual: mpsc::Receiver<Submission>,
    pub(crate) first: mpsc::Receiver<Submission>,
}

/// Both queues, with their bounds.
#[must_use]
pub fn lanes() -> (Lanes, Queues) {
    let (to_usual, usual) = mpsc::channel(USUAL_QUEUE);
    let (to_first, first) = mpsc::channel(FIRST_QUEUE);
    (Lanes { usual: to_usual, first: to_first }, Queues { usual, first })
}
