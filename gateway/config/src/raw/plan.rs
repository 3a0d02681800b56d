//! plans/*.toml as written: by which steps a room changes its use.

use std::collections::BTreeMap;

use linli_drivers::duration::Period;
use schemars::JsonSchema;
use serde::Deserialize;

use super::Class;

/// plans/*.toml: how one room changes its use, into an emergency role or back. The contents of a plan never
/// change under the same id and version: a change is a new version in a new file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    pub plan: Plan,
    /// Numbers and words that steps refer to as "params.NAME".
    #[serde(default)]
    pub params: BTreeMap<String, serde_json::Value>,
    /// The steps, at least one. The last one is accepted by a person who did none of the others.
    #[serde(default)]
    pub step: Vec<Step>,
    /// How data are treated from the commit of the order until the room is in peace again. Only in plans with
    /// direction = "enter".
    pub policy: Option<Policy>,
}

/// How data are treated while the room is in its emergency role. It may name only devices and alarms of the
/// plan's room or of no room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Devices that are polled more often, or whose values use the urgent lane.
    #[serde(default)]
    pub device: Vec<PolicyDevice>,
    /// Alarms that are suppressed, or enabled, by design (ISA-18.2).
    #[serde(default)]
    pub alarm: Vec<PolicyAlarm>,
    /// Texts that kiosks show instead of their service.
    #[serde(default)]
    pub kiosk: Vec<PolicyKiosk>,
}

/// A device, or every device of a class in the room. It needs `device` or `class`, and `poll`, `lane` or
/// both.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyDevice {
    /// Id of the device.
    pub device: Option<String>,
    /// Class: every device of this class in the room.
    pub class: Option<Class>,
    /// Longest polling period; a shorter one of the device stays. Refused if the line cannot carry it.
    pub poll: Option<Period>,
    /// "urgent": its values are delivered before other data, as long as few messages wait in that lane.
    pub lane: Option<PolicyLane>,
}

/// Lane in which values are delivered.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicyLane {
    Data,
    Urgent,
}

/// An alarm that is suppressed, or enabled, by design.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyAlarm {
    /// Id of the alarm. One that cannot be shelved cannot be suppressed.
    pub alarm: String,
    /// "suppress": suppressed by design, still evaluated and journaled; "enable": enables an alarm with
    /// `enabled = false` in alarms.toml.
    pub set: PolicySet,
    /// The reason, published with the alarm; not empty.
    pub why: String,
    /// For "suppress", where it is required: time after which the suppression ends even if the room is not in
    /// peace yet, at most 30d.
    pub at_most: Option<Period>,
}

/// Effect on an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PolicySet {
    Suppress,
    Enable,
}

/// A text that a kiosk shows instead of its service.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PolicyKiosk {
    /// Id of the kiosk: a device with the profile kiosk/terminal.
    pub device: String,
    /// The text, such as where else residents are served: one line of 1 to 190 characters.
    pub text: String,
    /// What happens in a drill: "live" shows the text between 【演练】 and 【演练】, "simulate" and "skip" show
    /// nothing; default "simulate".
    pub drill: Option<Drill>,
}

/// Properties of the plan.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Id of the plan, such as "reading-room.sampling".
    pub id: String,
    /// Version, counted from 1. A change is a new version.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub version: u32,
    /// "enter": into the emergency role; "return": back to peacetime use.
    pub direction: Direction,
    /// Id of the room.
    pub room: String,
    /// The room's emergency role; one of its emergency_roles in facility.toml.
    pub role: String,
    /// Time in which the room shall be ready. Refused if the longest path through the steps takes longer.
    pub ready_within: Period,
    /// Role of the people who commit, resume, waive and reject; default "site_lead".
    pub lead: Option<String>,
    /// Air pressure of the room afterwards, default "neutral". Rooms of one air zone must not have negative
    /// and positive pressure at the same time.
    pub pressure: Option<Pressure>,
    /// Rules and regulations that the plan is based on.
    #[serde(default)]
    pub basis: Vec<String>,
    /// The plan for the return, as "ID@VERSION". Required for direction = "enter".
    pub return_plan: Option<String>,
    /// The plan to use when the room cannot be used, as "ID@VERSION"; it is for another room.
    pub alternate: Option<String>,
    /// Time in which an Actual order can still be cancelled before anything moves, default 30s.
    pub grace: Option<Period>,
}

/// Direction of a plan.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Enter,
    Return,
}

/// Air pressure of a room.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pressure {
    Neutral,
    Negative,
    Positive,
}

/// A step of a plan. Keys that belong to another kind of step are refused.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Id of the step, unique in the plan.
    pub id: String,
    /// "human": people carry it out; "actuate": outputs of a fixture are set and read back; "process": a
    /// fixture runs for a time without interruption; "verify": readings are checked.
    pub kind: Kind,
    /// Ids of the steps that must be settled before; ["*"] is all others.
    #[serde(default)]
    pub after: Vec<String>,
    /// Conditions that must hold before and during the step, such as "vacant(2)" or "fire == normal".
    #[serde(default)]
    pub pre: Vec<String>,
    /// Time after which the leading role is told that the step is late, default 10m.
    pub deadline: Option<Period>,
    /// Roles that are told earlier, each with its time, such as `["site_lead@5m", "district@10m"]`.
    #[serde(default)]
    pub escalate: Vec<String>,
    /// What happens when the step fails: "hold" holds the room, "degrade" goes on with a reported gap,
    /// "human" asks a person; default "human".
    pub on_fail: Option<OnFail>,
    /// What happens in a drill: "live" carries the step out, "simulate" only records it, "skip" leaves it
    /// out; default "live" for human, "simulate" otherwise.
    pub drill: Option<Drill>,
    /// human, required: role of the people who may carry it out.
    pub role: Option<String>,
    /// human: number of people, default 1.
    #[schemars(range(min = 1, max = 16))]
    pub count: Option<u8>,
    /// human, required: text of the task.
    pub prompt: Option<String>,
    /// human: what people must show, such as the name of a tag.
    #[serde(default)]
    pub evidence: Vec<String>,
    /// human: what makes the confirmation void: "door_opened", "presence", or an age such as "15m". A restart
    /// always does.
    #[serde(default)]
    pub void_on: Vec<String>,
    /// human: ids of steps; whoever carried them out may not carry out this one.
    #[serde(default)]
    pub not_same_as: Vec<String>,
    /// human: whether its confirmation is evidence that nobody is in the room, default false. It needs
    /// void_on = ["presence", "door_opened"].
    pub sweep: Option<bool>,
    /// human: contents that the room no longer holds afterwards, such as ["hot_food"].
    #[serde(default)]
    pub clears: Vec<String>,
    /// actuate, process, required: id of the fixture.
    pub device: Option<String>,
    /// actuate, process: values of the fixture's outputs: { entry = "staff_only" }.
    #[serde(default)]
    pub set: BTreeMap<String, serde_json::Value>,
    /// actuate, process, verify, required: the readings that prove it.
    pub verify: Option<Verify>,
    /// actuate: attempts after the first one; without it, none.
    pub retry: Option<Retry>,
    /// actuate: outputs to set after a failure, and the conditions for that.
    pub compensate: Option<Compensate>,
    /// actuate: whether it may be set again when the output changes without a command, default false.
    pub reassert: Option<bool>,
    /// process, required: for how long it runs, and what ends it early.
    pub run: Option<Run>,
}

/// Kind of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Human,
    Actuate,
    Process,
    Verify,
}

/// What happens when a step fails.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFail {
    Hold,
    Degrade,
    Human,
}

/// What happens to a step in a drill.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Drill {
    Live,
    Simulate,
    Skip,
}

/// The readings that prove a step.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Verify {
    /// Conditions that must hold, such as ["door-main.contact == closed"].
    pub read: Vec<String>,
    /// Time in which they must hold.
    pub within: Period,
    /// "self": the device that acted may prove it; "independent": at least one reading must be marked
    /// `independent` in facility.toml.
    pub channel: Channel,
}

/// Which device proves a step.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    #[serde(rename = "self")]
    Itself,
    Independent,
}

/// How often an action is attempted again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    /// Number of attempts after the first one.
    #[schemars(range(min = 1, max = 10))]
    pub n: u8,
    /// Time between two attempts.
    pub gap: Period,
}

/// What is done after a step has failed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Compensate {
    /// Values of the fixture's outputs.
    pub set: BTreeMap<String, serde_json::Value>,
    /// Conditions that must hold for that; at least "fire == normal".
    pub pre: Vec<String>,
}

/// How a process runs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Time for which it runs without interruption.
    #[serde(rename = "for")]
    pub span: Period,
    /// Required: time after which the device ends it by itself unless the gateway refreshes it; at most 10s
    /// for lamps.
    pub lease: Option<Period>,
    /// Values of the fixture's outputs afterwards. Outputs that are not named take their safe state.
    #[serde(default)]
    pub then: BTreeMap<String, serde_json::Value>,
    /// What ends it at once; must contain all of "presence", "door_opened", "fire", "stop".
    #[serde(default)]
    pub abort_on: Vec<String>,
}
