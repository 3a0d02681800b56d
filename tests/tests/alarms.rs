//! Alarms of a real device: raised once although the gateway is killed, sent to webhooks, acknowledged.

use std::time::Duration;

use anyhow::Context;
use linli_tests::devices::{STORE, counter};
use linli_tests::{
    Broker, Gateway, Peer, Received, Subscriber, Workspace, device, eventually, free_port, python,
};
use serde_json::{Value, json};

const RULES: &str = "[[alarm]]\nid = \"many\"\ndevice = \"d1\"\npoint = \"counter\"\nwhen = \"high\"\nlimit = 40\n\
                     on_delay = \"300ms\"\npriority = \"high\"\ntext = \"计数过多\"\n\n\
                     [[alarm]]\nid = \"d1.silent\"\ndevice = \"d1\"\nwhen = \"silent\"\non_delay = \"2s\"\n\
                     priority = \"low\"\n";

/// The alarm events that the district received as alarm, event and new state, without repetitions.
fn steps(subscriber: &Subscriber) -> Vec<(String, String, String)> {
    let mut seen = std::collections::BTreeSet::new();
    let mut is_new = |message: &Received| {
        let key = (message.payload["epoch"].to_string(), message.payload["seq"].to_string());
        message.topic.ends_with("/event/alarm") && seen.insert(key)
    };
    let word = |message: &Received, key: &str| message.payload[key].as_str().unwrap_or_default().to_owned();
    let received = subscriber.received().unwrap_or_default();
    let reported = received.into_iter().filter(|message| is_new(message));
    reported.map(|m| (word(&m, "alarm"), word(&m, "event"), word(&m, "to"))).collect()
}

/// Waits until the device was read that often since the gateway started.
async fn is_read(gateway: &Gateway, times: u64) -> anyhow::Result<()> {
    let is_read = |status: &Value| {
        device(status, "d1").is_some_and(|device| device["ok"].as_u64().unwrap_or_default() >= times)
    };
    gateway.until("the device is read", Duration::from_secs(60), is_read).await
}

/// The state of an alarm; empty if there is no such alarm.
fn state(gateway: &Gateway, alarm: &str) -> anyhow::Result<String> {
    let (_, shown) = gateway.ask("GET", "/api/v1/alarms?all=true", &Value::Null)?;
    let all = shown.as_array().cloned().unwrap_or_default();
    let found = all.iter().find(|shown| shown["alarm"] == alarm).map(|shown| shown["state"].clone());
    Ok(found.and_then(|state| state.as_str().map(str::to_owned)).unwrap_or_default())
}

#[tokio::test]
async fn an_alarm_is_raised_once_and_keeps_its_state_through_kills() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let port = free_port()?;
    let peer = Peer::tcp(port, 1, 50).await?;
    let config = workspace.configure(broker.port, STORE, &counter(port, "100ms"))?;
    std::fs::write(config.join("alarms.toml"), RULES)?;
    let data = workspace.path("data");
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    let raised = eventually("it is raised", Duration::from_secs(60), || {
        state(&gateway, "many").is_ok_and(|state| state == "unacknowledged")
    })
    .await;
    raised
        .with_context(|| format!("{:?} {:?}", gateway.get("/api/v1/devices/d1"), gateway.get("/metrics")))?;
    for round in 0..5 {
        gateway.kill().await?;
        gateway = Gateway::start(&config, &data).await?;
        gateway.answering().await?;
        is_read(&gateway, 1 + 2 * round).await?;
        assert_eq!(state(&gateway, "many")?, "unacknowledged");
    }
    let done = gateway.verb(&["alarms", "acknowledge", "many"]).await?;
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    gateway.kill().await?;
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    assert_eq!(state(&gateway, "many")?, "acknowledged");

    let (status, refused) = gateway.ask("POST", "/api/v1/alarms/many/shelve", &json!({"for": "1h"}))?;
    assert_eq!((status, refused["detail"].as_str().is_some_and(|why| why.contains("why"))), (422, true));
    assert_eq!(gateway.ask("POST", "/api/v1/alarms/many/shelve", &json!({"for": "9h", "why": "x"}))?.0, 422);
    assert_eq!(gateway.ask("POST", "/api/v1/alarms/none/acknowledge", &json!({}))?.0, 404);
    assert_eq!(gateway.ask("POST", "/api/v1/alarms/many/reset", &json!({}))?.0, 409);

    drop(peer);
    falls_silent(&gateway, &subscriber).await?;
    std::fs::write(config.join("alarms.toml"), "defaults = false\n")?;
    assert!(gateway.verb(&["reload"]).await?.status.success());
    eventually("a rule that goes takes its standing alarm out", Duration::from_secs(60), || {
        steps(&subscriber).contains(&(
            "d1.silent".to_owned(),
            "take_out".to_owned(),
            "out_of_service".to_owned(),
        ))
    })
    .await?;
    assert_eq!(state(&gateway, "many")?, "", "there is no such alarm any more");
    gateway.stop().await
}

/// The device falls silent: that is an alarm, and it silences what hangs on it.
async fn falls_silent(gateway: &Gateway, subscriber: &Subscriber) -> anyhow::Result<()> {
    eventually("silence is raised", Duration::from_secs(60), || {
        state(gateway, "d1.silent").is_ok_and(|state| state == "unacknowledged")
    })
    .await?;
    assert_eq!(state(gateway, "many")?, "suppressed");
    eventually("the district heard", Duration::from_secs(60), || {
        steps(subscriber).iter().any(|(alarm, ..)| alarm == "d1.silent")
    })
    .await?;
    let raised = |alarm: &str| {
        let all = steps(subscriber);
        all.iter().filter(|(id, _, to)| id == alarm && to == "unacknowledged").count()
    };
    assert_eq!((raised("many"), raised("d1.silent")), (1, 1), "each announced once: {:?}", steps(subscriber));
    let (_, journal) = gateway.ask("GET", "/api/v1/alarms/journal", &Value::Null)?;
    let journal = journal.as_array().cloned().unwrap_or_default();
    let acknowledged = journal.iter().find(|step| step["event"] == "acknowledge");
    assert!(acknowledged.is_some_and(|step| step["by"].as_str().is_some_and(|by| by == "tester")));
    assert!(gateway.get("/metrics")?.contains("linli_alarms_standing{priority=\"low\"} 1"));
    Ok(())
}

/// The requests that the webhook receiver got.
fn received(log: &std::path::Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[tokio::test]
async fn whoever_is_outside_is_told_once_through_refusals_and_kills_and_again_when_nobody_answers()
-> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (port, hook, log) = (free_port()?, free_port()?, workspace.path("hooks"));
    let _peer = Peer::tcp(port, 1, 50).await?;
    let _receiver = tokio::process::Command::new(python()?)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/webhook_receiver.py"))
        .args([&hook.to_string(), "3", "sesame"])
        .stdout(std::fs::File::create(&log)?)
        .kill_on_drop(true)
        .spawn()?;
    let config = workspace.configure_with("", STORE, &counter(port, "100ms"))?;
    let webhook = format!(
        "\n[[webhook]]\nid = \"sms\"\nurl = \"http://127.0.0.1:{hook}/alarm\"\nsecret = \"file:hook.secret\"\n\
         escalate_after = \"1m\"\n"
    );
    std::fs::write(config.join("alarms.toml"), RULES.to_owned() + &webhook)?;
    let secret = config.join("hook.secret");
    std::fs::write(&secret, "sesame\n")?;
    std::fs::set_permissions(&secret, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    let data = workspace.path("data");
    let mut gateway = Gateway::start(&config, &data).await?;
    gateway.answering().await?;
    eventually("the first attempt", Duration::from_secs(60), || !received(&log).is_empty()).await?;
    // Killed while it is refused, and while it is taken.
    for round in 0..8 {
        gateway.kill().await?;
        gateway = Gateway::start(&config, &data).await?;
        gateway.answering().await?;
        is_read(&gateway, round).await?;
    }
    eventually("it is taken", Duration::from_secs(60), || {
        received(&log).iter().any(|reported| reported["taken"] == true)
    })
    .await?;
    let all = received(&log);
    let keys: std::collections::BTreeSet<String> =
        all.iter().map(|reported| reported["key"].to_string()).collect();
    assert_eq!(keys.len(), 1, "one alarm, one key, however often it was tried: {all:?}");
    assert!(
        all.iter().all(|reported| reported["signed"] == true && reported["body"]["alarm"] == "many"),
        "{all:?}"
    );
    assert_eq!(all[0]["body"]["escalation"], false);

    eventually("told once more", Duration::from_secs(90), || {
        received(&log).iter().any(|reported| reported["body"]["escalation"] == true)
    })
    .await?;
    told_to_the_receiver(&gateway)?;
    gateway.verb(&["alarms", "acknowledge", "many"]).await?;
    // What is sent after it arrives after it.
    let tested = gateway.verb(&["alarms", "test"]).await?;
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stderr));
    let is_test = |reported: &Value| reported["body"]["alarm"] == "test";
    eventually("the test is received", Duration::from_secs(60), || received(&log).iter().any(is_test))
        .await?;
    let taken = received(&log)
        .iter()
        .filter(|reported| reported["taken"] == true && !is_test(reported))
        .map(|reported| reported["key"].to_string())
        .collect::<std::collections::BTreeSet<_>>();
    assert_eq!(taken.len(), 2, "raised, and once more");
    assert!(gateway.get("/metrics")?.contains("linli_notifications_total{result=\"delivered\"}"));
    gateway.stop().await
}

/// The alarm says who was told: first after refusals and kills, then once more, and nobody is next.
fn told_to_the_receiver(gateway: &Gateway) -> anyhow::Result<()> {
    let told: Value = serde_json::from_str(&gateway.get("/api/v1/alarms/many/notices")?)?;
    let notices = told["notices"].as_array().cloned().unwrap_or_default();
    let of = |escalation: bool| notices.iter().find(|one| one["escalation"] == escalation).cloned();
    let first = of(false).expect("the first notification");
    assert_eq!((&first["receiver"], &first["result"]), (&"sms".into(), &"delivered".into()), "{told}");
    // Three were refused, of which a kill may have cut off each before it was counted.
    assert!(first["attempts"].as_u64().is_some_and(|count| count >= 1), "{told}");
    assert!(of(true).is_some(), "{told}");
    assert_eq!(told["next"], serde_json::json!([]), "{told}");
    assert_eq!(told["receivers"][0]["escalate_after_s"], 60, "{told}");
    Ok(())
}

#[tokio::test]
async fn at_night_only_what_is_urgent_is_told_and_a_test_goes_the_whole_way() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (port, hook, log) = (free_port()?, free_port()?, workspace.path("hooks"));
    let _peer = Peer::tcp(port, 1, 50).await?;
    let _receiver = tokio::process::Command::new(python()?)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/webhook_receiver.py"))
        .args([&hook.to_string(), "0", "sesame"])
        .stdout(std::fs::File::create(&log)?)
        .kill_on_drop(true)
        .spawn()?;
    let config = workspace.configure_with("", STORE, &counter(port, "100ms"))?;
    let more = format!(
        "\n[[alarm]]\nid = \"few\"\ndevice = \"d1\"\npoint = \"counter\"\nwhen = \"high\"\nlimit = 1\npriority = \"low\"\n\n\
         [[webhook]]\nid = \"sms\"\nurl = \"http://127.0.0.1:{hook}/alarm\"\npriorities = [\"high\", \"low\"]\n\
         quiet = \"00:00-24:00\"\n"
    );
    std::fs::write(config.join("alarms.toml"), RULES.to_owned() + &more)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    let reported = |alarm: &str| received(&log).iter().any(|reported| reported["body"]["alarm"] == alarm);
    eventually("the urgent one is told", Duration::from_secs(60), || reported("many")).await?;
    assert_eq!(state(&gateway, "few")?, "unacknowledged");
    let tested = gateway.verb(&["alarms", "test"]).await?;
    assert!(tested.status.success(), "{}", String::from_utf8_lossy(&tested.stderr));
    eventually("the test is told", Duration::from_secs(60), || reported("test")).await?;
    assert!(!reported("few"), "people sleep: {:?}", received(&log));
    let told: Value = serde_json::from_str(&gateway.get("/api/v1/alarms/few/notices")?)?;
    assert_eq!(told["notices"][0]["result"], "waiting", "{told}");
    assert!(told["notices"][0]["not_before"].as_i64().is_some(), "{told}");
    gateway.stop().await
}
