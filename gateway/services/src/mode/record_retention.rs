//! Which entries of the record are old enough to leave the store.

use linli_domain::Timestamp;
use linli_mode::record::{ModeEntry, ModeEvent};
use linli_store::{Change, Documents};

use super::room::{ROOM, StoredRoom};
use crate::audit_log::forget_before;

/// Removes the oldest entries that were written before that time, except those since the beginning of an order that a
/// room still follows. Returns how many went.
///
/// # Errors
/// When the store cannot be read or written, a room does not decode, or the entries were changed: then none goes.
pub async fn forget_old_entries(store: &Documents, before: Timestamp) -> anyhow::Result<u64> {
    let mut before = before;
    for document in store.of(ROOM, Timestamp(i64::MIN), Timestamp(i64::MAX)).await? {
        let room: StoredRoom = serde_json::from_str(&document.body)?;
        if let Some(began) = room.began() {
            before = before.min(began);
        }
    }
    forget_before::<ModeEvent>(store, before, marked_plan).await
}

/// The text of a plan is recorded once. When that entry goes, it is recorded again with the plan's next run.
fn marked_plan(entry: &str) -> Option<Change> {
    let entry: ModeEntry = serde_json::from_str(entry).ok()?;
    let ModeEvent::Plan { plan, hash, .. } = entry.what else { return None };
    let id = super::stored_orders::plan_mark(&plan, &hash);
    Some(Change::ForgetDocuments {
        kind: super::stored_orders::PLAN_MARK.to_owned(),
        from: id.clone(),
        to: id,
    })
}

#[cfg(test)]
mod tests {
    use linli_domain::audit::Chain;
    use linli_mode::{Event, Truth};

    use super::*;
    use crate::audit_log::entries_after;
    use crate::golden::site::{NOW, Site};
    use crate::mode::engine::Engine;
    use crate::mode::golden::{PLAN, engine, enter, switch};

    async fn entries(site: &Site) -> Vec<String> {
        entries_after::<ModeEvent>(&site.store.documents(), None, 1000).await.unwrap()
    }

    fn head(entries: &[String]) -> linli_domain::audit::Head {
        let mut chain = Chain::default();
        entries.iter().try_for_each(|entry| chain.follow(entry)).unwrap();
        chain.head()
    }

    async fn is_marked(engine: &Engine) -> bool {
        let plan = engine.setup.plan(PLAN).unwrap();
        engine.plan_entry(plan).await.unwrap().0.is_empty()
    }

    /// Nothing of a run goes while a room follows it. Afterwards its entries go, those that stay are verified, and the
    /// plan is recorded again when it runs again.
    #[tokio::test]
    async fn entries_leave_when_no_room_needs_them_and_the_others_are_verified() {
        let site = Site::open().await;
        let (mut engine, _commands, _birth) = engine(&site).await;
        let order = enter(&engine);
        switch(&mut engine, &order).await;
        let (before, whole) = (Timestamp(NOW.0 + 1), entries(&site).await);
        let store = site.store.documents();
        assert_eq!(forget_old_entries(&store, before).await.unwrap(), 0, "a room follows the order");
        assert!(is_marked(&engine).await);
        // The room is in peace: as if the return had ended.
        let room = engine.setup.facility.room("reading-room").unwrap();
        let name = format!("{ROOM}/reading-room");
        let mut document = store.get(&name).await.unwrap().unwrap();
        let mut stored: serde_json::Value = serde_json::from_str(&document.body).unwrap();
        stored["state"] = serde_json::json!({"phase": "peace", "fire": "normal", "run": null});
        stored["entered"] = serde_json::Value::Null;
        document.body = stored.to_string();
        let changes = vec![Change::Document(document)];
        store.keep(linli_store::Entry { changes, ..linli_store::Entry::default() }).await.unwrap();
        let count = u64::try_from(whole.len()).unwrap();
        assert_eq!(forget_old_entries(&store, before).await.unwrap(), count);
        assert!(!is_marked(&engine).await, "its text is recorded with the next run");
        assert_eq!(head(&entries(&site).await), head(&whole));
        // The engine goes on, and what it writes follows what has left.
        engine.apply(room, Event::Fire(Truth::True)).await;
        let now = entries(&site).await;
        assert_eq!(head(&now), head(&[whole, now.clone()].concat()));
        assert_eq!(head(&now).count, engine.record.count());
    }
}
