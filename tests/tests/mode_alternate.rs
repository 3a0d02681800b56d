//! A room that cannot be used: another one takes its place under the same order, if that names it.

use linli_tests::room::{Centre, ENTER, Room, succeed};
use linli_tests::switching::{PATIENCE, act, confirms, send, until, until_room};
use linli_tests::{Broker, Workspace, eventually};
use serde_json::{Value, json};

const HALL: &str = "hall.command@1";

/// A centre whose reading room has the hall as its alternate.
async fn centre(broker: Option<u16>) -> anyhow::Result<Centre> {
    let centre = Centre::new(broker).await?;
    centre
        .replan(ENTER, |text| text.replacen("lead = ", &format!("alternate = \"{HALL}\"\nlead = "), 1))
        .await?;
    Ok(centre)
}

#[tokio::test]
async fn another_room_takes_its_place_when_the_order_names_it() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let subscriber = broker.subscribe(&workspace).await?;
    let mut centre = centre(Some(broker.port)).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    until_room(&gateway, "hall", "no fire", |room| room["fire"] == "normal").await?;
    let (plan, hall) = (centre.named_plan("xinghe", ENTER), centre.named_plan("xinghe", HALL));
    let both = ["--plan", plan.as_str(), "--plan", hall.as_str()];
    let order = centre.order("enter", "actual", &both, &["wang", "li"]).await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    // Held in reserve: nothing begins there.
    until(&gateway, "the notice is asked", |room| room["stage"] == "notice").await?;
    until_room(&gateway, "hall", "it stays in peace", |room| room["stage"] == "peace").await?;
    let (status, reported) = act(&gateway, "alternate", &json!({"person": "zhao", "why": "x"}))?;
    assert!(
        status == 409 && reported["detail"].as_str().is_some_and(|d| d.contains("can still be used")),
        "{reported}"
    );
    let (status, reported) =
        act(&gateway, "cannot", &json!({"person": "qian", "step": "notice", "why": "屋顶漏水"}))?;
    assert_eq!(status, 200, "{reported}");
    until(&gateway, "another room is proposed", |room| room["alternate"]["covered"] == true).await?;
    let proposed = || {
        let all = subscriber.received().unwrap_or_default();
        all.iter().filter(|reported| reported.payload["kind"] == "alternate").count()
    };
    eventually("the district hears of it", PATIENCE, || proposed() > 0).await?;
    let (status, reported) = act(&gateway, "alternate", &json!({"person": "qian", "why": "x"}))?;
    assert!(
        status == 409 && reported["detail"].as_str().is_some_and(|d| d.contains("site_lead")),
        "{reported}"
    );
    let sent =
        gateway.verb(&["mode", "alternate", "reading-room", "--login", "zhao", "--why", "屋顶漏水"]).await?;
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    let shown = until_room(&gateway, "hall", "it begins", |room| room["stage"] != "peace").await?;
    let all = gateway.verb(&["mode", "status"]).await?;
    let all = String::from_utf8_lossy(&all.stdout).into_owned();
    assert!(all.contains("site      north 北站") && all.contains("site      south 南站 平时"), "{all}");
    let first = until_room(&gateway, "reading-room", "it stays", |room| room["stage"] != "peace").await?;
    assert_eq!((&shown["order"], &shown["class"]), (&first["order"], &json!("Actual")));
    assert_eq!(proposed(), 1, "told once");
    let record = centre.record(&gateway).await?;
    let with = centre.config.to_string_lossy().into_owned();
    let reported = succeed(&["mode", "audit", "verify", &record, "--with", &with]).await?;
    assert!(reported.contains("the same states"), "{reported}");
    let report = succeed(&["mode", "report", "--record", &record]).await?;
    assert!(report.contains("改用 hall.command@1") && report.contains("hall · hall.command@1"), "{report}");
    place.set("occupied 0").await?;
    gateway.stop().await
}

#[tokio::test]
async fn an_order_that_does_not_name_it_is_not_stretched() -> anyhow::Result<()> {
    let mut centre = centre(None).await?;
    let _place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    let plan = centre.named_plan("xinghe", ENTER);
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    until(&gateway, "the notice is asked", |room| room["stage"] == "notice").await?;
    let (status, _) = act(&gateway, "cannot", &json!({"person": "qian", "step": "notice", "why": "漏水"}))?;
    assert_eq!(status, 200);
    until(&gateway, "it is proposed", |room| room["alternate"]["covered"] == false).await?;
    let (status, reported) = act(&gateway, "alternate", &json!({"person": "zhao", "why": "漏水"}))?;
    let detail = reported["detail"].as_str().unwrap_or_default();
    assert!(
        status == 409
            && detail.contains("does not name hall.command@1")
            && detail.contains("linli order new"),
        "{reported}"
    );
    until_room(&gateway, "hall", "it stays in peace", |room| room["stage"] == "peace").await.map(drop)?;
    gateway.stop().await
}

#[tokio::test]
async fn an_order_that_names_what_was_seen_is_refused_when_that_has_changed() -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    until_room(&gateway, "hall", "no fire", |room| room["fire"] == "normal").await?;
    let look = || gateway.ask("GET", &format!("/api/v1/mode/snapshot/{ENTER},{HALL}"), &Value::Null);
    let seen =
        || -> anyhow::Result<String> { Ok(look()?.1["snapshot"].as_str().unwrap_or_default().to_owned()) };
    let is_known = || look().is_ok_and(|(_, reported)| !reported["facts"].to_string().contains("unknown"));
    eventually("everything was read", PATIENCE, is_known).await?;
    let looked = gateway.verb(&["mode", "plan", ENTER, HALL]).await?;
    let reported = String::from_utf8_lossy(&looked.stdout).into_owned();
    let before = seen()?;
    assert!(before.len() == 64 && reported.contains(&before), "{reported}");
    // People come and go: that is proven in the switch itself.
    place.set("4:occupied 0").await?;
    let reads_door = |is_open: bool| {
        let shown: Value = serde_json::from_str(&gateway.get("/api/v1/devices/reading-mode").ok()?).ok()?;
        let door = shown["points"].as_array()?.iter().find(|point| point["point"] == "door_open")?;
        Some(door["value"] == is_open)
    };
    place.set("4:door 1").await?;
    eventually("the door is read open", PATIENCE, || reads_door(true) == Some(true)).await?;
    place.set("4:door 0").await?;
    eventually("the door is read closed", PATIENCE, || reads_door(false) == Some(true)).await?;
    assert_eq!(seen()?, before);
    let (plan, hall) = (centre.named_plan("xinghe", ENTER), centre.named_plan("xinghe", HALL));
    let plans = ["--plan", plan.as_str(), "--plan", hall.as_str()];
    let named = |snapshot: &str| format!("xinghe:{snapshot}");
    let wrong = named(&"ab".repeat(32));
    let order = centre
        .order("enter", "actual", &[&plans[..], &["--snapshot", &wrong]].concat(), &["wang", "li"])
        .await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    assert!(!is_taken && reported.contains("stale"), "{reported}");
    let snapshot = named(&before);
    let order = centre
        .order("enter", "actual", &[&plans[..], &["--snapshot", &snapshot]].concat(), &["wang", "li"])
        .await?;
    // Between looking and ordering something happens.
    place.set("fire 1").await?;
    until(&gateway, "fire", |room| room["fire"] == "alarm").await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    assert!(!is_taken && reported.contains("stale"), "{reported}");
    place.set("fire 0").await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    until_room(&gateway, "hall", "no fire", |room| room["fire"] == "normal").await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    assert!(is_taken, "{reported}");
    confirms(&gateway, "notice", &["qian"]).await?;
    gateway.stop().await
}
