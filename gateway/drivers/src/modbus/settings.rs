//! Settings of Modbus lines, their checks, and the rows of the protocol table.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use linli_domain::{Id, Layout, Value};
use schemars::{JsonSchema, Schema, schema_for};
use serde::Deserialize;

use crate::duration::{self, Period};
use crate::line::{LineContext, LineFault};
use crate::modbus::codec::Kind;
use crate::modbus::plan::{DevicePlan, Medium, ModbusPlan, Parity, Serial, Span, Timing, Tolerance};
use crate::modbus::profile::{Profile, ProfileSet};
use crate::modbus::{budget, planner, task};
use crate::port::{baud_problem, path_problem};
use crate::protocol::{Budget, CheckedLine, Problem, Protocol, RawDevice, RawLine};
use crate::reach::Reach;

/// Shortest polling period. No sensor of a centre changes faster.
const SHORTEST_POLL: Duration = Duration::from_millis(20);

/// A server reached over TCP: a device, a gateway to several units, or a serial device server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct TcpSettings {
    /// Host and port of the server, default port 502.
    endpoint: String,
    /// Longest time until a device begins its reply, default 1s.
    #[serde(default)]
    timeout: Option<Period>,
    /// Longest time to establish the connection, default 5s.
    #[serde(default)]
    connect_timeout: Option<Period>,
    /// Pause between opening the line and the first request, default 0s.
    #[serde(default)]
    connect_delay: Option<Period>,
    /// Silence between two frames, in addition to what the standard requires; default 0s.
    #[serde(default)]
    frame_gap: Option<Period>,
    /// Share of the line's time that may be spent on devices that do not answer, default 5%.
    #[serde(default)]
    probe_share: Option<Percent>,
    /// Whether the server closes the connection after each answer, default false.
    #[serde(default)]
    close_after_answer: bool,
    /// What an answer with another unit id than the request's is, default "refuse"; "accept" only on a line with
    /// one device.
    #[serde(default)]
    unit_mismatch: UnitMismatch,
}

/// A serial device server reached over TCP, which passes RTU frames through.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RtuOverTcpSettings {
    /// Host and port of the server, default port 502.
    endpoint: String,
    /// Longest time until a device begins its reply, default 1s.
    #[serde(default)]
    timeout: Option<Period>,
    /// Longest time to establish the connection, default 5s.
    #[serde(default)]
    connect_timeout: Option<Period>,
    /// Pause between opening the line and the first request, default 0s.
    #[serde(default)]
    connect_delay: Option<Period>,
    /// Silence between two frames, in addition to what the standard requires; default 0s.
    #[serde(default)]
    frame_gap: Option<Period>,
    /// Share of the line's time that may be spent on devices that do not answer, default 5%.
    #[serde(default)]
    probe_share: Option<Percent>,
    /// Whether the server closes the connection after each answer, default false.
    #[serde(default)]
    close_after_answer: bool,
    /// Whether the server sends back what is sent, default false. Echoes are dropped in any case.
    #[serde(default)]
    echo: bool,
}

/// A serial port with RS-485 devices.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RtuSettings {
    /// The port, best by its stable name below /dev/serial/by-id/.
    port: String,
    /// Bits per second, 1200 to 230400, default 9600.
    #[serde(default)]
    baud: Option<u32>,
    /// Parity: none, even or odd; default none.
    #[serde(default)]
    parity: Option<ParityWord>,
    /// Stop bits, 1 or 2, default 1.
    #[serde(default)]
    stop_bits: Option<u8>,
    /// Longest time until a device begins its reply, default 1s.
    #[serde(default)]
    timeout: Option<Period>,
    /// Pause between opening the line and the first request, default 0s.
    #[serde(default)]
    connect_delay: Option<Period>,
    /// Silence between two frames, in addition to what the standard requires; default 0s.
    #[serde(default)]
    frame_gap: Option<Period>,
    /// Share of the line's time that may be spent on devices that do not answer, default 5%.
    #[serde(default)]
    probe_share: Option<Percent>,
    /// Whether the adapter sends back what is sent, default false. Echoes are dropped in any case.
    #[serde(default)]
    echo: bool,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum ParityWord {
    None,
    Even,
    Odd,
}

/// What an answer with another unit id is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum UnitMismatch {
    #[default]
    Refuse,
    Accept,
}

/// A share such as "5%".
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Percent(u8);

impl TryFrom<String> for Percent {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let number = text.strip_suffix('%').and_then(|n| n.parse().ok());
        number
            .filter(|n| (1..=50).contains(n))
            .map(Self)
            .ok_or_else(|| format!("{text:?} is not a share from \"1%\" to \"50%\""))
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "string", "pattern": "^([1-9]|[1-4][0-9]|50)%$", "examples": ["5%"]})
    }

    fn inline_schema() -> bool {
        true
    }
}

/// Parses the settings of one transport and adds problems to the list.
type ReadMedium = fn(&RawLine, &mut Vec<Problem>) -> Option<(Medium, Common)>;

/// A Modbus transport: TCP, RTU, or RTU over TCP.
pub struct Modbus {
    kind: &'static str,
    summary: &'static str,
    schema: fn() -> Schema,
    medium: ReadMedium,
}

/// Settings that every transport has.
struct Common {
    timeout: Option<Period>,
    connect_timeout: Option<Period>,
    connect_delay: Option<Period>,
    frame_gap: Option<Period>,
    probe_share: Option<Percent>,
    tolerance: Tolerance,
}

/// Modbus TCP.
pub static TCP: Modbus = Modbus {
    kind: "modbus_tcp",
    summary: "Modbus TCP: a server or a gateway to several units",
    schema: || schema_for!(TcpSettings),
    medium: tcp,
};

/// Modbus RTU.
pub static RTU: Modbus = Modbus {
    kind: "modbus_rtu",
    summary: "Modbus RTU: RS-485 devices on a serial port",
    schema: || schema_for!(RtuSettings),
    medium: rtu,
};

/// Modbus RTU frames over TCP.
pub static RTU_OVER_TCP: Modbus = Modbus {
    kind: "modbus_rtu_over_tcp",
    summary: "Modbus RTU frames through a serial device server",
    schema: || schema_for!(RtuOverTcpSettings),
    medium: rtu_over_tcp,
};

// === impl Modbus ===

impl Protocol for Modbus {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn summary(&self) -> &'static str {
        self.summary
    }

    fn schema(&self) -> Schema {
        (self.schema)()
    }

    fn plan(
        &self,
        line: &RawLine,
        devices: &[RawDevice],
        profiles: &ProfileSet,
    ) -> Result<Arc<dyn CheckedLine>, Vec<Problem>> {
        let mut problems = Vec::new();
        let medium = (self.medium)(line, &mut problems);
        // Devices on TCP often take 0 or 255 (Modbus Messaging on TCP/IP V1.0b, 4.4.2.2).
        let units = if matches!(medium, Some((Medium::Tcp { .. }, _))) { 0..=255 } else { 1..=247 };
        if devices.len() > 1 && medium.as_ref().is_some_and(|(_, common)| common.tolerance.other_unit) {
            let message = "\"accept\" is for a server with one device: of two nobody could say who answers";
            problems.push(problem("unit_mismatch", message));
        }
        let timeout = medium.as_ref().and_then(|(_, common)| common.timeout).unwrap_or(Period::from_secs(1));
        check_period(&mut problems, "timeout", timeout.0, Duration::from_millis(10), Duration::from_secs(20));
        let planned: Vec<DevicePlan> = devices
            .iter()
            .enumerate()
            .filter_map(|(index, device)| {
                plan_device(index, device, devices, &units, timeout.0, profiles, &mut problems)
            })
            .collect();
        // A device whose profile has problems of its own has none beside them.
        let is_whole = problems.is_empty() && planned.len() == devices.len();
        let (Some((medium, common)), true) = (medium, is_whole) else { return Err(problems) };
        let timing = Timing {
            connect_timeout: common.connect_timeout.unwrap_or(Period::from_secs(5)).0,
            connect_delay: common.connect_delay.unwrap_or(Period::from_millis(0)).0,
            frame_gap: common.frame_gap.unwrap_or(Period::from_millis(0)).0,
            probe_share_percent: common.probe_share.unwrap_or(Percent(5)).0,
            tolerance: common.tolerance,
        };
        let layouts = planned.iter().map(|device| Arc::clone(&device.layout)).collect();
        let plan = ModbusPlan { line: line.id.clone(), medium, timing, devices: planned, layouts };
        let over = overload(&plan);
        if over.is_empty() { Ok(Arc::new(plan)) } else { Err(over) }
    }
}

fn problem(key: &str, message: impl Into<String>) -> Problem {
    Problem { device: None, key: key.to_owned(), message: message.into() }
}

fn check_period(problems: &mut Vec<Problem>, key: &str, period: Duration, low: Duration, high: Duration) {
    if period < low || period > high {
        let (low, high) = (duration::format(low), duration::format(high));
        problems.push(problem(key, format!("{} is not between {low} and {high}", duration::format(period))));
    }
}

fn settings<T: for<'de> Deserialize<'de>>(line: &RawLine, problems: &mut Vec<Problem>) -> Option<T> {
    match T::deserialize(line.settings.clone()) {
        Ok(settings) => Some(settings),
        Err(error) => {
            problems.push(problem("", error.message().to_owned()));
            None
        }
    }
}

fn tcp(line: &RawLine, problems: &mut Vec<Problem>) -> Option<(Medium, Common)> {
    let settings: TcpSettings = settings(line, problems)?;
    let common = Common {
        timeout: settings.timeout,
        connect_timeout: settings.connect_timeout,
        connect_delay: settings.connect_delay,
        frame_gap: settings.frame_gap,
        probe_share: settings.probe_share,
        tolerance: Tolerance {
            close_after_answer: settings.close_after_answer,
            other_unit: settings.unit_mismatch == UnitMismatch::Accept,
            echo: false,
        },
    };
    let (host, port) = server(&settings.endpoint, problems)?;
    Some((Medium::Tcp { host, port }, common))
}

fn rtu_over_tcp(line: &RawLine, problems: &mut Vec<Problem>) -> Option<(Medium, Common)> {
    let settings: RtuOverTcpSettings = settings(line, problems)?;
    let common = Common {
        timeout: settings.timeout,
        connect_timeout: settings.connect_timeout,
        connect_delay: settings.connect_delay,
        frame_gap: settings.frame_gap,
        probe_share: settings.probe_share,
        tolerance: Tolerance {
            close_after_answer: settings.close_after_answer,
            other_unit: false,
            echo: settings.echo,
        },
    };
    let (host, port) = server(&settings.endpoint, problems)?;
    Some((Medium::RtuOverTcp { host, port }, common))
}

/// Host and port of an `endpoint`.
fn server(text: &str, problems: &mut Vec<Problem>) -> Option<(String, u16)> {
    let found = endpoint(text);
    if found.is_none() {
        problems.push(problem("endpoint", format!("{text:?} is not host:port, such as \"192.0.2.10:502\"")));
    }
    found
}

fn endpoint(text: &str) -> Option<(String, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.starts_with('[') => (host, port.parse().ok()?),
        Some(_) => return None,
        None => (text, 502),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let fine = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    (!host.is_empty() && host.chars().all(fine) && port != 0).then(|| (host.to_owned(), port))
}

fn rtu(line: &RawLine, problems: &mut Vec<Problem>) -> Option<(Medium, Common)> {
    let settings: RtuSettings = settings(line, problems)?;
    let baud = settings.baud.unwrap_or(9600);
    problems.extend(baud_problem(baud).map(|message| problem("baud", message)));
    let stop_bits = settings.stop_bits.unwrap_or(1);
    if !(1..=2).contains(&stop_bits) {
        problems.push(problem("stop_bits", format!("{stop_bits} is not 1 or 2")));
    }
    problems.extend(path_problem(&settings.port).map(|message| problem("port", message)));
    let parity = match settings.parity.unwrap_or(ParityWord::None) {
        ParityWord::None => Parity::None,
        ParityWord::Even => Parity::Even,
        ParityWord::Odd => Parity::Odd,
    };
    let common = Common {
        timeout: settings.timeout,
        connect_timeout: None,
        connect_delay: settings.connect_delay,
        frame_gap: settings.frame_gap,
        probe_share: settings.probe_share,
        tolerance: Tolerance { echo: settings.echo, ..Tolerance::default() },
    };
    Some((Medium::Rtu(Serial { path: settings.port, baud, parity, stop_bits }), common))
}

fn plan_device(
    index: usize,
    device: &RawDevice,
    all: &[RawDevice],
    units: &RangeInclusive<i64>,
    timeout: Duration,
    profiles: &ProfileSet,
    problems: &mut Vec<Problem>,
) -> Option<DevicePlan> {
    let before = problems.len();
    problems.extend(crate::plan::foreign(index, device, &["unit", "serial"]).err().unwrap_or_default());
    let mut wrong = |key: &str, message: String| {
        problems.push(Problem { device: Some(index), key: key.to_owned(), message })
    };
    match device.unit {
        None => wrong("unit", "is missing: a Modbus device needs its unit id".to_owned()),
        Some(0) if !units.contains(&0) => {
            wrong("unit", "0 is the broadcast address, which nobody answers; use 1 to 247".to_owned());
        }
        Some(unit) if !units.contains(&unit) => {
            wrong("unit", format!("{unit} is not {} to {}", units.start(), units.end()));
        }
        Some(unit) => {
            if let Some(twin) = all[..index].iter().find(|other| other.unit == Some(unit)) {
                wrong("unit", format!("{unit} is already {}'s on this line", twin.id));
            }
        }
    }
    if device.poll < SHORTEST_POLL {
        let (poll, least) = (duration::format(device.poll), duration::format(SHORTEST_POLL));
        wrong("poll", format!("{poll} is too short, at least {least}"));
    }
    if profiles.is_broken(&device.profile) {
        return None;
    }
    let Some(profile) = profiles.find(&device.profile) else {
        let nearest =
            profiles.nearest(&device.profile).map(|n| format!("did you mean {n:?}? ")).unwrap_or_default();
        wrong("profile", format!("there is no {:?}; {nearest}`linli devices` lists all", device.profile));
        return None;
    };
    let serial = serial(device, &profile).unwrap_or_else(|why| {
        wrong("serial", why);
        None
    });
    if problems.len() > before {
        return None;
    }
    let layout = Layout {
        device: device.id.clone(),
        name: device.name.clone(),
        room: device.room.clone(),
        class: device.class,
        profile: device.profile.clone(),
        points: profile.points(),
    };
    let blocks = planner::plan(&profile);
    Some(DevicePlan {
        layout: Arc::new(layout),
        unit: u8::try_from(device.unit?).ok()?,
        poll: device.poll,
        timeout,
        request_gap: profile.limits.request_gap,
        serial,
        blocks,
        profile,
    })
}

/// The serial number that the device must have, hexadecimal as on its label.
fn serial(device: &RawDevice, profile: &Profile) -> Result<Option<u64>, String> {
    let Some(text) = &device.serial else { return Ok(None) };
    if !profile.tells_serial() {
        return Err(format!("{} tells no serial number; leave it out", profile.name()));
    }
    u64::from_str_radix(text, 16)
        .map(Some)
        .map_err(|_| format!("{text:?} is not a serial number: up to 16 hexadecimal digits, as on the label"))
}

/// Returns a problem when the polls exceed the capacity of a serial line, with a period that fits.
fn overload(plan: &ModbusPlan) -> Vec<Problem> {
    let Some(budget) = budget::of(plan).filter(|budget| budget.share > 1.0) else { return Vec::new() };
    let slowest = plan.devices.iter().map(|d| d.poll).min().unwrap_or_default();
    let fits = Duration::from_secs_f64(slowest.as_secs_f64() * budget.share / 0.9).as_secs() + 1;
    let message = format!(
        "polling takes {:.0} % of this line's time ({:.0} ms to read every device once): poll slower (\"{fits}s\" would fit), \
         raise the baud rate, or use a second line",
        budget.share * 100.0,
        budget.cycle.as_secs_f64() * 1000.0
    );
    vec![problem("", message)]
}

// === impl ModbusPlan ===

impl CheckedLine for ModbusPlan {
    fn line(&self) -> &Id {
        &self.line
    }

    fn layouts(&self) -> &[Arc<Layout>] {
        &self.layouts
    }

    fn budget(&self) -> Option<Budget> {
        budget::of(self)
    }

    fn is_observable(&self) -> bool {
        true
    }

    fn exclusive(&self) -> Option<(&'static str, String)> {
        match &self.medium {
            Medium::Rtu(_) => Some(("port", self.medium.far_end().to_string())),
            Medium::RtuOverTcp { .. } => Some(("endpoint", self.medium.far_end().to_string())),
            Medium::Tcp { .. } => None,
        }
    }

    fn reaches(&self) -> Vec<Reach> {
        self.devices.iter().enumerate().flat_map(|(device, plan)| self.reaches_of(device, plan)).collect()
    }

    fn wiring(&self, device: usize, point: u16) -> String {
        let found = self
            .devices
            .get(device)
            .and_then(|plan| Some((plan, plan.profile.points.get(usize::from(point))?)));
        let Some((plan, point)) = found else { return String::new() };
        let Span { table, start, count } = point.span;
        let bit = match point.codec.kind {
            Kind::Bit(bit) => format!(" bit {bit}"),
            _ => String::new(),
        };
        // A port as it is written: where its link leads may be another name after the adapter was plugged in again.
        let end = match &self.medium {
            Medium::Rtu(serial) => serial.path.clone(),
            medium => medium.far_end().to_string(),
        };
        let (unit, table) = (plan.unit, table.as_str());
        format!("{end} unit {unit} {table} {start}+{count}{bit}")
    }

    fn accepts(&self, device: usize, point: u16, value: &Value) -> Result<(), String> {
        self.devices
            .get(device)
            .map_or_else(|| Err("there is no such device".to_owned()), |d| d.accepts(point, value))
    }

    fn warnings(&self) -> Vec<String> {
        let named = |profile: &Profile| {
            let name = profile.name().to_owned();
            profile
                .warnings()
                .iter()
                .map(move |warning| format!("profile {name}: {warning}"))
                .collect::<Vec<_>>()
        };
        // Once for each profile, however many devices have it.
        let found: BTreeSet<String> = self.devices.iter().flat_map(|device| named(&device.profile)).collect();
        found.into_iter().collect()
    }

    fn check_polls(&self, poll_overrides: &BTreeMap<Id, Duration>) -> Result<(), Problem> {
        let mut plan = self.clone();
        for (index, device) in plan.devices.iter_mut().enumerate() {
            let Some(poll) = poll_overrides.get(&device.layout.device) else { continue };
            if *poll < SHORTEST_POLL {
                let (poll, least) = (duration::format(*poll), duration::format(SHORTEST_POLL));
                let message = format!("{poll} is too short, at least {least}");
                return Err(Problem { device: Some(index), key: "poll".to_owned(), message });
            }
            device.poll = device.poll.min(*poll);
        }
        overload(&plan).into_iter().next().map_or(Ok(()), Err)
    }

    fn same_as(&self, other: &dyn CheckedLine) -> bool {
        other.as_any().downcast_ref::<Self>().is_some_and(|other| self == other)
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn run(self: Arc<Self>, context: LineContext) -> BoxFuture<'static, Result<(), LineFault>> {
        Box::pin(task::run(self, context))
    }
}
