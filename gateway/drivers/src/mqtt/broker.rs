//! An MQTT broker in this process, for the sensors of one centre and for demonstrations. It stores
//! nothing on disk; accepted samples are in the store.

use std::future::{Future, ready};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use mqtt5::broker::MqttBroker;
use mqtt5::broker::auth::{AuthProvider, AuthResult};
use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};
use mqtt5::packet::connect::ConnectPacket;
use mqtt5::protocol::v5::reason_codes::ReasonCode;
use ring::digest::{SHA256, digest};

use super::listener::MOST_CLIENTS;
use super::packet::LONGEST;

/// Most messages queued for one client, and their bytes.
const QUEUE: (usize, usize) = (10_000, 4 << 20);

/// Most retained messages: a few for each device.
const RETAINED: usize = 1000;

/// Longest retained message; so all of them together take 16 MiB at most.
const LONGEST_RETAINED: usize = 16 << 10;

/// A listening broker. It stops when it is dropped or its future ends.
pub struct Broker {
    inner: MqttBroker,
}

/// Takes those who know user name and password, which are kept as one hash.
struct Login {
    user: String,
    password: Vec<u8>,
}

// === impl Broker ===

impl Broker {
    /// Binds the listener; port 0 selects a free port. It takes whoever reaches the address.
    pub async fn open(address: SocketAddr) -> Result<Self, String> {
        let (messages, bytes) = QUEUE;
        let storage = StorageConfig::new()
            .with_backend(StorageBackend::Memory)
            .with_persistence(false)
            .with_max_queued_messages_per_client(messages)
            .with_max_queued_bytes_per_client(bytes);
        let config = BrokerConfig::default()
            .with_bind_address(address)
            // One more, for the line itself, and some that end while others begin.
            .with_max_clients(MOST_CLIENTS + 50)
            .with_max_packet_size(LONGEST)
            .with_max_retained_messages(RETAINED)
            .with_max_retained_message_size(LONGEST_RETAINED)
            .with_storage(storage);
        MqttBroker::with_config(config).await.map(|inner| Self { inner }).map_err(|error| error.to_string())
    }

    /// A broker on a free port of loopback, for the listener before it and for the line itself. With credentials
    /// it takes nobody without them.
    pub(super) async fn within(credentials: Option<(String, String)>) -> Result<Self, String> {
        let Self { inner } = Self::open(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
        Ok(match credentials {
            None => Self { inner },
            Some((user, password)) => {
                let login = Login { user, password: hash(password.as_bytes()) };
                Self { inner: inner.with_auth_provider(Arc::new(login)) }
            }
        })
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

// === impl Login ===

impl AuthProvider for Login {
    fn authenticate<'a>(
        &'a self,
        connect: &'a ConnectPacket,
        _: SocketAddr,
    ) -> Pin<Box<dyn Future<Output = mqtt5::error::Result<AuthResult>> + Send + 'a>> {
        // Hashes are compared, so the time of the comparison reveals nothing about the password.
        let is_password = connect.password.as_ref().is_some_and(|password| hash(password) == self.password);
        let is_known = connect.username.as_deref() == Some(self.user.as_str()) && is_password;
        let result = match is_known {
            true => AuthResult::success_with_user(self.user.clone()),
            false => AuthResult::fail(ReasonCode::BadUsernameOrPassword),
        };
        Box::pin(ready(Ok(result)))
    }

    fn authorize_publish<'a>(
        &'a self,
        _: &str,
        _: Option<&'a str>,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(ready(true))
    }

    fn authorize_subscribe<'a>(
        &'a self,
        _: &str,
        _: Option<&'a str>,
        _: &'a str,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(ready(true))
    }
}

fn hash(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}
