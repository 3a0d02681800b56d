//! A checked Modbus line: requests, devices, timing, and the meaning of answers.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Id, Layout, Quality, Value};

pub use crate::modbus::data::{Data, Span, Table, Write};
pub use crate::modbus::planner::Block;
use crate::modbus::profile::Profile;
use crate::node;
pub use crate::port::{Parity, Serial};
use crate::reach::{FarEnd, Reach, Target, Units};

/// The decoded value of one point of a block.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Position in the device's layout.
    pub point: u16,
    /// Its quality.
    pub quality: Quality,
    /// The value, if there is one.
    pub value: Option<Value>,
}

/// The transport of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Medium {
    /// MBAP frames over TCP.
    Tcp {
        /// Host name or address.
        host: String,
        /// 502 unless said otherwise.
        port: u16,
    },
    /// RTU frames through a serial device server.
    RtuOverTcp {
        /// Host name or address.
        host: String,
        /// The server's data port.
        port: u16,
    },
    /// RTU frames on a serial port.
    Rtu(Serial),
}

/// Times that hold for the whole line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Longest wait for the first byte of a connection (TCP connect).
    pub connect_timeout: Duration,
    /// Pause after opening before the first request.
    pub connect_delay: Duration,
    /// Silence between frames on top of t3.5 (RTU) or zero (TCP).
    pub frame_gap: Duration,
    /// Largest share of line time that probes of dead devices may take, 0.05 unless said otherwise.
    pub probe_share_percent: u8,
    /// Oddities of the line that are put up with.
    pub tolerance: Tolerance,
}

/// Oddities of a line that are put up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tolerance {
    /// The adapter echoes what is sent.
    pub echo: bool,
    /// The answer of a TCP device may carry another unit id than the request.
    pub other_unit: bool,
    /// The connection is closed after each answer and opened for each request.
    pub close_after_answer: bool,
}

/// One device, ready to be polled.
#[derive(Debug, Clone, PartialEq)]
pub struct DevicePlan {
    /// Its description and points.
    pub layout: Arc<Layout>,
    /// Modbus unit id.
    pub unit: u8,
    /// How often every block is read.
    pub poll: Duration,
    /// Longest wait for an answer.
    pub timeout: Duration,
    /// Pause this device needs between two requests to it.
    pub request_gap: Duration,
    /// Expected serial number, where the configuration names one.
    pub serial: Option<u64>,
    /// The read requests of one poll.
    pub blocks: Vec<Block>,
    /// The model: decoding, encoding, identity.
    pub profile: Arc<Profile>,
}

/// A whole line.
#[derive(Debug, Clone, PartialEq)]
pub struct ModbusPlan {
    /// The line's id.
    pub line: Id,
    /// The transport.
    pub medium: Medium,
    /// Times that hold for the whole line.
    pub timing: Timing,
    /// The devices.
    pub devices: Vec<DevicePlan>,
    /// The devices' layouts, in the same order.
    pub layouts: Vec<Arc<Layout>>,
}

// === impl Medium ===

impl Medium {
    /// The far end of the line, whatever the configuration calls it.
    #[must_use]
    pub fn far_end(&self) -> FarEnd {
        match self {
            Self::Tcp { host, port } | Self::RtuOverTcp { host, port } => FarEnd::server(host, *port),
            Self::Rtu(serial) => FarEnd::port(&serial.path),
        }
    }
}

// === impl ModbusPlan ===

impl ModbusPlan {
    /// What commands to the writable points of a device reach, and, of our nodes, work on the device itself.
    pub(super) fn reaches_of(&self, device: usize, plan: &DevicePlan) -> Vec<Reach> {
        let end = self.medium.far_end();
        // Gateways to serial lines pass 0 on as a broadcast (Modbus over Serial Line V1.02, 2.2).
        let is_any = plan.unit == 0 || self.timing.tolerance.other_unit;
        let units = if is_any { Units::Any } else { Units::One(plan.unit) };
        let points = (0..).zip(&plan.profile.points).filter(|(_, point)| point.write.is_some());
        let mut all: Vec<Reach> = points
            .map(|(point, of)| {
                let (first, words) = (of.span.start, of.codec.kind.words());
                let last = first.saturating_add(words.saturating_sub(1));
                let target = Target::Registers(end.clone(), units, of.span.table, first, last);
                Reach { device, point: Some(point), target }
            })
            .collect();
        if node::kind_of(plan.profile.name()).is_some() {
            all.push(Reach { device, point: None, target: Target::Unit(end, units) });
        }
        all
    }
}
