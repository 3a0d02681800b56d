//! The two HTTP listeners: network and control socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use linli_config::WebLimits;
use linli_listen::Tls;
use linli_web::{AppState, Control};

/// Open listeners: the network one is read-only, the control socket also takes commands.
pub struct Listeners {
    network: TcpListener,
    socket: UnixListener,
    socket_path: PathBuf,
}

// === impl Listeners ===

impl Listeners {
    /// Opens both.
    ///
    /// # Errors
    /// The address or path that cannot be opened.
    pub async fn open(listen: SocketAddr, data_dir: &Path) -> anyhow::Result<Self> {
        let socket_path = socket_path(data_dir)?;
        let socket = linli_web::bind_control(&socket_path).await?;
        let network = TcpListener::bind(listen)
            .await
            .with_context(|| format!("[web] listen: {listen} cannot be opened"))?;
        Ok(Self { network, socket, socket_path })
    }

    /// Address of the network listener, with the real port.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.network.local_addr()
    }

    /// Serves both until `cancel`, the network one over TLS if it is given.
    pub fn serve(
        self,
        (tls, limits): (Option<Tls>, WebLimits),
        state: &AppState,
        control: Control,
        cancel: &CancellationToken,
    ) -> Vec<JoinHandle<()>> {
        let (shared, ends) = (state.clone(), cancel.clone());
        let network =
            async move { linli_web::serve_network(self.network, (tls.as_ref(), limits), shared, ends).await };
        let socket =
            linli_web::serve_control(self.socket, self.socket_path, state.clone(), control, cancel.clone());
        vec![tokio::spawn(network), tokio::spawn(socket)]
    }
}

/// Where the control socket goes: into the directory that the service manager made for it, with a link to it in the
/// state directory, or into the state directory itself.
fn socket_path(data_dir: &Path) -> anyhow::Result<PathBuf> {
    let beside = data_dir.join(linli_web::SOCKET);
    let Some(runtime) = std::env::var_os("RUNTIME_DIRECTORY") else { return Ok(beside) };
    let path = Path::new(&runtime).join(linli_web::SOCKET);
    let _ = std::fs::remove_file(&beside);
    std::os::unix::fs::symlink(&path, &beside)
        .with_context(|| format!("{} cannot be made", beside.display()))?;
    Ok(path)
}
