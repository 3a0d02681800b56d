//! Prints answers of nodes in Chinese and English.

use std::fmt::Write;

use jiff::Timestamp;
use serde_json::Value;

/// Width of the first column, where a Chinese character counts as two.
const WORD: usize = 28;

/// Prints identity and firmware.
pub fn identity(node: &Value) -> String {
    let text = |key: &str| node[key].as_str().unwrap_or_default().to_owned();
    let mut out = String::new();
    row(&mut out, "serial 序列号", &text("serial"));
    row(&mut out, "kind 类型", &both(&node["kind"]));
    row(&mut out, "board 板型", &text("board"));
    let boot = both(&node["boot"]);
    row(&mut out, "firmware 固件", &format!("{} ({boot})", text("firmware")));
    row(&mut out, "running 运行时间", &span(node["uptime_s"].as_u64().unwrap_or_default()));
    row(&mut out, "last reset 上次复位", &list(&node["reset_cause"]));
    row(&mut out, "remarks 提示", &list(&node["status"]));
    out
}

/// Prints the status with all counters.
pub fn status(node: &Value) -> String {
    let mut out = identity(node);
    row(&mut out, "name 名称", node["name"].as_str().unwrap_or_default());
    let line = format!(
        "unit {}, {} baud, parity {}",
        node["unit"],
        node["baud"],
        node["parity"].as_str().unwrap_or_default()
    );
    row(&mut out, "line 通信", &line);
    row(&mut out, "lease 输出租约", &format!("{} s", node["lease_s"]));
    for offset in node["offsets"].as_array().into_iter().flatten() {
        let name = format!("calibration 校准 {}", offset["point"].as_str().unwrap_or_default());
        row(
            &mut out,
            &name,
            &format!(
                "{:+} {}",
                offset["offset"].as_f64().unwrap_or(0.0),
                offset["unit"].as_str().unwrap_or_default()
            ),
        );
    }
    let update = &node["update"];
    let mut state = both(&update["state"]);
    if update["state"]["code"] != "idle" {
        let _ = write!(state, ", {} / {} bytes of {}", update["next"], update["total"], update["version"]);
    }
    if update["trial_s"].as_u64().is_some_and(|left| left > 0) {
        let _ = write!(state, ", {} s left on trial (试运行)", update["trial_s"]);
    }
    row(&mut out, "update 升级", &state);
    if !update["reason"].is_null() {
        row(&mut out, "last refusal 上次拒绝", &both(&update["reason"]));
    }
    out.push_str("\ncounters 计数\n");
    let refused = node["refused"].as_array().into_iter().flatten();
    for counter in node["counters"].as_array().into_iter().flatten().chain(refused) {
        let name = format!(
            "  {} {}",
            counter["code"].as_str().unwrap_or_default(),
            counter["zh"].as_str().unwrap_or_default()
        );
        row(&mut out, &name, &counter["count"].to_string());
    }
    out
}

/// Prints the log.
pub fn log(node: &Value) -> String {
    let mut out = String::new();
    let entries = node["entries"].as_array().map_or(&[][..], Vec::as_slice);
    for entry in entries {
        let value = entry["value"].as_str().map_or_else(|| entry["argument"].to_string(), str::to_owned);
        let seq = entry["seq"].as_u64().unwrap_or_default();
        let at = span(entry["uptime_s"].as_u64().unwrap_or_default());
        let _ = writeln!(out, "{seq:6}  {at:>12}  {}: {value}", both(&entry["what"]));
    }
    let _ =
        writeln!(out, "{} entries (条); times are since its start then (时间为当次启动后)", entries.len());
    out
}

/// Prints the result of the self-test.
pub fn selftest(node: &Value) -> String {
    let test = &node["selftest"];
    let mut out = String::new();
    for item in test["items"].as_array().into_iter().flatten() {
        row(&mut out, &both(&item["item"]), &both(&item["verdict"]));
    }
    row(&mut out, "together 结论", &both(&test["state"]));
    out
}

/// Prints that an update was aborted.
pub fn aborted(node: &Value) -> String {
    format!("update 升级: {}\n", both(&node["update"]["state"]))
}

/// Prints that the node restarts.
pub fn restarted(node: &Value) -> String {
    format!("{} restarts (正在重启)\n", node["serial"].as_str().unwrap_or_default())
}

/// Prints the new calibration.
pub fn calibrated(node: &Value) -> String {
    let mut out = String::new();
    for offset in node["offsets"].as_array().into_iter().flatten() {
        let name = offset["point"].as_str().unwrap_or_default();
        row(
            &mut out,
            name,
            &format!(
                "{:+} {}",
                offset["offset"].as_f64().unwrap_or(0.0),
                offset["unit"].as_str().unwrap_or_default()
            ),
        );
    }
    out
}

/// Prints a line of the record.
pub fn audit_line(line: &Value) -> String {
    let text = |key: &str| line[key].as_str().unwrap_or_default();
    let at = line["at"].as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = at.map_or_else(String::new, |at| at.strftime("%Y-%m-%d %H:%M:%SZ").to_string());
    let more: Vec<&str> = ["about", "detail"].iter().map(|key| text(key)).filter(|t| !t.is_empty()).collect();
    format!(
        "{:5}  {at}  {:20} {:10} {:8} {}  {}",
        line["n"],
        text("device"),
        text("action"),
        text("result"),
        text("who"),
        more.join("; ")
    )
}

fn both(words: &Value) -> String {
    match (words["zh"].as_str(), words["en"].as_str()) {
        (Some(zh), Some(en)) => format!("{zh} {en}"),
        _ => words["code"].to_string(),
    }
}

fn list(all: &Value) -> String {
    let words: Vec<String> = all
        .as_array()
        .into_iter()
        .flatten()
        .map(|word| {
            format!(
                "{} {}",
                word["zh"].as_str().unwrap_or_default(),
                word["code"].as_str().unwrap_or_default()
            )
        })
        .collect();
    if words.is_empty() { "—".to_owned() } else { words.join(", ") }
}

fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours) {
        (0, 0) => format!("{minutes} min {} s", seconds % 60),
        (0, _) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

fn row(out: &mut String, name: &str, value: &str) {
    let width: usize = name.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    let pad = WORD.saturating_sub(width).max(1);
    let _ = writeln!(out, "{name}{}{value}", " ".repeat(pad));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_of_the_record_says_who_did_what_with_which_result() {
        let line = json!({"n": 7, "at": 1_795_428_000_000_i64, "device": "fridge-node-1", "action": "flash", "result": "done",
            "who": "local:0", "about": "1.1.0 aabbccdd"});
        let shown = audit_line(&line);
        assert!(
            shown.contains("fridge-node-1") && shown.contains("1.1.0") && shown.contains("2026-11-"),
            "{shown}"
        );
    }

    #[test]
    fn time_since_the_start_is_short() {
        assert_eq!(
            (span(59), span(3600 * 5), span(90_000)),
            ("0 min 59 s".into(), "5 h 0 min".into(), "1 d 1 h".into())
        );
    }
}
