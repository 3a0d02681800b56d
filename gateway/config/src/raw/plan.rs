//! plans/*.toml as written: by which steps a room changes its use.

use std::collections::BTreeMap;

use linli_drivers::duration::Period;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Class;

/// plans/*.toml: one way of one room, into an emergency role or back. With its id and version a
/// plan never changes: a change is a new version in a new file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    pub plan: Plan,
    /// Numbers and words that steps use as "params.NAME".
    #[serde(default)]
    pub params: BTreeMap<String, serde_json::Value>,
    /// The steps.
    #[serde(default)]
    pub step: Vec<Step>,
    /// How data are treated from the moment in which the order is committed until the room is in
    /// peace again; only in plans that enter.
    pub policy: Option<Policy>,
}

/// How data are treated while the room is in its emergency role. What a plan names belongs to its
/// room, or to none.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// What is read more often, or travels with the alarms.
    #[serde(default)]
    pub device: Vec<PolicyDevice>,
    /// Alarms that are silent, or awake, by design (ISA-18.2).
    #[serde(default)]
    pub alarm: Vec<PolicyAlarm>,
    /// What kiosks show instead of their service.
    #[serde(default)]
    pub kiosk: Vec<PolicyKiosk>,
}

/// A device, or every device of a class in the room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDevice {
    /// The device.
    pub device: Option<String>,
    /// Every device of this class in the room.
    pub class: Option<Class>,
    /// It is read at least this often; a shorter interval of its own stays.
    pub poll: Option<Period>,
    /// urgent: its values travel with the alarms, as long as few messages wait there.
    pub lane: Option<PolicyLane>,
}

/// By which lane values travel.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyLane {
    Data,
    Urgent,
}

/// An alarm that is silent, or awake, by design.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyAlarm {
    /// The alarm.
    pub alarm: String,
    /// suppress: it is silent by design, and still journaled; enable: one with `enabled = false` in
    /// alarms.toml is awake.
    pub set: PolicySet,
    /// Why; told with the alarm.
    pub why: String,
    /// suppress: it speaks again after this, even if the room is not in peace yet; at most 30d.
    pub at_most: Option<Period>,
}

/// What becomes of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicySet {
    Suppress,
    Enable,
}

/// What a kiosk shows instead of its service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyKiosk {
    /// The kiosk: a device with the profile kiosk/terminal.
    pub device: String,
    /// What residents read, such as where else they are served.
    pub text: String,
    /// What a drill makes of it: "live" shows it between 【演练】 and 【演练】; "simulate" unless given.
    pub drill: Option<Drill>,
}

/// What the plan is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Id of the plan, such as "reading-room.sampling".
    pub id: String,
    /// Counts from 1; a change is a new version.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub version: u32,
    /// enter: into the emergency role; return: back to peace.
    pub direction: Direction,
    /// The room.
    pub room: String,
    /// What it is in the emergency; one of the room's emergency_roles.
    pub role: String,
    /// In what time it shall be ready.
    pub ready_within: Period,
    /// The role that commits, resumes, waives and rejects; "site_lead" unless given.
    pub lead: Option<String>,
    /// How air flows afterwards; "neutral" unless given. Rooms of one air zone must not pull and push.
    pub pressure: Option<Pressure>,
    /// On what rules it stands.
    #[serde(default)]
    pub basis: Vec<String>,
    /// The way back, as "ID@VERSION"; a plan that enters needs one.
    pub return_plan: Option<String>,
    /// Where to go when the room cannot be used, as "ID@VERSION".
    pub alternate: Option<String>,
    /// How long a person can still say no before the real thing begins; 30s unless given.
    pub grace: Option<Period>,
}

/// Where a plan leads.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Enter,
    Return,
}

/// How air flows.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pressure {
    Neutral,
    Negative,
    Positive,
}

/// One step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Id of the step in the plan.
    pub id: String,
    /// human: people do it; actuate: a fixture is set and read back; process: a fixture runs for a
    /// time without a break; verify: something is looked at.
    pub kind: Kind,
    /// Steps that must be settled before; ["*"] is every other one.
    #[serde(default)]
    pub after: Vec<String>,
    /// What must hold before and while it is done, such as "vacant(2)" or "fire == normal".
    #[serde(default)]
    pub pre: Vec<String>,
    /// When whoever leads hears that it takes too long; 10m unless given.
    pub deadline: Option<Period>,
    /// Who hears of it before, such as `["site_lead@5m", "district@10m"]`.
    #[serde(default)]
    pub escalate: Vec<String>,
    /// What happens when it does not succeed: hold the room, go on with a gap, or ask a person;
    /// "human" unless given.
    pub on_fail: Option<OnFail>,
    /// What a drill makes of it: "live" for people, "simulate" otherwise unless given.
    pub drill: Option<Drill>,
    /// human: the role that may.
    pub role: Option<String>,
    /// human: how many people; 1 unless given.
    #[schemars(range(min = 1, max = 16))]
    pub count: Option<u8>,
    /// human: what they are told.
    pub prompt: Option<String>,
    /// human: what they show, such as a tag's name.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// human: what makes it worthless again: "door_opened", "presence", or a time such as "15m". A
    /// restart always does.
    #[serde(default)]
    pub void_on: Vec<String>,
    /// human: whoever did these steps may not do this one.
    #[serde(default)]
    pub not_same_as: Vec<String>,
    /// human: whether it is evidence that nobody is in the room; false unless given.
    pub sweep: Option<bool>,
    /// human: what is no longer in the room afterwards, such as ["hot_food"].
    #[serde(default)]
    pub clears: Vec<String>,
    /// actuate, process: the fixture.
    pub device: Option<String>,
    /// actuate, process: what is set to what: { entry = "staff_only" }.
    #[serde(default)]
    pub set: BTreeMap<String, serde_json::Value>,
    /// actuate, process, verify: how it is proven.
    pub verify: Option<Verify>,
    /// actuate: how often it is tried again; not unless given.
    pub retry: Option<Retry>,
    /// actuate: what is set when it failed, and what must hold for that.
    pub compensate: Option<Compensate>,
    /// actuate: whether it may be set again when it has changed by itself; false unless given.
    pub reassert: Option<bool>,
    /// process: for how long, and what ends it.
    pub run: Option<Run>,
}

/// What a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Human,
    Actuate,
    Process,
    Verify,
}

/// What happens when a step does not succeed.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFail {
    Hold,
    Degrade,
    Human,
}

/// What a drill makes of a step.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Drill {
    Live,
    Simulate,
    Skip,
}

/// How a step is proven.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// What must hold, such as ["door-main.contact == closed"].
    pub read: Vec<String>,
    /// In what time.
    pub within: Period,
    /// Who says so: the device that acted, or another one.
    pub channel: Channel,
}

/// Who says so.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    #[serde(rename = "self")]
    Itself,
    Independent,
}

/// How often a step is tried again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// How many times after the first.
    #[schemars(range(min = 1, max = 10))]
    pub n: u8,
    /// With what pause.
    pub gap: Period,
}

/// What makes good for a step that failed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compensate {
    /// What is set to what.
    pub set: BTreeMap<String, serde_json::Value>,
    /// What must hold for that; at least "fire == normal".
    pub pre: Vec<String>,
}

/// How a process runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// For how long without a break.
    #[serde(rename = "for")]
    pub span: Period,
    /// It ends by itself when it is not refreshed for this long; at most 10s for lamps.
    pub lease: Option<Period>,
    /// What is set to what afterwards; what is not named takes its safe state.
    #[serde(default)]
    pub then: BTreeMap<String, serde_json::Value>,
    /// What ends it at once; all of "presence", "door_opened", "fire", "stop".
    #[serde(default)]
    pub abort_on: Vec<String>,
}
