//! What a running line exchanges with the rest of the gateway.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use linli_domain::vital::Measurement;
use linli_domain::{Batch, Id, Layout, Reason, Stamp, Value};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Clock;
use crate::modbus::RegisterRequest;

/// Devices that are read more often than their plan says, and how often.
pub type PollOverrides = Arc<BTreeMap<Id, Duration>>;

/// Everything a line may touch.
pub struct LineContext {
    /// Where samples go. Waiting here is back-pressure: a poll comes late, nothing is dropped.
    pub samples: mpsc::Sender<Batch>,
    /// Where measurements of vital signs go.
    pub measurements: mpsc::Sender<VitalMeasurement>,
    /// Transitions of devices and of the line.
    pub events: mpsc::Sender<LineEvent>,
    /// Commands; served before any poll, between two exchanges.
    pub commands: mpsc::Receiver<LineCommand>,
    /// Maintenance of what is on the line, between two exchanges; only Modbus lines serve it.
    pub maintenance: mpsc::Receiver<RegisterRequest>,
    /// How often devices are read for the time being; followed between two exchanges.
    pub poll_overrides: watch::Receiver<PollOverrides>,
    /// Labels.
    pub clock: Arc<dyn Clock>,
    /// Counters for metrics, also one per device in the order of the plan.
    pub health: Arc<LineHealth>,
    /// Ends the line between two exchanges.
    pub cancel: CancellationToken,
}

/// A measurement of vital signs as a device told it.
#[derive(Debug)]
pub struct VitalMeasurement {
    /// The device.
    pub layout: Arc<Layout>,
    /// What it measured.
    pub measurement: Measurement,
    /// Where the sender waits to hear that it is safe (and what else there is to say of it), or
    /// why it was not taken.
    pub reply: Option<oneshot::Sender<Result<Option<String>, String>>>,
}

/// Write one point and read it back.
#[derive(Debug)]
pub struct LineCommand {
    /// Position of the device in the plan.
    pub device: usize,
    /// Position of the point in the device's layout.
    pub point: u16,
    /// The value, already accepted by the plan.
    pub value: Value,
    /// After this the command must not be sent any more.
    pub deadline: Instant,
    /// Where the outcome goes. When nobody waits for it any more, the command was taken back.
    pub reply: oneshot::Sender<CommandOutcome>,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandOutcome {
    /// Written and read back as asked.
    Done {
        /// What the device says now.
        read_back: Value,
    },
    /// The device was not changed, or says it is not.
    Failed {
        /// For a person.
        reason: String,
    },
    /// Sent, but nobody knows whether it acted.
    Unknown {
        /// For a person.
        reason: String,
    },
}

/// A transition worth telling people about.
#[derive(Debug, Clone, PartialEq)]
pub struct LineEvent {
    /// The line.
    pub line: Id,
    /// The device, or nothing for the line itself.
    pub device: Option<Id>,
    /// What it is now.
    pub state: DeviceState,
    /// Since when.
    pub at: Stamp,
    /// More, for a person.
    pub detail: String,
}

/// The state of a device or a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// Answers.
    Online,
    /// Does not, or not as it should; the breaker is open.
    Offline(Reason),
}

/// Counters of one line. Only ever added to; read by the metrics endpoint.
#[derive(Debug, Default)]
pub struct LineHealth {
    /// Requests sent.
    pub requests: AtomicU64,
    /// Time spent in exchanges, in microseconds: divided by elapsed time it is the line's use.
    pub busy_us: AtomicU64,
    /// Bytes thrown away to find the next frame.
    pub resync_bytes: AtomicU64,
    /// Replies to questions nobody was waiting for any more.
    pub late_replies: AtomicU64,
    /// Times the port or connection was opened.
    pub opens: AtomicU64,
    /// Exchanges of maintenance.
    pub maintenance: AtomicU64,
    /// Time they took, in microseconds.
    pub maintenance_us: AtomicU64,
    /// Outputs written again so that they do not fall to their safe state.
    pub refreshed: AtomicU64,
    /// Due times passed over because the line was behind.
    pub overruns: AtomicU64,
    /// 1 while the port or connection is open.
    pub up: AtomicU64,
    /// Changes with every completed loop: what the watchdog watches.
    pub progress: AtomicU64,
    /// One per device, in the order of the plan.
    pub devices: Vec<DeviceHealth>,
}

/// Counters of one device.
#[derive(Debug, Default)]
pub struct DeviceHealth {
    /// Exchanges that gave samples.
    pub ok: AtomicU64,
    /// No answer in time.
    pub timeouts: AtomicU64,
    /// Exceptions.
    pub refusals: AtomicU64,
    /// Damaged or foreign answers.
    pub garbled: AtomicU64,
    /// 1 while the breaker is closed.
    pub online: AtomicU64,
    /// Duration of the latest successful exchange, in microseconds.
    pub latency_us: AtomicU64,
}

/// Why a line task ended although nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum LineFault {
    /// A broken invariant inside the task; the supervisor restarts it.
    #[error("line {line}: {what}")]
    Broken {
        /// The line.
        line: Id,
        /// What was found.
        what: String,
    },
}

// === impl LineHealth ===

impl LineHealth {
    /// Counters for a line with that many devices.
    #[must_use]
    pub fn new(devices: usize) -> Self {
        Self { devices: (0..devices).map(|_| DeviceHealth::default()).collect(), ..Self::default() }
    }
}

// === impl LineCommand ===

impl LineCommand {
    /// Why it must not be sent any more, if so.
    #[must_use]
    pub fn is_void(&self) -> Option<&'static str> {
        if self.reply.is_closed() {
            return Some("taken back before it could be sent");
        }
        (Instant::now() >= self.deadline).then_some("expired before it could be sent")
    }
}
