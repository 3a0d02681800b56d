//! What people and tests do with a centre that switches: wait, confirm, order.

use std::time::Duration;

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::operators::Operators;
pub use crate::room::send;
use crate::room::{Centre, ENTER, Room, room, rooms, step};
use crate::workspace::eventually;

/// Longest wait for a step. Steps take seconds, more on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// Waits until the reading room satisfies `holds`.
pub async fn until(gateway: &Gateway, what: &str, holds: impl Fn(&Value) -> bool) -> anyhow::Result<()> {
    let held = eventually(what, PATIENCE, || room(gateway).is_ok_and(|room| holds(&room))).await;
    held.map_err(|error| {
        anyhow::anyhow!("{error}: {:#}\n{}", room(gateway).unwrap_or_default(), gateway.log())
    })
}

/// Waits until a room satisfies `holds`.
pub async fn until_room(
    gateway: &Gateway,
    name: &str,
    what: &str,
    holds: impl Fn(&Value) -> bool,
) -> anyhow::Result<Value> {
    let find = || rooms(gateway).ok()?.into_iter().find(|room| room["room"] == name);
    let held = eventually(what, PATIENCE, || find().is_some_and(|room| holds(&room))).await;
    held.map_err(|error| anyhow::anyhow!("{error}: {:#?}\n{}", find(), gateway.log()))?;
    find().ok_or_else(|| anyhow::anyhow!("no room {name}"))
}

/// What a page of metrics says of a series.
#[must_use]
pub fn metric(gateway: &Gateway, series: &str) -> Option<f64> {
    let page = gateway.get("/metrics").ok()?;
    page.lines().find_map(|line| line.strip_prefix(series)?.trim().parse().ok())
}

/// An alarm as it is shown.
pub fn alarm(gateway: &Gateway, id: &str) -> anyhow::Result<Value> {
    let (_, shown) = gateway.ask("GET", "/api/v1/alarms?all=true", &Value::Null)?;
    let all = shown.as_array().into_iter().flatten();
    Ok(all.into_iter().find(|alarm| alarm["alarm"] == id).cloned().unwrap_or_default())
}

/// Waits until the reading room is at a stage.
pub async fn at(gateway: &Gateway, stage: &str) -> anyhow::Result<()> {
    until(gateway, stage, |room| room["stage"] == stage).await
}

/// Waits until a step asks for people, and confirms it as these people.
pub async fn confirms(gateway: &Gateway, id: &str, people: &[&str]) -> anyhow::Result<()> {
    until(gateway, &format!("{id} is asked"), |room| step(room, id) == "asked").await?;
    for person in people {
        // What they swear to has to be read before: whoever is too early says it again.
        let mut last = (0, Value::Null);
        let taken = eventually("it is taken", PATIENCE, || {
            last = act(gateway, "confirm", &json!({"step": id, "person": person})).unwrap_or_default();
            last.0 != 409
        });
        taken.await.map_err(|error| anyhow::anyhow!("{id} by {person}: {error}: {}", last.1))?;
        anyhow::ensure!(last.0 == 200, "{id} by {person}: {}", last.1);
    }
    Ok(())
}

/// Requests an action in the reading room.
pub fn act(gateway: &Gateway, action: &str, body: &Value) -> anyhow::Result<(u16, Value)> {
    gateway.ask("POST", &format!("/api/v1/mode/rooms/reading-room/{action}"), body)
}

/// People take the room to its emergency role.
pub async fn enters(gateway: &Gateway, centre: &mut Centre, place: &mut Room) -> anyhow::Result<()> {
    let plan = centre.named_plan("xinghe", ENTER);
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, reported) = send(gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    confirms(gateway, "notice", &["qian"]).await?;
    place.set("occupied 0").await?;
    confirms(gateway, "sweep", &["qian", "sun"]).await?;
    confirms(gateway, "layout", &["qian", "sun"]).await?;
    confirms(gateway, "supplies", &["qian"]).await?;
    confirms(gateway, "accept", &["zhao"]).await?;
    at(gateway, "ready").await
}

/// The crew works until the room is so.
pub async fn until_with(
    gateway: &Gateway,
    place: &mut Room,
    operators: &Operators,
    what: &str,
    holds: impl Fn(&Value) -> bool,
) -> anyhow::Result<()> {
    let began = tokio::time::Instant::now();
    while !holds(&room(gateway)?) {
        anyhow::ensure!(began.elapsed() < PATIENCE, "{what}: {:#}\n{}", room(gateway)?, gateway.log());
        operators.work(gateway, place, &[], Duration::ZERO).await?;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// The district orders the reading room into its emergency role.
pub async fn order_to_enter(gateway: &Gateway, centre: &mut Centre) -> anyhow::Result<()> {
    until(gateway, "no fire", |room| room["fire"] == "normal").await?;
    let plan = centre.named_plan("xinghe", ENTER);
    let order = centre.order("enter", "actual", &["--plan", &plan], &["wang", "li"]).await?;
    let (is_taken, reported) = send(gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    Ok(())
}
