//! What one exchange with one device yields.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{ClockQuality, DeviceClass, Id, Quality, Timestamp, Value, ValueType};

/// One value of one point at one time.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Position of the point in [`Layout::points`].
    pub point: u16,
    /// When the device was asked, by the gateway's clock; never changed afterwards.
    pub at: Timestamp,
    /// How good that clock was.
    pub clock: ClockQuality,
    /// How good the value is.
    pub quality: Quality,
    /// The value, or nothing.
    pub value: Option<Value>,
}

/// Samples of one device that belong together, in the order they were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// Whose points the samples index.
    pub layout: Arc<Layout>,
    /// At least one sample.
    pub samples: Vec<Sample>,
}

/// What a device is and which points it has: enough to make sense of stored samples after the
/// configuration has changed, and the content of the `meta/{device}` message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Layout {
    /// The device's id, unique in the gateway.
    pub device: Id,
    /// What people call it, in their language.
    pub name: String,
    /// Where it stands.
    pub room: Option<Id>,
    /// What it is for.
    pub class: DeviceClass,
    /// `vendor/model` of the profile.
    pub profile: String,
    /// Its points; samples refer to them by position.
    pub points: Vec<PointSpec>,
}

/// What a point measures.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PointSpec {
    /// The point's id, unique in the device.
    pub name: Id,
    /// UCUM code, `1` when dimensionless.
    pub unit: String,
    /// The kind of value it gives.
    pub kind: ValueType,
    /// Whether commands may write it.
    pub writable: bool,
}
