//! Default alarms, which follow from the configured devices.

use std::collections::BTreeSet;

use linli_domain::alarm::{Condition, Priority, Rule, Source, usual};
use linli_domain::canteen::Kept;
use linli_domain::{DeviceClass, Id, Layout};

use super::{Known, SHELVE_AT_MOST, blank, derived};
use crate::settings::cabin::critical_layout;
use crate::settings::canteen::{self, CanteenDevice};
use crate::settings::uplink_certificate;

/// Point to which the limits of food safety apply.
const TEMPERATURE: &str = "temperature";

/// Default alarms of a device: silence when it is polled, the limits of what it keeps, and those of
/// its points. `is_certified`: the uplink connects with a certificate.
pub(super) fn of(known: &[Known<'_>], is_certified: bool) -> Vec<Rule> {
    let mut rules = Vec::new();
    for device in known {
        let Layout { device: id, name, class, points, .. } = device.layout;
        let priority = match class {
            DeviceClass::FoodSafety => Priority::High,
            DeviceClass::Actuator | DeviceClass::Kiosk => Priority::Medium,
            DeviceClass::Telemetry => Priority::Low,
            // Such a device is off until somebody uses it.
            DeviceClass::Vital => continue,
        };
        let (Some(first), Some(silent)) = (points.first(), derived(id, "silent")) else { continue };
        rules.push(Rule {
            source: Source { device: id.clone(), point: first.name.clone() },
            on_delay: device.silent_after,
            priority,
            text: format!("{name}：没有数据"),
            ..blank(silent.clone(), Condition::Silent)
        });
        for point in points {
            rules.extend(usual::of(point, *class == DeviceClass::FoodSafety).filter_map(|usual| {
                let suppressed_by = usual.unless.and_then(|worse| derived(id, worse));
                Some(Rule {
                    source: Source { device: id.clone(), point: point.name.clone() },
                    on_delay: usual.on_delay,
                    priority: usual.priority,
                    is_latching: usual.is_latching,
                    shelve_at_most: (!usual.is_latching).then_some(SHELVE_AT_MOST),
                    suppressed_by: suppressed_by.or_else(|| Some(silent.clone())),
                    text: format!("{name}：{}", usual.text),
                    ..blank(derived(id, usual.suffix)?, usual.condition())
                })
            }));
        }
        let Some(point) = points.iter().find(|point| point.name.as_str() == TEMPERATURE) else { continue };
        for limit in device.keeps.map(Kept::limits).unwrap_or_default() {
            let Some(rule) = derived(id, limit.suffix) else { continue };
            rules.push(Rule {
                source: Source { device: id.clone(), point: point.name.clone() },
                on_delay: limit.on_delay,
                priority: limit.priority,
                suppressed_by: Some(silent.clone()),
                text: format!("{name}：{}（{} °C）", limit.text, limit.limit),
                ..blank(rule, limit.condition())
            });
        }
        rules.extend(canteen(device));
    }
    rules.extend(cabins(known));
    if is_certified {
        rules.extend(certificate().unwrap_or_default());
    }
    rules
}

/// Alarms on the certificate with which the uplink connects: before its end, and after it.
fn certificate() -> Option<Vec<Rule>> {
    let layout = uplink_certificate::layout()?;
    let (device, ended) = (layout.device.clone(), derived(&layout.device, "ended")?);
    let rule = |id: Id, point: &str, condition, priority, text: &str| {
        let point = layout.points.iter().find(|spec| spec.name.as_str() == point)?.name.clone();
        let source = Source { device: device.clone(), point };
        Some(Rule { source, priority, text: text.to_owned(), ..blank(id, condition) })
    };
    let over = Condition::Low { limit: -1.0, deadband: 0.5 };
    let over = rule(
        ended.clone(),
        uplink_certificate::DAYS_LEFT,
        over,
        Priority::High,
        "区级平台证书已到期，断线后连不上；请重新登记（linli uplink enrol）",
    )?;
    let soon = rule(
        derived(&device, "ends-soon")?,
        uplink_certificate::ENDS_SOON,
        Condition::Is(true),
        Priority::Medium,
        "区级平台证书快到期，还没有换新；请看“系统”里的原因",
    )?;
    Some(vec![over, Rule { suppressed_by: Some(ended), ..soon }])
}

/// Alarms on critical values that nobody answers, one for each room in which devices measure vital signs.
fn cabins(known: &[Known<'_>]) -> Vec<Rule> {
    let vital = known.iter().filter(|device| device.layout.class == DeviceClass::Vital);
    let rooms: BTreeSet<&Id> = vital.filter_map(|device| device.layout.room.as_ref()).collect();
    let rule = |room: &Id| {
        let layout = critical_layout(room)?;
        let point = layout.points.first()?.name.clone();
        Some(Rule {
            source: Source { device: layout.device.clone(), point },
            priority: Priority::High,
            text: format!("健康小屋 {room}：危急值没有人处理"),
            ..blank(derived(&layout.device, "unanswered")?, Condition::Is(true))
        })
    };
    rooms.into_iter().filter_map(rule).collect()
}

/// Alarms on the times that the canteen service computes for a cabinet.
fn canteen(device: &Known<'_>) -> Vec<Rule> {
    let id = &device.layout.device;
    let computed = device
        .keeps
        .and_then(|kept| CanteenDevice::of(device.layout, Some(kept), device.silent_after)?.computed);
    let Some(computed) = computed else { return Vec::new() };
    let high = |limit| Condition::High { limit, deadband: 0.5 };
    let wanted = [
        (canteen::DANGER, "exposed", high(120.0), Priority::High, "4 小时内在 8–60 °C 已累计 2 小时"),
        (canteen::UNKNOWN, "unmonitored", high(60.0), Priority::Medium, "4 小时内有 1 小时以上没有监测"),
        (canteen::OVERDUE, "overdue", high(1.0), Priority::Medium, "留样超过 72 小时未销毁"),
        (canteen::CLEAN, "unclean", Condition::Is(false), Priority::Medium, "上一次清洗消毒温度或时间不足"),
    ];
    let rule = |(point, suffix, condition, priority, text): (&str, &str, Condition, Priority, &str)| {
        let point = computed.points.iter().find(|spec| spec.name.as_str() == point)?.name.clone();
        Some(Rule {
            source: Source { device: computed.device.clone(), point },
            priority,
            text: format!("{}：{text}", device.layout.name),
            ..blank(derived(id, suffix)?, condition)
        })
    };
    wanted.into_iter().filter_map(rule).collect()
}
