//! The running lines: one task each, restarted when it fails, replaced when its plan changes.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Batch, Id};
use linli_drivers::modbus::maintenance::MaintenanceHandle;
use linli_drivers::{CabinEvent, CheckedLine, Clock, LineContext, LineEvent, LineHealth, PollOverrides};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use linli_services::routes::{Route, Routes};
use linli_web::status::LineView;

/// Queued commands of one line: a fire sets all outputs of a centre at once, and they may be behind one
/// converter.
const COMMAND_QUEUE: usize = 256;

/// Queued maintenance requests of one line. The sender waits for the answer.
const MAINTENANCE_QUEUE: usize = 4;

/// First pause before a failed line task is restarted.
const SHORTEST_PAUSE: Duration = Duration::from_millis(100);

/// Longest pause before a restart.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A task that ran this long before it failed is restarted at once.
const STABLE_AFTER: Duration = Duration::from_secs(60);

/// A line that does not end within this time is abandoned.
const END_WITHIN: Duration = Duration::from_secs(5);

/// Channels and clock that all lines share.
#[derive(Clone)]
pub struct Shared {
    /// Id of the gateway.
    pub gateway: Id,
    /// Receives samples.
    pub samples: mpsc::Sender<Batch>,
    /// Receives measurements of vital signs.
    pub measurements: mpsc::Sender<CabinEvent>,
    /// Receives transitions between online and offline.
    pub events: mpsc::Sender<LineEvent>,
    /// Poll intervals that a mode overrides.
    pub paces: watch::Receiver<PollOverrides>,
    /// Time of samples.
    pub clock: Arc<dyn Clock>,
    /// TLS for listeners off this machine.
    pub tls: Option<linli_listen::Tls>,
}

/// All running lines.
pub struct Lines {
    shared: Option<Shared>,
    running: Vec<Running>,
    routes: watch::Sender<Arc<Routes>>,
    views: watch::Sender<Arc<Vec<LineView>>>,
}

struct Running {
    view: LineView,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

// === impl Lines ===

impl Lines {
    /// Starts without lines.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self {
            shared: Some(shared),
            running: Vec::new(),
            routes: watch::Sender::default(),
            views: watch::Sender::default(),
        }
    }

    /// Receiver of measurements; `None` after [`Lines::stop`].
    #[must_use]
    pub fn measurements(&self) -> Option<mpsc::WeakSender<CabinEvent>> {
        self.shared.as_ref().map(|shared| shared.measurements.downgrade())
    }

    /// Routes to the devices, for the command service.
    #[must_use]
    pub fn routes(&self) -> watch::Receiver<Arc<Routes>> {
        self.routes.subscribe()
    }

    /// State of the lines, for metrics and the watchdog.
    #[must_use]
    pub fn views(&self) -> watch::Receiver<Arc<Vec<LineView>>> {
        self.views.subscribe()
    }

    /// Runs exactly these plans. A line with an unchanged plan keeps running.
    pub async fn apply(&mut self, plans: &[Arc<dyn CheckedLine>]) {
        let (keep, stop): (Vec<_>, Vec<_>) = std::mem::take(&mut self.running)
            .into_iter()
            .partition(|line| plans.iter().any(|plan| plan.same_as(&*line.view.plan)));
        for line in &keep {
            plans
                .iter()
                .filter(|plan| plan.same_as(&*line.view.plan))
                .for_each(|plan| line.view.plan.adopt(&**plan));
        }
        self.running = keep;
        self.end(stop).await;
        for plan in plans {
            if !self.running.iter().any(|line| plan.same_as(&*line.view.plan)) {
                self.start(Arc::clone(plan));
            }
        }
        self.views.send_replace(Arc::new(self.running.iter().map(|line| line.view.clone()).collect()));
    }

    /// Ends every line between two exchanges and drops the channels.
    pub async fn stop(&mut self) {
        let all = std::mem::take(&mut self.running);
        self.end(all).await;
        self.shared = None;
    }

    fn start(&mut self, plan: Arc<dyn CheckedLine>) {
        let Some(shared) = self.shared.clone() else { return };
        let health = Arc::new(LineHealth::new(plan.layouts().len()));
        let view = LineView { plan, health };
        let cancel = CancellationToken::new();
        tracing::info!(line = %view.plan.line(), devices = view.plan.layouts().len(), "line started");
        let task = tokio::spawn(keep(view.clone(), shared, self.routes.clone(), cancel.clone()));
        self.running.push(Running { view, cancel, task });
    }

    async fn end(&self, lines: Vec<Running>) {
        lines.iter().for_each(|line| line.cancel.cancel());
        for line in lines {
            let id = line.view.plan.line();
            let abort = line.task.abort_handle();
            if tokio::time::timeout(END_WITHIN, line.task).await.is_err() {
                tracing::error!(line = %id, "did not end in time, abandoned");
                abort.abort();
            }
            self.routes.send_modify(|routes| {
                let mut left = Routes::clone(routes);
                left.devices.retain(|_, route| route.plan.line() != id);
                left.maintenance.remove(id);
                *routes = Arc::new(left);
            });
            tracing::info!(line = %id, "line stopped");
        }
    }
}

/// Runs a line until cancelled; restarts its task after a growing pause when it fails.
async fn keep(view: LineView, shared: Shared, routes: watch::Sender<Arc<Routes>>, cancel: CancellationToken) {
    let mut pause = SHORTEST_PAUSE;
    loop {
        let (queue, commands) = mpsc::channel(COMMAND_QUEUE);
        let (handle, maintenance) = mpsc::channel(MAINTENANCE_QUEUE);
        routes.send_modify(|routes| *routes = Arc::new(with_line(routes, &view.plan, &queue, &handle)));
        drop((queue, handle));
        let context = LineContext {
            gateway: shared.gateway.clone(),
            samples: shared.samples.clone(),
            measurements: shared.measurements.clone(),
            events: shared.events.clone(),
            commands,
            maintenance,
            poll_overrides: shared.paces.clone(),
            clock: Arc::clone(&shared.clock),
            tls: shared.tls.clone(),
            health: Arc::clone(&view.health),
            cancel: cancel.clone(),
        };
        let started = Instant::now();
        // A task of its own: a panic in a driver ends this task and not the gateway.
        let task = tokio::spawn(Arc::clone(&view.plan).run(context));
        let _abort = AbortOnDrop(task.abort_handle());
        let outcome = task.await;
        if cancel.is_cancelled() {
            return;
        }
        let line = view.plan.line();
        match outcome {
            Ok(Ok(())) => tracing::error!(%line, "line task ended without being asked"),
            Ok(Err(fault)) => tracing::error!(%line, %fault, "line task broke"),
            Err(panic) => tracing::error!(%line, %panic, "line task panicked"),
        }
        pause = if started.elapsed() > STABLE_AFTER { SHORTEST_PAUSE } else { pause };
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(pause) => pause = (pause * 2).min(LONGEST_PAUSE),
        }
    }
}

fn with_line(
    routes: &Routes,
    plan: &Arc<dyn CheckedLine>,
    queue: &mpsc::Sender<linli_drivers::LineCommand>,
    handle: &MaintenanceHandle,
) -> Routes {
    let mut routes = routes.clone();
    for (device, layout) in plan.layouts().iter().enumerate() {
        let route = Route { plan: Arc::clone(plan), device, queue: queue.clone() };
        routes.devices.insert(Id::clone(&layout.device), route);
    }
    routes.maintenance.insert(plan.line().clone(), handle.clone());
    routes
}

struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}
