//! The state of one device on a line, and its samples.

use linli_domain::{Quality, Reason, Sample, Stamp};
use tokio::time::Instant;

use crate::line::DeviceState;
use crate::modbus::breaker::Breaker;
use crate::modbus::plan::{Block, Data, DevicePlan};

/// The samples of one exchange.
pub type Read = Vec<Sample>;

/// The state of one device on a line.
#[derive(Debug, Default)]
pub struct Device {
    /// Decides whether it is polled or probed.
    pub breaker: Breaker,
    /// The state published last; `None` before the first answer or failure.
    pub state: Option<DeviceState>,
    /// Whether its model was verified since it came online.
    pub identified: bool,
    /// When the last exchange ended, for the pause that the device requires.
    pub last_exchange: Option<Instant>,
}

/// Returns the samples of a block.
pub fn decode(device: &DevicePlan, block: &Block, data: &Data, stamp: Stamp) -> Read {
    let mut samples = Vec::with_capacity(block.points.len());
    device.decode(block, data, |point, quality, value| {
        samples.push(Sample { point, at: stamp.at, clock: stamp.clock, quality, value });
    });
    samples
}

/// Returns samples without a value, with the reason.
pub fn all_bad(points: impl Iterator<Item = u16>, reason: Reason, stamp: Stamp) -> Read {
    let quality = Quality::Bad(reason);
    points.map(|point| Sample { point, at: stamp.at, clock: stamp.clock, quality, value: None }).collect()
}
