//! The configuration as written. Every key, its meaning and its default stand here and nowhere
//! else: the JSON Schema and the reference page come out of these types.

use std::borrow::Cow;

use linli_domain::DeviceClass;
use linli_drivers::PROTOCOLS;
use linli_drivers::duration::Period;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

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
    /// Systolic and diastolic pressure from which it is hypertension in mm[Hg], [140, 90] unless given.
    pub hypertension: Option<[f64; 2]>,
    /// Axillary temperature from which it is fever in °C, 37.3 unless given.
    pub fever: Option<f64>,
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

/// facility.toml: the centre, its sites and rooms.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FacilityFile {
    pub centre: Centre,
    /// Sites; a compact centre needs none.
    #[serde(default)]
    pub site: Vec<Site>,
    /// Rooms.
    #[serde(default)]
    pub room: Vec<Room>,
}

/// The neighbourhood centre.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Centre {
    /// Id of the centre, unique in the district; part of every MQTT topic.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// compact: one site; strung: several along a street; cluster: several adjoining.
    pub form: Form,
    /// Time zone, such as "Asia/Shanghai"; that one unless given.
    pub timezone: Option<String>,
}

/// Form of a centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    Compact,
    Strung,
    Cluster,
}

/// A site of the centre.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Id of the site.
    pub id: String,
    /// What people call it.
    #[expect(dead_code, reason = "for people; nothing shows sites yet")]
    pub name: String,
}

/// A room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// Id of the room.
    pub id: String,
    /// Its site; may be left out in a compact centre.
    pub site: Option<String>,
    /// What people call it.
    pub name: String,
    /// What it is in peace, such as "reading_room".
    pub peace_role: Option<String>,
    /// What it can become in an emergency.
    #[serde(default)]
    pub emergency_roles: Vec<String>,
    /// Volume in cubic metres; ventilation and disinfection times come from it.
    #[schemars(range(min = 1, max = 100_000))]
    pub volume: Option<f64>,
    /// Doors and windows by id.
    #[serde(default)]
    pub openings: Vec<String>,
}

/// devices.toml: lines, and the devices on them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DevicesFile {
    /// Buses and connections.
    #[serde(default)]
    pub line: Vec<Line>,
    /// Devices.
    #[serde(default)]
    pub device: Vec<Device>,
}

/// A bus or connection: `id`, `kind`, and what its protocol needs.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Line(pub toml::Table);

/// A device on a line.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Device {
    /// Id of the device, unique in the gateway; part of its MQTT topics.
    pub id: String,
    /// What people call it; the id unless given.
    pub name: Option<String>,
    /// The room it is in.
    pub room: Option<String>,
    /// The line it is on.
    pub line: String,
    /// Unit id on the line (Modbus).
    pub unit: Option<i64>,
    /// Profile, vendor/model; `linli devices` lists them.
    pub profile: String,
    /// How often it is read, 10s unless given.
    pub poll: Option<Period>,
    /// What it is for; telemetry unless given. Decides what is kept and delivered first.
    pub class: Option<Class>,
    /// Which samples are passed on; every one unless given.
    pub report: Option<Report>,
    /// Exceptions for single points.
    #[serde(default)]
    pub point: Vec<Point>,
}

/// An exception for one point.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Id of the point, as in the profile.
    pub id: String,
    /// Which of its samples are passed on.
    pub report: Option<Report>,
}

/// Which samples are passed on.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Only changes of more than this, in the point's unit; 0 is any change.
    #[schemars(range(min = 0))]
    pub change: Option<f64>,
    /// With change: at least this often all the same, 10m unless given.
    pub at_least: Option<Period>,
    /// The newest value once per period.
    pub every: Option<Period>,
}

/// What a device is for.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Telemetry,
    Kiosk,
    Actuator,
    FoodSafety,
    Vital,
}

/// A size in bytes such as "512MiB".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);

// === impl Class ===

impl From<Class> for DeviceClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Telemetry => Self::Telemetry,
            Class::Kiosk => Self::Kiosk,
            Class::Actuator => Self::Actuator,
            Class::FoodSafety => Self::FoodSafety,
            Class::Vital => Self::Vital,
        }
    }
}

// === impl Size ===

impl TryFrom<String> for Size {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let units = [("KiB", 1_u64 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
        let found =
            units.into_iter().find_map(|(unit, size)| text.strip_suffix(unit).map(|number| (number, size)));
        found
            .and_then(|(number, size)| number.parse::<u64>().ok()?.checked_mul(size))
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a size; write a whole number and a unit, such as \"512MiB\" (KiB, MiB, GiB)"))
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9]+(KiB|MiB|GiB)$", "examples": ["512MiB"]})
    }

    fn inline_schema() -> bool {
        true
    }
}

// === impl Line ===

impl JsonSchema for Line {
    fn schema_name() -> Cow<'static, str> {
        "Line".into()
    }

    /// One alternative per protocol, told apart by `kind`.
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let kinds: Vec<serde_json::Value> = PROTOCOLS
            .iter()
            .map(|protocol| {
                let mut schema = protocol.schema().to_value();
                let common = serde_json::json!({
                    "id": {"type": "string", "description": "Id of the line."},
                    "kind": {"const": protocol.kind(), "description": protocol.summary()},
                });
                if let (Some(properties), serde_json::Value::Object(common)) =
                    (schema.get_mut("properties").and_then(|p| p.as_object_mut()), common)
                {
                    properties.extend(common);
                }
                if let Some(required) = schema.get_mut("required").and_then(|r| r.as_array_mut()) {
                    required.insert(0, "id".into());
                    required.insert(1, "kind".into());
                }
                if let Some(object) = schema.as_object_mut() {
                    object.remove("$schema");
                }
                schema
            })
            .collect();
        json_schema!({"oneOf": kinds})
    }
}
