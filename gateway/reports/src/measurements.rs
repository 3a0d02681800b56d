//! Vital signs as a table for spreadsheets, one row per reading.

use linli_domain::timezone::Zone;
use linli_domain::visit::Status;
use linli_domain::vital::{self, Limits};

use super::Measured;
use super::spreadsheet::Spreadsheet;

/// Names of time zones in Chinese, where people do not use the name of the database.
const ZONE_NAMES: [(&str, &str); 2] = [("Asia/Shanghai", "北京时间"), ("Asia/Urumqi", "新疆时间")];

/// Headings after the time.
const HEADINGS: [&str; 13] = [
    "居民代号",
    "就诊编号",
    "房间",
    "设备",
    "项目",
    "LOINC",
    "数值",
    "单位",
    "提示",
    "状态",
    "版本",
    "测量编号",
    "存疑",
];

/// Returns CSV with Chinese headings and one row per reading. Times are those of the centre's time zone, UTC if
/// there is no such zone; the first heading names it.
#[must_use]
pub fn csv(measured: &[Measured], timezone: &str, limits: &Limits) -> String {
    let zone = Zone::find(timezone).unwrap_or_else(Zone::utc);
    let name = ZONE_NAMES.iter().find(|(known, _)| *known == zone.name());
    let at = format!("时间（{}）", name.map_or(zone.name(), |(_, chinese)| chinese));
    let mut sheet = Spreadsheet::new();
    sheet.row([at.as_str()].into_iter().chain(HEADINGS));
    for (visit, version) in measured {
        let assessed = vital::judge(&version.measurement.readings, version.context.circumstances(), limits);
        let at = zone.shown(version.measurement.when());
        for reading in &version.measurement.readings {
            let quantity = reading.quantity;
            let flag = assessed.iter().find(|(q, _)| *q == quantity).map_or("", |(_, found)| found.chinese);
            let value = reading.shown().unwrap_or_default();
            let site = reading.site.map_or_else(String::new, |site| format!("（{}）", site.chinese()));
            let name = format!("{}{site}", quantity.chinese());
            let number = version.version.to_string();
            let doubts: Vec<&str> = reading.caveats.iter().map(|caveat| caveat.chinese()).collect();
            let doubts = doubts.join("；");
            let row = [
                at.as_str(),
                visit.as_ref().and_then(|visit| visit.pseudonym.as_deref()).unwrap_or_default(),
                version.visit.as_deref().unwrap_or_default(),
                version.room.as_ref().map_or("", |room| room.as_str()),
                version.device.as_str(),
                &name,
                quantity.loinc(),
                &value,
                quantity.unit(),
                flag,
                status(version.status),
                &number,
                &version.id,
                &doubts,
            ];
            sheet.row(row);
        }
    }
    sheet.into_text()
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Final => "设备原值",
        Status::Amended => "已补充",
        Status::Corrected => "已更正",
        Status::EnteredInError => "已作废",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::visit::{Context, Version};
    use linli_domain::vital::{Caveat, Measurement, Quantity, Reading, Taken};
    use linli_domain::{ClockQuality, Id, Timestamp};

    #[test]
    fn a_doubtful_value_says_why() {
        let at = Timestamp(1_795_428_000_000);
        let mut loose = Reading::of(Quantity::Systolic, 220.0);
        loose.doubt(Caveat::CuffLoose);
        loose.doubt(Caveat::BodyMovement);
        let taken = Taken { at, clock: ClockQuality::Synchronised, device: None };
        let readings = vec![loose, Reading::of(Quantity::PulseRate, 70.0)];
        let version = Version {
            id: "m-1".to_owned(),
            version: 1,
            status: Status::Final,
            visit: None,
            unassigned: None,
            device: Id::new("monitor-1").expect("an id"),
            room: None,
            measurement: Measurement::of(taken, readings),
            context: Context::default(),
            at,
            by: "device".to_owned(),
            why: None,
        };
        let text = csv(&[(None, version)], "Asia/Shanghai", &Limits::default());
        let ends: Vec<&str> = text.lines().map(|line| line.rsplit(',').next().unwrap_or_default()).collect();
        assert_eq!(ends, ["存疑", "袖带松；体动", ""], "{text}");
    }
}
