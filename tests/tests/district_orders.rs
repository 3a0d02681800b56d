//! Mass orders of the district: two persons, what they saw, the ramp, the silent, the reports; who may do what.

use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::log_in::PASSWORD;
use linli_tests::room::{ENTER, Room};
use linli_tests::{Broker, Database, District, Platform, Workspace};
use serde_json::{Value, json};

/// Every wait of these tests is for an event; this only bounds a test that would wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a person approves with.
fn approval(seen: &Value, typed: Option<(i64, &str)>) -> String {
    let mut body = json!({"seen": seen, "password": PASSWORD});
    if let Some((count, class)) = typed {
        body["count"] = count.into();
        body["class"] = class.into();
    }
    body.to_string()
}

/// Two persons approve a prepared order for one gateway, which is its only stage.
fn approve(platform: &Platform, prepared: &Value) -> anyhow::Result<()> {
    let path = format!("/api/v1/orders/{}/approve", prepared["id"].as_str().unwrap_or_default());
    let (status, once) = platform.post("wang", &path, &approval(&prepared["seen"], None))?;
    ensure!(status == 200 && once["state"] == "approved_once", "{status} {once}");
    let typed = Some((1, "Actual"));
    let (status, released) = platform.post("li", &path, &approval(&prepared["seen"], typed))?;
    ensure!(status == 200 && released["second"]["account"] == "li", "{status} {released}");
    Ok(())
}

/// Posts, and expects a status and a word.
fn refused(
    platform: &Platform,
    person: &str,
    path: &str,
    body: &str,
    expected: (u16, &str),
) -> anyhow::Result<()> {
    let (status, answer) = platform.post(person, path, body)?;
    ensure!(
        (status, answer["code"].as_str().unwrap_or_default()) == expected,
        "{person} {path}: {status} {answer}, not {expected:?}"
    );
    Ok(())
}

/// The preview names what would stop each: one is cut off, and the rooms of the other are known although none was ever
/// switched.
fn is_previewed(prepared: &Value) -> anyhow::Result<()> {
    let stops = |gateway: usize, what: &str| {
        let hindrances = prepared["gateways"][gateway]["preview"]["hindrances"].as_array();
        hindrances.is_some_and(|all| all.contains(&json!(what)))
    };
    ensure!(stops(1, "offline") && !stops(0, "offline") && !stops(0, "no_rooms"), "{prepared}");
    Ok(())
}

#[tokio::test]
async fn a_mass_order_takes_two_people_reaches_one_centre_first_and_names_the_silent() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let broker = Broker::start(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("platform"), "one", &database, broker.port).await?;
    for (centre, phone) in [("c00", "021-1"), ("c01", "021-2")] {
        platform.verb(&["centre", "add", centre, "main", "--phone", phone]).await?;
    }
    platform.begin().await?;
    let mut district = District::new(&workspace, 2, broker.port).await?;
    let _building =
        Room::start_with(district.port, &["--lease", "2", "--more", "2", "--tick", "0.1"]).await?;
    database.until("SELECT count(*) FROM gateway WHERE online", PATIENCE, |online| online == 2).await?;
    let file = district.order("enter", ENTER).await?;
    // One centre is cut off.
    let lost = district.centres.pop().ok_or_else(|| anyhow::anyhow!("a centre"))?;
    lost.gateway.kill().await?;
    database.until("SELECT count(*) FROM gateway WHERE online", PATIENCE, |online| online == 1).await?;
    let text = linli_mode::order::text::write(&std::fs::read(&file)?);
    let order = json!({"order": text}).to_string();
    refused(&platform, "nobody", "/api/v1/orders", &order, (401, "log_in"))?;
    refused(&platform, "kan", "/api/v1/orders", &order, (403, "forbidden"))?;
    refused(&platform, "zhou", "/api/v1/orders", r#"{"order":"no order"}"#, (422, "malformed"))?;
    let other = json!({"order": text, "centres": ["c00", "c07"]}).to_string();
    refused(&platform, "zhou", "/api/v1/orders", &other, (422, "not_in_order"))?;
    let (status, prepared) = platform.post("zhou", "/api/v1/orders", &order)?;
    ensure!(
        status == 200 && prepared["sums"]["gateways"] == 2 && prepared["state"] == "prepared",
        "{prepared}"
    );
    refused(&platform, "zhou", "/api/v1/orders", &order, (409, "known"))?;
    is_previewed(&prepared)?;
    let path = format!("/api/v1/orders/{}", prepared["id"].as_str().unwrap_or_default());
    two_persons(&platform, &path, &prepared["seen"])?;
    let accepted = "SELECT count(*) FROM order_target WHERE result = 'accepted'";
    database.until(accepted, PATIENCE, |accepted| accepted == 1).await?;
    ensure!(
        database.number("SELECT count(*) FROM order_target WHERE sent > 0").await? == 1,
        "the first stage is one"
    );
    let release = format!("{path}/release");
    refused(&platform, "li", &release, r#"{"stage":3,"count":2,"class":"Actual"}"#, (409, "stage"))?;
    refused(&platform, "li", &release, r#"{"stage":2,"count":14,"class":"Actual"}"#, (422, "typed"))?;
    refused(&platform, "zhou", &release, r#"{"stage":2,"count":2,"class":"Actual"}"#, (403, "forbidden"))?;
    let (status, released) = platform.post("li", &release, r#"{"stage":2,"count":2,"class":"Actual"}"#)?;
    ensure!(
        status == 200 && released["stage"] == 2 && released["state"] == "complete",
        "{status} {released}"
    );
    let repeated = "SELECT max(sent) FROM order_target WHERE result IS NULL";
    database.until(repeated, PATIENCE, |sent| sent >= 2).await?;
    let (_, shown) = platform.get(&path)?;
    let shown: Value = serde_json::from_str(&shown)?;
    let gateways = &shown["gateways"];
    ensure!(gateways[0]["centre"] == "c00" && gateways[0]["result"] == "accepted", "{shown}");
    ensure!(gateways[0]["phone"].is_null(), "{shown}");
    ensure!(gateways[1]["state"] == "offline" && gateways[1]["phone"] == "021-2", "{shown}");
    is_rung(&platform, &path, &gateways[1])?;
    let (status, _) = platform.post("zhou", &format!("{path}/stop"), "")?;
    let due = database.number("SELECT count(*) FROM order_target WHERE due IS NOT NULL").await?;
    ensure!(status == 200 && due == 0, "{status} {due}");
    refused(&platform, "li", &release, r#"{"stage":3,"count":2,"class":"Actual"}"#, (409, "stopped"))?;
    reports(&platform, &path)?;
    record_holds(&platform, &database).await?;
    platform.stop().await
}

/// Who rang a silent one is kept for all.
fn is_rung(platform: &Platform, path: &str, silent: &Value) -> anyhow::Result<()> {
    let called = format!("{path}/called");
    let rung =
        |called: bool| json!({"centre": silent["centre"], "gateway": silent["gateway"], "called": called});
    refused(platform, "kan", &called, &rung(true).to_string(), (403, "forbidden"))?;
    refused(platform, "zhou", &called, r#"{"centre":"c99","gateway":"x","called":true}"#, (404, "not_sent"))?;
    let (status, told) = platform.post("zhou", &called, &rung(true).to_string())?;
    ensure!(status == 200 && told["gateways"][1]["called_by"] == "zhou", "{status} {told}");
    Ok(())
}

/// What is not two persons who saw the same is refused; what is goes out.
fn two_persons(platform: &Platform, path: &str, seen: &Value) -> anyhow::Result<()> {
    let approve = format!("{path}/approve");
    let typed = Some((2, "Actual"));
    refused(platform, "zhou", &approve, &approval(seen, None), (403, "forbidden"))?;
    refused(platform, "wang", &approve, &approval(&json!("00"), None), (409, "changed"))?;
    let wrong = json!({"seen": seen, "password": "wrong horse battery"}).to_string();
    refused(platform, "wang", &approve, &wrong, (403, "wrong_password"))?;
    refused(
        platform,
        "li",
        &format!("{path}/release"),
        r#"{"stage":1,"count":2,"class":"Actual"}"#,
        (409, "not_approved"),
    )?;
    let (status, once) = platform.post("wang", &approve, &approval(seen, None))?;
    ensure!(
        status == 200 && once["state"] == "approved_once" && once["first"]["account"] == "wang",
        "{once}"
    );
    refused(platform, "wang", &approve, &approval(seen, typed), (403, "same_person"))?;
    refused(platform, "li", &approve, &approval(seen, Some((14, "Actual"))), (422, "typed"))?;
    refused(platform, "li", &approve, &approval(seen, Some((2, "Exercise"))), (422, "typed"))?;
    // Looked at anew, the first approval is void.
    let (status, anew) = platform.post("zhou", &format!("{path}/preview"), "")?;
    ensure!(status == 200 && anew["first"].is_null() && anew["state"] == "prepared", "{status} {anew}");
    let seen = &anew["seen"];
    let (_, once) = platform.post("li", &approve, &approval(seen, typed))?;
    ensure!(
        once["state"] == "approved_once" && once["stage"] == 0,
        "a first person releases nothing: {once}"
    );
    let (status, released) = platform.post("wang", &approve, &approval(seen, typed))?;
    ensure!(
        status == 200 && released["stage"] == 1 && released["state"] == "released",
        "{status} {released}"
    );
    refused(platform, "li", &approve, &approval(seen, typed), (409, "complete"))
}

/// The reports of the order and of the month, in each format.
fn reports(platform: &Platform, path: &str) -> anyhow::Result<()> {
    let (status, report) = platform.get(&format!("{path}/report"))?;
    let report: Value = serde_json::from_str(&report)?;
    let events = report["events"].as_array().cloned().unwrap_or_default();
    let said: Vec<&str> = events.iter().filter_map(|event| event["what"].as_str()).collect();
    for what in ["prepared", "seen", "approved", "released", "answered", "stage", "stopped", "sent", "called"]
    {
        ensure!(status == 200 && said.contains(&what), "{what} is not in {said:?}");
    }
    let course = &report["timeline"];
    let last =
        |curve: &str| course[curve].as_array().and_then(|steps| steps.last().map(|step| step[1].clone()));
    ensure!(last("sent") == Some(json!(2)) && last("answered") == Some(json!(1)), "{course}");
    ensure!(last("called") == Some(json!(1)) && course["from"].as_i64() < course["to"].as_i64(), "{course}");
    let (status, csv) = platform.get(&format!("{path}/report?format=csv"))?;
    ensure!(status == 200 && csv.contains("c00/main") && csv.contains("实战"), "{csv}");
    let now = jiff::Timestamp::from_millisecond(linli_tests::now_ms())?;
    let month = &now.to_string()[..7];
    let (status, report) = platform.get(&format!("/api/v1/centres/c00/report?month={month}"))?;
    let report: Value = serde_json::from_str(&report)?;
    let gateway = &report["gateways"][0];
    let sum = |key: &str| {
        gateway["days"].as_array().into_iter().flatten().filter_map(|day| day[key].as_i64()).sum::<i64>()
    };
    ensure!(status == 200 && sum("messages") > 0 && sum("samples") >= sum("messages"), "{report}");
    ensure!(
        sum("mode_changes") > 0 && sum("orders") == 1 && gateway["orders"][0]["result"] == "accepted",
        "{report}"
    );
    let (status, csv) = platform.get(&format!("/api/v1/centres/c00/report?month={month}&format=csv"))?;
    ensure!(status == 200 && csv.contains(&format!("{month}-01")), "{csv}");
    // A day of which nothing is known is no day of zeros.
    let before = "/api/v1/centres/c00/report?month=2026-01";
    let (_, report) = platform.get(before)?;
    let report: Value = serde_json::from_str(&report)?;
    let day = &report["gateways"][0]["days"][0];
    ensure!(day["state"] == "none" && day["messages"].is_null() && day["alarms_high"].is_null(), "{day}");
    let (_, csv) = platform.get(&format!("{before}&format=csv"))?;
    ensure!(csv.contains("2026-01-01,无数据 no data") && csv.contains("31 天无数据"), "{csv}");
    let (_, ahead) = platform.get("/api/v1/centres/c00/report?month=2999-01")?;
    let ahead: Value = serde_json::from_str(&ahead)?;
    ensure!(ahead["gateways"][0]["days"][0]["state"] == "future", "{ahead}");
    for (query, expected) in [("month=2026-13", 422), ("", 422), ("month=2026-11&format=doc", 422)] {
        let (status, _) = platform.get(&format!("/api/v1/centres/c00/report?{query}"))?;
        ensure!(status == expected, "{query}: {status}");
    }
    ensure!(platform.get("/api/v1/centres/c99/report?month=2026-11")?.0 == 404);
    Ok(())
}

/// The record is intact, and what was changed in it is found.
async fn record_holds(platform: &Platform, database: &Database) -> anyhow::Result<()> {
    let said = platform.verb(&["audit", "verify"]).await?;
    ensure!(said.contains("root"), "{said}");
    let shown = platform.verb(&["audit", "show"]).await?;
    for word in
        [r#""event":"logged_in""#, r#""what":"approved""#, r#""nth":2"#, "wrong secret", r#""by":"local:"#]
    {
        ensure!(shown.contains(word), "{word} is not in {shown}");
    }
    ensure!(!shown.contains(PASSWORD), "a password is in the record");
    refused(platform, "wang", "/api/v1/accounts", "{}", (403, "forbidden"))?;
    let answer = platform.ask("guan", "GET", "/api/v1/record?limit=2", "")?;
    let record: Value = serde_json::from_str(&answer.body)?;
    ensure!(record["entries"].as_array().is_some_and(|entries| entries.len() == 2), "{record}");
    let filtered = platform.ask("guan", "GET", "/api/v1/record?event=order&who=wang", "")?;
    let filtered: Value = serde_json::from_str(&filtered.body)?;
    let entries = filtered["entries"].as_array().cloned().unwrap_or_default();
    ensure!(
        !entries.is_empty() && entries.iter().all(|e| e["event"] == "order" && e["by"] == "wang"),
        "{filtered}"
    );
    let wrong = platform.ask("guan", "GET", "/api/v1/record?limit=x", "")?;
    ensure!(wrong.status == 422, "{wrong:?}");
    let exported = platform.ask("guan", "GET", "/api/v1/record/export", "")?;
    let lines: Vec<&str> = exported.body.lines().collect();
    ensure!(lines.len() > 10 && lines[0].starts_with(r#"{"n":0,"#), "{exported:?}");
    let (_, verified) = platform.post("guan", "/api/v1/record/verify", "{}")?;
    ensure!(
        verified["intact"] == true && verified["count"] == lines.len() + 1,
        "the export is a line too: {verified}"
    );
    let file = platform.path("record.jsonl");
    let to = file.display().to_string();
    platform.verb(&["audit", "export", &to, "--event", "exported"]).await?;
    ensure!(std::fs::read_to_string(&file)?.contains("\"by\":\"guan\""), "whose export it was");
    let again = platform.verb(&["audit", "export", &to]).await.err().map(|error| error.to_string());
    ensure!(again.is_some_and(|told| told.contains("exists")), "a file that is there stays");
    let changes = [
        (
            "UPDATE record SET line = replace(line, 'wang', 'zhao') WHERE n = (SELECT min(n) FROM record WHERE line LIKE '%wang%')",
            "changed",
        ),
        ("DELETE FROM record WHERE n = (SELECT max(n) FROM record)", "cut"),
    ];
    for (change, word) in changes {
        database.ask("CREATE TABLE kept AS SELECT * FROM record").await?;
        database.ask(change).await?;
        let (_, shown) = platform.post("guan", "/api/v1/record/verify", "{}")?;
        ensure!(shown["intact"] == false && shown["why"].is_string(), "{change}: {shown}");
        let found = platform.verb(&["audit", "verify"]).await;
        let told = found.err().map(|error| format!("{error:#}")).unwrap_or_default();
        ensure!(told.contains(word), "{change}: {told}");
        database.ask("DELETE FROM record; INSERT INTO record SELECT * FROM kept; DROP TABLE kept").await?;
    }
    platform.verb(&["audit", "verify"]).await.map(drop)
}

/// Every route for every role, and for nobody, with real sessions: the gate answers before the handler does.
fn each_role_reaches_its_routes_only(platform: &Platform) -> anyhow::Result<()> {
    let roles =
        [("kan", "viewer"), ("zhou", "duty_officer"), ("wang", "commander"), ("guan", "administrator")];
    for (method, route, needs) in linli_district::api::permission::ROUTES {
        if !route.starts_with("/api") || (*method, *route) == ("DELETE", "/api/v1/session") {
            continue;
        }
        let path =
            route.replace("{centre}", "c").replace("{gateway}", "g").replace("{id}", "nobody-is-called-so");
        for (person, role) in roles {
            let answer = platform.ask(person, method, &path, "")?;
            let may = needs.is_met(Some(&[role.parse()?]));
            ensure!(
                (answer.status != 403) == may && answer.status != 401 || path.ends_with("session"),
                "{person} {method} {path}: {answer:?}"
            );
        }
        let status = platform.ask("nobody", method, &path, "")?.status;
        ensure!(needs.is_met(None) || status == 401, "nobody {method} {path}: {status}");
    }
    Ok(())
}

/// A page of another site, and a form.
fn other_sites_are_refused(platform: &Platform) -> anyhow::Result<()> {
    let send = |headers: &str| {
        let stream = std::net::TcpStream::connect(("127.0.0.1", platform.web))?;
        linli_tests::http::ask(stream, "POST", "/api/v1/session", headers, "{}")
    };
    for (headers, expected) in [
        ("Content-Type: application/json\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ("Content-Type: application/json\r\nOrigin: https://evil.example\r\n", 403),
        ("Content-Type: text/plain\r\n", 415),
        ("Content-Type: application/json\r\nOrigin: http://linli\r\n", 422),
    ] {
        let (status, answer) = send(headers)?;
        ensure!(status == expected, "{headers}: {status} {answer}");
    }
    Ok(())
}

/// An administrator adds somebody, who sets up the account; guessing is delayed.
fn somebody_is_added(platform: &Platform) -> anyhow::Result<()> {
    // An administrator adds somebody; a weak password, a wrong code, and the code used twice are refused.
    let body = r#"{"id":"xu","name":"徐","roles":["viewer"]}"#;
    let (status, issued) = platform.post("guan", "/api/v1/accounts", body)?;
    ensure!(status == 200, "{status} {issued}");
    refused(platform, "guan", "/api/v1/accounts", body, (409, "known"))?;
    let enrol = |code: &str, password: &str| {
        let body = json!({"account": "xu", "code": code, "password": password}).to_string();
        platform.post("nobody", "/api/v1/enrol", &body)
    };
    let code = issued["code"].as_str().unwrap_or_default();
    ensure!(enrol(code, "short")?.0 == 422 && enrol("0000-0000-0000-0000", PASSWORD)?.0 == 401);
    let (status, set_up) = enrol(code, PASSWORD)?;
    ensure!(status == 200 && set_up["totp"].is_string(), "{status} {set_up}");
    ensure!(enrol(code, PASSWORD)?.0 == 401, "once");
    // Guessing is delayed for the account, in every copy, whatever the password.
    let log_in = |password: &str| {
        let body = json!({"account": "xu", "password": password, "code": "000000"}).to_string();
        platform.post("nobody", "/api/v1/session", &body)
    };
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(log_in("wrong horse battery")?.0);
    }
    ensure!(codes.contains(&429) && codes[0] == 401, "{codes:?}");
    Ok(())
}

#[tokio::test]
async fn accounts_are_set_up_locked_out_disabled_and_each_role_reaches_its_routes_only() -> anyhow::Result<()>
{
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let broker = Broker::start(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("platform"), "one", &database, broker.port).await?;
    platform.begin().await?;
    each_role_reaches_its_routes_only(&platform)?;
    other_sites_are_refused(&platform)?;
    somebody_is_added(&platform)?;
    // Disabled, a session ends at once; the last administrator stays.
    ensure!(platform.get("/api/v1/session")?.0 == 200);
    ensure!(platform.post("guan", "/api/v1/accounts/wang/disable", "")?.0 == 204);
    ensure!(platform.get("/api/v1/session")?.0 == 401);
    refused(&platform, "guan", "/api/v1/accounts/guan/disable", "", (409, "last_administrator"))?;
    let listed = platform.verb(&["users", "list"]).await?;
    ensure!(
        listed.contains("wang\tdisabled\tcommander") && listed.contains("xu\tactive\tviewer\t徐"),
        "{listed}"
    );
    platform.stop().await
}

/// Centres of the long order, of which one is there.
const NAMED: usize = 1100;

#[tokio::test]
async fn a_long_order_reaches_its_gateway_and_a_longer_one_is_refused_with_the_way_out() -> anyhow::Result<()>
{
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let broker = Broker::start(&workspace).await?;
    let mut platform = Platform::new(&workspace.path("platform"), "one", &database, broker.port).await?;
    platform.verb(&["centre", "add", "c00", "main"]).await?;
    platform.begin().await?;
    let mut district = District::new(&workspace, 1, broker.port).await?;
    let _building =
        Room::start_with(district.port, &["--lease", "2", "--more", "1", "--tick", "0.1"]).await?;
    database.until("SELECT count(*) FROM gateway WHERE online", PATIENCE, |online| online == 1).await?;
    // Begun anew it goes on with the session that the broker kept.
    platform.stop().await?;
    platform.begin().await?;
    let plan = district.centres[0].config.join(format!("plans/{ENTER}.toml")).display().to_string();
    let others = (1..NAMED).map(|number| format!("centre-number-{number:04}:{plan}"));
    let plans: Vec<String> = std::iter::once(format!("c00:{plan}")).chain(others).collect();
    let more: Vec<&str> = plans.iter().flat_map(|plan| ["--plan", plan.as_str()]).collect();
    let file = district.office.order("enter", "actual", &more, &["wang", "li"]).await?;
    let bytes = std::fs::read(&file)?;
    ensure!(bytes.len() > 64 * 1024 && bytes.len() < 256 * 1024, "{} bytes", bytes.len());

    // As a text, of which the file is larger than an order may be.
    let text = linli_mode::order::text::write(&bytes);
    let body = json!({"order": text, "centres": ["c00"]}).to_string();
    let (status, prepared) = platform.post("zhou", "/api/v1/orders", &body)?;
    ensure!(status == 200 && prepared["sums"]["gateways"] == 1, "{status} {prepared}");
    let hindrances = &prepared["gateways"][0]["preview"]["hindrances"];
    ensure!(!hindrances.to_string().contains("too_large"), "{prepared}");
    approve(&platform, &prepared)?;
    let answered = "SELECT count(*) FROM order_target WHERE result = 'accepted'";
    database.until(answered, PATIENCE, |accepted| accepted == 1).await?;
    longer(&platform, (&broker, &database), &district).await?;
    for centre in district.centres {
        centre.gateway.stop().await?;
    }
    platform.stop().await
}

/// What is longer than an order may be says what, where and how to mend it: at the district's form, at the gateway's command
/// line, and as the gateway's answer to whoever sends it past the district.
async fn longer(
    platform: &Platform,
    (broker, database): (&Broker, &Database),
    district: &District,
) -> anyhow::Result<()> {
    let long = vec![0xD8_u8; 300 * 1024];
    let body = json!({"order": linli_mode::order::text::write(&long)}).to_string();
    let (status, told) = platform.post("zhou", "/api/v1/orders", &body)?;
    let told = told.to_string();
    ensure!(status == 413 && told.contains("too_large") && told.contains("307200"), "{status} {told}");
    ensure!(told.contains("sign several orders") && told.contains("分成几份"), "{told}");
    let gateway = &district.centres[0].gateway;
    let file = district.centres[0].config.with_extension("long");
    std::fs::write(&file, &long)?;
    let output = gateway.verb(&["order", "send", &file.to_string_lossy()]).await?;
    let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    ensure!(!output.status.success(), "{told}");
    ensure!(told.contains("307200") && told.contains("sign several orders"), "{told}");
    let page = gateway.get("/metrics")?;
    let connects = page.lines().find(|line| line.starts_with("linli_uplink_connects_total"));
    let connects = connects.unwrap_or_default().to_owned();
    let told =
        "SELECT count(*) FROM event WHERE kind = 'event/order' AND body::text LIKE '%sign several orders%'";
    let before = database.number(told).await?;
    broker.publish_bytes("linli/1/c00/main/order", &long, false).await?;
    let answered = database.until(told, PATIENCE, |answers| answers > before).await;
    answered.with_context(|| format!("{told}\n{}", gateway.log()))?;
    ensure!(gateway.get("/metrics")?.contains(&connects), "its connection went on");
    Ok(())
}
