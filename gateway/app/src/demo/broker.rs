//! An MQTT broker in the same process: enough for a demonstration on one machine, not for a
//! district. It listens on loopback only and keeps nothing on the disk.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use mqtt5::broker::MqttBroker;
use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};
use tokio::task::JoinSet;

use super::faults::{Fault, Faults};

/// How often the broker looks whether it should be away.
const LOOK: Duration = Duration::from_millis(200);

/// A broker on loopback.
pub struct Broker {
    /// Its port.
    pub port: u16,
}

// === impl Broker ===

impl Broker {
    /// Starts it; the fault switches it off and on again.
    pub async fn start(port: u16, faults: Faults, tasks: &mut JoinSet<()>) -> anyhow::Result<Self> {
        let broker = open(port).await.with_context(|| format!("no broker can listen on port {port}"))?;
        let port = broker.local_addr().context("a broker without an address")?.port();
        tasks.spawn(serve(broker, port, faults));
        Ok(Self { port })
    }
}

async fn open(port: u16) -> anyhow::Result<MqttBroker> {
    let storage = StorageConfig::new()
        .with_backend(StorageBackend::Memory)
        .with_persistence(false)
        .with_max_queued_messages_per_client(10_000);
    let config = BrokerConfig::default()
        .with_bind_address(SocketAddr::from(([127, 0, 0, 1], port)))
        .with_max_clients(100)
        .with_max_packet_size(4 << 20)
        .with_storage(storage);
    MqttBroker::with_config(config).await.map_err(|error| anyhow::anyhow!("{error}"))
}

async fn serve(mut broker: MqttBroker, port: u16, faults: Faults) {
    loop {
        let off = broker.shutdown_handle();
        let running = tokio::spawn(async move { broker.run().await });
        while !faults.is_on(Fault::BrokerDown) && !running.is_finished() {
            tokio::time::sleep(LOOK).await;
        }
        off.shutdown();
        if let Ok(Err(error)) = running.await {
            tracing::debug!(%error, "demonstration broker");
        }
        while faults.is_on(Fault::BrokerDown) {
            tokio::time::sleep(LOOK).await;
        }
        broker = loop {
            match open(port).await {
                Ok(broker) => break broker,
                // The old connections may hold the port for a moment.
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        };
    }
}
