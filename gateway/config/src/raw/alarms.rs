//! alarms.toml as written.

use linli_drivers::duration::Period;
use schemars::JsonSchema;
use serde::Deserialize;

/// alarms.toml: alarm rules, and who is notified. The file is optional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AlarmsFile {
    /// Whether the default alarms of the devices exist: silence, limits of food safety, well-known points;
    /// default true.
    pub defaults: Option<bool>,
    /// Further alarms. One with the id of a default alarm replaces it.
    #[serde(default)]
    pub alarm: Vec<Alarm>,
    /// Receivers of notifications outside the centre: gateways to SMS, WeCom, DingTalk.
    #[serde(default)]
    pub webhook: Vec<Webhook>,
    /// Sirens and lamps on site.
    #[serde(default)]
    pub siren: Vec<Siren>,
}

/// A siren or lamp on site: on while an alarm is unacknowledged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Siren {
    /// Id of the device that switches it.
    pub device: String,
    /// Its point: boolean, and writable by commands.
    pub point: String,
    /// Priorities that switch it on, default ["high"].
    pub priorities: Option<Vec<Priority>>,
    /// Longest time that it is on for one alarm, 1s to 1h, default 3m.
    #[serde(rename = "for")]
    pub span: Option<Period>,
}

/// A receiver of notifications: each alarm that is raised is sent to it by HTTP POST.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Id of the receiver, unique in the file.
    pub id: String,
    /// Address, https://…, without a password; http://… on this machine, or with `insecure`.
    pub url: String,
    /// Why http:// may leave this machine without encryption, such as "because the tunnel to the SMS
    /// gateway encrypts it"; required for http:// to another machine.
    pub insecure: Option<String>,
    /// Reference to the key of the HMAC-SHA-256 signature, "file:hook.secret" or "env:NAME". A file that
    /// others may read is refused. Without it, notifications are not signed.
    pub secret: Option<String>,
    /// Priorities that are sent, default ["high", "medium"].
    pub priorities: Option<Vec<Priority>>,
    /// Sent once more if nobody has acknowledged the alarm after this time, at least 1m. Without it, sent
    /// once.
    pub escalate_after: Option<Period>,
    /// Hours of the centre's time in which only high priorities are sent, such as "22:00-06:00". The others
    /// are sent afterwards.
    pub quiet: Option<String>,
}

/// An alarm (ISA-18.2).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// Id of the alarm, unique in the gateway.
    pub id: String,
    /// Id of the device.
    pub device: String,
    /// Id of the device's point. Not for `when` = "silent", which concerns the whole device.
    pub point: Option<String>,
    /// Condition that raises it: at or beyond `limit` (high, low); the value of a boolean point (is_true,
    /// is_false); the change per minute reaches `limit` (rate); the difference from the same point of `from`
    /// reaches `limit` (deviation); no good value (silent).
    pub when: When,
    /// Limit in the point's unit; for a rate in that unit per minute, negative for falling. Required for
    /// high, low, rate and deviation, refused otherwise.
    pub limit: Option<f64>,
    /// Unit of the limit, as UCUM code or as people write it. Refused if the point has another one.
    pub unit: Option<String>,
    /// Distance from the limit to which the value must return before the alarm ends, in the point's unit, not
    /// negative, default 0.
    pub deadband: Option<f64>,
    /// For a deviation: id of the device to compare with; its point has the same name.
    pub from: Option<String>,
    /// Time for which the condition must hold before the alarm is raised, at most 24h, default 0s. For
    /// silence the default is three polls, and at least 1m.
    pub on_delay: Option<Period>,
    /// Time for which the condition must not hold before the alarm ends, at most 24h, default 0s.
    pub off_delay: Option<Period>,
    /// Whether the alarm stays until a person resets it, default false.
    pub latching: Option<bool>,
    /// Priority, default "medium".
    pub priority: Option<Priority>,
    /// Longest time for which it may be shelved, default 8h; "0s" forbids shelving. A latching alarm cannot
    /// be shelved.
    pub shelve_at_most: Option<Period>,
    /// Id of the alarm that suppresses this one while it is active, default the silence of the device. A
    /// chain that leads back to this alarm is refused.
    pub suppressed_by: Option<String>,
    /// Name of a group of alarms with one cause. The first one that is raised is marked as such.
    pub group: Option<String>,
    /// Text that people read, default the device's name and the alarm's id.
    pub text: Option<String>,
    /// Whether it is enabled without a plan, default true. With false it is suppressed until the policy of a
    /// plan enables it.
    pub enabled: Option<bool>,
}

/// Condition that raises an alarm.
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

/// Priority of an alarm: how soon a person must act.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    Low,
    Medium,
    High,
}
