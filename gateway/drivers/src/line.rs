//! What a running line exchanges with the rest of the gateway.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use linli_domain::vital::Measurement;
use linli_domain::{Batch, Id, Layout, Reason, Stamp, Value};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Clock;
use linli_vitals::hl7::{Answer, Asked};

use crate::exchange::Exchanges;
use crate::registers::{MaintenanceHandle, RegisterRequest};

/// Devices that are read more often than their plan says, and how often.
pub type PollOverrides = Arc<BTreeMap<Id, Duration>>;

/// The channels, clock and counters of a running line.
pub struct LineContext {
    /// Id of the gateway, by which other systems tell gateways apart.
    pub gateway: Id,
    /// Where samples go. A full channel delays polls (back-pressure); nothing is dropped.
    pub samples: mpsc::Sender<Batch>,
    /// Where measurements of vital signs go, and what else a health cabin's devices tell.
    pub measurements: mpsc::Sender<CabinEvent>,
    /// Transitions of devices and of the line.
    pub events: mpsc::Sender<LineEvent>,
    /// Commands; executed before any poll, between two exchanges.
    pub commands: mpsc::Receiver<LineCommand>,
    /// Maintenance requests, executed between two exchanges; only Modbus lines accept them.
    pub maintenance: mpsc::Receiver<RegisterRequest>,
    /// Temporary poll periods; applied between two exchanges.
    pub poll_overrides: watch::Receiver<PollOverrides>,
    /// The source of time stamps.
    pub clock: Arc<dyn Clock>,
    /// TLS with the gateway's certificate, for listeners off this machine; `None` where there is no certificate.
    pub tls: Option<linli_listen::Tls>,
    /// Counters for metrics, also one per device in the order of the plan.
    pub health: Arc<LineHealth>,
    /// Ends the line between two exchanges.
    pub cancel: CancellationToken,
}

/// The other ends of a line's channels: what a line says, and what it is told.
pub struct LineEnds {
    /// Samples.
    pub batches: mpsc::Receiver<Batch>,
    /// Measurements of vital signs, and what else a health cabin's devices tell.
    pub measurements: mpsc::Receiver<CabinEvent>,
    /// Transitions of devices and of the line.
    pub events: mpsc::Receiver<LineEvent>,
    /// Commands.
    pub commands: mpsc::Sender<LineCommand>,
    /// Maintenance requests.
    pub maintenance: MaintenanceHandle,
    /// Temporary poll periods.
    pub poll_overrides: watch::Sender<PollOverrides>,
    /// Its counters.
    pub health: Arc<LineHealth>,
    /// Ends it between two exchanges.
    pub cancel: CancellationToken,
}

// === impl LineContext ===

impl LineContext {
    /// Returns the context of a line that stands alone, for a tool or a test, and the other ends. Each channel has room
    /// for `queue` messages; a line whose samples nobody takes waits when it is full.
    #[must_use]
    pub fn alone(gateway: Id, clock: Arc<dyn Clock>, devices: usize, queue: usize) -> (Self, LineEnds) {
        let (samples, batches) = mpsc::channel(queue);
        let (to_measurements, measurements) = mpsc::channel(queue);
        let (to_events, events) = mpsc::channel(queue);
        let (commands, to_commands) = mpsc::channel(queue);
        let (maintenance, to_maintenance) = mpsc::channel(queue);
        let (poll_overrides, to_overrides) = watch::channel(PollOverrides::default());
        let (health, cancel) = (Arc::new(LineHealth::new(devices)), CancellationToken::new());
        let context = Self {
            gateway,
            samples,
            measurements: to_measurements,
            events: to_events,
            commands: to_commands,
            maintenance: to_maintenance,
            poll_overrides: to_overrides,
            clock,
            tls: None,
            health: Arc::clone(&health),
            cancel: cancel.clone(),
        };
        let ends =
            LineEnds { batches, measurements, events, commands, maintenance, poll_overrides, health, cancel };
        (context, ends)
    }
}

/// A measurement of vital signs as a device reported it.
#[derive(Debug)]
pub struct VitalMeasurement {
    /// Layout of the device.
    pub layout: Arc<Layout>,
    /// What was measured; stored as a whole or not at all.
    pub measurements: Vec<Measurement>,
    /// Where the sender waits for the confirmation that the measurement is stored (with an optional
    /// remark), or for the reason why it was rejected.
    pub reply: Option<oneshot::Sender<Result<Option<String>, NotTaken>>>,
}

/// What a device of a health cabin tells.
#[derive(Debug)]
pub enum CabinEvent {
    /// It has measured.
    Measured(VitalMeasurement),
    /// It asks who is in its room.
    Asked(PatientQuestion),
    /// A scanner has read a code.
    Scanned(ScannedCode),
}

/// The question of a monitor who is in its room.
#[derive(Debug)]
pub struct PatientQuestion {
    /// Layout of the device.
    pub layout: Arc<Layout>,
    /// What is asked.
    pub asked: Asked,
    /// How much it may be told.
    pub shows: Shows,
    /// Where the device waits.
    pub reply: oneshot::Sender<Answer>,
}

/// A code that a scanner has read: perhaps a number of a person, so it is in no log.
pub struct ScannedCode {
    /// Layout of the device.
    pub layout: Arc<Layout>,
    /// The text of the code; `None` if the scanner sent what is none.
    pub text: Option<String>,
}

/// How much a monitor may be told of the patient in its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// The visit's id, the pseudonym, the code of the visit, sex and year of birth.
    Visit,
    /// The name and the birthday as well.
    Name,
}

// === impl CabinEvent ===

impl CabinEvent {
    /// The measurement, if it is one.
    #[must_use]
    pub fn measured(self) -> Option<VitalMeasurement> {
        match self {
            Self::Measured(measured) => Some(measured),
            Self::Asked(_) | Self::Scanned(_) => None,
        }
    }
}

// === impl ScannedCode ===

impl std::fmt::Debug for ScannedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScannedCode").field("device", &self.layout.device).finish_non_exhaustive()
    }
}

/// Why a measurement was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Its content is wrong: sending it again unchanged is of no use.
    #[error("{0}")]
    Wrong(String),
    /// It could not be stored; sent again later it may be.
    #[error("{0}")]
    NotStored(String),
}

// === impl NotTaken ===

impl NotTaken {
    /// What the log says of it: not the values, which may be a person's.
    #[must_use]
    pub fn advice(&self) -> &str {
        match self {
            Self::Wrong(_) => "none of its values can be: look at the units that the device sends",
            Self::NotStored(why) => why,
        }
    }
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
    /// Where the outcome goes. A closed receiver means that the command was withdrawn.
    pub reply: oneshot::Sender<CommandOutcome>,
}

/// The outcome of a command.
#[derive(Debug, Clone, PartialEq)]
pub enum CommandOutcome {
    /// Written, and read back with the requested value.
    Done {
        /// The value that the device reports now.
        read_back: Value,
    },
    /// The device was not changed, or says it is not.
    Failed {
        /// The reason, as a sentence for people.
        reason: String,
    },
    /// Sent, but without confirmation that the device acted.
    Unknown {
        /// The reason, as a sentence for people.
        reason: String,
    },
}

/// A change of state of a device or a line.
#[derive(Debug, Clone, PartialEq)]
pub struct LineEvent {
    /// Id of the line.
    pub line: Id,
    /// The device; `None` for the line itself.
    pub device: Option<Id>,
    /// State of the device from now on.
    pub state: DeviceState,
    /// When the state was entered.
    pub at: Stamp,
    /// More detail, for people.
    pub detail: String,
}

/// The state of a device or a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceState {
    /// The device answers; the line is open.
    Online,
    /// No usable answers (the circuit breaker is open), or the line is down.
    Offline(Reason),
}

/// Counters of one line for the metrics endpoint. They only increase.
#[derive(Debug, Default)]
pub struct LineHealth {
    /// Requests sent.
    pub requests: AtomicU64,
    /// Time spent in exchanges, in microseconds: divided by elapsed time it is the line's use.
    pub busy_us: AtomicU64,
    /// Bytes skipped while looking for the next frame.
    pub resync_bytes: AtomicU64,
    /// Replies that arrived after their request had timed out.
    pub late_replies: AtomicU64,
    /// Requests that an adapter echoed.
    pub echoes: AtomicU64,
    /// Times the port or connection was opened.
    pub opens: AtomicU64,
    /// Maintenance exchanges.
    pub maintenance: AtomicU64,
    /// Time spent in maintenance exchanges, in microseconds.
    pub maintenance_us: AtomicU64,
    /// Outputs refreshed so that they do not fall back to their safe state.
    pub refreshed: AtomicU64,
    /// Due times skipped because the line was behind schedule.
    pub overruns: AtomicU64,
    /// 1 while the port or connection is open.
    pub up: AtomicU64,
    /// Incremented with every completed loop; the watchdog monitors it.
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
    /// Exception responses.
    pub refusals: AtomicU64,
    /// Damaged answers, or answers of another unit.
    pub garbled: AtomicU64,
    /// 1 while the breaker is closed.
    pub online: AtomicU64,
    /// Duration of the latest successful exchange, in microseconds.
    pub latency_us: AtomicU64,
    /// The latest exchanges and the pause; of Modbus lines only.
    exchanges: Mutex<Exchanges>,
}

// === impl DeviceHealth ===

impl DeviceHealth {
    /// What is known of the exchanges with it.
    #[must_use]
    pub fn exchanges(&self) -> Exchanges {
        self.kept().clone()
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Exchanges> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a line task ended without being cancelled.
#[derive(Debug, thiserror::Error)]
pub enum LineFault {
    /// A broken invariant inside the task; the supervisor restarts it.
    #[error("line {line}: {what}")]
    Broken {
        /// The line.
        line: Id,
        /// The invariant that does not hold.
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
    /// Returns why the command must not be sent any more, if it must not.
    #[must_use]
    pub fn is_void(&self) -> Option<&'static str> {
        if self.reply.is_closed() {
            return Some("taken back before it could be sent");
        }
        (Instant::now() >= self.deadline).then_some("expired before it could be sent")
    }
}
