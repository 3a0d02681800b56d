//! The services that people and devices come to: each owns its part, and goes on where it was when
//! the process ended.

use std::sync::Arc;

use linli_domain::Batch;
use linli_drivers::{Clock, VitalMeasurement};
use linli_mode::checkpoint::CheckpointSigner;
use linli_store::Store;
use linli_uplink::{Birth, InboundOrder};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::runtime::config_watch::ConfigWatch;
use crate::runtime::pipeline::Tap;
use linli_config::Checked;
use linli_services::client::ServiceClient;
use linli_services::events::Events;
use linli_services::{alarms, cabin, canteen, kiosks, mode, nodes};
use linli_services::{
    command_queue::{Lanes, Submission},
    routes::Routes,
};
use linli_web::status::GatewayStatus;
use linli_web::{
    AlarmClient, CabinClient, CanteenClient, KioskClient, ModeClient, NodeClient, ServiceClients,
};

/// What they need.
pub struct ServiceDeps<'n> {
    /// Where everything is kept.
    pub store: &'n Store,
    /// Where values go that services find out.
    pub samples: mpsc::Sender<Batch>,
    /// Measurements of vital signs.
    pub told: mpsc::Receiver<VitalMeasurement>,
    /// Where commands go.
    pub commands: Lanes,
    /// Orders from the broker.
    pub orders: mpsc::Receiver<InboundOrder>,
    /// What the `status` topic says.
    pub birth: watch::Sender<Birth>,
    /// Where devices and lines are reached.
    pub routes: watch::Receiver<Arc<Routes>>,
    /// Where the mode switch tells which data policies hold.
    pub policies: mode::PolicyPublisher,
    /// Screens.
    pub events: &'n Events,
    /// Labels.
    pub clock: Arc<dyn Clock>,
    /// What follows the configuration.
    pub follow: &'n ConfigWatch,
    /// Counters.
    pub observed: &'n GatewayStatus,
    /// The configuration.
    pub current: &'n Checked,
}

/// The running services.
pub struct RunningServices {
    /// The health cabin's.
    pub cabin: JoinHandle<()>,
    /// The alarms'.
    pub alarms: JoinHandle<()>,
    /// The canteen's.
    pub food: JoinHandle<()>,
    /// The kiosks'.
    pub kiosks: JoinHandle<()>,
    /// The mode switch's.
    pub mode: JoinHandle<()>,
    /// The nodes'.
    pub nodes: JoinHandle<()>,
    /// What makes kiosks show what a mode asks for.
    pub notices: JoinHandle<()>,
    /// What switches sirens.
    pub sirens: JoinHandle<()>,
}

/// Starts every service.
pub async fn start(needs: ServiceDeps<'_>) -> anyhow::Result<(RunningServices, ServiceClients, Vec<Tap>)> {
    let ServiceDeps {
        store,
        samples,
        told,
        commands,
        orders,
        birth,
        routes,
        policies,
        events,
        clock,
        follow,
        observed,
        current,
    } = needs;
    let (watching, watched) = mpsc::channel(alarms::BATCH_QUEUE);
    let (accounting, accounted) = mpsc::channel(canteen::BATCH_QUEUE);
    let (serving, served) = mpsc::channel(kiosks::BATCH_QUEUE);
    let (kiosk_client, kiosk_requests) = ServiceClient::channel(kiosks::REQUEST_QUEUE);
    let (alarm_client, alarm_requests) = ServiceClient::channel(alarms::REQUEST_QUEUE);
    let (canteen_client, canteen_requests) = ServiceClient::channel(canteen::REQUEST_QUEUE);
    let (proving, proven) = mpsc::channel(mode::BATCH_QUEUE);
    let (mode_client, mode_requests) = ServiceClient::channel(mode::REQUEST_QUEUE);
    let (node_client, node_requests) = ServiceClient::channel(nodes::REQUEST_QUEUE);
    let node_desk = node_desk(store, routes, events, &clock, follow).await?;
    let (cabin_client, cabin_requests) = ServiceClient::channel(cabin::REQUEST_QUEUE);
    let alarm_desk = alarm_desk(store, events, &clock, follow, observed, &policies).await?;
    let food_desk = food_desk(store, samples.downgrade(), events, &clock, follow, current).await?;
    let kiosk_desk = kiosk_desk(store, events, &clock, follow, current).await?;
    let cabin_desk = cabin_desk(store, samples, events, &clock, follow, observed).await?;
    let settings = follow.cabin.subscribe();
    let reader = cabin::AuditedReader { store: store.cabin(), settings, clock: Arc::clone(&clock) };
    let notices = notices(store, commands.usual.clone(), &clock, observed, &policies);
    let (told_to, seen_in) = ((birth, policies, signer(current)?), (events, observed));
    let queues = (commands.clone(), mode_requests);
    let mode_desk = mode_desk(store, queues, told_to, seen_in, &clock, follow).await?;
    let (centre, timezone) = (current.centre.id.to_string(), current.centre.timezone.clone());
    let taps = taps(follow, observed, [watching, proving, accounting, serving]);
    let clients = ServiceClients {
        cabin: CabinClient { service: cabin_client, reader, centre, timezone },
        alarms: AlarmClient { service: alarm_client, store: store.alarms() },
        kiosks: KioskClient { service: kiosk_client },
        mode: ModeClient { service: mode_client, store: store.documents() },
        nodes: NodeClient { service: node_client, store: store.documents() },
        canteen: CanteenClient { service: canteen_client, zone: current.centre.zone.clone() },
    };
    let services = RunningServices {
        cabin: tokio::spawn(cabin_desk.run(told, cabin_requests)),
        sirens: tokio::spawn(alarms::run_sirens(alarm_desk.sounding(), commands.usual, clock)),
        alarms: tokio::spawn(alarm_desk.run(watched, alarm_requests)),
        food: tokio::spawn(food_desk.run(accounted, canteen_requests)),
        kiosks: tokio::spawn(kiosk_desk.run(served, kiosk_requests)),
        mode: tokio::spawn(mode_desk.run(proven, orders)),
        nodes: tokio::spawn(node_desk.run(node_requests)),
        notices: tokio::spawn(mode::show_notices(notices)),
    };
    Ok((services, clients, taps))
}

/// Who looks at the batches of which devices.
fn taps(follow: &ConfigWatch, observed: &GatewayStatus, to: [mpsc::Sender<Batch>; 4]) -> Vec<Tap> {
    let [watching, proving, accounting, serving] = to;
    let dropped = &observed.flow.unaccounted;
    [
        (&follow.watched, watching, &observed.alarms.dropped),
        (&follow.evidence, proving, &observed.mode.dropped),
        (&follow.cabinets, accounting, dropped),
        (&follow.terminals, serving, dropped),
    ]
    .into_iter()
    .map(|(devices, to, dropped)| Tap { devices: devices.subscribe(), to, dropped: Arc::clone(dropped) })
    .collect()
}

async fn cabin_desk(
    store: &Store,
    samples: mpsc::Sender<Batch>,
    events: &Events,
    clock: &Arc<dyn Clock>,
    follow: &ConfigWatch,
    observed: &GatewayStatus,
) -> anyhow::Result<cabin::CabinService> {
    let parts = cabin::Deps {
        store: store.clone(),
        samples,
        events: events.clone(),
        clock: Arc::clone(clock),
        health: Arc::clone(&observed.cabin),
    };
    cabin::CabinService::resume(parts, follow.cabin.subscribe()).await
}

async fn node_desk(
    store: &Store,
    routes: watch::Receiver<Arc<Routes>>,
    events: &Events,
    clock: &Arc<dyn Clock>,
    follow: &ConfigWatch,
) -> anyhow::Result<nodes::NodeService> {
    let parts = nodes::Deps {
        store: store.documents(),
        routes,
        keys: follow.image_keys.subscribe(),
        events: events.clone(),
        clock: Arc::clone(clock),
    };
    nodes::NodeService::resume(parts).await
}

fn notices(
    store: &Store,
    commands: mpsc::Sender<Submission>,
    clock: &Arc<dyn Clock>,
    observed: &GatewayStatus,
    policies: &mode::PolicyPublisher,
) -> mode::NoticeDeps {
    mode::NoticeDeps {
        in_force: policies.in_force(),
        commands,
        store: store.documents(),
        live: Arc::clone(&observed.live),
        clock: Arc::clone(clock),
    }
}

async fn food_desk(
    store: &Store,
    samples: mpsc::WeakSender<Batch>,
    events: &Events,
    clock: &Arc<dyn Clock>,
    follow: &ConfigWatch,
    current: &Checked,
) -> anyhow::Result<canteen::CanteenService> {
    let parts = canteen::Deps {
        store: store.documents(),
        samples,
        events: events.clone(),
        clock: Arc::clone(clock),
        watched: follow.canteen.subscribe(),
        zone: current.centre.zone.clone(),
        centre: current.centre.id.clone(),
    };
    canteen::CanteenService::resume(parts).await
}

async fn alarm_desk(
    store: &Store,
    events: &Events,
    clock: &Arc<dyn Clock>,
    follow: &ConfigWatch,
    observed: &GatewayStatus,
    policies: &mode::PolicyPublisher,
) -> anyhow::Result<alarms::AlarmService> {
    let parts = alarms::Deps {
        store: store.alarms(),
        events: events.clone(),
        clock: Arc::clone(clock),
        health: Arc::clone(&observed.alarms),
        rules: follow.alarms.subscribe(),
        asleep: follow.asleep.subscribe(),
        in_force: policies.in_force(),
        hooks: follow.webhooks.subscribe(),
        sirens: follow.sirens.subscribe(),
    };
    alarms::AlarmService::resume(parts).await
}

/// Who signs for the record of the mode switch.
fn signer(current: &Checked) -> anyhow::Result<Option<CheckpointSigner>> {
    let name = format!("linli/{}/{}", current.centre.id, current.gateway.id);
    Ok(mode::signer(&current.data_dir()?, name))
}

async fn mode_desk(
    store: &Store,
    (commands, asked): (Lanes, mpsc::Receiver<mode::Asked>),
    (birth, policies, signer): (watch::Sender<Birth>, mode::PolicyPublisher, Option<CheckpointSigner>),
    (events, observed): (&Events, &GatewayStatus),
    clock: &Arc<dyn Clock>,
    follow: &ConfigWatch,
) -> anyhow::Result<mode::ModeService> {
    let parts = mode::Deps {
        store: store.documents(),
        commands,
        asked,
        events: events.clone(),
        clock: Arc::clone(clock),
        health: Arc::clone(&observed.mode),
        setup: follow.mode.subscribe(),
        needed: follow.needed.clone(),
        evidence: follow.evidence.clone(),
        birth,
        policies,
        signer: signer.map(Arc::new),
    };
    mode::ModeService::resume(parts).await
}

async fn kiosk_desk(
    store: &Store,
    events: &Events,
    clock: &Arc<dyn Clock>,
    follow: &ConfigWatch,
    current: &Checked,
) -> anyhow::Result<kiosks::KioskService> {
    let parts = kiosks::Deps {
        store: store.documents(),
        events: events.clone(),
        clock: Arc::clone(clock),
        setup: follow.kiosks.subscribe(),
        zone: current.centre.zone.clone(),
    };
    kiosks::KioskService::resume(parts).await
}
