//! Where to connect, and how.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of the uplink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Broker's host name or address.
    pub host: String,
    /// Broker's port.
    pub port: u16,
    /// Protocol version.
    pub version: Version,
    /// Client id, unique at the broker.
    pub client_id: String,
    /// User name and password.
    pub credentials: Option<Credentials>,
    /// TLS; none means plain TCP.
    pub tls: Option<Tls>,
    /// `linli/1/{centre}/{gateway}`.
    pub base: String,
    /// Most messages sent and not yet acknowledged.
    pub window: usize,
    /// Most backlog messages per second; zero means as fast as it goes.
    pub backlog_rate: u32,
    /// Longest payload; longer ones go to the dead letters.
    pub max_payload: usize,
    /// Keep-alive.
    pub keep_alive: Duration,
    /// A connection that acknowledges nothing for this long is dropped.
    pub ack_timeout: Duration,
}

/// MQTT version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// MQTT 5.
    V5,
    /// MQTT 3.1.1.
    V311,
}

/// User name and password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub username: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:…", self.username)
    }
}

/// Files for TLS, all PEM.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Certificates to trust; none means the system's.
    pub ca: Option<PathBuf>,
    /// Own certificate chain and key, for mutual TLS.
    pub identity: Option<(PathBuf, PathBuf)>,
}
