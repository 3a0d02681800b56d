//! What the line knows of one device, and its samples.

use linli_domain::{Quality, Reason, Sample, Stamp};
use tokio::time::Instant;

use crate::line::DeviceState;
use crate::modbus::breaker::Breaker;
use crate::modbus::plan::{Block, Data, DevicePlan};

/// The samples of one exchange.
pub type Read = Vec<Sample>;

/// What the line knows of one device.
#[derive(Debug, Default)]
pub struct Device {
    /// Polled or probed.
    pub breaker: Breaker,
    /// What was last told of it; nothing before its first answer or failure.
    pub state: Option<DeviceState>,
    /// Whether it has shown to be the right model since it came back.
    pub identified: bool,
    /// For the pause it needs.
    pub last_exchange: Option<Instant>,
}

/// The samples of a block.
pub fn decode(device: &DevicePlan, block: &Block, data: &Data, stamp: Stamp) -> Read {
    let mut samples = Vec::with_capacity(block.points.len());
    device.decode(block, data, |point, quality, value| {
        samples.push(Sample { point, at: stamp.at, clock: stamp.clock, quality, value });
    });
    samples
}

/// Points that have no value, and why.
pub fn all_bad(points: impl Iterator<Item = u16>, reason: Reason, stamp: Stamp) -> Read {
    let quality = Quality::Bad(reason);
    points.map(|point| Sample { point, at: stamp.at, clock: stamp.clock, quality, value: None }).collect()
}
