//! alarms.toml as written.

use linli_drivers::duration::Period;
use schemars::JsonSchema;
use serde::Deserialize;

/// alarms.toml: what is wrong, and how soon somebody must know. The file may be missing.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmsFile {
    /// Alarms that follow from the devices: silence of each, and the limits of what they keep; true unless given.
    pub defaults: Option<bool>,
    /// Further alarms; one with the id of a default takes its place.
    #[serde(default)]
    pub alarm: Vec<Alarm>,
    /// Who outside is told when an alarm is raised: gateways to SMS, WeCom, DingTalk.
    #[serde(default)]
    pub webhook: Vec<Webhook>,
    /// What sounds on the site while an alarm waits for somebody.
    #[serde(default)]
    pub siren: Vec<Siren>,
}

/// A siren or lamp on the site: on while an alarm is not acknowledged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Siren {
    /// The device that switches it.
    pub device: String,
    /// Its point: a switch that takes commands.
    pub point: String,
    /// Priorities it sounds for; ["high"] unless given.
    pub priorities: Option<Vec<Priority>>,
    /// How long it sounds at most for one alarm, 3m unless given.
    #[serde(rename = "for")]
    pub span: Option<Period>,
}

/// Who outside is told when an alarm is raised.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// What it is called.
    pub id: String,
    /// Where to POST, https://… or http://…
    pub url: String,
    /// Where the secret is that signs: "file:hook.secret" or "env:NAME"; unsigned unless given.
    pub secret: Option<String>,
    /// Priorities that are told; ["high", "medium"] unless given.
    pub priorities: Option<Vec<Priority>>,
    /// Told once more when nobody has acknowledged for this long; not unless given.
    pub escalate_after: Option<Period>,
    /// Hours in which only high priorities are told, such as "22:00-06:00"; the rest follows when they are over.
    pub quiet: Option<String>,
}

/// An alarm (ISA-18.2).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// Id of the alarm, unique in the gateway.
    pub id: String,
    /// The device.
    pub device: String,
    /// Its point; not for silence.
    pub point: Option<String>,
    /// When it is raised.
    pub when: When,
    /// The limit, in the point's unit; for a rate per minute, negative for falling.
    pub limit: Option<f64>,
    /// The unit the limit is meant in; checked against the point's.
    pub unit: Option<String>,
    /// How far the value must be back before it is over, in the point's unit, 0 unless given.
    pub deadband: Option<f64>,
    /// For a deviation: the device with the other probe; the point has the same name.
    pub from: Option<String>,
    /// How long it must hold, 0s unless given.
    pub on_delay: Option<Period>,
    /// How long it must not hold, 0s unless given.
    pub off_delay: Option<Period>,
    /// It stays until somebody resets it; false unless given.
    pub latching: Option<bool>,
    /// How soon somebody must act; medium unless given.
    pub priority: Option<Priority>,
    /// Longest time it may be shelved, 8h unless given; latching ones must not be shelved.
    pub shelve_at_most: Option<Period>,
    /// The alarm that silences this one while it is active; the device's silence unless given.
    pub suppressed_by: Option<String>,
    /// Alarms of a group have one cause: the first one raised says so.
    pub group: Option<String>,
    /// What people are told.
    pub text: Option<String>,
    /// false: it is silent by design until a plan's policy enables it; true unless given.
    pub enabled: Option<bool>,
}

/// When an alarm is raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    High,
    Low,
    IsTrue,
    IsFalse,
    Rate,
    Deviation,
    Silent,
}

/// How soon somebody must act.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    Medium,
    High,
}
