//! facility.toml as written.

use schemars::JsonSchema;
use serde::Deserialize;

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
    #[expect(dead_code, reason = "for people; nothing shows sites yet")]
    pub name: String,
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
    /// Doors and windows by id.
    #[serde(default)]
    pub openings: Vec<String>,
}
