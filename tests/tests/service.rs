//! Under a service manager: ready when it works, alive while it makes progress, an end in order.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use linli_tests::devices::{STORE, counter};
use linli_tests::{Gateway, Peer, Workspace, eventually, free_port};

/// Notifications to the service manager, and their times.
struct Manager {
    socket: UnixDatagram,
    reported: String,
}

impl Manager {
    fn listen(&mut self) -> &str {
        let mut buffer = [0; 4096];
        while let Ok(length) = self.socket.recv(&mut buffer) {
            self.reported += &String::from_utf8_lossy(&buffer[..length]);
            self.reported.push('\n');
        }
        &self.reported
    }
}

#[tokio::test]
async fn the_service_manager_is_told_of_ready_progress_and_stopping() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let port = free_port()?;
    let _peer = Peer::tcp(port, 1, 200).await?;
    let config = workspace.configure_with("", STORE, &counter(port, "100ms"))?;
    let address = workspace.path("notify.sock");
    let socket = UnixDatagram::bind(&address)?;
    socket.set_nonblocking(true)?;
    let mut manager = Manager { socket, reported: String::new() };
    let notify = format!("NOTIFY_SOCKET={}", address.display());
    let mut gateway =
        Gateway::start_under(&["env", &notify, "WATCHDOG_USEC=1000000"], &config, &workspace.path("data"))
            .await?;
    gateway.answering().await?;
    let patience = Duration::from_secs(60);
    eventually("READY=1", patience, || manager.listen().contains("READY=1")).await?;
    eventually("WATCHDOG=1", patience, || manager.listen().matches("WATCHDOG=1").count() >= 4).await?;

    // A process that does nothing does not feed it.
    gateway.signal("-STOP").await?;
    let stat = format!("/proc/{}/stat", gateway.pid());
    let is_stopped = || std::fs::read_to_string(&stat).is_ok_and(|stat| stat.contains(") T "));
    eventually("it is stopped", patience, is_stopped).await?;
    let before = manager.listen().matches("WATCHDOG=1").count();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!(manager.listen().matches("WATCHDOG=1").count(), before);
    gateway.signal("-CONT").await?;
    eventually("it goes on", patience, || manager.listen().matches("WATCHDOG=1").count() > before).await?;

    gateway.stop().await?;
    assert!(manager.listen().contains("STOPPING=1"));
    Ok(())
}
