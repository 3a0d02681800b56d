//! gateway.toml as written.

use linli_drivers::duration::Period;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Size;

/// gateway.toml: this gateway, its store and its connections.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayFile {
    pub gateway: Gateway,
    #[serde(default)]
    pub store: Store,
    pub mqtt: Option<Mqtt>,
    #[serde(default)]
    pub web: Web,
    pub cabin: Option<Cabin>,
    pub nodes: Option<Nodes>,
    /// Health workers who may use the HTTP API.
    #[serde(default)]
    pub worker: Vec<Worker>,
    /// Read before everything else, so that problems with the rest can be logged.
    #[serde(default)]
    #[expect(dead_code, reason = "checked with the file, used by `config::log_level`")]
    pub log: Log,
}

/// This gateway.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Id of the gateway, unique in the centre; part of every MQTT topic.
    pub id: String,
}

/// Where accepted data is kept until the broker has it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// The database file; /var/lib/linli/linli.db unless given. A relative path begins at the configuration directory.
    pub path: Option<String>,
    /// Most the database may hold, 512MiB unless given; the oldest telemetry goes first.
    pub max_bytes: Option<Size>,
    /// Oldest data worth delivering; unlimited unless given.
    pub max_age: Option<Period>,
    /// Longest time accepted data waits for its commit, 100ms unless given.
    pub commit_interval: Option<Period>,
    /// How long one-minute trends are kept, 90d unless given.
    pub history_retention: Option<Period>,
}

/// The broker. Without this table nothing is forwarded; data gathers in the store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// mqtt://host:1883, or mqtts://host:8883 for TLS.
    pub url: String,
    /// "5" or "3.1.1"; "5" unless given.
    pub version: Option<MqttVersion>,
    /// Client id, unique at the broker; linli-CENTRE-GATEWAY unless given.
    pub client_id: Option<String>,
    /// User name.
    pub username: Option<String>,
    /// Where the password is: "file:/path" or "env:NAME". Never the password itself.
    pub password: Option<String>,
    /// Certificates, for mqtts://.
    pub tls: Option<Tls>,
    /// Payload formats; ["json"] unless given.
    pub formats: Option<Vec<Format>>,
    /// Most messages sent and not yet acknowledged, 128 unless given.
    #[schemars(range(min = 1, max = 2048))]
    pub window: Option<u16>,
    /// Most messages a second from the backlog after an outage, 2000 unless given; 0 is unlimited.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub backlog_rate: Option<u32>,
    /// Longest payload, 256KiB unless given; longer ones are kept as dead letters.
    pub max_payload: Option<Size>,
    /// Keep-alive, 30s unless given.
    pub keep_alive: Option<Period>,
}

/// Version of MQTT.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum MqttVersion {
    /// MQTT 5.
    #[serde(rename = "5")]
    V5,
    /// MQTT 3.1.1.
    #[serde(rename = "3.1.1")]
    V311,
}

/// Format of payloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, version 1.
    Json,
}

/// Certificates in PEM files.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Certificates to trust; the system's unless given.
    pub ca: Option<String>,
    /// Own certificate, for mutual TLS.
    pub cert: Option<String>,
    /// Own private key, for mutual TLS.
    pub key: Option<String>,
}

/// The listener that shows state, values and metrics. It never acts.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// Address and port, 127.0.0.1:8080 unless given.
    pub listen: Option<String>,
    /// Must be true for an address that other machines reach: the listener has no log-in.
    #[serde(default)]
    pub open_to_network: bool,
}

/// The health cabin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cabin {
    /// Where the key is that seals identities: "file:identity.key" or "env:NAME"; `linli visits keygen` makes one. Without keys nobody can be named.
    pub identity_key: Option<String>,
    /// Keys used before; what they sealed is sealed anew, then they can go.
    pub previous_identity_keys: Option<Vec<String>>,
    /// Where the district's key is that makes pseudonyms; the same in every centre.
    pub pseudonym_key: Option<String>,
    /// A visit in which nothing happens ends after this, 30m unless given.
    pub visit_timeout: Option<Period>,
    /// How long visits, measurements and identities are kept here, 7d unless given.
    pub retention: Option<Period>,
    /// Systolic and diastolic pressure from which it is hypertension in mmHg, 140 and 90 unless given.
    pub hypertension: Option<[f64; 2]>,
    /// Axillary temperature from which it is fever in °C, 37.3 unless given.
    pub fever: Option<f64>,
}

/// Our own sensor nodes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// Public keys that firmware images must be signed with: 64 hexadecimal digits, or "file:firmware.pub". Without keys no node is updated.
    #[serde(default)]
    pub image_keys: Vec<String>,
}

/// A health worker who may use the HTTP API.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// What the audit calls them.
    pub name: String,
    /// Where their token is: "file:wang.token" or "env:NAME". Never the token itself.
    pub token: String,
}

/// Log lines.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// error, warn, info, debug or trace; info unless given.
    #[expect(dead_code, reason = "checked with the file, used by `config::log_level`")]
    pub level: Option<Level>,
}

/// How much is logged.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}
