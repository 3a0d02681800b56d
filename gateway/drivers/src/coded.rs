//! Device profiles that are defined in code instead of a TOML file, for `linli devices`.

use crate::kiosk::{self, printer, report};
use crate::mqtt::zigbee;
use crate::points::Point;

/// A device profile that is defined in code.
#[derive(Debug, Clone)]
pub struct Coded {
    /// Its name, as in `profile = "…"`.
    pub name: &'static str,
    /// The kinds of line it can be used on, separated by commas.
    pub lines: &'static str,
    /// What it is, in English.
    pub title: &'static str,
    /// What it is, in Chinese.
    pub title_zh: &'static str,
    /// Its points.
    pub points: Vec<Point>,
}

/// Returns all profiles that are defined in code.
#[must_use]
pub fn coded() -> Vec<Coded> {
    let sensors = zigbee::KINDS.iter().map(|kind| Coded {
        name: kind.name,
        lines: "mqtt",
        title: kind.title,
        title_zh: kind.title_zh,
        points: kind.points.to_vec(),
    });
    let kiosk = Coded {
        name: report::PROFILE,
        lines: "kiosk_http, mqtt",
        title: "Government kiosk that reports its state",
        title_zh: "政务自助终端",
        points: report::POINTS.to_vec(),
    };
    let printer = |name, lines, title, title_zh, more: &[Point]| Coded {
        name,
        lines,
        title,
        title_zh,
        points: [printer::POINTS, more].concat(),
    };
    let host = Coded {
        name: "snmp/host",
        lines: "snmp",
        title: "A kiosk's computer",
        title_zh: "终端主机",
        points: kiosk::HOST.to_vec(),
    };
    sensors
        .chain([
            kiosk,
            printer("snmp/printer", "snmp", "Network printer", "网络打印机", &[kiosk::UP]),
            host,
            printer("ipp/printer", "ipp", "Printer or CUPS queue", "打印机或 CUPS 队列", &kiosk::MORE),
        ])
        .collect()
}
