//! `[cabin]` of gateway.toml: the health cabin.

use std::path::Path;
use std::time::Duration;

use linli_domain::visit::PressureGuide;
use linli_domain::vital::{CRITICAL, CriticalLimit, Limits, OF_CENTRE, Quantity, source_of_centre};

use super::diagnostics::{Diagnostics, keys};
use super::raw;
use super::secret::{self, Finding};
use crate::settings::cabin::{CabinSettings, RETENTION, UNANSWERED};
use crate::settings::key::{Key, Keys};

/// Checks `[cabin]`.
pub fn check(
    raw: Option<&raw::Cabin>,
    dir: Option<&Path>,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> CabinSettings {
    let none = raw::Cabin::default();
    let raw = raw.unwrap_or(&none);
    let at = |key: &str| keys(&["cabin", key]);
    let visit_timeout = raw.visit_timeout.map_or(Duration::from_secs(30 * 60), |p| p.0);
    if !(Duration::from_secs(60)..=Duration::from_secs(24 * 3600)).contains(&visit_timeout) {
        diagnostics.wrong(&at("visit_timeout"), "is not between \"1m\" and \"24h\"");
    }
    let retention = raw.retention.map_or(RETENTION, |p| p.0);
    if !(Duration::from_secs(86_400)..=Duration::from_secs(10_950 * 86_400)).contains(&retention) {
        diagnostics.wrong(&at("retention"), "is not between \"1d\" and \"10950d\"");
    }
    let mut limits = Limits::default();
    if let Some([systolic, diastolic]) = raw.hypertension {
        limits.hypertension = (systolic, diastolic);
        if !(120.0..=160.0).contains(&systolic) || !(70.0..=100.0).contains(&diastolic) {
            diagnostics
                .wrong(&at("hypertension"), "is not [systolic, diastolic] in mm[Hg], such as [140, 90]");
        }
    }
    if let Some(fever) = raw.fever {
        limits.fever = fever;
        if !(36.5..=39.0).contains(&fever) {
            diagnostics.wrong(&at("fever"), "is not between 36.5 and 39.0 °C");
        }
    }
    limits.source = signature(raw, diagnostics);
    if raw.consent.as_ref().is_some_and(|text| text.trim().is_empty() || text.chars().count() > 64) {
        diagnostics.wrong(&at("consent"), "is not a version of 1 to 64 characters, such as \"2026-1\"");
    }
    let critical_after = raw.critical_after.map_or(UNANSWERED, |after| after.0);
    if !(Duration::from_secs(10)..=Duration::from_secs(1800)).contains(&critical_after) {
        diagnostics.wrong(&at("critical_after"), "is not between \"10s\" and \"30m\"");
    }
    if let Some(altitude) = raw.altitude {
        limits.altitude = altitude;
        if altitude > 6000 {
            diagnostics.wrong(&at("altitude"), "is not between 0 and 6000 m");
        }
    }
    CabinSettings {
        keys: all_keys(raw, dir, diagnostics),
        visit_timeout,
        retention,
        limits,
        guide: guide(raw, diagnostics),
        critical: critical(raw, limits.source.unwrap_or(OF_CENTRE), diagnostics),
        critical_after,
        consent: raw.consent.clone(),
        rooms: Vec::new(),
    }
}

/// Who set limits of the centre, and when: both or neither, and only where there are such limits.
fn signature(raw: &raw::Cabin, diagnostics: &mut Diagnostics<'_, '_>) -> Option<&'static str> {
    let at = |key: &str| keys(&["cabin", key]);
    let (name, on) = match (raw.limits_by.as_deref(), raw.limits_on.as_deref()) {
        (None, None) => return None,
        (Some(_), None) => {
            diagnostics.wrong(&at("limits_by"), "needs limits_on, the day, such as \"2026-11-30\"");
            return None;
        }
        (None, Some(_)) => {
            diagnostics.wrong(&at("limits_on"), "needs limits_by, the name of who set the limits");
            return None;
        }
        (Some(name), Some(on)) => (name.trim(), on),
    };
    if raw.hypertension.is_none() && raw.fever.is_none() && raw.critical.is_none() {
        diagnostics
            .wrong(&at("limits_by"), "signs for nothing: neither hypertension nor fever nor critical is set");
    }
    if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
        diagnostics.wrong(&at("limits_by"), "is not a name of 1 to 64 characters");
    }
    if on.len() != 10 || on.parse::<jiff::civil::Date>().is_err() {
        diagnostics.wrong(&at("limits_on"), "is not a day such as \"2026-11-30\"");
        return None;
    }
    Some(source_of_centre(name, on))
}

/// How blood pressure is repeated.
fn guide(raw: &raw::Cabin, diagnostics: &mut Diagnostics<'_, '_>) -> PressureGuide {
    let at = |key: &str| keys(&["cabin", key]);
    let usual = PressureGuide::default();
    let guide = PressureGuide {
        readings: raw.pressure_readings.unwrap_or(usual.readings),
        rest: raw.pressure_rest.map_or(usual.rest, |rest| rest.0),
        difference: raw.pressure_difference.unwrap_or(usual.difference),
        drops_first: raw.pressure_drops_first.unwrap_or(usual.drops_first),
    };
    if !(1..=5).contains(&guide.readings) {
        diagnostics.wrong(&at("pressure_readings"), "is not between 1 and 5");
    }
    if !(Duration::from_secs(10)..=Duration::from_secs(600)).contains(&guide.rest) {
        diagnostics.wrong(&at("pressure_rest"), "is not between \"10s\" and \"10m\"");
    }
    if !(1.0..=50.0).contains(&guide.difference) {
        diagnostics.wrong(&at("pressure_difference"), "is not between 1 and 50 mmHg");
    }
    if guide.drops_first && guide.readings < 2 {
        diagnostics.wrong(&at("pressure_drops_first"), "needs pressure_readings of 2 or more");
    }
    guide
}

/// Limits of critical values: the default ones, but for quantities that the centre sets.
fn critical(
    raw: &raw::Cabin,
    source: &'static str,
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<CriticalLimit> {
    let mut limits = CRITICAL.to_vec();
    for (word, [low, high]) in raw.critical.iter().flatten() {
        let at = keys(&["cabin", "critical", word]);
        let Some(quantity) = Quantity::find(word) else {
            let known: Vec<&str> = Quantity::ALL.iter().map(|quantity| quantity.as_str()).collect();
            diagnostics.wrong(&at, format!("is no quantity; one of {}", known.join(", ")));
            continue;
        };
        if low >= high {
            diagnostics.wrong(&at, "is not [low, high] with low below high");
            continue;
        }
        let is_for_children = limits.iter().any(|row| row.quantity == quantity && row.is_for_children);
        limits.retain(|row| row.quantity != quantity);
        let (low, high) = (Some(*low), Some(*high));
        limits.push(CriticalLimit { quantity, low, high, source, is_for_children });
    }
    limits
}

fn all_keys(raw: &raw::Cabin, dir: Option<&Path>, diagnostics: &mut Diagnostics<'_, '_>) -> Option<Keys> {
    let at = |key: &str| keys(&["cabin", key]);
    let mut read = |key: &str, reference: &str| {
        // Without a directory the files are not read.
        let text = secret::read_private(reference, dir)
            .map(|text| if dir.is_none() { "0".repeat(64) } else { text });
        match text.and_then(|text| Key::parse(&text).map_err(Finding::from)) {
            Ok(found) => Some(found),
            Err(why) => {
                diagnostics.wrong(&at(key), why);
                None
            }
        }
    };
    let identity = raw.identity_key.as_ref().map(|reference| read("identity_key", reference));
    let pseudonym = raw.pseudonym_key.as_ref().map(|reference| read("pseudonym_key", reference));
    let previous: Vec<Option<Key>> =
        raw.previous_identity_keys.iter().flatten().map(|r| read("previous_identity_keys", r)).collect();
    match (identity, pseudonym) {
        (None, None) => {
            if raw.previous_identity_keys.is_some() {
                diagnostics.wrong(&at("previous_identity_keys"), "needs an identity_key");
            }
            None
        }
        (Some(_), None) | (None, Some(_)) => {
            diagnostics.wrong(
                &keys(&["cabin"]),
                "identity_key and pseudonym_key belong together: give both or neither",
            );
            None
        }
        (Some(identity), Some(pseudonym)) => {
            let (identity, pseudonym) = (identity?, pseudonym?);
            if dir.is_some() && identity == pseudonym {
                diagnostics.wrong(&at("pseudonym_key"), "is the same key as identity_key; make one for each");
            }
            Some(Keys { identity, previous: previous.into_iter().flatten().collect(), pseudonym })
        }
    }
}
