//! facility.toml as written.

use linli_drivers::duration::Period;
use schemars::JsonSchema;
use serde::Deserialize;

use super::building::{FireZone, Fixture, Opening};

/// facility.toml: the centre, its sites and rooms.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FacilityFile {
    pub centre: Centre,
    /// Sites; a compact centre needs none.
    #[serde(default)]
    pub site: Vec<Site>,
    /// Rooms.
    #[serde(default)]
    pub room: Vec<Room>,
    /// Doors, gates and passages.
    #[serde(default)]
    pub opening: Vec<Opening>,
    /// Rooms that one fire alarm concerns.
    #[serde(default)]
    pub fire_zone: Vec<FireZone>,
    /// What plans set and read in the rooms.
    #[serde(default)]
    pub fixture: Vec<Fixture>,
    /// Whose orders count.
    #[serde(default)]
    pub orders: Orders,
    /// Who works in the centre, or orders it to change its mode.
    #[serde(default)]
    pub person: Vec<Person>,
}

/// Whose orders to change the mode count.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Orders {
    /// How many different people sign an order; 2 unless given. An order to stop needs one.
    #[schemars(range(min = 2, max = 8))]
    pub quorum: u8,
    /// Roles that sign for the district; "commander" and "duty_officer" unless given.
    pub district: Vec<String>,
    /// Roles that sign on the spot while the district cannot be reached; "site_lead" and
    /// "site_deputy" unless given.
    pub local: Vec<String>,
}

/// A person.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Id of the person, such as a staff number.
    pub id: String,
    /// What people call them.
    pub name: String,
    /// What they do: words that plans and `[orders]` use, such as "staff", "site_lead", "commander".
    pub roles: Vec<String>,
    /// Their keys, for those who sign orders.
    #[serde(default)]
    pub key: Vec<Key>,
}

/// A key of a person. `linli order keygen` makes one.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// The public key: "ed25519:" and 64 hexadecimal digits.
    pub public: String,
    /// What it signs: "Actual" or "Exercise". A drill has keys of its own.
    pub class: KeyClass,
    /// From when it counts, such as "2026-12-01T00:00:00+08:00"; always unless given.
    pub from: Option<String>,
    /// Until when it counts; for ever unless given.
    pub until: Option<String>,
    /// When it was revoked because it was lost or stolen: from then on nothing that it signed counts,
    /// and an order signed with it is a security alarm.
    pub revoked: Option<String>,
}

/// What a key signs.
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

/// The neighbourhood centre.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Centre {
    /// Id of the centre, unique in the district; part of every MQTT topic.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// compact: one site; strung: several along a street; cluster: several adjoining.
    pub form: Form,
    /// Time zone, such as "Asia/Shanghai"; that one unless given. A change is taken over by a restart.
    pub timezone: Option<String>,
    /// When it is open, such as ["mon-fri 08:30-17:30", "sat 09:00-12:00"]; always unless given.
    #[serde(default)]
    pub opening: Vec<String>,
}

/// Form of a centre.
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
    /// Id of the site.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// How long people walk to it from where they muster, such as "6m"; plans give whoever comes
    /// first that much longer. None unless given.
    pub walk: Option<Period>,
}

/// A room.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Room {
    /// Id of the room.
    pub id: String,
    /// Its site; may be left out in a compact centre.
    pub site: Option<String>,
    /// What people call it.
    pub name: String,
    /// What it is in peace, such as "reading_room".
    pub peace_role: Option<String>,
    /// What it can become in an emergency.
    #[serde(default)]
    pub emergency_roles: Vec<String>,
    /// Volume in cubic metres; ventilation and disinfection times come from it.
    #[schemars(range(min = 1, max = 100_000))]
    pub volume: Option<f64>,
    /// Its fire zone; a room that changes its use needs one.
    pub fire_zone: Option<String>,
    /// Rooms of one air zone share an air handler.
    pub air_zone: Option<String>,
    /// What is in it in peace that must not be harmed, or must not harm.
    #[serde(default)]
    pub contents: Vec<Contents>,
}

/// What a room may hold.
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
