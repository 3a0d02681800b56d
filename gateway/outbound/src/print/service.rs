//! The print service: owns the queue of jobs, and talks to the printer one request at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use linli_config::settings::slip::SlipSettings;
use linli_domain::caller::Caller;
use linli_domain::{Id, Timestamp};
use linli_drivers::Clock;
use linli_services::ServiceError;
use linli_services::events::Events;
use linli_services::stored::{all_decoded, body};
use linli_store::{Change, Document, Documents, Entry};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use super::job::{Job, State};
use super::printer::{Printer, Report};
use super::{Action, KEPT, MOST_OPEN, Request};
use crate::slip::{SlipMaker, SlipOrder};

/// Kind of the documents.
const KIND: &str = "print-job";

/// Pause between two looks at a job that the printer has.
const LOOK: Duration = Duration::from_secs(1);

/// Longest pause after failures; the first is [`LOOK`], each is twice the one before.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// As whom jobs are printed.
const USER: &str = "linli";

/// What the service needs when it starts.
pub struct Deps {
    /// The documents with the jobs.
    pub store: Documents,
    /// Makes the slips.
    pub slips: SlipMaker,
    /// Events for screens.
    pub events: Events,
    /// Clock of time stamps.
    pub clock: Arc<dyn Clock>,
    /// The printer of the present configuration.
    pub settings: watch::Receiver<Arc<SlipSettings>>,
    /// Id of the gateway: part of the names of jobs.
    pub gateway: Id,
}

/// The print service.
pub struct PrintService {
    deps: Deps,
    jobs: BTreeMap<u64, Job>,
    /// The request that is on its way: about which job.
    asking: Option<(u64, JoinHandle<Report>)>,
    next: Instant,
    pause: Duration,
}

// === impl PrintService ===

impl PrintService {
    /// Continues with the stored jobs.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(deps: Deps) -> anyhow::Result<Self> {
        let stored = deps.store.of(KIND, Timestamp(i64::MIN), Timestamp(i64::MAX)).await?;
        let jobs: Vec<Job> = all_decoded(&deps.store, &stored, "not a print job");
        let jobs = jobs.into_iter().map(|job| (job.job, job)).collect();
        Ok(Self { deps, jobs, asking: None, next: Instant::now(), pause: LOOK })
    }

    /// Runs until the last client is gone.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut settings = self.deps.settings.clone();
        let mut is_open = true;
        loop {
            if self.asking.is_none() && Instant::now() >= self.next {
                self.ask().await;
            }
            let is_waiting = self.asking.is_none() && self.open().next().is_some();
            tokio::select! {
                request = requests.recv() => match request {
                    Some(Request { caller, what, reply }) => {
                        let _ = reply.send(self.act(&caller, what).await);
                    }
                    None => break,
                },
                (job, report) = told(&mut self.asking) => self.learn(job, report).await,
                changed = settings.changed(), if is_open => {
                    is_open = changed.is_ok();
                    self.next = Instant::now();
                }
                () = sleep_until(self.next), if is_waiting => {}
            }
        }
    }

    fn open(&self) -> impl Iterator<Item = &Job> {
        self.jobs.values().filter(|job| !job.state.is_over())
    }

    async fn act(&mut self, caller: &Caller, action: Action) -> Result<Value, ServiceError> {
        match action {
            Action::Print { visit, paper, naming } => {
                if self.deps.settings.borrow().printer.is_none() {
                    return Err(ServiceError::Conflict(
                        "no printer is configured: give printer in [slip] of gateway.toml （未配置打印机）"
                            .to_owned(),
                    ));
                }
                if self.open().count() >= MOST_OPEN {
                    return Err(ServiceError::Conflict(format!(
                        "{MOST_OPEN} jobs wait for the printer already; mend it, or cancel some （打印队列已满）"
                    )));
                }
                let paper = paper.unwrap_or_else(|| self.deps.slips.paper());
                // Made once now: what cannot be set is said to whoever asks, and not to the queue.
                let order = SlipOrder { visit: visit.clone(), paper, naming };
                drop(self.deps.slips.pdf(&caller.account, &order).await?);
                let number = self.jobs.keys().next_back().map_or(1, |last| last + 1);
                let (at, by) = (self.deps.clock.now().at, caller.account.clone());
                let state = State::Waiting;
                let job = Job { job: number, visit, paper, naming, by, at, state, why: None, over: None };
                self.keep(job.clone()).await?;
                self.next = Instant::now();
                Ok(json!(job))
            }
            Action::Jobs => Ok(self.jobs.values().rev().map(|job| json!(job)).collect()),
            Action::Cancel(number) => self.cancel(number).await,
        }
    }

    async fn cancel(&mut self, number: u64) -> Result<Value, ServiceError> {
        let found = self.jobs.get(&number).cloned();
        let mut job =
            found.ok_or_else(|| ServiceError::Unknown(format!("there is no print job {number}")))?;
        match job.state {
            State::Waiting => job.learn(Report::Cancelled, self.deps.clock.now().at),
            State::Sent(there) => job.state = State::Cancelling(there),
            State::Sending => {
                return Err(ServiceError::NotNow("it is being sent; try again in a moment".to_owned()));
            }
            State::Cancelling(_) => {}
            State::Printed | State::Cancelled | State::Failed => {
                return Err(ServiceError::Conflict("it is over already （任务已结束）".to_owned()));
            }
        }
        self.keep(job.clone()).await?;
        self.next = Instant::now();
        Ok(json!(job))
    }

    /// Begins the next request about the oldest job that is not over.
    async fn ask(&mut self) {
        let Some(address) = self.deps.settings.borrow().printer.clone() else { return };
        let Some(mut job) = self.open().next().cloned() else { return };
        let (printer, name) = (Printer { address }, job.name(self.deps.gateway.as_str()));
        let number = job.job;
        let asking = match job.state {
            State::Waiting => {
                let order = SlipOrder { visit: job.visit.clone(), paper: job.paper, naming: job.naming };
                let document = match self.deps.slips.pdf(&job.by, &order).await {
                    Ok(document) => document,
                    Err(ServiceError::NotNow(why) | ServiceError::Full(why)) => {
                        return self.learn(number, Report::Waits(why)).await;
                    }
                    Err(error) => return self.learn(number, Report::Failed(error.to_string())).await,
                };
                job.state = State::Sending;
                let paper = job.paper;
                if self.keep(job).await.is_err() {
                    return self.later();
                }
                tokio::task::spawn_blocking(move || printer.print(&name, USER, paper, &document))
            }
            State::Sending => tokio::task::spawn_blocking(move || printer.find(&name, USER)),
            State::Sent(there) => tokio::task::spawn_blocking(move || printer.look(there)),
            State::Cancelling(there) => tokio::task::spawn_blocking(move || printer.cancel(there, USER)),
            State::Printed | State::Cancelled | State::Failed => return,
        };
        self.asking = Some((number, asking));
    }

    async fn learn(&mut self, number: u64, report: Report) {
        let Some(mut job) = self.jobs.get(&number).cloned() else { return };
        let before = job.clone();
        let is_waiting = matches!(report, Report::Waits(_));
        // A job that is being cancelled stays so until the printer says what became of it.
        let is_news = !(matches!(job.state, State::Cancelling(_)) && matches!(report, Report::Has(_)));
        if is_news {
            job.learn(report, self.deps.clock.now().at);
        }
        if is_waiting {
            self.later();
        } else {
            self.pause = LOOK;
            self.next =
                Instant::now() + if matches!(job.state, State::Sent(_)) { LOOK } else { Duration::ZERO };
        }
        if job != before {
            if job.state.is_over() || job.why != before.why {
                tracing::info!(job = number, state = ?job.state, why = job.why, "print job");
            }
            if self.keep(job).await.is_err() {
                self.later();
            }
        }
    }

    fn later(&mut self) {
        self.next = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    /// Stores a job, then shows it. Of those that are over the oldest are forgotten.
    async fn keep(&mut self, job: Job) -> Result<(), ServiceError> {
        let mut changes = vec![Change::Document(document(&job))];
        let over: Vec<u64> =
            self.jobs.values().filter(|job| job.state.is_over()).map(|job| job.job).collect();
        for old in over.iter().take(over.len().saturating_sub(KEPT)) {
            let id = id(*old);
            changes.push(Change::ForgetDocuments { kind: KIND.to_owned(), from: id.clone(), to: id });
            self.jobs.remove(old);
        }
        self.deps.store.keep(Entry { changes, ..Entry::default() }).await?;
        self.deps.events.publish_workers("print", &json!(job));
        self.jobs.insert(job.job, job);
        Ok(())
    }
}

/// What a request led to; never without a request.
async fn told(asking: &mut Option<(u64, JoinHandle<Report>)>) -> (u64, Report) {
    let Some((job, handle)) = asking else { return std::future::pending().await };
    let (job, report) = (*job, handle.await);
    *asking = None;
    (job, report.unwrap_or_else(|error| Report::Waits(error.to_string())))
}

fn id(job: u64) -> String {
    format!("{KIND}/{job:012}")
}

/// A job as it is stored.
pub(super) fn document(job: &Job) -> Document {
    Document { id: id(job.job), kind: KIND.to_owned(), at: job.at, body: body(job) }
}
