//! One record: who did what, in every log, shown by time, verified as a whole, exported, and spoilt. And lists in pages.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Output;

use linli_tests::{Gateway, Hl7Monitor, Workspace, free_port, http};
use serde_json::{Value, json};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

/// A gateway with a cabin.
struct Centre {
    workspace: Workspace,
    config: PathBuf,
    monitor: Hl7Monitor,
}

// === impl Centre ===

impl Centre {
    fn new() -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let monitor = Hl7Monitor::new()?;
        let store = "path = \"../data/linli.db\"";
        let config = workspace.configure(free_port()?, store, &monitor.device(Some("cabin")))?;
        let facility = config.join("facility.toml");
        let before = std::fs::read_to_string(&facility)?;
        std::fs::write(facility, before + "\n[[room]]\nid = \"cabin\"\nname = \"健康小屋\"\n")?;
        let gateway = config.join("gateway.toml");
        let before = std::fs::read_to_string(&gateway)?;
        std::fs::write(
            gateway,
            before + "\n[[worker]]\nname = \"shen\"\ntoken = \"file:shen.token\"\nroles = [\"auditor\"]\n",
        )?;
        std::fs::write(config.join("shen.token"), "5e".repeat(32))?;
        std::fs::set_permissions(config.join("shen.token"), std::fs::Permissions::from_mode(0o600))?;
        Ok(Self { workspace, config, monitor })
    }

    async fn start(&self) -> anyhow::Result<Gateway> {
        let mut gateway = Gateway::start(&self.config, &self.workspace.path("data")).await?;
        gateway.answering().await?;
        Ok(gateway)
    }

    /// Changes the database behind the gateway's back.
    async fn spoil(&self, sql: &'static str) -> anyhow::Result<()> {
        let options = SqliteConnectOptions::new().filename(self.workspace.path("data/linli.db"));
        let mut connection = SqliteConnection::connect_with(&options).await?;
        sqlx::query(sql).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn visit(gateway: &Gateway, code: &str) -> anyhow::Result<String> {
    let (status, visit) = gateway.ask("POST", "/api/v1/visits", &json!({"by": "code", "code": code}))?;
    anyhow::ensure!(status == 201, "{visit}");
    Ok(visit["id"].as_str().unwrap_or_default().to_owned())
}

/// The items of every page of a list, and how many pages there were.
fn pages(gateway: &Gateway, path: &str) -> anyhow::Result<(Vec<Value>, usize)> {
    let (mut path, mut all, mut count) = (Some(path.to_owned()), Vec::new(), 0);
    while let Some(page) = path {
        let stream = std::os::unix::net::UnixStream::connect(gateway.control_socket())?;
        let answer = http::request(stream, "GET", &page, "", "")?;
        anyhow::ensure!(answer.status == 200, "{page}: {answer:?}");
        let items: Value = serde_json::from_str(&answer.body)?;
        all.extend(items.as_array().or_else(|| items["accounts"].as_array()).cloned().unwrap_or_default());
        let link = answer.header("link").and_then(|link| link.strip_prefix('<')?.split_once('>'));
        path = link.map(|(path, _)| path.to_owned());
        count += 1;
    }
    Ok((all, count))
}

#[tokio::test]
async fn who_did_what_is_one_record_that_is_verified_and_a_change_is_found() -> anyhow::Result<()> {
    let centre = Centre::new()?;
    let gateway = centre.start().await?;
    gateway.log_in(&["zhao"])?;
    let first = visit(&gateway, "A1")?;
    visit(&gateway, "A2")?;
    assert_eq!(gateway.ask("GET", &format!("/api/v1/visits/{first}"), &Value::Null)?.0, 200);
    assert!(gateway.verb(&["export", "csv"]).await?.status.success());
    assert!(gateway.verb(&["reload"]).await?.status.success());
    assert_eq!(gateway.ask("POST", "/api/v1/visits/v-0/erase", &json!({"why": "none"}))?.0, 404);
    let web = gateway.web().await?;
    let wrong = http::request(
        std::net::TcpStream::connect(&web)?,
        "GET",
        "/api/v1/record",
        "Authorization: Bearer 00\r\n",
        "",
    )?;
    assert_eq!(wrong.status, 401);
    let auditor = format!("Authorization: Bearer {}\r\n", "5e".repeat(32));
    let shown =
        http::request(std::net::TcpStream::connect(&web)?, "GET", "/api/v1/record?limit=1000", &auditor, "")?;
    assert_eq!(shown.status, 200, "{shown:?}");
    let shown: Vec<Value> = serde_json::from_str(&shown.body)?;
    let has = |log: &str, text: &str| {
        shown.iter().any(|entry| entry["log"] == log && entry["entry"].to_string().contains(text))
    };
    for (log, text) in [
        ("accounts", "\"logged_in\""),
        ("accounts", "wrong token"),
        ("accounts", "\"reloaded\""),
        ("accounts", "\"certificate\""),
        ("access", "visit.open"),
        ("access", "visit.show"),
        ("access", "export.csv"),
        ("access", "audit.show"),
    ] {
        assert!(has(log, text), "{log}: {text} is missing in {shown:?}");
    }
    let at = |entry: &Value| entry["entry"]["at"].as_i64().unwrap();
    assert!(shown.windows(2).all(|pair| at(&pair[0]) >= at(&pair[1])), "newest first");

    let listed = gateway.verb(&["audit", "show", "--log", "access", "--limit", "200"]).await?;
    assert!(
        said(&listed).contains("visit.show") && !said(&listed).contains("logged_in"),
        "{}",
        said(&listed)
    );
    let verified = gateway.verb(&["audit", "verify"]).await?;
    assert!(verified.status.success() && said(&verified).contains("access"), "{}", said(&verified));
    exports_are_verified(&centre, &gateway).await?;
    gateway.stop().await?;

    centre.spoil("UPDATE audit SET who = 'nobody' WHERE what = 'visit.show'").await?;
    let gateway = centre.start().await?;
    let found = gateway.verb(&["audit", "verify"]).await?;
    assert!(!found.status.success() && said(&found).contains("access: line"), "{}", said(&found));
    gateway.stop().await
}

/// An export is whole without the gateway, and no line can be changed or left out.
async fn exports_are_verified(centre: &Centre, gateway: &Gateway) -> anyhow::Result<()> {
    let export = centre.workspace.path("record.jsonl").display().to_string();
    let exported = gateway.verb(&["audit", "export", "-o", &export]).await?;
    assert!(exported.status.success(), "{}", said(&exported));
    let whole = gateway.verb(&["audit", "verify", &export]).await?;
    assert!(whole.status.success(), "{}", said(&whole));
    let text = std::fs::read_to_string(&export)?;
    for (from, to) in [("visit.show", "visit.open"), ("\\\"who\\\":\\\"", "\\\"who\\\":\\\"x")] {
        std::fs::write(&export, text.replacen(from, to, 1))?;
        let spoilt = gateway.verb(&["audit", "verify", &export]).await?;
        assert!(!spoilt.status.success() && said(&spoilt).contains("access"), "{from}: {}", said(&spoilt));
    }
    let without: String =
        text.lines().filter(|line| !line.contains("visit.show")).map(|line| format!("{line}\n")).collect();
    std::fs::write(&export, without)?;
    assert!(!gateway.verb(&["audit", "verify", &export]).await?.status.success(), "a line was left out");
    Ok(())
}

#[tokio::test]
async fn long_lists_come_in_pages_and_none_is_left_out_or_twice() -> anyhow::Result<()> {
    let centre = Centre::new()?;
    let gateway = centre.start().await?;
    centre.monitor.listening().await?;
    let mut opened = Vec::new();
    for nth in 0..7 {
        opened.push(visit(&gateway, &format!("P{nth}"))?);
    }
    let messages: Vec<String> = (0..5)
        .map(|nth| {
            format!(
                "MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|{nth}|P|2.6|||||||UNICODE UTF-8\rPID|||nobody\r\
                 OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|59408-5^SpO2^LN||{}|%^^UCUM|||||F\r",
                90 + nth
            )
        })
        .collect();
    centre.monitor.send(&messages).await?;
    for account in ["an", "bo", "chen"] {
        let (status, _) =
            gateway.ask("POST", "/api/v1/users", &json!({"account": account, "roles": ["canteen"]}))?;
        assert_eq!(status, 201);
    }
    let ids = |all: &[Value], key: &str| -> Vec<String> {
        all.iter().map(|item| item[key].as_str().unwrap_or_default().to_owned()).collect()
    };
    let (visits, count) = pages(&gateway, "/api/v1/visits?limit=3")?;
    assert_eq!((ids(&visits, "id"), count), (opened.clone(), 3));
    let (open, count) = pages(&gateway, "/api/v1/visits?open=true&limit=3")?;
    assert_eq!((ids(&open, "id"), count), (opened[6..].to_vec(), 1));
    let (waiting, count) = pages(&gateway, "/api/v1/measurements/unassigned?limit=2")?;
    let distinct: std::collections::BTreeSet<String> = ids(&waiting, "id").into_iter().collect();
    assert_eq!((waiting.len(), distinct.len(), count), (5, 5, 3));
    let (users, _) = pages(&gateway, "/api/v1/users?limit=2")?;
    let accounts = ids(&users, "account");
    for account in ["an", "bo", "chen"] {
        assert_eq!(accounts.iter().filter(|one| *one == account).count(), 1, "{accounts:?}");
    }
    let (audit, count) = pages(&gateway, "/api/v1/audit?limit=4")?;
    assert!(
        count > 2 && audit.iter().filter(|entry| entry["what"] == "visit.open").count() == 7,
        "{audit:?}"
    );
    let (record, count) = pages(&gateway, "/api/v1/record?limit=4")?;
    let places: std::collections::BTreeSet<String> =
        record.iter().map(|shown| format!("{} {}", shown["log"], shown["entry"]["n"])).collect();
    assert!(count > 2 && places.len() == record.len(), "each once: {record:?}");
    assert_eq!(record.iter().filter(|shown| shown["entry"]["what"] == "visit.open").count(), 7);
    let csv = |path: &str| gateway.get(path);
    let whole = csv("/api/v1/export/csv")?;
    let first = csv("/api/v1/export/csv?limit=2")?;
    assert_eq!((whole.lines().count(), first.lines().count()), (6, 3));
    for wrong in ["next=x", "next=1.2.3", "limit=-1", "limit=x"] {
        let (status, _) = gateway.ask("GET", &format!("/api/v1/visits?{wrong}"), &Value::Null)?;
        assert_eq!(status, 400, "{wrong}");
    }
    gateway.stop().await
}
