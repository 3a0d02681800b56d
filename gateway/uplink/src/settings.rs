//! Where to connect, and how.

use std::path::PathBuf;
use std::time::Duration;

/// Settings of the uplink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Host name or address of the broker.
    pub host: String,
    /// Port of the broker.
    pub port: u16,
    /// Further brokers of the same district, tried in turn after the first.
    pub others: Vec<(String, u16)>,
    /// Version of MQTT.
    pub version: Version,
    /// Client id, unique at the broker.
    pub client_id: String,
    /// User name and password.
    pub credentials: Option<Credentials>,
    /// TLS; none means plain TCP.
    pub tls: Option<Tls>,
    /// Beginning of all topics: `linli/1/{centre}/{gateway}`.
    pub base: String,
    /// Largest number of messages sent and not yet acknowledged.
    pub window: usize,
    /// Backlog messages per second, at most; 0 is no limit.
    pub backlog_rate: u32,
    /// Longest payload in bytes; longer ones become dead letters.
    pub max_payload: usize,
    /// Keep-alive interval.
    pub keep_alive: Duration,
    /// A connection without any acknowledgement for this long is closed.
    pub ack_timeout: Duration,
    /// When a record leaves the store.
    pub acknowledge: Acknowledge,
    /// Whether commands and orders are subscribed at QoS 1; else at QoS 0, for a district that repeats them.
    pub inbound_qos1: bool,
    /// Whether topics are sent with `~` for `.`.
    pub escape_dots: bool,
}

// === impl Settings ===

impl Settings {
    /// Host and port of the broker that the `attempt`-th connection is made to: each in turn.
    #[must_use]
    pub fn address(&self, attempt: usize) -> (&str, u16) {
        match attempt % (self.others.len() + 1) {
            0 => (&self.host, self.port),
            nth => self.others.get(nth - 1).map_or((&self.host, self.port), |(host, port)| (host, *port)),
        }
    }

    /// Whether the `attempt`-th connection begins with the first broker again.
    #[must_use]
    pub fn is_round(&self, attempt: usize) -> bool {
        attempt.is_multiple_of(self.others.len() + 1)
    }
}

/// When a record leaves the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Acknowledge {
    /// When the broker has acknowledged it.
    #[default]
    Puback,
    /// When the district has named it as stored, on the topic `ack`.
    District,
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
    /// Address of the district that renews the certificate of `identity`.
    pub renew: Option<String>,
}
