//! gateway.toml as written.

use std::collections::BTreeMap;

use linli_drivers::duration::Period;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Size;

/// gateway.toml: this gateway with its store, its connections and its users.
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
    pub slip: Option<Slip>,
    pub fhir: Option<Fhir>,
    pub nodes: Option<Nodes>,
    /// Programs, or people with one, that use the HTTP API with a token.
    #[serde(default)]
    pub worker: Vec<Worker>,
    /// Users of this machine who use the command line without logging in.
    #[serde(default)]
    pub local_account: Vec<LocalAccount>,
    /// Log level. Read before everything else, so that problems with the rest can be logged.
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

/// The database, which keeps accepted data until the broker has acknowledged it.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Store {
    /// Path of the database file, default /var/lib/linli/linli.db. A relative path begins at the
    /// configuration directory.
    pub path: Option<String>,
    /// Largest size of the database, at least 4MiB, default 512MiB. Beyond it the oldest telemetry is removed
    /// first.
    pub max_bytes: Option<Size>,
    /// Data older than this is not delivered any more, at least 1m. Without it, no limit.
    pub max_age: Option<Period>,
    /// Longest time that accepted data waits for its commit, at most 5s, default 100ms. A power cut loses
    /// what arrived within it.
    pub commit_interval: Option<Period>,
    /// Time for which one-minute trends are kept, at least 1h, default 90d.
    pub history_retention: Option<Period>,
    /// Time for which entries of the hash-chained records are kept (mode switch, accounts, nodes), at least 180d,
    /// default 1095d. What leaves is verified from then on by the entries that stay; export it before.
    pub record_retention: Option<Period>,
}

/// The broker of the district. Without this table nothing is delivered; data stays in the store.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// Address, mqtt://host:1883, or mqtts://host:8883 for TLS, without a password or path. Default ports
    /// 1883 and 8883.
    pub url: String,
    /// MQTT version, "5" or "3.1.1", default "5".
    pub version: Option<MqttVersion>,
    /// Client id, unique at the broker, 1 to 128 characters, default linli-CENTRE-GATEWAY.
    pub client_id: Option<String>,
    /// Why mqtt:// may leave this machine without encryption, such as "because the tunnel to the district
    /// encrypts it"; required for mqtt:// to another machine.
    pub insecure: Option<String>,
    /// User name at the broker.
    pub username: Option<String>,
    /// Reference to the password, "file:PATH" or "env:NAME", never the password itself. It needs a username.
    pub password: Option<String>,
    /// Certificates. Refused unless `url` begins with mqtts://.
    pub tls: Option<Tls>,
    /// Payload formats, default ["json"].
    pub formats: Option<Vec<Format>>,
    /// Largest number of messages sent and not yet acknowledged, default 128.
    #[schemars(range(min = 1, max = 2048))]
    pub window: Option<u16>,
    /// Messages a second from the backlog after an outage, at most, default 2000; 0 is no limit.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub backlog_rate: Option<u32>,
    /// Longest payload, 4KiB to 64MiB, default 256KiB. Longer ones become dead letters.
    pub max_payload: Option<Size>,
    /// Keep-alive interval, 5s to 1h, default 30s.
    pub keep_alive: Option<Period>,
    /// What ends the keeping of a record: "puback", the broker's acknowledgement, or "district", the message in which the
    /// district names it as stored in its database (docs/district.md). Default "puback".
    pub acknowledge: Option<Acknowledge>,
    /// Further brokers of the same district, in the form of `url` and encrypted like it. After each lost connection
    /// the next is tried. At most 8.
    pub more_urls: Option<Vec<String>>,
    /// Quality of service at which commands and orders are subscribed: 1, or 0 for a district that repeats them until
    /// they are answered. Default 1.
    #[schemars(range(min = 0, max = 1))]
    pub inbound_qos: Option<u8>,
    /// Whether topics have `~` in place of `.`, for NATS servers before 2.10, which end the connection at a topic with
    /// a `.` (docs/mqtt.md). Default false.
    pub escape_dots: Option<bool>,
}

/// What ends the keeping of a record.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Acknowledge {
    /// The broker's acknowledgement.
    Puback,
    /// The district's.
    District,
}

/// MQTT version.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum MqttVersion {
    /// MQTT 5.
    #[serde(rename = "5")]
    V5,
    /// MQTT 3.1.1.
    #[serde(rename = "3.1.1")]
    V311,
}

/// Payload format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON, version 1.
    Json,
}

/// Certificates in PEM files. A relative path begins at the configuration directory.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// Path of the certificates to trust. Without it, those of the system.
    pub ca: Option<String>,
    /// Path of the client certificate, for mutual TLS; together with `key`.
    pub cert: Option<String>,
    /// Path of the client's private key, for mutual TLS; together with `cert`.
    pub key: Option<String>,
    /// Address of the district that renews the certificate before its end, https://HOST:PORT; `cert` and `key` are one
    /// file then. `linli uplink enrol` writes it.
    pub renew: Option<String>,
}

/// The HTTP listener for screens and programs.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Web {
    /// IP address and port, default 127.0.0.1:8080.
    pub listen: Option<String>,
    /// Must be true for an address that other machines can reach; default false.
    #[serde(default)]
    pub open_to_network: bool,
    /// Most connections at once, 16 to 4096, default 256. At most a quarter of the files that the process may open.
    #[schemars(range(min = 16, max = 4096))]
    pub connections: Option<u16>,
    /// Most connections of one address off this machine, 1 to 1024, default 16.
    #[schemars(range(min = 1, max = 1024))]
    pub connections_per_address: Option<u16>,
    /// Longest time for a handshake, for the headers of a request, and for the pause before the next one, 1s to
    /// 60s, default 10s.
    pub header_timeout: Option<Period>,
    /// Longest time for the body of a request, 1s to 300s, default 30s.
    pub body_timeout: Option<Period>,
    /// Further host names and addresses by which others reach the gateway, such as "gateway.example.org": its
    /// certificate names them, and a request that names another host is refused. Addresses and names without a dot
    /// need no entry for that.
    #[serde(default)]
    pub names: Vec<String>,
    /// Why other machines may connect without encryption, such as "because a proxy on the same rack adds it".
    /// Without it the listener speaks TLS on every address but loopback.
    pub insecure: Option<String>,
}

/// The health cabin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cabin {
    /// Reference to the key that encrypts identities, "file:identity.key" or "env:NAME"; `linli visits
    /// keygen` makes one. Together with `pseudonym_key`. Without keys no resident can be identified.
    pub identity_key: Option<String>,
    /// References to earlier identity keys. What they encrypted is encrypted again with the present key; then
    /// they can be removed.
    pub previous_identity_keys: Option<Vec<String>>,
    /// Reference to the district's key that pseudonyms are made with, the same in every centre. It must
    /// differ from `identity_key`.
    pub pseudonym_key: Option<String>,
    /// Time without activity after which a visit ends, 1m to 24h, default 30m.
    pub visit_timeout: Option<Period>,
    /// Time for which visits, measurements and identities are kept here, apart from telemetry, 1d to 10950d, default
    /// 1825d: five years.
    pub retention: Option<Period>,
    /// Systolic and diastolic pressure from which a measurement counts as hypertension, in mmHg, 120 to 160
    /// and 70 to 100, default `[140, 90]`.
    pub hypertension: Option<[f64; 2]>,
    /// Axillary temperature from which a measurement counts as fever, in °C, 36.5 to 39.0, default 37.3.
    pub fever: Option<f64>,
    /// Who set `hypertension`, `fever` or `critical` for this centre, such as "李医生"; shown beside what they decide.
    pub limits_by: Option<String>,
    /// When, such as "2026-11-30".
    pub limits_on: Option<String>,
    /// How many blood pressures a guided series has, 1 to 5, default 2 (中国高血压防治指南 2018, 3.1.1).
    pub pressure_readings: Option<u8>,
    /// Rest between two of them, 10s to 10m, default 60s.
    pub pressure_rest: Option<Period>,
    /// If two differ by more than this, in mmHg, one more is taken, 1 to 50, default 5.
    pub pressure_difference: Option<f64>,
    /// Whether the first one is left out of the mean, default false.
    pub pressure_drops_first: Option<bool>,
    /// Critical values that replace the default ones: for a quantity such as `systolic`, `[low, high]` in its unit,
    /// critical at `low` and below, at `high` and above. `systolic = [85, 200]`.
    pub critical: Option<BTreeMap<String, [f64; 2]>>,
    /// Time after which a critical value that nobody answered becomes an alarm, 10s to 30m, default 2m.
    pub critical_after: Option<Period>,
    /// Version of the consent text in use, such as "2026-1"; screens offer it with one touch.
    pub consent: Option<String>,
    /// Altitude of the centre in metres, 0 to 6000, default 0: from 1500 m other oxygen saturations are called low.
    pub altitude: Option<u16>,
}

/// The result slip of a visit, and the printer of the cabin.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Slip {
    /// Paper of the printer: "a5", or a roll of "80" or "58" mm; default "a5".
    pub paper: Option<PaperWord>,
    /// Address of the printer, "ipps://192.0.2.7/ipp/print", or of a queue on this machine,
    /// "ipp://127.0.0.1/printers/cabin". Without it slips are made and not printed.
    pub printer: Option<String>,
    /// Path of the PEM certificates to trust for `ipps://`. Without it, those of the system.
    pub printer_ca: Option<String>,
    /// Why ipp:// may leave this machine without encryption, such as "because the printer is on the cabin's own
    /// switch"; required for ipp:// to another machine.
    pub insecure: Option<String>,
    /// Paths of the font files that slips are set in, the first that has a character first. Without it, those of the
    /// packages fonts-noto-cjk and fonts-hanazono (rare characters).
    pub fonts: Option<Vec<String>>,
}

/// A size of paper.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum PaperWord {
    /// A5.
    #[serde(rename = "a5")]
    A5,
    /// A roll of 80 mm.
    #[serde(rename = "80")]
    Roll80,
    /// A roll of 58 mm.
    #[serde(rename = "58")]
    Roll58,
}

/// The FHIR server that visits are sent to when they have ended. Without this table none is sent.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fhir {
    /// Address of the server (FHIR R4), such as `https://fhir.example.org/fhir`, without a password.
    pub url: String,
    /// Versions of the consent text that allow it, such as ["2026-1"]: only visits of residents who agreed to one of
    /// them are sent.
    pub consents: Vec<String>,
    /// Whether the name, birthday and sex of the resident are sent beside the pseudonym; default false.
    #[serde(default)]
    pub names: bool,
    /// Whether visits without a resident are sent too; default false.
    #[serde(default)]
    pub anonymous: bool,
    /// Reference to the bearer token, "file:PATH" or "env:NAME", never the token itself.
    pub token: Option<String>,
    /// Path of the PEM certificates to trust for `https://`. Without it, those of the system.
    pub ca: Option<String>,
    /// Why http:// may leave this machine without encryption, such as "because the tunnel to the hospital encrypts
    /// it"; required for http:// to another machine.
    pub insecure: Option<String>,
}

/// Sensor nodes with firmware of their own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// Public keys that firmware images may be signed with: 64 hexadecimal digits, or "file:firmware.pub".
    /// Without keys no node can be updated.
    #[serde(default)]
    pub image_keys: Vec<String>,
}

/// An account with a token, for a program that uses the HTTP API.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// Id of the account, unique in the file; the audit names it so.
    pub name: String,
    /// Where their token is: "file:wang.token" or "env:NAME". Never the token itself.
    pub token: String,
    /// What it may do, default ["health_worker"]. See docs/accounts.md for the roles.
    pub roles: Option<Vec<String>>,
}

/// A user of this machine, who acts over the control socket as this account.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LocalAccount {
    /// Id of the account, unique in the file; records name it so.
    pub name: String,
    /// User id on this machine (`id -u`), unique in the file.
    pub uid: u32,
    /// What it may do, such as ["technician"]. See docs/accounts.md for the roles.
    pub roles: Vec<String>,
    /// Id of the person of facility.toml whose user of the machine this is, and nobody else's. Without it the account
    /// carries out no task of a plan.
    pub person: Option<String>,
}

/// Logging.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// Log level: error, warn, info, debug or trace, default info.
    #[expect(dead_code, reason = "checked with the file, used by `config::log_level`")]
    pub level: Option<Level>,
}

/// Log level.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}
