//! Settings of the health cabin.

use std::time::Duration;

use linli_domain::visit::PressureGuide;
use linli_domain::vital::{CRITICAL, CriticalLimit, Limits};
use linli_domain::{DeviceClass, Id, Layout, PointSpec, ValueType};

use super::key::Keys;

/// Checked settings of `[cabin]`.
#[derive(Debug, Clone, PartialEq)]
pub struct CabinSettings {
    /// Keys that encrypt identities; `None`: no identity can be stored.
    pub keys: Option<Keys>,
    /// A visit without activity ends after this.
    pub visit_timeout: Duration,
    /// Retention of visits, measurements and identities.
    pub retention: Duration,
    /// Reference ranges of vital signs.
    pub limits: Limits,
    /// How blood pressure is repeated.
    pub guide: PressureGuide,
    /// Limits of critical values.
    pub critical: Vec<CriticalLimit>,
    /// The time after which a critical value that nobody answered becomes an alarm.
    pub critical_after: Duration,
    /// Version of the consent text in use; screens offer it.
    pub consent: Option<String>,
    /// Rooms in which devices measure vital signs.
    pub rooms: Vec<Id>,
}

/// Retention without a setting: five years.
pub const RETENTION: Duration = Duration::from_secs(1825 * 86_400);

/// The same without a setting: two minutes.
pub const UNANSWERED: Duration = Duration::from_secs(120);

/// Name of the computed point of a cabin: whether a critical value waits too long for an answer.
pub const CRITICAL_POINT: &str = "unanswered";

// === impl CabinSettings ===

impl Default for CabinSettings {
    fn default() -> Self {
        Self {
            keys: None,
            visit_timeout: Duration::from_secs(30 * 60),
            retention: RETENTION,
            limits: Limits::default(),
            guide: PressureGuide::default(),
            critical: CRITICAL.to_vec(),
            critical_after: UNANSWERED,
            consent: None,
            rooms: Vec::new(),
        }
    }
}

/// Layout of the computed point of a cabin: `{room}.critical`, which the alarm path watches.
#[must_use]
pub fn critical_layout(room: &Id) -> Option<Layout> {
    let point = PointSpec {
        name: Id::new(CRITICAL_POINT).ok()?,
        unit: "1".to_owned(),
        kind: ValueType::Bool,
        writable: false,
    };
    Some(Layout {
        device: Id::new(&format!("{room}.critical")).ok()?,
        name: format!("健康小屋 {room}（危急值）"),
        room: Some(room.clone()),
        class: DeviceClass::Telemetry,
        profile: "linli/critical".to_owned(),
        points: vec![point],
    })
}
