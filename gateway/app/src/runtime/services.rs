//! Creates the services and the queues between them. Each service resumes with its stored state.

use std::sync::Arc;

use linli_domain::Batch;
use linli_drivers::{CabinEvent, Clock};
use linli_mode::checkpoint::CheckpointSigner;
use linli_outbound::{fhir, print};
use linli_store::Store;
use linli_uplink::{Birth, InboundOrder};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::runtime::config_watch::ConfigWatch;
use crate::runtime::pipeline::Tap;
use linli_accounts::{AccountService, Accounts};
use linli_config::Checked;
use linli_services::client::ServiceClient;
use linli_services::events::Events;
use linli_services::outputs::{ModeOutputs, OutputGuard};
use linli_services::{alarms, canteen, mode};
use linli_services::{
    command_queue::{Lanes, Submission},
    routes::Routes,
};
use linli_web::status::GatewayStatus;
use linli_web::{
    AlarmClient, CabinClient, CanteenClient, Drafts, DraftsDeps, KioskClient, ModeClient, NodeClient,
    OutboundClient, Proposals, ServiceClients,
};

/// What the services need when they start.
pub struct ServiceDeps<'n> {
    /// The database.
    pub store: &'n Store,
    /// Receives the values that services compute.
    pub samples: mpsc::Sender<Batch>,
    /// Measurements of vital signs.
    pub measurements: mpsc::Receiver<CabinEvent>,
    /// Queues of the command service.
    pub commands: Lanes,
    /// Orders from the broker.
    pub orders: mpsc::Receiver<InboundOrder>,
    /// Contents of the `status` topic.
    pub birth: watch::Sender<Birth>,
    /// Current routes to devices and lines.
    pub routes: watch::Receiver<Arc<Routes>>,
    /// Publishes the data policies in force.
    pub policies: mode::PolicyPublisher,
    /// Where the mode switch publishes which outputs are its own, and what guards them.
    pub outputs: (watch::Sender<Arc<ModeOutputs>>, OutputGuard),
    /// Events for screens.
    pub events: &'n Events,
    /// Clock of time stamps.
    pub clock: Arc<dyn Clock>,
    /// Publishes the parts of the current configuration.
    pub config_watch: &'n ConfigWatch,
    /// Counters.
    pub status: &'n Arc<GatewayStatus>,
    /// The configuration.
    pub current: &'n Checked,
}

/// The tasks of the services.
pub struct RunningServices {
    /// The cabin service.
    pub cabin: JoinHandle<()>,
    /// The alarm service.
    pub alarms: JoinHandle<()>,
    /// The canteen service.
    pub canteen: JoinHandle<()>,
    /// The kiosk service.
    pub kiosks: JoinHandle<()>,
    /// The mode service.
    pub mode: JoinHandle<()>,
    /// The node service.
    pub nodes: JoinHandle<()>,
    /// The account service.
    pub accounts: JoinHandle<()>,
    /// Shows the texts that a mode requires on kiosks.
    pub notices: JoinHandle<()>,
    /// Switches the sirens.
    pub sirens: JoinHandle<()>,
    /// Print jobs, and visits for the FHIR server.
    pub outbound: [JoinHandle<()>; 2],
}

/// Starts every service. Returns their tasks, their clients, that of the accounts, and the taps that copy batches to them.
pub async fn start(
    deps: ServiceDeps<'_>,
) -> anyhow::Result<(RunningServices, ServiceClients, Accounts, Vec<Tap>)> {
    let ServiceDeps {
        store,
        samples,
        measurements,
        commands,
        orders,
        birth,
        routes,
        policies,
        outputs: (outputs, guard),
        events,
        clock,
        config_watch,
        status,
        current,
    } = deps;
    let (watching, watched) = mpsc::channel(alarms::BATCH_QUEUE);
    let (accounting, accounted) = mpsc::channel(canteen::BATCH_QUEUE);
    let (serving, served) = mpsc::channel(linli_kiosks::BATCH_QUEUE);
    let (kiosk_client, kiosk_requests) = ServiceClient::channel(linli_kiosks::REQUEST_QUEUE);
    let (alarm_client, alarm_requests) = ServiceClient::channel(alarms::REQUEST_QUEUE);
    let (canteen_client, canteen_requests) = ServiceClient::channel(canteen::REQUEST_QUEUE);
    let (proving, proven) = mpsc::channel(mode::BATCH_QUEUE);
    let (mode_client, mode_requests) = ServiceClient::channel(mode::REQUEST_QUEUE);
    let (node_client, node_requests) = ServiceClient::channel(linli_nodes::REQUEST_QUEUE);
    let node_service = node_service(store, (routes, guard), events, &clock, config_watch).await?;
    let (cabin_client, cabin_requests) = ServiceClient::channel(linli_cabin::REQUEST_QUEUE);
    let alarm_service = alarm_service(store, events, &clock, config_watch, status, &policies).await?;
    let canteen_service =
        canteen_service(store, samples.downgrade(), events, &clock, config_watch, current).await?;
    let kiosk_service = kiosk_service(store, events, &clock, config_watch, current).await?;
    let residents = linli_cabin::ResidentKeys::at(&current.data_dir()?);
    let cabin_service =
        cabin_service(store, samples, events, &clock, (config_watch, residents.clone()), status).await?;
    let reader = reader(store, config_watch, &clock, residents);
    let notices = notices(store, commands.usual.clone(), &clock, status, &policies);
    let (published, shown) = ((birth, policies, outputs, signer(current)?), (events, status));
    let queues = (commands.clone(), mode_requests, proven);
    let numbers = mode::OrderNumbersFile::beside(&current.store.path);
    let mode_service = mode_service(store, queues, published, shown, &clock, (config_watch, numbers)).await?;
    let (outbound_client, outbound) = outbound(store, &reader, events, config_watch, current).await?;
    let (centre, timezone) = (current.centre.id.to_string(), current.centre.timezone.clone());
    let taps = taps(config_watch, status, [watching, proving, accounting, serving]);
    let (account_service, accounts, account_requests) = account_service(store, events, &clock).await?;
    let clients = ServiceClients {
        cabin: CabinClient { service: cabin_client, reader, centre, timezone },
        alarms: alarm_routes(alarm_client, store, config_watch, status),
        kiosks: KioskClient { service: kiosk_client },
        mode: mode_of(mode_client, (store, current), (config_watch, events), &clock),
        nodes: NodeClient { service: node_client, store: store.documents() },
        outbound: outbound_client,
        canteen: CanteenClient { service: canteen_client, zone: current.centre.zone.clone() },
    };
    let services = RunningServices {
        cabin: tokio::spawn(cabin_service.run(measurements, cabin_requests)),
        sirens: tokio::spawn(alarms::run_sirens(alarm_service.sounding(), commands.usual, clock)),
        alarms: tokio::spawn(alarm_service.run(watched, alarm_requests)),
        canteen: tokio::spawn(canteen_service.run(accounted, canteen_requests)),
        kiosks: tokio::spawn(kiosk_service.run(served, kiosk_requests)),
        mode: tokio::spawn(mode_service.run(orders)),
        nodes: tokio::spawn(node_service.run(node_requests)),
        accounts: tokio::spawn(account_service.run(account_requests)),
        notices: tokio::spawn(mode::show_notices(notices)),
        outbound,
    };
    Ok((services, clients, accounts, taps))
}

/// What the routes of alarms reach.
fn alarm_routes(
    service: ServiceClient<alarms::Action, Vec<alarms::AlarmView>>,
    store: &Store,
    config_watch: &ConfigWatch,
    status: &Arc<GatewayStatus>,
) -> AlarmClient {
    AlarmClient {
        service,
        store: store.alarms(),
        notices: alarms::Notices::new(store.documents()),
        hooks: config_watch.webhooks.subscribe(),
        sirens: config_watch.sirens.subscribe(),
        status: Arc::clone(status),
    }
}

/// Starts what sends the cabin's results away: print jobs and visits for the FHIR server.
async fn outbound(
    store: &Store,
    reader: &linli_cabin::AuditedReader,
    events: &Events,
    config_watch: &ConfigWatch,
    current: &Checked,
) -> anyhow::Result<(OutboundClient, [JoinHandle<()>; 2])> {
    let (name, zone) = (current.centre.name.clone(), current.centre.zone.clone());
    let slips = linli_outbound::SlipMaker {
        reader: reader.clone(),
        settings: config_watch.slip.subscribe(),
        centre: name.clone(),
        zone,
    };
    let printing = print::PrintService::resume(print::Deps {
        store: store.documents(),
        slips: slips.clone(),
        events: events.clone(),
        clock: Arc::clone(&reader.clock),
        settings: config_watch.slip.subscribe(),
        gateway: current.gateway.id.clone(),
    });
    let sending = fhir::FhirService::resume(fhir::Deps {
        store: store.documents(),
        reader: reader.clone(),
        events: events.clone(),
        settings: config_watch.fhir.subscribe(),
        centre: current.centre.id.to_string(),
        name,
    });
    let (print_client, print_requests) = ServiceClient::channel(print::REQUEST_QUEUE);
    let (fhir_client, fhir_requests) = ServiceClient::channel(fhir::REQUEST_QUEUE);
    let tasks =
        [tokio::spawn(printing.await?.run(print_requests)), tokio::spawn(sending.await?.run(fhir_requests))];
    let documents = store.documents();
    Ok((OutboundClient { slips, print: print_client, fhir: fhir_client, documents }, tasks))
}

/// The mode switch, and the orders that people write at the screens.
fn mode_of(
    service: ServiceClient<mode::RequestedAction, serde_json::Value>,
    (store, current): (&Store, &Checked),
    (config_watch, events): (&ConfigWatch, &Events),
    clock: &Arc<dyn Clock>,
) -> ModeClient {
    let proposals = Proposals::default();
    tokio::spawn(proposals.clone().listen(events.subscribe()));
    let drafts = Arc::new(Drafts::new(DraftsDeps {
        mode: service.clone(),
        keys: config_watch.orders.subscribe(),
        clock: Arc::clone(clock),
        events: events.clone(),
    }));
    ModeClient { service, store: store.documents(), drafts, proposals, zone: current.centre.zone.clone() }
}

/// The taps: which devices' batches each service receives.
fn taps(config_watch: &ConfigWatch, status: &GatewayStatus, to: [mpsc::Sender<Batch>; 4]) -> Vec<Tap> {
    let [watching, proving, accounting, serving] = to;
    let dropped = &status.flow.unaccounted;
    [
        (&config_watch.watched, watching, &status.alarms.dropped),
        (&config_watch.evidence, proving, &status.mode.dropped),
        (&config_watch.cabinets, accounting, dropped),
        (&config_watch.terminals, serving, dropped),
    ]
    .into_iter()
    .map(|(devices, to, dropped)| Tap { devices: devices.subscribe(), to, dropped: Arc::clone(dropped) })
    .collect()
}

fn reader(
    store: &Store,
    config_watch: &ConfigWatch,
    clock: &Arc<dyn Clock>,
    residents: linli_cabin::ResidentKeys,
) -> linli_cabin::AuditedReader {
    let settings = config_watch.cabin.subscribe();
    linli_cabin::AuditedReader { store: store.cabin(), settings, clock: Arc::clone(clock), residents }
}

async fn account_service(
    store: &Store,
    events: &Events,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<(AccountService, Accounts, mpsc::Receiver<linli_accounts::Asked>)> {
    let (store, events) = (store.documents(), events.clone());
    let service =
        AccountService::resume(linli_accounts::Deps { store, clock: Arc::clone(clock), events }).await?;
    let (accounts, requests) = Accounts::channel(service.access());
    Ok((service, accounts, requests))
}

async fn cabin_service(
    store: &Store,
    samples: mpsc::Sender<Batch>,
    events: &Events,
    clock: &Arc<dyn Clock>,
    (config_watch, residents): (&ConfigWatch, linli_cabin::ResidentKeys),
    status: &GatewayStatus,
) -> anyhow::Result<linli_cabin::CabinService> {
    let deps = linli_cabin::Deps {
        store: store.clone(),
        samples,
        live: Arc::clone(&status.live),
        events: events.clone(),
        clock: Arc::clone(clock),
        health: Arc::clone(&status.cabin),
        residents,
    };
    linli_cabin::CabinService::resume(deps, config_watch.cabin.subscribe()).await
}

async fn node_service(
    store: &Store,
    (routes, guard): (watch::Receiver<Arc<Routes>>, OutputGuard),
    events: &Events,
    clock: &Arc<dyn Clock>,
    config_watch: &ConfigWatch,
) -> anyhow::Result<linli_nodes::NodeService> {
    let deps = linli_nodes::Deps {
        store: store.documents(),
        routes,
        guard,
        keys: config_watch.image_keys.subscribe(),
        events: events.clone(),
        clock: Arc::clone(clock),
    };
    linli_nodes::NodeService::resume(deps).await
}

fn notices(
    store: &Store,
    commands: mpsc::Sender<Submission>,
    clock: &Arc<dyn Clock>,
    status: &GatewayStatus,
    policies: &mode::PolicyPublisher,
) -> mode::NoticeDeps {
    mode::NoticeDeps {
        in_force: policies.in_force(),
        commands,
        store: store.documents(),
        live: Arc::clone(&status.live),
        clock: Arc::clone(clock),
    }
}

async fn canteen_service(
    store: &Store,
    samples: mpsc::WeakSender<Batch>,
    events: &Events,
    clock: &Arc<dyn Clock>,
    config_watch: &ConfigWatch,
    current: &Checked,
) -> anyhow::Result<canteen::CanteenService> {
    let deps = canteen::Deps {
        store: store.documents(),
        samples,
        events: events.clone(),
        clock: Arc::clone(clock),
        watched: config_watch.canteen.subscribe(),
        zone: current.centre.zone.clone(),
        centre: current.centre.id.clone(),
    };
    canteen::CanteenService::resume(deps).await
}

async fn alarm_service(
    store: &Store,
    events: &Events,
    clock: &Arc<dyn Clock>,
    config_watch: &ConfigWatch,
    status: &GatewayStatus,
    policies: &mode::PolicyPublisher,
) -> anyhow::Result<alarms::AlarmService> {
    let deps = alarms::Deps {
        store: store.alarms(),
        events: events.clone(),
        clock: Arc::clone(clock),
        health: Arc::clone(&status.alarms),
        rules: config_watch.alarms.subscribe(),
        asleep: config_watch.asleep.subscribe(),
        in_force: policies.in_force(),
        hooks: config_watch.webhooks.subscribe(),
        sirens: config_watch.sirens.subscribe(),
    };
    alarms::AlarmService::resume(deps).await
}

/// Signer of the record of the mode switch; `None` when its key cannot be read or created.
fn signer(current: &Checked) -> anyhow::Result<Option<CheckpointSigner>> {
    let name = format!("linli/{}/{}", current.centre.id, current.gateway.id);
    Ok(mode::signer(&current.data_dir()?, name))
}

/// Where the mode switch publishes what others config_watch, and who signs its record.
type ModePublishers =
    (watch::Sender<Birth>, mode::PolicyPublisher, watch::Sender<Arc<ModeOutputs>>, Option<CheckpointSigner>);

async fn mode_service(
    store: &Store,
    (commands, asked, batches): (Lanes, mpsc::Receiver<mode::Asked>, mpsc::Receiver<Batch>),
    (birth, policies, outputs, signer): ModePublishers,
    (events, status): (&Events, &Arc<GatewayStatus>),
    clock: &Arc<dyn Clock>,
    (config_watch, order_numbers): (&ConfigWatch, mode::OrderNumbersFile),
) -> anyhow::Result<mode::ModeService> {
    let deps = mode::Deps {
        store: store.documents(),
        commands,
        asked,
        events: events.clone(),
        clock: Arc::clone(clock),
        health: Arc::clone(&status.mode),
        setup: config_watch.mode.subscribe(),
        needed: config_watch.needed.clone(),
        evidence: config_watch.evidence.clone(),
        birth,
        policies,
        outputs,
        signer: signer.map(Arc::new),
        order_numbers,
    };
    mode::ModeService::resume(deps, batches).await
}

async fn kiosk_service(
    store: &Store,
    events: &Events,
    clock: &Arc<dyn Clock>,
    config_watch: &ConfigWatch,
    current: &Checked,
) -> anyhow::Result<linli_kiosks::KioskService> {
    let deps = linli_kiosks::Deps {
        store: store.documents(),
        events: events.clone(),
        clock: Arc::clone(clock),
        setup: config_watch.kiosks.subscribe(),
        zone: current.centre.zone.clone(),
    };
    linli_kiosks::KioskService::resume(deps).await
}
