//! Default alarm rules by name and kind of point, with the regulation or practice each comes from.

use std::time::Duration;

use super::rule::{Condition, Priority};
use crate::{PointSpec, ValueType};

/// What must hold.
#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    /// At or above the limit; over when it is below by the dead-band.
    High(f64, f64),
    /// At or below it.
    Low(f64, f64),
    /// The point has this state.
    Is(bool),
}

/// A default rule for every point of that name and kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usual {
    /// The point.
    pub point: &'static str,
    /// Its unit; for flags and codes `1`.
    pub unit: &'static str,
    /// What is added to the device's id.
    pub suffix: &'static str,
    when: When,
    /// The on-delay.
    pub on_delay: Duration,
    /// How urgent it is.
    pub priority: Priority,
    /// Whether a person must reset it.
    pub is_latching: bool,
    /// The more severe rule that suppresses it.
    pub unless: Option<&'static str>,
    /// Only for devices of the food-safety class.
    pub is_food: bool,
    /// The message to people.
    pub text: &'static str,
}

const fn usual(
    (point, unit): (&'static str, &'static str),
    suffix: &'static str,
    when: When,
    seconds: u64,
    priority: Priority,
    text: &'static str,
) -> Usual {
    let on_delay = Duration::from_secs(seconds);
    Usual {
        point,
        unit,
        suffix,
        when,
        on_delay,
        priority,
        is_latching: false,
        unless: None,
        is_food: false,
        text,
    }
}

const fn latched(usual: Usual) -> Usual {
    Usual { is_latching: true, ..usual }
}

const fn unless(worse: &'static str, usual: Usual) -> Usual {
    Usual { unless: Some(worse), ..usual }
}

/// A component status code: 2 needs attention, 4 has failed.
const WARN: When = When::High(2.0, 0.5);
const FAULT: When = When::High(4.0, 0.5);
const TRUE: When = When::Is(true);

/// All default rules. Gas: GB/T 50493, first level at most 25 % LEL, second at most 50 % LEL.
/// Carbon dioxide: GB/T 18883-2022, 0.10 %.
static USUAL: &[Usual] = &[
    usual(("gas", "%{LEL}"), "gas", When::High(25.0, 5.0), 3, Priority::High, "可燃气体（一级）"),
    latched(usual(
        ("gas", "%{LEL}"),
        "gas-danger",
        When::High(50.0, 5.0),
        0,
        Priority::High,
        "可燃气体（二级）",
    )),
    latched(usual(("gas", "1"), "gas", TRUE, 0, Priority::High, "可燃气体报警")),
    latched(usual(("smoke", "1"), "smoke", TRUE, 2, Priority::High, "烟雾报警")),
    latched(usual(("water_leak", "1"), "leak", TRUE, 2, Priority::High, "漏水")),
    usual(("co2", "[ppm]"), "stuffy", When::High(1000.0, 100.0), 600, Priority::Low, "二氧化碳偏高"),
    usual(("tamper", "1"), "tamper", TRUE, 0, Priority::Medium, "外壳被打开"),
    usual(("battery_low", "1"), "battery", TRUE, 60, Priority::Low, "电池电量低"),
    usual(("battery", "%"), "battery-low", When::Low(15.0, 5.0), 3600, Priority::Low, "电池电量低"),
    Usual {
        is_food: true,
        ..usual(("contact", "1"), "open", When::Is(false), 180, Priority::Medium, "门未关")
    },
    usual(("door_open", "1"), "open", TRUE, 180, Priority::Medium, "柜门未关"),
    usual(("paper", "1"), "no-paper", FAULT, 10, Priority::Medium, "缺纸"),
    unless("no-paper", usual(("paper", "1"), "paper-low", WARN, 60, Priority::Low, "纸张不足")),
    usual(("toner", "1"), "no-toner", FAULT, 10, Priority::Medium, "碳粉用尽"),
    unless("no-toner", usual(("toner", "1"), "toner-low", WARN, 60, Priority::Low, "碳粉不足")),
    usual(("jam", "1"), "jam", TRUE, 30, Priority::Medium, "卡纸"),
    usual(("cover_open", "1"), "cover", TRUE, 180, Priority::Low, "打印机盖未关"),
    // Out of paper also sets the fault of the printer: announced once.
    unless("no-paper", usual(("printer", "1"), "printer", FAULT, 60, Priority::Medium, "打印机故障")),
    usual(("id_reader", "1"), "id-reader", FAULT, 60, Priority::Medium, "身份证阅读器故障"),
    usual(("card_reader", "1"), "card-reader", FAULT, 60, Priority::Medium, "读卡器故障"),
    usual(("scanner", "1"), "scanner", FAULT, 60, Priority::Low, "扫码器故障"),
    usual(("camera", "1"), "camera", FAULT, 60, Priority::Low, "高拍仪故障"),
    usual(("touch", "1"), "touch", FAULT, 60, Priority::High, "触摸屏故障"),
    usual(("network", "1"), "network", FAULT, 60, Priority::High, "网络故障"),
    usual(("upstream", "1"), "upstream", FAULT, 60, Priority::High, "政务服务接口不可用"),
    usual(("disk_free", "%"), "disk", When::Low(5.0, 2.0), 600, Priority::Low, "磁盘空间不足"),
];

// === impl Usual ===

impl Usual {
    /// What must hold.
    #[must_use]
    pub const fn condition(&self) -> Condition {
        match self.when {
            When::High(limit, deadband) => Condition::High { limit, deadband },
            When::Low(limit, deadband) => Condition::Low { limit, deadband },
            When::Is(wanted) => Condition::Is(wanted),
        }
    }
}

/// Returns the default rules of a point.
pub fn of(point: &PointSpec, is_food: bool) -> impl Iterator<Item = &'static Usual> + use<> {
    let (name, unit, kind) = (point.name.clone(), point.unit.clone(), point.kind);
    USUAL.iter().filter(move |usual| {
        let is_kind = match usual.when {
            When::Is(_) => kind == ValueType::Bool,
            _ => matches!(kind, ValueType::Float | ValueType::Integer),
        };
        usual.point == name.as_str() && usual.unit == unit && is_kind && (is_food || !usual.is_food)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;

    fn suffixes(name: &str, unit: &str, kind: ValueType, is_food: bool) -> Vec<&'static str> {
        let point = PointSpec { name: Id::new(name).unwrap(), unit: unit.to_owned(), kind, writable: false };
        of(&point, is_food).map(|usual| usual.suffix).collect()
    }

    #[test]
    fn a_point_has_the_alarms_of_its_kind() {
        assert_eq!(suffixes("gas", "%{LEL}", ValueType::Float, false), ["gas", "gas-danger"]);
        assert_eq!(suffixes("gas", "1", ValueType::Bool, false), ["gas"]);
        assert_eq!(suffixes("gas", "[ppm]", ValueType::Float, false), [""; 0]);
        assert_eq!(suffixes("contact", "1", ValueType::Bool, false), [""; 0]);
        assert_eq!(suffixes("contact", "1", ValueType::Bool, true), ["open"]);
        assert_eq!(suffixes("paper", "1", ValueType::Integer, false), ["no-paper", "paper-low"]);
    }

    #[test]
    fn what_silences_another_is_there() {
        for usual in USUAL.iter().filter(|usual| usual.unless.is_some()) {
            assert!(USUAL.iter().any(|other| Some(other.suffix) == usual.unless), "{}", usual.suffix);
        }
    }
}
