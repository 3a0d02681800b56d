//! The mode switch, with a real gateway, real orders and a simulated room by pymodbus.

use std::time::Duration;

use linli_tests::room::{BACK, Centre, ENTER, Room, does, room, rooms, step};
use linli_tests::{Broker, Crew, Gateway, Stage, eventually};
use serde_json::{Value, json};

/// A step takes seconds here; a busy machine takes longer.
const PATIENCE: Duration = Duration::from_secs(40);

/// Waits until the room says so.
async fn until(gateway: &Gateway, what: &str, holds: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
    let held = eventually(what, PATIENCE, || room(gateway).is_ok_and(|room| holds(&room))).await;
    held.map_err(|error| {
        anyhow::anyhow!("{error}: {:#}\n{}", room(gateway).unwrap_or_default(), gateway.log())
    })
}

/// Waits until the room is at that stage.
async fn at(gateway: &Gateway, stage: &str) -> anyhow::Result<()> {
    until(gateway, stage, |room| room["stage"] == stage).await
}

/// Somebody does a step when they are asked.
async fn confirms(gateway: &Gateway, id: &str, people: &[&str]) -> anyhow::Result<()> {
    until(gateway, &format!("{id} is asked"), |room| step(room, id) == "asked").await?;
    for person in people {
        let (status, told) = act(gateway, "confirm", &json!({"step": id, "person": person}))?;
        anyhow::ensure!(status == 200, "{id} by {person}: {told}");
    }
    Ok(())
}

fn act(gateway: &Gateway, deed: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
    gateway.ask("POST", &format!("/api/v1/mode/rooms/reading-room/{deed}"), body)
}

/// Orders; this machine's clock is synchronised with nobody, so the code is compared.
async fn send(gateway: &Gateway, file: &str) -> anyhow::Result<(bool, String)> {
    let shown: Value = serde_json::from_str(&does(&["order", "show", file, "--json"]).await?)?;
    let code = shown["code"].as_str().unwrap_or_default();
    let sent = gateway.verb(&["order", "send", file, "--code", code]).await?;
    Ok((sent.status.success(), String::from_utf8_lossy(&[sent.stdout, sent.stderr].concat()).into_owned()))
}

/// People take the room to its emergency role.
async fn enters(gateway: &Gateway, centre: &mut Centre, place: &mut Room) -> anyhow::Result<()> {
    let plan = centre.named_plan("xinghe", ENTER);
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, told) = send(gateway, &order).await?;
    anyhow::ensure!(is_taken, "{told}");
    confirms(gateway, "notice", &["qian"]).await?;
    place.set("occupied 0").await?;
    confirms(gateway, "sweep", &["qian", "sun"]).await?;
    confirms(gateway, "layout", &["qian", "sun"]).await?;
    confirms(gateway, "supplies", &["qian"]).await?;
    confirms(gateway, "accept", &["zhao"]).await?;
    at(gateway, "ready").await
}

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
    let (is_taken, told) = send(&gateway, &order).await?;
    anyhow::ensure!(is_taken, "{told}");
    confirms(&gateway, "waste", &["qian", "sun"]).await?;
    confirms(&gateway, "sweep", &["qian", "sun"]).await?;
    confirms(&gateway, "inspect", &["qian"]).await?;
    confirms(&gateway, "accept", &["zhao"]).await?;
    at(&gateway, "peace").await?;
    assert_eq!(place.harms(), [Value::Null; 0]);
    let record = centre.stage.path("record.jsonl").to_string_lossy().into_owned();
    let exported = gateway.verb(&["mode", "audit", "export", "-o", &record]).await?;
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let with = centre.config.to_string_lossy().into_owned();
    let told = does(&["mode", "audit", "verify", &record, "--with", &with]).await?;
    assert!(told.contains("重放 replayed") && told.contains("2 signed"), "{told}");
    let text = std::fs::read_to_string(&record)?;
    std::fs::write(&record, text.replacen("\"sweep\"", "\"swept\"", 1).replacen("qian", "sun", 1))?;
    let changed = linli_tests::linli(&["mode", "audit", "verify", &record]).await?;
    assert!(!changed.status.success(), "a changed record was verified");
    gateway.stop().await
}

/// Every refusal: what is tried, and a word of the reason.
async fn wrong_orders(centre: &Centre) -> anyhow::Result<Vec<(String, &'static str)>> {
    let plan = centre.named_plan("xinghe", ENTER);
    let plans = ["--plan", plan.as_str()];
    let elsewhere = centre.named_plan("elsewhere", ENTER);
    let other = centre.stage.path("other.toml");
    std::fs::write(&other, "[plan]\nid = \"reading-room.sampling\"\nversion = 1\n")?;
    let other = format!("xinghe:{}", other.display());
    let back = centre.named_plan("xinghe", BACK);
    Ok(vec![
        (centre.order_with(50, "enter", "actual", &plans, &["wang"]).await?, "2 different people"),
        (centre.order_with(51, "enter", "actual", &plans, &[]).await?, "2 different people"),
        (
            centre.order_with(52, "enter", "actual", &["--plan", &elsewhere], &["wang", "li"]).await?,
            "not for xinghe",
        ),
        (
            centre.order_with(53, "enter", "actual", &plans, &["drill-wang", "drill-li"]).await?,
            "signs Exercise",
        ),
        (centre.order_with(54, "enter", "actual", &plans, &["chen", "deng"]).await?, "2 different people"),
        (
            centre.order_with(55, "enter", "actual", &["--plan", &other], &["wang", "li"]).await?,
            "another one here",
        ),
        (
            centre.order_with(56, "return", "actual", &["--plan", &plan], &["wang", "li"]).await?,
            "the other way",
        ),
        (
            centre.order_with(57, "return", "actual", &["--plan", &back], &["wang", "li"]).await?,
            "no room can follow",
        ),
        (
            centre
                .order_with(58, "cancel", "actual", &["--plan", &plan, "--supersedes", "x"], &["wang"])
                .await?,
            "takes back no order",
        ),
    ])
}

#[tokio::test]
async fn orders_that_do_not_count_move_nothing_and_are_on_record() -> anyhow::Result<()> {
    let stage = Stage::new()?;
    let broker = Broker::start(&stage).await?;
    let subscriber = broker.subscribe(&stage).await?;
    let mut centre = Centre::new(Some(broker.port)).await?;
    let place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    for (order, reason) in wrong_orders(&centre).await? {
        let (is_taken, told) = send(&gateway, &order).await?;
        assert!(!is_taken && told.contains(reason), "{order}: {told}");
    }
    // This machine's clock is synchronised with nobody: somebody has to compare the code.
    let plan = centre.named_plan("xinghe", ENTER);
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let sent = gateway.verb(&["order", "send", &order]).await?;
    let told = String::from_utf8_lossy(&sent.stderr).into_owned();
    assert!(!sent.status.success() && told.contains("not synchronised"), "{told}");
    // Rubbish over MQTT, and a whole order that the broker keeps.
    let base = "linli/1/xinghe/main";
    broker.publish(&format!("{base}/order"), "nonsense", false).await?;
    broker.publish(&format!("{base}/order"), &"x".repeat(1_000_000), false).await?;
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY b \"b\">]><a>&b;</a>";
    broker.publish(&format!("{base}/order"), bomb, false).await?;
    let text = does(&["order", "text", &order]).await?;
    let refusals = |reason: &str| {
        let all = subscriber.received().unwrap_or_default();
        let of_orders = all.iter().filter(|message| message.topic == format!("{base}/event/order"));
        of_orders
            .filter(|message| message.payload["reason"].as_str().is_some_and(|r| r.contains(reason)))
            .count()
    };
    for reason in ["not a COSE_Sign", "too long", "document type", "not synchronised", "2 different people"] {
        eventually(reason, PATIENCE, || refusals(reason) > 0).await?;
    }
    // The same order over MQTT waits for its code; somebody admits it here.
    broker.publish(&format!("{base}/order"), &text, false).await?;
    eventually("it waits", PATIENCE, || refusals("not synchronised") > 1).await?;
    let shown: Value = serde_json::from_str(&does(&["order", "show", &order, "--json"]).await?)?;
    let code = shown["code"].as_str().unwrap_or_default();
    assert_eq!(room(&gateway)?["stage"], "peace");
    let sent = gateway.verb(&["order", "send", "--code", code]).await?;
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    // Once more is answered and does nothing; another one with its number is an alarm.
    let (is_taken, told) = send(&gateway, &order).await?;
    assert!(is_taken && told.contains("accepted before"), "{told}");
    let twin =
        centre.order_with(1, "enter", "actual", &["--plan", &plan, "--valid", "3h"], &["li", "wang"]).await?;
    let (is_taken, told) = send(&gateway, &twin).await?;
    assert!(!is_taken && told.contains("already used by another order"), "{told}");
    assert!(
        place.told().iter().all(|line| line.get("write").is_none()),
        "something moved: {:?}",
        place.told()
    );
    let record = gateway.get("/api/v1/mode/record")?;
    let refused = record.lines().filter(|line| line.contains("\"result\":\"refused\"")).count();
    assert!(refused >= 12, "{refused} refusals on record");
    gateway.stop().await
}

#[tokio::test]
async fn stop_and_fire_make_the_room_safe_and_people_decide_how_it_goes_on() -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = centre.gateway().await?;
    let burns = |room: &Value| step(room, "uv-dose") == "running";
    order_to_enter(&gateway, &mut centre).await?;
    let crew = Crew { resumes: false, retries: false };
    until_with(&gateway, &mut place, &crew, "lamps burn", burns).await?;
    let (status, _) = act(&gateway, "stop", &Value::Null)?;
    assert_eq!((status, &room(&gateway)?["stage"]), (200, &json!("held")));
    until(&gateway, "it is proven safe", |room| room["unproven"] == json!([])).await?;
    assert_eq!((place.written("coil", 0).last(), place.written("register", 0).last()), (Some(&0), Some(&0)));
    // Not everybody may let it go on, and not without saying why.
    let (status, told) = act(&gateway, "resume", &json!({"person": "qian", "why": "x"}))?;
    assert!(status == 409 && told["detail"].as_str().is_some_and(|d| d.contains("site_lead")), "{told}");
    let (status, told) = act(&gateway, "resume", &json!({"person": "zhao"}))?;
    assert!(status == 422 && told["detail"].as_str().is_some_and(|d| d.contains("why")), "{told}");
    let (status, told) = act(&gateway, "resume", &json!({"person": "zhao", "why": "误报"}))?;
    assert_eq!(status, 200, "{told}");
    until_with(&gateway, &mut place, &crew, "lamps burn again", burns).await?;
    place.set("fire 1").await?;
    at(&gateway, "held").await?;
    let (status, told) = act(&gateway, "resume", &json!({"person": "zhao", "why": "误报"}))?;
    assert!(status == 409 && told["detail"].as_str().is_some_and(|d| d.contains("fire")), "{told}");
    until(&gateway, "the door is free", |room| room["unproven"] == json!([])).await?;
    place.set("fire 0").await?;
    until(&gateway, "no fire", |room| room["fire"] == "normal").await?;
    assert_eq!(room(&gateway)?["stage"], "held", "a panel that is normal again starts nothing");
    let (status, told) = act(&gateway, "resume", &json!({"person": "zhao", "why": "消防复位"}))?;
    assert_eq!(status, 200, "{told}");
    let shown = crew.work(&gateway, &mut place, &["ready"], PATIENCE).await?;
    assert_eq!(shown["stage"], "ready", "{shown:#}");
    // Readiness is watched: what changes by itself is told.
    place.set("power 0").await?;
    until(&gateway, "it is told", |room| room["stage"] != "ready").await?;
    assert_eq!(place.harms(), [Value::Null; 0]);
    gateway.stop().await
}

/// The crew works until the room is so.
async fn until_with(
    gateway: &Gateway,
    place: &mut Room,
    crew: &Crew,
    what: &str,
    holds: impl Fn(&Value) -> bool,
) -> anyhow::Result<()> {
    let began = tokio::time::Instant::now();
    while !holds(&room(gateway)?) {
        anyhow::ensure!(began.elapsed() < PATIENCE, "{what}: {:#}\n{}", room(gateway)?, gateway.log());
        crew.work(gateway, place, &[], Duration::ZERO).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn order_to_enter(gateway: &Gateway, centre: &mut Centre) -> anyhow::Result<()> {
    until(gateway, "no fire", |room| room["fire"] == "normal").await?;
    let plan = centre.named_plan("xinghe", ENTER);
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, told) = send(gateway, &order).await?;
    anyhow::ensure!(is_taken, "{told}");
    Ok(())
}

#[tokio::test]
async fn devices_that_lie_or_hang_never_make_a_room_ready() -> anyhow::Result<()> {
    for (broken, failing) in [("lamp", "uv-dose"), ("door", "entry-closed")] {
        let mut centre = Centre::new(None).await?;
        let mut place = Room::start(centre.port, "2").await?;
        let gateway = centre.gateway().await?;
        place.set(&format!("broken {broken}")).await?;
        order_to_enter(&gateway, &mut centre).await?;
        let crew = Crew { resumes: false, retries: false };
        let ends = |room: &Value| step(room, failing) == "stuck" || room["stage"] == "held";
        until_with(&gateway, &mut place, &crew, broken, ends).await?;
        assert_ne!(room(&gateway)?["verified"], true, "{broken}");
        // Mended, and tried once more, it gets there.
        place.set("broken none").await?;
        let crew = Crew { resumes: true, retries: true };
        let shown = crew.work(&gateway, &mut place, &["ready"], PATIENCE).await?;
        assert_eq!(shown["stage"], "ready", "{broken}: {shown:#}");
        // What is not read any more is not ready.
        place.signal("-STOP").await?;
        until(&gateway, "it is not ready", |room| room["stage"] != "ready").await?;
        place.signal("-CONT").await?;
        let shown = crew.work(&gateway, &mut place, &["ready"], PATIENCE * 2).await?;
        assert_eq!(shown["stage"], "ready", "{broken}: {shown:#}");
        assert_eq!(place.harms(), [Value::Null; 0]);
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
    let crew = Crew { resumes: false, retries: false };
    for (kind, plans, stage) in [
        ("enter", [ENTER, "hall.command@1", "kitchen.warehouse@1"], "ready"),
        ("return", [BACK, "hall.from-command@1", "kitchen.from-warehouse@1"], "peace"),
    ] {
        let named: Vec<String> = plans.iter().map(|plan| centre.named_plan("xinghe", plan)).collect();
        let more: Vec<&str> = named.iter().flat_map(|plan| ["--plan", plan.as_str()]).collect();
        let order = centre.order(kind, "actual", &more, &["wang", "li"]).await?;
        let (is_taken, told) = send(&gateway, &order).await?;
        assert!(is_taken, "{told}");
        let began = tokio::time::Instant::now();
        while stages()?.iter().any(|found| found != stage) {
            anyhow::ensure!(began.elapsed() < PATIENCE * 2, "{:#?}\n{}", rooms(&gateway)?, gateway.log());
            crew.work(&gateway, &mut place, &[], Duration::ZERO).await?;
        }
    }
    // Screens on and off; the stoves off, and never lit by a plan.
    assert_eq!((place.written_to(5, "coil", 2), place.written_to(6, "coil", 2)), (vec![1, 0], vec![0]));
    assert_eq!(place.harms(), [Value::Null; 0]);
    gateway.stop().await
}
