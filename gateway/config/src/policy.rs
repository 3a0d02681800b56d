//! Checks `[policy]` of a plan against the devices, alarms and kiosks of the centre.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::{DeviceClass, Id, Layout};
use linli_mode::{Direction, Drill, Notice, Plan, Policy, Reading, Ruling};

use super::alarms::Checked as Alarms;
use super::checked::ConfiguredLine;
use super::checked_plan::CheckedPlan;
use super::diagnostics::{Diagnostics, keys};
use super::raw::plan as raw;
use super::shape::nearest;
use super::text::Step as Way;
use crate::settings::kiosk::KioskDevice;

/// Longest suppression of an alarm: 30 days.
const LONGEST_SILENCE: Duration = Duration::from_secs(30 * 86_400);

/// Longest text: a kiosk shows 200 characters, and the marks of a drill take eight.
const LONGEST_TEXT: usize = 190;

/// The parts of a centre that a policy refers to.
pub struct Data<'d> {
    /// Lines with their devices.
    pub lines: &'d [ConfiguredLine],
    /// Alarm rules.
    pub alarms: &'d Alarms,
    /// Configured kiosks.
    pub kiosks: &'d [KioskDevice],
}

/// State while one policy is checked.
struct Checker<'c, 'd, 'n, 'a> {
    plan: &'c Plan,
    data: &'c Data<'d>,
    diagnostics: &'c mut Diagnostics<'n, 'a>,
    policy: Policy,
}

/// Checks the policy of one plan.
pub fn check(
    raw: Option<&raw::Policy>,
    plan: &Plan,
    data: &Data<'_>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Policy {
    let Some(raw) = raw else { return Policy::default() };
    if plan.direction == Direction::Return {
        let why = "belongs to plans that enter: it ends by itself when the room is in peace again";
        diagnostics.wrong(&keys(&["policy"]), why);
    }
    let mut checker = Checker { plan, data, diagnostics, policy: Policy::default() };
    raw.device.iter().enumerate().for_each(|(index, raw)| checker.device(raw, index));
    raw.alarm.iter().enumerate().for_each(|(index, raw)| checker.alarm(raw, index));
    raw.kiosk.iter().enumerate().for_each(|(index, raw)| checker.kiosk(raw, index));
    checker.policy
}

/// Reports lines that are too slow for all policies together.
pub fn together(plans: &[CheckedPlan], data: &Data<'_>, wrong: &mut impl FnMut(&str, &[Way], String)) {
    let readings = || plans.iter().flat_map(|known| &known.policy.devices);
    let mut polls: BTreeMap<Id, Duration> = BTreeMap::new();
    for Reading { device, poll, .. } in readings() {
        let Some(poll) = poll else { continue };
        let slot = polls.entry(device.clone()).or_insert(*poll);
        *slot = (*slot).min(*poll);
    }
    for line in data.lines {
        let Err(problem) = line.plan.check_polls(&polls) else { continue };
        let is_here = |device: &Id| line.plan.layouts().iter().any(|layout| layout.device == *device);
        // What a single policy asks for is reported with that policy.
        let is_alone = |reading: &Reading| {
            let alone = reading.poll.map(|poll| [(reading.device.clone(), poll)].into());
            alone.is_some_and(|alone| line.plan.check_polls(&alone).is_err())
        };
        let asks = |known: &&CheckedPlan| {
            let mut readings = known.policy.devices.iter();
            readings.any(|reading| reading.poll.is_some() && is_here(&reading.device))
        };
        if let (Some(last), false) = (plans.iter().rfind(asks), readings().any(is_alone)) {
            let message = format!("all policies together, line {}: {}", line.plan.line(), problem.message);
            wrong(&last.file, &keys(&["policy"]), message);
        }
    }
}

fn at(array: &str, index: usize, key: &str) -> Vec<Way> {
    let mut path = keys(&["policy", array]);
    path.push(Way::Index(index));
    if !key.is_empty() {
        path.push(Way::Key(key.to_owned()));
    }
    path
}

/// Parses a device class.
fn class(raw: super::raw::Class) -> DeviceClass {
    DeviceClass::from(raw)
}

// === impl Checker ===

impl<'d> Checker<'_, 'd, '_, '_> {
    /// All devices of the centre, each with its line.
    fn layouts(&self) -> impl Iterator<Item = (&'d ConfiguredLine, &'d Layout)> + use<'d> {
        let lines = self.data.lines.iter();
        lines.flat_map(|line| line.plan.layouts().iter().map(move |layout| (line, &**layout)))
    }

    /// Finds a device of the room of the plan, or of no room.
    fn find(&mut self, id: &str, path: &[Way]) -> Option<(&'d ConfiguredLine, &'d Layout)> {
        let Some(found) = self.layouts().find(|(_, layout)| layout.device.as_str() == id) else {
            let all: Vec<&str> = self.layouts().map(|(_, layout)| layout.device.as_str()).collect();
            let hint = nearest(id, &all).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            self.diagnostics.wrong(path, format!("there is no device {id:?}{hint}"));
            return None;
        };
        self.belongs(found.1, path).then_some(found)
    }

    fn belongs(&mut self, layout: &Layout, path: &[Way]) -> bool {
        let Some(other) = layout.room.as_ref().filter(|room| **room != self.plan.room) else { return true };
        let message =
            format!("{} belongs to the room {other}: a plan rules over its own room", layout.device);
        self.diagnostics.wrong(path, message);
        false
    }

    fn device(&mut self, raw: &raw::PolicyDevice, index: usize) {
        let is_urgent = matches!(raw.lane, Some(raw::PolicyLane::Urgent));
        if raw.poll.is_none() && raw.lane.is_none() {
            self.diagnostics.wrong(&at("device", index, ""), "says nothing: give it a poll, a lane, or both");
        }
        let poll = raw.poll.map(|poll| poll.0);
        let found: Vec<(&ConfiguredLine, &Layout)> = match (&raw.device, raw.class) {
            (Some(device), None) => self.find(device, &at("device", index, "device")).into_iter().collect(),
            (None, Some(word)) => {
                let is_meant = |(_, layout): &(&ConfiguredLine, &Layout)| {
                    layout.room.as_ref() == Some(&self.plan.room) && layout.class == class(word)
                };
                let found: Vec<_> = self.layouts().filter(is_meant).collect();
                if found.is_empty() {
                    let word = class(word).as_str();
                    let message = format!("{} has no device of class {word:?}", self.plan.room);
                    self.diagnostics.wrong(&at("device", index, "class"), message);
                }
                found
            }
            _ => {
                self.diagnostics.wrong(&at("device", index, ""), "needs either a device or a class");
                return;
            }
        };
        for (line, layout) in found {
            let checked = poll.map(|poll| line.plan.check_polls(&[(layout.device.clone(), poll)].into()));
            let poll = match checked {
                Some(Err(problem)) => {
                    // For a class, only the devices that are polled are read more often.
                    if raw.device.is_some() || problem.device.is_none() {
                        self.diagnostics.wrong(&at("device", index, "poll"), problem.message);
                    }
                    None
                }
                _ => poll,
            };
            if self.policy.devices.iter().any(|reading| reading.device == layout.device) {
                let message = format!("{} is named above already", layout.device);
                self.diagnostics.wrong(&at("device", index, ""), message);
            }
            self.policy.devices.push(Reading { device: layout.device.clone(), poll, is_urgent });
        }
    }

    fn alarm(&mut self, raw: &raw::PolicyAlarm, index: usize) {
        let path = |key: &str| at("alarm", index, key);
        if raw.why.trim().is_empty() {
            self.diagnostics.wrong(&path("why"), "is empty: whoever silences or wakes an alarm says why");
        }
        let rules = &self.data.alarms.rules;
        let Some(rule) = rules.iter().find(|rule| rule.id.as_str() == raw.alarm) else {
            let all: Vec<&str> = rules.iter().map(|rule| rule.id.as_str()).collect();
            let hint =
                nearest(&raw.alarm, &all).map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
            return self
                .diagnostics
                .wrong(&path("alarm"), format!("there is no alarm {:?}{hint}", raw.alarm));
        };
        if let Some((_, layout)) = self.layouts().find(|(_, layout)| layout.device == rule.source.device)
            && !self.belongs(layout, &path("alarm"))
        {
            return;
        }
        let is_asleep = self.data.alarms.asleep.contains(&rule.id);
        let silent_for = match raw.set {
            raw::PolicySet::Enable => {
                if !is_asleep {
                    let message = "is watched anyway; with enabled = false in alarms.toml only plans wake it";
                    self.diagnostics.wrong(&path("set"), message);
                }
                if raw.at_most.is_some() {
                    self.diagnostics.wrong(&path("at_most"), "is the end of a silence; leave it out");
                }
                None
            }
            raw::PolicySet::Suppress => {
                if is_asleep {
                    self.diagnostics.wrong(&path("set"), "is silent anyway: nobody has enabled it");
                }
                if rule.shelve_at_most.is_none() {
                    let message = format!("{} must not be shelved, so no plan may silence it", rule.id);
                    self.diagnostics.wrong(&path("alarm"), message);
                }
                match raw.at_most {
                    None => {
                        let message = "is missing: a silence has an end, such as at_most = \"72h\"";
                        self.diagnostics.wrong(&path("at_most"), message);
                    }
                    Some(span) if span.0 > LONGEST_SILENCE => {
                        self.diagnostics
                            .wrong(&path("at_most"), "is longer than 30d: take the alarm out instead");
                    }
                    Some(_) => {}
                }
                raw.at_most.map(|span| span.0)
            }
        };
        if self.policy.alarms.iter().any(|ruling| ruling.alarm == rule.id) {
            self.diagnostics.wrong(&path("alarm"), format!("{} is named above already", rule.id));
        }
        self.policy.alarms.push(Ruling { alarm: rule.id.clone(), why: raw.why.clone(), silent_for });
    }

    fn kiosk(&mut self, raw: &raw::PolicyKiosk, index: usize) {
        let path = |key: &str| at("kiosk", index, key);
        let text = raw.text.trim();
        if text.is_empty() || text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control) {
            let message = format!("is not one line of 1 to {LONGEST_TEXT} characters");
            self.diagnostics.wrong(&path("text"), message);
        }
        let Some((_, layout)) = self.find(&raw.device, &path("device")) else { return };
        if !self.data.kiosks.iter().any(|kiosk| kiosk.device == layout.device) {
            let message = format!("{} is no kiosk that shows texts: profile kiosk/terminal", layout.device);
            self.diagnostics.wrong(&path("device"), message);
        }
        let drill = match raw.drill {
            Some(raw::Drill::Live) => Drill::Live,
            Some(raw::Drill::Skip) => Drill::Skip,
            Some(raw::Drill::Simulate) | None => Drill::Simulate,
        };
        self.policy.kiosks.push(Notice { kiosk: layout.device.clone(), text: text.to_owned(), drill });
    }
}
