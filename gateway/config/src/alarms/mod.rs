//! Checks alarms.toml and adds the default rules that follow from the devices.

mod defaults;
mod sense;
mod sirens;
mod webhooks;
mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use linli_domain::alarm::{Condition, Priority, Rule, Source};
use linli_domain::canteen::Kept;
use linli_domain::{Id, Layout, PointSpec};

use super::checked::ConfiguredLine;
use super::diagnostics::{Diagnostics, nth};
use super::raw::{AlarmsFile, DevicesFile};
use super::shape::nearest;
use crate::settings::siren::Siren;
pub(crate) use sirens::of_plans as sirens_of_plans;
pub use webhooks::check as webhooks;

/// Shortest delay of the alarm for a silent device.
const SHORTEST_SILENCE: Duration = Duration::from_secs(60);

/// Default limit of shelving: one shift.
const SHELVE_AT_MOST: Duration = Duration::from_secs(8 * 3600);

/// What rules use of a device.
struct Known<'l> {
    layout: &'l Layout,
    silent_after: Duration,
    keeps: Option<Kept>,
}

/// The devices of a centre.
struct Devices<'l> {
    known: Vec<Known<'l>>,
    /// Ids of devices with errors, which are reported at their own place.
    wrong: Vec<&'l str>,
}

/// The checked alarms of a centre.
#[derive(Default)]
pub struct Checked {
    /// Alarm rules.
    pub rules: Vec<Rule>,
    /// Sirens and lamps on the site.
    pub sirens: Vec<Siren>,
    /// Ids of alarms that stay disabled until the policy of a plan enables them.
    pub asleep: BTreeSet<Id>,
}

/// Returns the rules of a centre: the defaults, then those of the file, which may be missing. `is_certified`: the uplink
/// connects with a certificate.
pub fn check(
    file: Option<(&AlarmsFile, &mut Diagnostics<'_, '_>)>,
    devices: &DevicesFile,
    lines: &[ConfiguredLine],
    is_certified: bool,
) -> Checked {
    let known = known(devices, lines);
    let is_wrong = |id: &&str| !known.iter().any(|device| device.layout.device.as_str() == *id);
    let wrong = devices.device.iter().map(|device| device.id.as_str()).filter(is_wrong).collect();
    let devices = Devices { wrong, known };
    let wants_defaults = file.as_ref().is_none_or(|(file, _)| file.defaults.unwrap_or(true));
    let mut rules = if wants_defaults { defaults::of(&devices.known, is_certified) } else { Vec::new() };
    let Some((file, diagnostics)) = file else { return Checked { rules, ..Checked::default() } };
    let mut seen = BTreeMap::new();
    for (index, raw) in file.alarm.iter().enumerate() {
        let Some(rule) = written::rule(raw, index, &devices, &rules, diagnostics) else { continue };
        if seen.insert(rule.id.clone(), index).is_some() {
            diagnostics.wrong(&nth("alarm", index, "id"), format!("alarm {} is there twice", rule.id));
        }
        rules.retain(|other| other.id != rule.id);
        rules.push(rule);
    }
    if devices.wrong.is_empty() {
        sense::suppression(file, &rules, diagnostics);
    }
    sense::bands(&seen, &rules, diagnostics);
    let sirens = sirens::check(&file.siren, &devices, diagnostics);
    let sleeping = file.alarm.iter().filter(|raw| raw.enabled == Some(false));
    let asleep = sleeping.filter_map(|raw| Id::new(&raw.id).ok()).collect();
    Checked { rules, sirens, asleep }
}

fn known<'l>(devices: &DevicesFile, lines: &'l [ConfiguredLine]) -> Vec<Known<'l>> {
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

// === impl Devices ===

impl<'l> Devices<'l> {
    fn find(
        &self,
        text: &str,
        path: &[super::text::Step],
        diagnostics: &mut Diagnostics<'_, '_>,
    ) -> Option<&Known<'l>> {
        let found = self.known.iter().find(|device| device.layout.device.as_str() == text);
        if found.is_none() && !self.wrong.contains(&text) {
            let names: Vec<&str> = self.known.iter().map(|device| device.layout.device.as_str()).collect();
            let hint =
                nearest(text, &names).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            diagnostics.wrong(path, format!("there is no device {text:?}{hint}"));
        }
        found
    }
}

fn point<'l>(
    text: &str,
    layout: &'l Layout,
    path: &[super::text::Step],
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Option<&'l PointSpec> {
    let found = layout.points.iter().find(|point| point.name.as_str() == text);
    if found.is_none() {
        diagnostics
            .wrong(path, format!("{} has no point {text:?}; it has {}", layout.device, points(layout)));
    }
    found
}

fn points(layout: &Layout) -> String {
    layout.points.iter().map(|point| point.name.as_str()).collect::<Vec<_>>().join(", ")
}
