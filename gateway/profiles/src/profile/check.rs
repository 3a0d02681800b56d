//! From the profile as written to one that cannot be wrong; all problems at once.

use std::collections::BTreeSet;
use std::time::Duration;

use linli_domain::{Id, PointSpec, ValueType};

use super::identity::Check;
use super::naming::{self, Origin};
use super::raw::{RawIdentify, RawKind, RawLimits, RawPoint, RawProfile, RawSerial};
use super::vectors::{check_vector, vectors_hold};
use super::{Identity, Limits, Point, Profile, QualityRule, WriteRule};
use crate::codec::{Codec, Kind, Order, Scale};
use crate::data::{Span, Table};

/// A device with more is not a device but a system; and a sample numbers points by 16 bits.
const MOST_POINTS: usize = 2000;

/// Registers after a value among which the one with its quality may be.
const FARTHEST_QUALITY: u16 = 8;

/// Longest text in registers.
const LONGEST_TEXT: u16 = 64;

/// An output that must be written more often than this needs a device that holds it itself.
const SHORTEST_REFRESH: Duration = Duration::from_secs(1);

type Problems = Vec<String>;

/// Checks a profile completely. The vectors are run too. `file` is relative to the folder of profiles.
pub(super) fn check(raw: &RawProfile, file: &str, origin: Origin) -> Result<Profile, Problems> {
    let mut problems = Vec::new();
    let (folder, stem) = naming::of_file(file);
    let vendor = naming::text("vendor", raw.vendor.as_ref(), folder.unwrap_or("site"), origin, &mut problems);
    let model = naming::text("model", raw.model.as_ref(), stem, origin, &mut problems);
    let name = format!("{vendor}/{model}");
    for (key, text) in [("vendor", &vendor), ("model", &model)] {
        if let Err(error) = Id::new(text) {
            problems.push(format!("{key} {text:?} {error}"));
        }
    }
    if (folder.is_some() || origin == Origin::BuiltIn) && file != format!("{name}.toml") {
        problems.push(format!("a profile for {name} belongs into the file {name}.toml"));
    }
    let title = naming::text("title", raw.title.as_ref(), &name, origin, &mut problems);
    let title_zh = naming::text("title_zh", raw.title_zh.as_ref(), &title, origin, &mut problems);
    let source = naming::text("source", raw.source.as_ref(), "-", origin, &mut problems);
    let limits = check_limits(&raw.limits, &mut problems);
    let identity = check_identity(raw, &mut problems);
    let mut warnings = Vec::new();
    let rows = raw.point.iter();
    let mut points: Vec<Point> =
        rows.flat_map(|raw| check_point(raw, origin, &mut warnings, &mut problems)).collect();
    scaled(raw, &limits, &mut points, &mut problems);
    check_together(&points, &limits, &mut problems);
    let mut vectors = Vec::new();
    for (index, test) in raw.test.iter().enumerate() {
        vectors.extend(check_vector(test, index, &points, &mut problems));
    }
    if raw.test.is_empty() && origin == Origin::BuiltIn {
        problems.push("has no [[test]]: add at least one captured reply with its values".to_owned());
    }
    warnings.extend(modicon(&points));
    let profile = Profile { name, title, title_zh, source, limits, identity, points, vectors, warnings };
    if problems.is_empty() {
        problems.extend(vectors_hold(&profile));
    }
    if problems.is_empty() { Ok(profile) } else { Err(problems) }
}

fn check_limits(raw: &RawLimits, problems: &mut Problems) -> Limits {
    if !(1..=125).contains(&raw.block_registers) {
        problems.push(format!("limits.block_registers {} is not 1 to 125", raw.block_registers));
    }
    if !(1..=2000).contains(&raw.block_bits) {
        problems.push(format!("limits.block_bits {} is not 1 to 2000", raw.block_bits));
    }
    Limits {
        block_registers: raw.block_registers.clamp(1, 125),
        block_bits: raw.block_bits.clamp(1, 2000),
        gap_registers: raw.gap_registers,
        request_gap: raw.request_gap.0,
        reply: raw.reply.0,
    }
}

fn check_identity(raw: &RawProfile, problems: &mut Problems) -> Option<Identity> {
    let checks = raw.identify.iter().filter_map(|raw| check_identify(raw, problems)).collect();
    let serial = raw.serial.as_ref().and_then(|raw| check_serial(raw, problems));
    Identity::new(checks, serial).unwrap_or_else(|why| {
        problems.push(why);
        None
    })
}

fn register(
    what: &str,
    input: Option<u16>,
    holding: Option<u16>,
    problems: &mut Problems,
) -> Option<(Table, u16)> {
    match (input, holding) {
        (Some(start), None) => Some((Table::InputRegister, start)),
        (None, Some(start)) => Some((Table::HoldingRegister, start)),
        _ => {
            problems.push(format!("{what} needs exactly one of input, holding"));
            None
        }
    }
}

fn check_serial(raw: &RawSerial, problems: &mut Problems) -> Option<(Span, Codec)> {
    let (table, start) = register("serial", raw.input, raw.holding, problems)?;
    let kind = match raw.kind {
        RawKind::U16 => Kind::U16,
        RawKind::U32 => Kind::U32,
        RawKind::U64 => Kind::U64,
        other => {
            problems.push(format!("serial.type {other:?} is not u16, u32 or u64"));
            return None;
        }
    };
    let scale = Scale::new(1.0, 0.0)?;
    let codec = Codec { kind, order: raw.order, scale, none: Vec::new(), range: None };
    Some((Span { table, start, count: kind.words() }, codec))
}

fn check_identify(raw: &RawIdentify, problems: &mut Problems) -> Option<Check> {
    let (table, start) = register("identify", raw.input, raw.holding, problems)?;
    let Some(kind) = numeric(raw.kind) else {
        problems.push(format!("identify.type {:?} is not numeric", raw.kind));
        return None;
    };
    let Some(scale) = Scale::new(raw.scale.unwrap_or(1.0), 0.0) else {
        problems.push("identify.scale is not a decimal number".to_owned());
        return None;
    };
    let codec = Codec { kind, order: raw.order, scale, none: Vec::new(), range: None };
    Some(Check { span: Span { table, start, count: kind.words() }, codec, plausible: raw.plausible })
}

fn check_point(
    raw: &RawPoint,
    origin: Origin,
    warnings: &mut Vec<String>,
    problems: &mut Problems,
) -> Vec<Point> {
    let mut wrong = |what: String| problems.push(format!("point {}: {what}", raw.name));
    let Some((table, start)) = place(raw) else {
        wrong("needs exactly one of coil, discrete, input, holding".to_owned());
        return Vec::new();
    };
    let kind = match kind_of(raw, table) {
        Ok(kind) => kind,
        Err(why) => {
            wrong(why);
            return Vec::new();
        }
    };
    let Some(scale) = Scale::new(raw.scale.unwrap_or(1.0), raw.offset.unwrap_or(0.0)) else {
        wrong("scale must be a decimal number other than 0, with at most 9 decimals".to_owned());
        return Vec::new();
    };
    let numeric = !matches!(kind, Kind::Bool | Kind::Bit(_) | Kind::Text { .. });
    if !numeric && (raw.scale.is_some() || raw.offset.is_some() || raw.range.is_some()) {
        wrong("scale, offset and range are for numbers".to_owned());
    }
    let useless = useless_keys(raw, kind);
    if !useless.is_empty() {
        wrong(format!("{} is of no use with this type: leave it out", useless.join(", ")));
    }
    wrong_limits(raw, kind).into_iter().for_each(&mut wrong);
    let code = naming::unit(raw, numeric, origin, warnings).unwrap_or_else(|why| {
        wrong(why);
        "1".to_owned()
    });
    let none = raw.none.iter().filter_map(|none| sentinel(*none, kind)).collect();
    let codec = Codec { kind, order: raw.order, scale, none, range: raw.range };
    let write = check_write(raw, table, &codec).unwrap_or_else(|why| {
        wrong(why);
        None
    });
    let quality = check_quality(raw, start, kind.words()).unwrap_or_else(|why| {
        wrong(why);
        None
    });
    let words = quality.as_ref().map_or(kind.words(), |rule| rule.offset + 1);
    repeated(raw, start, words)
        .filter_map(|(name, start)| match (Id::new(&name), start) {
            (Ok(id), Some(start)) => {
                let spec = PointSpec {
                    name: id,
                    unit: code.clone(),
                    kind: codec.value_type(),
                    writable: write.is_some(),
                };
                let span = Span { table, start, count: words };
                let (about, codec, quality) = (raw.about.clone(), codec.clone(), quality.clone());
                Some(Point { spec, about, span, codec, write, counter: raw.counter, quality, factor: None })
            }
            (Err(error), _) => {
                problems.push(format!("point {name:?}: the name {error}"));
                None
            }
            (_, None) => {
                problems.push(format!("point {name}: its address is beyond 65535"));
                None
            }
        })
        .collect()
}

/// What is wrong with `none` and `range`.
fn wrong_limits(raw: &RawPoint, kind: Kind) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(none) = raw.none.iter().find(|none| sentinel(**none, kind).is_none()) {
        wrong.push(match none {
            0.. => format!("none = {none:#X} is more than the {} registers can hold", kind.words()),
            _ => format!("none = {none}: this type does not hold it; write the raw code, such as 0xFFFF"),
        });
    }
    if raw.range.is_some_and(|(low, high)| low >= high || low.is_nan() || high.is_nan()) {
        wrong.push("range must be [low, high] with low below high".to_owned());
    }
    wrong
}

/// The raw code of a number that stands for none; of a signed type it may be written with its sign. None where the
/// registers cannot hold it.
fn sentinel(none: i64, kind: Kind) -> Option<u64> {
    let bits = 16 * u32::from(kind.words().min(4));
    let mask = u64::MAX.checked_shr(64 - bits).unwrap_or(0);
    let is_signed = matches!(kind, Kind::I16 | Kind::I32 | Kind::I64);
    let least = i64::MIN >> (64 - bits.max(1));
    match u64::try_from(none) {
        Ok(code) => (code <= mask).then_some(code),
        Err(_) => (is_signed && none >= least).then_some(none.cast_unsigned() & mask),
    }
}

/// The keys of a point that its type does not use.
fn useless_keys(raw: &RawPoint, kind: Kind) -> Vec<&'static str> {
    let is_text = matches!(kind, Kind::Text { .. });
    let is_bit = matches!(kind, Kind::Bit(_));
    let is_bool = kind == Kind::Bool;
    // A text is a row of bytes: it has no most significant word.
    let swaps_words = matches!(raw.order, Order::Cdab | Order::Dcba);
    let keys = [
        ("order", (is_bool && raw.order != Order::Abcd) || (is_text && swaps_words)),
        ("none", (is_bool || is_text) && !raw.none.is_empty()),
        ("bit", raw.bit.is_some() && !is_bit),
        ("registers", raw.registers.is_some() && !is_text),
        ("encoding", raw.encoding.is_some() && !is_text),
        ("counter", raw.counter && (is_bool || is_bit || is_text)),
    ];
    keys.into_iter().filter_map(|(key, is_useless)| is_useless.then_some(key)).collect()
}

/// Ties points to the registers that scale them.
fn scaled(raw: &RawProfile, limits: &Limits, points: &mut [Point], problems: &mut Problems) {
    for row in raw.point.iter().filter(|row| row.scale_point.is_some()) {
        let factor = row.scale_point.as_deref().unwrap_or_default();
        let found = points.iter().find(|point| point.spec.name.as_str() == factor);
        let found = found.map(|point| (point.span, point.codec.kind, point.codec.scale.is_identity()));
        let own = |point: &Point| point.spec.name.as_str() == row.name || is_repeat_of(point, row);
        for point in points.iter_mut().filter(|point| own(point)) {
            match scaled_by(point, found) {
                Ok(at) => point.factor = Some(at),
                Err(why) => problems.push(format!("point {}: scale_point {factor:?} {why}", row.name)),
            }
            point.spec.kind = ValueType::Float;
            if point.reach().count > limits.block_registers {
                let most = limits.block_registers;
                problems
                    .push(format!("point {}: scale_point is farther away than {most} registers", row.name));
            }
        }
    }
}

fn is_repeat_of(point: &Point, row: &RawPoint) -> bool {
    let number = point.spec.name.as_str().strip_prefix(row.name.as_str()).and_then(|n| n.strip_prefix('-'));
    row.repeat.is_some() && number.is_some_and(|number| number.parse::<u16>().is_ok())
}

/// The address of the register that scales a point.
fn scaled_by(point: &Point, factor: Option<(Span, Kind, bool)>) -> Result<u16, &'static str> {
    let Some((span, kind, is_plain)) = factor else { return Err("is not a point of this profile") };
    if kind != Kind::I16 || !is_plain {
        return Err("must be an i16 without scale and offset");
    }
    if span.table != point.span.table {
        return Err("must be in the same table");
    }
    if matches!(point.codec.kind, Kind::Bool | Kind::Bit(_) | Kind::Text { .. }) || point.write.is_some() {
        return Err("is for numbers that are only read");
    }
    Ok(span.start)
}

/// Addresses that look like the numbers of manuals, which begin at 40001, 30001 and 10001 and name the table by
/// their first digit. The models of SunSpec really begin at 40000.
fn modicon(points: &[Point]) -> Vec<String> {
    let is_sunspec =
        points.iter().any(|point| point.span.table == Table::HoldingRegister && point.span.start == 40_000);
    let suspect = |point: &Point| {
        let (key, base) = match point.span.table {
            Table::HoldingRegister => ("holding", 40_001),
            Table::InputRegister => ("input", 30_001),
            Table::DiscreteInput => ("discrete", 10_001),
            Table::Coil => return None,
        };
        let start = point.span.start;
        let is_suspect = (base..base + 9999).contains(&start) && !(is_sunspec && base == 40_001);
        is_suspect.then(|| {
            let (name, wire) = (&point.spec.name, start - base);
            format!("point {name}: {key} = {start} looks like a Modicon number, which is address {wire} on the wire")
        })
    };
    points.iter().filter_map(suspect).collect()
}

/// The register that says how good the value is: shortly after it, so that one request reads both.
fn check_quality(raw: &RawPoint, start: u16, words: u16) -> Result<Option<QualityRule>, String> {
    let Some(quality) = &raw.quality else { return Ok(None) };
    if raw.write.is_some() || raw.coil.is_some() || raw.discrete.is_some() || raw.repeat.is_some() {
        return Err("quality is for single registers that are only read".to_owned());
    }
    match quality.register.checked_sub(start) {
        Some(offset) if (words..words + FARTHEST_QUALITY).contains(&offset) => {
            QualityRule::new(offset, &quality.codes).map(Some)
        }
        _ => Err(format!("quality.register must be one of the {FARTHEST_QUALITY} registers after the value")),
    }
}

/// The one address a point gives.
fn place(raw: &RawPoint) -> Option<(Table, u16)> {
    let places = [
        (Table::Coil, raw.coil),
        (Table::DiscreteInput, raw.discrete),
        (Table::InputRegister, raw.input),
        (Table::HoldingRegister, raw.holding),
    ];
    let mut given = places.into_iter().filter_map(|(table, start)| start.map(|start| (table, start)));
    given.next().filter(|_| given.next().is_none())
}

/// The names and addresses a point stands for.
fn repeated(raw: &RawPoint, start: u16, words: u16) -> impl Iterator<Item = (String, Option<u16>)> {
    let fits = move |start: u32| u16::try_from(start).ok().filter(|_| start + u32::from(words) <= 65536);
    let count = u32::from(raw.repeat.unwrap_or(1));
    (0..count).map(move |i| {
        let name = if raw.repeat.is_some() { format!("{}-{}", raw.name, i + 1) } else { raw.name.clone() };
        (name, fits(u32::from(start) + i * u32::from(words)))
    })
}

fn kind_of(raw: &RawPoint, table: Table) -> Result<Kind, String> {
    let bits = matches!(table, Table::Coil | Table::DiscreteInput);
    match (raw.kind, bits) {
        (None | Some(RawKind::Bool), true) => Ok(Kind::Bool),
        (Some(other), true) => {
            Err(format!("type {other:?} needs registers; a coil or discrete input is a bool"))
        }
        (None, false) => Err("needs a type".to_owned()),
        (Some(RawKind::Bool), false) => {
            Err("a bool in a register is type = \"bit\" with bit = 0 to 15".to_owned())
        }
        (Some(RawKind::Bit), false) => match raw.bit {
            Some(bit @ 0..=15) => Ok(Kind::Bit(bit)),
            _ => Err("type bit needs bit = 0 to 15".to_owned()),
        },
        (Some(RawKind::Text), false) => match raw.registers {
            Some(registers) if (1..=LONGEST_TEXT).contains(&registers) => {
                Ok(Kind::Text { registers, encoding: raw.encoding.unwrap_or_default() })
            }
            _ => Err(format!("type text needs registers = 1 to {LONGEST_TEXT}")),
        },
        (Some(kind), false) => numeric(kind).ok_or_else(|| format!("type {kind:?} is not for registers")),
    }
}

const fn numeric(kind: RawKind) -> Option<Kind> {
    Some(match kind {
        RawKind::U16 => Kind::U16,
        RawKind::I16 => Kind::I16,
        RawKind::U32 => Kind::U32,
        RawKind::I32 => Kind::I32,
        RawKind::U64 => Kind::U64,
        RawKind::I64 => Kind::I64,
        RawKind::F32 => Kind::F32,
        RawKind::F64 => Kind::F64,
        RawKind::Bcd16 => Kind::Bcd16,
        RawKind::Bcd32 => Kind::Bcd32,
        RawKind::Bool | RawKind::Bit | RawKind::Text => return None,
    })
}

fn check_write(raw: &RawPoint, table: Table, codec: &Codec) -> Result<Option<WriteRule>, String> {
    let Some(write) = &raw.write else { return Ok(None) };
    let refresh = write.refresh.map(|refresh| refresh.0);
    if refresh.is_some_and(|refresh| refresh < SHORTEST_REFRESH) {
        return Err("write.refresh is too short, at least 1s".to_owned());
    }
    match (table, codec.kind) {
        (Table::Coil, _) => Ok(Some(WriteRule { min: 0.0, max: 1.0, multiple: write.multiple, refresh })),
        // A bit is written by reading, changing and writing the register: a change by the device
        // in between would be undone.
        (Table::HoldingRegister, Kind::Bit(_)) => {
            Err("a single bit of a register cannot be written".to_owned())
        }
        (Table::HoldingRegister, Kind::Text { .. }) => Err("text cannot be written".to_owned()),
        (Table::HoldingRegister, _) => match (write.min, write.max) {
            (Some(min), Some(max)) if min <= max => {
                for edge in [min, max] {
                    codec.encode(edge).map_err(|why| format!("write limit {edge} {why}"))?;
                }
                Ok(Some(WriteRule { min, max, multiple: write.multiple, refresh }))
            }
            _ => Err("write needs min and max, min not above max".to_owned()),
        },
        _ => Err("only coils and holding registers can be written".to_owned()),
    }
}

fn check_together(points: &[Point], limits: &Limits, problems: &mut Problems) {
    if points.is_empty() {
        problems.push("has no [[point]]".to_owned());
    }
    if points.len() > MOST_POINTS {
        problems.push(format!("has {} points, at most {MOST_POINTS} are allowed", points.len()));
    }
    let mut names = BTreeSet::new();
    let mut last: Option<&Point> = None;
    // A bit may be wanted beside the whole word.
    let is_bit = |point: &&Point| matches!(point.codec.kind, Kind::Bit(_));
    let mut by_address: Vec<&Point> = points.iter().filter(|point| !is_bit(point)).collect();
    by_address.sort_by_key(|point| point.span);
    for point in points {
        if !names.insert(point.spec.name.clone()) {
            problems.push(format!("point {}: the name is used twice", point.spec.name));
        }
        if point.span.count > limits.block_registers {
            problems.push(format!("point {}: longer than limits.block_registers", point.spec.name));
        }
    }
    for point in by_address {
        if let Some(before) = last.filter(|before| before.span.table == point.span.table)
            && u32::from(before.span.start) + u32::from(before.span.count) > u32::from(point.span.start)
        {
            problems.push(format!("point {}: overlaps {}", point.spec.name, before.spec.name));
        }
        last = Some(point);
    }
}
