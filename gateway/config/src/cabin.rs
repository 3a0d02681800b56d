//! `[cabin]` of gateway.toml: the health cabin.

use std::path::Path;
use std::time::Duration;

use linli_domain::vital::Limits;

use super::diagnostics::{Diagnostics, keys};
use super::raw;
use super::secret;
use crate::settings::cabin::CabinSettings;
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
    let retention = raw.retention.map_or(Duration::from_secs(7 * 86_400), |p| p.0);
    if !(Duration::from_secs(86_400)..=Duration::from_secs(3650 * 86_400)).contains(&retention) {
        diagnostics.wrong(&at("retention"), "is not between \"1d\" and \"3650d\"");
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
        rooms: Vec::new(),
    }
}

fn all_keys(raw: &raw::Cabin, dir: Option<&Path>, diagnostics: &mut Diagnostics<'_, '_>) -> Option<Keys> {
    let at = |key: &str| keys(&["cabin", key]);
    let mut read = |key: &str, reference: &str| {
        // Without a directory the files are not read.
        let text = secret::read_private(reference, dir)
            .map(|text| if dir.is_none() { "0".repeat(64) } else { text });
        match text.and_then(|text| Key::parse(&text).map_err(str::to_owned)) {
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
