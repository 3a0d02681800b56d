//! Checks devices.toml: lines, and the devices on them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::report::Report as Rule;
use linli_domain::timezone::Zone;
use linli_domain::{DeviceClass, Id, ValueType};
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::{CheckedLine, Protocol, RawDevice, RawLine};

use super::checked::ConfiguredLine;
use super::diagnostics::{Diagnostics, nth};
use super::raw::{Device, DevicesFile, Report, ReportProfile};
use super::text::Step;
use crate::settings::uplink_certificate;

/// Default poll interval.
const DEFAULT_POLL: Duration = Duration::from_secs(10);

/// Default interval at which an unchanged value is reported.
const DEFAULT_AT_LEAST: Duration = Duration::from_secs(600);

/// Longest poll: a device read less often than daily is not monitored.
const LONGEST_POLL: Duration = Duration::from_secs(24 * 3600);

/// A value is stale after this many missed polls, but not before [`SHORTEST_STALE`].
const STALE_POLLS: u32 = 3;

/// Shortest age at which a value is stale.
const SHORTEST_STALE: Duration = Duration::from_secs(5);

/// Checks the file, in the rooms and the time zone of the centre.
pub fn check(
    file: &DevicesFile,
    (rooms, zone): (Option<&[Id]>, Option<&Zone>),
    profiles: &ProfileSet,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<ConfiguredLine> {
    let zone = zone.cloned().unwrap_or_else(Zone::utc);
    let line_ids = line_ids(file, diagnostics);
    let devices = devices(file, rooms, &line_ids, dir, diagnostics);
    let mut checked = Vec::new();
    let mut taken = BTreeMap::new();
    let mut told = BTreeSet::new();
    for (index, raw) in file.line.iter().enumerate() {
        let Some(id) = line_ids.get(index).cloned().flatten() else { continue };
        let mut settings = raw.0.clone();
        settings.remove("id");
        let kind =
            settings.remove("kind").and_then(|kind| kind.as_str().map(str::to_owned)).unwrap_or_default();
        let Some(protocol) = linli_drivers::protocol(&kind) else { continue };
        resolve(&mut settings, protocol, index, dir, diagnostics);
        let here: Vec<(usize, RawDevice)> = devices
            .iter()
            .enumerate()
            .filter_map(|(at, device)| {
                device.as_ref().filter(|(line, _)| *line == id).map(|(_, raw)| (at, raw.clone()))
            })
            .collect();
        let raws: Vec<RawDevice> = here.iter().map(|(_, raw)| raw.clone()).collect();
        match protocol.plan(&RawLine { id, settings, zone: zone.clone() }, &raws, profiles) {
            Ok(plan) => {
                if let Some((key, used)) = plan.exclusive()
                    && let Some(other) = taken.insert(used.clone(), plan.line().clone())
                {
                    let why = "two lines on one bus garble each other; put their devices on one line";
                    diagnostics
                        .wrong(&nth("line", index, key), format!("{used:?} is already {other}'s: {why}"));
                }
                checked.push(finish(plan, &here, file, diagnostics));
            }
            Err(problems) => {
                for mut problem in problems {
                    // A room that there is not was told of already; that one is given at all is not in doubt.
                    let is_given = |at: usize| file.device[here[at].0].room.is_some();
                    if problem.key == "room" && problem.device.is_some_and(is_given) {
                        continue;
                    }
                    // What is wrong with a profile's name is told once, not for each device that has it.
                    if let Some(device) = problem.device.filter(|_| problem.key == "profile") {
                        let profile = &raws[device].profile;
                        if !told.insert((kind.clone(), profile.clone())) {
                            continue;
                        }
                        let count = file.device.iter().filter(|other| other.profile == *profile).count();
                        if count > 1 {
                            problem.message = format!("{} ({count} devices have it)", problem.message);
                        }
                    }
                    let path = match problem.device {
                        Some(device) => nth("device", here[device].0, &problem.key),
                        None => nth("line", index, &problem.key),
                    };
                    diagnostics.wrong(&path, problem.message);
                }
            }
        }
    }
    checked
}

/// Replaces the references of a line to secrets and files by what they refer to.
fn resolve(
    settings: &mut toml::Table,
    protocol: &dyn Protocol,
    index: usize,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) {
    for key in protocol.secrets() {
        let Some(reference) = settings.get(*key).and_then(|value| value.as_str()) else { continue };
        let found = secret(reference, dir, &nth("line", index, key), diagnostics);
        settings.insert((*key).to_owned(), found.into());
    }
    for key in protocol.files() {
        let Some(reference) = settings.get(*key).and_then(|value| value.as_str()) else { continue };
        let found = super::secret::read(reference, dir).unwrap_or_else(|why| {
            diagnostics.wrong(&nth("line", index, key), why);
            String::new()
        });
        settings.insert((*key).to_owned(), found.into());
    }
}

fn line_ids(file: &DevicesFile, diagnostics: &mut Diagnostics<'_, '_>) -> Vec<Option<Id>> {
    let mut seen = BTreeSet::new();
    let mut ids = Vec::new();
    for (index, line) in file.line.iter().enumerate() {
        let text = line.0.get("id").and_then(|id| id.as_str()).unwrap_or_default();
        let id = diagnostics.id(&nth("line", index, "id"), text);
        if let Some(id) = id.as_ref().filter(|id| !seen.insert((*id).clone())) {
            diagnostics.wrong(&nth("line", index, "id"), format!("line {id} is there twice"));
        }
        ids.push(id);
    }
    ids
}

/// Every device with its line; `None` for a device with errors.
fn devices(
    file: &DevicesFile,
    rooms: Option<&[Id]>,
    lines: &[Option<Id>],
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<Option<(Id, RawDevice)>> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (index, raw) in file.device.iter().enumerate() {
        let id = diagnostics.id(&nth("device", index, "id"), &raw.id);
        if let Some(id) = id.as_ref().filter(|id| !seen.insert((*id).clone())) {
            diagnostics.wrong(&nth("device", index, "id"), format!("device {id} is there twice"));
        }
        if raw.id == uplink_certificate::DEVICE {
            let why = format!("device {} is the gateway's own; choose another id", raw.id);
            diagnostics.wrong(&nth("device", index, "id"), why);
        }
        let line =
            known(&raw.line, lines.iter().flatten(), "line", &nth("device", index, "line"), diagnostics);
        let room = match (&raw.room, rooms) {
            (Some(room), Some(rooms)) => {
                known(room, rooms.iter(), "room", &nth("device", index, "room"), diagnostics)
            }
            _ => None,
        };
        let default = linli_drivers::default_poll(&raw.profile).unwrap_or(DEFAULT_POLL);
        let poll = raw.poll.map_or(default, |poll| poll.0);
        if poll > LONGEST_POLL {
            diagnostics
                .wrong(&nth("device", index, "poll"), "is longer than a day: such a device is not monitored");
        }
        let token = raw
            .token
            .as_ref()
            .map(|reference| secret(reference, dir, &nth("device", index, "token"), diagnostics));
        all.push(id.zip(line).map(|(id, line)| {
            let name = raw.name.clone().unwrap_or_else(|| id.to_string());
            let class = raw.class.map_or(DeviceClass::Telemetry, DeviceClass::from);
            let (topic, serial, profile) = (raw.topic.clone(), raw.serial.clone(), raw.profile.clone());
            (line, RawDevice { id, name, room, class, unit: raw.unit, topic, serial, token, profile, poll })
        }));
    }
    all
}

/// Resolves a reference to a secret. An error is reported, and a placeholder returned.
fn secret(
    reference: &str,
    dir: Option<&Path>,
    path: &[Step],
    diagnostics: &mut Diagnostics<'_, '_>,
) -> String {
    match super::secret::read_private(reference, dir) {
        Ok(secret) if dir.is_some() => secret,
        Ok(_) => format!("{reference:?}, not looked at here"),
        Err(why) => {
            diagnostics.wrong(path, why);
            format!("{reference:?}, which is no reference")
        }
    }
}

fn known<'k>(
    given: &str,
    all: impl Iterator<Item = &'k Id>,
    what: &str,
    path: &[Step],
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<Id> {
    let all: Vec<&Id> = all.collect();
    if let Some(found) = all.iter().find(|id| id.as_str() == given) {
        return Some((*found).clone());
    }
    let words: Vec<&str> = all.iter().map(|id| id.as_str()).collect();
    let hint = match super::shape::nearest(given, &words) {
        Some(near) => format!("did you mean {near:?}?"),
        None if words.is_empty() => format!("there is no [[{what}]] at all"),
        None => format!("there are: {}", words.join(", ")),
    };
    diagnostics.wrong(path, format!("there is no {what} {given:?}; {hint}"));
    None
}

/// Report rules and stale ages of the devices of a line.
fn finish(
    plan: Arc<dyn CheckedLine>,
    here: &[(usize, RawDevice)],
    file: &DevicesFile,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> ConfiguredLine {
    let mut reports = Vec::new();
    for ((index, _), layout) in here.iter().zip(plan.layouts()) {
        let raw: &Device = &file.device[*index];
        let general = rule(raw.report.as_ref(), &nth("device", *index, "report"), diagnostics);
        let mut rules = match (raw.report.is_some(), file.report_profile) {
            (false, Some(ReportProfile::District)) => {
                layout.points.iter().map(|point| district_rule(point.kind)).collect()
            }
            _ => vec![general; layout.points.len()],
        };
        for (nth_point, point) in raw.point.iter().enumerate() {
            let mut path = nth("device", *index, "point");
            path.push(Step::Index(nth_point));
            let at = |key: &str| [path.clone(), vec![Step::Key(key.to_owned())]].concat();
            match layout.points.iter().position(|spec| spec.name.as_str() == point.id) {
                Some(position) if point.report.is_some() => {
                    rules[position] = rule(point.report.as_ref(), &at("report"), diagnostics);
                }
                Some(_) => {}
                None => {
                    let words: Vec<&str> = layout.points.iter().map(|p| p.name.as_str()).collect();
                    let hint = super::shape::nearest(&point.id, &words).map_or_else(
                        || format!("it has: {}", words.join(", ")),
                        |near| format!("did you mean {near:?}?"),
                    );
                    diagnostics
                        .wrong(&at("id"), format!("{} has no point {:?}; {hint}", layout.profile, point.id));
                }
            }
        }
        reports.push(rules);
    }
    let stale_after = here.iter().map(|(_, raw)| (raw.poll * STALE_POLLS).max(SHORTEST_STALE)).collect();
    ConfiguredLine { plan, reports, stale_after }
}

/// The rule of a point under the profile `district`.
fn district_rule(kind: ValueType) -> Rule {
    match kind {
        ValueType::Bool | ValueType::Text => Rule::Change { deadband: 0.0, at_least_ms: 600_000 },
        ValueType::Integer | ValueType::Float => Rule::Period { every_ms: 60_000 },
    }
}

fn rule(raw: Option<&Report>, path: &[Step], diagnostics: &mut Diagnostics<'_, '_>) -> Rule {
    let Some(raw) = raw else { return Rule::Always };
    let ms = |period: Duration| i64::try_from(period.as_millis()).unwrap_or(i64::MAX);
    match (raw.change, raw.at_least, raw.every) {
        (Some(deadband), at_least, None) => {
            Rule::Change { deadband, at_least_ms: ms(at_least.map_or(DEFAULT_AT_LEAST, |p| p.0)) }
        }
        (None, None, Some(every)) => Rule::Period { every_ms: ms(every.0) },
        (None, None, None) => Rule::Always,
        _ => {
            diagnostics
                .wrong(path, "write either { change = 0.5, at_least = \"10m\" } or { every = \"1m\" }");
            Rule::Always
        }
    }
}
