//! An MQTT broker in this process, for the sensors of one centre and for demonstrations. It stores
//! nothing on disk; accepted samples are in the store.

use std::net::SocketAddr;

use mqtt5::broker::MqttBroker;
use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};

/// Most clients: the devices of one centre.
const MOST_CLIENTS: usize = 200;

/// Longest message a device may send.
const LONGEST: usize = 4 << 20;

/// Most messages queued for one client.
const QUEUE: usize = 10_000;

/// A listening broker. It stops when it is dropped or its future ends.
pub struct Broker {
    inner: MqttBroker,
}

// === impl Broker ===

impl Broker {
    /// Binds the listener; port 0 selects a free port.
    pub async fn open(address: SocketAddr) -> Result<Self, String> {
        let storage = StorageConfig::new()
            .with_backend(StorageBackend::Memory)
            .with_persistence(false)
            .with_max_queued_messages_per_client(QUEUE);
        let config = BrokerConfig::default()
            .with_bind_address(address)
            .with_max_clients(MOST_CLIENTS)
            .with_max_packet_size(LONGEST)
            .with_storage(storage);
        MqttBroker::with_config(config).await.map(|inner| Self { inner }).map_err(|error| error.to_string())
    }

    /// Returns the bound address.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.inner.local_addr()
    }

    /// Serves clients until `until` completes.
    pub async fn serve(mut self, until: impl Future<Output = ()>) {
        let off = self.inner.shutdown_handle();
        let mut running = tokio::spawn(async move { self.inner.run().await });
        tokio::select! {
            () = until => off.shutdown(),
            ended = &mut running => {
                tracing::warn!(?ended, "the broker ended");
                return;
            }
        }
        if let Ok(Err(error)) = running.await {
            tracing::debug!(%error, "broker");
        }
    }
}
