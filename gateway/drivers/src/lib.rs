//! Southbound protocols: from a device's bytes to samples, and from a command to a read-back.
//!
//! A protocol is one row of [`PROTOCOLS`]. It turns the raw settings of a line and its devices
//! into a [`CheckedLine`] without opening a port; the checked line then runs as the
//! one task that owns the physical line. Drivers know neither the store nor the uplink: they
//! send batches and transitions into channels and take commands from one.

mod backoff;
mod clock;
mod coded;
mod connections;
pub mod exchange;
pub mod health;
pub mod insecure;
pub mod kiosk;
mod line;
pub mod modbus;
pub mod mqtt;
pub mod node;
mod observe;
mod pending;
mod plan;
mod points;
mod port;
mod protocol;
mod publisher;
mod reach;
mod registers;

use std::time::Duration;

pub use clock::Clock;
pub use coded::{Coded, coded};
pub use line::{
    CabinEvent, CommandOutcome, DeviceHealth, DeviceState, LineCommand, LineContext, LineEnds, LineEvent,
    LineFault, LineHealth, NotTaken, PatientQuestion, PollOverrides, ScannedCode, Shows, VitalMeasurement,
};
pub use linli_profiles::duration;
pub use linli_vitals::hl7::{Answer, Asked, Found};
pub use observe::{Observed, ObservedLine, observe};
pub use points::Point;
pub use protocol::{Budget, CheckedLine, Problem, Protocol, RawDevice, RawLine};
pub use reach::{FarEnd, Host, Reach, Target, Units};

/// Every southbound protocol. Configuration, schema, documentation and the command
/// line read this table; adding a protocol means adding a row.
pub static PROTOCOLS: &[&dyn Protocol] = &[
    &modbus::TCP,
    &modbus::RTU,
    &modbus::RTU_OVER_TCP,
    &health::SerialDevices,
    &health::Scanners,
    &health::Bluetooth,
    &health::Mllp,
    &mqtt::Mqtt,
    &kiosk::KioskHttp,
    &kiosk::Snmp,
    &kiosk::Ipp,
];

/// How often a device with this profile is expected to be heard where the configuration does not say it; `None` where
/// the general default holds.
#[must_use]
pub fn default_poll(profile: &str) -> Option<Duration> {
    mqtt::zigbee::find(profile).map(|kind| Duration::from_secs(kind.report_every))
}

/// Finds a protocol by the `kind` of a line.
#[must_use]
pub fn protocol(kind: &str) -> Option<&'static dyn Protocol> {
    PROTOCOLS.iter().copied().find(|p| p.kind() == kind)
}
