//! A table for spreadsheets: RFC 4180, UTF-8 with the mark that spreadsheets want.

use linli_domain::visit::Status;
use linli_domain::vital::{self, Limits, Quantity};
use linli_domain::{Civil, Timestamp};

use super::Measured;

/// Beijing time has had no summer time since 1991.
const BEIJING: i64 = 8 * 3_600_000;

/// One row per reading, under Chinese headings. Times are Beijing time where the centre keeps it,
/// UTC elsewhere; the heading says which.
#[must_use]
pub fn csv(measured: &[Measured], timezone: &str, limits: &Limits) -> String {
    let (zone, offset) = if timezone == "Asia/Shanghai" { ("北京时间", BEIJING) } else { ("UTC", 0) };
    let mut text = format!(
        "\u{feff}时间（{zone}）,居民代号,就诊编号,房间,设备,项目,LOINC,数值,单位,提示,状态,版本,测量编号\r\n"
    );
    for (visit, version) in measured {
        let values: Vec<(Quantity, f64)> =
            version.measurement.readings.iter().filter_map(|r| Some((r.quantity, r.value.ok()?))).collect();
        let assessed = vital::assess(&values, version.context.glucose_time, limits);
        let at = Civil::of(Timestamp(version.measurement.taken.at.0 + offset)).to_string().replace('T', " ");
        for reading in &version.measurement.readings {
            let quantity = reading.quantity;
            let flag = assessed.iter().find(|(q, _)| *q == quantity).map_or("", |(_, found)| found.chinese);
            let value = reading.value.map_or_else(
                |_| String::new(),
                |value| format!("{value:.*}", usize::from(quantity.decimals())),
            );
            let row = [
                at.as_str(),
                visit.as_ref().and_then(|visit| visit.pseudonym.as_deref()).unwrap_or_default(),
                version.visit.as_deref().unwrap_or_default(),
                version.room.as_ref().map_or("", |room| room.as_str()),
                version.device.as_str(),
                quantity.chinese(),
                quantity.loinc(),
                &value,
                quantity.unit(),
                flag,
                status(version.status),
                &version.version.to_string(),
                &version.id,
            ];
            let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
            text.push_str(&cells.join(","));
            text.push_str("\r\n");
        }
    }
    text
}

const fn status(status: Status) -> &'static str {
    match status {
        Status::Final => "设备原值",
        Status::Amended => "已补充",
        Status::Corrected => "已更正",
        Status::EnteredInError => "已作废",
    }
}

/// Quoted where needed; nothing that a spreadsheet takes for a formula.
pub(super) fn quoted(cell: &str) -> String {
    let guarded = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) && cell.parse::<f64>().is_err() {
        format!("'{cell}")
    } else {
        cell.to_owned()
    };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}
