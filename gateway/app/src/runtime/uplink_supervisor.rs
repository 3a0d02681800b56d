//! Supervises the uplink task: starts it, restarts it when its settings change, and ends it last.

use std::sync::Arc;
use std::time::Duration;

use linli_config::Checked;
use linli_domain::command::Inbound;
use linli_domain::{Batch, Layout};
use linli_drivers::Clock;
use linli_enrol::CertificateState;
use linli_store::Outbox;
use linli_uplink::{Birth, InboundOrder, Settings, UplinkStatus};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::runtime::uplink_certificate;
use linli_services::VERSION;
use linli_services::command_queue::{Lanes, Submission};
use linli_services::outputs::Source;

/// Queued commands between uplink and command service.
const INBOUND_QUEUE: usize = 256;

/// Pause before a failed uplink task is restarted.
const RESTART_AFTER: Duration = Duration::from_secs(1);

/// The uplink, if there is one.
pub struct UplinkSupervisor {
    outbox: Outbox,
    service: Option<Lanes>,
    orders: mpsc::Sender<InboundOrder>,
    clock: Arc<dyn Clock>,
    layouts: watch::Sender<Arc<Vec<Arc<Layout>>>>,
    birth: watch::Sender<Birth>,
    status: watch::Sender<UplinkStatus>,
    configured: watch::Sender<bool>,
    certificate: uplink_certificate::Receivers,
    running: Option<Running>,
}

struct Running {
    settings: Settings,
    cancel: CancellationToken,
    task: JoinHandle<()>,
}

// === impl UplinkSupervisor ===

impl UplinkSupervisor {
    /// Starts without a connection.
    #[must_use]
    pub fn new(
        outbox: Outbox,
        service: Lanes,
        orders: mpsc::Sender<InboundOrder>,
        samples: mpsc::WeakSender<Batch>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let birth = Birth {
            version: VERSION.to_owned(),
            boot: boot_id(),
            mode: "peace".to_owned(),
            record_key: None,
            orders: std::collections::BTreeMap::new(),
            service: Vec::new(),
            order_bytes: u32::try_from(linli_mode::order::LARGEST).ok(),
            rooms: std::collections::BTreeMap::new(),
            switches: std::collections::BTreeSet::new(),
        };
        Self {
            outbox,
            service: Some(service),
            orders,
            clock,
            layouts: watch::Sender::default(),
            birth: watch::Sender::new(birth),
            status: watch::Sender::default(),
            configured: watch::Sender::new(false),
            certificate: uplink_certificate::Receivers { state: watch::Sender::default(), samples },
            running: None,
        }
    }

    /// Contents of the `status` topic.
    #[must_use]
    pub fn birth(&self) -> watch::Sender<Birth> {
        self.birth.clone()
    }

    /// State of the connection.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<UplinkStatus> {
        self.status.subscribe()
    }

    /// State of the certificate with which it connects; none where it has none.
    #[must_use]
    pub fn certificate(&self) -> watch::Receiver<Option<CertificateState>> {
        self.certificate.state.subscribe()
    }

    /// Whether a broker is configured.
    #[must_use]
    pub fn configured(&self) -> watch::Receiver<bool> {
        self.configured.subscribe()
    }

    /// Tells the district which rooms there are.
    pub fn describe(&self, checked: &Checked) {
        let rooms = checked.rooms.iter().map(|room| (room.id.to_string(), room.name.clone())).collect();
        let switches = checked.plans.iter().map(|plan| plan.resolved.plan.room.to_string()).collect();
        self.birth.send_if_modified(|birth| {
            let is_changed = birth.rooms != rooms || birth.switches != switches;
            (birth.rooms, birth.switches) = (rooms, switches);
            is_changed
        });
    }

    /// Applies a configuration. An unchanged connection stays open.
    pub async fn apply(&mut self, settings: Option<&Settings>, layouts: Vec<Arc<Layout>>) {
        let layouts = Arc::new(layouts);
        if **self.layouts.borrow() != *layouts {
            self.layouts.send_replace(layouts);
        }
        self.configured.send_replace(settings.is_some());
        if self.running.as_ref().map(|r| &r.settings) == settings {
            return;
        }
        self.end().await;
        self.status.send_replace(UplinkStatus::default());
        self.certificate.state.send_replace(None);
        let (Some(settings), Some(service)) = (settings, self.service.clone()) else { return };
        let cancel = CancellationToken::new();
        let (tls, clock) = (settings.tls.clone(), Arc::clone(&self.clock));
        tokio::spawn(uplink_certificate::watch(tls, clock, self.certificate.clone(), cancel.clone()));
        let task = tokio::spawn(keep(self.parts(), settings.clone(), service, cancel.clone()));
        self.running = Some(Running { settings: settings.clone(), cancel, task });
    }

    /// Waits for outstanding acknowledgements, publishes the offline status and disconnects.
    pub async fn stop(mut self) {
        self.service = None;
        self.end().await;
    }

    async fn end(&mut self) {
        if let Some(running) = self.running.take() {
            running.cancel.cancel();
            if let Err(error) = running.task.await {
                tracing::error!(%error, "uplink task");
            }
        }
    }

    fn parts(&self) -> Deps {
        Deps {
            outbox: self.outbox.clone(),
            orders: self.orders.clone(),
            clock: Arc::clone(&self.clock),
            layouts: self.layouts.subscribe(),
            birth: self.birth.subscribe(),
            status: self.status.clone(),
        }
    }
}

/// Parts that each run of the uplink takes.
#[derive(Clone)]
struct Deps {
    outbox: Outbox,
    orders: mpsc::Sender<InboundOrder>,
    clock: Arc<dyn Clock>,
    layouts: watch::Receiver<Arc<Vec<Arc<Layout>>>>,
    birth: watch::Receiver<Birth>,
    status: watch::Sender<UplinkStatus>,
}

/// Runs the uplink until cancelled. A panic ends one run and not the gateway.
async fn keep(parts: Deps, settings: Settings, service: Lanes, cancel: CancellationToken) {
    let (inbound, received) = mpsc::channel(INBOUND_QUEUE);
    let forwarding = tokio::spawn(forward(received, service));
    while !cancel.is_cancelled() {
        let Deps { outbox, orders, clock, layouts, birth, status } = parts.clone();
        let run = linli_uplink::run(linli_uplink::Context {
            settings: settings.clone(),
            outbox,
            inbound: inbound.clone(),
            orders,
            layouts,
            birth,
            status,
            now: Arc::new(move || clock.now()),
            cancel: cancel.clone(),
        });
        if let Err(error) = tokio::spawn(run).await {
            tracing::error!(%error, "uplink task broke");
        }
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(RESTART_AFTER) => {}
        }
    }
    drop(inbound);
    let _ = forwarding.await;
}

/// Hands commands to the command service, which refuses those that it has no room for.
async fn forward(mut received: mpsc::Receiver<Inbound>, service: Lanes) {
    while let Some(inbound) = received.recv().await {
        if service.submit(Submission::of(inbound, Source::Broker)).await.is_err() {
            return;
        }
    }
}

/// Id of the boot of the machine, which distinguishes a reboot from a restart.
fn boot_id() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| "unknown".to_owned(), |id| id.trim().to_owned())
}
