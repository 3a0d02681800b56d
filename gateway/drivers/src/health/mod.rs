//! Health-cabin devices: byte streams, characteristics and messages to measurements.
//!
//! Every decoder is pure: bytes in, readings or a reason out. What a device marks as invalid is
//! no value; what is cut short is rejected whole.

pub mod ble;
pub mod bluetooth;
mod connections;
pub mod contec;
pub mod hl7;
mod listener;
mod mllp;
pub mod models;
pub mod nonin;
mod plan;
mod serial;
pub mod spot;
pub mod spp;
mod stream;
mod talk;
mod zone;

pub(crate) use bluetooth::Bluetooth;
pub(crate) use mllp::Mllp;
pub use mllp::PROFILE;
pub(crate) use serial::SerialDevices;
pub use zone::Zone;

/// Whether devices of that profile report complete measurements. A heart-rate sensor
/// does not: it sends values as long as it is worn.
#[must_use]
pub fn tells_itself(profile: &str) -> bool {
    profile == PROFILE
        || models::find(profile).is_some()
        || (profile != "bluetooth/heart-rate" && bluetooth::profiles::find(profile).is_some())
}
