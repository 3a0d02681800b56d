//! Health-cabin devices: the connections over which they send measurements. The formats are in `linli-vitals`.

pub mod bluetooth;
mod listener;
mod mllp;
pub mod models;
mod plan;
mod scanner;
mod scanners;
mod serial;
mod serial_task;
mod stream;
mod talk;

pub(crate) use bluetooth::Bluetooth;
pub(crate) use mllp::Mllp;
pub use mllp::PROFILE;
pub use scanners::PROFILE as SCANNER;
pub(crate) use scanners::Scanners;
pub(crate) use serial::SerialDevices;

/// Whether devices of that profile report complete measurements. A heart-rate sensor
/// does not: it sends values as long as it is worn.
#[must_use]
pub fn tells_itself(profile: &str) -> bool {
    profile == PROFILE
        || profile == SCANNER
        || models::find(profile).is_some()
        || (profile != "bluetooth/heart-rate" && bluetooth::profiles::find(profile).is_some())
}
