//! The sheet of a week or a month: one line a day with its signature, then everything of its days that an inspector
//! looks for. A signed day is shown as it was when it was signed.

use linli_domain::canteen::Signed;
use linli_domain::timezone::Zone;
use serde_json::Value;

use super::sheet::{Reader, cabinets, items, latest, span, word};
use crate::sheet::{Section, Sheet};

/// Builds the sheet from the records of the days, the oldest first, and all signed records.
#[must_use]
pub fn span_sheet<'z>(records: &[Value], signed: &Value, zone: &'z Zone) -> Sheet {
    let of = |record: &Value| latest(signed, record["day"].as_str().unwrap_or_default());
    let days: Vec<(Value, Option<Signed>)> = records
        .iter()
        .map(|record| {
            let signed = of(record);
            (signed.as_ref().map_or(record, |signed| &signed.record).clone(), signed)
        })
        .collect();
    let named =
        |at: Option<&(Value, Option<Signed>)>| at.map(|(day, _)| word(&day["day"])).unwrap_or_default();
    let (first, last) = (named(days.first()), named(days.last()));
    let centre = days.first().map(|(day, _)| word(&day["centre"])).unwrap_or_default();
    let count = days.iter().filter(|(_, signed)| signed.is_some()).count();
    let reader = Reader { zone };
    let parts: [fn(&Reader<'z>, &Value) -> Section; 6] =
        [Reader::excursions, Reader::cycles, Reader::cooling, Reader::samples, Reader::alarms, Reader::notes];
    let mut sections = vec![overview(&days), cabinets(days.iter().map(|(day, _)| day), true)];
    sections.extend(parts.into_iter().map(|part| joined(days.iter().map(|(day, _)| part(&reader, day)))));
    Sheet {
        title: format!("食品安全（HACCP）记录　{centre}　{first} 至 {last}"),
        signature: vec![
            format!("{} 天，已签字 {count} 天；未签字的是草稿。", days.len()),
            "每天的签字、编号和 SHA-256 见当天的日记录。".to_owned(),
        ],
        sections,
    }
}

/// A line a day.
fn overview(days: &[(Value, Option<Signed>)]) -> Section {
    let row = |(day, signed): &(Value, Option<Signed>)| {
        let sum = |member: &str| {
            let seconds = items(&day["cabinets"]).iter().filter_map(|one| one[member].as_u64());
            span(&Value::from(seconds.sum::<u64>()))
        };
        let excursions: usize =
            items(&day["cabinets"]).iter().map(|one| items(&one["excursions"]).len()).sum();
        let raised = items(&day["alarms"]).iter().filter(|step| step["event"] == "raised").count();
        let failed =
            items(&day["cooling"]).iter().filter(|batch| batch["cooling"]["outcome"] == "failed").count();
        let by = signed
            .as_ref()
            .map_or_else(|| "未签字".to_owned(), |one| format!("{}（第 {} 号）", one.by, one.number));
        vec![
            word(&day["day"]),
            by,
            sum("beyond_s"),
            excursions.to_string(),
            sum("unknown_s"),
            items(&day["samples"]).len().to_string(),
            failed.to_string(),
            raised.to_string(),
            items(&day["notes"]).len().to_string(),
        ]
    };
    Section {
        title: "每天".to_owned(),
        headings: vec![
            "日期",
            "签字",
            "超限合计",
            "超限次数",
            "未监测合计",
            "留样",
            "冷却不合格",
            "报警",
            "说明",
        ],
        rows: days.iter().map(row).collect(),
    }
}

/// The same table of every day, as one.
fn joined(sections: impl Iterator<Item = Section>) -> Section {
    sections
        .reduce(|mut all, section| {
            all.rows.extend(section.rows);
            all
        })
        .unwrap_or(Section { title: String::new(), headings: Vec::new(), rows: Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn day(day: &str, beyond: u64) -> Value {
        json!({
            "centre": "c1", "day": day, "from": 0, "until": 1,
            "cabinets": [{"name": "一号冰箱", "lowest": 2.0, "highest": 9.5, "within_s": 3600, "beyond_s": beyond,
                          "danger_s": 0, "unknown_s": 60, "limit": 8.0,
                          "excursions": [{"from": 1_795_428_000_000_i64, "to": null, "worst": 9.5}]}],
            "cycles": [], "cooling": [], "samples": [], "alarms": [{"event": "raised", "text": "过高", "at": 1}],
            "notes": [{"at": 1, "text": "移走食物", "by": "兰师傅"}],
        })
    }

    #[test]
    fn a_week_has_a_line_a_day_with_its_signature_and_every_table_once() {
        let zone = Zone::find("Asia/Shanghai").unwrap();
        let as_signed = day("2026-11-23", 120);
        let signed = json!([{
            "number": 7, "day": "2026-11-23", "by": "兰师傅", "at": 1_795_428_000_000_i64, "record": as_signed,
            "previous": "", "hash": "00",
        }]);
        // What came after the signature does not count.
        let sheet = span_sheet(&[day("2026-11-23", 999), day("2026-11-24", 60)], &signed, &zone);
        assert_eq!(sheet.title, "食品安全（HACCP）记录　c1　2026-11-23 至 2026-11-24");
        assert_eq!(sheet.signature[0], "2 天，已签字 1 天；未签字的是草稿。");
        let titles: Vec<&str> = sheet.sections.iter().map(|one| one.title.as_str()).collect();
        let expected = [
            "每天",
            "温度监测",
            "超限明细",
            "餐具清洗消毒",
            "冷却过程",
            "食品留样",
            "报警与处置",
            "纠正措施与说明",
        ];
        assert_eq!(titles, expected);
        let rows = &sheet.sections[0].rows;
        assert_eq!(rows[0][..4], ["2026-11-23", "兰师傅（第 7 号）", "2 分", "1"].map(str::to_owned));
        assert_eq!(rows[1][1], "未签字");
        let temperatures = &sheet.sections[1];
        assert_eq!(temperatures.headings[..3], ["日期", "设备", "最低 °C"]);
        assert_eq!(
            temperatures.rows[1][..5],
            ["2026-11-24", "一号冰箱", "2.0", "9.5", "1 时 0 分"].map(str::to_owned)
        );
        let daily = super::super::sheet(&day("2026-11-24", 60), &signed, &zone);
        assert_eq!(
            daily.sections[0].headings.len(),
            9,
            "the sheet of a day says also what and by which rule"
        );
        assert_eq!(sheet.sections[2].rows.len(), 2, "excursions of both days");
        assert!(sheet.sections.iter().all(|one| one.rows.iter().all(|row| row.len() == one.headings.len())));
    }
}
