//! Vital signs as a table for spreadsheets, one row per reading.

use linli_domain::timezone::Zone;
use linli_domain::visit::Status;
use linli_domain::vital::{self, Limits};

use super::Measured;
use super::spreadsheet::Spreadsheet;

/// Names of time zones in Chinese, where people do not use the name of the database.
const ZONE_NAMES: [(&str, &str); 2] = [("Asia/Shanghai", "北京时间"), ("Asia/Urumqi", "新疆时间")];

/// Headings after the time.
const HEADINGS: [&str; 12] = [
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
