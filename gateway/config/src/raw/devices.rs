//! devices.toml as written.

use std::borrow::Cow;

use linli_domain::DeviceClass;
use linli_domain::canteen::Kept;
use linli_drivers::PROTOCOLS;
use linli_drivers::duration::Period;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// devices.toml: lines, and the devices on them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DevicesFile {
    /// How points without a `report` of their own are delivered. Without it every reading is; with "district" the newest
    /// number once a minute, switches and texts when they change and every 10m. Alarms, trends and screens here are fed by every reading.
    pub report_profile: Option<ReportProfile>,
    /// Lines: buses and connections.
    #[serde(default)]
    pub line: Vec<Line>,
    /// Devices on the lines.
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
    /// Name of the device, as screens show it; default its id.
    pub name: Option<String>,
    /// Id of the room that it is in.
    pub room: Option<String>,
    /// Id of the line that it is on.
    pub line: String,
    /// Unit id on the line, 1 to 247, over TCP 0 to 255; required for Modbus.
    pub unit: Option<i64>,
    /// Its topic below the line's base topic, default its id (MQTT).
    pub topic: Option<String>,
    /// Serial number on its label, hexadecimal. A node with another one is rejected (nodes).
    pub serial: Option<String>,
    /// Reference to the token that authenticates it, "file:…" or "env:…" (kiosks over HTTP).
    pub token: Option<String>,
    /// Its profile, vendor/model. `linli devices` lists all profiles.
    pub profile: String,
    /// Polling period, at most 1d, default 10s, of Zigbee sensors 1h. Refused if the line cannot carry it.
    pub poll: Option<Period>,
    /// What the device is used for, default telemetry. The class decides which data is kept and delivered
    /// first.
    pub class: Option<Class>,
    /// Which samples are stored and delivered; without it, every one.
    pub report: Option<Report>,
    /// What the device holds. The limits of food safety become alarms on its temperature, and it appears in
    /// the daily record. Refused for a device without a point `temperature`.
    pub keeps: Option<Keeps>,
    /// Settings of single points.
    #[serde(default)]
    pub point: Vec<Point>,
}

/// Settings of one point, in place of those of the device.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Id of the point, as in the profile.
    pub id: String,
    /// Which of its samples are stored and delivered.
    pub report: Option<Report>,
}

/// Which samples are stored and delivered: `change`, with or without `at_least`, or `every`. Changes of
/// quality are always delivered.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Smallest change since the last delivered sample that is delivered, in the point's unit; 0 is any
    /// change.
    #[schemars(range(min = 0))]
    pub change: Option<f64>,
    /// With `change`: longest time between two samples, default 10m.
    pub at_least: Option<Period>,
    /// Period in which the newest value is delivered once.
    pub every: Option<Period>,
}

/// How points without a rule of their own are delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportProfile {
    /// As a district needs them.
    District,
}

/// What a device is used for.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Telemetry,
    Kiosk,
    Actuator,
    FoodSafety,
    Vital,
}

/// What a fridge, freezer or hot-holding cabinet holds, or how a machine cleans dishes.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Keeps {
    Cold,
    Frozen,
    Hot,
    Samples,
    DishMachine,
    Steam,
    Infrared,
}

// === impl Keeps ===

impl From<Keeps> for Kept {
    fn from(keeps: Keeps) -> Self {
        match keeps {
            Keeps::Cold => Self::Cold,
            Keeps::Frozen => Self::Frozen,
            Keeps::Hot => Self::Hot,
            Keeps::Samples => Self::Samples,
            Keeps::DishMachine => Self::DishMachine,
            Keeps::Steam => Self::Steam,
            Keeps::Infrared => Self::Infrared,
        }
    }
}

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
