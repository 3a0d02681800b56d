//! The building: rooms, the openings between them, what a plan may move in them, and the people.

use std::time::Duration;

use crate::alarm::Source;
use crate::{Id, Value};

/// A centre, as far as it is built.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facility {
    /// Where it stands.
    pub sites: Vec<Site>,
    /// Rooms.
    pub rooms: Vec<Room>,
    /// Doors between rooms, and out.
    pub openings: Vec<Opening>,
    /// What can be moved or read.
    pub fixtures: Vec<Fixture>,
    /// Parts of the building that the fire panel watches together.
    pub fire_zones: Vec<FireZone>,
    /// Who works there, or gives orders.
    pub people: Vec<Person>,
}

/// A place where rooms of the centre are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Its id.
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// How long people walk to it from where they muster.
    pub walk: Duration,
}

/// A room.
#[derive(Debug, Clone, PartialEq)]
pub struct Room {
    /// Its id.
    pub id: Id,
    /// What people call it.
    pub name: String,
    /// Its site.
    pub site: Option<Id>,
    /// What it can become.
    pub emergency_roles: Vec<String>,
    /// Cubic metres.
    pub volume: Option<f64>,
    /// Position of its fire zone.
    pub fire_zone: Option<usize>,
    /// Rooms of one air zone share an air handler.
    pub air_zone: Option<Id>,
    /// What is in it in peace.
    pub contents: Vec<Contents>,
}

/// What a room may hold that must not be harmed, or must not harm.
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

/// What an opening serves for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In only.
    Entry,
    /// Out only.
    Exit,
    /// Both.
    Both,
    /// Out, in danger.
    FireExit,
}

/// A door, gate or passage.
#[derive(Debug, Clone, PartialEq)]
pub struct Opening {
    /// Its id.
    pub id: Id,
    /// Position of the room it belongs to.
    pub room: usize,
    /// Position of the room behind it; none is the open air.
    pub to: Option<usize>,
    /// What it serves for.
    pub way: Way,
}

/// What a fixture is, and so what may be done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Network, power, video: what is only looked at or switched over.
    Supply,
    /// Tells whether somebody is there.
    Occupancy,
    /// Only reads.
    Sensor,
    /// The fire panel and everything that belongs to it: never moved.
    Safety,
}

/// Who makes sure that it does no harm, whatever software says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interlock {
    /// Wires.
    Hardwired,
    /// The device itself.
    InDevice,
    /// Nobody.
    None,
}

/// Something in a room.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixture {
    /// Its id.
    pub id: Id,
    /// Position of its room.
    pub room: usize,
    /// What it is.
    pub kind: Kind,
    /// What keeps it harmless.
    pub interlock: Interlock,
    /// Position of the opening it is a door or barrier of.
    pub opening: Option<usize>,
    /// What can be set.
    pub sets: Vec<Output>,
    /// What can be read.
    pub reads: Vec<Read>,
}

/// Something that can be set.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// Its name, such as `entry`.
    pub name: String,
    /// Where it is written.
    pub point: Source,
    /// What can be written, by its word. Numbers and texts are written as they are when there is
    /// no word.
    pub words: Vec<(String, Value)>,
    /// The word or number it takes on hold; none keeps what it has.
    pub safe: Option<String>,
    /// Words with which nobody gets in any more.
    pub secures: Vec<String>,
    /// Words with which the opening no longer counts as a way out.
    pub entry_only: Vec<String>,
    /// Each write moves something once more: it is never repeated.
    pub is_pulse: bool,
}

/// Where a reading comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum From {
    /// A point.
    Point(Source),
    /// It is known: a nameplate, a measurement written down.
    Known(f64),
}

/// Something that can be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// Its name, such as `contact`.
    pub name: String,
    /// Where it comes from.
    pub from: From,
    /// Words for values.
    pub words: Vec<(String, Value)>,
    /// It is divided by the room's volume: a flow in m³/h becomes air changes per hour.
    pub is_per_volume: bool,
    /// It does not come from the device that acts.
    pub is_independent: bool,
}

/// Rooms that one fire alarm concerns.
#[derive(Debug, Clone, PartialEq)]
pub struct FireZone {
    /// Its id.
    pub id: Id,
    /// True while there is an alarm.
    pub input: Source,
}

/// Somebody who works in the centre, or commands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: Id,
    /// What people call them.
    pub name: String,
    /// What they may do.
    pub roles: Vec<String>,
}

// === impl Facility ===

impl Facility {
    /// A fixture by its id.
    #[must_use]
    pub fn fixture(&self, id: &str) -> Option<usize> {
        self.fixtures.iter().position(|fixture| fixture.id.as_str() == id)
    }

    /// A room by its id.
    #[must_use]
    pub fn room(&self, id: &str) -> Option<usize> {
        self.rooms.iter().position(|room| room.id.as_str() == id)
    }

    /// How long people walk to a room's site.
    #[must_use]
    pub fn walk(&self, room: usize) -> Duration {
        let site = self.rooms.get(room).and_then(|room| room.site.as_ref());
        let site = self.sites.iter().find(|known| Some(&known.id) == site);
        site.map(|site| site.walk).unwrap_or_default()
    }

    /// A person by their id.
    #[must_use]
    pub fn person(&self, id: &str) -> Option<&Person> {
        self.people.iter().find(|person| person.id.as_str() == id)
    }
}

// === impl Kind ===

impl Kind {
    /// The word in files.
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

    /// Whether a drill may really move it : what harms when it moves by mistake does not.
    #[must_use]
    pub const fn moves_in_drill(self) -> bool {
        !matches!(self, Self::Uv | Self::Heat | Self::Fridge | Self::Barrier)
    }

    /// Whether what it shows or says is text for people.
    #[must_use]
    pub const fn speaks(self) -> bool {
        matches!(self, Self::Display | Self::Announcement)
    }

    /// Whether a plan may set anything of it.
    #[must_use]
    pub const fn is_movable(self) -> bool {
        !matches!(self, Self::Occupancy | Self::Sensor | Self::Safety)
    }
}
