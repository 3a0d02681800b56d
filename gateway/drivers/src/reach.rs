//! What a command to a device reaches in the end. Two entries of the configuration that reach the same output are
//! one output with two names: whoever guards the one must know the other.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Component, Path, PathBuf};

use crate::modbus::data::Table;

/// What a writable point, or work on a whole device, reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// Position of the device on its line.
    pub device: usize,
    /// Position of the point in the device's layout; `None` is work on the device itself, such as an update.
    pub point: Option<u16>,
    /// What is reached.
    pub target: Target,
}

/// What is reached at the far end of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Coils or holding registers, first and last address.
    Registers(FarEnd, Units, Table, u16, u16),
    /// A whole Modbus device.
    Unit(FarEnd, Units),
    /// A topic at a broker.
    Topic(FarEnd, String),
    /// A kiosk that proves by the token of this hash who it is.
    Token(String),
}

/// The Modbus units that answer to a unit id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Units {
    /// This one.
    One(u8),
    /// Any: the broadcast address, or a server that does not look at the unit id.
    Any,
}

/// The far end of a line, whatever the configuration calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FarEnd {
    /// A serial port.
    Port(PathBuf),
    /// A server.
    Server(Host, u16),
}

/// A host, whatever the configuration calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Host {
    /// This machine.
    Here,
    /// An address.
    Address(IpAddr),
    /// A name, in small letters.
    Name(String),
}

/// Names of the endpoints of Zigbee devices with several parts, by which Zigbee2MQTT addresses a part:
/// `TOPIC/ENDPOINT/set`. Numbers and `l1`, `l2`, … come in addition.
const ENDPOINTS: [&str; 8] = ["left", "right", "top", "bottom", "center", "default", "switch", "relay"];

// === impl Target ===

impl Target {
    /// Whether both may be the same thing. What cannot be told apart may be the same: a name and an address, for
    /// instance, since nothing is looked up here.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Registers(end, units, table, first, last), Self::Registers(to, of, at, from, until)) => {
                let is_same_unit = end.meets(to) && units.meets(*of);
                is_same_unit && table == at && first <= until && from <= last
            }
            (
                Self::Registers(end, units, ..) | Self::Unit(end, units),
                Self::Registers(to, of, ..) | Self::Unit(to, of),
            ) => end.meets(to) && units.meets(*of),
            (Self::Topic(end, topic), Self::Topic(to, other)) => {
                end.is_beside(to) && (topic == other || is_part(topic, other) || is_part(other, topic))
            }
            (Self::Token(token), Self::Token(other)) => token == other,
            _ => false,
        }
    }
}

/// Whether the topic names an endpoint of the device with the other topic.
fn is_part(topic: &str, whole: &str) -> bool {
    let Some(part) = topic.strip_prefix(whole).and_then(|rest| rest.strip_prefix('/')) else { return false };
    let number = part.strip_prefix('l').unwrap_or(part);
    ENDPOINTS.contains(&part) || (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Of a token nothing is told.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registers(end, units, table, first, last) => {
                write!(f, "{end} {units} {} {first} to {last}", table.as_str())
            }
            Self::Unit(end, units) => write!(f, "{end} {units}"),
            Self::Topic(end, topic) => write!(f, "{end} {topic}"),
            Self::Token(_) => write!(f, "a kiosk with a token"),
        }
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(unit) => write!(f, "unit {unit}"),
            Self::Any => write!(f, "any unit"),
        }
    }
}

// === impl Units ===

impl Units {
    fn meets(self, other: Self) -> bool {
        self == other || self == Self::Any || other == Self::Any
    }
}

// === impl FarEnd ===

impl FarEnd {
    /// A serial port: symbolic links are followed where there are any.
    #[must_use]
    pub fn port(path: &str) -> Self {
        let written = Path::new(path);
        Self::Port(written.canonicalize().unwrap_or_else(|_| plain(written)))
    }

    /// A server.
    #[must_use]
    pub fn server(host: &str, port: u16) -> Self {
        Self::Server(Host::of(host), port)
    }

    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Server(host, port), Self::Server(to, at)) => port == at && host.meets(to),
            _ => self == other,
        }
    }

    /// Whether both are on one machine: a broker listens at several ports, plain and with TLS.
    fn is_beside(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Server(host, _), Self::Server(to, _)) => host.meets(to),
            _ => self == other,
        }
    }
}

impl fmt::Display for FarEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(path) => write!(f, "{}", path.display()),
            Self::Server(Host::Here, port) => write!(f, "localhost:{port}"),
            Self::Server(Host::Address(IpAddr::V6(address)), port) => write!(f, "[{address}]:{port}"),
            Self::Server(Host::Address(address), port) => write!(f, "{address}:{port}"),
            Self::Server(Host::Name(name), port) => write!(f, "{name}:{port}"),
        }
    }
}

/// A path without `.`, `..` and doubled slashes.
fn plain(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut plain, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
        plain
    })
}

// === impl Host ===

impl Host {
    /// Reads a host as the C library would, in all the forms that it takes.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = text.trim_end_matches('.').to_ascii_lowercase();
        let bare = text.split('%').next().unwrap_or_default();
        if let Some(address) = v4(bare) {
            return Self::address(IpAddr::V4(address));
        }
        if let Ok(address) = bare.parse::<Ipv6Addr>() {
            return Self::address(address.to_canonical());
        }
        let is_here = text == "localhost" || text.starts_with("localhost.") || text.ends_with(".localhost");
        if is_here || text == "ip6-localhost" || text == "ip6-loopback" {
            Self::Here
        } else {
            Self::Name(text)
        }
    }

    fn address(address: IpAddr) -> Self {
        if address.is_loopback() || address.is_unspecified() { Self::Here } else { Self::Address(address) }
    }

    fn meets(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Address(address), Self::Address(to)) => address == to || address.is_ipv4() != to.is_ipv4(),
            (Self::Name(name), Self::Name(to)) => name == to,
            // A name and an address, or an address and this machine: nobody can tell without a network.
            _ => true,
        }
    }
}

/// An IPv4 address in the forms of `inet_aton`: one to four numbers, decimal, octal (`0`) or hexadecimal (`0x`), the
/// last of which fills what is left.
fn v4(text: &str) -> Option<Ipv4Addr> {
    let number = |part: &str| match part.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None if part.len() > 1 && part.starts_with('0') => u64::from_str_radix(part, 8).ok(),
        None => part.parse::<u64>().ok(),
    };
    let parts: Vec<u64> = text.split('.').map(number).collect::<Option<_>>()?;
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let room = 32 - 8 * u32::try_from(first.len()).ok()?;
    if first.iter().any(|part| *part > 255) || *last >= 1_u64 << room {
        return None;
    }
    let head = first.iter().fold(0_u64, |head, part| (head << 8) | part);
    u32::try_from((head << room) | last).ok().map(Ipv4Addr::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_many_spellings() {
        for here in
            ["localhost", "LocalHost.", "127.0.0.1", "127.1", "127.9.9.9", "0.0.0.0", "0", "0x7f000001"]
        {
            assert_eq!(Host::of(here), Host::Here, "{here}");
        }
        for here in ["::1", "::", "::ffff:127.0.0.1", "2130706433", "a.localhost", "localhost.localdomain"] {
            assert_eq!(Host::of(here), Host::Here, "{here}");
        }
        for plc in
            ["192.0.2.20", "192.0.2.024", "192.0.532", "0xC0.0.2.20", "::ffff:192.0.2.20", "3221226004"]
        {
            assert_eq!(Host::of(plc), Host::Address([192, 0, 2, 20].into()), "{plc}");
        }
        for name in ["plc-1.lan", "PLC-1.lan."] {
            assert_eq!(Host::of(name), Host::Name("plc-1.lan".to_owned()));
        }
        for none in ["256.0.0.1", "1.2.3.4.5", "1..2", "192.0.2.09", "192.0.65536", "4294967296"] {
            assert_eq!(Host::of(none), Host::Name(none.to_owned()), "{none}");
        }
    }

    #[test]
    fn what_cannot_be_told_apart_may_be_the_same() {
        let one = ["192.0.2.20", "192.0.2.21", "plc.lan", "other.lan", "localhost", "2001:db8::1"];
        let apart = [(0, 1), (2, 3)];
        for (at, host) in one.iter().enumerate() {
            for (to, other) in one.iter().enumerate() {
                let is_apart = apart.contains(&(at, to)) || apart.contains(&(to, at));
                assert_eq!(Host::of(host).meets(&Host::of(other)), !is_apart, "{host} and {other}");
            }
        }
    }

    #[test]
    fn a_port_has_many_paths() {
        let same = ["/dev/none/a", "/dev//none/a", "/dev/none/./a", "/dev/none/b/../a"];
        for path in same {
            assert_eq!(FarEnd::port(path), FarEnd::port(same[0]), "{path}");
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("ttyUSB0"), "").unwrap();
        std::os::unix::fs::symlink("ttyUSB0", folder.path().join("by-id")).unwrap();
        let path = |name: &str| FarEnd::port(folder.path().join(name).to_str().unwrap());
        assert_eq!(path("by-id"), path("ttyUSB0"));
        assert_ne!(path("by-id"), path("ttyUSB1"));
    }

    #[test]
    fn registers_meet_where_they_overlap() {
        let at = |host: &str, units, table, first, last| {
            Target::Registers(FarEnd::server(host, 502), units, table, first, last)
        };
        let one = at("127.0.0.1", Units::One(4), Table::HoldingRegister, 10, 11);
        for (first, last, is_met) in
            [(9, 9, false), (8, 10, true), (11, 11, true), (12, 12, false), (0, 99, true)]
        {
            let other = at("localhost", Units::One(4), Table::HoldingRegister, first, last);
            assert_eq!((one.meets(&other), other.meets(&one)), (is_met, is_met), "{first} to {last}");
        }
        assert!(!one.meets(&at("localhost", Units::One(5), Table::HoldingRegister, 10, 11)));
        assert!(one.meets(&at("localhost", Units::Any, Table::HoldingRegister, 10, 11)));
        assert!(!one.meets(&at("localhost", Units::One(4), Table::Coil, 10, 11)));
        assert!(one.meets(&Target::Unit(FarEnd::server("localhost", 502), Units::One(4))));
        assert!(!one.meets(&Target::Unit(FarEnd::server("localhost", 503), Units::One(4))));
    }

    #[test]
    fn a_topic_meets_its_parts() {
        let topic = |text: &str| Target::Topic(FarEnd::server("localhost", 1883), text.to_owned());
        for (other, is_met) in [
            ("z/lamp", true),
            ("z/lamp/left", true),
            ("z/lamp/l2", true),
            ("z/lamp/1", true),
            ("z/lamp/hall", false),
            ("z/lamps", false),
            ("z/lamp/", false),
            ("z", false),
        ] {
            let both = (topic("z/lamp").meets(&topic(other)), topic(other).meets(&topic("z/lamp")));
            assert_eq!(both, (is_met, is_met), "{other}");
        }
    }
}
