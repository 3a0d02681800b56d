//! `kind = "snmp"`: printers (RFC 3805 Printer-MIB) and hosts (RFC 2790 Host-Resources) by SNMP v2c.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use linli_domain::{Reason, Value, timezone};
use schemars::JsonSchema;
use serde::Deserialize;
use snmp2::{AsyncSession, Oid};
use tokio::time::Instant;

use super::printer::{self, Printer};
use super::turn::{self, Answer};
use crate::line::LineContext;
use crate::plan::{self, Checked, Plan, Row, Work, problem};
use crate::points::{self, Point, number};
use crate::protocol::RawDevice;
use crate::publisher::PointResult;

/// Time limit for one request, with its repetition.
const PATIENCE: Duration = Duration::from_secs(2);

/// A datagram may be lost: a request without an answer is sent once more after this time.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Most rows of a table that are read.
const MOST_ROWS: usize = 64;

const UPTIME: &[u64] = &[1, 3, 6, 1, 2, 1, 1, 3, 0];
const DEVICE_STATUS: &[u64] = &[1, 3, 6, 1, 2, 1, 25, 3, 2, 1, 5];
const PROCESSOR_LOAD: &[u64] = &[1, 3, 6, 1, 2, 1, 25, 3, 3, 1, 2];
const PRINTER_STATUS: &[u64] = &[1, 3, 6, 1, 2, 1, 25, 3, 5, 1, 1];
const PRINTER_ERRORS: &[u64] = &[1, 3, 6, 1, 2, 1, 25, 3, 5, 1, 2];
const STORAGE_TYPE: &[u64] = &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 2];
const STORAGE_SIZE: &[u64] = &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 5];
const STORAGE_USED: &[u64] = &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1, 6];
const SUPPLY_CLASS: &[u64] = &[1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 4];
const SUPPLY_TYPE: &[u64] = &[1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 5];
const SUPPLY_MAX: &[u64] = &[1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 8];
const SUPPLY_LEVEL: &[u64] = &[1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9];

/// Object id of `hrStorageFixedDisk`.
const FIXED_DISK: &[u64] = &[1, 3, 6, 1, 2, 1, 25, 2, 1, 4];

/// `receptacleThatIsFilled` of `prtMarkerSuppliesClass`: a container for waste, whose level is the room left in it.
const RECEPTACLE: i64 = 4;

/// `wasteToner`, `wasteInk`, `wasteWax`, `wasteWater` and `wastePaper` of `prtMarkerSuppliesType`, for agents that
/// give these the class of supplies.
const WASTE: [i64; 5] = [4, 8, 14, 24, 26];

/// `running` of `hrDeviceStatus`.
const RUNNING: i64 = 2;

pub(crate) const UP: Point = number("uptime", "s", "since its agent started");

/// Points of a host.
pub(crate) static HOST: [Point; 3] = [
    UP,
    number("load", "%", "of its processors, on average"),
    number("disk_free", "%", "of its fullest disk"),
];

/// A printer or a host that speaks SNMP.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSettings {
    /// Host and port of the device, such as "192.0.2.7" or "192.0.2.7:161"; default port 161.
    host: String,
    /// Reference to the SNMP community, "file:…" or "env:…"; without it "public".
    #[serde(default)]
    community: Option<String>,
}

/// The kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Printer,
    Host,
}

/// Checked settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    host: String,
    community: String,
    what: What,
    poll: Duration,
}

/// A printer or a host that answers SNMP v2c.
pub(crate) struct Snmp;

// === impl Snmp ===

impl Row for Snmp {
    type Settings = RawSettings;
    type Work = Settings;
    const KIND: &'static str = "snmp";
    const SUMMARY: &'static str = "A printer or a kiosk's computer, by SNMP v2c";
    const SECRETS: &'static [&'static str] = &["community"];

    fn check(raw: RawSettings, devices: &[RawDevice], _: &timezone::Zone) -> Checked<Settings> {
        let Some((name, port)) = plan::host_port(&raw.host, 161) else {
            let message = format!("{:?} is not a host such as \"192.0.2.7\" or \"192.0.2.7:161\"", raw.host);
            return Err(problem(None, "host", message));
        };
        let device = plan::only(devices)?;
        let (what, points) = match device.profile.as_str() {
            "snmp/printer" => {
                (What::Printer, [points::specs(printer::POINTS), points::specs(&[UP])].concat())
            }
            "snmp/host" => (What::Host, points::specs(&HOST)),
            _ => return Err(plan::no_profile(0, device, &["snmp/printer", "snmp/host"])),
        };
        let community = raw.community.unwrap_or_else(|| "public".to_owned());
        let work = Settings { host: format!("{name}:{port}"), community, what, poll: device.poll };
        Ok((vec![plan::layout(device, points)], work))
    }
}

// === impl Settings ===

impl Work for Settings {
    fn is_polled(&self) -> bool {
        true
    }

    async fn run(plan: Arc<Plan<Self>>, context: LineContext) {
        let (number, is_old) = (AtomicI32::new(1), Arc::new(AtomicBool::new(false)));
        turn::take(&plan, context, plan.work.poll, || {
            let (settings, is_old) = (plan.work.clone(), Arc::clone(&is_old));
            let first = number.fetch_add(1000, Ordering::Relaxed) & i32::MAX;
            // Boxed, because its buffers are large.
            Box::pin(async move { ask(&settings, first, &is_old).await })
        })
        .await;
    }
}

/// One round of requests. Each round has its own socket, so that late answers are discarded. A device that does not
/// answer version 2c is asked in version 1; `is_old` keeps which version it answered last.
async fn ask(settings: &Settings, first: i32, is_old: &AtomicBool) -> Answer {
    let versions = match is_old.load(Ordering::Relaxed) {
        true => [Version::V1, Version::V2c],
        false => [Version::V2c, Version::V1],
    };
    match round(settings, versions[0], first).await {
        Err((Reason::Silent, why)) => {
            let other = round(settings, versions[1], first.wrapping_add(500) & i32::MAX).await;
            if other.is_ok() {
                is_old.store(versions[1] == Version::V1, Ordering::Relaxed);
            }
            other.map_err(|(reason, _)| (reason, why))
        }
        answer => answer,
    }
}

/// The version of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    V2c,
}

async fn round(settings: &Settings, version: Version, first: i32) -> Answer {
    let mut agent = Agent { settings, version, session: open(settings, version, first).await?, next: first };
    let up = agent.own(UPTIME).await?.map(|rows| rows.first().and_then(|(_, cell)| cell.number()));
    #[expect(clippy::cast_precision_loss, reason = "hundredths of a second since the start")]
    let up: PointResult = up.and_then(|ticks| {
        let seconds = ticks.and_then(|ticks| Value::float(ticks as f64 / 100.0));
        seconds.ok_or(Reason::NotThere)
    });
    match settings.what {
        What::Printer => {
            let mut values = agent.printer().await?;
            values.push((u16::try_from(printer::POINTS.len()).unwrap_or(u16::MAX), up));
            Ok(values)
        }
        What::Host => {
            let load = agent.load().await?;
            let free = agent.disk_free().await?;
            Ok(vec![(0, up), (1, load), (2, free)])
        }
    }
}

/// The rows of a column; none when the agent does not have it.
type Rows = Vec<(Vec<u64>, Cell)>;

/// A column of one point, or why that point has no value; the outer error is the device's.
type Own = Result<Result<Rows, Reason>, (Reason, String)>;

fn result(value: Option<f64>) -> PointResult {
    value.and_then(Value::float).ok_or(Reason::NotThere)
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Cell {
    Number(i64),
    Octets(Vec<u8>),
    Object(Vec<u64>),
}

/// A session with the SNMP agent of a device.
struct Agent<'s> {
    settings: &'s Settings,
    version: Version,
    session: Box<AsyncSession>,
    /// Number of the first request of this session.
    next: i32,
}

async fn open(
    settings: &Settings,
    version: Version,
    first: i32,
) -> Result<Box<AsyncSession>, (Reason, String)> {
    let community = settings.community.as_bytes();
    let opened = match version {
        Version::V1 => AsyncSession::new_v1(&settings.host, community, first).await,
        Version::V2c => AsyncSession::new_v2c(&settings.host, community, first).await,
    };
    opened.map(Box::new).map_err(|error| (Reason::LineDown, error.to_string()))
}

// === impl Cell ===

impl Cell {
    fn of(value: &snmp2::Value<'_>) -> Option<Self> {
        Some(match value {
            snmp2::Value::Integer(number) => Self::Number(*number),
            snmp2::Value::Counter32(n) | snmp2::Value::Unsigned32(n) | snmp2::Value::Timeticks(n) => {
                Self::Number(i64::from(*n))
            }
            snmp2::Value::Counter64(number) => Self::Number(i64::try_from(*number).ok()?),
            snmp2::Value::OctetString(octets) => Self::Octets(octets.to_vec()),
            snmp2::Value::ObjectIdentifier(object) => Self::Object(object.iter()?.collect()),
            _ => return None,
        })
    }

    /// The number of a row of storage: agents write more than 2^31 blocks as a negative `Integer32`.
    fn unsigned(self) -> Self {
        match self {
            Self::Number(number) if (i64::from(i32::MIN)..0).contains(&number) => {
                Self::Number(number + (1 << 32))
            }
            cell => cell,
        }
    }

    const fn number(&self) -> Option<i64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }
}

// === impl Agent ===

impl Agent<'_> {
    /// Reads a column that a single point needs: what is wrong with the column is that point's alone, while silence
    /// is the device's.
    async fn own(&mut self, column: &[u64]) -> Own {
        match self.column(column).await {
            Ok(rows) => Ok(Ok(rows)),
            Err((Reason::Silent, why)) => Err((Reason::Silent, why)),
            Err((reason, why)) => {
                tracing::debug!(?column, ?reason, why, "a column cannot be read");
                Ok(Err(reason))
            }
        }
    }

    /// Reads a column: the index and value of each row. A scalar is a column of one row. A row whose value is of no
    /// use is left out.
    async fn column(&mut self, column: &[u64]) -> Result<Rows, (Reason, String)> {
        let (prefix, mut at) = match column.split_last() {
            Some((0, object)) => (object.to_vec(), object.to_vec()),
            _ => (column.to_vec(), column.to_vec()),
        };
        let mut rows = Vec::new();
        for _ in 0..MOST_ROWS {
            let Some((next, cell)) = self.row_after(&at).await? else { break };
            let Some(rest) = next.strip_prefix(prefix.as_slice()) else { break };
            // An agent that repeats an object would cause an endless loop.
            if next <= at {
                return Err((Reason::Garbled, "its table does not go on".to_owned()));
            }
            rows.extend(cell.map(|cell| (rest.to_vec(), cell)));
            at = next;
        }
        Ok(rows)
    }

    /// Reads the object after a name; none at the end of the view. A request without an answer is sent once more, from
    /// another port, so that a late answer is nobody's.
    async fn row_after(&mut self, at: &[u64]) -> Result<Option<(Vec<u64>, Option<Cell>)>, (Reason, String)> {
        let until = Instant::now() + PATIENCE;
        loop {
            let name = Oid::from(at).map_err(|_| (Reason::Garbled, "no name to ask for".to_owned()))?;
            let patience = AGAIN_AFTER.min(until.saturating_duration_since(Instant::now()));
            match tokio::time::timeout(patience, self.session.getnext(&name)).await {
                Err(_) if Instant::now() < until => {}
                // A datagram may also come twice.
                Ok(Err(snmp2::Error::RequestIdMismatch)) if Instant::now() < until => {}
                Err(_) => return Err((Reason::Silent, "no answer; is the community right?".to_owned())),
                Ok(Ok(pdu)) => return Ok(first_of(&pdu)),
                Ok(Err(snmp2::Error::Receive | snmp2::Error::Send)) => {
                    return Err((Reason::Silent, "nobody listens there".to_owned()));
                }
                Ok(Err(snmp2::Error::UnsupportedVersion)) => {
                    return Err((Reason::Silent, "it answers in another version".to_owned()));
                }
                Ok(Err(error)) => return Err((Reason::Garbled, format!("{error:?}"))),
            }
            self.next = self.next.wrapping_add(100) & i32::MAX;
            self.session = open(self.settings, self.version, self.next).await?;
        }
    }

    async fn printer(&mut self) -> Answer {
        let printing = self.own(PRINTER_STATUS).await?;
        let errors = self.own(PRINTER_ERRORS).await?;
        let devices = self.own(DEVICE_STATUS).await?.unwrap_or_default();
        let supplies = self.supplies().await?;
        let of = |rows: &Result<Rows, Reason>| rows.as_ref().ok().and_then(|rows| rows.first().cloned());
        let row = of(&printing).or_else(|| of(&errors)).map(|(row, _)| row);
        if row.is_none() && supplies == Err(Reason::NotThere) {
            return Err((Reason::Refused, "it has no printer: RFC 3805 is not spoken here".to_owned()));
        }
        let at =
            |rows: &Rows| rows.iter().find(|(at, _)| Some(at) == row.as_ref()).map(|(_, cell)| cell.clone());
        let device = at(&devices).and_then(|cell| cell.number()).unwrap_or(1);
        let state = printing.as_ref().ok().and_then(at).and_then(|cell| cell.number());
        // Agents leave out octets of zeros at the end. Without any octet nothing is wrong only if the device runs.
        let octets = match errors.as_ref().ok().and_then(at) {
            Some(Cell::Octets(octets)) if !octets.is_empty() || device == RUNNING => Some(octets),
            _ => None,
        };
        let mut found = Printer::of_snmp(device, state.unwrap_or(2), octets.as_deref().unwrap_or_default());
        found.tells_errors = octets.is_some();
        let mut values = found.values();
        let missing = |rows: &Result<Rows, Reason>| match rows {
            Err(reason) => *reason,
            Ok(rows) if rows.is_empty() => Reason::NotThere,
            Ok(_) => Reason::NoValue,
        };
        for (point, value) in &mut values {
            match printer::POINTS[usize::from(*point)].name {
                "supplies" => *value = supplies.clone(),
                "printer" if state.is_none() => *value = Err(missing(&printing)),
                "paper" | "toner" | "jam" | "cover_open" | "detail" if octets.is_none() => {
                    *value = Err(missing(&errors));
                }
                _ => {}
            }
        }
        Ok(values)
    }

    /// Returns the lowest supply level. Negative levels are "other", "unknown" and "some remaining" (RFC 3805).
    async fn supplies(&mut self) -> Result<PointResult, (Reason, String)> {
        let mut levels = match self.own(SUPPLY_LEVEL).await? {
            Ok(levels) if levels.is_empty() => return Ok(Err(Reason::NotThere)),
            Ok(levels) => levels,
            Err(reason) => return Ok(Err(reason)),
        };
        let most = self.own(SUPPLY_MAX).await?.unwrap_or_default();
        let classes = self.own(SUPPLY_CLASS).await?.unwrap_or_default();
        let types = self.own(SUPPLY_TYPE).await?.unwrap_or_default();
        let of = |rows: &Rows, row: &Vec<u64>| {
            rows.iter().find(|(at, _)| at == row).and_then(|(_, cell)| cell.number())
        };
        levels.retain(|(row, _)| {
            of(&classes, row) != Some(RECEPTACLE)
                && !of(&types, row).is_some_and(|kind| WASTE.contains(&kind))
        });
        Ok(lowest(&levels, &most, fill).and_then(Value::float).ok_or(Reason::NoValue))
    }

    async fn load(&mut self) -> Result<PointResult, (Reason, String)> {
        let loads = match self.own(PROCESSOR_LOAD).await? {
            Ok(loads) => loads,
            Err(reason) => return Ok(Err(reason)),
        };
        let loads = loads.iter().filter_map(|(_, cell)| cell.number());
        let loads: Vec<i64> = loads.filter(|load| (0..=100).contains(load)).collect();
        let count = i32::try_from(loads.len()).unwrap_or(i32::MAX);
        let sum = i32::try_from(loads.iter().sum::<i64>()).unwrap_or(i32::MAX);
        Ok(result((count > 0).then(|| f64::from(sum) / f64::from(count))))
    }

    async fn disk_free(&mut self) -> Result<PointResult, (Reason, String)> {
        let (kinds, used, sizes) =
            (self.own(STORAGE_TYPE).await?, self.own(STORAGE_USED).await?, self.own(STORAGE_SIZE).await?);
        let (kinds, used, sizes) = match (kinds, used, sizes) {
            (Ok(kinds), Ok(used), Ok(sizes)) => (kinds, used, sizes),
            (Err(reason), ..) | (_, Err(reason), _) | (.., Err(reason)) => return Ok(Err(reason)),
        };
        let unsigned =
            |rows: Rows| rows.into_iter().map(|(row, cell)| (row, cell.unsigned())).collect::<Rows>();
        let (mut used, sizes) = (unsigned(used), unsigned(sizes));
        used.retain(|(at, _)| {
            kinds.iter().any(|(row, kind)| row == at && *kind == Cell::Object(FIXED_DISK.to_vec()))
        });
        Ok(result(lowest(&used, &sizes, |used, size| Some((1.0 - used / size).max(0.0)))))
    }
}

/// The first object of an answer, with its value if that is of a type that is read; none at the end of the view, which
/// version 1 says with `noSuchName` (RFC 1157, 4.1.3).
fn first_of(pdu: &snmp2::Pdu<'_>) -> Option<(Vec<u64>, Option<Cell>)> {
    if pdu.error_status != 0 {
        return None;
    }
    let (name, value) = pdu.varbinds.clone().next()?;
    let is_end = matches!(
        value,
        snmp2::Value::EndOfMibView | snmp2::Value::NoSuchObject | snmp2::Value::NoSuchInstance
    );
    if is_end {
        return None;
    }
    // Without a name it is no object: its numbers do not fit 64 bits.
    let name: Vec<u64> = name.iter()?.collect();
    (!name.is_empty()).then(|| (name, Cell::of(&value)))
}

/// The name of the first object in the bytes of an answer, for tests of whatever bytes; none where it has no object.
#[must_use]
pub fn named(answer: &[u8]) -> Option<Vec<u64>> {
    first_of(&snmp2::Pdu::from_bytes(answer).ok()?).map(|(name, _)| name)
}

/// The share of a supply that is left; a level above its capacity says nothing.
fn fill(level: f64, capacity: f64) -> Option<f64> {
    (level <= capacity).then_some(level / capacity)
}

/// Returns the lowest free share of all rows, in per cent.
fn lowest(
    parts: &[(Vec<u64>, Cell)],
    wholes: &[(Vec<u64>, Cell)],
    share: impl Fn(f64, f64) -> Option<f64>,
) -> Option<f64> {
    let of = |(row, part): &(Vec<u64>, Cell)| {
        let whole = wholes.iter().find(|(at, _)| at == row)?.1.number().filter(|whole| *whole > 0)?;
        let part = part.number().filter(|part| *part >= 0)?;
        #[expect(clippy::cast_precision_loss, reason = "a share of 32-bit counts")]
        let share = share(part as f64, whole as f64)?;
        Some(share * 100.0)
    };
    parts.iter().filter_map(of).min_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_disks_are_not_negative() {
        let size = Cell::Number(-2_147_483_648 + 10).unsigned();
        assert_eq!(size, Cell::Number(2_147_483_658));
        assert_eq!(Cell::Number(7).unsigned(), Cell::Number(7));
    }

    #[test]
    fn the_emptiest_supply_counts_and_unknown_ones_do_not() {
        let rows = |values: &[i64]| {
            (1..).zip(values).map(|(row, value)| (vec![1, row], Cell::Number(*value))).collect::<Vec<_>>()
        };
        assert_eq!(lowest(&rows(&[50, -3, 20]), &rows(&[100, 100, 200]), fill), Some(10.0));
        assert_eq!(lowest(&rows(&[-2]), &rows(&[100]), fill), None);
        assert_eq!(lowest(&rows(&[5]), &rows(&[-2]), fill), None);
        assert_eq!(lowest(&rows(&[250, 90]), &rows(&[100, 100]), fill), Some(90.0), "more than it can hold");
    }
}
