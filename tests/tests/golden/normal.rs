//! What in these answers depends on how fast the machine is, on the time of day, or on chance.

use linli_tests::golden::Json;

/// Keys whose numbers depend on how fast the machine is, or on the time of day.
pub const NUMBERS: [&str; 42] = [
    "acknowledged",
    "age_months",
    "age_s",
    "asked_s",
    "beyond_s",
    "body_bytes",
    "busy_us",
    "bytes",
    "commit_us",
    "commits",
    "committed",
    "connects",
    "danger_s",
    "dead_letters",
    "degraded",
    "given_up",
    "in_flight",
    "in_service",
    "late_replies",
    "latency_us",
    "left_s",
    "maintenance",
    "no_subscriber",
    "offline",
    "ok",
    "oldest_in_flight_ms",
    "oldest_unconfirmed_ms",
    "opens",
    "out_of_service",
    "overruns",
    "repeated",
    "requests",
    "rows",
    "sent",
    "shelved_for",
    "timeouts",
    "turns",
    "unknown_s",
    "uptime_s",
    "used_bytes",
    "values_read",
    "values_reported",
];

/// Of a device that counts requests one point is enough, and its value differs; so do a node's counters.
pub fn counting(json: Json) -> Json {
    let differs = || Json::text("<number>");
    match json {
        Json::Array(all) => Json::Array(all.into_iter().map(counting).collect()),
        Json::Object(mut members) => {
            let has = |key: &str, value: &str| {
                members.iter().any(|(name, of)| name == key && *of == Json::text(value))
            };
            let (is_block, is_uptime) = (has("device", "block"), has("point", "uptime"));
            let is_counter = ["code", "count"].iter().all(|key| members.iter().any(|(name, _)| name == key));
            for (name, value) in &mut members {
                match (name.as_str(), value) {
                    ("points", Json::Array(points)) if is_block => {
                        points.truncate(1);
                        let Some(Json::Object(point)) = points.first_mut() else { continue };
                        point
                            .iter_mut()
                            .filter(|(name, _)| name == "value")
                            .for_each(|(_, v)| *v = differs());
                    }
                    ("count", value) if is_counter => *value = differs(),
                    // None outside the opening hours of the centre.
                    ("availability" | "availability_today", value) => *value = differs(),
                    ("value", value) if is_uptime || is_block => *value = differs(),
                    _ => {}
                }
            }
            Json::Object(members.into_iter().map(|(name, value)| (name, counting(value))).collect())
        }
        same => same,
    }
}

/// Spans of time, as the daily record of the canteen writes them, without their numbers.
pub fn without_spans(text: &str) -> String {
    let mut spans = text.to_owned();
    for unit in [" 时", " 分", " 秒"] {
        let mut parts = spans.split(unit).peekable();
        let mut whole = String::new();
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let bare = if is_last { part } else { part.trim_end_matches(|c: char| c.is_ascii_digit()) };
            whole += bare;
            if !is_last {
                whole += if bare.len() < part.len() { "<n>" } else { "" };
                whole += unit;
            }
        }
        spans = whole;
    }
    spans
        .replace("<n> 时 <n> 分", "<span>")
        .replace("<n> 分 <n> 秒", "<span>")
        .replace("<n> 分", "<span>")
        .replace("<n> 秒", "<span>")
}

/// Lines of the record before any order: which room's fire panel is read first is chance.
pub fn any_room_first(json: Json) -> Json {
    let Json::Array(mut lines) = json else { return json };
    for line in &mut lines {
        let Json::Object(members) = line else { continue };
        members.iter_mut().filter(|(key, _)| key == "n").for_each(|(_, n)| *n = Json::text("<number>"));
    }
    lines.sort_by_key(|line| serde_json::to_string(line).unwrap_or_default());
    Json::Array(lines)
}
