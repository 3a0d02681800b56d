//! Checks `[[alarm]]` of alarms.toml.

use std::time::Duration;

use linli_domain::alarm::{Condition, Priority, Rule, Source};
use linli_domain::{Layout, PointSpec, ValueType, unit};

use super::super::diagnostics::{Diagnostics, nth};
use super::super::raw::{self, When};
use super::{Devices, SHELVE_AT_MOST, blank, derived, point, points};

/// Longest delay of an alarm.
const LONGEST_DELAY: Duration = Duration::from_secs(24 * 3600);

/// Checks one rule.
pub(super) fn rule(
    raw: &raw::Alarm,
    index: usize,
    devices: &Devices<'_>,
    defaults: &[Rule],
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<Rule> {
    let at = |key: &str| nth("alarm", index, key);
    let id = diagnostics.id(&at("id"), &raw.id);
    let device = devices.find(&raw.device, &at("device"), diagnostics)?;
    let point = match (&raw.point, raw.when) {
        (None, When::Silent) => device.layout.points.first(),
        (None, _) => {
            diagnostics.wrong(
                &at("id"),
                format!("needs a point of {}: {}", device.layout.device, points(device.layout)),
            );
            None
        }
        (Some(point), _) => self::point(point, device.layout, &at("point"), diagnostics),
    };
    let condition = condition(raw, index, device.layout, point?, devices, diagnostics);
    let delay = |key: &str,
                 given: Option<linli_drivers::duration::Period>,
                 otherwise: Duration,
                 diagnostics: &mut Diagnostics<'_, '_>| {
        let delay = given.map_or(otherwise, |given| given.0);
        if delay > LONGEST_DELAY {
            diagnostics.wrong(&at(key), "is longer than a day: that is a report, no alarm");
        }
        delay
    };
    let silence = if raw.when == When::Silent { device.silent_after } else { Duration::ZERO };
    let on_delay = delay("on_delay", raw.on_delay, silence, diagnostics);
    let off_delay = delay("off_delay", raw.off_delay, Duration::ZERO, diagnostics);
    let is_latching = raw.latching.unwrap_or(false);
    if is_latching && raw.shelve_at_most.is_some_and(|most| !most.0.is_zero()) {
        diagnostics.wrong(&at("shelve_at_most"), "a latching alarm must not be shelved; leave it out");
    }
    let most = raw.shelve_at_most.map_or(SHELVE_AT_MOST, |most| most.0);
    let group = raw.group.as_ref().and_then(|group| diagnostics.id(&at("group"), group));
    let own_silence = derived(&device.layout.device, "silent")
        .filter(|silent| raw.when != When::Silent || (raw.point.is_some() && id.as_ref() != Some(silent)))
        .filter(|silent| defaults.iter().any(|rule| rule.id == *silent));
    let suppressed_by = match &raw.suppressed_by {
        Some(by) => diagnostics.id(&at("suppressed_by"), by),
        None => own_silence,
    };
    let name = &device.layout.name;
    Some(Rule {
        source: Source { device: device.layout.device.clone(), point: point?.name.clone() },
        on_delay,
        off_delay,
        is_latching,
        priority: raw.priority.as_ref().map_or(Priority::Medium, priority),
        shelve_at_most: (!is_latching && !most.is_zero()).then_some(most),
        suppressed_by,
        group,
        text: raw.text.clone().unwrap_or_else(|| format!("{name}：{}", raw.id)),
        ..blank(id?, condition?)
    })
}

/// Whether both are the same unit, however the first is written.
fn is_unit(written: &str, code: &str) -> bool {
    written == code || unit::spelled(written).is_some_and(|unit| unit.code == code)
}

pub(super) fn priority(priority: &raw::Priority) -> Priority {
    match priority {
        raw::Priority::Low => Priority::Low,
        raw::Priority::Medium => Priority::Medium,
        raw::Priority::High => Priority::High,
    }
}

fn condition(
    raw: &raw::Alarm,
    index: usize,
    layout: &Layout,
    point: &PointSpec,
    devices: &Devices<'_>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<Condition> {
    let at = |key: &str| nth("alarm", index, key);
    let wants_limit = matches!(raw.when, When::High | When::Low | When::Rate | When::Deviation);
    let wants_number = wants_limit && !matches!(point.kind, ValueType::Float | ValueType::Integer);
    if wants_number {
        diagnostics.wrong(&at("when"), format!("{} is no number: use is_true or is_false", point.name));
        return None;
    }
    if matches!(raw.when, When::IsTrue | When::IsFalse) && point.kind != ValueType::Bool {
        diagnostics.wrong(&at("when"), format!("{} is neither true nor false: use high or low", point.name));
        return None;
    }
    if let Some(unit) = raw.unit.as_ref().filter(|unit| !is_unit(unit, &point.unit)) {
        diagnostics.wrong(
            &at("unit"),
            format!(
                "{} of {} is in {:?}, not {unit:?}: convert the limit",
                point.name, layout.device, point.unit
            ),
        );
    }
    let deadband = raw.deadband.unwrap_or(0.0);
    if deadband < 0.0 {
        diagnostics.wrong(&at("deadband"), "is negative; it is the distance back from the limit");
    }
    let limit = match (raw.limit, wants_limit) {
        (None, true) => {
            diagnostics.wrong(&at("id"), "needs a limit");
            return None;
        }
        (Some(_), false) => {
            diagnostics.wrong(&at("limit"), "means nothing here; leave it out");
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
                diagnostics.wrong(&at("id"), "a deviation needs from: the device with the other probe");
                return None;
            };
            let other = devices.find(from, &at("from"), diagnostics)?;
            self::point(point.name.as_str(), other.layout, &at("from"), diagnostics)?;
            let from = Source { device: other.layout.device.clone(), point: point.name.clone() };
            Condition::Deviation { from, limit, deadband }
        }
    })
}
