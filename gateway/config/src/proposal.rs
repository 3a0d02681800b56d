//! Proposals for facility.toml: outlines of rooms that somebody drew on the map, in a file of their own until a person takes
//! them over. Comments and the way the file is written stay as they are.

use linli_domain::Id;
use serde::{Deserialize, Serialize};
use toml_edit::{Array, DocumentMut, Item, Table, Value};

use super::report::Problem;

/// The folder of proposals in the data directory.
pub const FOLDER: &str = "proposals";

/// Longest proposal in bytes: a hundred rooms of 64 corners.
pub const LARGEST: usize = 256 * 1024;

/// Longest name and longest person, in characters.
const LONGEST: usize = 80;

/// A proposal as it is kept: TOML.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposal {
    /// What it is, who drew it, and when.
    pub proposal: About,
    /// The rooms that it changes, at least one.
    pub room: Vec<ProposedRoom>,
}

/// What a proposal is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// What people call it.
    pub name: String,
    /// Who drew it.
    pub by: String,
    /// When, RFC 3339.
    pub at: String,
}

/// The new outline of a room.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProposedRoom {
    /// Id of the room.
    pub id: Id,
    /// Its floor.
    pub floor: i8,
    /// Its corners, as in facility.toml.
    pub outline: Vec<[f64; 2]>,
}

/// What a proposal changes of one room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoomChange {
    /// The room.
    pub room: Id,
    /// Its lines in facility.toml before; empty if it had none.
    pub before: Vec<String>,
    /// Its lines after.
    pub after: Vec<String>,
}

/// facility.toml with a proposal in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// The whole text.
    pub text: String,
    /// What is another than before; empty if the rooms are drawn so already.
    pub changes: Vec<RoomChange>,
}

// === impl Proposal ===

impl Proposal {
    /// Reads a proposal. `file` is what messages call it.
    ///
    /// # Errors
    /// What is wrong with it, with its place.
    pub fn parse(file: &str, text: &str) -> Result<Self, Problem> {
        if text.len() > LARGEST {
            return Err(Problem::file(
                file,
                format!("is longer than {} KiB: that is no proposal", LARGEST / 1024),
            ));
        }
        let read: Self = toml::from_str(text).map_err(|error| {
            let place = error.span().unwrap_or(0..0);
            Problem::at(file, text, place, String::new(), error.message().to_owned())
        })?;
        read.problem().map_or(Ok(read.clone()), |why| Err(Problem::file(file, why)))
    }

    /// What is wrong with it apart from the outlines, which the check of the configuration judges.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        for (what, text) in [("name", &self.proposal.name), ("by", &self.proposal.by)] {
            let length = text.trim().chars().count();
            if length == 0 || length > LONGEST || text.contains(char::is_control) {
                return Some(format!("proposal.{what} must be one line of 1 to {LONGEST} characters"));
            }
        }
        if self.proposal.at.parse::<jiff::Timestamp>().is_err() {
            return Some(format!(
                "proposal.at = {:?} is no time such as \"2026-11-30T10:00:00Z\"",
                self.proposal.at
            ));
        }
        if self.room.is_empty() {
            return Some("changes no room: it needs at least one [[room]]".to_owned());
        }
        let twice = self
            .room
            .iter()
            .enumerate()
            .find(|(at, room)| self.room[..*at].iter().any(|other| other.id == room.id));
        twice.map(|(_, room)| format!("room {} is there twice", room.id))
    }

    /// The text of its file.
    #[must_use]
    pub fn text(&self) -> String {
        let about = &self.proposal;
        let quoted = |text: &str| toml::Value::from(text).to_string();
        let mut text = String::from(
            "# A proposal for facility.toml: nothing changes until it is applied. 平面图修改建议，应用之前什么都不变。\n\
             # linli proposal show FILE · linli proposal apply FILE --yes\n\n[proposal]\n",
        );
        for (key, value) in [("name", &about.name), ("by", &about.by), ("at", &about.at)] {
            text.push_str(&format!("{key} = {}\n", quoted(value)));
        }
        for room in &self.room {
            let id = quoted(room.id.as_str());
            text.push_str(&format!(
                "\n[[room]]\nid = {id}\nfloor = {}\noutline = {}\n",
                room.floor,
                corners(&room.outline)
            ));
        }
        text
    }

    /// Puts it into the text of facility.toml.
    ///
    /// # Errors
    /// Rooms that are not there, or a file that cannot be changed.
    pub fn put_into(&self, facility: &str) -> Result<Proposed, Vec<Problem>> {
        let wrong = |message: String| Problem::file("facility.toml", message);
        let mut document: DocumentMut = facility
            .parse()
            .map_err(|error: toml_edit::TomlError| vec![wrong(error.message().to_owned())])?;
        let Some(rooms) = document.get_mut("room").and_then(Item::as_array_of_tables_mut) else {
            return Err(vec![wrong("has no [[room]] that a proposal could change".to_owned())]);
        };
        let (mut changes, mut problems) = (Vec::new(), Vec::new());
        for new in &self.room {
            let named = |table: &&mut Table| table.get("id").and_then(Item::as_str) == Some(new.id.as_str());
            let Some(table) = rooms.iter_mut().find(named) else {
                problems.push(wrong(format!("has no room {}, which the proposal changes", new.id)));
                continue;
            };
            let before = lines(table);
            // A room without a floor is on the ground floor.
            if table.contains_key("floor") || new.floor != 1 {
                replace(table, "floor", i64::from(new.floor).into());
            }
            replace(table, "outline", array(&new.outline));
            let after = lines(table);
            if before != after {
                changes.push(RoomChange { room: new.id.clone(), before, after });
            }
        }
        if problems.is_empty() { Ok(Proposed { text: document.to_string(), changes }) } else { Err(problems) }
    }
}

/// Replaces a value and leaves what is written around it.
fn replace(table: &mut Table, key: &str, mut value: Value) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let is_same = meaning(old) == meaning(&value);
            *value.decor_mut() = old.decor().clone();
            if !is_same {
                *old = value;
            }
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

/// A number or a list of corners, whatever blanks and line breaks are in it.
fn meaning(value: &Value) -> String {
    let number = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
    match value.as_array() {
        Some(array) => format!("[{}]", array.iter().map(meaning).collect::<Vec<_>>().join(",")),
        None => number(value).map_or_else(String::new, |number| number.to_string()),
    }
}

/// The lines of a room that a proposal may change.
fn lines(table: &Table) -> Vec<String> {
    let line = |key: &str| {
        let value = table.get(key)?.as_value()?.clone();
        let text = value.to_string();
        Some(format!("{key} = {}", text.split_whitespace().collect::<Vec<_>>().join(" ")))
    };
    ["floor", "outline"].into_iter().filter_map(line).collect()
}

/// Corners as a person writes them: whole metres without a point.
fn corners(outline: &[[f64; 2]]) -> String {
    array(outline).to_string()
}

fn array(outline: &[[f64; 2]]) -> Value {
    let number = |length: f64| -> Value {
        // To the centimetre: nobody draws finer.
        let length = (length * 100.0).round() / 100.0;
        #[expect(clippy::cast_possible_truncation, reason = "compared before")]
        if length.fract() == 0.0 && length.abs() < 1e9 {
            Value::from(length as i64)
        } else {
            Value::from(length)
        }
    };
    let pair = |[east, south]: &[f64; 2]| {
        Value::Array([number(*east), number(*south)].into_iter().collect::<Array>())
    };
    Value::Array(outline.iter().map(pair).collect::<Array>())
}
