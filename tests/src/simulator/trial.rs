//! One schedule against the real line task, and what its samples must say.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use linli_domain::{Batch, ClockQuality, DeviceClass, Id, Sample, Stamp, Timestamp, Value};
use linli_drivers::modbus::plan::ModbusPlan;
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::modbus::{Opener, RTU, RTU_OVER_TCP, Stream, TCP, run_on};
use linli_drivers::{Clock, LineContext, LineHealth, PollOverrides, Protocol, RawDevice, RawLine};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::bus::{Bus, Exchange};
use super::fault::{Fault, Framing};
use super::registers::{COIL_COUNT, COILS, COUNTER, FIRST, SECOND, coil, word_pair};
use super::schedule::Schedule;

/// Units of the devices.
const UNITS: [u8; 2] = [1, 2];

/// How often each device is polled.
const POLL: Duration = Duration::from_millis(1000);

/// A living device is heard again within this time: 15 s is the longest pause before a connection is opened again
/// (`docs/protocols/modbus.md`), two polls and as many probes come on top.
pub const HEARD_WITHIN: Duration = Duration::from_secs(20);

/// Time at which the clock of a trial begins, Unix milliseconds.
const EPOCH_MS: i64 = 1_795_428_000_000;

/// The profile of the simulated devices.
pub const PROFILE: &str = r#"
vendor = "simulated"
model = "device"
title = "Simulated device"
title_zh = "模拟设备"
source = "tests/src/simulator"

[[point]]
name = "first"
holding = 100
type = "u32"
unit = "1"
repeat = 3

[[point]]
name = "second"
holding = 200
type = "u32"
unit = "1"
repeat = 3

[[point]]
name = "counter"
holding = 300
type = "u32"
unit = "1"
counter = true

[[point]]
name = "coil"
coil = 0x0300
repeat = 24

[[test]]
holding = { 100 = "1064 0001" }
expect = { first-1 = 274_989_057 }
"#;

/// What a sample said that was not so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation(pub String);

/// A schedule, carried out.
pub struct Trial {
    bus: Arc<Bus>,
    batches: mpsc::Receiver<Batch>,
    cancel: CancellationToken,
    began: Instant,
}

struct VirtualClock(Instant);

impl Clock for VirtualClock {
    fn now(&self) -> Stamp {
        let passed = i64::try_from(self.0.elapsed().as_millis()).unwrap_or(i64::MAX);
        Stamp { at: Timestamp(EPOCH_MS + passed), clock: ClockQuality::Synchronised }
    }
}

struct Duplex(Arc<Bus>);

impl Opener for Duplex {
    fn open(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        let (near, far) = tokio::io::duplex(4096);
        tokio::spawn(Arc::clone(&self.0).serve(far));
        async { Ok(Box::new(near) as Box<dyn Stream>) }.boxed()
    }
}

/// The built-in profiles and [`PROFILE`].
pub fn profiles() -> anyhow::Result<ProfileSet> {
    let directory = tempfile::tempdir()?;
    std::fs::create_dir(directory.path().join("simulated"))?;
    std::fs::write(directory.path().join("simulated/device.toml"), PROFILE)?;
    ProfileSet::embedded().with_dir(directory.path()).map_err(|problems| anyhow::anyhow!("{problems:?}"))
}

/// The line of a trial, with more of its settings.
pub fn plan(framing: Framing, more: &str, profiles: &ProfileSet) -> anyhow::Result<Arc<ModbusPlan>> {
    let (kind, place): (&dyn Protocol, &str) = match framing {
        Framing::Rtu => (&RTU, "port = \"/dev/null\"\nbaud = 19200"),
        Framing::RtuOverTcp => (&RTU_OVER_TCP, "endpoint = \"192.0.2.1:4001\""),
        Framing::Tcp => (&TCP, "endpoint = \"192.0.2.1:502\""),
    };
    let timeout = super::schedule::TIMEOUT.as_millis();
    let settings = format!("{place}\ntimeout = \"{timeout}ms\"\n{more}");
    let line = RawLine {
        id: Id::new("bus")?,
        settings: settings.parse()?,
        zone: linli_domain::timezone::Zone::utc(),
    };
    let device = |unit: u8| -> anyhow::Result<RawDevice> {
        Ok(RawDevice {
            id: Id::new(&format!("device-{unit}"))?,
            name: String::new(),
            room: None,
            class: DeviceClass::Telemetry,
            unit: Some(unit.into()),
            topic: None,
            token: None,
            serial: None,
            profile: "simulated/device".to_owned(),
            poll: POLL,
        })
    };
    let devices = UNITS.into_iter().map(device).collect::<anyhow::Result<Vec<_>>>()?;
    let checked = kind.plan(&line, &devices, profiles).map_err(|problems| anyhow::anyhow!("{problems:?}"))?;
    let plan = checked.as_any().downcast_ref::<ModbusPlan>();
    plan.cloned().map(Arc::new).ok_or_else(|| anyhow::anyhow!("not a Modbus line"))
}

// === impl Trial ===

impl Trial {
    /// Runs a schedule in virtual time, in a runtime of its own. The error is what was wrong.
    pub fn run(schedule: &Schedule, plan: &Arc<ModbusPlan>) -> Result<(), Violation> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| Violation(error.to_string()))?;
        runtime.block_on(async { Self::begin(schedule.clone(), Arc::clone(plan)).watch(schedule).await })
    }

    fn begin(schedule: Schedule, plan: Arc<ModbusPlan>) -> Self {
        let began = Instant::now();
        let bus = Bus::new(schedule, &UNITS);
        let (samples, batches) = mpsc::channel(1024);
        let (measurements, _) = mpsc::channel(1);
        let (events, mut happened) = mpsc::channel(1024);
        tokio::spawn(async move { while happened.recv().await.is_some() {} });
        let (_, commands) = mpsc::channel(1);
        let (_, maintenance) = mpsc::channel(1);
        let (_, poll_overrides) = watch::channel(PollOverrides::default());
        let cancel = CancellationToken::new();
        let gateway = plan.line.clone();
        let context = LineContext {
            gateway,
            samples,
            measurements,
            events,
            commands,
            maintenance,
            poll_overrides,
            clock: Arc::new(VirtualClock(began)),
            health: Arc::new(LineHealth::new(plan.layouts.len())),
            cancel: cancel.clone(),
        };
        tokio::spawn(run_on(plan, context, Box::new(Duplex(Arc::clone(&bus)))));
        Self { bus, batches, cancel, began }
    }

    /// Judges every sample until all blocks of all devices were heard after the last fault.
    async fn watch(mut self, schedule: &Schedule) -> Result<(), Violation> {
        let slow = schedule.faults.iter().filter_map(|planned| match planned.fault {
            Fault::SlowStart(time) => Some(time),
            _ => None,
        });
        let slow: Duration = slow.sum();
        let mut quiet_since = None;
        let (mut heard, mut counters) = (BTreeSet::new(), BTreeMap::new());
        loop {
            let asked = self.bus.exchanges().len();
            let is_over = asked > schedule.last() as usize + 1;
            if is_over && quiet_since.is_none() {
                quiet_since = Some(Instant::now() + slow);
                heard.clear();
            }
            let until = quiet_since.unwrap_or(self.began + Duration::from_secs(120)) + HEARD_WITHIN;
            let Ok(Some(batch)) = timeout_at(until, self.batches.recv()).await else {
                let missing: Vec<_> = blocks().filter(|block| !heard.contains(block)).collect();
                return Err(Violation(format!("not heard again: {missing:?} at {:?}", self.began.elapsed())));
            };
            let exchanges = self.bus.exchanges();
            let unit = unit_of(&batch);
            for sample in &batch.samples {
                fell(unit, &batch, sample, &mut counters)?;
            }
            for sample in batch.samples.iter().filter(|sample| sample.quality.is_good()) {
                let name = batch.layout.points[usize::from(sample.point)].name.as_str();
                let (function, address) = place(name);
                judge(&exchanges, unit, function, address, sample)
                    .map_err(|why| Violation(format!("unit {unit} {name}: {why}; {sample:?}")))?;
                heard.insert((unit, block(name)));
            }
            if quiet_since.is_some() && blocks().all(|block| heard.contains(&block)) {
                self.cancel.cancel();
                return Ok(());
            }
        }
    }
}

fn blocks() -> impl Iterator<Item = (u8, &'static str)> {
    UNITS.into_iter().flat_map(|unit| ["first", "second", "counter", "coil"].map(|block| (unit, block)))
}

fn block(name: &str) -> &'static str {
    ["first", "second", "counter"].into_iter().find(|block| name.starts_with(block)).unwrap_or("coil")
}

fn unit_of(batch: &Batch) -> u8 {
    if batch.layout.device.as_str() == "device-1" { UNITS[0] } else { UNITS[1] }
}

/// Function code and address that a point is read with.
fn place(name: &str) -> (u8, u16) {
    let number = name.rsplit('-').next().and_then(|n| n.parse::<u16>().ok()).unwrap_or(1) - 1;
    match block(name) {
        "first" => (3, FIRST + 2 * number),
        "second" => (3, SECOND + 2 * number),
        "counter" => (3, COUNTER),
        _ => (1, COILS + number.min(COIL_COUNT - 1)),
    }
}

/// Whether a counter is called reset although it reported 0 only once.
fn fell(
    unit: u8,
    batch: &Batch,
    sample: &Sample,
    counters: &mut BTreeMap<u8, Value>,
) -> Result<(), Violation> {
    let is_counter = batch.layout.points[usize::from(sample.point)].name.as_str() == "counter";
    let Some(value) = sample.value.clone().filter(|_| is_counter) else { return Ok(()) };
    let before = counters.insert(unit, value.clone());
    let zero = Value::Integer(0);
    if sample.quality.is_good() && value == zero && before.is_some_and(|before| before != zero) {
        return Err(Violation(format!("unit {unit}: one 0 of a counter is good: {sample:?}")));
    }
    Ok(())
}

/// Whether a good sample is what the device held between a request and its answer, and says that time.
fn judge(
    exchanges: &[Exchange],
    unit: u8,
    function: u8,
    address: u16,
    sample: &Sample,
) -> Result<(), String> {
    let at = u64::try_from(sample.at.0 - EPOCH_MS).map_err(|_| "before the beginning".to_owned())?;
    let (from, to) = (Duration::from_millis(at), Duration::from_millis(at + 1));
    // Times of samples are whole milliseconds.
    let last = exchanges.iter().rev().find(|exchange| exchange.asked < to);
    let Some(exchange) = last else { return Err("nothing had been asked".to_owned()) };
    if !exchange.covers(unit, function, address) {
        return Err(format!("at that time something else was asked: {exchange:?}"));
    }
    let Some(answered) = exchange.answered else { return Err(format!("no answer to {exchange:?}")) };
    if answered < from {
        return Err(format!("later than its answer {exchange:?}"));
    }
    let held = match function {
        1 => Value::Bool(coil(unit, address, exchange.version)),
        _ if address == COUNTER && exchange.is_counter_zero => Value::Integer(0),
        _ if address == COUNTER => Value::Integer(exchange.version.into()),
        _ => Value::Integer(word_pair(unit, address, exchange.version).into()),
    };
    match &sample.value {
        Some(value) if *value == held => Ok(()),
        value => Err(format!("{value:?} instead of {held:?} of {exchange:?}")),
    }
}
