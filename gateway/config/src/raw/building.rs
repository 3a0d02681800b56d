//! The building in facility.toml as written: openings, fire zones, fixtures.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// A door, gate or passage.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Id of the opening, unique in the centre.
    pub id: String,
    /// Id of the room that it belongs to.
    pub room: String,
    /// Id of the room on its other side. Without it, the open air.
    pub to: Option<String>,
    /// Its use, seen from its room: people enter by it, leave by it, both, or leave by it only in a fire.
    pub way: Way,
}

/// Use of an opening.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    Entry,
    Exit,
    Both,
    FireExit,
}

/// A fire zone: the rooms that one fire alarm concerns. The gateway only reads the fire panel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FireZone {
    /// Id of the zone, unique in the centre; rooms refer to it.
    pub id: String,
    /// Point that is true during a fire alarm, as "DEVICE.POINT". A point that is not boolean is refused.
    pub input: String,
}

/// Equipment in a room that a plan sets or reads: a door lock, lamps, an air handler, a display.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// Id of the fixture, unique in the centre; plans refer to it.
    pub id: String,
    /// Id of its room.
    pub room: String,
    /// Kind of equipment. It decides which rules apply to steps that use the fixture; occupancy, sensor and
    /// safety are only read.
    pub kind: Kind,
    /// Protection that works without this software: wired in hardware, built into the device, or none;
    /// default "none". A plan that moves lamps or locks with "none" is refused.
    pub interlock: Option<Interlock>,
    /// Id of the opening that it locks or blocks.
    pub opening: Option<String>,
    /// Outputs that plans set.
    #[serde(default)]
    pub set: Vec<Output>,
    /// Readings that plans use.
    #[serde(default)]
    pub read: Vec<Reading>,
}

/// Kind of equipment.
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

/// Protection of a fixture that works without this software.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Interlock {
    Hardwired,
    InDevice,
    None,
}

/// An output of a fixture.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Name of the output in plans, such as "entry"; unique in the fixture.
    pub name: String,
    /// Point that is written, as "DEVICE.POINT". A point that takes no commands is refused.
    pub point: String,
    /// Words for the values that can be written: { public = 0, staff_only = 1 }. A word consists of a-z, 0-9
    /// and "_" and stands for a number, true or false; two words for one value are refused. Without words,
    /// plans write numbers.
    #[serde(default)]
    pub words: BTreeMap<String, serde_json::Value>,
    /// Value in the safe state, taken when the room is held: a word, or a number in quotes. It needs a
    /// reading of the same name, which proves it. Without it, the output stays as it is.
    pub safe: Option<String>,
    /// Words that keep people from entering through the opening.
    #[serde(default)]
    pub secures: Vec<String>,
    /// Words with which the opening is no exit. They need a reading of the same name, or one called "egress".
    #[serde(default)]
    pub entry_only: Vec<String>,
    /// Whether each write acts once more, as a push button does, default false.
    pub pulse: Option<bool>,
}

/// A reading of a fixture. It needs either `point` or `known`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Name of the reading in plans, such as "contact"; unique in the fixture.
    pub name: String,
    /// Point that is read, as "DEVICE.POINT".
    pub point: Option<String>,
    /// A constant instead of a point, such as a value of the nameplate.
    pub known: Option<f64>,
    /// Words for the values that are read: { closed = 0, open = 1 }.
    #[serde(default)]
    pub words: BTreeMap<String, serde_json::Value>,
    /// Whether the value is divided by the room's volume: a flow in m³/h becomes air changes per hour;
    /// default false. It needs the room's `volume`.
    pub per_volume: Option<bool>,
    /// Whether the reading comes from another device than the one that acts, default false.
    pub independent: Option<bool>,
}
