//! The canteen's day: temperatures accounted for through kills, samples, cooling, signed records
//! that give away whoever changes them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::devices::STORE;
use linli_tests::{Broker, FakeClock, Gateway, Subscriber, Workspace, eventually, linli, python, tool};
use serde_json::{Value, json};
use tokio::process::Command;

/// A busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(90);

fn devices(port: u16) -> String {
    let mut text = format!("[[line]]\nid = \"z\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\n");
    let keeps = |kept: &str| format!("keeps = \"{kept}\"\n");
    for (id, keeps) in [
        ("fridge", keeps("cold")),
        ("samples", keeps("samples")),
        ("dishes", keeps("dish_machine")),
        ("probe", String::new()),
    ] {
        text += &format!(
            "\n[[device]]\nid = \"{id}\"\nname = \"{id}柜\"\nline = \"z\"\nprofile = \"zigbee2mqtt/climate\"\n\
             class = \"food_safety\"\npoll = \"5s\"\n{keeps}"
        );
    }
    text
}

async fn reads(port: u16, device: &str, celsius: f64) -> anyhow::Result<()> {
    let (port, topic) = (port.to_string(), format!("zigbee2mqtt/{device}"));
    let payload = json!({ "temperature": celsius }).to_string();
    let arguments = ["-h", "127.0.0.1", "-p", &port, "-q", "1", "-t", &topic, "-m", &payload];
    let sent = Command::new(tool("mosquitto_pub", "mosquitto-clients")?).args(arguments).output().await?;
    ensure!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    Ok(())
}

/// A reading, once the gateway shows it.
async fn is_read(gateway: &Gateway, port: u16, device: &str, celsius: f64) -> anyhow::Result<()> {
    reads(port, device, celsius).await?;
    let path = format!("/api/v1/devices/{device}");
    let shown = || -> Option<Value> {
        let shown: Value = serde_json::from_str(&gateway.get(&path).ok()?).ok()?;
        let point = shown["points"].as_array()?.iter().find(|point| point["point"] == "temperature")?;
        point.get("value").cloned()
    };
    eventually(&format!("{device} shows {celsius}"), PATIENCE, || shown() == Some(json!(celsius))).await
}

/// Waits until the account of the cabinets is in the database with that in it; it is written from time
/// to time.
async fn kept(workspace: &Workspace, what: &str) -> anyhow::Result<()> {
    let database = sqlx::sqlite::SqliteConnectOptions::new().filename(workspace.path("data/linli.db"));
    let mut connection = sqlx::ConnectOptions::connect(&database.read_only(true)).await?;
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let rows: Vec<String> = sqlx::query_scalar("SELECT body FROM book WHERE kind = 'account'")
            .fetch_all(&mut connection)
            .await?;
        if rows.iter().any(|body| body.contains(what)) {
            return Ok(());
        }
        ensure!(tokio::time::Instant::now() < until, "the account is not kept: {rows:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn record(gateway: &Gateway) -> Value {
    gateway
        .ask("POST", "/api/v1/food", &json!({"do": "record"}))
        .map(|(_, record)| record)
        .unwrap_or_default()
}

fn cabinet(record: &Value, device: &str) -> Value {
    let cabinets = record["cabinets"].as_array().cloned().unwrap_or_default();
    cabinets.into_iter().find(|cabinet| cabinet["device"] == device).unwrap_or_default()
}

/// Runs a verb that must do, and gives what it says.
async fn succeed(gateway: &Gateway, arguments: &[&str]) -> anyhow::Result<String> {
    let output = gateway.verb(arguments).await?;
    ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a verb that must be refused, and gives the reason.
async fn refused(gateway: &Gateway, arguments: &[&str]) -> anyhow::Result<String> {
    let output = gateway.verb(arguments).await?;
    ensure!(!output.status.success(), "{arguments:?} was not refused");
    Ok(String::from_utf8_lossy(&output.stderr).into_owned())
}

async fn start(workspace: &Workspace, config: &Path) -> anyhow::Result<Gateway> {
    let mut gateway = Gateway::start(config, &workspace.path("data")).await?;
    gateway.answering().await?;
    gateway
        .until("the line is up", Duration::from_secs(60), |status| status["lines"][0]["up"] == true)
        .await?;
    Ok(gateway)
}

#[tokio::test]
async fn a_day_is_accounted_for_and_signed() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let config = workspace.configure(broker.port, STORE, &devices(broker.port))?;
    let gateway = start(&workspace, &config).await?;
    for celsius in [4.0, 4.5, 9.5, 11.0] {
        is_read(&gateway, broker.port, "fridge", celsius).await?;
    }
    eventually("time passes beyond the limit", PATIENCE, || {
        cabinet(&record(&gateway), "fridge")["beyond_s"].as_u64() >= Some(3)
    })
    .await?;
    is_read(&gateway, broker.port, "fridge", 5.0).await?;
    eventually("the excursion is in the record", Duration::from_secs(60), || {
        let fridge = cabinet(&record(&gateway), "fridge");
        fridge["excursions"][0]["worst"] == 11.0 && !fridge["excursions"][0]["to"].is_null()
    })
    .await
    .with_context(|| record(&gateway).to_string())?;
    let fridge = cabinet(&record(&gateway), "fridge");
    let seconds = |key: &str| fridge[key].as_u64().unwrap_or_default();
    // As long as the excursion itself was, to the second.
    let moment = |key: &str| fridge["excursions"][0][key].as_i64().unwrap_or_default();
    let lasted = u64::try_from((moment("to") - moment("from")) / 1000).unwrap_or_default();
    assert!(seconds("beyond_s") >= 3 && seconds("beyond_s").abs_diff(lasted) <= 1, "{fridge}");
    assert!(seconds("danger_s") == seconds("beyond_s"), "{fridge}");
    assert!(cabinet(&record(&gateway), "samples")["within_s"] == 0, "nobody saw it: unknown");

    for celsius in [60.0, 86.0, 88.0, 40.0] {
        reads(broker.port, "dishes", celsius).await?;
    }
    eventually("too short a cycle is told as such", Duration::from_secs(60), || {
        record(&gateway)["cycles"][0]["cycle"]["is_clean"] == false
    })
    .await
    .with_context(|| {
        format!("{}\n{:?}\n{}", record(&gateway), gateway.get("/api/v1/devices/dishes"), gateway.log())
    })?;
    people(&gateway, broker.port).await?;
    // The process dies; what it accounted for does not.
    kept(&workspace, "11.0").await?;
    gateway.kill().await?;
    let gateway = start(&workspace, &config).await?;
    let fridge = cabinet(&record(&gateway), "fridge");
    assert_eq!(fridge["excursions"][0]["worst"], 11.0, "{fridge}");
    assert_eq!(record(&gateway)["samples"][0]["food"], "番茄炒蛋");
    signed(&workspace, gateway, &subscriber, &config).await
}

/// Operations of people, and those that are refused.
async fn people(gateway: &Gateway, port: u16) -> anyhow::Result<()> {
    let retain = |grams: &'static str, cabinet: &'static str| {
        ["food", "retain", "--food", "番茄炒蛋", "--grams", grams, "--cabinet", cabinet, "--by", "李梅"]
    };
    assert!(refused(gateway, &retain("120", "samples")).await?.contains("125"));
    assert!(refused(gateway, &retain("150", "fridge")).await?.contains("samples do"));
    succeed(gateway, &retain("150", "samples")).await?;
    let listed = succeed(gateway, &["food", "samples"]).await?;
    let number = listed.split_whitespace().next().unwrap_or_default().to_owned();
    assert!(listed.contains("番茄炒蛋"), "{listed}");
    let early = refused(gateway, &["food", "destroy", &number, "--by", "李梅"]).await?;
    assert!(early.contains("48"), "{early}");
    succeed(gateway, &["food", "destroy", &number, "--by", "李梅", "--why", "容器破损"]).await?;
    assert!(refused(gateway, &["food", "destroy", &number, "--by", "李梅"]).await?.contains("already"));

    let cool = |food: &'static str| ["food", "cool", "--food", food, "--probe", "probe", "--by", "王强"];
    assert!(
        refused(gateway, &["food", "cool", "--food", "汤", "--probe", "nobody", "--by", "王强"])
            .await
            .is_ok()
    );
    succeed(gateway, &cool("红烧肉")).await?;
    assert!(refused(gateway, &cool("鸡汤")).await?.contains("another batch"));
    for celsius in [72.0, 58.0, 30.0, 7.5] {
        reads(port, "probe", celsius).await?;
    }
    eventually("it cooled in time", Duration::from_secs(60), || {
        record(gateway)["cooling"][0]["cooling"]["outcome"] == "passed"
    })
    .await?;
    succeed(gateway, &["food", "note", "--by", "李梅", "冰箱门封条已更换"]).await?;
    Ok(())
}

/// A signed record is exported and verified by another program, which detects every change.
async fn signed(
    workspace: &Workspace,
    gateway: Gateway,
    subscriber: &Subscriber,
    config: &Path,
) -> anyhow::Result<()> {
    let page = succeed(&gateway, &["export", "haccp", "--as", "html"]).await?;
    assert!(page.contains("未签字") && page.contains("番茄炒蛋") && page.contains("容器破损"), "{page}");
    succeed(&gateway, &["food", "sign", "--by", "李梅", "--note", "无异常"]).await?;
    succeed(&gateway, &["food", "sign", "--by", "王强"]).await?;
    assert!(succeed(&gateway, &["food", "verify"]).await?.starts_with("2 signed"));
    let document = workspace.path("haccp.pdf");
    let to = document.to_string_lossy().into_owned();
    succeed(&gateway, &["export", "haccp", "--as", "pdf", "-o", &to]).await?;
    let text = Command::new(tool("pdftotext", "poppler-utils")?).args(["-layout", &to, "-"]).output().await?;
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    for word in ["日记录", "番茄炒蛋", "红烧肉", "冰箱门封条已更换", "王强", "11.0"] {
        assert!(text.contains(word), "{word} is not in the document:\n{text}");
    }
    let week = succeed(&gateway, &["export", "haccp", "--span", "week", "--as", "csv"]).await?;
    assert!(week.contains("每天,日期,签字") && week.contains("温度监测,日期,设备"), "{week}");
    let month = succeed(&gateway, &["export", "haccp", "--span", "month"]).await?;
    assert!(month.contains("<h2>每天</h2>"), "{month}");
    let table = workspace.path("haccp.csv");
    succeed(&gateway, &["export", "haccp", "--as", "csv", "-o", &table.to_string_lossy()]).await?;
    let script = "import csv,sys; print(sum('番茄炒蛋' in row for row in csv.reader(open(sys.argv[1], encoding='utf-8-sig'))))";
    let read = Command::new(python()?).args(["-c", script]).arg(&table).output().await?;
    assert_eq!(String::from_utf8_lossy(&read.stdout).trim(), "1");
    let reported = || {
        let received = subscriber.received().unwrap_or_default();
        received
            .iter()
            .filter(|m| m.topic.ends_with("/event/haccp"))
            .map(|m| m.payload["hash"].clone())
            .collect::<Vec<_>>()
    };
    eventually("the district has both hashes", Duration::from_secs(60), || reported().len() == 2).await?;
    let chain = succeed(&gateway, &["food", "chain"]).await?;
    assert!(reported().iter().all(|hash| chain.contains(hash.as_str().unwrap_or("?"))));

    let file = workspace.path("chain.json");
    std::fs::write(&file, chain.replace("\"worst\": 11.0", "\"worst\": 8.1"))?;
    let found = linli(&["food", "verify", &file.to_string_lossy()]).await?;
    assert!(String::from_utf8_lossy(&found.stderr).contains("number 1"), "{found:?}");
    gateway.stop().await?;
    // In the database too.
    let script = "import sqlite3,sys; db=sqlite3.connect(sys.argv[1]); \
                  db.execute(\"DELETE FROM book WHERE id='signed/00000001'\"); db.commit()";
    let database = workspace.path("data/linli.db");
    ensure!(Command::new(python()?).args(["-c", script]).arg(&database).status().await?.success());
    let gateway = start(workspace, config).await?;
    assert!(refused(&gateway, &["food", "verify"]).await?.contains("number 1 is missing"));
    gateway.stop().await
}

#[tokio::test]
async fn a_clock_that_jumps_takes_nothing_out_of_the_day() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (broker, clock) = (Broker::start(&workspace).await?, FakeClock::new(&workspace).await?);
    let config = workspace.configure(broker.port, STORE, &devices(broker.port))?;
    let mut gateway = Gateway::start_under(&clock.wrapper(), &config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let warm = || cabinet(&record(&gateway), "fridge")["excursions"][0]["worst"] == 12.5;
    let is_up = |status: &Value| status["lines"][0]["up"] == true;
    gateway.until("the line is up", Duration::from_secs(60), is_up).await?;
    reads(broker.port, "fridge", 12.5).await?;
    eventually("the excursion is in the record", Duration::from_secs(60), warm).await?;
    // From a day ahead and from one behind.
    for jumps in
        [&[("+400d", 4.1), ("-400d", 4.2), ("+10y", 4.3), ("+0", 4.4)][..], &[("-400d", 4.5), ("+0", 4.6)]]
    {
        for (jump, celsius) in jumps {
            clock.set(jump)?;
            // A sample comes by: the day is another one.
            is_read(&gateway, broker.port, "fridge", *celsius).await?;
        }
        eventually("the day goes on where it was", Duration::from_secs(60), warm).await?;
    }
    gateway.stop().await
}
