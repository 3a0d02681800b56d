//! The two HTTP listeners: network and control socket.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use linli_web::{AppState, Control};

/// Open listeners: the network, where accounts log in, and the control socket.
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
        let socket_path = data_dir.join(linli_web::SOCKET);
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

    /// Serves both until `cancel`.
    pub fn serve(
        self,
        state: &AppState,
        control: Control,
        cancel: &CancellationToken,
    ) -> Vec<JoinHandle<()>> {
        let network = linli_web::serve_network(self.network, state.clone(), control.clone(), cancel.clone());
        let socket =
            linli_web::serve_control(self.socket, self.socket_path, state.clone(), control, cancel.clone());
        vec![tokio::spawn(network), tokio::spawn(socket)]
    }
}
