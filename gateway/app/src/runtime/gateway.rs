//! Starts the gateway (configuration, store, tasks), runs it, and drains it with deadlines.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use linli_domain::caller::Acting;
use linli_domain::{Batch, Id};
use linli_drivers::{CabinEvent, CheckedLine, Clock, LineEvent};
use linli_listen::Tls;
use linli_store::Store;
use linli_uplink::InboundOrder;
use serde_json::{Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::runtime::certificates::Certificates;
use crate::runtime::clock::SystemClock;
use crate::runtime::config_watch::ConfigWatch;
use crate::runtime::lines::{Lines, Shared};
use crate::runtime::listeners::Listeners;
use crate::runtime::pipeline::{BATCH_QUEUE, EVENT_QUEUE, Pipeline, Tap};
use crate::runtime::record_retention;
use crate::runtime::services::{self, RunningServices, ServiceDeps};
use crate::runtime::state_dir;
use crate::runtime::uplink_certificate;
use crate::runtime::uplink_supervisor::UplinkSupervisor;
use crate::runtime::watchdog::{self, Watchdog};
use linli_config::proposal::Proposal;
use linli_config::settings::cabin::critical_layout;
use linli_config::{self, Checked, WebLimits};
use linli_services::VERSION;
use linli_services::alarms::webhook;
use linli_services::canteen;
use linli_services::client::ServiceClient;
use linli_services::events::Events;
use linli_services::live::{ConfiguredDevice, Live};
use linli_services::mode::{self, RequestedAction};
use linli_services::outputs::{ModeOutputs, OutputGuard};
use linli_services::{
    command_queue::{self, Lanes},
    commands::CommandService,
};
use linli_web::status::GatewayStatus;
use linli_web::{AccessDeps, AppState, CheckRequest, Control, ReloadRequest, VisitorLogIn, Visitors};

/// How long each step of the drain may take. Together they stay below systemd's default of 90 s.
const DRAIN_STEP: Duration = Duration::from_secs(10);

/// How often it is looked whether a part has ended that must not.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A running gateway.
pub struct Gateway {
    config_dir: PathBuf,
    current: Checked,
    store: Store,
    lines: Lines,
    uplink: UplinkSupervisor,
    live: Arc<Live>,
    config: ConfigWatch,
    fallback: watch::Sender<Option<String>>,
    commands: Lanes,
    reloads: (mpsc::Receiver<ReloadRequest>, mpsc::Receiver<CheckRequest>),
    signals: Signals,
    tasks: Tasks,
    /// State that the HTTP API and the metrics show.
    pub status: Arc<GatewayStatus>,
    /// Accounts of people.
    pub accounts: linli_accounts::Accounts,
    visitors: Visitors,
    mode: ServiceClient<RequestedAction, Value>,
    /// Address of the network listener, with the real port.
    pub web_address: std::net::SocketAddr,
}

/// What can fail at start is opened first, before any task is spawned.
struct Opened {
    config_dir: PathBuf,
    signals: Signals,
    booted: linli_config::Booted,
    clock: Arc<SystemClock>,
    store: Store,
    listeners: Listeners,
    certificates: Certificates,
    web_address: std::net::SocketAddr,
}

/// Signals of the operating system. They are caught before anything starts, so that an early one also
/// leads to a drain.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

/// Tasks in the order in which the drain ends them.
struct Tasks {
    services: RunningServices,
    pipeline: JoinHandle<()>,
    service: JoinHandle<()>,
    web: Vec<JoinHandle<()>>,
    aside: Vec<JoinHandle<()>>,
    cancel_web: CancellationToken,
    cancel_aside: CancellationToken,
}

/// Where lines send samples, measurements of vital signs and transitions.
type Received = (mpsc::Sender<Batch>, mpsc::Sender<CabinEvent>, mpsc::Sender<LineEvent>);

/// Where these are taken from.
type Queues = (mpsc::Receiver<Batch>, mpsc::Receiver<CabinEvent>, mpsc::Receiver<LineEvent>);

// === impl Gateway ===

impl Gateway {
    /// Checks the configuration completely, opens the store and the listeners, then starts all tasks.
    ///
    /// # Errors
    /// When neither the configuration nor the last good one can be used, or when the store or a
    /// listener cannot be opened.
    pub async fn start(config_dir: &Path) -> anyhow::Result<Self> {
        let signals = Signals::listen()?;
        let booted = linli_config::load_or_last_good(config_dir)?;
        let clock = Arc::new(SystemClock::default());
        let data_dir = booted.checked.data_dir()?;
        state_dir::prepare(&data_dir)?;
        let store = open_store(&booted.checked, &clock).await?;
        let certificates = Certificates::open(&booted.checked, Arc::clone(&clock) as Arc<dyn Clock>)?;
        let listeners = Listeners::open(booted.checked.web.listen, &data_dir).await?;
        let config_dir = config_dir.to_owned();
        let web_address = listeners.address()?;
        let opened =
            Opened { config_dir, signals, booted, clock, store, listeners, certificates, web_address };
        let mut gateway = Self::assemble(opened).await?;
        gateway.begin().await;
        Ok(gateway)
    }

    /// Connects the parts with channels and spawns their tasks. Lines and uplink are still idle.
    async fn assemble(opened: Opened) -> anyhow::Result<Self> {
        let Opened { config_dir, signals, booted, clock, store, listeners, certificates, web_address } =
            opened;
        let (current, fallback) = (booted.checked, booted.fallback.map(|report| report.to_string()));
        let (tls, fallback) = (certificates.tls()?, watch::Sender::new(fallback));
        let (samples, received_by, (batches, received, transitions)) = southbound();
        let (commands, queues) = command_queue::lanes();
        let ((reload, reloads), (check, checks), (ordered, orders)) = channels();
        let (policies, ticks) = (mode::PolicyPublisher::default(), || Arc::clone(&clock) as Arc<dyn Clock>);
        let lines = lines(current.gateway.id.clone(), received_by, &policies, ticks(), tls.clone());
        let (config, told) = (ConfigWatch::new(&current), samples.downgrade());
        let (outputs, guard) = output_guard(&config);
        let uplink = UplinkSupervisor::new(store.outbox(), commands.clone(), ordered, told, ticks());
        let watched = (&fallback, &certificates, &config);
        let status = gateway_status((&current, ticks()), &lines, &store, &uplink, watched);
        let events = Events::default();
        let (services, clients, accounts, taps) = services::start(ServiceDeps {
            store: &store,
            samples,
            measurements: received,
            commands: commands.clone(),
            orders,
            birth: uplink.birth(),
            routes: lines.routes(),
            policies: policies.clone(),
            outputs: (outputs, guard.clone()),
            events: &events,
            clock: ticks(),
            config_watch: &config,
            status: &status,
            current: &current,
        })
        .await?;
        let pipeline =
            pipeline(&store, &lines, &config, &policies, &status, &events, taps).run(batches, transitions);
        let health = Arc::clone(&status.service);
        let service = CommandService::new(store.clone(), lines.routes(), guard, ticks(), health).run(queues);
        let (access, centre) = (access_deps(accounts.clone(), &config), config.centre.subscribe());
        let state = AppState::new(&status, clients, events, access, centre);
        let (cancel_web, cancel_aside) = <(CancellationToken, CancellationToken)>::default();
        let control = Control { service: commands.usual.clone(), reload, check };
        let tasks = Tasks {
            services,
            pipeline: tokio::spawn(pipeline),
            service: tokio::spawn(service),
            web: listeners.serve(network_tls(tls, &current), &state, control, &cancel_web),
            aside: aside(&clock, &cancel_aside, (&store, &current), &config, (&status, &state), certificates),
            cancel_web,
            cancel_aside,
        };
        Ok(Self {
            live: Arc::clone(&status.live),
            config_dir,
            current,
            store,
            lines,
            uplink,
            config,
            fallback,
            commands,
            reloads: (reloads, checks),
            signals,
            tasks,
            status,
            accounts,
            mode: state.mode.service.clone(),
            visitors: state.visitors,
            web_address,
        })
    }

    /// Lets whoever opens the screens of a demonstration be one of its people.
    pub fn welcome<V: VisitorLogIn + 'static>(
        &self,
        people: impl FnOnce(Arc<dyn Clock>, ServiceClient<RequestedAction, Value>) -> V,
    ) {
        let _ = self.visitors.set(Box::new(people(Arc::new(SystemClock::default()), self.mode.clone())));
    }

    /// Starts lines and uplink, and keeps a configuration that started as the last good one.
    async fn begin(&mut self) {
        self.apply().await;
        let fallback = self.fallback.borrow().clone();
        match fallback {
            Some(report) => {
                tracing::error!("the configuration on disk is bad; the last good one runs:\n{report}");
            }
            None if self.keep_as_last_good() => {
                let _ = self.accounts.configured("started", VERSION, None).await;
            }
            None => {}
        }
        self.note_certificate().await;
    }

    async fn note_certificate(&self) {
        let until = self.status.tls.borrow().not_after;
        let _ = self.accounts.certificate(until).await;
    }

    /// Records what became of the certificate for the district.
    async fn note_uplink_certificate(&self) {
        let state = self.status.uplink_certificate.borrow().clone();
        let Some(state) = state else { return };
        let Some(what) = uplink_certificate::told_in_record(&state) else { return };
        let _ = self.accounts.uplink_certificate(what, state.until(), state.failure.as_deref()).await;
    }

    /// Runs until `stop` or a signal, then drains.
    pub async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        if let Some(interval) = sd_notify::watchdog_enabled() {
            self.tasks.aside.push(tokio::spawn(Watchdog::new(Arc::clone(&self.status)).run(interval)));
        }
        watchdog::notify(&[sd_notify::NotifyState::Ready]);
        let mut certificate = self.status.tls.clone();
        let mut of_uplink = self.status.uplink_certificate.clone();
        of_uplink.mark_changed();
        tracing::info!(version = VERSION, web = %self.web_address, "ready");
        let mut look = tokio::time::interval(LOOK_EVERY);
        let mut broken = None;
        loop {
            tokio::select! {
                _ = look.tick() => if let Some(who) = self.tasks.ended() {
                    tracing::error!(who, "a part without which nobody is safe has ended: the gateway begins anew");
                    broken = Some(who);
                    break;
                },
                _ = self.signals.terminate.recv() => break,
                _ = self.signals.interrupt.recv() => break,
                () = stop.cancelled() => break,
                _ = self.signals.hangup.recv() => { let _ = self.reload(None).await; }
                Some(CheckRequest { proposal, reply }) = self.reloads.1.recv() => {
                    let _ = reply.send(self.check_what_is_on_disk(proposal.as_ref()));
                }
                Some(ReloadRequest { acting, reply }) = self.reloads.0.recv() => {
                    let _ = reply.send(self.reload(Some(acting)).await);
                }
                Ok(()) = certificate.changed() => self.note_certificate().await,
                Ok(()) = of_uplink.changed() => self.note_uplink_certificate().await,
            }
        }
        watchdog::notify(&[sd_notify::NotifyState::Stopping]);
        self.drain().await;
        match broken {
            Some(who) => anyhow::bail!("the {who} ended although it must not"),
            None => Ok(()),
        }
    }

    /// Reloads, and records it.
    async fn reload(&mut self, acting: Option<Acting>) -> Result<String, String> {
        let outcome = self.apply_what_is_on_disk().await;
        let (what, detail) = match &outcome {
            Ok(changes) => ("reloaded", changes),
            Err(report) => ("refused", report),
        };
        let _ = self.accounts.configured(what, detail, acting).await;
        outcome
    }

    /// Applies the difference between the running configuration and the one on disk; a bad one
    /// changes nothing.
    async fn apply_what_is_on_disk(&mut self) -> Result<String, String> {
        let fresh = match linli_config::load(&self.config_dir) {
            Ok(fresh) => fresh,
            Err(report) => {
                tracing::error!("reload refused, nothing changed:\n{report}");
                return Err(report.to_string());
            }
        };
        let missing = mode::missing(&self.config.needed.borrow(), &mode::Setup::of(&fresh));
        if !missing.is_empty() {
            let report = missing.join("\n");
            tracing::error!("reload refused, nothing changed:\n{report}");
            return Err(report);
        }
        let changes = linli_config::diff(&self.current, &fresh).to_string();
        self.current = fresh;
        self.apply().await;
        self.fallback.send_replace(None);
        self.keep_as_last_good();
        tracing::info!(changes, "reloaded");
        Ok(changes)
    }

    /// What a reload would do, with a proposal in facility.toml if there is one, without doing it.
    fn check_what_is_on_disk(&self, proposal: Option<&Proposal>) -> Value {
        let bad = |problems: Value| json!({"good": false, "changes": null, "problems": problems, "warnings": [], "lines": []});
        let loaded = match proposal {
            None => linli_config::load(&self.config_dir).map(|fresh| (fresh, Vec::new())),
            Some(proposal) => linli_config::load_proposed(&self.config_dir, proposal)
                .map(|(fresh, proposed)| (fresh, proposed.changes)),
        };
        let (fresh, rooms) = match loaded {
            Ok(loaded) => loaded,
            Err(report) => return bad(json!(report.problems)),
        };
        let missing = mode::missing(&self.config.needed.borrow(), &mode::Setup::of(&fresh));
        if !missing.is_empty() {
            let problems = missing.iter().map(|why| json!(linli_config::Problem::file("plans", why.clone())));
            return bad(problems.collect());
        }
        let lines = fresh.lines.iter().map(|line| {
            let share = line.plan.budget().map(|budget| budget.share);
            json!({"line": line.plan.line(), "devices": line.plan.layouts().len(), "share": share})
        });
        let warnings = fresh.lines.iter().flat_map(|line| {
            line.plan.warnings().into_iter().map(|warning| format!("{}: {warning}", line.plan.line()))
        });
        let mut answer = json!({
            "good": true, "changes": linli_config::diff(&self.current, &fresh).to_string(), "problems": [],
            "warnings": warnings.collect::<Vec<_>>(), "lines": lines.collect::<Vec<_>>(),
        });
        if proposal.is_some() {
            answer["rooms"] = json!(rooms);
        }
        answer
    }

    /// Applies `self.current` to the running parts.
    async fn apply(&mut self) {
        let canteen = || self.current.canteen.iter().filter_map(|watched| watched.computed.clone());
        let reckoned = canteen().map(|layout| ConfiguredDevice {
            layout,
            line: canteen::line(),
            stale_after: canteen::STALE_AFTER,
        });
        let cabins = || self.current.cabin.rooms.iter().filter_map(critical_layout).map(Arc::new);
        let critical = cabins().map(|layout| ConfiguredDevice {
            layout,
            line: linli_cabin::line(),
            stale_after: linli_cabin::STALE_AFTER,
        });
        let certified = || self.current.certificate_layout().map(Arc::new);
        let certificate = certified().map(|layout| ConfiguredDevice {
            layout,
            line: uplink_certificate::line(),
            stale_after: uplink_certificate::STALE_AFTER,
        });
        let computed = reckoned.chain(critical).chain(certificate);
        self.live.configure(self.current.lines.iter().flat_map(known_devices).chain(computed).collect());
        self.config.apply(&self.current);
        let plans: Vec<Arc<dyn CheckedLine>> =
            self.current.lines.iter().map(|l| Arc::clone(&l.plan)).collect();
        let layouts =
            plans.iter().flat_map(|plan| plan.layouts().iter().cloned()).chain(canteen()).chain(cabins());
        let layouts = layouts.chain(certified()).collect();
        self.uplink.describe(&self.current);
        self.uplink.apply(self.current.uplink.as_ref(), layouts).await;
        self.lines.apply(&plans).await;
    }

    /// Keeps the configuration; returns whether it is another one than the one kept before.
    fn keep_as_last_good(&self) -> bool {
        let kept =
            self.current.data_dir().and_then(|dir| linli_config::keep_last_good(&self.config_dir, &dir));
        kept.unwrap_or_else(|error| {
            let error = format!("{error:#}");
            tracing::warn!(error, "the configuration could not be kept as the last good one");
            false
        })
    }

    /// Stops taking commands, finishes the exchanges in flight, stores their results, disconnects the uplink
    /// and closes the store.
    async fn drain(self) {
        let Self { store, mut lines, uplink, commands, tasks, live, config, accounts, visitors, .. } = self;
        tracing::info!("draining");
        tasks.cancel_web.cancel();
        lines.stop().await;
        tasks.services.sirens.abort();
        tasks.services.mode.abort();
        tasks.services.nodes.abort();
        tasks.services.notices.abort();
        tasks.services.outbound.iter().for_each(JoinHandle::abort);
        drop(commands);
        step("uplink", uplink.stop()).await;
        drop((lines, live, config));
        step("commands", async { drop(tasks.service.await) }).await;
        step("cabin", async { drop(tasks.services.cabin.await) }).await;
        step("pipeline", async { drop(tasks.pipeline.await) }).await;
        step("alarms", async { drop(tasks.services.alarms.await) }).await;
        step("canteen", async { drop(tasks.services.canteen.await) }).await;
        step("kiosks", async { drop(tasks.services.kiosks.await) }).await;
        for server in tasks.web {
            step("web", async { drop(server.await) }).await;
        }
        // It ends with its last client.
        drop((accounts, visitors));
        step("accounts", async { drop(tasks.services.accounts.await) }).await;
        tasks.cancel_aside.cancel();
        tasks.aside.iter().for_each(JoinHandle::abort);
        step("store", store.close()).await;
        tracing::info!("stopped");
    }
}

// === impl Tasks ===

impl Tasks {
    /// Returns the first part that must run for as long as the gateway does, and has ended: a broken invariant ended
    /// it. Devices fall back to their safe state by themselves until the next process has taken over.
    fn ended(&self) -> Option<&'static str> {
        let all = [
            ("mode switch", &self.services.mode),
            ("command service", &self.service),
            ("pipeline", &self.pipeline),
            ("alarm service", &self.services.alarms),
        ];
        all.into_iter().find(|(_, task)| task.is_finished()).map(|(who, _)| who)
    }
}

// === impl Signals ===

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// Spawns tasks that may be aborted at any time: clock quality, webhooks, certificates.
fn aside(
    clock: &Arc<SystemClock>,
    cancel: &CancellationToken,
    (store, current): (&Store, &Checked),
    config: &ConfigWatch,
    (status, state): (&Arc<GatewayStatus>, &AppState),
    certificates: Certificates,
) -> Vec<JoinHandle<()>> {
    let recorded = record_retention::run(
        store.documents(),
        Arc::clone(clock) as Arc<dyn Clock>,
        current.record_retention,
    );
    let (hooks, ticks) = (config.webhooks.subscribe(), Arc::clone(clock) as Arc<dyn Clock>);
    let stores = (store.alarms(), linli_services::alarms::Notices::new(store.documents()));
    let notifying = webhook::run(stores, hooks, ticks, Arc::clone(&status.notified));
    let certified = certificates.watch(config.names.subscribe(), cancel.clone());
    vec![
        tokio::spawn(Arc::clone(clock).watch(cancel.clone())),
        tokio::spawn(notifying),
        tokio::spawn(certified),
        tokio::spawn(state.record().hold_heads(state.mode.service.clone())),
        tokio::spawn(recorded),
        tokio::spawn(linli_web::watch_growth(Arc::clone(status))),
    ]
}

/// The queues from the lines: what else sends samples, the senders, the receivers.
fn southbound() -> (mpsc::Sender<Batch>, Received, Queues) {
    let (samples, batches) = mpsc::channel(BATCH_QUEUE);
    let (measurements, received) = mpsc::channel(linli_cabin::MEASUREMENT_QUEUE);
    let (events, transitions) = mpsc::channel(EVENT_QUEUE);
    (samples.clone(), (samples, measurements, events), (batches, received, transitions))
}

/// Lines that send what they read to these queues. They are still idle.
fn lines(
    gateway: Id,
    (samples, measurements, events): Received,
    policies: &mode::PolicyPublisher,
    clock: Arc<dyn Clock>,
    tls: Tls,
) -> Lines {
    let paces = policies.paces();
    Lines::new(Shared { gateway, samples, measurements, events, paces, clock, tls: Some(tls) })
}

/// The state that the HTTP API and the metrics show.
fn gateway_status(
    (current, clock): (&Checked, Arc<dyn Clock>),
    lines: &Lines,
    store: &Store,
    uplink: &UplinkSupervisor,
    (fallback, certificates, config): (&watch::Sender<Option<String>>, &Certificates, &ConfigWatch),
) -> Arc<GatewayStatus> {
    let uplink = (uplink.status(), uplink.configured(), uplink.certificate());
    let tls = (certificates.status(), config.insecure.subscribe());
    Arc::new(GatewayStatus::new(current, clock, lines.views(), store, uplink, fallback.subscribe(), tls))
}

/// How the network listener is encrypted, and its limits.
fn network_tls(tls: Tls, current: &Checked) -> (Option<Tls>, WebLimits) {
    (Some(tls).filter(|_| current.web.is_secure()), current.web.limits)
}

/// Who may come in.
/// A bounded queue.
type Queue<T> = (mpsc::Sender<T>, mpsc::Receiver<T>);

/// The queues of the main loop, and that of orders from the broker.
fn channels() -> (Queue<ReloadRequest>, Queue<CheckRequest>, Queue<InboundOrder>) {
    (mpsc::channel(4), mpsc::channel(4), mpsc::channel(mode::ORDER_QUEUE))
}

fn access_deps(accounts: linli_accounts::Accounts, config: &ConfigWatch) -> AccessDeps {
    AccessDeps {
        accounts,
        workers: config.workers.subscribe(),
        locals: config.locals.subscribe(),
        known: config.known.subscribe(),
    }
}

/// What the mode switch tells of its outputs, and what guards them.
fn output_guard(config: &ConfigWatch) -> (watch::Sender<Arc<ModeOutputs>>, OutputGuard) {
    let outputs = watch::Sender::<Arc<ModeOutputs>>::default();
    let guard = OutputGuard { configured: config.outputs.subscribe(), mode: outputs.subscribe() };
    (outputs, guard)
}

/// Builds the pipeline.
fn pipeline(
    store: &Store,
    lines: &Lines,
    config: &ConfigWatch,
    policies: &mode::PolicyPublisher,
    status: &GatewayStatus,
    events: &Events,
    taps: Vec<Tap>,
) -> Pipeline {
    Pipeline {
        store: store.clone(),
        live: Arc::clone(&status.live),
        rules: config.reports.subscribe(),
        in_force: policies.in_force(),
        waiting: store.status(),
        measurements: lines.measurements(),
        taps,
        events: events.clone(),
        flow: Arc::clone(&status.flow),
    }
}

/// Opens the store and logs its epoch and backlog.
async fn open_store(checked: &Checked, clock: &Arc<SystemClock>) -> anyhow::Result<Store> {
    let wall = Arc::clone(clock);
    let now: linli_store::Now = Arc::new(move || wall.now().at);
    let (store, opening) = Store::open(checked.store.clone(), now).await?;
    if let Some(aside) = &opening.set_aside {
        tracing::error!(file = %aside.path.display(), reason = aside.reason, "damaged database set aside, new epoch");
    }
    tracing::info!(epoch = opening.epoch, backlog = opening.backlog, "store open");
    Ok(store)
}

fn known_devices(line: &linli_config::ConfiguredLine) -> Vec<ConfiguredDevice> {
    let layouts = line.plan.layouts().iter().zip(&line.stale_after);
    layouts
        .map(|(layout, stale_after)| ConfiguredDevice {
            layout: Arc::clone(layout),
            line: line.plan.line().clone(),
            stale_after: *stale_after,
        })
        .collect()
}

/// Runs one step of the drain within [`DRAIN_STEP`].
async fn step(what: &str, work: impl Future<Output = ()>) {
    if timeout(DRAIN_STEP, work).await.is_err() {
        tracing::error!(what, "did not end in time");
    }
}
