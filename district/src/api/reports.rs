//! Reports of a month and of an order: JSON, CSV and PDF.

use axum::extract::{Path, Query, State as Shared};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use linli_domain::Timestamp;
use linli_domain::timezone::Zone;
use linli_reports::pdf;
use linli_reports::sheet::{Section, Sheet};
use linli_reports::spreadsheet::Spreadsheet;
use linli_reports::timeline::{Curve, Timeline};
use serde_json::Value;

use super::{Problem, State, json};
use crate::monthly;

/// Which format; JSON without it.
#[derive(Debug, serde::Deserialize)]
pub struct Format {
    format: Option<String>,
}

/// Which month.
#[derive(Debug, serde::Deserialize)]
pub struct Asked {
    month: Option<String>,
    format: Option<String>,
}

/// The report of a month.
pub async fn month(
    Shared(state): Shared<State>,
    Path(centre): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let month = asked.month.filter(|month| monthly::is_month(month)).ok_or_else(|| {
        let en = "`month` is a month such as 2026-11";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "month 须为月份，如 2026-11", en).code("month")
    })?;
    let report = monthly::report(&state.pool, &centre, &month)
        .await?
        .ok_or_else(|| Problem::not_found().code("centre"))?;
    let report: Value = serde_json::from_str(&report).unwrap_or_default();
    answer(&Format { format: asked.format }, &report, month_sheet)
}

/// A report in the format that was asked for.
pub fn answer(format: &Format, report: &Value, sheet: fn(&Value) -> Sheet) -> Result<Response, Problem> {
    answer_drawn(format, report, sheet, None)
}

/// The same with a drawing in the PDF.
pub fn answer_drawn(
    format: &Format,
    report: &Value,
    sheet: fn(&Value) -> Sheet,
    drawing: Option<&Timeline>,
) -> Result<Response, Problem> {
    let file = |kind: &'static str, bytes: Vec<u8>| {
        ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-store")], bytes).into_response()
    };
    match format.format.as_deref() {
        None | Some("json") => Ok(json(report.to_string())),
        Some("csv") => Ok(file("text/csv; charset=utf-8", csv(&sheet(report)).into_bytes())),
        Some("pdf") => {
            let sheet = sheet(report);
            let bytes =
                drawing.map_or_else(|| pdf::document(&sheet), |drawing| pdf::with_timeline(&sheet, drawing));
            Ok(file("application/pdf", bytes))
        }
        Some(_) => {
            let en = "`format` is json, csv or pdf";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "format 须为 json、csv 或 pdf", en)
                .code("format"))
        }
    }
}

/// Each table below its title.
fn csv(sheet: &Sheet) -> String {
    let mut written = Spreadsheet::new();
    written.row([sheet.title.as_str()]);
    sheet.signature.iter().for_each(|line| written.row([line.as_str()]));
    for section in &sheet.sections {
        written.row([""]);
        written.row([section.title.as_str()]);
        written.row(section.headings.iter().copied());
        section.rows.iter().for_each(|row| written.row(row.iter().map(String::as_str)));
    }
    written.into_text()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A number, a text, or nothing.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The zone of the database, in which days begin.
fn zone(report: &Value) -> Zone {
    report["zone"].as_str().and_then(Zone::find).unwrap_or_else(Zone::utc)
}

/// Unix milliseconds as a time there.
fn time(zone: &Zone, value: &Value) -> String {
    value.as_i64().map_or_else(String::new, |at| zone.shown(Timestamp(at)))
}

/// Columns of a day, and their headings.
const DAY: [(&str, &str); 11] = [
    ("day", "日 day"),
    ("messages", "消息 messages"),
    ("samples", "采样 samples"),
    ("events", "事件 events"),
    ("alarms_high", "高 high"),
    ("alarms_medium", "中 medium"),
    ("alarms_low", "低 low"),
    ("food_alarms", "食品 food"),
    ("mode_changes", "房间状态 mode"),
    ("orders", "指令 orders"),
    ("vital_signs", "体征 vitals"),
];

/// The month of a centre.
fn month_sheet(report: &Value) -> Sheet {
    let zone = zone(report);
    let gateways = array(&report["gateways"]).iter();
    let made = time(&zone, &report["made_at"]);
    Sheet {
        title: format!("中心月报 Month of the centre {} {}", cell(&report["centre"]), cell(&report["month"])),
        signature: vec![
            format!("制表 made {made} · 日界时区 days of {}", cell(&report["zone"])),
            "不含任何居民信息，体征只计次数 nothing of any resident; vital signs are counted only".to_owned(),
        ],
        sections: gateways.flat_map(|gateway| [days(gateway), month_orders(&zone, gateway)]).collect(),
    }
}

/// The days of a gateway.
fn days(gateway: &Value) -> Section {
    let days = array(&gateway["days"]);
    let shown = |day: &Value, key: &str| match (&day[key], day["state"].as_str()) {
        (Value::Null, Some("none")) => "无数据 no data".to_owned(),
        (Value::Null, Some("data")) => "未知 unknown".to_owned(),
        (value, _) => cell(value),
    };
    let mut rows: Vec<Vec<String>> =
        days.iter().map(|day| DAY.iter().map(|(key, _)| shown(day, key)).collect()).collect();
    let state = |word: &str| days.iter().filter(|day| day["state"] == word).count();
    let (known, unknown) = (state("data"), state("none"));
    // Of days without data nothing is known: a sum says how many days it is of.
    let sum = |key: &str| {
        let counts: Vec<i64> = days.iter().filter_map(|day| day[key].as_i64()).collect();
        match counts.is_empty() {
            true => "未知 unknown".to_owned(),
            false if counts.len() < known => format!("≥ {}", counts.iter().sum::<i64>()),
            false => counts.iter().sum::<i64>().to_string(),
        }
    };
    let sums = DAY.iter().skip(1).map(|(key, _)| sum(key));
    let title = match unknown {
        0 => "合计 sum".to_owned(),
        unknown => format!("{known} 天合计 sum of {known} days；{unknown} 天无数据 days without data"),
    };
    rows.push(std::iter::once(title).chain(sums).collect());
    let [id, name, arrived, missing, lost] =
        ["gateway", "name", "arrived", "missing", "lost"].map(|key| cell(&gateway[key]));
    Section {
        title: format!("{id} {name} · 收到 arrived {arrived} · 缺 missing {missing} · 丢失 lost {lost}"),
        headings: DAY.iter().map(|(_, heading)| *heading).collect(),
        rows,
    }
}

/// The orders that were sent to a gateway.
fn month_orders(zone: &Zone, gateway: &Value) -> Section {
    let orders = array(&gateway["orders"]).iter();
    let row = |order: &Value| {
        let answered = time(zone, &order["answered_at"]);
        vec![cell(&order["id"]), cell(&order["class"]), cell(&order["result"]), answered]
    };
    Section {
        title: "指令 Orders".to_owned(),
        headings: vec!["编号 id", "类别 class", "结果 result", "应答 answered"],
        rows: orders.map(row).collect(),
    }
}

/// What became of an order.
pub fn order(report: &Value) -> Sheet {
    let zone = zone(report);
    let sums = report["sums"].as_object().into_iter().flatten();
    let sums: Vec<String> = sums.map(|(word, count)| format!("{word} {count}")).collect();
    let is_drill = if report["class"] == "Actual" { "实战 ACTUAL" } else { "演练 DRILL" };
    let [id, kind, state, seen, made_by] =
        ["id", "kind", "state", "seen", "made_by"].map(|key| cell(&report[key]));
    let person = |key: &str| format!("{} {}", cell(&report[key]["account"]), time(&zone, &report[key]["at"]));
    Sheet {
        title: format!("{is_drill} · 群发指令报告 Mass order {kind} {id}"),
        signature: vec![
            format!("状态 state {state} · {} · 时区 times of {}", sums.join(" · "), zone.name()),
            format!(
                "准备 prepared {made_by} {} · 第一人 first {} · 第二人 second {}",
                time(&zone, &report["made_at"]),
                person("first"),
                person("second")
            ),
            format!("所见 seen {seen}"),
        ],
        sections: vec![order_centres(&zone, report), order_events(&zone, report)],
    }
}

/// Words of the curves, as `orders::CURVES` names them.
const CURVES: [(&str, &str); 4] = [
    ("sent", "已发 sent"),
    ("answered", "已回应 answered"),
    ("ready", "已就绪 ready"),
    ("called", "已电话 rung"),
];

/// The course of an order, for the PDF.
pub fn course(report: &Value) -> Timeline {
    let (zone, told) = (zone(report), &report["timeline"]);
    let at = |value: &Value| value.as_i64().unwrap_or_default();
    let span = (at(&told["from"]), at(&told["to"]));
    let curves = CURVES.iter().map(|(key, label)| {
        let steps = array(&told[*key]).iter().map(|step| {
            let count = step[1].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default();
            (at(&step[0]), count)
        });
        Curve { label: (*label).to_owned(), steps: steps.collect() }
    });
    let moments = array(&told["acts"]).iter().filter_map(|act| {
        let what = match act["what"].as_str()? {
            "approved" => "批准 approved",
            "released" => "发放 stage",
            "stopped" => "停发 stopped",
            _ => return None,
        };
        Some((at(&act["at"]), format!("{what} {}", cell(&act["nth"])).trim_end().to_owned()))
    });
    let moments = moments.filter(|(when, _)| (span.0..=span.1).contains(when)).collect();
    let ticks = (0..=6).map(|part| {
        let when = span.0 + (span.1 - span.0) * part / 6;
        let shown = zone.shown(Timestamp(when));
        (when, shown.split_whitespace().nth(1).unwrap_or(&shown).to_owned())
    });
    Timeline {
        span,
        most: told["gateways"].as_u64().and_then(|most| usize::try_from(most).ok()).unwrap_or(1),
        curves: curves.collect(),
        moments,
        ticks: ticks.collect(),
    }
}

/// The name of a room for people, or its id.
fn name_of<'g>(gateway: &'g Value, room: &'g str) -> &'g str {
    gateway["room_names"][room].as_str().unwrap_or(room)
}

/// Where each gateway stands.
fn order_centres(zone: &Zone, report: &Value) -> Section {
    let row = |gateway: &Value| {
        let hindrances: Vec<String> = array(&gateway["preview"]["hindrances"]).iter().map(cell).collect();
        let rooms = gateway["rooms"].as_object().into_iter().flatten();
        let rooms: Vec<String> =
            rooms.map(|(room, stage)| format!("{} {}", name_of(gateway, room), cell(stage))).collect();
        vec![
            format!("{}/{} {}", cell(&gateway["centre"]), cell(&gateway["gateway"]), cell(&gateway["name"])),
            cell(&gateway["ramp"]),
            hindrances.join(" "),
            cell(&gateway["state"]),
            cell(&gateway["result"]),
            cell(&gateway["reason"]),
            cell(&gateway["sent"]),
            time(zone, &gateway["answered_at"]),
            rooms.join("; "),
            cell(&gateway["phone"]),
        ]
    };
    Section {
        title: "各中心 Centres".to_owned(),
        headings: vec![
            "中心 centre",
            "批 stage",
            "障碍 hindrances",
            "状态 state",
            "应答 answer",
            "原因 reason",
            "次 sent",
            "应答时间 answered",
            "房间 rooms",
            "电话 phone",
        ],
        rows: array(&report["gateways"]).iter().map(row).collect(),
    }
}

/// All that happened, in order.
fn order_events(zone: &Zone, report: &Value) -> Section {
    let row = |event: &Value| {
        let rest = ["account", "nth", "centre", "gateway", "room", "stage", "result", "reason"];
        let rest: Vec<String> =
            rest.iter().map(|key| cell(&event[*key])).filter(|text| !text.is_empty()).collect();
        vec![time(zone, &event["at"]), cell(&event["what"]), rest.join(" ")]
    };
    Section {
        title: "经过 Events".to_owned(),
        headings: vec!["时间 time", "事 what", "详情 details"],
        rows: array(&report["events"]).iter().map(row).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_course_of_an_order_is_drawn() {
        let act =
            |at: i64, what: &str, nth: i32| json!({"at": at, "what": what, "account": "chen", "nth": nth});
        let report = json!({"id": "o-1", "kind": "Enter", "class": "Actual", "zone": "Asia/Shanghai", "state": "released",
            "gateways": [], "events": [], "timeline": {"from": 1_795_428_000_000_i64, "to": 1_795_428_060_000_i64,
                "gateways": 14, "sent": [[1_795_428_001_000_i64, 1], [1_795_428_020_000_i64, 14]],
                "answered": [[1_795_428_002_000_i64, 1]], "ready": [], "called": [],
                "acts": [act(1_795_427_000_000, "approved", 1), act(1_795_428_000_000, "released", 1)]}});
        let course = course(&report);
        assert_eq!((course.most, course.curves.len()), (14, 4));
        assert_eq!(
            course.moments,
            [(1_795_428_000_000, "发放 stage 1".to_owned())],
            "what was before is not drawn"
        );
        assert_eq!(course.ticks.first().map(|(_, text)| text.as_str()), Some("18:00:00"));
        let (with, without) = (pdf::with_timeline(&order(&report), &course), pdf::document(&order(&report)));
        assert!(
            with.starts_with(b"%PDF-") && with.len() > without.len() + 500,
            "{} {}",
            with.len(),
            without.len()
        );
    }

    #[test]
    fn a_month_becomes_a_table_and_a_document() {
        let day = |day: &str, messages: u32| json!({"day": day, "state": "data", "messages": messages, "samples": 7 * messages});
        let report = json!({"centre": "c", "month": "2026-11", "zone": "Asia/Shanghai", "made_at": 1_795_428_000_000_i64,
            "gateways": [{"gateway": "gw", "name": "=星河", "arrived": 5, "missing": 1, "lost": 0,
                "days": [day("2026-11-01", 2), day("2026-11-02", 3),
                    {"day": "2026-11-03", "state": "none", "messages": null, "samples": null},
                    {"day": "2026-11-04", "state": "future", "messages": null, "samples": null}],
                "orders": [{"id": "o-1", "class": "Actual", "result": "accepted", "answered_at": null}]}]});
        let sheet = month_sheet(&report);
        let written = csv(&sheet);
        assert!(written.contains("2026-11-02,3,21,"), "{written}");
        assert!(written.contains("2026-11-03,无数据 no data,无数据 no data,"), "{written}");
        assert!(written.contains("\n2026-11-04,,,"), "{written}");
        assert!(written.contains("2 天合计 sum of 2 days；1 天无数据 days without data,5,35,"), "{written}");
        assert!(written.contains("o-1,Actual,accepted,"), "{written}");
        assert!(pdf::document(&sheet).starts_with(b"%PDF-"));
    }
}
