//! How commands reach the command service: two queues, each with a bound.

use linli_domain::command::Inbound;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::command_answer::Answer;

/// Commands waiting at the service. A centre has a few hundred outputs; an order moves some dozens.
const USUAL_QUEUE: usize = 256;

/// The same of what makes safe: every output of the largest centre at once.
const FIRST_QUEUE: usize = 1024;

/// Ids of commands that are good only for the process that gave them begin so: after a restart
/// they are not sent any more, whoever gave them decides anew.
pub const OF_THIS_PROCESS: &str = "mode-";

/// A command on its way to the service.
#[derive(Debug)]
pub struct Submission {
    /// What was asked.
    pub inbound: Inbound,
    /// Who waits for the answer here, besides the topic it is published on.
    pub waiting: Option<oneshot::Sender<Answer>>,
    /// When it is cancelled, the command is taken back, if it was not sent yet.
    pub taken_back: CancellationToken,
}

/// The ways to the service.
#[derive(Debug, Clone)]
pub struct Lanes {
    /// For what is journaled before it is sent.
    pub usual: mpsc::Sender<Submission>,
    /// For what makes safe: it waits for nothing, and is journaled afterwards.
    pub first: mpsc::Sender<Submission>,
}

/// What comes on them.
#[derive(Debug)]
pub struct Queues {
    pub(crate) usual: mpsc::Receiver<Submission>,
    pub(crate) first: mpsc::Receiver<Submission>,
}

/// Both ends.
#[must_use]
pub fn lanes() -> (Lanes, Queues) {
    let (to_usual, usual) = mpsc::channel(USUAL_QUEUE);
    let (to_first, first) = mpsc::channel(FIRST_QUEUE);
    (Lanes { usual: to_usual, first: to_first }, Queues { usual, first })
}
