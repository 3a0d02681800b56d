//! Samples and the description of the device they come from.

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
    /// Quality of that clock.
    pub clock: ClockQuality,
    /// Quality of the value.
    pub quality: Quality,
    /// The value; `None` when there is none.
    pub value: Option<Value>,
}

/// Samples of one device that belong together, in the order they were read.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// The device and the points that the samples refer to.
    pub layout: Arc<Layout>,
    /// At least one sample.
    pub samples: Vec<Sample>,
}

/// A device and its points: enough to interpret stored samples after the
/// configuration has changed, and the content of the `meta/{device}` message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Layout {
    /// The device's id, unique in the gateway.
    pub device: Id,
    /// Display name.
    pub name: String,
    /// The room it stands in.
    pub room: Option<Id>,
    /// Its purpose, which decides priorities.
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
