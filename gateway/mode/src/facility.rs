//! The building: rooms, the openings between them, devices that plans may control, and people.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use linli_domain::alarm::Source;
use linli_domain::{Id, Value};

/// The building model of a centre.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facility {
    /// Its sites.
    pub sites: Vec<Site>,
    /// Rooms.
    pub rooms: Vec<Room>,
    /// Doors between rooms and to the outside.
    pub openings: Vec<Opening>,
    /// Devices that can be controlled or read.
    pub fixtures: Vec<Fixture>,
    /// Fire alarm zones.
    pub fire_zones: Vec<FireZone>,
    /// People who work there or sign orders.
    pub people: Vec<Person>,
}

/// A place with rooms of the centre.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its id.
    pub id: Id,
    /// Display name.
    pub name: String,
    /// Walking time from the assembly point.
    pub travel_time: Duration,
}

/// A room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// Its id.
    pub id: Id,
    /// Display name.
    pub name: String,
    /// Its site.
    pub site: Option<Id>,
    /// What it can be converted to.
    pub emergency_roles: Vec<String>,
    /// Volume in m³.
    pub volume: Option<f64>,
    /// Position of its fire zone.
    pub fire_zone: Option<usize>,
    /// Rooms of one air zone share an air handler.
    pub air_zone: Option<Id>,
    /// What it contains in normal operation.
    pub contents: Vec<Contents>,
}

/// Contents of a room that need protection or are hazardous.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Contents {
    /// Food at 60 °C or more.
    HotFood,
    /// Food at 8 °C or less.
    Chilled,
    /// Food at −12 °C or less.
    Frozen,
    /// Dry goods.
    Dry,
    /// Medical goods and specimens.
    Medical,
    /// Disinfectants and waste.
    Hazard,
}

/// The use of an opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In only.
    Entry,
    /// Out only.
    Exit,
    /// Both.
    Both,
    /// Emergency exit.
    FireExit,
}

/// A door, gate or passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// Its id.
    pub id: Id,
    /// Position of the room it belongs to.
    pub room: usize,
    /// Position of the room behind it; `None` is the outside.
    pub to: Option<usize>,
    /// Its use.
    pub way: Way,
}

/// The kind of a fixture, which decides what a plan may do with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Entry permission of a door.
    Door,
    /// Gate or barrier.
    Barrier,
    /// Ultraviolet lamps.
    Uv,
    /// Air handler, exhaust.
    Ventilation,
    /// Fridge, freezer.
    Fridge,
    /// Kitchen heat and gas.
    Heat,
    /// Display or sign.
    Display,
    /// Loudspeaker.
    Announcement,
    /// Lamps.
    Lighting,
    /// Self-service terminal.
    Kiosk,
    /// Network, power, video: monitored or switched over only.
    Supply,
    /// Occupancy sensor.
    Occupancy,
    /// Other sensors.
    Sensor,
    /// Fire alarm system: never controlled.
    Safety,
}

/// The safety interlock that acts independently of software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interlock {
    /// A hard-wired interlock.
    Hardwired,
    /// An interlock inside the device.
    InDevice,
    /// No interlock.
    None,
}

/// A device or group of devices in a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fixture {
    /// Its id.
    pub id: Id,
    /// Position of its room.
    pub room: usize,
    /// What it is.
    pub kind: Kind,
    /// Its safety interlock.
    pub interlock: Interlock,
    /// Position of the opening it is a door or barrier of.
    pub opening: Option<usize>,
    /// Its outputs.
    pub sets: Vec<Output>,
    /// Its readings.
    pub reads: Vec<Read>,
}

/// An output of a fixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// Its name, such as `entry`.
    pub name: String,
    /// The point that is written.
    pub point: Source,
    /// Values by their names. Numbers and texts are written unchanged when there is
    /// no name.
    pub words: Vec<(String, Value)>,
    /// The safe state, as name or number; `None` leaves the output unchanged.
    pub safe: Option<String>,
    /// Names of values that prevent entry.
    pub secures: Vec<String>,
    /// Names of values with which the opening does not count as an exit.
    pub entry_only: Vec<String>,
    /// Each write acts again (pulse): it is never repeated.
    pub is_pulse: bool,
}

/// Where a reading comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadSource {
    /// A point.
    Point(Source),
    /// A constant, such as a nameplate value.
    Constant(f64),
}

/// A reading of a fixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Read {
    /// Its name, such as `contact`.
    pub name: String,
    /// Its source.
    pub from: ReadSource,
    /// Names of values.
    pub words: Vec<(String, Value)>,
    /// It is divided by the room's volume: a flow in m³/h becomes air changes per hour.
    pub is_per_volume: bool,
    /// The source is independent of the device that acts.
    pub is_independent: bool,
}

/// Rooms that one fire alarm concerns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FireZone {
    /// Its id.
    pub id: Id,
    /// True while there is an alarm.
    pub input: Source,
}

/// A person who works in the centre or signs orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: Id,
    /// Display name.
    pub name: String,
    /// Their roles.
    pub roles: Vec<String>,
}

// === impl Facility ===

impl Facility {
    /// Returns the position of a fixture.
    #[must_use]
    pub fn fixture(&self, id: &str) -> Option<usize> {
        self.fixtures.iter().position(|fixture| fixture.id.as_str() == id)
    }

    /// Returns the position of a room.
    #[must_use]
    pub fn room(&self, id: &str) -> Option<usize> {
        self.rooms.iter().position(|room| room.id.as_str() == id)
    }

    /// Returns the walking time to a room's site; zero if the room has none.
    #[must_use]
    pub fn travel_time(&self, room: usize) -> Duration {
        let site = self.rooms.get(room).and_then(|room| room.site.as_ref());
        let site = self.sites.iter().find(|known| Some(&known.id) == site);
        site.map(|site| site.travel_time).unwrap_or_default()
    }

    /// Returns a person by id.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id.as_str() == id)
    }
}

// === impl Opening ===

impl Opening {
    /// Returns whether somebody in the room may leave through it.
    #[must_use]
    pub fn leads_out(&self, room: usize) -> bool {
        let from_own = self.room == room && self.way != Way::Entry;
        let from_behind = self.to == Some(room) && matches!(self.way, Way::Entry | Way::Both);
        from_own || from_behind
    }

    /// Returns whether somebody may come into the room through it, from outside or from the room behind.
    #[must_use]
    pub fn leads_in(&self, room: usize) -> bool {
        let to_own = self.room == room && matches!(self.way, Way::Entry | Way::Both);
        let to_behind = self.to == Some(room) && self.way != Way::Entry;
        to_own || to_behind
    }
}

// === impl Fixture ===

impl Fixture {
    /// Returns whether it is at an opening of the room, on whichever side.
    #[must_use]
    pub fn leads_to(&self, facility: &Facility, room: usize) -> bool {
        let opening = self.opening.and_then(|opening| facility.openings.get(opening));
        opening.is_some_and(|opening| opening.room == room || opening.to == Some(room))
    }

    /// Returns whether it concerns the room: it is there, or at an opening of the room.
    #[must_use]
    pub fn concerns(&self, facility: &Facility, room: usize) -> bool {
        self.room == room || self.leads_to(facility, room)
    }
}

// === impl Output ===

impl Output {
    /// Returns whether the word prevents entry, or takes an exit.
    #[must_use]
    pub fn is_closing(&self, word: &str) -> bool {
        let lists = [&self.secures, &self.entry_only];
        lists.into_iter().flatten().any(|closing| closing == word)
    }
}

// === impl Kind ===

impl Kind {
    /// Returns the name used in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Barrier => "barrier",
            Self::Uv => "uv",
            Self::Ventilation => "ventilation",
            Self::Fridge => "fridge",
            Self::Heat => "heat",
            Self::Display => "display",
            Self::Announcement => "announcement",
            Self::Lighting => "lighting",
            Self::Kiosk => "kiosk",
            Self::Supply => "supply",
            Self::Occupancy => "occupancy",
            Self::Sensor => "sensor",
            Self::Safety => "safety",
        }
    }

    /// Returns whether a drill may control it; false for devices that do harm when operated by mistake.
    #[must_use]
    pub const fn moves_in_drill(self) -> bool {
        !self.is_hazardous()
    }

    /// Returns whether it does harm when it moves at the wrong moment: never in a drill, never again by itself.
    #[must_use]
    pub const fn is_hazardous(self) -> bool {
        matches!(self, Self::Door | Self::Uv | Self::Heat | Self::Fridge | Self::Barrier)
    }

    /// Returns whether it shows or speaks texts to people.
    #[must_use]
    pub const fn speaks(self) -> bool {
        matches!(self, Self::Display | Self::Announcement)
    }

    /// Returns whether a plan may control it.
    #[must_use]
    pub const fn is_movable(self) -> bool {
        !matches!(self, Self::Occupancy | Self::Sensor | Self::Safety)
    }
}
