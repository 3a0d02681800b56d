//! Our own sensor nodes: the device profile of every kind, made from the tables of the wire crate.
//!
//! The firmware samples by the same tables, so the two cannot drift. A node is an ordinary Modbus
//! device to everything else; what only a node can do (update, log, self-test) goes through
//! [`crate::modbus::maintenance`].

use std::fmt::Write;

use linli_domain::{Quality as Shown, Reason as Why};
use linli_wire::field::Value;
use linli_wire::health::Counter;
use linli_wire::identity::MAGIC;
use linli_wire::kind::{KINDS, Kind, PointOf};
use linli_wire::map::identity;
use linli_wire::point::{self, NO_VALUE, Point};
use linli_wire::quality::{Quality, Reason};

/// The vendor of every node's profile.
const VENDOR: &str = "linli";

/// Unused registers worth reading: a node answers within a block of its map, never across two, and
/// the nearest two blocks (uptime, then points) are further apart than this.
const GAP: u16 = 15;

/// How often a relay is written again while it stands: three times within the factory's lease.
const REFRESH_S: u16 = 20;

/// Counters worth a trend; all others are shown by `linli node status`.
const COUNTERS: [Counter; 6] = [
    Counter::CrcErrors,
    Counter::SensorErrors,
    Counter::LeaseDrops,
    Counter::Resets,
    Counter::WatchdogResets,
    Counter::BrownOuts,
];

/// Bits of the status worth a point of their own.
const STATUS: [u16; 4] = [
    linli_wire::identity::status::SELFTEST_FAILED,
    linli_wire::identity::status::SENSOR_FAULTY,
    linli_wire::identity::status::UPDATE_PENDING,
    linli_wire::identity::status::STORAGE_FAILED,
];

/// `vendor/model` of a kind's profile.
#[must_use]
pub fn profile_name(kind: &Kind) -> String {
    format!("{VENDOR}/node-{}", kind.name)
}

/// The kind that a profile is for, if it is a node's.
#[must_use]
pub fn kind_of(profile: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| profile_name(kind) == profile)
}

/// The text of a kind's profile.
#[must_use]
pub fn profile(kind: &Kind) -> String {
    let mut text = format!(
        "# Made from firmware/wire: `LINLI_BLESS=1 cargo test -p linli-drivers nodes` writes it anew.\n\
         vendor = \"{VENDOR}\"\nmodel = \"node-{}\"\ntitle = \"Node, {}\"\ntitle_zh = \"{}\"\n\
         source = \"firmware/wire, register map version {}; docs/protocols/node.md\"\n\
         serial = {{ input = {:#06X}, type = \"u64\" }}\n\n[limits]\ngap_registers = {GAP}\n",
        kind.name,
        kind.en,
        kind.zh,
        linli_wire::MAP_VERSION,
        identity::SERIAL.address,
    );
    for (field, value) in [
        (identity::MAGIC, MAGIC),
        (identity::MAP_VERSION, linli_wire::MAP_VERSION),
        (identity::KIND, kind.id),
    ] {
        let _ = write!(
            text,
            "\n[[identify]]\ninput = {:#06X}\ntype = \"u16\"\nplausible = [{value}, {value}]\n",
            field.address
        );
    }
    for (index, of) in (0..).zip(kind.points) {
        text.push_str(&measured(index, of));
    }
    for (index, input) in kind.inputs.iter().enumerate() {
        let _ = write!(
            text,
            "\n[[point]]\nname = \"{}\"\ndiscrete = {index}\nabout = \"{}\"\n",
            input.name, input.zh
        );
    }
    for (index, relay) in kind.relays.iter().enumerate() {
        let _ = write!(
            text,
            "\n[[point]]\nname = \"{}\"\ncoil = {index}\nwrite = {{ refresh = \"{REFRESH_S}s\" }}\nabout = \"{}\"\n",
            relay.name, relay.zh
        );
    }
    text.push_str(&state());
    text.push_str(&vector(kind));
    text
}

/// A measured point, with the words for its quality.
fn measured(index: u16, of: &PointOf) -> String {
    let at = point::address(index);
    let mut codes = vec![format!("\"0x0000\" = \"{}\"", Shown::Good)];
    for reason in Reason::ALL {
        let why = shown(*reason);
        codes.push(format!(
            "\"{:#06X}\" = \"{}\"",
            Quality::Uncertain(*reason).code(),
            Shown::Uncertain(why)
        ));
        codes.push(format!("\"{:#06X}\" = \"{}\"", Quality::Bad(*reason).code(), Shown::Bad(why)));
    }
    let power = 10_f64.powi(i32::from(of.decimals));
    format!(
        "\n[[point]]\nname = \"{}\"\ninput = {at:#06X}\ntype = \"i32\"\nscale = {}\nunit = \"{}\"\nrange = [{:.1}, {:.1}]\n\
         none = [{:#010X}]\nquality = {{ register = {:#06X}, codes = {{ {} }} }}\nabout = \"{}\"\n",
        of.name,
        power.recip(),
        of.unit,
        f64::from(of.lowest) / power,
        f64::from(of.highest) / power,
        NO_VALUE.cast_unsigned(),
        at + 2,
        codes.join(", "),
        of.zh
    )
}

/// What the gateway says where the node says this.
const fn shown(reason: Reason) -> Why {
    match reason {
        Reason::NoAnswer | Reason::BusFault => Why::SensorFault,
        Reason::OutOfRange | Reason::Jump => Why::OutOfRange,
        Reason::Stale => Why::Stale,
        Reason::Starting | Reason::NotFitted => Why::NoValue,
    }
}

/// What every node says about itself.
fn state() -> String {
    let mut text = format!(
        "\n[[point]]\nname = \"boot_state\"\ninput = {:#06X}\ntype = \"u16\"\nunit = \"1\"\n\
         about = \"启动状态：0 已确认，1 试运行，2 已回退，3 恢复模式\"\n\
         \n[[point]]\nname = \"uptime\"\ninput = {:#06X}\ntype = \"u32\"\nunit = \"s\"\nabout = \"运行秒数\"\n",
        identity::BOOT.address,
        identity::UPTIME.address
    );
    let named = linli_wire::identity::status::NAMES.iter().filter(|(bit, ..)| STATUS.contains(bit));
    for (bit, name, zh) in named {
        let _ = write!(
            text,
            "\n[[point]]\nname = \"{name}\"\ninput = {:#06X}\ntype = \"bit\"\nbit = {}\nabout = \"{zh}\"\n",
            identity::STATUS.address,
            bit.trailing_zeros()
        );
    }
    for counter in COUNTERS {
        let _ = write!(
            text,
            "\n[[point]]\nname = \"{}\"\ninput = {:#06X}\ntype = \"u32\"\nunit = \"1\"\ncounter = true\nabout = \"{}\"\n",
            counter.as_str(),
            counter.address(),
            counter.zh()
        );
    }
    text
}

/// A reading of every point, encoded by the wire crate: the profile must decode it to the same.
fn vector(kind: &Kind) -> String {
    let begin = identity::BOOT.address;
    let end = point::address(u16::try_from(kind.points.len()).unwrap_or_default());
    let mut words = vec![0; usize::from(end - begin)];
    identity::BOOT.put(&mut words, begin, 1);
    identity::STATUS.put(&mut words, begin, STATUS[1]);
    identity::UPTIME.put(&mut words, begin, 86_400);
    let (mut expect, mut nothing) =
        (vec!["boot_state = 1".to_owned(), "uptime = 86400".to_owned()], Vec::new());
    for (bit, name, _) in linli_wire::identity::status::NAMES.iter().filter(|(bit, ..)| STATUS.contains(bit))
    {
        expect.push(format!("{name} = {}", *bit == STATUS[1]));
    }
    for (index, of) in (0..).zip(kind.points) {
        let is_first = index == 0;
        let quality = if is_first { Quality::Good } else { Quality::Bad(Reason::NoAnswer) };
        let read = Point { value: Some(-1825), quality, age_s: 1 };
        let from = usize::from(point::address(index) - begin);
        words[from..from + usize::from(point::WORDS)].copy_from_slice(&read.encode());
        if is_first {
            let value = -1825.0 / 10_f64.powi(i32::from(of.decimals));
            expect.push(format!("{} = {value:?}", of.name));
        } else {
            nothing.push(format!("\"{}\"", of.name));
        }
    }
    let first = COUNTERS[0].address();
    let mut counts = vec![0; usize::from(COUNTERS[COUNTERS.len() - 1].address() + 2 - first)];
    for (count, counter) in (70_000_u32..).zip(COUNTERS) {
        count.write(&mut counts[usize::from(counter.address() - first)..][..2]);
        expect.push(format!("{} = {count}", counter.as_str()));
    }
    let mut text = format!(
        "\n[[test]]\ninput = {{ {begin:#06X} = \"{}\", {first:#06X} = \"{}\" }}\n",
        hex(&words),
        hex(&counts)
    );
    for (table, switches) in [("discrete", kind.inputs), ("coil", kind.relays)] {
        if switches.is_empty() {
            continue;
        }
        let bits: String = (0..switches.len()).map(|at| if at % 2 == 0 { '1' } else { '0' }).collect();
        let _ = writeln!(text, "{table} = {{ 0 = \"{bits}\" }}");
        expect
            .extend(switches.iter().zip(bits.chars()).map(|(s, bit)| format!("{} = {}", s.name, bit == '1')));
    }
    let _ = writeln!(text, "expect = {{ {} }}", expect.join(", "));
    if !nothing.is_empty() {
        let _ = writeln!(text, "nothing = [{}]", nothing.join(", "));
    }
    text
}

fn hex(words: &[u16]) -> String {
    words.iter().map(|word| format!("{word:04X}")).collect::<Vec<_>>().join(" ")
}
