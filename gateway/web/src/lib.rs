//! HTTP: what people and machines may look at, and, behind a file permission, what they may do.
//!
//! Two listeners. The network listener shows what names nobody, and opens the health cabin to workers
//! with a token. The control socket, a file that only the gateway's user and group can open, opens
//! it to them, and also acts: commands and reload. So no browser page and no other user of the
//! machine can command a device.

mod alarms;
mod assets;
mod cabin;
mod canteen;
mod centre;
mod control;
mod events;
mod kiosks;
mod metrics;
mod mode;
mod nodes;
mod show;
pub mod status;
mod whole_body;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
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
pub use kiosks::KioskClient;
use linli_config::WebLimits;
use linli_listen::Limits;
use linli_services::ServiceError;
use linli_services::events::Events;
pub use mode::ModeClient;
pub use nodes::NodeClient;
pub use worker::{Who, Workers};

/// Name of the control socket in the data directory.
pub const SOCKET: &str = "control.sock";

/// The directory of the socket of a gateway whose database is at its default place, where the service manager makes
/// it: members of the group may enter it, and not the state directory.
pub const RUNTIME_DIR: &str = "/run/linli";

/// An error as the API shows it (the shape of RFC 9457 problem details).
#[derive(Debug, serde::Serialize)]
pub struct Problem {
    /// HTTP status code.
    pub status: u16,
    /// What is wrong, and how to correct it.
    pub detail: String,
}

// === impl Problem ===

impl Problem {
    /// A problem with that status.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status: status.as_u16(), detail: detail.into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, [("content-type", "application/problem+json")], Json(self)).into_response()
    }
}

impl From<ServiceError> for Problem {
    fn from(refusal: ServiceError) -> Self {
        let status = match refusal {
            ServiceError::Wrong(_) => StatusCode::UNPROCESSABLE_ENTITY,
            ServiceError::Unknown(_) => StatusCode::NOT_FOUND,
            ServiceError::Conflict(_) => StatusCode::CONFLICT,
            ServiceError::NotNow(_) => StatusCode::SERVICE_UNAVAILABLE,
            ServiceError::Full(_) => StatusCode::INSUFFICIENT_STORAGE,
        };
        Self::new(status, refusal.to_string())
    }
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
    /// Events for screens.
    pub events: Events,
    /// Workers of the current configuration.
    pub workers: Workers,
    /// Plan of the centre of the current configuration.
    pub plan: watch::Receiver<Plan>,
}

// === impl AppState ===

impl AppState {
    /// The state from its parts.
    #[must_use]
    pub fn new(
        status_source: &Arc<GatewayStatus>,
        clients: ServiceClients,
        events: Events,
        (workers, plan): (Workers, watch::Receiver<Plan>),
    ) -> Self {
        let ServiceClients { cabin, alarms, canteen, kiosks, mode, nodes } = clients;
        Self {
            status_source: Arc::clone(status_source),
            cabin,
            alarms,
            canteen,
            kiosks,
            mode,
            nodes,
            events,
            workers,
            plan,
        }
    }

    fn router(&self, cancel: &CancellationToken) -> Router {
        show::router(Arc::clone(&self.status_source))
            .merge(cabin::router(self.cabin.clone()))
            .merge(alarms::router(self.alarms.clone()))
            .merge(canteen::router(self.canteen.clone()))
            .merge(kiosks::router(self.kiosks.clone()))
            .merge(mode::router(self.mode.clone()))
            .merge(centre::router(self.centre()))
            .merge(events::router(self.events.clone(), Arc::clone(&self.status_source.live), cancel.clone()))
            .merge(assets::router(show::ADDRESSES))
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
    cancel: CancellationToken,
) {
    let by_token = from_fn_with_state(state.workers.clone(), worker::by_token);
    let router = state.router(&cancel).layer(by_token).layer(from_fn(whole_body::whole_body));
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
    let acting = control::router(control)
        .merge(mode::control(state.mode.clone()))
        .merge(nodes::control(state.nodes.clone()));
    let router = state.router(&cancel).merge(acting).layer(from_fn(worker::by_user));
    let router = router.layer(from_fn(whole_body::whole_body));
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
