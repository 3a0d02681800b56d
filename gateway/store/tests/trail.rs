//! The audit is chained: what is changed or removed is found, and what goes by a rule is said.

use std::path::Path;

use linli_domain::Timestamp;
use linli_domain::audit::{AuditEntry, Broken, Chain, unhex};
use linli_store::{Audit, AuditEvent, Cabin, Change, Entry, Trail};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::support::{NOW, open};

const DAY: i64 = 86_400_000;

fn audit(at: i64, what: &str, about: &str) -> Audit {
    Audit {
        at: Timestamp(NOW.0 + at),
        who: "lin".to_owned(),
        what: what.to_owned(),
        about: about.to_owned(),
        detail: "“quoted”\n".to_owned(),
    }
}

async fn keep(cabin: &Cabin, audit: Vec<Audit>) {
    cabin.keep(Entry { audit, ..Entry::default() }).await.unwrap();
}

/// Follows a trail from its first entry; the chain must be the one that is stored.
async fn followed(cabin: &Cabin, trail: Trail) -> Result<Vec<AuditEntry<AuditEvent>>, Broken> {
    let lines = cabin.trail(trail, 0, 1000).await.unwrap();
    let entries: Vec<AuditEntry<AuditEvent>> =
        lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let Some(first) = entries.first() else { return Ok(entries) };
    let mut chain = Chain::resumed(first.n, unhex(&first.prev).unwrap().try_into().unwrap());
    lines.iter().try_for_each(|line| chain.follow(line))?;
    let stored = cabin.chain(trail).await.unwrap();
    assert_eq!((chain.count, chain.last), (stored.count, stored.last));
    Ok(entries)
}

async fn execute(path: &Path, sql: &'static str) {
    let options = SqliteConnectOptions::new().filename(path);
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    sqlx::query(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn every_entry_is_in_one_of_two_chains_and_both_go_on_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    keep(&store.cabin(), vec![audit(0, "visit.open", "v1"), audit(1, "alarm.acknowledge", "a1")]).await;
    store.close().await;
    let (store, _) = open(&path).await;
    let cabin = store.cabin();
    keep(&cabin, vec![audit(2, "food.sign", "f1"), audit(3, "identity.reveal", "v1")]).await;
    let access = followed(&cabin, Trail::Access).await.unwrap();
    let what: Vec<(u64, &str)> = access.iter().map(|entry| (entry.n, entry.what.what.as_str())).collect();
    assert_eq!(what, [(0, "visit.open"), (1, "food.sign"), (2, "identity.reveal")]);
    assert_eq!(followed(&cabin, Trail::Alarm).await.unwrap().len(), 1);
    let newest = cabin.trail_before(Trail::Access, 2, 1).await.unwrap();
    assert!(newest[0].contains("food.sign"), "{newest:?}");
    store.close().await;
}

#[tokio::test]
async fn what_was_changed_or_removed_in_the_file_is_found() {
    for (sql, expected) in [
        ("UPDATE audit SET who = 'sun' WHERE id = 2", Broken::Changed { line: 3 }),
        ("DELETE FROM audit WHERE id = 2", Broken::Gap { line: 2, n: 2, expected: 1 }),
        ("UPDATE audit_link SET id = 5 - id WHERE id IN (2, 3)", Broken::Changed { line: 3 }),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("linli.db");
        let (store, _) = open(&path).await;
        let four = ["v1", "v2", "v3", "v4"].map(|about| audit(0, "visit.show", about));
        keep(&store.cabin(), four.to_vec()).await;
        store.close().await;
        execute(&path, sql).await;
        let (store, _) = open(&path).await;
        assert_eq!(followed(&store.cabin(), Trail::Access).await.unwrap_err(), expected, "{sql}");
        store.close().await;
    }
}

#[tokio::test]
async fn what_is_kept_long_enough_goes_from_the_beginning_and_the_trail_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(&dir.path().join("linli.db")).await;
    let cabin = store.cabin();
    // The third was stamped by a clock that was a year ahead.
    for (at, about) in [(-9 * DAY, "v1"), (-8 * DAY, "v2"), (365 * DAY, "v3"), (-7 * DAY, "v4"), (-DAY, "v5")]
    {
        keep(&cabin, vec![audit(at, "visit.show", about)]).await;
    }
    let forget =
        || Entry { changes: vec![Change::ForgetAudit(Timestamp(NOW.0 - 2 * DAY))], ..Entry::default() };
    cabin.keep(forget()).await.unwrap();
    let left = followed(&cabin, Trail::Access).await.unwrap();
    let about: Vec<(u64, &str)> = left.iter().map(|entry| (entry.n, entry.what.about.as_str())).collect();
    assert_eq!(about, [(4, "v5"), (5, "4")]);
    let said = &left[1].what;
    assert_eq!(
        (said.who.as_str(), said.what.as_str(), said.detail.as_str()),
        ("linli", "audit.forget", "4 entries")
    );
    assert_eq!(cabin.audit(10).await.unwrap().len(), 2);
    cabin.keep(forget()).await.unwrap();
    assert_eq!(followed(&cabin, Trail::Access).await.unwrap().len(), 2, "nothing went: nothing is said");
    store.close().await;
}

#[tokio::test]
async fn an_unreadable_state_is_found_again_from_the_last_entry() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    keep(&store.cabin(), vec![audit(0, "visit.open", "v1"), audit(1, "visit.end", "v1")]).await;
    store.close().await;
    execute(&path, "UPDATE audit_chain SET state = 'no JSON'").await;
    let (store, _) = open(&path).await;
    keep(&store.cabin(), vec![audit(2, "visit.show", "v1")]).await;
    assert_eq!(followed(&store.cabin(), Trail::Access).await.unwrap().len(), 3);
    store.close().await;
}
