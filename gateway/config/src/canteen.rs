//! Checks `keeps` of devices.toml: the devices that the canteen service watches.

use linli_domain::DeviceClass;
use linli_domain::canteen::Kept;

use super::checked::ConfiguredLine;
use super::diagnostics::{Diagnostics, nth};
use super::raw::DevicesFile;
use crate::settings::canteen::{self, CanteenDevice};

/// Returns the cabinets, dishwashers and probes of all lines.
pub fn check(
    file: &DevicesFile,
    lines: &[ConfiguredLine],
    diagnostics: &mut Diagnostics<'_, '_>,
) -> Vec<CanteenDevice> {
    let mut all = Vec::new();
    let layouts = lines.iter().flat_map(|line| line.plan.layouts().iter().zip(&line.stale_after));
    for (layout, fresh) in layouts {
        let found = file.device.iter().enumerate().find(|(_, raw)| raw.id == layout.device.as_str());
        let Some((index, raw)) = found else { continue };
        let kept = raw.keeps.map(Kept::from);
        match CanteenDevice::of(layout, kept, *fresh) {
            Some(watched) if kept.is_some() || layout.class == DeviceClass::FoodSafety => all.push(watched),
            Some(_) => {}
            None if kept.is_some() => {
                let message =
                    format!("{} has no point {:?} to look at", layout.profile, canteen::TEMPERATURE);
                diagnostics.wrong(&nth("device", index, "keeps"), message);
            }
            None => {}
        }
    }
    all
}
