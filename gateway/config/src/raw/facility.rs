//! facility.toml as written.

use linli_drivers::duration::Period;
use schemars::JsonSchema;
use serde::Deserialize;

use super::building::{FireZone, Fixture, Opening};

/// facility.toml: the centre with its sites, rooms, building and people.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FacilityFile {
    pub centre: Centre,
    /// Sites. A compact centre may have none; a strung or cluster centre has at least two.
    #[serde(default)]
    pub site: Vec<Site>,
    /// Rooms of the centre.
    #[serde(default)]
    pub room: Vec<Room>,
    /// Areas that are no rooms and that the map draws: corridors, stairs, yards.
    #[serde(default)]
    pub area: Vec<Area>,
    /// Drawings that the map shows below the outlines, one a floor of a site.
    #[serde(default)]
    pub background: Vec<Background>,
    /// Doors, gates and passages.
    #[serde(default)]
    pub opening: Vec<Opening>,
    /// Fire zones: the rooms that one fire alarm concerns.
    #[serde(default)]
    pub fire_zone: Vec<FireZone>,
    /// Equipment in the rooms that plans set or read.
    #[serde(default)]
    pub fixture: Vec<Fixture>,
    /// Who may sign orders.
    #[serde(default)]
    pub orders: Orders,
    /// People who work in the centre or may order it to change its mode.
    #[serde(default)]
    pub person: Vec<Person>,
}

/// Who may sign orders that change the mode.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Orders {
    /// Number of different people who must sign an order, default 2. An order to stop needs one.
    #[schemars(range(min = 2, max = 8))]
    pub quorum: u8,
    /// Roles that may sign orders of the district, default ["commander", "duty_officer"].
    pub district: Vec<String>,
    /// Roles that may sign orders on site while the district cannot be reached, default ["site_lead",
    /// "site_deputy"].
    pub local: Vec<String>,
}

/// A person who carries out steps of plans or signs orders.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Id of the person, unique in the centre, such as a staff number.
    pub id: String,
    /// Name of the person, as screens and reports show it; not empty.
    pub name: String,
    /// Roles of the person, at least one: words that plans and `[orders]` use, such as "staff", "site_lead",
    /// "commander".
    pub roles: Vec<String>,
    /// Public keys of the person. Only people who sign orders need one.
    #[serde(default)]
    pub key: Vec<Key>,
}

/// A public key of a person. `linli order keygen` makes a key pair.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The public key: "ed25519:" and 64 hexadecimal digits. The same key twice is refused.
    pub public: String,
    /// Class of the orders that it signs: "Actual" or "Exercise". Drills need keys of their own.
    pub class: KeyClass,
    /// Start of its validity, RFC 3339, such as "2026-12-01T00:00:00+08:00". Without it, valid from the
    /// beginning.
    pub from: Option<String>,
    /// End of its validity, RFC 3339. Without it, valid for ever.
    pub until: Option<String>,
    /// When it was revoked because it was lost or stolen: from then on nothing that it signed counts,
    /// and an order signed with it is a security alarm.
    pub revoked: Option<String>,
}

/// Class of the orders that a key signs.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum KeyClass {
    Actual,
    Exercise,
}

impl Default for Orders {
    fn default() -> Self {
        let roles = |roles: [&str; 2]| roles.map(str::to_owned).to_vec();
        Self {
            quorum: 2,
            district: roles(["commander", "duty_officer"]),
            local: roles(["site_lead", "site_deputy"]),
        }
    }
}

/// The community centre.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Centre {
    /// Id of the centre, unique in the district; part of every MQTT topic.
    pub id: String,
    /// Name of the centre, as screens and reports show it; not empty.
    pub name: String,
    /// compact: one site; strung: several along a street; cluster: several adjoining.
    pub form: Form,
    /// IANA time zone, default that of the machine. A change takes effect after a restart.
    pub timezone: Option<String>,
    /// Opening hours, such as ["mon-fri 08:30-17:30", "sat 09:00-12:00"]. Without them, always open.
    #[serde(default)]
    pub opening: Vec<String>,
}

/// Layout of a centre.
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
    /// Id of the site, unique in the centre.
    pub id: String,
    /// Name of the site, as screens show it.
    pub name: String,
    /// Travel time on foot from the muster point to the site, at most 2h, default 0s. Plans give the first
    /// person who is needed there this much longer.
    pub walk: Option<Period>,
}

/// A room of the centre.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// Id of the room, unique in the centre.
    pub id: String,
    /// Id of its site. Required if the centre has several sites.
    pub site: Option<String>,
    /// What people call it.
    pub name: String,
    /// Its use in peacetime, such as "reading_room".
    pub peace_role: Option<String>,
    /// Emergency roles that plans may give it. A room with roles needs a way out to the open air
    /// (`[[opening]]`).
    #[serde(default)]
    pub emergency_roles: Vec<String>,
    /// Volume in m³. Air changes per hour are computed from it.
    #[schemars(range(min = 1, max = 100_000))]
    pub volume: Option<f64>,
    /// Id of its fire zone. Required for a room that has a plan.
    pub fire_zone: Option<String>,
    /// Name of its air zone. Rooms of one air zone share an air handler.
    pub air_zone: Option<String>,
    /// What the room holds in peacetime that a plan must clear or protect.
    #[serde(default)]
    pub contents: Vec<Contents>,
    /// Its floor, default 1, the ground floor; -1 is the first below it.
    pub floor: Option<i8>,
    /// Corners of its outline on the map, 3 to 64 of them, in metres from the north-west corner of the site:
    /// [east, south], such as [[0, 0], [6, 0], [6, 4], [0, 4]]. Without it the map draws the room in a grid.
    pub outline: Option<Vec<[f64; 2]>>,
}

/// An area that is no room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Area {
    /// What people call it, as the map shows it.
    pub name: String,
    /// Id of its site. Required if the centre has several sites.
    pub site: Option<String>,
    /// Its floor, default 1.
    pub floor: Option<i8>,
    /// Corners of its outline, as those of rooms.
    pub outline: Vec<[f64; 2]>,
}

/// A drawing below the outlines of a floor.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Background {
    /// Id of its site. Required if the centre has several sites.
    pub site: Option<String>,
    /// Its floor, default 1.
    pub floor: Option<i8>,
    /// Name of an SVG file in the folder `maps` beside facility.toml, such as "ground-floor.svg"; at most 512 KiB. Lines, areas
    /// and text are shown; scripts, links, pictures and references to elsewhere are refused.
    pub file: String,
    /// How many metres the drawing is wide and deep, [east, south]; it is stretched to that.
    pub size: [f64; 2],
    /// Its north-west corner, in metres from that of the site: [east, south], default [0, 0].
    pub corner: Option<[f64; 2]>,
}

/// Contents of a room.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Contents {
    HotFood,
    Chilled,
    Frozen,
    Dry,
    Medical,
    Hazard,
}
