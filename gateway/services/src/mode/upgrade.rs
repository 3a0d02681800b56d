//! Restores rooms that version 0.1 stored during a switch: they continue after the upgrade, unless the
//! building has changed.

use linli_store::{Change, Document, Entry};
use serde_json::Value;

use super::golden::{PLAN, engine, enter, switch};
use crate::golden::site::{Site, building_0_1};

const ROOM: &str = "mode-room/reading-room";

async fn room(site: &Site) -> Document {
    site.store.documents().get(ROOM).await.unwrap().expect("the room is stored")
}

/// Stores a room under the building name `building` and restarts the engine. Returns the room's document
/// and the whole store after the restart, and the current building name.
async fn restarted(building: &str) -> (Value, String, String) {
    let site = Site::open().await;
    let (mut before, _commands, _birth) = engine(&site).await;
    let order = enter(&before);
    switch(&mut before, &order).await;
    let name = before.setup.plan(PLAN).unwrap().building.clone();
    let outputs = before.setup.plan(PLAN).unwrap().resolved.safe.len();
    drop(before);
    let mut document = room(&site).await;
    assert!(document.body.contains(&name));
    let stored: Value = serde_json::from_str(&document.body).unwrap();
    let moved = stored["state"]["run"]["moved"].as_array().unwrap().len();
    assert!(moved > 0 && moved < outputs, "some outputs were moved, not all");
    document.body = document.body.replace(&name, building);
    let changes = vec![Change::Document(document)];
    site.store.documents().keep(Entry { changes, ..Entry::default() }).await.unwrap();
    let (mut after, _commands, _birth) = engine(&site).await;
    after.begin().await;
    let room = serde_json::from_str(&room(&site).await.body).unwrap();
    (room, site.dump().await, name)
}

fn is_reset(record: &str) -> bool {
    record.contains(r#""kind":"reset""#)
}

#[tokio::test]
async fn a_room_goes_on_in_the_same_building() {
    let same = engine(&Site::open().await).await.0.setup.plan(PLAN).unwrap().building.clone();
    assert!(same.starts_with("2:"), "{same}");
    for stored in [building_0_1(PLAN), same] {
        let (room, record, name) = restarted(&stored).await;
        assert!(!is_reset(&record), "{stored}");
        assert_eq!(room["building"], name.as_str(), "its next document has the new form");
        let causes = room["state"]["run"]["causes"].to_string();
        assert!(!causes.contains("stop"), "{causes}");
    }
}

#[tokio::test]
async fn a_room_is_reset_in_another_building() {
    let other = building_0_1("hall.command@1");
    for stored in [other, format!("2:{}", "0f".repeat(32)), format!("3:{}", "0f".repeat(32))] {
        let (room, record, name) = restarted(&stored).await;
        assert!(is_reset(&record), "{stored}");
        assert_eq!(room["building"], name.as_str());
        assert_eq!(room["state"]["phase"], "held");
        let causes = room["state"]["run"]["causes"].to_string();
        assert!(causes.contains("stop"), "{causes}");
    }
}
