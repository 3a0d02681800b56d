//! HTTP: what people and programs may look at and do.
//!
//! Two listeners, one router, one gate: the network, where an account logs in, and the control socket, a file that
//! only the gateway's user and group can open, where the user of the machine is an account. `permission` is the
//! table of who may ask for what.

mod alarms;
mod assets;
mod backup;
mod body;
mod cabin;
mod cabin_work;
mod canteen;
mod centre;
mod control;
pub mod control_client;
mod drafts;
mod events;
mod exchange;
mod gate;
mod growth;
mod headers;
mod idempotency;
mod kiosks;
mod metrics;
mod mode;
mod nodes;
#[expect(dead_code, reason = "most types of the document only describe; nothing makes them")]
pub mod openapi;
mod outbound;
mod outreach;
mod page;
pub mod permission;
mod problem;
mod proposals;
mod record;
mod session;
mod show;
pub mod status;
mod system;
mod technician;
mod users;
mod visitors;
mod whole_body;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::status::GatewayStatus;
pub use alarms::AlarmClient;
pub use assets::without_screens;
pub use cabin::CabinClient;
pub use canteen::CanteenClient;
pub use centre::{Plan, plan};
pub use control::{Control, ReloadRequest};
pub use gate::{Gate, ListenerKind, LocalAccounts, Principal, Who, Workers};
pub use kiosks::KioskClient;
use linli_accounts::Accounts;
use linli_config::WebLimits;
use linli_domain::Id;
pub use linli_drafts::{Drafts, DraftsDeps, OrderKeys, Proposals};
use linli_listen::Limits;
use linli_services::events::Events;
pub use mode::ModeClient;
pub use nodes::NodeClient;
pub use outbound::OutboundClient;
pub use problem::Problem;
pub use record::RecordReader;
pub use system::watch_growth;
pub use technician::CheckRequest;
pub use visitors::{
    BeginningDrill, DemoFault, OpeningSession, Visitor, VisitorLogIn, VisitorSecrets, VisitorSession,
    Visitors,
};

/// Name of the control socket in the data directory.
pub const SOCKET: &str = "control.sock";

/// The directory of the socket of a gateway whose database is at its default place, where the service manager makes
/// it: members of the group may enter it, and not the state directory.
pub const RUNTIME_DIR: &str = "/run/linli";

/// What the configuration names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfiguredNames {
    /// Host names under which this gateway is known, beside its addresses.
    pub names: Vec<String>,
    /// Ids of people.
    pub people: Vec<Id>,
    /// Ids of rooms.
    pub rooms: Vec<Id>,
}

/// The same, of the current configuration.
pub type KnownPlaces = watch::Receiver<Arc<ConfiguredNames>>;

/// Who may come in.
#[derive(Clone)]
pub struct AccessDeps {
    /// Accounts of people.
    pub accounts: Accounts,
    /// Accounts with a token.
    pub workers: Workers,
    /// Accounts of users of this machine.
    pub locals: LocalAccounts,
    /// What the configuration names.
    pub known: KnownPlaces,
}

/// Clients of the services.
pub struct ServiceClients {
    /// Client of the cabin service.
    pub cabin: CabinClient,
    /// Client of the alarm service.
    pub alarms: AlarmClient,
    /// Client of the canteen service.
    pub canteen: CanteenClient,
    /// Client of the kiosk service.
    pub kiosks: KioskClient,
    /// Client of the mode service.
    pub mode: ModeClient,
    /// Client of the node service.
    pub nodes: NodeClient,
    /// What leaves the cabin.
    pub outbound: OutboundClient,
}

/// State that both listeners share.
#[derive(Clone)]
pub struct AppState {
    /// Status of the gateway.
    pub status_source: Arc<GatewayStatus>,
    /// Client of the cabin service.
    pub cabin: CabinClient,
    /// Client of the alarm service.
    pub alarms: AlarmClient,
    /// Client of the canteen service.
    pub canteen: CanteenClient,
    /// Client of the kiosk service.
    pub kiosks: KioskClient,
    /// Client of the mode service.
    pub mode: ModeClient,
    /// Client of the node service.
    pub nodes: NodeClient,
    /// What leaves the cabin.
    pub outbound: OutboundClient,
    /// Events for screens.
    pub events: Events,
    /// Who may come in.
    pub access: AccessDeps,
    /// Log-ins of the demonstration.
    pub visitors: Visitors,
    /// Plan of the centre of the current configuration.
    pub plan: watch::Receiver<Plan>,
    backups: Arc<backup::Backups>,
    feed: Arc<events::Feed>,
}

// === impl AppState ===

impl AppState {
    /// The state from its parts.
    #[must_use]
    pub fn new(
        status_source: &Arc<GatewayStatus>,
        clients: ServiceClients,
        events: Events,
        access: AccessDeps,
        plan: watch::Receiver<Plan>,
    ) -> Self {
        let ServiceClients { cabin, alarms, canteen, kiosks, mode, nodes, outbound } = clients;
        Self {
            status_source: Arc::clone(status_source),
            cabin,
            alarms,
            canteen,
            kiosks,
            mode,
            nodes,
            outbound,
            events,
            access,
            visitors: Visitors::default(),
            plan,
            backups: Arc::new(backup::Backups::of(status_source.database.clone())),
            feed: events::Feed::of(Arc::clone(&status_source.live)),
        }
    }

    /// Every route, behind the gate.
    fn router(&self, control: Control, listener: ListenerKind, cancel: &CancellationToken) -> Router {
        let AccessDeps { accounts, workers, locals, known } = self.access.clone();
        let gate = Gate { accounts: accounts.clone(), workers, locals, known: known.clone(), listener };
        let visitors = visitors::router(Arc::clone(&self.visitors), gate.clone());
        let sessions = session::Sessions { gate: gate.clone(), centre: self.cabin.centre.clone() };
        let (live, feed) = (Arc::clone(&self.status_source.live), Arc::clone(&self.feed));
        let users = users::Users { accounts: accounts.clone(), known, store: self.mode.store.clone() };
        show::router(Arc::clone(&self.status_source))
            .merge(session::router(sessions))
            .merge(visitors)
            .merge(users::router(users))
            .merge(cabin::router(self.cabin.clone()))
            .merge(cabin_work::router(self.cabin.clone()))
            .merge(outreach::router(self.outreach()))
            .merge(alarms::router(self.alarms.clone()))
            .merge(canteen::router(self.canteen.clone()))
            .merge(kiosks::router(self.kiosks.clone()))
            .merge(mode::router(self.mode.clone()))
            .merge(drafts::router(self.mode.clone()))
            .merge(nodes::router(self.nodes.clone()))
            .merge(outbound::router(self.outbound.clone()))
            .merge(record::router(self.record()))
            .merge(technician::router(self.workbench(&control)))
            .merge(proposals::router(self.drawings(&control, accounts.clone())))
            .merge(exchange::router(self.workbench(&control)))
            .merge(system::router(self.system(accounts.clone())))
            .merge(control::router(control, live))
            .merge(centre::router(self.centre()))
            .merge(events::router(self.events.clone(), feed, accounts.access, cancel.clone()))
            .merge(openapi::router())
            .merge(assets::router(show::ADDRESSES))
            .layer(from_fn_with_state(idempotency::Keys::default(), idempotency::once))
            .layer(from_fn_with_state(gate, gate::enter))
            .layer(from_fn(whole_body::whole_body))
            .layer(from_fn(problem::every_refusal))
            .layer(from_fn(headers::secure))
    }

    /// Reads every log of the gateway.
    #[must_use]
    pub fn record(&self) -> RecordReader {
        RecordReader { documents: self.mode.store.clone(), reader: self.cabin.reader.clone() }
    }

    fn outreach(&self) -> outreach::OutreachClient {
        outreach::OutreachClient { cabin: self.cabin.clone(), documents: self.outbound.documents.clone() }
    }

    fn workbench(&self, control: &Control) -> technician::Workbench {
        technician::Workbench {
            nodes: self.nodes.clone(),
            status: Arc::clone(&self.status_source),
            check: control.check.clone(),
        }
    }

    fn drawings(&self, control: &Control, accounts: Accounts) -> proposals::Drawings {
        proposals::Drawings { workbench: self.workbench(control), accounts }
    }

    fn system(&self, accounts: linli_accounts::Accounts) -> system::System {
        let (status, backups) = (Arc::clone(&self.status_source), Arc::clone(&self.backups));
        system::System { status, accounts, backups }
    }

    fn centre(&self) -> centre::Centre {
        let status = &self.status_source;
        centre::Centre {
            plan: self.plan.clone(),
            mode: Arc::clone(&status.mode),
            alarms: Arc::clone(&status.alarms),
            cabin: Arc::clone(&status.cabin),
        }
    }
}

/// Serves the network listener until cancelled, over TLS if it is given.
pub async fn serve_network(
    listener: TcpListener,
    (tls, limits): (Option<&linli_listen::Tls>, WebLimits),
    state: AppState,
    control: Control,
    cancel: CancellationToken,
) {
    let listener_kind = ListenerKind::Network { is_tls: tls.is_some() };
    let router = state.router(control, listener_kind, &cancel);
    let counts = Arc::clone(&state.status_source.listeners.network);
    let WebLimits { connections, per_address, headers, body } = limits;
    let limits = Limits::network().with(connections, per_address, headers, body);
    linli_listen::serve(listener, tls, router, limits, counts, cancel).await;
}

/// Serves the control socket until cancelled, then removes it.
pub async fn serve_control(
    listener: UnixListener,
    path: PathBuf,
    state: AppState,
    control: Control,
    cancel: CancellationToken,
) {
    let router = state.router(control, ListenerKind::Control, &cancel);
    let counts = Arc::clone(&state.status_source.listeners.control);
    linli_listen::serve(listener, None, router, Limits::control(), counts, cancel).await;
    let _ = std::fs::remove_file(path);
}

/// Opens the control socket for the gateway's user and group. A socket left by a killed process
/// is replaced; one that still answers means a gateway already runs on this data directory.
pub async fn bind_control(path: &Path) -> anyhow::Result<UnixListener> {
    use anyhow::Context;
    use std::os::unix::fs::PermissionsExt;
    if tokio::net::UnixStream::connect(path).await.is_ok() {
        anyhow::bail!("{}: another linli already runs on this data directory; stop it first", path.display());
    }
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path)
        .with_context(|| format!("{}: the control socket cannot be opened", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))
        .with_context(|| format!("{}: permissions cannot be set", path.display()))?;
    Ok(listener)
}
