//! Bluetooth health profiles: the payloads of their characteristics.
//!
//! All little-endian. A payload whose flags promise more than it holds is rejected whole.

mod blood_pressure;
mod float;
mod glucose;
mod heart_rate;
mod oximeter;
mod payload;
pub mod profiles;
mod thermometer;
mod weight;

pub use blood_pressure::{BloodPressure, PulseRange};
pub use float::{Real, float, sfloat};
pub use glucose::Glucose;
pub use heart_rate::HeartRate;
pub use oximeter::{Continuous, MeasurementStatus, Oximetry, SensorStatus, Spot};
pub use payload::Truncated;
pub use thermometer::Temperature;
pub use weight::Weight;
