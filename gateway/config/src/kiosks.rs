//! Checks the kiosks of devices.toml and the matters of matters.toml.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use linli_domain::hours::Opening;
use linli_domain::kiosk::{Matter, PARTS};

use super::checked::ConfiguredLine;
use super::diagnostics::{Diagnostics, nth};
use super::raw::MattersFile;
use super::secret;
use super::shape::nearest;
use crate::settings::kiosk::{KioskDevice, KioskSettings};

/// Returns the kiosks with the matters they offer; matters.toml may be missing.
pub fn check(
    file: Option<(&MattersFile, &mut Diagnostics<'_, '_>)>,
    lines: &[ConfiguredLine],
    opening: Vec<Opening>,
) -> KioskSettings {
    let layouts = lines.iter().flat_map(|line| line.plan.layouts().iter().zip(&line.stale_after));
    let kiosks = layouts.filter_map(|(layout, fresh)| KioskDevice::of(layout, *fresh)).collect();
    let matters = file.map(|(file, diagnostics)| matters(file, diagnostics)).unwrap_or_default();
    KioskSettings { kiosks, matters, opening }
}

/// Returns the file that the token of a device is in, whether or not it is there yet.
///
/// # Errors
/// A sentence when devices.toml cannot be read, has no such device, or names no file for its token.
pub fn token_file(dir: &Path, device: &str) -> Result<PathBuf, String> {
    let path = dir.join("devices.toml");
    let text =
        std::fs::read_to_string(&path).map_err(|error| secret::Finding::unread(&path, dir, &error).why)?;
    let file: toml::Table =
        text.parse().map_err(|_| format!("{}: `linli check` tells what is wrong", path.display()))?;
    let mut devices = file.get("device").and_then(|all| all.as_array()).into_iter().flatten();
    let found = devices.find(|one| one.get("id").and_then(|id| id.as_str()) == Some(device));
    let found = found.ok_or_else(|| format!("{}: there is no device {device:?}", path.display()))?;
    let reference = found.get("token").and_then(|token| token.as_str()).unwrap_or_default();
    let name = reference.strip_prefix("file:").ok_or_else(|| {
        format!(
            "{}: device {device} names no file for its token; write token = \"file:{device}.token\"",
            path.display()
        )
    })?;
    Ok(dir.join(name))
}

fn matters(file: &MattersFile, diagnostics: &mut Diagnostics<'_, '_>) -> Vec<Matter> {
    let known: Vec<&str> = PARTS.iter().map(|(name, _)| *name).collect();
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for (index, raw) in file.matter.iter().enumerate() {
        if raw.id.trim().is_empty() || !seen.insert(raw.id.as_str()) {
            diagnostics.wrong(&nth("matter", index, "id"), format!("{:?} is empty or there twice", raw.id));
        }
        if raw.name.trim().is_empty() {
            diagnostics.wrong(&nth("matter", index, "name"), "is empty: people look for it");
        }
        for part in raw.needs.iter().filter(|part| !known.contains(&part.as_str())) {
            let hint = nearest(part, &known).map_or_else(
                || format!("there are: {}", known.join(", ")),
                |near| format!("did you mean {near:?}?"),
            );
            diagnostics.wrong(&nth("matter", index, "needs"), format!("a kiosk has no {part:?}; {hint}"));
        }
        all.push(Matter {
            id: raw.id.clone(),
            name: raw.name.clone(),
            department: raw.department.clone(),
            needs: raw.needs.clone(),
        });
    }
    all
}
