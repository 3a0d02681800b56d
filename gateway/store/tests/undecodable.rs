//! A row that cannot be decoded is kept, counted once and named, and nobody else suffers from it.

use std::path::{Path, PathBuf};

use linli_domain::command::State;
use linli_domain::rollup::{Minute, Rollup};
use linli_domain::visit::{Context, Status, Version};
use linli_domain::vital::{Measurement, Taken};
use linli_domain::{ClockQuality, DeviceClass, Id, Lane, Timestamp};
use linli_store::{
    Audit, Begun, Change, Document, Entry, Notification, ReadError, Resident, Row, Store, inspect,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};

use crate::support::{NOW, command, event, layout, number_of, numbered, open, settled, visit, waiting};

/// A directory with a database in it.
struct Bench {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

// === impl Bench ===

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("linli.db");
        Self { _dir: dir, path }
    }

    async fn open(&self) -> Store {
        let (store, opening) = open(&self.path).await;
        assert!(opening.set_aside.is_none(), "the database is not damaged: {opening:?}");
        store
    }

    /// Changes rows behind the store's back.
    async fn damage(&self, sql: &str) {
        let mut connection = connect(&self.path).await;
        let changed = sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        assert!(changed.rows_affected() > 0, "{sql} changed nothing");
        connection.close().await.unwrap();
    }

    /// What is flagged: table, key, reason, bytes.
    async fn flagged(&self) -> Vec<(String, String, String, Option<Vec<u8>>)> {
        let mut connection = connect(&self.path).await;
        let sql = "SELECT source, key, reason, body FROM undecodable ORDER BY source, key";
        let rows = sqlx::query_as(sql).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows
    }

    async fn count(&self, sql: &str) -> i64 {
        let mut connection = connect(&self.path).await;
        let count = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        count
    }

    /// The store still works, has set nothing aside, and counts so many rows; also after a restart.
    async fn is_well(&self, store: Store, undecodable: u64) {
        store.accept_durably(event(77)).await.unwrap();
        let status = store.status().borrow().clone();
        assert_eq!((status.set_aside, status.undecodable), (0, undecodable));
        assert!(status.writable && !status.device_failed && !status.disk_full, "{status:?}");
        store.close().await;
        let store = self.open().await;
        assert_eq!(store.status().borrow().undecodable, undecodable);
        store.close().await;
        assert_eq!(inspect(&self.path).await.unwrap().undecodable, undecodable);
        assert_eq!(self.flagged().await.len() as u64, undecodable);
    }
}

async fn connect(path: &Path) -> SqliteConnection {
    SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap()
}

fn numbers(rows: &[Row]) -> Vec<u32> {
    rows.iter().filter_map(number_of).collect()
}

#[tokio::test]
async fn neighbours_in_the_outbox_are_delivered() {
    let bench = Bench::new();
    let store = bench.open().await;
    let device = layout("meter-1", DeviceClass::Telemetry, 1);
    for number in 1..=6 {
        store.accept_durably(numbered(&device, number)).await.unwrap();
    }
    for number in 7..=9 {
        store.accept_durably(event(number)).await.unwrap();
    }
    bench.damage("UPDATE telemetry SET body = X'0102' WHERE seq = 2").await;
    bench.damage("UPDATE telemetry SET body = 7 WHERE seq = 3").await;
    bench.damage("UPDATE urgent SET body = 'no JSON' WHERE seq = 8").await;
    assert_eq!(numbers(&waiting(&store.outbox(), Lane::Data).await), [1, 4, 5, 6]);
    assert_eq!(numbers(&waiting(&store.outbox(), Lane::Urgent).await), [7, 9]);
    settled(&store).await;
    assert_eq!(bench.count("SELECT count(*) FROM dead_letter").await, 3, "kept, not deleted");
    assert_eq!(store.status().borrow().rows[1], 4);
    assert_eq!(inspect(&bench.path).await.unwrap().ledger.len(), 3, "each is in the loss ledger");
    bench.is_well(store, 3).await;
}

#[tokio::test]
async fn a_page_of_undecodable_records_hides_nothing_behind_it() {
    let bench = Bench::new();
    let store = bench.open().await;
    let device = layout("meter-1", DeviceClass::Telemetry, 1);
    for number in 1..=41 {
        store.accept_durably(numbered(&device, number)).await.unwrap();
    }
    bench.damage("UPDATE telemetry SET body = X'00' WHERE seq < 41").await;
    let page = store.outbox().read(Lane::Data, 0, u64::MAX, 8, 1 << 20).await.unwrap();
    assert_eq!(numbers(&page), [41]);
    settled(&store).await;
    bench.is_well(store, 40).await;
}

#[tokio::test]
async fn a_layout_that_cannot_be_decoded_costs_its_own_records_only() {
    let bench = Bench::new();
    let store = bench.open().await;
    let (good, bad) =
        (layout("meter-1", DeviceClass::Telemetry, 1), layout("meter-2", DeviceClass::Telemetry, 1));
    for (device, number) in [(&good, 1), (&bad, 2), (&good, 3)] {
        store.accept_durably(numbered(device, number)).await.unwrap();
    }
    bench.damage("UPDATE layout SET body = '{' WHERE body LIKE '%meter-2%'").await;
    assert_eq!(numbers(&waiting(&store.outbox(), Lane::Data).await), [1, 3]);
    settled(&store).await;
    assert!(bench.flagged().await[0].2.starts_with("layout 2"), "the reason names the layout");
    bench.is_well(store, 1).await;
}

#[tokio::test]
async fn a_command_whose_state_is_undecodable_is_unknown_and_never_begun_again() {
    let bench = Bench::new();
    let store = bench.open().await;
    let journal = store.journal();
    for id in ["a", "b", "c"] {
        journal.begin(command(id)).await.unwrap();
    }
    bench.damage("UPDATE command SET state = '{\"state\":\"unheard\"}' WHERE id = 'a'").await;
    bench.damage("UPDATE command SET body = 'x' WHERE id = 'b'").await;
    let begun = journal.begin(command("a")).await.unwrap();
    assert!(matches!(begun, Begun::Known(State::Unknown { .. })), "{begun:?}");
    let open = journal.unfinished().await.unwrap();
    let [(a, State::Unknown { .. }), (c, State::Accepted)] = &open[..] else { panic!("{open:?}") };
    assert_eq!((a, c), (&command("a"), &command("c")));
    settled(&store).await;
    let ids: Vec<String> =
        journal.unfinished().await.unwrap().into_iter().map(|(command, _)| command.id).collect();
    assert_eq!(ids, ["a", "c"], "what waits for its end waits on");
    assert_eq!(bench.count("SELECT count(*) FROM open_command").await, 2);
    assert_eq!(bench.count("SELECT count(*) FROM command").await, 3, "kept, not deleted");
    let flagged = bench.flagged().await;
    assert_eq!(flagged[0].3.as_deref(), Some(br#"{"state":"unheard"}"#.as_slice()));
    bench.is_well(store, 2).await;
}

#[tokio::test]
async fn a_minute_that_is_undecodable_is_kept_aside_and_written_anew() {
    let bench = Bench::new();
    let store = bench.open().await;
    let device = layout("meter-1", DeviceClass::Telemetry, 1);
    let minute = |nth: i64, value| Minute {
        layout: std::sync::Arc::clone(&device),
        minute: Timestamp(NOW.minute().0 + nth * 60_000),
        points: vec![Some(Rollup::of(value))],
    };
    store.history().add(vec![minute(0, 1.0), minute(1, 2.0), minute(2, 3.0)]).await;
    settled(&store).await;
    let first = NOW.minute().0;
    bench.damage(&format!("UPDATE history SET body = X'09' WHERE minute < {}", first + 120_000)).await;
    // One is met by a reader, the other one by the writer.
    store.history().add(vec![minute(1, 5.0)]).await;
    settled(&store).await;
    let point = Id::new("p0").unwrap();
    let read = store.history().read(&device.device, &point, NOW.minute(), Timestamp(i64::MAX)).await.unwrap();
    let values: Vec<f64> = read.iter().map(|(_, rollup)| rollup.last).collect();
    assert_eq!(values, [5.0, 3.0]);
    settled(&store).await;
    let flagged = bench.flagged().await;
    assert!(flagged.iter().all(|row| row.0 == "history" && row.3.as_deref() == Some(&[9])), "{flagged:?}");
    bench.is_well(store, 2).await;
}

#[tokio::test]
async fn a_span_with_an_undecodable_minute_is_that_of_the_others_and_the_minute_is_flagged() {
    let bench = Bench::new();
    let store = bench.open().await;
    let device = layout("meter-1", DeviceClass::Telemetry, 3);
    let first = NOW.minute().0.div_euclid(3_600_000) * 3_600_000;
    let minute = |nth: i64| Minute {
        layout: std::sync::Arc::clone(&device),
        minute: Timestamp(first + nth * 60_000),
        points: vec![Some(Rollup::of(0.5)), Some(Rollup::of(2.0)), Some(Rollup::of(-1.0))],
    };
    store.history().add((0..120).map(minute).collect()).await;
    settled(&store).await;
    // One without an end, one too long, one of a point less, one that is empty, one with a number that is none.
    for (nth, body) in
        [(3, "X'09'"), (7, "body || X'00'"), (11, "X'010201'"), (12, "X''"), (20, "X'010301FF'")]
    {
        bench
            .damage(&format!("UPDATE history SET body = {body} WHERE minute = {}", first + nth * 60_000))
            .await;
    }
    let (point, hour) = (Id::new("p1").unwrap(), std::time::Duration::from_secs(3600));
    let range = (Timestamp(first), Timestamp(first + 7_199_999));
    let spans = store.history().read_spans(&device.device, &point, range, hour).await.unwrap();
    let found: Vec<(i64, u32, f64)> =
        spans.iter().map(|(at, rollup)| (at.0 - first, rollup.count, rollup.sum)).collect();
    // What follows the asked point of a minute is not looked at; the hour that is whole is as it was.
    assert_eq!(found, [(0, 56, 112.0), (3_600_000, 60, 120.0)]);
    settled(&store).await;
    assert_eq!(bench.flagged().await.len(), 4);
    bench.is_well(store, 4).await;
}

fn page(id: &str) -> Change {
    Change::Document(Document {
        id: id.to_owned(),
        kind: "k".to_owned(),
        at: NOW,
        body: "{\"n\":1}".to_owned(),
    })
}

fn notification(key: &str) -> Change {
    Change::Notify(Notification {
        id: 0,
        hook: Id::new("pager").unwrap(),
        key: key.to_owned(),
        body: "{}".to_owned(),
        after: NOW,
    })
}

async fn keep(store: &Store, changes: Vec<Change>) {
    store.alarms().keep(Entry { changes, ..Entry::default() }).await.unwrap();
}

#[tokio::test]
async fn documents_beside_an_undecodable_one_are_read() {
    let bench = Bench::new();
    let store = bench.open().await;
    keep(&store, vec![page("a"), page("b"), page("c")]).await;
    bench.damage("UPDATE book SET body = '{\"n\":' WHERE id = 'c'").await;
    let book = store.documents();
    let ids = |pages: Vec<Document>| pages.into_iter().map(|page| page.id).collect::<Vec<_>>();
    assert_eq!(ids(book.of("k", NOW, Timestamp(i64::MAX)).await.unwrap()), ["a", "b"]);
    assert_eq!(ids(book.after("k", "a", 10).await.unwrap()), ["b"]);
    // Whoever asks for that one learns that it is there: it is not the same as none.
    assert!(matches!(book.get("c").await, Err(ReadError::Undecodable { table: "book", .. })));
    assert!(matches!(book.newest("k").await, Err(ReadError::Undecodable { .. })));
    // Its owner knows more than the store: what it cannot decode is flagged as well.
    book.undecodable("b", "n is not known");
    book.undecodable("b", "n is not known");
    settled(&store).await;
    let flagged = bench.flagged().await;
    assert_eq!((flagged[0].1.as_str(), flagged[0].2.as_str()), ("b", "n is not known"));
    assert_eq!(flagged[1].3.as_deref(), Some(b"{\"n\":".as_slice()));
    bench.is_well(store, 2).await;
}

#[tokio::test]
async fn alarms_beside_an_undecodable_one_are_read_and_people_are_told() {
    let bench = Bench::new();
    let store = bench.open().await;
    let alarm = |id: &str| Change::Alarm { id: Id::new(id).unwrap(), body: "{}".to_owned() };
    let step = |nth: i64| Change::AlarmStep { at: Timestamp(NOW.0 + nth), body: format!("{{\"n\":{nth}}}") };
    keep(&store, vec![alarm("a"), alarm("b"), step(1), step(2), notification("1"), notification("2")]).await;
    bench.damage("UPDATE alarm SET body = X'FF' WHERE id = 'a'").await;
    bench.damage("UPDATE alarm_journal SET body = '' WHERE id = 1").await;
    bench.damage("UPDATE notification SET body = 'x' WHERE id = 1").await;
    let alarms = store.alarms();
    assert_eq!(alarms.all().await.unwrap(), [("b".to_owned(), "{}".to_owned())]);
    assert_eq!(alarms.journal(10).await.unwrap(), ["{\"n\":2}"]);
    assert_eq!(store.documents().alarm_steps(NOW, Timestamp(i64::MAX)).await.unwrap(), ["{\"n\":2}"]);
    let hook = Id::new("pager").unwrap();
    let (next, _) = alarms.next_notification(&hook, NOW).await.unwrap().expect("the second one");
    assert_eq!((next.id, next.key.as_str()), (2, "2"));
    settled(&store).await;
    let (_, left) = alarms.next_notification(&hook, NOW).await.unwrap().expect("the second one");
    assert_eq!(left, 1, "the first one does not wait any more");
    assert_eq!(bench.flagged().await[2].3.as_deref(), Some(b"x".as_slice()));
    bench.is_well(store, 3).await;
}

fn version(id: &str) -> Version {
    let taken = Taken { at: NOW, clock: ClockQuality::Synchronised, device: None };
    Version {
        id: id.to_owned(),
        version: 1,
        status: Status::Final,
        visit: Some("v1".to_owned()),
        unassigned: None,
        device: Id::new("oximeter").unwrap(),
        room: None,
        measurement: Measurement::of(taken, Vec::new()),
        context: Context::default(),
        at: NOW,
        by: "device".to_owned(),
        why: None,
    }
}

#[tokio::test]
async fn visits_beside_an_undecodable_one_are_read_and_erasing_leaves_nothing() {
    let bench = Bench::new();
    let store = bench.open().await;
    let resident = |pseudonym: &str| {
        let (pseudonym, key) = (pseudonym.to_owned(), "k".to_owned());
        Change::Resident(Resident { pseudonym, key, sealed: vec![1], at: NOW })
    };
    let versions = ["m1", "m2"].map(|id| Change::Version(Box::new(version(id))));
    let mut changes = vec![
        resident("P"),
        resident("Q"),
        Change::Visit(visit("v1", Some("P"))),
        Change::Visit(visit("v2", Some("P"))),
    ];
    changes.extend(versions);
    let audit = |who: &str| Audit {
        at: NOW,
        who: who.to_owned(),
        what: "visit.open".to_owned(),
        about: "v1".to_owned(),
        detail: String::new(),
    };
    let entry = Entry { changes, audit: vec![audit("a"), audit("b")], ..Entry::default() };
    store.cabin().keep(entry).await.unwrap();
    bench.damage("UPDATE visit SET body = '{\"id\":\"SECRET' WHERE id = 'v1'").await;
    bench.damage("UPDATE measurement SET body = '[]' WHERE id = 'm1'").await;
    bench.damage("UPDATE resident SET key = X'FF' WHERE pseudonym = 'P'").await;
    bench.damage("UPDATE audit SET who = X'FF' WHERE id = 1").await;
    let cabin = store.cabin();
    assert_eq!(cabin.open_visits().await.unwrap(), [visit("v2", Some("P"))]);
    assert_eq!(cabin.visits(NOW, Timestamp(i64::MAX)).await.unwrap(), [visit("v2", Some("P"))]);
    assert!(matches!(cabin.visit("v1").await, Err(ReadError::Undecodable { table: "visit", .. })));
    assert_eq!(cabin.measured_during("v1").await.unwrap(), [version("m2")]);
    assert!(matches!(cabin.resident("P").await, Err(ReadError::Undecodable { .. })));
    let sealed = cabin.sealed_otherwise("other").await.unwrap();
    assert_eq!(sealed.iter().map(|resident| resident.pseudonym.as_str()).collect::<Vec<_>>(), ["Q"]);
    assert_eq!(cabin.audit(10).await.unwrap(), [audit("b")]);
    settled(&store).await;
    let flagged = bench.flagged().await;
    assert_eq!(flagged.len(), 4);
    assert!(flagged.iter().all(|row| row.3.is_none() && !row.2.contains("SECRET")), "{flagged:?}");
    let erased = vec![Change::EraseVisit("v1".to_owned()), Change::EraseResident("P".to_owned())];
    cabin.keep(Entry { changes: erased, ..Entry::default() }).await.unwrap();
    let left: Vec<String> = bench.flagged().await.into_iter().map(|row| row.0).collect();
    assert_eq!(left, ["audit"]);
    store.close().await;
}

#[tokio::test]
async fn meta_rows_that_can_be_found_again_do_not_set_the_database_aside() {
    let bench = Bench::new();
    let store = bench.open().await;
    let device = layout("meter-1", DeviceClass::Telemetry, 1);
    store.accept_durably(numbered(&device, 1)).await.unwrap();
    store.accept_durably(event(2)).await.unwrap();
    store.close().await;
    bench.damage("UPDATE meta SET value = X'FF00' WHERE key = 'rows'").await;
    bench.damage("INSERT INTO meta VALUES ('loss', 'no JSON')").await;
    let store = bench.open().await;
    let rows = store.status().borrow().rows;
    assert_eq!(rows, [1, 1, 0, 0, 0], "counted again");
    settled(&store).await;
    let ledger = inspect(&bench.path).await.unwrap().ledger;
    assert!(ledger[0].contains("cannot be decoded: no JSON"), "{ledger:?}");
    store.close().await;
}

/// Neither damage nor ours: kept under another name, and a new database begins.
#[tokio::test]
async fn a_database_of_another_program_is_put_aside_whole() {
    for sql in [
        "CREATE TABLE theirs (id INTEGER PRIMARY KEY); INSERT INTO theirs VALUES (1)",
        "CREATE TABLE theirs (id INTEGER PRIMARY KEY); INSERT INTO theirs VALUES (1); PRAGMA user_version = 3",
        "CREATE TABLE theirs (id INTEGER PRIMARY KEY); INSERT INTO theirs VALUES (1); PRAGMA user_version = 8",
    ] {
        let bench = Bench::new();
        let options = SqliteConnectOptions::new().filename(&bench.path).create_if_missing(true);
        let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let (store, opening) = open(&bench.path).await;
        let aside = opening.set_aside.expect("it is not ours");
        settled(&store).await;
        store.close().await;
        let mut theirs = connect(&aside.path).await;
        let rows: i64 =
            sqlx::query_scalar("SELECT count(*) FROM theirs").fetch_one(&mut theirs).await.unwrap();
        assert_eq!(rows, 1, "{sql}: {}", aside.reason);
    }
}

#[tokio::test]
async fn a_table_that_is_missing_is_named() {
    let bench = Bench::new();
    bench.open().await.close().await;
    let mut connection = connect(&bench.path).await;
    sqlx::query("DROP TABLE history").execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let (store, opening) = open(&bench.path).await;
    assert_eq!(opening.set_aside.expect("not ours any more").reason, "tables are missing: history");
    store.close().await;
}
