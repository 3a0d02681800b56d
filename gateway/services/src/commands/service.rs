//! The command service: every command, from wherever it comes, takes this one way.
//!
//! Checked, journaled (fsync), sent on its line, read back, answered. The journal decides after
//! a crash: what was never sent may still be sent, what may have acted is never sent twice.

mod first;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linli_domain::command::{CommandError, Inbound, Request, State};
use linli_drivers::{Clock, CommandOutcome, LineCommand};
use linli_store::{Begun, JournaledCommand, Store};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::command_answer::{Answer, Reply};
use crate::command_queue::{OF_THIS_PROCESS, Queues, Submission};
use crate::refusal_budget::RefusalBudget;
use crate::routes::Routes;

/// Commands whose read-back is awaited at the same time.
const AWAITED: usize = 256;

/// A line that has not answered this long after a command's end never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a command that nobody wants any more was not sent.
const TAKEN_BACK: &str = "taken back before it was sent";

/// Counters of the service.
#[derive(Debug, Default)]
pub struct CommandHealth {
    /// Commands read back as asked.
    pub done: AtomicU64,
    /// Commands that failed.
    pub failed: AtomicU64,
    /// Commands nobody knows the effect of.
    pub unknown: AtomicU64,
    /// Requests refused before anything was journaled.
    pub refused: AtomicU64,
    /// Requests that repeated a known id.
    pub repeated: AtomicU64,
    /// Refusals that were not even answered, because there were too many.
    pub unanswered: AtomicU64,
}

/// The service's parts.
pub struct CommandService {
    /// Journal and answers.
    store: Store,
    /// Where devices are reached; replaced on reload and when a line restarts.
    routes: watch::Receiver<Arc<Routes>>,
    /// For expiry and labels.
    clock: Arc<dyn Clock>,
    /// Counters.
    health: Arc<CommandHealth>,
    /// What was taken back is not sent after what makes safe.
    gate: Arc<Mutex<()>>,
}

/// A command's place on its line.
struct Place {
    queue: mpsc::OwnedPermit<LineCommand>,
    device: usize,
    point: u16,
    left: Duration,
}

/// A command that was sent on its line.
struct Sent {
    outcome: oneshot::Receiver<CommandOutcome>,
    until: Instant,
    taken_back: CancellationToken,
}

// === impl CommandService ===

impl CommandService {
    /// Of its parts.
    #[must_use]
    pub fn new(
        store: Store,
        routes: watch::Receiver<Arc<Routes>>,
        clock: Arc<dyn Clock>,
        health: Arc<CommandHealth>,
    ) -> Self {
        Self { store, routes, clock, health, gate: Arc::default() }
    }

    /// Serves until the queues close, then waits for the read-backs still due.
    pub async fn run(self, Queues { usual: mut queue, first }: Queues) {
        let ahead = tokio::spawn(self.aside().run_first(first));
        let mut awaited = JoinSet::new();
        let mut budget = RefusalBudget::default();
        self.resume(&mut awaited).await;
        loop {
            tokio::select! {
                submission = queue.recv(), if awaited.len() < AWAITED => match submission {
                    Some(submission) => self.serve(submission, &mut budget, &mut awaited).await,
                    None => break,
                },
                Some(_) = awaited.join_next() => {}
            }
        }
        while awaited.join_next().await.is_some() {}
        if let Err(error) = ahead.await {
            tracing::error!(%error, "what makes safe is no longer served");
        }
    }

    /// Takes up what the journal left open when the process last ended.
    async fn resume(&self, awaited: &mut JoinSet<()>) {
        let open = match self.store.journal().unfinished().await {
            Ok(open) => open,
            Err(error) => {
                tracing::error!(%error, "the journal of commands cannot be read");
                return;
            }
        };
        for (command, state) in open {
            match state.after_restart() {
                State::Accepted if command.id.starts_with(OF_THIS_PROCESS) => {
                    let reason = "not sent before the gateway restarted; decided anew".to_owned();
                    self.settle(&command, State::Failed { reason }, None, None).await;
                }
                State::Accepted => {
                    self.dispatch(command, None, CancellationToken::new(), awaited).await;
                }
                settled => self.settle(&command, settled, None, None).await,
            }
        }
    }

    async fn serve(&self, submission: Submission, budget: &mut RefusalBudget, awaited: &mut JoinSet<()>) {
        let Submission { inbound, waiting, taken_back } = submission;
        let command = match self.read(&inbound) {
            Ok(command) => command,
            Err(refusal) => return self.refuse(&inbound, &refusal, waiting, budget),
        };
        match self.store.journal().begin(command.clone()).await {
            Ok(Begun::Fresh) => self.dispatch(command, waiting, taken_back, awaited).await,
            Ok(Begun::Known(state)) => {
                self.health.repeated.fetch_add(1, Ordering::Relaxed);
                let answer = Answer::new(&command.id, &command.device, &state, None);
                self.publish(&answer, &Reply::to(&inbound));
                answer.deliver(waiting);
            }
            Err(error) => {
                let why = format!("the journal cannot be written: {error}");
                self.refuse(&inbound, &CommandError::Busy { why }, waiting, budget);
            }
        }
    }

    /// What a request asks for, if it can be done at all.
    fn read(&self, inbound: &Inbound) -> Result<JournaledCommand, CommandError> {
        let now = self.clock.now().at;
        let request = Request::parse(inbound, now)?;
        self.routes.borrow().check(&inbound.device, &request)?;
        Ok(JournaledCommand {
            id: request.id,
            device: inbound.device.clone(),
            point: request.point,
            value: request.value,
            expires: request.expires,
            at: now,
            response_topic: inbound.response_topic.clone(),
            correlation: inbound.correlation.clone(),
        })
    }

    /// Puts a journaled command on its line; the answer is awaited elsewhere.
    async fn dispatch(
        &self,
        command: JournaledCommand,
        waiting: Option<oneshot::Sender<Answer>>,
        taken_back: CancellationToken,
        awaited: &mut JoinSet<()>,
    ) {
        let place = match self.place(&command, &taken_back) {
            Ok(place) => place,
            Err(state) => return self.settle(&command, state, None, waiting).await,
        };
        let now = self.clock.now().at;
        if let Err(error) = self.store.journal().advance(&command.id, &State::Sent, now).await {
            let reason = format!("not sent, the journal cannot be written: {error}");
            return self.settle(&command, State::Failed { reason }, None, waiting).await;
        }
        let sent = {
            let _closed = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            (!taken_back.is_cancelled()).then(|| place.send(&command, taken_back))
        };
        let Some(sent) = sent else {
            let reason = TAKEN_BACK.to_owned();
            return self.settle(&command, State::Failed { reason }, None, waiting).await;
        };
        awaited.spawn(self.aside().read_back(command, sent, waiting));
    }

    /// Room for a command on its line; without it, what the command comes to.
    fn place(&self, command: &JournaledCommand, taken_back: &CancellationToken) -> Result<Place, State> {
        let failed = |reason: &str| State::Failed { reason: reason.to_owned() };
        if taken_back.is_cancelled() {
            return Err(failed(TAKEN_BACK));
        }
        let left = command.expires.0.saturating_sub(self.clock.now().at.0);
        let Some(left) = u64::try_from(left).ok().filter(|ms| *ms > 0).map(Duration::from_millis) else {
            return Err(failed("expired before it could be sent"));
        };
        let routes = self.routes.borrow().clone();
        let Some((route, point)) = routes.find(&command.device, &command.point) else {
            return Err(failed("the device or point is no longer in the configuration"));
        };
        let queue = route.queue.clone().try_reserve_owned();
        let queue = queue.map_err(|_| failed("the line has too many commands waiting"))?;
        Ok(Place { queue, device: route.device, point, left })
    }

    fn aside(&self) -> Self {
        Self {
            store: self.store.clone(),
            routes: self.routes.clone(),
            clock: Arc::clone(&self.clock),
            health: Arc::clone(&self.health),
            gate: Arc::clone(&self.gate),
        }
    }

    async fn read_back(
        self,
        command: JournaledCommand,
        sent: Sent,
        waiting: Option<oneshot::Sender<Answer>>,
    ) {
        let (state, value) = sent.end().await;
        self.settle(&command, state, value, waiting).await;
    }

    /// Journals the end of a command together with its answer, in one transaction.
    async fn settle(
        &self,
        command: &JournaledCommand,
        state: State,
        value: Option<linli_domain::Value>,
        waiting: Option<oneshot::Sender<Answer>>,
    ) {
        let counter = match &state {
            State::Done => &self.health.done,
            State::Failed { .. } => &self.health.failed,
            _ => &self.health.unknown,
        };
        counter.fetch_add(1, Ordering::Relaxed);
        tracing::info!(
            command = command.id,
            device = command.device,
            point = command.point,
            ?state,
            "command"
        );
        let now = self.clock.now().at;
        let answer = Answer::new(&command.id, &command.device, &state, value);
        let record = answer.record(&Reply::of(command), now);
        let journaled = match record {
            Some(record) => self.store.journal().advance_with(&command.id, &state, now, record).await,
            None => self.store.journal().advance(&command.id, &state, now).await,
        };
        if let Err(error) = journaled {
            tracing::error!(command = command.id, %error, "the end of a command could not be journaled");
        }
        answer.deliver(waiting);
    }

    fn refuse(
        &self,
        inbound: &Inbound,
        refusal: &CommandError,
        waiting: Option<oneshot::Sender<Answer>>,
        budget: &mut RefusalBudget,
    ) {
        self.health.refused.fetch_add(1, Ordering::Relaxed);
        let answer = Answer::refused(inbound, refusal);
        if budget.spend(Instant::now()) {
            tracing::warn!(device = inbound.device, %refusal, "command refused");
            self.publish(&answer, &Reply::to(inbound));
        } else {
            self.health.unanswered.fetch_add(1, Ordering::Relaxed);
        }
        answer.deliver(waiting);
    }

    fn publish(&self, answer: &Answer, reply: &Reply) {
        let Some(record) = answer.record(reply, self.clock.now().at) else { return };
        if self.store.accept(record).is_err() {
            self.health.unanswered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

// === impl Place ===

impl Place {
    fn send(self, command: &JournaledCommand, taken_back: CancellationToken) -> Sent {
        let deadline = Instant::now() + self.left;
        let (reply, outcome) = oneshot::channel();
        let value = command.value.clone();
        self.queue.send(LineCommand { device: self.device, point: self.point, value, deadline, reply });
        Sent { outcome, until: deadline + PATIENCE, taken_back }
    }
}

// === impl Sent ===

impl Sent {
    /// What became of it.
    async fn end(self) -> (State, Option<linli_domain::Value>) {
        let unknown = |reason: &str| (State::Unknown { reason: reason.to_owned() }, None);
        tokio::select! {
            biased;
            outcome = tokio::time::timeout_at(self.until, self.outcome) => match outcome {
                Ok(Ok(CommandOutcome::Done { read_back })) => (State::Done, Some(read_back)),
                Ok(Ok(CommandOutcome::Failed { reason })) => (State::Failed { reason }, None),
                Ok(Ok(CommandOutcome::Unknown { reason })) => (State::Unknown { reason }, None),
                Ok(Err(_)) => unknown("the line stopped while it was under way"),
                Err(_) => unknown("the line gave no answer in time"),
            },
            // The line sees that nobody waits: what it has not sent yet it does not send.
            () = self.taken_back.cancelled() => unknown("taken back; it may have acted"),
        }
    }
}
