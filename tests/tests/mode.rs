//! The mode switch, with a real gateway, real orders and a simulated room by pymodbus.

use std::time::Duration;

use linli_tests::room::{BACK, Centre, ENTER, Room, does, room, step};
use linli_tests::{Gateway, eventually};
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
