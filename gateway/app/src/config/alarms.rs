//! alarms.toml: rules that follow from the devices, and those a person has written.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::alarm::{Condition, Priority, Rule, Source};
use linli_domain::food::Kept;
use linli_domain::{DeviceClass, Id, Layout, PointSpec, ValueType};

use super::checked::CheckedLine;
use super::notes::{Notes, nth};
use super::raw::{self, AlarmsFile, DevicesFile, When};
use super::shape::nearest;

/// A silent device is told of at the earliest after this.
const SHORTEST_SILENCE: Duration = Duration::from_secs(60);

/// An alarm may be shelved for a shift.
const SHELVE_AT_MOST: Duration = Duration::from_secs(8 * 3600);

/// No delay is longer: such a thing is no alarm but a report.
const LONGEST_DELAY: Duration = Duration::from_secs(24 * 3600);

/// The point that the limits of food safety are on.
const TEMPERATURE: &str = "temperature";

/// A device as rules see it.
struct Known<'l> {
    layout: &'l Layout,
    silent_after: Duration,
    keeps: Option<Kept>,
}

/// The devices of a centre.
struct Devices<'l> {
    known: Vec<Known<'l>>,
    /// Written, but wrong: that is told where they stand.
    wrong: Vec<&'l str>,
}

/// The rules of a centre: defaults, then what the file says; it may be missing.
pub fn check(
    file: Option<(&AlarmsFile, &mut Notes<'_, '_>)>,
    devices: &DevicesFile,
    lines: &[CheckedLine],
) -> Vec<Rule> {
    let known = known(devices, lines);
    let is_wrong = |id: &&str| !known.iter().any(|device| device.layout.device.as_str() == *id);
    let wrong = devices.device.iter().map(|device| device.id.as_str()).filter(is_wrong).collect();
    let devices = Devices { wrong, known };
    let wants_defaults = file.as_ref().is_none_or(|(file, _)| file.defaults.unwrap_or(true));
    let mut rules = if wants_defaults { defaults(&devices.known) } else { Vec::new() };
    let Some((file, notes)) = file else { return rules };
    let mut seen = BTreeMap::new();
    for (index, raw) in file.alarm.iter().enumerate() {
        let Some(rule) = rule(raw, index, &devices, &rules, notes) else { continue };
        if seen.insert(rule.id.clone(), index).is_some() {
            notes.wrong(&nth("alarm", index, "id"), format!("alarm {} is there twice", rule.id));
        }
        rules.retain(|other| other.id != rule.id);
        rules.push(rule);
    }
    if devices.wrong.is_empty() {
        suppression(file, &rules, notes);
    }
    bands(&seen, &rules, notes);
    rules
}

fn known<'l>(devices: &DevicesFile, lines: &'l [CheckedLine]) -> Vec<Known<'l>> {
    let keeps = |id: &Id| {
        let device = devices.device.iter().find(|device| device.id == id.as_str());
        device.and_then(|device| device.keeps).map(Kept::from)
    };
    lines
        .iter()
        .flat_map(|line| line.plan.layouts().iter().zip(&line.stale_after))
        .map(|(layout, stale)| Known {
            layout,
            silent_after: (*stale).max(SHORTEST_SILENCE),
            keeps: keeps(&layout.device),
        })
        .collect()
}

/// Silence of every device that is polled, and the limits of what it keeps.
fn defaults(known: &[Known<'_>]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for device in known {
        let Layout { device: id, name, class, points, .. } = device.layout;
        let priority = match class {
            DeviceClass::FoodSafety => Priority::High,
            DeviceClass::Actuator | DeviceClass::Kiosk => Priority::Medium,
            DeviceClass::Telemetry => Priority::Low,
            // It sleeps until somebody is measured.
            DeviceClass::Vital => continue,
        };
        let (Some(first), Some(silent)) = (points.first(), derived(id, "silent")) else { continue };
        rules.push(Rule {
            source: Source { device: id.clone(), point: first.name.clone() },
            on_delay: device.silent_after,
            priority,
            text: format!("{name}：没有数据"),
            ..blank(silent.clone(), Condition::Silent)
        });
        let Some(point) = points.iter().find(|point| point.name.as_str() == TEMPERATURE) else { continue };
        for limit in device.keeps.map(Kept::limits).unwrap_or_default() {
            let Some(rule) = derived(id, limit.suffix) else { continue };
            rules.push(Rule {
                source: Source { device: id.clone(), point: point.name.clone() },
                on_delay: limit.on_delay,
                priority: limit.priority,
                suppressed_by: Some(silent.clone()),
                text: format!("{name}：{}（{} °C）", limit.text, limit.limit),
                ..blank(rule, limit.condition())
            });
        }
    }
    rules
}

fn derived(device: &Id, suffix: &str) -> Option<Id> {
    Id::new(&format!("{device}.{suffix}")).ok()
}

fn blank(id: Id, condition: Condition) -> Rule {
    let source = Source { device: id.clone(), point: id.clone() };
    Rule {
        id,
        source,
        condition,
        on_delay: Duration::ZERO,
        off_delay: Duration::ZERO,
        is_latching: false,
        priority: Priority::Medium,
        shelve_at_most: Some(SHELVE_AT_MOST),
        suppressed_by: None,
        group: None,
        text: String::new(),
    }
}

/// One rule of the file.
fn rule(
    raw: &raw::Alarm,
    index: usize,
    devices: &Devices<'_>,
    defaults: &[Rule],
    notes: &mut Notes<'_, '_>,
) -> Option<Rule> {
    let at = |key: &str| nth("alarm", index, key);
    let id = notes.id(&at("id"), &raw.id);
    let device = devices.find(&raw.device, &at("device"), notes)?;
    let point = match (&raw.point, raw.when) {
        (Some(_), When::Silent) => {
            notes.wrong(&at("point"), "silence is the whole device's; leave it out");
            device.layout.points.first()
        }
        (None, When::Silent) => device.layout.points.first(),
        (None, _) => {
            notes.wrong(
                &at("id"),
                format!("needs a point of {}: {}", device.layout.device, points(device.layout)),
            );
            None
        }
        (Some(point), _) => self::point(point, device.layout, &at("point"), notes),
    };
    let condition = condition(raw, index, device.layout, point?, devices, notes);
    let delay = |key: &str,
                 given: Option<linli_drivers::duration::Period>,
                 otherwise: Duration,
                 notes: &mut Notes<'_, '_>| {
        let delay = given.map_or(otherwise, |given| given.0);
        if delay > LONGEST_DELAY {
            notes.wrong(&at(key), "is longer than a day: that is a report, no alarm");
        }
        delay
    };
    let silence = if raw.when == When::Silent { device.silent_after } else { Duration::ZERO };
    let on_delay = delay("on_delay", raw.on_delay, silence, notes);
    let off_delay = delay("off_delay", raw.off_delay, Duration::ZERO, notes);
    let is_latching = raw.latching.unwrap_or(false);
    if is_latching && raw.shelve_at_most.is_some_and(|most| !most.0.is_zero()) {
        notes.wrong(&at("shelve_at_most"), "a latching alarm must not be shelved; leave it out");
    }
    let most = raw.shelve_at_most.map_or(SHELVE_AT_MOST, |most| most.0);
    let group = raw.group.as_ref().and_then(|group| notes.id(&at("group"), group));
    let own_silence = derived(&device.layout.device, "silent")
        .filter(|silent| raw.when != When::Silent && defaults.iter().any(|rule| rule.id == *silent));
    let suppressed_by = match &raw.suppressed_by {
        Some(by) => notes.id(&at("suppressed_by"), by),
        None => own_silence,
    };
    let name = &device.layout.name;
    Some(Rule {
        source: Source { device: device.layout.device.clone(), point: point?.name.clone() },
        on_delay,
        off_delay,
        is_latching,
        priority: match raw.priority {
            Some(raw::Priority::High) => Priority::High,
            Some(raw::Priority::Low) => Priority::Low,
            Some(raw::Priority::Medium) | None => Priority::Medium,
        },
        shelve_at_most: (!is_latching && !most.is_zero()).then_some(most),
        suppressed_by,
        group,
        text: raw.text.clone().unwrap_or_else(|| format!("{name}：{}", raw.id)),
        ..blank(id?, condition?)
    })
}

fn condition(
    raw: &raw::Alarm,
    index: usize,
    layout: &Layout,
    point: &PointSpec,
    devices: &Devices<'_>,
    notes: &mut Notes<'_, '_>,
) -> Option<Condition> {
    let at = |key: &str| nth("alarm", index, key);
    let wants_limit = matches!(raw.when, When::High | When::Low | When::Rate | When::Deviation);
    let wants_number = wants_limit && !matches!(point.kind, ValueType::Float | ValueType::Integer);
    if wants_number {
        notes.wrong(&at("when"), format!("{} is no number: use is_true or is_false", point.name));
        return None;
    }
    if matches!(raw.when, When::IsTrue | When::IsFalse) && point.kind != ValueType::Bool {
        notes.wrong(&at("when"), format!("{} is neither true nor false: use high or low", point.name));
        return None;
    }
    if let Some(unit) = raw.unit.as_ref().filter(|unit| **unit != point.unit) {
        notes.wrong(
            &at("unit"),
            format!(
                "{} of {} is in {:?}, not {unit:?}: convert the limit",
                point.name, layout.device, point.unit
            ),
        );
    }
    let deadband = raw.deadband.unwrap_or(0.0);
    if deadband < 0.0 {
        notes.wrong(&at("deadband"), "is negative; it is the distance back from the limit");
    }
    let limit = match (raw.limit, wants_limit) {
        (None, true) => {
            notes.wrong(&at("id"), "needs a limit");
            return None;
        }
        (Some(_), false) => {
            notes.wrong(&at("limit"), "means nothing here; leave it out");
            0.0
        }
        (limit, _) => limit.unwrap_or(0.0),
    };
    Some(match raw.when {
        When::High => Condition::High { limit, deadband },
        When::Low => Condition::Low { limit, deadband },
        When::IsTrue => Condition::Is(true),
        When::IsFalse => Condition::Is(false),
        When::Rate => Condition::Rate { per_minute: limit },
        When::Silent => Condition::Silent,
        When::Deviation => {
            let Some(from) = &raw.from else {
                notes.wrong(&at("id"), "a deviation needs from: the device with the other probe");
                return None;
            };
            let other = devices.find(from, &at("from"), notes)?;
            self::point(point.name.as_str(), other.layout, &at("from"), notes)?;
            let from = Source { device: other.layout.device.clone(), point: point.name.clone() };
            Condition::Deviation { from, limit, deadband }
        }
    })
}

// === impl Devices ===

impl<'l> Devices<'l> {
    fn find(&self, text: &str, path: &[super::text::Step], notes: &mut Notes<'_, '_>) -> Option<&Known<'l>> {
        let found = self.known.iter().find(|device| device.layout.device.as_str() == text);
        if found.is_none() && !self.wrong.contains(&text) {
            let names: Vec<&str> = self.known.iter().map(|device| device.layout.device.as_str()).collect();
            let hint =
                nearest(text, &names).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            notes.wrong(path, format!("there is no device {text:?}{hint}"));
        }
        found
    }
}

fn point<'l>(
    text: &str,
    layout: &'l Layout,
    path: &[super::text::Step],
    notes: &mut Notes<'_, '_>,
) -> Option<&'l PointSpec> {
    let found = layout.points.iter().find(|point| point.name.as_str() == text);
    if found.is_none() {
        notes.wrong(path, format!("{} has no point {text:?}; it has {}", layout.device, points(layout)));
    }
    found
}

fn points(layout: &Layout) -> String {
    layout.points.iter().map(|point| point.name.as_str()).collect::<Vec<_>>().join(", ")
}

/// Every alarm that silences another exists, and none silences itself by a detour.
fn suppression(file: &AlarmsFile, rules: &[Rule], notes: &mut Notes<'_, '_>) {
    let by: BTreeMap<&Id, &Id> =
        rules.iter().filter_map(|rule| Some((&rule.id, rule.suppressed_by.as_ref()?))).collect();
    for (index, raw) in file.alarm.iter().enumerate() {
        let Some(rule) = rules.iter().find(|rule| rule.id.as_str() == raw.id) else { continue };
        let Some(mut cause) = rule.suppressed_by.as_ref() else { continue };
        if !rules.iter().any(|other| other.id == *cause) {
            notes.wrong(&nth("alarm", index, "suppressed_by"), format!("there is no alarm {cause}"));
            continue;
        }
        for _ in 0..rules.len() {
            if *cause == rule.id {
                let message =
                    format!("{} would silence itself: the chain of suppressed_by leads back to it", rule.id);
                notes.wrong(&nth("alarm", index, "suppressed_by"), message);
                break;
            }
            match by.get(cause) {
                Some(next) => cause = next,
                None => break,
            }
        }
    }
}

/// On one point the high alarms end above where the low ones end: otherwise both hold for ever.
fn bands(written: &BTreeMap<Id, usize>, rules: &[Rule], notes: &mut Notes<'_, '_>) {
    for high in rules {
        let Condition::High { limit, deadband } = high.condition else { continue };
        for low in rules.iter().filter(|low| low.source == high.source) {
            let Condition::Low { limit: floor, deadband: above } = low.condition else { continue };
            if limit - deadband > floor + above {
                continue;
            }
            let message = format!(
                "{} ends at {} and {} at {}: the dead-bands overlap, one of the two would always hold",
                high.id,
                limit - deadband,
                low.id,
                floor + above
            );
            if let Some(index) = written.get(&high.id).or_else(|| written.get(&low.id)) {
                notes.wrong(&nth("alarm", *index, "deadband"), message);
            }
        }
    }
}
