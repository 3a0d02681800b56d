//! The state of one device on a line, and its samples.

use std::sync::Arc;

use linli_domain::{Quality, Sample, Stamp};
use tokio::time::Instant;

use super::counter::Counters;
use crate::exchange::ExchangeOutcome;
use crate::line::DeviceState;
use crate::modbus::breaker::Breaker;
use crate::modbus::link::{Answer, Failure};
use crate::modbus::plan::{Block, Data, DevicePlan};

/// The state of one device on a line.
#[derive(Debug)]
pub struct Device {
    /// Decides whether it is polled or probed.
    pub breaker: Breaker,
    /// The state published last; `None` before the first answer or failure.
    pub state: Option<DeviceState>,
    /// Whether its model was verified since it came online.
    pub identified: bool,
    /// When the last exchange ended, for the pause that the device requires.
    pub last_exchange: Option<Instant>,
    /// The read requests: those of the plan, or parts of them where the device refuses the whole.
    pub blocks: Vec<ReadBlock>,
    /// The latest values of its counters.
    pub counters: Counters,
}

/// One read request of a device, and how it fares.
#[derive(Debug)]
pub struct ReadBlock {
    /// What is read.
    pub block: Arc<Block>,
    /// Reads in a row that gave nothing.
    pub misses: u32,
    /// Whether the device refused it last, and an event has said so.
    pub is_refused: bool,
}

/// What came of an exchange, to be shown.
pub fn outcome(outcome: &Result<Answer, Failure>, other_unit: Option<u8>) -> ExchangeOutcome {
    match (outcome, other_unit) {
        (Ok(_), _) => ExchangeOutcome::Good,
        (Err(Failure::Down(_)), _) => ExchangeOutcome::Down,
        (Err(Failure::Refused(code)), _) => ExchangeOutcome::Refused(*code),
        (Err(Failure::NotReached(code)), _) => ExchangeOutcome::NotReached(*code),
        (Err(_), Some(unit)) => ExchangeOutcome::OtherUnit(unit),
        (Err(Failure::Garbled), None) => ExchangeOutcome::Garbled,
        (Err(Failure::Silent), None) => ExchangeOutcome::Silent,
    }
}

// === impl Device ===

impl Device {
    /// A device that nothing is known of yet.
    pub fn new(plan: &DevicePlan) -> Self {
        Self {
            breaker: Breaker::default(),
            state: None,
            identified: false,
            last_exchange: None,
            blocks: plan.blocks.iter().map(|block| ReadBlock::new(Arc::new(block.clone()))).collect(),
            counters: Counters::new(plan),
        }
    }
}

// === impl ReadBlock ===

impl ReadBlock {
    /// A block that was not read yet.
    pub const fn new(block: Arc<Block>) -> Self {
        Self { block, misses: 0, is_refused: false }
    }
}

/// Returns the samples of a block.
pub fn decode(device: &DevicePlan, block: &Block, data: &Data, stamp: Stamp) -> Vec<Sample> {
    let mut samples = Vec::with_capacity(block.points.len());
    device.decode(block, data, |point, quality, value| {
        samples.push(Sample { point, at: stamp.at, clock: stamp.clock, quality, value });
    });
    samples
}

/// Returns samples without a value, with this quality.
pub fn all(points: impl Iterator<Item = u16>, quality: Quality, stamp: Stamp) -> Vec<Sample> {
    points.map(|point| Sample { point, at: stamp.at, clock: stamp.clock, quality, value: None }).collect()
}
