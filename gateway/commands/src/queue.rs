//! How commands reach the command service: queues with bounds.

use linli_domain::command::Inbound;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use crate::answer::Answer;
use crate::outputs::Source;

/// Commands waiting at the service. A centre has a few hundred outputs; an order moves some dozens.
const USUAL_QUEUE: usize = 256;

/// Commands to the safe state waiting at the service: every output of the largest centre at once.
const FIRST_QUEUE: usize = 1024;

/// Commands waiting to be refused because too many were waiting.
const OVERFLOW_QUEUE: usize = 256;

/// Prefix of the ids of commands that are valid only for the process that gave them: after a restart
/// they are not sent any more, and the mode service decides anew.
pub const OF_THIS_PROCESS: &str = "mode-";

/// A command on its way to the service.
#[derive(Debug)]
pub struct Submission {
    /// The request.
    pub inbound: Inbound,
    /// Who asks.
    pub source: Source,
    /// Takes the answer, besides the topic it is published on.
    pub waiting: Option<oneshot::Sender<Answer>>,
    /// Cancelling it withdraws the command if it was not sent yet.
    pub taken_back: CancellationToken,
}

/// The senders of the queues of the command service.
#[derive(Debug, Clone)]
pub struct Lanes {
    /// For commands that are journaled before they are sent.
    pub usual: mpsc::Sender<Submission>,
    /// For commands to the safe state: sent at once, journaled afterwards.
    pub first: mpsc::Sender<Submission>,
    /// For commands that no longer fit in `usual`: they are refused, and answered.
    pub overflow: mpsc::Sender<Submission>,
}

/// The receivers of the queues.
#[derive(Debug)]
pub struct Queues {
    /// Of commands that are journaled before they are sent.
    pub usual: mpsc::Receiver<Submission>,
    /// Of commands to the safe state.
    pub first: mpsc::Receiver<Submission>,
    /// Of commands that are refused, because too many were waiting.
    pub overflow: mpsc::Receiver<Submission>,
}

// === impl Submission ===

impl Submission {
    /// A request that nobody waits for here: its answer is published.
    #[must_use]
    pub fn of(inbound: Inbound, source: Source) -> Self {
        Self { inbound, source, waiting: None, taken_back: CancellationToken::new() }
    }

    /// A request and the receiver of its answer, which is published too.
    #[must_use]
    pub fn asked(inbound: Inbound, source: Source) -> (Self, oneshot::Receiver<Answer>) {
        let (waiting, answer) = oneshot::channel();
        (Self { waiting: Some(waiting), ..Self::of(inbound, source) }, answer)
    }
}

// === impl Lanes ===

impl Lanes {
    /// Queues a command, or has it refused when too many are waiting. Waits only while even refusals wait.
    ///
    /// # Errors
    /// The service has ended.
    pub async fn submit(&self, submission: Submission) -> Result<(), mpsc::error::SendError<Submission>> {
        match self.usual.try_send(submission) {
            Ok(()) => Ok(()),
            Err(mpsc::error::TrySendError::Full(submission)) => self.overflow.send(submission).await,
            Err(mpsc::error::TrySendError::Closed(submission)) => Err(mpsc::error::SendError(submission)),
        }
    }
}

/// The queues, with their bounds.
#[must_use]
pub fn lanes() -> (Lanes, Queues) {
    let (to_usual, usual) = mpsc::channel(USUAL_QUEUE);
    let (to_first, first) = mpsc::channel(FIRST_QUEUE);
    let (to_overflow, overflow) = mpsc::channel(OVERFLOW_QUEUE);
    (Lanes { usual: to_usual, first: to_first, overflow: to_overflow }, Queues { usual, first, overflow })
}
