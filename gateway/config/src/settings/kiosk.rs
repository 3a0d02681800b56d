//! Kiosks of the centre, the matters residents come for, and the opening hours.

use std::time::Duration;

use linli_domain::hours::Opening;
use linli_domain::kiosk::Matter;
use linli_domain::{Id, Layout};
use linli_drivers::kiosk::report;

/// Settings of the kiosk service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KioskSettings {
    /// Configured kiosks.
    pub kiosks: Vec<KioskDevice>,
    /// Matters that kiosks can offer.
    pub matters: Vec<Matter>,
    /// Opening hours; empty: always open.
    pub opening: Vec<Opening>,
}

/// One kiosk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KioskDevice {
    /// Id of the device.
    pub device: Id,
    /// Name for people.
    pub name: String,
    /// Age of the last report at which the state is unknown.
    pub fresh: Duration,
}

impl KioskDevice {
    /// Settings of a device; `None` when it is no kiosk.
    #[must_use]
    pub fn of(layout: &Layout, fresh: Duration) -> Option<Self> {
        let (device, name) = (layout.device.clone(), layout.name.clone());
        (layout.profile == report::PROFILE).then_some(Self { device, name, fresh })
    }
}
