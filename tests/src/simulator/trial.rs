//! One schedule against the real line task, and what its samples must say.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use linli_domain::{Batch, ClockQuality, DeviceClass, Id, Sample, Stamp, Timestamp, Value};
use linli_drivers::modbus::plan::ModbusPlan;
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::modbus::{Opener, RTU, RTU_OVER_TCP, Stream, TCP, run_on};
use linli_drivers::{Clock, LineContext, LineEnds, Protocol, RawDevice, RawLine};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;

use super::bus::{Bus, Exchange};
use super::fault::{Fault, Framing};
use super::media::{Departures, FarEnd, Watched};
use super::registers::{COIL_COUNT, COILS, COUNTER, FIRST, SECOND, coil, word_pair};
use super::schedule::{REAL_TIMEOUT, Schedule, TIMEOUT};

/// Units of the devices.
const UNITS: [u8; 2] = [1, 2];

/// A unit that is configured and not there.
const DEAD: u8 = 3;

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
    /// On a real medium, when requests left the gateway.
    departures: Option<Departures>,
    cancel: CancellationToken,
    began: Instant,
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
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
        tokio::spawn(Arc::clone(&self.0).serve(far, None));
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
    let place = match framing {
        Framing::Rtu => "port = \"/dev/null\"\nbaud = 19200",
        Framing::RtuOverTcp => "endpoint = \"192.0.2.1:4001\"",
        Framing::Tcp => "endpoint = \"192.0.2.1:502\"",
    };
    plan_at(framing, &format!("{place}\n{more}"), TIMEOUT, &UNITS, profiles)
}

/// A line with these settings, time-out and units.
fn plan_at(
    framing: Framing,
    settings: &str,
    timeout: Duration,
    units: &[u8],
    profiles: &ProfileSet,
) -> anyhow::Result<Arc<ModbusPlan>> {
    let kind: &dyn Protocol = match framing {
        Framing::Rtu => &RTU,
        Framing::RtuOverTcp => &RTU_OVER_TCP,
        Framing::Tcp => &TCP,
    };
    let settings = format!("timeout = \"{}ms\"\n{settings}", timeout.as_millis());
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
    let devices = units.iter().copied().map(device).collect::<anyhow::Result<Vec<_>>>()?;
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
        runtime.block_on(async {
            let bus = Bus::new(schedule.clone(), &UNITS);
            let opener = Box::new(Duplex(Arc::clone(&bus)));
            Self::begin(Arc::clone(plan), bus, opener, None).watch(schedule).await
        })
    }

    /// Runs a schedule in real time: RTU on a pair of pseudo-terminals, the others on sockets. The error is what was
    /// wrong.
    pub async fn run_real(schedule: &Schedule, profiles: &ProfileSet) -> Result<(), Violation> {
        let wrong = |error: &dyn std::fmt::Display| Violation(format!("no medium: {error}"));
        let schedule = &schedule.in_real_time();
        let bus = Bus::new(schedule.clone(), &UNITS);
        let far = FarEnd::of(schedule.framing, Arc::clone(&bus)).await.map_err(|error| wrong(&error))?;
        let plan = plan_at(schedule.framing, &far.settings, REAL_TIMEOUT, &UNITS, profiles);
        let plan = plan.map_err(|error| wrong(&error))?;
        let departures = Departures::default();
        let watched = Watched::new(plan.medium.clone(), Arc::clone(&bus), Arc::clone(&departures));
        Self::begin(plan, bus, Box::new(watched), Some(departures)).watch(schedule).await
    }

    fn begin(
        plan: Arc<ModbusPlan>,
        bus: Arc<Bus>,
        opener: Box<dyn Opener>,
        departures: Option<Departures>,
    ) -> Self {
        // The clock of the samples and that of the bus begin together.
        let began = Instant::now() - bus.now();
        let clock = Arc::new(VirtualClock(began));
        let (context, ends) = LineContext::alone(plan.line.clone(), clock, plan.layouts.len(), 1024);
        let LineEnds { batches, mut events, commands, maintenance, poll_overrides, cancel, .. } = ends;
        tokio::spawn(async move {
            while events.recv().await.is_some() {}
            drop((commands, maintenance, poll_overrides));
        });
        tokio::spawn(run_on(plan, context, opener));
        Self { bus, batches, departures, cancel, began }
    }

    /// Runs a line for `span` in virtual time with steady faults and one dead device. The error is a good sample that was
    /// not true.
    pub fn rates(schedule: &Schedule, span: Duration, profiles: &ProfileSet) -> Result<Rates, Violation> {
        let settings = match schedule.framing {
            Framing::Rtu => "port = \"/dev/null\"\nbaud = 19200",
            _ => "endpoint = \"192.0.2.1:502\"",
        };
        let units = [UNITS[0], UNITS[1], DEAD];
        let plan = plan_at(schedule.framing, settings, TIMEOUT, &units, profiles);
        let plan = plan.map_err(|error| Violation(error.to_string()))?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.map_err(|error| Violation(error.to_string()))?;
        runtime.block_on(async {
            let bus = Bus::new(schedule.clone(), &UNITS);
            let opener = Box::new(Duplex(Arc::clone(&bus)));
            Self::begin(plan, bus, opener, None).count(schedule, span).await
        })
    }

    async fn count(mut self, schedule: &Schedule, span: Duration) -> Result<Rates, Violation> {
        let until = self.began + span;
        let mut counts: BTreeMap<(u8, &str), u32> = blocks().map(|block| (block, 0)).collect();
        let mut counters = BTreeMap::new();
        while let Ok(Some(batch)) = timeout_at(until, self.batches.recv()).await {
            let unit = unit_of(&batch);
            for block in self.good(unit, &batch, &mut counters)? {
                *counts.entry((unit, block)).or_default() += 1;
            }
        }
        let asked = self.bus.exchanges(<[Exchange]>::len);
        let polls = span.as_secs_f64() / POLL.as_secs_f64();
        // A block that is read in parts counts once.
        let share = |count: &u32| (f64::from(*count) / polls).min(1.0);
        let shares: Vec<f64> = counts.values().map(share).collect();
        let faulty = schedule.faults.iter().filter(|planned| (planned.request as usize) < asked).count();
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        Ok(Rates {
            faulty: faulty as f64 / asked as f64,
            good: shares.iter().sum::<f64>() / shares.len() as f64,
            least: shares.iter().copied().fold(f64::INFINITY, f64::min),
        })
    }

    /// Judges the good samples of a batch. Returns the blocks they belong to, each once.
    fn good(
        &self,
        unit: u8,
        batch: &Batch,
        counters: &mut BTreeMap<u8, Value>,
    ) -> Result<BTreeSet<&'static str>, Violation> {
        let departures = self.departures.as_ref();
        let departures = departures.map(|all| all.lock().unwrap_or_else(PoisonError::into_inner).clone());
        let mut found = BTreeSet::new();
        for sample in &batch.samples {
            fell(unit, batch, sample, counters)?;
            if !sample.quality.is_good() {
                continue;
            }
            let name = batch.layout.points[usize::from(sample.point)].name.as_str();
            let (function, address) = place(name);
            let asked = (unit, function, address);
            self.bus
                .exchanges(|exchanges| judge(exchanges, departures.as_deref(), asked, sample))
                .map_err(|why| Violation(format!("unit {unit} {name}: {why}; {sample:?}")))?;
            found.insert(block(name));
        }
        Ok(found)
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
            let asked = self.bus.exchanges(<[Exchange]>::len);
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
            let unit = unit_of(&batch);
            heard.extend(self.good(unit, &batch, &mut counters)?.into_iter().map(|block| (unit, block)));
            if quiet_since.is_some() && blocks().all(|block| heard.contains(&block)) {
                return Ok(());
            }
        }
    }
}

/// What a line with steady faults delivered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    /// Requests that met a fault, of all.
    pub faulty: f64,
    /// Good samples of living devices, of as many as there would be without faults.
    pub good: f64,
    /// The least of that of any block of any living device.
    pub least: f64,
}

fn blocks() -> impl Iterator<Item = (u8, &'static str)> {
    UNITS.into_iter().flat_map(|unit| ["first", "second", "counter", "coil"].map(|block| (unit, block)))
}

fn block(name: &str) -> &'static str {
    ["first", "second", "counter"].into_iter().find(|block| name.starts_with(block)).unwrap_or("coil")
}

fn unit_of(batch: &Batch) -> u8 {
    let number = batch.layout.device.as_str().strip_prefix("device-");
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
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

/// Whether a good sample is what the device held between a request and its answer, and says that time. On a real medium
/// `departures` says when requests left the gateway: they reach the bus later.
fn judge(
    exchanges: &[Exchange],
    departures: Option<&[Duration]>,
    (unit, function, address): (u8, u8, u16),
    sample: &Sample,
) -> Result<(), String> {
    let at = u64::try_from(sample.at.0 - EPOCH_MS).map_err(|_| "before the beginning".to_owned())?;
    let (from, to) = (Duration::from_millis(at), Duration::from_millis(at + 1));
    let left = |exchange: &Exchange| {
        let before = departures.and_then(|all| all.iter().rev().find(|left| **left <= exchange.asked));
        before.copied().unwrap_or(exchange.asked)
    };
    // Times of samples are whole milliseconds.
    let last = exchanges.iter().rev().find(|exchange| left(exchange) < to);
    let Some(exchange) = last else { return Err("nothing had been asked".to_owned()) };
    if !exchange.covers(unit, function, address) {
        return Err(format!("at that time something else was asked: {exchange:?}"));
    }
    let Some(answered) = exchange.answered else { return Err(format!("no answer to {exchange:?}")) };
    // On a real medium the answer arrives later than it was given; the next request bounds it.
    if departures.is_none() && answered < from {
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
