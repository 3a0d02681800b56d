//! Government self-service kiosks (政务自助终端): states of their components, and the availability
//! of services.

use serde::{Deserialize, Serialize};

/// The state of a component (CEN/XFS device states in brackets).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Online (DEVONLINE).
    Ok = 0,
    /// Busy (DEVBUSY).
    Busy = 1,
    /// Works, and needs attention soon, such as low paper.
    Warn = 2,
    /// Waits for the user, such as for a card left in the reader (DEVUSERERROR).
    UserError = 3,
    /// Failed, such as out of paper or jammed (DEVHWERROR).
    Fault = 4,
    /// Not present (DEVNODEVICE).
    Absent = 5,
    /// Does not answer (DEVOFFLINE, DEVPOWEROFF).
    Offline = 6,
}

/// Components that a kiosk may report, with their Chinese names.
pub const PARTS: [(&str, &str); 10] = [
    ("printer", "打印机"),
    ("paper", "纸张"),
    ("toner", "碳粉"),
    ("id_reader", "身份证阅读器"),
    ("card_reader", "读卡器"),
    ("scanner", "扫码器"),
    ("camera", "高拍仪"),
    ("touch", "触摸屏"),
    ("network", "网络"),
    ("upstream", "政务服务接口"),
];

/// The availability of the service to residents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Full service.
    InService,
    /// Some services are unavailable.
    Degraded,
    /// No service.
    OutOfService,
    /// Out of service on purpose: a text is shown.
    Maintenance,
    /// Unknown.
    Offline,
}

/// A public service (政务服务事项).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matter {
    /// Its number in the district's catalogue.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The department responsible.
    pub department: String,
    /// Components it needs.
    pub needs: Vec<String>,
}

/// Availability during the opening hours of a day, in milliseconds per state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Full service.
    pub in_service: u64,
    /// Partial service.
    pub degraded: u64,
    /// No service.
    pub out_of_service: u64,
    /// Out of service on purpose.
    pub maintenance: u64,
    /// Unknown.
    pub offline: u64,
}

/// Components without which no service is available.
const ESSENTIAL: [&str; 3] = ["touch", "network", "upstream"];

// === impl Part ===

impl Part {
    /// Every state, in the order of the codes.
    pub const ALL: [Self; 7] =
        [Self::Ok, Self::Busy, Self::Warn, Self::UserError, Self::Fault, Self::Absent, Self::Offline];

    /// Parses a state in a kiosk's report.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "ok" => Self::Ok,
            "busy" => Self::Busy,
            "warn" | "low" => Self::Warn,
            "user_error" => Self::UserError,
            "fault" | "out" | "jam" => Self::Fault,
            "absent" => Self::Absent,
            "offline" => Self::Offline,
            _ => return None,
        })
    }

    /// Returns the state of a code.
    #[must_use]
    pub fn of_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|part| i64::from(part.code()) == code)
    }

    /// Returns the code: the value of the point.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Whether services that need the component are available.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::Ok | Self::Busy | Self::Warn)
    }
}

// === impl Service ===

impl Service {
    /// Returns the availability with these components. A component that is not reported is ignored.
    #[must_use]
    pub fn of<'p>(is_heard: bool, shows_text: bool, parts: impl Iterator<Item = (&'p str, Part)>) -> Self {
        if !is_heard {
            return Self::Offline;
        }
        if shows_text {
            return Self::Maintenance;
        }
        let mut service = Self::InService;
        for (name, part) in parts {
            if part.serves() {
                continue;
            }
            if ESSENTIAL.contains(&name) {
                return Self::OutOfService;
            }
            service = Self::Degraded;
        }
        service
    }

    /// Whether at least partial service is available.
    #[must_use]
    pub const fn is_available(self) -> bool {
        matches!(self, Self::InService | Self::Degraded)
    }
}

// === impl Matter ===

impl Matter {
    /// Returns the component that prevents the service, if any. A component that is not reported is ignored.
    #[must_use]
    pub fn lacks(&self, part: impl Fn(&str) -> Option<Part>) -> Option<&str> {
        self.needs.iter().map(String::as_str).find(|name| part(name).is_some_and(|part| !part.serves()))
    }
}

// === impl Hours ===

impl Hours {
    /// Adds a duration in a state.
    pub fn add(&mut self, service: Service, span: u64) {
        let spent = match service {
            Service::InService => &mut self.in_service,
            Service::Degraded => &mut self.degraded,
            Service::OutOfService => &mut self.out_of_service,
            Service::Maintenance => &mut self.maintenance,
            Service::Offline => &mut self.offline,
        };
        *spent = spent.saturating_add(span);
    }

    /// Returns the share of time with at least partial service, in per cent; `None` before the
    /// first interval. Unknown counts as unavailable.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day")]
    pub fn availability(&self) -> Option<f64> {
        let good = self.in_service + self.degraded;
        let all = good + self.out_of_service + self.maintenance + self.offline;
        (all > 0).then(|| good as f64 * 100.0 / all as f64)
    }
}
