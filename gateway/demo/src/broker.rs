//! The broker of the demonstration, on loopback only.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use linli_drivers::mqtt;
use tokio::task::JoinSet;

use super::faults::{Fault, Faults};

/// How often the fault `broker-down` is checked.
const LOOK: Duration = Duration::from_millis(200);

/// A running broker on loopback.
pub struct Broker {
    /// Port on 127.0.0.1.
    pub port: u16,
}

// === impl Broker ===

impl Broker {
    /// Starts the broker and a task that stops and restarts it as the fault is switched.
    pub async fn start(port: u16, faults: Faults, tasks: &mut JoinSet<()>) -> anyhow::Result<Self> {
        let broker = open(port).await.with_context(|| format!("no broker can listen on port {port}"))?;
        let port = broker.address().context("a broker without an address")?.port();
        tasks.spawn(serve(broker, port, faults));
        Ok(Self { port })
    }
}

async fn open(port: u16) -> anyhow::Result<mqtt::Broker> {
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    mqtt::Broker::open(address).await.map_err(|error| anyhow::anyhow!("{error}"))
}

async fn serve(mut broker: mqtt::Broker, port: u16, faults: Faults) {
    loop {
        broker.serve(until(&faults, true)).await;
        until(&faults, false).await;
        broker = loop {
            match open(port).await {
                Ok(broker) => break broker,
                // The old connections may hold the port for a moment.
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        };
    }
}

/// Waits until the fault has the given state.
async fn until(faults: &Faults, is_away: bool) {
    while faults.is_on(Fault::BrokerDown) != is_away {
        tokio::time::sleep(LOOK).await;
    }
}
