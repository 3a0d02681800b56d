//! The building in facility.toml as written: openings, fire zones, fixtures.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// A door, gate or passage.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Id of the opening.
    pub id: String,
    /// The room it belongs to.
    pub room: String,
    /// The room behind it; the open air unless given.
    pub to: Option<String>,
    /// What it serves for, seen from its room.
    pub way: Way,
}

/// What an opening serves for.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Entry,
    Exit,
    Both,
    FireExit,
}

/// Rooms that one fire alarm concerns. The fire panel is only read.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FireZone {
    /// Id of the zone; rooms name it.
    pub id: String,
    /// What is true while there is an alarm, as "DEVICE.POINT".
    pub input: String,
}

/// Something in a room that a plan sets or reads: a door's lock, lamps, an air handler, a display.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// Id of the fixture; plans name it.
    pub id: String,
    /// Its room.
    pub room: String,
    /// What it is; what a plan may do with it follows from that.
    pub kind: Kind,
    /// What keeps it harmless whatever software says; "none" unless given. Lamps and locks with
    /// "none" are left to people.
    pub interlock: Option<Interlock>,
    /// The opening that it is the door or barrier of.
    pub opening: Option<String>,
    /// What can be set.
    #[serde(default)]
    pub set: Vec<Output>,
    /// What can be read.
    #[serde(default)]
    pub read: Vec<Reading>,
}

/// What a fixture is.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Door,
    Barrier,
    Uv,
    Ventilation,
    Fridge,
    Heat,
    Display,
    Announcement,
    Lighting,
    Kiosk,
    Supply,
    Occupancy,
    Sensor,
    Safety,
}

/// What keeps a fixture harmless.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interlock {
    Hardwired,
    InDevice,
    None,
}

/// What can be set of a fixture.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its name in plans, such as "entry".
    pub name: String,
    /// Where it is written, as "DEVICE.POINT".
    pub point: String,
    /// What can be written, by its word: { public = 0, staff_only = 1 }. Without words numbers are
    /// written as they are.
    #[serde(default)]
    pub words: BTreeMap<String, serde_json::Value>,
    /// What it takes when the room is held: a word, or a number in quotes; it keeps what it has unless given.
    pub safe: Option<String>,
    /// Words with which nobody gets in any more.
    #[serde(default)]
    pub secures: Vec<String>,
    /// Words with which the opening no longer counts as a way out.
    #[serde(default)]
    pub entry_only: Vec<String>,
    /// Whether each write moves something once more, as a push button does; false unless given.
    pub pulse: Option<bool>,
}

/// What can be read of a fixture.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Its name in plans, such as "contact".
    pub name: String,
    /// Where it is read, as "DEVICE.POINT".
    pub point: Option<String>,
    /// Instead of a point: a number that is known, such as of a nameplate.
    pub known: Option<f64>,
    /// Words for values: { closed = 0, open = 1 }.
    #[serde(default)]
    pub words: BTreeMap<String, serde_json::Value>,
    /// Whether it is divided by the room's volume: a flow in m³/h becomes air changes per hour; false unless given.
    pub per_volume: Option<bool>,
    /// Whether another device than the one that acts says so; false unless given.
    pub independent: Option<bool>,
}
