//! Kiosks of the centre, the matters residents come for, and the opening hours.

use std::time::Duration;

use linli_domain::hours::Opening;
use linli_domain::kiosk::Matter;
use linli_domain::{Id, Layout};
use linli_drivers::kiosk::report;

/// What the configuration says about kiosks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KioskSettings {
    /// Kiosks.
    pub kiosks: Vec<KioskDevice>,
    /// What residents come for.
    pub matters: Vec<Matter>,
    /// When the centre is open.
    pub opening: Vec<Opening>,
}

/// A kiosk of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KioskDevice {
    /// The device.
    pub device: Id,
    /// What people call it.
    pub name: String,
    /// Without a report for so long nobody knows.
    pub fresh: Duration,
}

impl KioskDevice {
    /// Of a device that reports as a kiosk.
    #[must_use]
    pub fn of(layout: &Layout, fresh: Duration) -> Option<Self> {
        let (device, name) = (layout.device.clone(), layout.name.clone());
        (layout.profile == report::PROFILE).then_some(Self { device, name, fresh })
    }
}
