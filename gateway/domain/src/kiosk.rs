//! Government self-service kiosks (政务自助终端): what their parts report, and what that leaves
//! of the service.

use serde::{Deserialize, Serialize};

/// The state of a part, as kiosks' makers tell it (CEN/XFS words in brackets).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Works (DEVONLINE).
    Ok = 0,
    /// Works on something (DEVBUSY).
    Busy = 1,
    /// Works, and wants attention soon: paper is low.
    Warn = 2,
    /// Waits for a person at the kiosk: a card left in the reader (DEVUSERERROR).
    UserError = 3,
    /// Does not work: out of paper, jammed (DEVHWERROR).
    Fault = 4,
    /// Is not there (DEVNODEVICE).
    Absent = 5,
    /// Is there, and does not answer (DEVOFFLINE, DEVPOWEROFF).
    Offline = 6,
}

/// Parts that a kiosk may report, with their Chinese names.
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

/// What residents get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Everything.
    InService,
    /// Some matters are not available.
    Degraded,
    /// Nothing.
    OutOfService,
    /// Taken out on purpose: a text is shown.
    Maintenance,
    /// Nobody knows.
    Offline,
}

/// Something residents come for (政务服务事项).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Matter {
    /// Its number in the district's catalogue.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Whose it is.
    pub department: String,
    /// Parts that it needs.
    pub needs: Vec<String>,
}

/// How a kiosk spent the opening hours of a day, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// Everything.
    pub in_service: u64,
    /// Something.
    pub degraded: u64,
    /// Nothing.
    pub out_of_service: u64,
    /// Taken out on purpose.
    pub maintenance: u64,
    /// Nobody knows.
    pub offline: u64,
}

/// Without one of these a kiosk is of no use.
const ESSENTIAL: [&str; 3] = ["touch", "network", "upstream"];

// === impl Part ===

impl Part {
    /// Every state, in the order of the codes.
    pub const ALL: [Self; 7] =
        [Self::Ok, Self::Busy, Self::Warn, Self::UserError, Self::Fault, Self::Absent, Self::Offline];

    /// From a word of a kiosk's report.
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

    /// From its code.
    #[must_use]
    pub fn of_code(code: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|part| i64::from(part.code()) == code)
    }

    /// As the point's value.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Whether what needs it can be done.
    #[must_use]
    pub const fn serves(self) -> bool {
        matches!(self, Self::Ok | Self::Busy | Self::Warn)
    }
}

// === impl Service ===

impl Service {
    /// What is left of the service with these parts. A part that is not reported is not judged.
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

    /// Whether residents get at least something.
    #[must_use]
    pub const fn is_available(self) -> bool {
        matches!(self, Self::InService | Self::Degraded)
    }
}

// === impl Matter ===

impl Matter {
    /// The part that is missing for it, if one is. A part that is not reported is not judged.
    #[must_use]
    pub fn lacks(&self, part: impl Fn(&str) -> Option<Part>) -> Option<&str> {
        self.needs.iter().map(String::as_str).find(|name| part(name).is_some_and(|part| !part.serves()))
    }
}

// === impl Hours ===

impl Hours {
    /// So long it was so.
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

    /// Share of the time in which residents got at least something, per cent; none before the
    /// first moment. What nobody knows counts as not available.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a day")]
    pub fn availability(&self) -> Option<f64> {
        let good = self.in_service + self.degraded;
        let all = good + self.out_of_service + self.maintenance + self.offline;
        (all > 0).then(|| good as f64 * 100.0 / all as f64)
    }
}
