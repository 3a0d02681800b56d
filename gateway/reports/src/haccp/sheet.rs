//! Builds the sheet of the daily record.

use linli_domain::Timestamp;
use serde_json::Value;

use crate::sheet::{Section, Sheet};
use linli_domain::canteen::Signed;
use linli_domain::timezone::Zone;

/// Builds the sheet from the record of a day and all signed records. A signed day is shown as it was
/// when it was signed.
#[must_use]
pub fn sheet(record: &Value, signed: &Value, zone: &Zone) -> Sheet {
    let day = record["day"].as_str().unwrap_or_default();
    let latest = latest(signed, day);
    let record = latest.as_ref().map_or(record, |signed| &signed.record);
    let reader = Reader { zone };
    let until = reader.time(&record["until"]);
    let signature = match &latest {
        Some(signed) => {
            let mut lines = vec![
                format!(
                    "签字：{}（第 {} 号，{}）",
                    signed.by,
                    signed.number,
                    zone.shown(Timestamp(signed.at))
                ),
                format!("记录截至 {until}"),
                format!("SHA-256 {}", signed.hash),
                format!("前一号 {}", if signed.previous.is_empty() { "无" } else { &signed.previous }),
            ];
            lines.extend(signed.note.as_ref().map(|note| format!("备注：{note}")));
            lines
        }
        None => vec![format!("草稿，未签字；记录截至 {until}")],
    };
    let centre = record["centre"].as_str().unwrap_or_default();
    Sheet {
        title: format!("食品安全（HACCP）日记录　{centre}　{day}"),
        signature,
        sections: vec![
            cabinets(std::iter::once(record), false),
            reader.excursions(record),
            reader.cycles(record),
            reader.cooling(record),
            reader.samples(record),
            reader.alarms(record),
            reader.notes(record),
        ],
    }
}

/// The latest signed record of a day.
pub(super) fn latest(signed: &Value, day: &str) -> Option<Signed> {
    let signatures = items(signed).iter().rev();
    let mut read = signatures.filter_map(|one| serde_json::from_value::<Signed>(one.clone()).ok());
    read.find(|one| one.day == day)
}

/// Reads the members of a record.
pub(super) struct Reader<'z> {
    pub zone: &'z Zone,
}

pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

pub(super) fn word(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

pub(super) fn degrees(value: &Value) -> String {
    value.as_f64().map(|value| format!("{value:.1}")).unwrap_or_else(|| "—".to_owned())
}

/// Name of an alarm transition.
fn event(value: &Value) -> String {
    let said = match value.as_str().unwrap_or_default() {
        "raised" => "触发",
        "cleared" => "恢复正常",
        "acknowledge" => "确认",
        "reset" => "复位",
        "shelve" => "搁置",
        "unshelve" => "取消搁置",
        "suppress" => "随其他报警抑制",
        "unsuppress" => "取消抑制",
        "take_out" => "停用",
        "put_back" => "恢复使用",
        other => other,
    };
    said.to_owned()
}

/// Name of a cooling rule.
fn rule(value: &Value) -> String {
    let said = match value.as_str().unwrap_or_default() {
        "two-hours" => "60→8 °C，2 小时",
        "fda" => "57→21 °C，2 小时；→5 °C，6 小时",
        other => other,
    };
    said.to_owned()
}

/// Formats seconds.
pub(super) fn span(value: &Value) -> String {
    let seconds = value.as_u64().unwrap_or_default();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} 秒"),
        (0, minutes, _) => format!("{minutes} 分"),
        (hours, minutes, _) => format!("{hours} 时 {minutes} 分"),
    }
}

/// A column of the table of cabinets: its heading, its cell, and whether a sheet of many days has it too.
type Column = (&'static str, fn(&Value) -> String, bool);

const CABINETS: [Column; 9] = [
    ("设备", |cabinet| word(&cabinet["name"]), true),
    ("用途", |cabinet| word(&cabinet["keeps"]), false),
    ("依据", |cabinet| word(&cabinet["rule"]), false),
    ("最低 °C", |cabinet| degrees(&cabinet["lowest"]), true),
    ("最高 °C", |cabinet| degrees(&cabinet["highest"]), true),
    ("合格", |cabinet| span(&cabinet["within_s"]), true),
    ("超限", |cabinet| span(&cabinet["beyond_s"]), true),
    ("8–60 °C", |cabinet| span(&cabinet["danger_s"]), true),
    ("未监测", |cabinet| span(&cabinet["unknown_s"]), true),
];

/// The temperatures: a line a cabinet, or a line a day and cabinet.
pub(super) fn cabinets<'r>(records: impl Iterator<Item = &'r Value>, of_days: bool) -> Section {
    let columns = || CABINETS.iter().filter(move |(.., is_of_days)| *is_of_days || !of_days);
    let rows = records.flat_map(|record| {
        items(&record["cabinets"]).iter().map(move |cabinet| {
            let day = of_days.then(|| word(&record["day"]));
            day.into_iter().chain(columns().map(|(_, cell, _)| cell(cabinet))).collect()
        })
    });
    let rows = rows.collect();
    let headings = of_days.then_some("日期").into_iter().chain(columns().map(|(heading, ..)| *heading));
    Section { title: "温度监测".to_owned(), headings: headings.collect(), rows }
}

// === impl Reader ===

impl Reader<'_> {
    fn time(&self, value: &Value) -> String {
        value.as_i64().map(|at| self.zone.shown(Timestamp(at))).unwrap_or_default()
    }

    pub(super) fn excursions(&self, record: &Value) -> Section {
        let mut rows = Vec::new();
        for cabinet in items(&record["cabinets"]) {
            for excursion in items(&cabinet["excursions"]) {
                let end = if excursion["to"].is_null() {
                    "仍在超限".to_owned()
                } else {
                    self.time(&excursion["to"])
                };
                let limit = degrees(&cabinet["limit"]);
                let worst = degrees(&excursion["worst"]);
                rows.push(vec![word(&cabinet["name"]), self.time(&excursion["from"]), end, limit, worst]);
            }
        }
        Section {
            title: "超限明细".to_owned(),
            headings: vec!["设备", "开始", "结束", "限值 °C", "最差 °C"],
            rows,
        }
    }

    pub(super) fn cycles(&self, record: &Value) -> Section {
        let row = |item: &Value| {
            let cycle = &item["cycle"];
            let is_clean = cycle["is_clean"] == true;
            let held = Value::from(cycle["held"].as_u64().unwrap_or_default() / 1000);
            vec![
                word(&item["device"]),
                self.time(&cycle["from"]),
                degrees(&cycle["highest"]),
                span(&held),
                if is_clean { "合格" } else { "不合格" }.to_owned(),
            ]
        };
        Section {
            title: "餐具清洗消毒".to_owned(),
            headings: vec!["设备", "时间", "最高 °C", "达标保持", "结果"],
            rows: items(&record["cycles"]).iter().map(row).collect(),
        }
    }

    pub(super) fn cooling(&self, record: &Value) -> Section {
        let row = |batch: &Value| {
            let cooling = &batch["cooling"];
            let outcome = match cooling["outcome"].as_str().unwrap_or_default() {
                "passed" => "合格",
                "failed" => "不合格",
                _ => "进行中",
            };
            let elapsed = Value::from(cooling["elapsed"].as_u64().unwrap_or_default() / 1000);
            vec![
                word(&batch["food"]),
                word(&batch["probe"]),
                rule(&cooling["rule"]),
                self.time(&batch["begun"]),
                span(&elapsed),
                outcome.to_owned(),
                word(&batch["by"]),
            ]
        };
        Section {
            title: "冷却过程".to_owned(),
            headings: vec!["食品", "探头", "规则", "开始", "用时", "结果", "操作人"],
            rows: items(&record["cooling"]).iter().map(row).collect(),
        }
    }

    pub(super) fn samples(&self, record: &Value) -> Section {
        let row = |sample: &Value| {
            let destroyed = &sample["destroyed"];
            let early = if destroyed["early"] == true { "（未满 48 小时）" } else { "" };
            let end = match destroyed.is_null() {
                true => "保存中".to_owned(),
                false => format!("{} {}{early}", self.time(&destroyed["at"]), word(&destroyed["by"])),
            };
            vec![
                word(&sample["food"]),
                word(&sample["meal"]),
                format!("{} g", sample["grams"]),
                word(&sample["cabinet"]),
                self.time(&sample["at"]),
                word(&sample["by"]),
                end,
                word(&destroyed["why"]),
            ]
        };
        Section {
            title: "食品留样".to_owned(),
            headings: vec!["食品", "餐次", "重量", "留样柜", "留样时间", "留样人", "销毁", "原因"],
            rows: items(&record["samples"]).iter().map(row).collect(),
        }
    }

    pub(super) fn alarms(&self, record: &Value) -> Section {
        let row = |step: &Value| {
            vec![
                self.time(&step["at"]),
                word(&step["text"]),
                event(&step["event"]),
                degrees(&step["value"]),
                word(&step["by"]),
                word(&step["why"]),
            ]
        };
        Section {
            title: "报警与处置".to_owned(),
            headings: vec!["时间", "报警", "事件", "数值", "处置人", "说明"],
            rows: items(&record["alarms"]).iter().map(row).collect(),
        }
    }

    pub(super) fn notes(&self, record: &Value) -> Section {
        let row = |note: &Value| vec![self.time(&note["at"]), word(&note["text"]), word(&note["by"])];
        Section {
            title: "纠正措施与说明".to_owned(),
            headings: vec!["时间", "内容", "记录人"],
            rows: items(&record["notes"]).iter().map(row).collect(),
        }
    }
}
