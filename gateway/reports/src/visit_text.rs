//! A visit as text for people: whose visit, what counts, and each measurement in a line.

use std::fmt::Write;

use linli_domain::visit::Unassigned;
use linli_domain::vital::{Caveat, Quantity, Reading};
use linli_domain::{Civil, Timestamp};
use serde::Deserialize;
use serde_json::Value;

/// A visit as the API shows it, as text in both languages.
#[must_use]
pub fn text(visit: &Value) -> String {
    let word = |key: &str| visit[key].as_str().unwrap_or_default();
    let mut text = format!("{}  {}", word("id"), word("room"));
    for (key, label) in [("code", "code 代码"), ("name", "name 姓名"), ("pseudonym", "pseudonym 居民代号")]
    {
        if !word(key).is_empty() {
            let _ = write!(text, "  {label} {}", word(key));
        }
    }
    let ended = match &visit["ended"] {
        Value::Array(ended) => format!("{} {}", when(&ended[0]), ended[1].as_str().unwrap_or_default()),
        _ => "open 进行中".to_owned(),
    };
    let _ = writeln!(text, "\nopened 开始 {}  ended 结束 {ended}", when(&visit["opened"]));
    outreach(&mut text, &visit["progress"]["outreach"]);
    if let Some(identity) = visit["identity"].as_object() {
        let parts: Vec<&str> = identity.values().filter_map(Value::as_str).collect();
        let _ = writeln!(text, "identity 身份 {}", parts.join("  "));
    }
    summary(&mut text, &visit["summary"]);
    let measurements = visit["measurements"].as_array().map(Vec::as_slice).unwrap_or_default();
    let _ = writeln!(text, "\nmeasurements 测量 ({}):", measurements.len());
    for version in measurements {
        let _ = writeln!(text, "  {}", measured(version));
    }
    text
}

/// Where a visit of an outreach comes from, and the doubt about its times.
fn outreach(text: &mut String, outreach: &Value) {
    let Some(from) = outreach["from"].as_str() else { return };
    let _ = write!(text, "outreach 巡诊 {from}  imported 导入 {}", when(&outreach["imported"]));
    if let Some(ahead) = outreach["clock_ahead_ms"].as_i64() {
        let (minutes, way) = (ahead.abs() / 60_000, if ahead > 0 { "ahead 快" } else { "behind 慢" });
        let _ = write!(text, "  (the clock of the box was {minutes} min {way}: 时间以设备为准)");
    }
    text.push('\n');
}

fn summary(text: &mut String, summary: &Value) {
    let flags = summary["assessment"].as_array().map(Vec::as_slice).unwrap_or_default();
    for shown in summary["values"].as_array().into_iter().flatten() {
        let Some(reading) = reading(shown) else { continue };
        let flag = flags.iter().find(|flag| flag["quantity"] == shown["quantity"]);
        let flag = flag.and_then(|flag| flag["text"].as_str()).unwrap_or_default();
        let _ = writeln!(text, "  {} {flag}", value(&reading));
    }
    if let Some(count) = summary["blood_pressure_of"].as_u64().filter(|count| *count > 1) {
        let _ = writeln!(text, "  (mean of the last {count} blood pressures 血压为最近 {count} 次的平均)");
    }
    let score = &summary["news2"];
    if let Some(total) = score["total"].as_u64() {
        let _ = writeln!(text, "  NEWS2 {total}");
    } else if let Some(known) = score["known"].as_u64() {
        let _ = writeln!(text, "  NEWS2 incomplete 不完整 ({known}/7)");
    }
}

/// A measurement in a line: time, device, values, why it belongs to nobody.
#[must_use]
pub fn measured(version: &Value) -> String {
    let word = |key: &str| version[key].as_str().unwrap_or_default();
    let measurement = &version["measurement"];
    let readings = measurement["readings"].as_array().into_iter().flatten();
    let values: Vec<String> = readings.filter_map(reading).map(|reading| value(&reading)).collect();
    let (id, at) = (word("id"), when(&measurement["taken"]["at"]));
    let mut line = format!("{id}  {at}  {:12} {}", word("device"), values.join(", "));
    if word("status") != "final" {
        let _ = write!(line, "  [{}]", word("status"));
    }
    if let Ok(why) = Unassigned::deserialize(&version["unassigned"]) {
        let _ = write!(line, "  {} ({})", why.english(), why.chinese());
    }
    line
}

/// A reading of a measurement or of a summary.
pub(crate) fn reading(shown: &Value) -> Option<Reading> {
    let quantity = Quantity::find(shown["quantity"].as_str()?)?;
    let own = |key: &str| Some(&shown[key]).filter(|value| !value.is_null());
    let value = shown["value"].as_f64();
    let absent = own("absent").and_then(|why| serde_json::from_value(why.clone()).ok());
    Some(Reading {
        value: value.ok_or(absent.unwrap_or(linli_domain::vital::NoReading::NotPerformed)),
        comparator: own("comparator").and_then(|sign| serde_json::from_value(sign.clone()).ok()),
        upper: shown["upper"].as_f64(),
        site: own("site").and_then(|site| serde_json::from_value(site.clone()).ok()),
        caveats: own("caveats")
            .and_then(|all| serde_json::from_value::<Vec<Caveat>>(all.clone()).ok())
            .unwrap_or_default(),
        ..Reading::of(quantity, 0.0)
    })
}

fn value(reading: &Reading) -> String {
    let quantity = reading.quantity;
    let site = reading.site.map_or_else(String::new, |site| format!("({})", site.as_str()));
    let number = reading.shown().map_or_else(
        || format!("no value 无值 ({})", reading.value.err().map_or_else(String::new, |why| plain(&why))),
        |number| format!("{number} {}", quantity.unit()),
    );
    let caveats: Vec<String> = reading.caveats.iter().map(plain).collect();
    let doubts = if caveats.is_empty() { String::new() } else { format!(" [{}]", caveats.join(", ")) };
    format!("{} {}{site} {number}{doubts}", quantity.as_str(), quantity.chinese())
}

/// The word by which a value is stored.
fn plain(word: &impl serde::Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

fn when(at: &Value) -> String {
    format!("{}Z", Civil::of(Timestamp(at.as_i64().unwrap_or_default())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_visit_is_a_page_and_not_its_json() {
        let reading = json!({"quantity": "glucose", "value": 33.3, "comparator": ">"});
        let doubtful = json!({"quantity": "systolic", "value": 150.0, "caveats": ["cuff_loose"]});
        let absent = json!({"quantity": "pulse_rate", "value": null, "absent": "error"});
        let measurement = json!({
            "id": "m-1", "status": "final", "device": "cuff-1", "unassigned": "other_room",
            "measurement": {"taken": {"at": 1_795_428_000_000_i64}, "readings": [reading, doubtful, absent]},
        });
        let visit = json!({
            "id": "v-1", "room": "cabin", "code": "A1", "name": "张**", "opened": 1_795_428_000_000_i64,
            "ended": [1_795_428_600_000_i64, "completed"], "measurements": [measurement],
            "summary": {
                "values": [{"quantity": "systolic", "unit": "mm[Hg]", "value": 72.0}],
                "assessment": [{"quantity": "systolic", "flag": "low", "text": "偏低"}],
                "blood_pressure_of": 2, "news2": {"known": 2, "any_three": true},
            },
        });
        let text = text(&visit);
        assert!(text.lines().count() < 12, "{text}");
        for part in [
            "v-1  cabin",
            "A1",
            "张**",
            "completed",
            "72 mm[Hg] 偏低",
            "NEWS2 incomplete",
            "(2/7)",
            ">33.3 mmol/L",
            "150 mm[Hg] [cuff_loose]",
            "no value 无值 (error)",
            "另一个房间",
        ] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
