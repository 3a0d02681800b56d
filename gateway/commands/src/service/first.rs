//! What makes a room safe goes out first and is journaled afterwards: doing it twice does no harm,
//! and nobody waits for a disk that is full, or hangs.

use std::sync::PoisonError;

use linli_domain::command::State;
use linli_store::JournaledCommand;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::{CommandService, Sent};
use crate::answer::Answer;
use crate::queue::Submission;

impl CommandService {
    /// Serves until the queue closes, then waits for what is still to be journaled.
    pub(super) async fn run_first(self, mut queue: mpsc::Receiver<Submission>) {
        let mut ending = JoinSet::new();
        loop {
            tokio::select! {
                submission = queue.recv() => match submission {
                    Some(submission) => self.send_first(submission, &mut ending),
                    None => break,
                },
                Some(_) = ending.join_next() => {}
            }
        }
        while ending.join_next().await.is_some() {}
    }

    fn send_first(&self, submission: Submission, ending: &mut JoinSet<()>) {
        let Submission { inbound, source, waiting, taken_back } = submission;
        let command = match self.read(&inbound, source) {
            Ok(command) => command,
            Err(refusal) => return self.refuse(&inbound, &refusal, waiting),
        };
        let sent = {
            let _closed = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            self.place(&command, &taken_back).map(|place| place.send(&command, taken_back))
        };
        ending.spawn(self.aside().end_first(command, sent, waiting));
    }

    async fn end_first(
        self,
        command: JournaledCommand,
        sent: Result<Sent, State>,
        waiting: Option<oneshot::Sender<Answer>>,
    ) {
        let (state, value) = match sent {
            Ok(sent) => sent.end().await,
            Err(state) => (state, None),
        };
        Answer::new(&command.id, &command.device, &state, value.clone()).deliver(waiting);
        if let Err(error) = self.store.journal().begin(command.clone()).await {
            tracing::error!(command = command.id, %error, "what made safe could not be journaled");
        }
        self.settle(&command, state, value, None).await;
    }
}
