//! Checks openings, zones and fixtures of facility.toml and resolves their references to device points.

use std::collections::BTreeMap;
use std::sync::Arc;

use linli_domain::alarm::Source;
use linli_domain::{Layout, PointSpec, Value, ValueType};
use linli_mode::closed_rooms;
use linli_mode::facility::{
    Contents, Facility, FireZone, Fixture, Interlock, Kind, Opening, Output, Read, ReadSource, Room, Way,
};

use super::checked::{Centre, ConfiguredLine};
use super::diagnostics::{Diagnostics, nth};
use super::raw::{self, DevicesFile, FacilityFile};
use super::text::Step;

/// Checks the building part of facility.toml.
pub fn check(
    file: &FacilityFile,
    centre: &Centre,
    rooms: &[super::Room],
    (devices, lines): (&DevicesFile, &[ConfiguredLine]),
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Facility {
    let layouts: Vec<Arc<Layout>> =
        lines.iter().flat_map(|line| line.plan.layouts().iter().cloned()).collect();
    let mut builder = Builder { file, devices, layouts, diagnostics, facility: Facility::default() };
    builder.facility.people.clone_from(&centre.people.people);
    builder.facility.sites.clone_from(&centre.sites);
    builder.fire_zones();
    builder.rooms(rooms);
    builder.openings();
    builder.fixtures();
    builder.ways_out();
    builder.facility
}

struct Builder<'b, 'n, 'a> {
    file: &'b FacilityFile,
    devices: &'b DevicesFile,
    layouts: Vec<Arc<Layout>>,
    diagnostics: &'b mut Diagnostics<'n, 'a>,
    facility: Facility,
}

// === impl Builder ===

impl Builder<'_, '_, '_> {
    fn fire_zones(&mut self) {
        for (index, raw) in self.file.fire_zone.iter().enumerate() {
            let Some(id) = self.diagnostics.id(&nth("fire_zone", index, "id"), &raw.id) else { continue };
            if self.facility.fire_zones.iter().any(|zone| zone.id == id) {
                self.diagnostics
                    .wrong(&nth("fire_zone", index, "id"), format!("fire zone {id} is there twice"));
            }
            let place = nth("fire_zone", index, "input");
            let Some((input, spec)) = self.point(&raw.input, &place) else { continue };
            if spec.kind != ValueType::Bool {
                self.diagnostics.wrong(&place, format!("{} is neither true nor false", raw.input));
                continue;
            }
            self.facility.fire_zones.push(FireZone { id, input });
        }
    }

    fn rooms(&mut self, rooms: &[super::Room]) {
        for room in rooms {
            let found = self.file.room.iter().enumerate().find(|(_, raw)| raw.id == room.id.as_str());
            let Some((index, raw)) = found else { continue };
            let fire_zone = raw.fire_zone.as_ref().and_then(|zone| {
                let known: Vec<&str> = self.facility.fire_zones.iter().map(|zone| zone.id.as_str()).collect();
                let found = known.iter().position(|known| known == zone);
                // A zone with errors of its own is reported at its own place.
                if found.is_none() && !self.file.fire_zone.iter().any(|raw| raw.id == *zone) {
                    let message = missing("fire zone", zone, &known);
                    self.diagnostics.wrong(&nth("room", index, "fire_zone"), message);
                }
                found
            });
            let air_zone = raw
                .air_zone
                .as_ref()
                .and_then(|zone| self.diagnostics.id(&nth("room", index, "air_zone"), zone));
            self.facility.rooms.push(Room {
                id: room.id.clone(),
                name: room.name.clone(),
                site: room.site.clone(),
                emergency_roles: room.emergency_roles.clone(),
                volume: room.volume,
                fire_zone,
                air_zone,
                contents: raw.contents.iter().map(contents).collect(),
            });
        }
    }

    fn openings(&mut self) {
        for (index, raw) in self.file.opening.iter().enumerate() {
            let Some(id) = self.diagnostics.id(&nth("opening", index, "id"), &raw.id) else { continue };
            if self.facility.openings.iter().any(|opening| opening.id == id) {
                self.diagnostics.wrong(&nth("opening", index, "id"), format!("opening {id} is there twice"));
            }
            let room = self.room(&raw.room, &nth("opening", index, "room"));
            let to = raw.to.as_ref().map(|to| self.room(to, &nth("opening", index, "to")));
            if to.is_some_and(|to| to.is_some() && to == room) {
                self.diagnostics.wrong(&nth("opening", index, "to"), "leads back into its own room");
            }
            let (Some(room), Some(to)) = (room, to.map_or(Some(None), |to| to.map(Some))) else { continue };
            let way = match raw.way {
                raw::Way::Entry => Way::Entry,
                raw::Way::Exit => Way::Exit,
                raw::Way::Both => Way::Both,
                raw::Way::FireExit => Way::FireExit,
            };
            self.facility.openings.push(Opening { id, room, to, way });
        }
    }

    fn fixtures(&mut self) {
        for (index, raw) in self.file.fixture.iter().enumerate() {
            let place = |key: &str| nth("fixture", index, key);
            let Some(id) = self.diagnostics.id(&place("id"), &raw.id) else { continue };
            if self.facility.fixture(id.as_str()).is_some() {
                self.diagnostics.wrong(&place("id"), format!("fixture {id} is there twice"));
            }
            let room = self.room(&raw.room, &place("room"));
            let kind = kind(raw.kind);
            let opening = raw.opening.as_ref().and_then(|opening| {
                let known: Vec<&str> = self.facility.openings.iter().map(|known| known.id.as_str()).collect();
                let found = known.iter().position(|known| known == opening);
                if found.is_none() {
                    self.diagnostics.wrong(&place("opening"), missing("opening", opening, &known));
                }
                found
            });
            if !kind.is_movable() && !raw.set.is_empty() {
                let message = format!("a fixture of kind {} is only read", kind.as_str());
                self.diagnostics.wrong(&place("set"), message);
            }
            let sets = (0..raw.set.len()).filter_map(|number| self.output(raw, index, number)).collect();
            let reads = (0..raw.read.len()).filter_map(|number| self.reading(raw, index, number)).collect();
            let Some(room) = room else { continue };
            let interlock = match raw.interlock {
                Some(raw::Interlock::Hardwired) => Interlock::Hardwired,
                Some(raw::Interlock::InDevice) => Interlock::InDevice,
                Some(raw::Interlock::None) | None => Interlock::None,
            };
            self.facility.fixtures.push(Fixture { id, room, kind, interlock, opening, sets, reads });
        }
    }

    fn output(&mut self, fixture: &raw::Fixture, index: usize, number: usize) -> Option<Output> {
        let raw = &fixture.set[number];
        let place = |key: &str| inner(index, "set", number, key);
        if fixture.set[..number].iter().any(|other| other.name == raw.name) {
            self.diagnostics.wrong(&place("name"), format!("{:?} is there twice", raw.name));
        }
        let (point, spec) = self.point(&raw.point, &place("point"))?;
        if !spec.writable {
            self.diagnostics.wrong(&place("point"), format!("{} takes no commands", raw.point));
            return None;
        }
        let words = self.words(&raw.words, &place("words"));
        let known: Vec<&str> = words.iter().map(|(word, _)| word.as_str()).collect();
        let lists = [("secures", &raw.secures), ("entry_only", &raw.entry_only)];
        let named = lists.iter().flat_map(|(key, words)| words.iter().map(move |word| (*key, word)));
        let safe = raw.safe.iter().filter(|safe| !known.is_empty() || safe.parse::<f64>().is_err());
        for (key, word) in named.chain(safe.map(|word| ("safe", word))) {
            if !known.contains(&word.as_str()) {
                self.diagnostics.wrong(&place(key), missing("word", word, &known));
            }
        }
        let unread = |word: &&String| {
            let has_read = fixture.read.iter().any(|read| read.name == raw.name || read.name == "egress");
            !has_read && known.contains(&word.as_str())
        };
        // Who stands behind a connecting door that is secured does not get out through it.
        let is_connecting = fixture.opening.as_ref().is_some_and(|id| {
            let opening = self.facility.openings.iter().find(|opening| opening.id.as_str() == id);
            opening.is_some_and(|opening| opening.to.is_some())
        });
        let closing = [("entry_only", &raw.entry_only, true), ("secures", &raw.secures, is_connecting)];
        for (key, _, _) in
            closing.into_iter().filter(|(_, words, counts)| *counts && words.iter().any(|word| unread(&word)))
        {
            let message = format!(
                "whether the way out is free could not be known: needs a reading called {:?} or \"egress\"",
                raw.name
            );
            self.diagnostics.wrong(&place(key), message);
        }
        if raw.safe.is_some() && !fixture.read.iter().any(|read| read.name == raw.name) {
            let message = format!("nobody could know that it is safe: needs a reading called {:?}", raw.name);
            self.diagnostics.wrong(&place("safe"), message);
        }
        Some(Output {
            name: raw.name.clone(),
            point,
            words,
            safe: raw.safe.clone(),
            secures: raw.secures.clone(),
            entry_only: raw.entry_only.clone(),
            is_pulse: raw.pulse.unwrap_or_default(),
        })
    }

    fn reading(&mut self, fixture: &raw::Fixture, index: usize, number: usize) -> Option<Read> {
        let raw = &fixture.read[number];
        let place = |key: &str| inner(index, "read", number, key);
        if fixture.read[..number].iter().any(|other| other.name == raw.name) {
            self.diagnostics.wrong(&place("name"), format!("{:?} is there twice", raw.name));
        }
        let from = match (&raw.point, raw.known) {
            (Some(point), None) => ReadSource::Point(self.point(point, &place("point"))?.0),
            (None, Some(known)) => ReadSource::Constant(known),
            _ => {
                self.diagnostics.wrong(&place(""), "needs either point or known");
                return None;
            }
        };
        let is_per_volume = raw.per_volume.unwrap_or_default();
        let has_volume = self.file.room.iter().any(|room| room.id == fixture.room && room.volume.is_some());
        if is_per_volume && !has_volume {
            let message = format!("the room {} has no volume to divide by", fixture.room);
            self.diagnostics.wrong(&place("per_volume"), message);
        }
        Some(Read {
            name: raw.name.clone(),
            from,
            words: self.words(&raw.words, &place("words")),
            is_per_volume,
            is_independent: raw.independent.unwrap_or_default(),
        })
    }

    /// Checks the words of a fixture and their values. Two words for one value are an error: a reading
    /// could not be named.
    fn words(&mut self, raw: &BTreeMap<String, serde_json::Value>, place: &[Step]) -> Vec<(String, Value)> {
        let mut words: Vec<(String, Value)> = Vec::new();
        for (word, value) in raw {
            let is_word = !word.is_empty()
                && word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            let value = serde_json::from_value::<Value>(value.clone()).ok();
            let value = value.filter(|value| !matches!(value, Value::Text(_)));
            match value.filter(|_| is_word) {
                None => {
                    let message = format!(
                        "{word}: a word is of a-z, 0-9 and '_' and stands for a number, true or false"
                    );
                    self.diagnostics.wrong(place, message);
                }
                Some(value) => {
                    if let Some((other, _)) = words.iter().find(|(_, known)| *known == value) {
                        let message = format!("{word} and {other} stand for the same value");
                        self.diagnostics.wrong(place, message);
                    }
                    words.push((word.clone(), value));
                }
            }
        }
        words
    }

    fn room(&mut self, id: &str, place: &[Step]) -> Option<usize> {
        let found = self.facility.room(id);
        if found.is_none() {
            let known: Vec<&str> = self.facility.rooms.iter().map(|room| room.id.as_str()).collect();
            self.diagnostics.wrong(place, missing("room", id, &known));
        }
        found
    }

    /// Splits `DEVICE.POINT`, where ids may contain dots.
    fn point(&mut self, text: &str, place: &[Step]) -> Option<(Source, PointSpec)> {
        for layout in &self.layouts {
            let rest = text.strip_prefix(layout.device.as_str()).and_then(|rest| rest.strip_prefix('.'));
            let Some(name) = rest else { continue };
            if let Some(spec) = layout.points.iter().find(|point| point.name.as_str() == name) {
                let source = Source { device: layout.device.clone(), point: spec.name.clone() };
                return Some((source, spec.clone()));
            }
            let known: Vec<&str> = layout.points.iter().map(|point| point.name.as_str()).collect();
            let message = format!("{}: {}", layout.device, missing("point", name, &known));
            self.diagnostics.wrong(place, message);
            return None;
        }
        // A device with errors of its own is reported at its own place.
        let is_written =
            |raw: &raw::Device| text.strip_prefix(&raw.id).is_some_and(|rest| rest.starts_with('.'));
        if self.devices.device.iter().any(is_written) {
            return None;
        }
        let device = text.rsplit_once('.').map_or(text, |(device, _)| device);
        let known: Vec<&str> = self.layouts.iter().map(|layout| layout.device.as_str()).collect();
        self.diagnostics.wrong(place, missing("device", device, &known));
        None
    }

    /// A room that can change its use must have an exit, whatever the plans do.
    fn ways_out(&mut self) {
        if self.facility.openings.len() < self.file.opening.len() {
            return;
        }
        for room in closed_rooms(&self.facility) {
            let room = &self.facility.rooms[room];
            let found = self.file.room.iter().position(|raw| raw.id == room.id.as_str());
            if let Some(index) = found.filter(|_| !room.emergency_roles.is_empty()) {
                let message =
                    "nobody would get out of it: [[opening]] shows no way from it into the open air";
                self.diagnostics.wrong(&nth("room", index, "emergency_roles"), message);
            }
        }
    }
}

fn inner(fixture: usize, list: &str, number: usize, key: &str) -> Vec<Step> {
    let mut path = nth("fixture", fixture, list);
    path.push(Step::Index(number));
    if !key.is_empty() {
        path.push(Step::Key(key.to_owned()));
    }
    path
}

fn missing(what: &str, given: &str, known: &[&str]) -> String {
    match super::shape::nearest(given, known) {
        Some(near) => format!("there is no {what} {given:?}; did you mean {near:?}?"),
        None if known.is_empty() => format!("there is no {what} {given:?}, and no other"),
        None => format!("there is no {what} {given:?}; known are: {}", known.join(", ")),
    }
}

const fn kind(raw: raw::Kind) -> Kind {
    match raw {
        raw::Kind::Door => Kind::Door,
        raw::Kind::Barrier => Kind::Barrier,
        raw::Kind::Uv => Kind::Uv,
        raw::Kind::Ventilation => Kind::Ventilation,
        raw::Kind::Fridge => Kind::Fridge,
        raw::Kind::Heat => Kind::Heat,
        raw::Kind::Display => Kind::Display,
        raw::Kind::Announcement => Kind::Announcement,
        raw::Kind::Lighting => Kind::Lighting,
        raw::Kind::Kiosk => Kind::Kiosk,
        raw::Kind::Supply => Kind::Supply,
        raw::Kind::Occupancy => Kind::Occupancy,
        raw::Kind::Sensor => Kind::Sensor,
        raw::Kind::Safety => Kind::Safety,
    }
}

const fn contents(raw: &raw::Contents) -> Contents {
    match raw {
        raw::Contents::HotFood => Contents::HotFood,
        raw::Contents::Chilled => Contents::Chilled,
        raw::Contents::Frozen => Contents::Frozen,
        raw::Contents::Dry => Contents::Dry,
        raw::Contents::Medical => Contents::Medical,
        raw::Contents::Hazard => Contents::Hazard,
    }
}
