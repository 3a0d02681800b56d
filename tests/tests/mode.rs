//! The mode switch, with a real gateway, real orders and a simulated room by pymodbus.

use std::time::Duration;

use linli_tests::room::{BACK, Centre, ENTER, Room, room, rooms, step, succeed};
use linli_tests::switching::{
    PATIENCE, act, at, confirms, enters, metric, order_to_enter, send, until, until_with,
};
use linli_tests::{Gateway, Operators, eventually};
use serde_json::{Value, json};

#[tokio::test]
async fn a_room_goes_there_and_back_and_the_record_proves_it() -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    enters(&gateway, &mut centre, &mut place).await?;
    let shown = room(&gateway)?;
    assert_eq!((&shown["verified"], step(&shown, "uv-dose")), (&json!(true), "verified".to_owned()));
    assert_eq!(place.written("register", 0), [1, 2], "staff only, then in only");
    let lamps = place.written("coil", 0);
    assert!(lamps.len() > 4 && lamps.last() == Some(&0), "refreshed, then off: {lamps:?}");
    let plan = centre.named_plan("xinghe", BACK);
    let order = centre.order("return", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, reported) = send(&gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    confirms(&gateway, "waste", &["qian", "sun"]).await?;
    confirms(&gateway, "sweep", &["qian", "sun"]).await?;
    confirms(&gateway, "inspect", &["qian"]).await?;
    confirms(&gateway, "accept", &["zhao"]).await?;
    at(&gateway, "peace").await?;
    assert_eq!(place.violations(), [Value::Null; 0]);
    let record = centre.workspace.path("record.jsonl").to_string_lossy().into_owned();
    let exported = gateway.verb(&["mode", "audit", "export", "-o", &record]).await?;
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let with = centre.config.to_string_lossy().into_owned();
    let reported = succeed(&["mode", "audit", "verify", &record, "--with", &with]).await?;
    assert!(reported.contains("重放 replayed") && reported.contains("2 signed"), "{reported}");
    let text = std::fs::read_to_string(&record)?;
    std::fs::write(&record, text.replacen("\"sweep\"", "\"swept\"", 1).replacen("qian", "sun", 1))?;
    let changed = linli_tests::linli(&["mode", "audit", "verify", &record]).await?;
    assert!(!changed.status.success(), "a changed record was verified");
    gateway.stop().await
}

/// Waits until the room's controller was read so many times more: twenty times a second, if the machine is
/// fast enough.
async fn is_read(gateway: &Gateway, times: f64) -> anyhow::Result<()> {
    let labels = "device=\"reading-mode\",line=\"panel\",result=\"ok\"";
    let count = || metric(gateway, &format!("linli_device_exchanges_total{{{labels}}}")).unwrap_or_default();
    let before = count();
    eventually("the controller is read", PATIENCE, || count() >= before + times).await
}

#[tokio::test]
async fn stop_and_fire_make_the_room_safe_and_people_decide_how_it_goes_on() -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    let burns = |room: &Value| step(room, "uv-dose") == "running";
    order_to_enter(&gateway, &mut centre).await?;
    let operators = Operators { resumes: false, retries: false };
    until_with(&gateway, &mut place, &operators, "lamps burn", burns).await?;
    let (status, _) = act(&gateway, "stop", &Value::Null)?;
    assert_eq!((status, &room(&gateway)?["stage"]), (200, &json!("held")));
    until(&gateway, "it is proven safe", |room| room["unproven"] == json!([])).await?;
    assert_eq!((place.written("coil", 0).last(), place.written("register", 0).last()), (Some(&0), Some(&0)));
    // The lamps would be written on again while their lease is renewed, every 0.7 s.
    let written = place.written("coil", 0).len();
    is_read(&gateway, 60.0).await?;
    let since: Vec<i64> = place.written("coil", 0).split_off(written);
    assert!(since.iter().all(|lamps| *lamps == 0), "written on again after a stop: {since:?}");
    assert_eq!(room(&gateway)?["stage"], "held");
    // Not everybody may let it go on, and not without saying why.
    let (status, reported) = act(&gateway, "resume", &json!({"person": "qian", "why": "x"}))?;
    assert!(
        status == 409 && reported["detail"].as_str().is_some_and(|d| d.contains("site_lead")),
        "{reported}"
    );
    let (status, reported) = act(&gateway, "resume", &json!({"person": "zhao"}))?;
    assert!(status == 422 && reported["detail"].as_str().is_some_and(|d| d.contains("why")), "{reported}");
    let (status, reported) = act(&gateway, "resume", &json!({"person": "zhao", "why": "误报"}))?;
    assert_eq!(status, 200, "{reported}");
    until_with(&gateway, &mut place, &operators, "lamps burn again", burns).await?;
    place.set("fire 1").await?;
    at(&gateway, "held").await?;
    let (status, reported) = act(&gateway, "resume", &json!({"person": "zhao", "why": "误报"}))?;
    assert!(status == 409 && reported["detail"].as_str().is_some_and(|d| d.contains("fire")), "{reported}");
    until(&gateway, "the door is free", |room| room["unproven"] == json!([])).await?;
    place.set("fire 0").await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    assert_eq!(room(&gateway)?["stage"], "held", "a panel that is normal again starts nothing");
    let (status, reported) = act(&gateway, "resume", &json!({"person": "zhao", "why": "消防复位"}))?;
    assert_eq!(status, 200, "{reported}");
    let shown = operators.work(&gateway, &mut place, &["ready"], PATIENCE).await?;
    assert_eq!(shown["stage"], "ready", "{shown:#}");
    // Readiness is watched: what changes by itself is told.
    place.set("power 0").await?;
    until(&gateway, "it is told", |room| room["stage"] != "ready").await?;
    assert_eq!(place.violations(), [Value::Null; 0]);
    gateway.stop().await
}

#[tokio::test]
async fn devices_that_lie_or_hang_never_make_a_room_ready() -> anyhow::Result<()> {
    for (broken, failing) in [("lamp", "uv-dose"), ("door", "entry-closed")] {
        let mut centre = Centre::new(None).await?;
        let mut place = Room::start(centre.port, "2").await?;
        let gateway = centre.gateway().await?;
        place.set(&format!("broken {broken}")).await?;
        order_to_enter(&gateway, &mut centre).await?;
        let operators = Operators { resumes: false, retries: false };
        let ends = |room: &Value| step(room, failing) == "stuck" || room["stage"] == "held";
        until_with(&gateway, &mut place, &operators, broken, ends).await?;
        assert_ne!(room(&gateway)?["verified"], true, "{broken}");
        // Mended, and tried once more, it gets there.
        place.set("broken none").await?;
        let operators = Operators { resumes: true, retries: true };
        let shown = operators.work(&gateway, &mut place, &["ready"], PATIENCE).await?;
        assert_eq!(shown["stage"], "ready", "{broken}: {shown:#}");
        // What is not read any more is not ready.
        place.signal("-STOP").await?;
        until(&gateway, "it is not ready", |room| room["stage"] != "ready").await?;
        place.signal("-CONT").await?;
        let shown = operators.work(&gateway, &mut place, &["ready"], PATIENCE * 2).await?;
        assert_eq!(shown["stage"], "ready", "{broken}: {shown:#}");
        assert_eq!(place.violations(), [Value::Null; 0]);
        gateway.stop().await?;
    }
    Ok(())
}

#[tokio::test]
async fn one_order_takes_three_rooms_to_their_roles_and_another_brings_them_back() -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    let stages = || -> anyhow::Result<Vec<Value>> {
        Ok(rooms(&gateway)?.iter().map(|room| room["stage"].clone()).collect())
    };
    eventually("no fire", PATIENCE, || {
        rooms(&gateway).is_ok_and(|rooms| rooms.iter().all(|room| room["fire"] == "normal"))
    })
    .await?;
    let operators = Operators { resumes: false, retries: false };
    for (kind, plans, stage) in [
        ("enter", [ENTER, "hall.command@1", "kitchen.warehouse@1"], "ready"),
        ("return", [BACK, "hall.from-command@1", "kitchen.from-warehouse@1"], "peace"),
    ] {
        let named: Vec<String> = plans.iter().map(|plan| centre.named_plan("xinghe", plan)).collect();
        let more: Vec<&str> = named.iter().flat_map(|plan| ["--plan", plan.as_str()]).collect();
        let order = centre.order(kind, "actual", &more, &["wang", "li"]).await?;
        let (is_taken, reported) = send(&gateway, &order).await?;
        assert!(is_taken, "{reported}");
        let began = tokio::time::Instant::now();
        while stages()?.iter().any(|found| found != stage) {
            anyhow::ensure!(began.elapsed() < PATIENCE * 2, "{:#?}\n{}", rooms(&gateway)?, gateway.log());
            operators.work(&gateway, &mut place, &[], Duration::ZERO).await?;
        }
    }
    // Screens on and off; the stoves off, and never lit by a plan.
    assert_eq!((place.written_to(5, "coil", 2), place.written_to(6, "coil", 2)), (vec![1, 0], vec![0]));
    assert_eq!(place.violations(), [Value::Null; 0]);
    gateway.stop().await
}
