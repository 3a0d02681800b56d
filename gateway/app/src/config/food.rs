//! `keeps` of devices.toml: what the canteen's desk looks at.

use linli_domain::DeviceClass;
use linli_domain::canteen::Kept;

use super::checked::ConfiguredLine;
use super::notes::{Notes, nth};
use super::raw::DevicesFile;
use crate::food::{Watched, watched};

/// Cabinets, machines and probes.
pub fn check(file: &DevicesFile, lines: &[ConfiguredLine], notes: &mut Notes<'_, '_>) -> Vec<Watched> {
    let mut all = Vec::new();
    let layouts = lines.iter().flat_map(|line| line.plan.layouts().iter().zip(&line.stale_after));
    for (layout, fresh) in layouts {
        let found = file.device.iter().enumerate().find(|(_, raw)| raw.id == layout.device.as_str());
        let Some((index, raw)) = found else { continue };
        let kept = raw.keeps.map(Kept::from);
        match Watched::of(layout, kept, *fresh) {
            Some(watched) if kept.is_some() || layout.class == DeviceClass::FoodSafety => all.push(watched),
            Some(_) => {}
            None if kept.is_some() => {
                let message =
                    format!("{} has no point {:?} to look at", layout.profile, watched::TEMPERATURE);
                notes.wrong(&nth("device", index, "keeps"), message);
            }
            None => {}
        }
    }
    all
}
