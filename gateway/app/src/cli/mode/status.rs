//! `linli mode status` and `linli mode plan`: prints rooms and previews.

use std::time::Duration;

use linli_mode::bracketed;
use serde_json::{Value, json};

use super::super::config_dir::ConfigDir;
use super::ask;
use linli_domain::timezone::Zone;
use linli_mode::labels;

/// Longest time between two updates of the display.
const REDRAW: Duration = Duration::from_secs(1);

/// Prints every room; when watching, again on every change until interrupted. A gateway that no longer answers is told
/// in place of the rooms: what was shown before may no longer be so.
pub fn run(site: &ConfigDir, is_watching: bool, is_json: bool) -> anyhow::Result<()> {
    let mut before = Value::Null;
    loop {
        let shown = match ask(site, "GET", "/api/v1/mode", "") {
            Err(error) if is_watching && !before.is_null() => json!({"unanswered": format!("{error:#}")}),
            answered => answered?,
        };
        if is_json {
            if shown != before {
                println!("{shown}");
            }
        } else {
            if is_watching {
                // Clears the screen and moves to its corner (ECMA-48).
                print!("\u{1b}[2J\u{1b}[H");
            }
            match shown["unanswered"].as_str() {
                Some(why) => {
                    println!("网关没有回应，状态未知 the gateway does not answer, nothing is known: {why}")
                }
                None => print(&shown, &site.zone()),
            }
        }
        if !is_watching {
            return Ok(());
        }
        before = shown;
        super::super::runtime()?.block_on(async { tokio::time::sleep(REDRAW).await });
    }
}

fn print(shown: &Value, zone: &Zone) {
    let rooms = shown["rooms"].as_array().map(Vec::as_slice).unwrap_or_default();
    println!("{} {}", word(shown, "centre"), all_said(&shown["together"], rooms));
    let sites = shown["sites"].as_array().map(Vec::as_slice).unwrap_or_default();
    for site in sites.iter().filter(|_| sites.len() > 1) {
        let its = rooms.iter().filter(|room| room["site"] == site["site"]);
        let all = all_said(&site["together"], its);
        println!("  站点 site      {} {} {all}", word(site, "site"), word(site, "name"));
    }
    for room in rooms {
        println!();
        print_room(room, zone);
    }
    if rooms.is_empty() {
        println!("没有预案 no plans: write them into plans/, see `linli schema`");
    }
    for code in shown["quarantined"].as_array().into_iter().flatten() {
        let code = code.as_str().unwrap_or_default();
        println!(
            "\n指令待核对 an order waits: compare {code} by telephone, then `linli order send --code {code}`"
        );
    }
    let record = &shown["record"];
    println!("\n记录 record  {} · {}", record["count"], word(record, "root").get(..8).unwrap_or_default());
}

/// Mode of all rooms together. With a real order in any room, it is not a drill.
fn all_said<'v>(together: &Value, rooms: impl IntoIterator<Item = &'v Value>) -> String {
    let is_real = rooms.into_iter().any(|room| room["class"] == "Actual");
    let is_drill = together["is_exercise"] == Value::Bool(true) && !is_real;
    said(is_drill, &stage(&together["stage"]))
}

/// Texts of a drill are enclosed in 【演练】.
fn said(is_drill: bool, text: &str) -> String {
    if is_drill { bracketed(text) } else { text.to_owned() }
}

/// Prints what a stop did to each output.
pub fn print_stop(stop: &Value) {
    for did in stop["outputs"].as_array().into_iter().flatten() {
        let said = match did["state"].as_str().unwrap_or_default() {
            "made_safe" => "已回到安全状态 made safe",
            "already_safe" => "原已安全 already safe",
            "not_written" => "未能写入 could not be written",
            _ => "尚无回应 no answer yet",
        };
        let why = did["why"].as_str().map(|why| format!(": {why}")).unwrap_or_default();
        println!("  {} → {}  {said}{why}", word(did, "output"), word(did, "safe"));
    }
    if let Some(text) = stop["text"].as_str() {
        println!("{text}");
    }
}

/// Prints one room.
pub fn print_room(room: &Value, zone: &Zone) {
    let verified = if room["verified"] == Value::Bool(true) { " ✓" } else { "" };
    let class = match room["class"].as_str() {
        Some("Actual") => "【实战】",
        Some(_) => "【演练】",
        None => "",
    };
    let stage = said(room["class"] == "Exercise", &stage(&room["stage"]));
    let since = if room["since"].is_null() {
        String::new()
    } else {
        format!(" · 自 since {}", time(zone, &room["since"]))
    };
    println!("{class}{} {} {stage}{verified}{since}", word(room, "room"), word(room, "name"));
    for told in [&room["lost"], &room["notice"]].into_iter().filter_map(Value::as_str) {
        println!("  {told}");
    }
    print_fire_panel(room);
    print_service(room, zone);
    if room["plan"].is_null() {
        return;
    }
    for silent in room["silent"].as_array().into_iter().flatten() {
        let left = silent["held_in_s"].as_u64().map(|left| format!("，{left} s 后停止 held in {left} s"));
        println!("  无数据 silent  {}{}", word(silent, "what"), left.unwrap_or_default());
    }
    for held in room["held"].as_array().into_iter().flatten() {
        println!("  停止原因 held  {}", both(&held["why"]));
        println!("    怎样解除 ends {}", both(&held["ends"]));
    }
    if room["waits"].is_object() {
        println!("  等待 waits     {}", both(&room["waits"]));
    }
    room["asked"].as_array().into_iter().flatten().for_each(print_asked);
    let unproven = strings(&room["unproven"]);
    if !unproven.is_empty() {
        println!("  未证实安全 not proven safe: {}", unproven.join(", "));
    }
    println!(
        "  预案 plan      {} → {} · 指令 order {}",
        word(room, "plan"),
        word(room, "role"),
        word(room, "order")
    );
    println!(
        "  时限 in time   {} · 最迟 at the latest {}",
        time(zone, &room["ready_within_until"]),
        time(zone, &room["ready_by"])
    );
    for step in room["steps"].as_array().into_iter().flatten() {
        print_step(step);
    }
    print_people(room);
    let policy = &room["policy"];
    if policy.is_object() {
        println!("  数据策略 policy {} · 自 since {}", word(policy, "plan"), time(zone, &policy["since"]));
    }
    print_alternate(room);
}

/// Prints the room that can be used instead, and how to begin it, if one is proposed.
fn print_alternate(room: &Value) {
    let alternate = &room["alternate"];
    if !alternate.is_object() {
        return;
    }
    println!(
        "  可改用 alternate {} → {}: {}",
        word(alternate, "room"),
        word(alternate, "plan"),
        word(alternate, "why")
    );
    match alternate["needed"].as_str() {
        None => println!("    linli mode alternate {} --as PERSON --why …", word(room, "room")),
        Some(needed) => println!("    {needed}"),
    }
}

/// Prints the state of the fire panel and the age of its reading, unless the room has none.
fn print_fire_panel(room: &Value) {
    let panel = &room["fire_panel"];
    if !panel.is_object() {
        return;
    }
    let age = match panel["age_s"].as_u64() {
        Some(age) => format!("{age} s 前 ago"),
        None => "从未读到 never read".to_owned(),
    };
    println!("  消防 fire      {} · {age} · {}", both(panel), word(panel, "input"));
}

/// Prints who was asked for a step, and how long they have.
fn print_asked(asked: &Value) {
    let what = if asked["decide"] == Value::Bool(true) {
        "决定：重试或豁免 decides: retry or waive".to_owned()
    } else {
        word(asked, "prompt").to_owned()
    };
    let mut line = format!(
        "  待办 asked     {} {} {}/{}: {what}",
        word(asked, "step"),
        word(asked, "role"),
        asked["done"],
        asked["count"]
    );
    if let Some(since) = asked["asked_s"].as_u64() {
        line += &format!(" · 已等 for {}", span(since));
    }
    if let Some(left) = asked["left_s"].as_u64() {
        line += &format!(" · 还剩 left {}", span(left));
    }
    let escalated = strings(&asked["escalated_to"]);
    if !escalated.is_empty() {
        line += &format!(" · 已上报 escalated to {}", escalated.join(", "));
    }
    println!("{line}");
}

/// A text in both languages.
fn both(text: &Value) -> String {
    format!("{} {}", word(text, "zh"), word(text, "en"))
}

/// Prints the service state of a room, if it is in one.
fn print_service(room: &Value, zone: &Zone) {
    let service = &room["service"];
    match service["state"].as_str() {
        Some("open") => println!(
            "  检修中 service  至 until {} · {}{} · {}",
            time(zone, &service["until"]),
            word(service, "by"),
            if service["unverified"] == Value::Bool(true) { "（未核实 unverified）" } else { "" },
            word(service, "why")
        ),
        Some(_) => println!(
            "  检修后未证实安全 not proven safe after service: {}",
            strings(&service["unproven"]).join(", ")
        ),
        None => {}
    }
}

/// Prints who acted under the order, by which account, and whether a log-in proves it.
fn print_people(room: &Value) {
    for acting in room["people"].as_array().into_iter().flatten() {
        let screen = acting["screen"].as_str().or_else(|| acting["screen"]["enrolled"].as_str());
        let known = [acting["account"].as_str(), acting["login"].as_str(), screen];
        let known: Vec<&str> = known.into_iter().flatten().collect();
        let known = if known.is_empty() { "未记录 not recorded".to_owned() } else { known.join(", ") };
        match (acting["person"].as_str(), &acting["unverified"]) {
            (None, _) => println!("  人员 person    （未具名 no name given） · {known}"),
            (Some(person), Value::Bool(true)) => println!(
                "  人员 person    {person} · {known} · 未核实 unverified: 姓名未经登录证实 no log-in proves this name"
            ),
            (Some(person), _) => println!("  人员 person    {person} · {known} · 已核实 verified"),
        }
    }
}

fn print_step(step: &Value) {
    let state = word(step, "state");
    let mark = match state {
        "verified" | "already_ok" => "✓",
        "waived" | "simulated" | "skipped" => "○",
        "failed" | "stuck" => "✗",
        "pending" => "·",
        _ => "▶",
    };
    let mut more = Vec::new();
    more.extend(step["channel"].as_str().filter(|_| state == "verified").map(str::to_owned));
    let by = strings(&step["done_by"]);
    if !by.is_empty() {
        more.push(by.join("+"));
    }
    if mark == "▶" || mark == "✗" {
        if step["kind"] == "human" {
            more.push(format!("{}×{} {}", word(step, "role"), step["count"], word(step, "prompt")));
        }
        if let Some(left) = step["left_s"].as_u64() {
            more.push(format!("{left} s"));
        }
        let waits = strings(&step["waits_for"]);
        if !waits.is_empty() {
            more.push(format!("等待 waits for: {}", waits.join("; ")));
        }
    }
    println!("  {mark} {:16} {}  {}", word(step, "step"), labels::step(state), more.join(" · "));
}

/// Prints the previews of plans, and the snapshot hash for an order.
pub fn plans(site: &ConfigDir, plans: &[String], is_json: bool) -> anyhow::Result<()> {
    for (nth, name) in plans.iter().enumerate() {
        if nth > 0 && !is_json {
            println!();
        }
        plan(site, name, is_json)?;
    }
    if plans.len() > 1 || !is_json {
        let seen = ask(site, "GET", &format!("/api/v1/mode/snapshot/{}", plans.join(",")), "")?;
        match is_json {
            true => println!("{seen:#}"),
            false => println!(
                "快照 snapshot  {}   （linli order new --snapshot CENTRE:SNAPSHOT）",
                word(&seen, "snapshot")
            ),
        }
    }
    Ok(())
}

/// Prints the preview of a plan.
fn plan(site: &ConfigDir, plan: &str, is_json: bool) -> anyhow::Result<()> {
    let is_name = plan.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.@".contains(&b));
    anyhow::ensure!(is_name && !plan.is_empty(), "{plan:?} is no plan; write it as reading-room.sampling@1");
    let shown = ask(site, "GET", &format!("/api/v1/mode/plans/{plan}"), "")?;
    if is_json {
        println!("{shown:#}");
        return Ok(());
    }
    println!("{} · {} → {}", word(&shown, "plan"), word(&shown, "room"), word(&shown, "role"));
    println!("依据 basis     {}", strings(&shown["basis"]).join(", "));
    println!("负责 lead      {}", word(&shown, "lead"));
    println!(
        "用时 time      最长 at most {} · 要求 wanted {}",
        minutes(&shown["at_most_s"]),
        minutes(&shown["ready_within_s"])
    );
    for step in shown["steps"].as_array().into_iter().flatten() {
        let mark = if step["critical"] == Value::Bool(true) { "*" } else { " " };
        let who = match step["kind"].as_str() {
            Some("human") => format!("{}×{} {}", word(step, "role"), step["count"], word(step, "prompt")),
            Some("process") => format!("{} min, {}", minutes(&step["span_s"]), word(step, "channel")),
            _ => format!("≤ {} s, {}", step["within_s"], word(step, "channel")),
        };
        println!(
            "{mark} {:>8}  {:16} {:8} {who}",
            minutes(&step["ends_s"]),
            word(step, "step"),
            word(step, "kind")
        );
    }
    println!("* 关键路径 critical path");
    for (title, key) in
        [("现在未知 not known now", "unknown"), ("现在不成立 does not hold now", "not_so_now")]
    {
        let claims = strings(&shown[key]);
        if !claims.is_empty() {
            println!("{title}: {}", claims.join("; "));
        }
    }
    Ok(())
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

fn minutes(seconds: &Value) -> String {
    span(seconds.as_u64().unwrap_or_default())
}

fn span(seconds: u64) -> String {
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn time(zone: &Zone, at: &Value) -> String {
    zone.shown(linli_domain::Timestamp(at.as_i64().unwrap_or_default()))
}

fn stage(stage: &Value) -> String {
    serde_json::from_value(stage.clone()).map(labels::stage).unwrap_or_default()
}
