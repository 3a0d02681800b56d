//! Alarms that nobody has to write: they follow from the devices.

use linli_domain::alarm::{Condition, Priority, Rule, Source, usual};
use linli_domain::food::Kept;
use linli_domain::{DeviceClass, Layout};

use super::{Known, SHELVE_AT_MOST, blank, derived};

/// The point that the limits of food safety are on.
const TEMPERATURE: &str = "temperature";

/// Silence of every device that is polled, the limits of what it keeps, and what follows from its
/// points.
pub(super) fn of(known: &[Known<'_>]) -> Vec<Rule> {
    let mut rules = Vec::new();
    for device in known {
        let Layout { device: id, name, class, points, .. } = device.layout;
        let priority = match class {
            DeviceClass::FoodSafety => Priority::High,
            DeviceClass::Actuator | DeviceClass::Kiosk => Priority::Medium,
            DeviceClass::Telemetry => Priority::Low,
            // It sleeps until somebody is measured.
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
    }
    rules
}
