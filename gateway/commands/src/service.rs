//! The command service: every command, from wherever it comes, takes this one way.
//!
//! Checked, journaled (fsync), sent on its line, read back, answered. The journal decides after
//! a crash: what was never sent may still be sent, what may have acted is never sent twice.

mod first;
mod refusals;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use linli_domain::command::{CommandError, Inbound, Request, SHORTEST_INTERVAL_MS, State};
use linli_drivers::{Clock, CommandOutcome, LineCommand};
use linli_store::{Begun, JournaledCommand, Store};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::answer::{Answer, Reply};
use crate::outputs::{OutputGuard, Source};
use crate::queue::{OF_THIS_PROCESS, Queues, Submission};
use crate::routes::Routes;
use refusals::Refusals;

/// Commands whose read-back is awaited at the same time.
const AWAITED: usize = 256;

/// A line that has not answered this long after a command's end never will.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a command that nobody wants any more was not sent.
const TAKEN_BACK: &str = "taken back before it was sent";

/// Shortest time between two ordinary commands to one output.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(SHORTEST_INTERVAL_MS);

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
    /// Refusals without an answer of their own, because there were too many: their number is told.
    pub unanswered: AtomicU64,
}

/// The service's parts.
pub struct CommandService {
    /// Journal and answers.
    store: Store,
    /// Where devices are reached; replaced on reload and when a line restarts.
    routes: watch::Receiver<Arc<Routes>>,
    /// Which outputs belong to the mode switch.
    guard: OutputGuard,
    /// For expiry and labels.
    clock: Arc<dyn Clock>,
    /// Counters.
    health: Arc<CommandHealth>,
    /// What was taken back, or may no longer move its output, is not sent after what makes safe.
    gate: Arc<Mutex<()>>,
    refusals: Arc<Mutex<Refusals>>,
    /// The last ordinary command of each output, by device and point.
    latest: Arc<Mutex<BTreeMap<(String, String), Latest>>>,
}

/// An ordinary command that was taken.
struct Latest {
    at: Instant,
    id: String,
}

/// A command that was taken, and who waits for it.
struct Taken {
    command: JournaledCommand,
    source: Source,
    waiting: Option<oneshot::Sender<Answer>>,
    taken_back: CancellationToken,
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
        guard: OutputGuard,
        clock: Arc<dyn Clock>,
        health: Arc<CommandHealth>,
    ) -> Self {
        let (gate, refusals, latest) = (Arc::default(), Arc::default(), Arc::default());
        Self { store, routes, guard, clock, health, gate, refusals, latest }
    }

    /// Serves until the queues close, then waits for the read-backs still due.
    pub async fn run(self, Queues { usual: mut queue, first, overflow }: Queues) {
        let ahead = tokio::spawn(self.aside().run_first(first));
        let refusing = tokio::spawn(self.aside().run_overflow(overflow));
        let mut awaited = JoinSet::new();
        self.resume(&mut awaited).await;
        loop {
            tokio::select! {
                submission = queue.recv(), if awaited.len() < AWAITED => match submission {
                    Some(submission) => self.serve(submission, &mut awaited).await,
                    None => break,
                },
                Some(_) = awaited.join_next() => {}
            }
        }
        while awaited.join_next().await.is_some() {}
        if let Err(error) = ahead.await {
            tracing::error!(%error, "what makes safe is no longer served");
        }
        if let Err(error) = refusing.await {
            tracing::error!(%error, "what does not fit is no longer refused");
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
                    let (source, taken_back) = (Source::of_id(&command.id), CancellationToken::new());
                    self.dispatch(Taken { command, source, waiting: None, taken_back }, awaited).await;
                }
                settled => self.settle(&command, settled, None, None).await,
            }
        }
    }

    async fn serve(&self, submission: Submission, awaited: &mut JoinSet<()>) {
        let Submission { inbound, source, waiting, taken_back } = submission;
        let read = self.read(&inbound, source).and_then(|command| match source.is_from_elsewhere() {
            true => self.is_in_time(&command).map(|()| command),
            false => Ok(command),
        });
        let command = match read {
            Ok(command) => command,
            Err(refusal) => return self.refuse(&inbound, &refusal, waiting),
        };
        match self.store.journal().begin(command.clone()).await {
            Ok(Begun::Fresh) => self.dispatch(Taken { command, source, waiting, taken_back }, awaited).await,
            Ok(Begun::Known(state)) => {
                self.health.repeated.fetch_add(1, Ordering::Relaxed);
                let answer = Answer::new(&command.id, &command.device, &state, None);
                self.publish(&answer, &Reply::to(&inbound));
                answer.deliver(waiting);
            }
            Err(error) => {
                let why = format!("the journal cannot be written: {error}");
                self.refuse(&inbound, &CommandError::Busy { why }, waiting);
            }
        }
    }

    /// What a request asks for, if it can be done at all.
    fn read(&self, inbound: &Inbound, source: Source) -> Result<JournaledCommand, CommandError> {
        let now = self.clock.now().at;
        let request = Request::parse(inbound, now)?;
        if source.is_from_elsewhere() {
            request.check_id_from_elsewhere()?;
        }
        self.routes.borrow().check(&inbound.device, &request)?;
        self.guard.check(source, &inbound.device, &request.point)?;
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

    /// Whether enough time has passed since the last ordinary command to the output. The same id again is the
    /// same command, which the journal answers.
    fn is_in_time(&self, command: &JournaledCommand) -> Result<(), CommandError> {
        let now = Instant::now();
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.retain(|_, latest| now.saturating_duration_since(latest.at) < SHORTEST_INTERVAL);
        let (device, point) = (command.device.clone(), command.point.clone());
        match latest.get(&(device.clone(), point.clone())) {
            Some(latest) if latest.id == command.id => Ok(()),
            Some(latest) => {
                let ago = now.saturating_duration_since(latest.at).as_millis();
                Err(CommandError::TooSoon { device, point, ago_ms: u64::try_from(ago).unwrap_or(u64::MAX) })
            }
            None => {
                latest.insert((device, point), Latest { at: now, id: command.id.clone() });
                Ok(())
            }
        }
    }

    /// Puts a journaled command on its line; the answer is awaited elsewhere.
    async fn dispatch(&self, taken: Taken, awaited: &mut JoinSet<()>) {
        let Taken { command, source, waiting, taken_back } = taken;
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
            // A service state may have ended, or a plan been loaded, while the command was journaled.
            match self.guard.check(source, &command.device, &command.point) {
                Err(held) => Err(held.to_string()),
                Ok(()) if taken_back.is_cancelled() => Err(TAKEN_BACK.to_owned()),
                Ok(()) => Ok(place.send(&command, taken_back)),
            }
        };
        match sent {
            Ok(sent) => drop(awaited.spawn(self.aside().read_back(command, sent, waiting))),
            Err(reason) => self.settle(&command, State::Failed { reason }, None, waiting).await,
        }
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
            guard: self.guard.clone(),
            clock: Arc::clone(&self.clock),
            health: Arc::clone(&self.health),
            gate: Arc::clone(&self.gate),
            refusals: Arc::clone(&self.refusals),
            latest: Arc::clone(&self.latest),
        }
    }

    fn lock_refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
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
