//! Kiosks and their printers: a real CUPS scheduler, a real SNMP agent, reports over HTTP and MQTT.

use std::path::Path;
use std::time::Duration;

use linli_tests::printing::{Cups, SnmpAgent};
use linli_tests::{Broker, FakeClock, Gateway, Workspace, device, eventually, free_port, http, linli};
use serde_json::{Value, json};

const TOKEN: &str = "kiosk-token-for-tests-0123456789";

fn store() -> &'static str {
    linli_tests::devices::STORE
}

/// The value of a point as the gateway shows it now.
fn point(gateway: &Gateway, device: &str, point: &str) -> Option<Value> {
    let shown: Value = serde_json::from_str(&gateway.get(&format!("/api/v1/devices/{device}")).ok()?).ok()?;
    let found = shown["points"].as_array()?.iter().find(|p| p["point"] == point || p["id"] == point)?;
    found.get("value").cloned()
}

async fn shows(gateway: &Gateway, device: &str, name: &str, value: &Value) -> anyhow::Result<()> {
    let what = format!("{device}.{name} is {value}");
    eventually(&what, Duration::from_secs(60), || point(gateway, device, name).as_ref() == Some(value)).await
}

async fn raised(gateway: &Gateway, alarm: &str) -> anyhow::Result<()> {
    eventually(&format!("{alarm} is raised"), Duration::from_secs(60), || {
        let alarms = gateway.ask("GET", "/api/v1/alarms", &Value::Null).map(|(_, shown)| shown);
        alarms.is_ok_and(|shown| shown.as_array().is_some_and(|all| all.iter().any(|a| a["alarm"] == alarm)))
    })
    .await
}

fn secret(dir: &Path, name: &str, text: &str) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::write(dir.join(name), text)?;
    Ok(std::fs::set_permissions(dir.join(name), std::fs::Permissions::from_mode(0o600))?)
}

#[tokio::test]
async fn printers_tell_by_ipp_and_snmp_what_is_wrong() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (broker, cups, agent) = (
        Broker::start(&workspace).await?,
        Cups::start(&workspace).await?,
        SnmpAgent::start(&workspace).await?,
    );
    let devices = format!(
        "[[line]]\nid = \"lp\"\nkind = \"ipp\"\nurl = \"ipp://127.0.0.1:{}/printers/kiosk\"\n\n\
         [[device]]\nid = \"queue\"\nline = \"lp\"\nprofile = \"ipp/printer\"\nclass = \"kiosk\"\npoll = \"300ms\"\n\n\
         [[line]]\nid = \"ls\"\nkind = \"snmp\"\nhost = \"127.0.0.1:{1}\"\ncommunity = \"file:community\"\n\n\
         [[device]]\nid = \"laser\"\nline = \"ls\"\nprofile = \"snmp/printer\"\nclass = \"kiosk\"\npoll = \"300ms\"\n\n\
         [[line]]\nid = \"lh\"\nkind = \"snmp\"\nhost = \"127.0.0.1:{1}\"\ncommunity = \"file:community\"\n\n\
         [[device]]\nid = \"host\"\nline = \"lh\"\nprofile = \"snmp/host\"\nclass = \"kiosk\"\npoll = \"300ms\"\n",
        cups.port, agent.port
    );
    let config = workspace.configure(broker.port, store(), &devices)?;
    secret(&config, "community", "geheim\n")?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    shows(&gateway, "queue", "paper", &json!(0)).await?;
    shows(&gateway, "queue", "accepting", &json!(true)).await?;
    shows(&gateway, "queue", "queued_jobs", &json!(1)).await?;
    cups.says("STATE: +media-low-warning")?;
    shows(&gateway, "queue", "paper", &json!(2)).await?;
    cups.says("STATE: +media-empty-error,cover-open-warning")?;
    shows(&gateway, "queue", "paper", &json!(4)).await?;
    shows(&gateway, "queue", "cover_open", &json!(true)).await?;
    raised(&gateway, "queue.no-paper").await?;

    shows(&gateway, "laser", "printer", &json!(0)).await?;
    shows(&gateway, "laser", "supplies", &json!(60.0)).await?;
    agent.set("1.3.6.1.2.1.43.11.1.1.9.1.1", "i", "10").await?;
    agent.set("1.3.6.1.2.1.25.3.5.1.2.1", "x", "44").await?;
    shows(&gateway, "laser", "supplies", &json!(5.0)).await?;
    shows(&gateway, "laser", "paper", &json!(4)).await?;
    shows(&gateway, "laser", "jam", &json!(true)).await?;
    shows(&gateway, "laser", "detail", &json!("noPaper jammed")).await?;
    raised(&gateway, "laser.no-paper").await?;
    let free = point(&gateway, "host", "disk_free").and_then(|free| free.as_f64());
    assert!(free.is_some_and(|free| (0.0..=100.0).contains(&free)), "{free:?}");
    assert!(point(&gateway, "host", "uptime").is_some_and(|up| up.is_number()));

    drop((cups, agent));
    let gone = |status: &Value| {
        ["queue", "laser", "host"].iter().all(|id| device(status, id).is_some_and(|d| d["online"] == false))
    };
    gateway.until("both are told as silent", Duration::from_secs(60), gone).await?;
    gateway.stop().await
}

/// The quality of a point as the gateway shows it now.
fn quality(gateway: &Gateway, device: &str, point: &str) -> Option<String> {
    let shown: Value = serde_json::from_str(&gateway.get(&format!("/api/v1/devices/{device}")).ok()?).ok()?;
    let found = shown["points"].as_array()?.iter().find(|p| p["point"] == point)?;
    Some(found["quality"].as_str()?.to_owned())
}

async fn is_of(gateway: &Gateway, device: &str, name: &str, wanted: &str) -> anyhow::Result<()> {
    eventually(&format!("{device}.{name} is {wanted}"), Duration::from_secs(60), || {
        quality(gateway, device, name).as_deref() == Some(wanted)
    })
    .await
}

/// A line to that agent and its device.
fn snmp(id: &str, port: u16, profile: &str) -> String {
    format!(
        "[[line]]\nid = \"line-{id}\"\nkind = \"snmp\"\nhost = \"127.0.0.1:{port}\"\ncommunity = \"file:community\"\n\n\
         [[device]]\nid = \"{id}\"\nline = \"line-{id}\"\nprofile = \"{profile}\"\nclass = \"kiosk\"\npoll = \"300ms\"\n\n"
    )
}

/// Answers version 1 only, as old printers do.
const VERSION_1: &str = "com2sec old 127.0.0.1 geheim\ngroup olds v1 old\nview all included .1\n\
                         access olds \"\" v1 noauth exact all none none\n";

/// A disk of more than 2^31 blocks, 99.9 % full, as agents write it.
const LARGE_DISK: &str = "override 1.3.6.1.2.1.25.2.3.1.2.999 object_id 1.3.6.1.2.1.25.2.1.4\n\
                          override 1.3.6.1.2.1.25.2.3.1.5.999 integer -1294967296\n\
                          override 1.3.6.1.2.1.25.2.3.1.6.999 integer -1297967296\n";

/// Shows one subtree and hides others.
fn holed(hidden: &[&str]) -> String {
    let hidden: String = hidden.iter().map(|object| format!("view part excluded .{object}\n")).collect();
    format!("view part included .1\n{hidden}rocommunity geheim 127.0.0.1 -V part\n")
}

#[tokio::test]
async fn an_agent_of_version_1_is_understood_and_its_large_disk_too() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let agent = SnmpAgent::start_with(&workspace, &format!("{VERSION_1}{LARGE_DISK}")).await?;
    let devices = snmp("laser", agent.port, "snmp/printer") + &snmp("host", agent.port, "snmp/host");
    let config = workspace.configure(broker.port, store(), &devices)?;
    secret(&config, "community", "geheim\n")?;
    // Before the gateway starts: what is there, and what it says.
    let (at, host) = (config.to_string_lossy().into_owned(), format!("127.0.0.1:{}", agent.port));
    let probed = linli(&["probe", "laser", "--json", "--config", &at]).await?;
    let probed: Value = serde_json::from_slice(&probed.stdout)?;
    let supplies = probed["points"].as_array().and_then(|all| all.iter().find(|p| p["point"] == "supplies"));
    assert_eq!(supplies.map(|point| &point["value"]), Some(&json!(60.0)), "{probed}");
    let scanned = linli(&["scan", "--snmp", &host, "--community", "geheim"]).await?;
    let scanned = String::from_utf8_lossy(&scanned.stdout).into_owned();
    assert!(scanned.contains("snmp/printer: answers") && scanned.contains("snmp/host: answers"), "{scanned}");
    let scanned = linli(&["scan", "--snmp", &host, "--community", "wrong"]).await?;
    let said = String::from_utf8_lossy(&scanned.stdout).into_owned();
    assert!(scanned.status.code() == Some(1) && said.contains("community"), "{said}");
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    shows(&gateway, "laser", "supplies", &json!(60.0)).await?;
    shows(&gateway, "laser", "paper", &json!(0)).await?;
    eventually("the fullest disk is the large one", Duration::from_secs(60), || {
        let free = point(&gateway, "host", "disk_free").and_then(|free| free.as_f64());
        free.is_some_and(|free| (0.09..0.11).contains(&free))
    })
    .await?;
    // It is asked in version 1 first from then on: each round is quick again.
    agent.set("1.3.6.1.2.1.43.11.1.1.9.1.1", "i", "10").await?;
    shows(&gateway, "laser", "supplies", &json!(5.0)).await?;
    gateway.stop().await
}

#[tokio::test]
async fn an_object_that_an_agent_hides_costs_its_own_point() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let (status, errors, supplies) = ("1.3.6.1.2.1.25.3.5.1.1", "1.3.6.1.2.1.25.3.5.1.2", "1.3.6.1.2.1.43");
    // The last one ends the view of version 2c before the supplies (RFC 3416, 4.2.2).
    let hidden = [status, errors, "1.3.6.1.2.1.1.3"].map(|object| holed(&[object]));
    let end =
        holed(&[supplies, "1.3.6.1.4", "1.3.6.1.6", "1.3.6.1.2.1.55", "1.3.6.1.2.1.88", "1.3.6.1.2.1.92"]);
    let mut agents = Vec::new();
    for rules in hidden.iter().chain([&end]) {
        agents.push(SnmpAgent::start_with(&workspace, rules).await?);
    }
    let names = ["no-status", "no-errors", "no-uptime", "no-supplies"];
    let devices = names.iter().zip(&agents).map(|(id, agent)| snmp(id, agent.port, "snmp/printer"));
    let devices: String = devices.collect();
    let config = workspace.configure(broker.port, store(), &devices)?;
    secret(&config, "community", "geheim\n")?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let missing: [&[&str]; 4] =
        [&["printer"], &["paper", "toner", "jam", "cover_open", "detail"], &["uptime"], &["supplies"]];
    for (device, missing) in names.iter().zip(missing) {
        for point in ["printer", "paper", "toner", "jam", "cover_open", "detail", "supplies", "uptime"] {
            let wanted = if missing.contains(&point) { "bad:not_there" } else { "good" };
            is_of(&gateway, device, point, wanted).await?;
        }
    }
    gateway.stop().await
}

/// Sends a report as a kiosk's software would.
fn report(port: u16, token: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
    report_as(port, &format!("Authorization: Bearer {token}"), body)
}

/// The same with this header.
fn report_as(port: u16, authorization: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
    let stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
    let headers = format!("{authorization}\r\nContent-Type: application/json\r\n");
    let (status, answer) = http::ask(stream, "POST", "/kiosk/v1/k1/report", &headers, &body.to_string())?;
    Ok((status, serde_json::from_str(&answer).unwrap_or_default()))
}

/// A text instead of the service.
async fn out_of_service(gateway: &Gateway, port: u16) -> anyhow::Result<()> {
    // Out of service: handed over with the answer, done when the kiosk says that it shows it.
    let kiosk = tokio::spawn(async move {
        let mut shown = String::new();
        for seq in 4..60 {
            let body = json!({"boot": "b1", "seq": seq, "parts": {}, "message": shown});
            let (_, answer) = report(port, TOKEN, &body)?;
            if let Some(text) = answer["message"].as_str() {
                shown = text.to_owned();
            } else if !shown.is_empty() {
                return anyhow::Ok(shown == "暂停服务");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(false)
    });
    let reported = gateway.verb(&["command", "k1", "message", "暂停服务"]).await?;
    assert!(reported.status.success(), "{}", String::from_utf8_lossy(&reported.stderr));
    assert!(kiosk.await??, "the kiosk was told the text");
    shows(gateway, "k1", "message", &json!("暂停服务")).await?;
    Ok(())
}

#[tokio::test]
async fn reports_are_taken_as_kiosks_write_them_and_the_newest_is_shown() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (broker, port) = (Broker::start(&workspace).await?, free_port()?);
    let devices = format!(
        "[[line]]\nid = \"kiosks\"\nkind = \"kiosk_http\"\nlisten = \"127.0.0.1:{port}\"\n\n\
         [[device]]\nid = \"k1\"\nline = \"kiosks\"\nprofile = \"kiosk/terminal\"\nclass = \"kiosk\"\npoll = \"30s\"\n\
         token = \"file:k1.token\"\n"
    );
    let config = workspace.configure(broker.port, store(), &devices)?;
    secret(&config, "k1.token", TOKEN)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    eventually("it listens", Duration::from_secs(60), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await?;
    let paper =
        |boot: &str, seq: u64, paper: Value| json!({"boot": boot, "seq": seq, "parts": {"paper": paper}});
    let (first, second) = ("2026-11-29T08:00:00", "2026-11-29T09:00:00");
    // Three words for the same scheme (RFC 9110, 11.1).
    for (seq, scheme) in (1..).zip(["bearer", "BEARER", "Bearer"]) {
        let header = format!("authorization: {scheme} {TOKEN}");
        assert_eq!(report_as(port, &header, &paper(first, seq, json!("ok")))?.0, 200, "{scheme}");
    }
    shows(&gateway, "k1", "paper", &json!(0)).await?;
    let nothing =
        json!({"boot": first, "seq": 4, "parts": null, "busy": null, "message": null, "temperature": 20});
    assert_eq!(report(port, TOKEN, &nothing)?.0, 200, "null is the same as nothing");
    shows(&gateway, "k1", "temperature", &json!(20.0)).await?;
    assert_eq!(report(port, TOKEN, &paper(first, 5, Value::Null))?.0, 200);
    assert_eq!(report(port, TOKEN, &paper(second, 2, json!("low")))?.0, 200);
    shows(&gateway, "k1", "paper", &json!(2)).await?;
    // An older number and an older start are taken, and not shown. What is sent later is handled later.
    for (boot, seq) in [(second, 1), (first, 6), (first, 99)] {
        assert_eq!(report(port, TOKEN, &paper(boot, seq, json!("out")))?.0, 200, "{boot} {seq}");
        assert_eq!(point(&gateway, "k1", "paper"), Some(json!(2)), "{boot} {seq} is older");
    }
    assert_eq!(report(port, TOKEN, &paper(second, 3, json!("out")))?.0, 200);
    shows(&gateway, "k1", "paper", &json!(4)).await?;
    gateway.stop().await
}

#[tokio::test]
async fn a_kiosk_reports_over_http_and_shows_what_it_is_told() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (broker, port) = (Broker::start(&workspace).await?, free_port()?);
    let devices = format!(
        "[[line]]\nid = \"kiosks\"\nkind = \"kiosk_http\"\nlisten = \"127.0.0.1:{port}\"\n\n\
         [[device]]\nid = \"k1\"\nline = \"kiosks\"\nprofile = \"kiosk/terminal\"\nclass = \"kiosk\"\npoll = \"1s\"\n\
         token = \"file:k1.token\"\n"
    );
    let config = workspace.configure(broker.port, store(), &devices)?;
    secret(&config, "k1.token", TOKEN)?;
    let matters = "[[matter]]\nid = \"1\"\nname = \"社保查询\"\nneeds = [\"touch\"]\n\n\
                   [[matter]]\nid = \"2\"\nname = \"证明打印\"\nneeds = [\"paper\", \"touch\"]\n";
    std::fs::write(config.join("matters.toml"), matters)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    eventually("it listens", Duration::from_secs(60), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await?;
    let well = json!({"boot": "b1", "seq": 1, "parts": {"paper": "ok", "touch": "ok"}, "version": "1.2"});
    assert_eq!(report(port, TOKEN, &well)?.0, 200);
    shows(&gateway, "k1", "paper", &json!(0)).await?;
    let empty = json!({"boot": "b1", "seq": 2, "parts": {"paper": "out", "touch": "ok"}});
    assert_eq!(report(port, TOKEN, &empty)?.0, 200);
    shows(&gateway, "k1", "paper", &json!(4)).await?;
    eventually("what residents get", Duration::from_secs(60), || {
        gateway.ask("GET", "/api/v1/kiosks", &Value::Null).is_ok_and(|(_, kiosks)| {
            kiosks[0]["service"] == "degraded"
                && kiosks[0]["matters"] == 2
                && kiosks[0]["matters_offered"] == 1
        })
    })
    .await?;
    let lacking = gateway.verb(&["kiosks", "--matters", "k1"]).await?;
    let lacking = String::from_utf8_lossy(&lacking.stdout).into_owned();
    assert!(lacking.contains("证明打印") && lacking.contains("1 of 2"), "{lacking}");
    let (status, why) = report(port, TOKEN, &json!({"boot": "b1", "seq": 3, "parts": {"papr": "ok"}}))?;
    assert_eq!((status, why["error"].as_str().is_some_and(|why| why.contains("papr"))), (422, true));

    out_of_service(&gateway, port).await?;
    let spent = |kind: &str| {
        let (_, kiosks) = gateway.ask("GET", "/api/v1/kiosks", &Value::Null).unwrap_or_default();
        kiosks[0]["hours_today"][kind].as_u64().unwrap_or_default()
    };
    eventually("how it spends the day", Duration::from_secs(60), || spent("maintenance") > 0).await?;
    for _ in 0..5 {
        assert_eq!(report(port, "wrong-token-wrong-token-wrong", &well)?.0, 401);
    }
    assert_eq!(report(port, "wrong-token-wrong-token-wrong", &well)?.0, 429, "who guesses waits");
    assert_eq!(report(port, TOKEN, &well)?.0, 200, "the right token never does");
    gateway
        .until("it is silent", Duration::from_secs(60), |status| {
            device(status, "k1").is_some_and(|kiosk| kiosk["online"] == false)
        })
        .await?;
    eventually("nobody knows", Duration::from_secs(60), || spent("offline") > 0).await?;
    let before = spent("maintenance");
    gateway.stop().await?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let days = gateway.verb(&["kiosks", "--days", "3", "--json"]).await?;
    let days: Value = serde_json::from_slice(&days.stdout)?;
    assert!(days[0]["hours"]["maintenance"].as_u64() >= Some(before), "{days}");
    gateway.stop().await
}

/// Reports as a kiosk with that token; returns the status.
fn reports(port: u16, token: &str, seq: u32) -> anyhow::Result<u16> {
    let head = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    let body = format!("{{\"boot\":\"b1\",\"seq\":{seq},\"parts\":{{\"paper\":\"ok\"}}}}");
    let stream = std::net::TcpStream::connect(("127.0.0.1", port))?;
    Ok(http::ask(stream, "POST", "/kiosk/v1/k1/report", &head, &body)?.0)
}

#[tokio::test]
async fn a_token_is_replaced_without_a_gap_and_only_its_hash_is_kept() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let port = free_port()?;
    let devices = format!(
        "[[line]]\nid = \"k\"\nkind = \"kiosk_http\"\nlisten = \"127.0.0.1:{port}\"\n\n[[device]]\nid = \"k1\"\nline = \"k\"\n\
         token = \"file:k1.token\"\nprofile = \"kiosk/terminal\"\nclass = \"kiosk\"\npoll = \"60s\"\n"
    );
    let config = workspace.configure_with("", store(), &devices)?;
    secret(&config, "k1.token", TOKEN)?;
    let clock = FakeClock::new(&workspace).await?;
    let mut gateway = Gateway::start_under(&clock.wrapper(), &config, &workspace.path("data")).await?;
    gateway.answering().await?;
    eventually("it listens", Duration::from_secs(60), || reports(port, TOKEN, 1).is_ok_and(|s| s == 200))
        .await?;
    // A connection that is open stays open while the token changes.
    let held = std::net::TcpStream::connect(("127.0.0.1", port))?;
    let made = gateway.verb(&["kiosks", "token", "k1", "--overlap", "2d"]).await?;
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let fresh = String::from_utf8(made.stdout)?.trim().to_owned();
    let kept = std::fs::read_to_string(config.join("k1.token"))?;
    assert!(!kept.contains(TOKEN) && !kept.contains(&fresh) && kept.contains("sha256:"), "{kept}");
    assert_eq!((reports(port, &fresh, 2)?, reports(port, TOKEN, 3)?), (200, 200), "both are taken");
    assert!(gateway.log().contains("still shows its earlier token"), "{}", gateway.log());
    assert!(!gateway.log().contains("line stopped"), "the listener goes on: {}", gateway.log());
    let head = format!("Authorization: Bearer {fresh}\r\nContent-Type: application/json\r\n");
    let held_answer = http::ask(
        held.try_clone()?,
        "POST",
        "/kiosk/v1/k1/report",
        &head,
        "{\"boot\":\"b1\",\"seq\":4,\"parts\":{}}",
    )?;
    assert_eq!(held_answer.0, 200);
    // Wrong tokens of the same address lock out neither.
    for _ in 0..8 {
        assert!(matches!(reports(port, "wrong-token-of-more-than-24-characters", 5)?, 401 | 429));
    }
    assert_eq!((reports(port, &fresh, 6)?, reports(port, TOKEN, 7)?), (200, 200));
    clock.set("+3d")?;
    eventually("the earlier one ends", Duration::from_secs(60), || {
        reports(port, TOKEN, 8).is_ok_and(|status| status == 401 || status == 429)
    })
    .await?;
    assert_eq!(reports(port, &fresh, 9)?, 200);
    let made = gateway.verb(&["kiosks", "token", "k1", "--revoke"]).await?;
    let newest = String::from_utf8(made.stdout)?.trim().to_owned();
    assert!(matches!(reports(port, &fresh, 10)?, 401 | 429), "it is revoked at once");
    assert_eq!(reports(port, &newest, 11)?, 200);
    assert_eq!(std::fs::read_to_string(config.join("k1.token"))?.matches("sha256:").count(), 1);
    let unknown = gateway.verb(&["kiosks", "token", "k2"]).await?;
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("there is no device \"k2\""));
    drop(held.shutdown(std::net::Shutdown::Both));
    gateway.stop().await
}
