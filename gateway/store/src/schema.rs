//! The tables, and how connections are opened.
//!
//! One outbox table per class, so that evicting the oldest of the least important never scans;
//! no secondary index, because index pages are flash wear. `seq` is the row id.

use std::path::Path;
use std::time::Duration;

use linli_domain::loss::Loss;
use linli_domain::{DeviceClass, Lane};
use sqlx::sqlite::SqliteConnectOptions;

use crate::trail;

/// Format of the file; `PRAGMA user_version`.
pub const FORMAT: i64 = 9;

/// The first format whose audit is chained.
const CHAINED: i64 = 9;

/// The outbox tables: urgent, then the data classes in the order of eviction.
pub const TABLES: [&str; 5] = ["urgent", "telemetry", "kiosk", "actuator", "food_safety"];

/// Settings of the connection that writes. The log is checkpointed after 1000 pages, 4 MiB, so that
/// a page changed often is written once; it is cut back to 8 MiB after a checkpoint that left it
/// longer. The page cache is 2 MiB (negative: KiB, not pages).
pub const WRITER_SETTINGS: &str = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; \
     PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 8388608; \
     PRAGMA cache_size = -2048; PRAGMA temp_store = MEMORY; PRAGMA secure_delete = FAST";

/// Page cache of a reader in KiB (negative: KiB, not pages).
const READER_CACHE: &str = "-512";

/// A reader waits this long for a lock that the writer holds only for moments.
const BUSY: Duration = Duration::from_secs(5);

/// Keys chosen by senders: a record or entry with a known key is not stored again.
const CREATE_SEEN: &str = "CREATE TABLE seen (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID";

/// The health cabin: encrypted identities, versioned measurements, and the audit trail.
const CREATE_CABIN: &[&str] = &[
    "CREATE TABLE resident (pseudonym TEXT PRIMARY KEY, key TEXT NOT NULL, sealed BLOB NOT NULL, at INTEGER NOT NULL) \
     WITHOUT ROWID",
    "CREATE TABLE visit (id TEXT PRIMARY KEY, pseudonym TEXT, opened INTEGER NOT NULL, ended INTEGER, body TEXT NOT NULL) \
     WITHOUT ROWID",
    "CREATE INDEX visit_opened ON visit (opened)",
    "CREATE TABLE measurement (id TEXT NOT NULL, version INTEGER NOT NULL, visit TEXT, at INTEGER NOT NULL, \
     body TEXT NOT NULL, PRIMARY KEY (id, version)) WITHOUT ROWID",
    "CREATE INDEX measurement_visit ON measurement (visit)",
    "CREATE INDEX measurement_at ON measurement (at)",
    "CREATE TABLE audit (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, \
     about TEXT NOT NULL, detail TEXT NOT NULL)",
];

/// The state of each alarm, and every state change.
const CREATE_ALARMS: &[&str] = &[
    "CREATE TABLE alarm (id TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE alarm_journal (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL)",
];

/// Notifications not yet delivered.
const CREATE_NOTIFICATIONS: &[&str] = &[
    "CREATE TABLE notification (id INTEGER PRIMARY KEY AUTOINCREMENT, hook TEXT NOT NULL, key TEXT NOT NULL, \
     body TEXT NOT NULL)",
];

/// The time before which a notification is not delivered.
const ADD_AFTER: &[&str] = &["ALTER TABLE notification ADD COLUMN after INTEGER NOT NULL DEFAULT 0"];

/// Documents of the services: accounts of cabinets, samples, signed records, days of kiosks.
const CREATE_BOOK: &[&str] = &[
    "CREATE TABLE book (id TEXT PRIMARY KEY, kind TEXT NOT NULL, at INTEGER NOT NULL, body TEXT NOT NULL) WITHOUT ROWID",
    "CREATE INDEX book_kind ON book (kind, at)",
];

/// Rows that could not be decoded: which one, why, and its bytes where it was taken out of a queue
/// or may be overwritten.
const CREATE_UNDECODABLE: &[&str] = &[
    "CREATE TABLE undecodable (source TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, reason TEXT NOT NULL, \
     body BLOB, PRIMARY KEY (source, key)) WITHOUT ROWID",
];

/// The audit as hash chains: the place of each entry in its chain, and the state of each chain.
const CREATE_TRAILS: &[&str] = &[
    "CREATE TABLE audit_link (trail TEXT NOT NULL, n INTEGER NOT NULL, id INTEGER NOT NULL, prev BLOB NOT NULL, \
     PRIMARY KEY (trail, n)) WITHOUT ROWID",
    "CREATE TABLE audit_chain (trail TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
];

/// What each format added to the one before.
const ADDED: [(i64, &[&str]); 8] = [
    (2, &[CREATE_SEEN]),
    (3, CREATE_CABIN),
    (4, CREATE_ALARMS),
    (5, CREATE_NOTIFICATIONS),
    (6, ADD_AFTER),
    (7, CREATE_BOOK),
    (8, CREATE_UNDECODABLE),
    (9, CREATE_TRAILS),
];

const CREATE: &[&str] = &[
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
    "CREATE TABLE layout (id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE)",
    "CREATE TABLE urgent (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, layout INTEGER, body BLOB NOT NULL)",
    "CREATE TABLE telemetry (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, layout INTEGER, body BLOB NOT NULL)",
    "CREATE TABLE kiosk (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, layout INTEGER, body BLOB NOT NULL)",
    "CREATE TABLE actuator (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, layout INTEGER, body BLOB NOT NULL)",
    "CREATE TABLE food_safety (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, layout INTEGER, body BLOB NOT NULL)",
    "CREATE TABLE dead_letter (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, layout INTEGER, body BLOB NOT NULL, \
     detail TEXT NOT NULL, buried INTEGER NOT NULL)",
    "CREATE TABLE ledger (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL)",
    "CREATE TABLE command (id TEXT PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL, state TEXT NOT NULL) \
     WITHOUT ROWID",
    "CREATE TABLE open_command (id TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TABLE device (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
    "CREATE TABLE history (device INTEGER NOT NULL, minute INTEGER NOT NULL, layout INTEGER NOT NULL, \
     body BLOB NOT NULL, PRIMARY KEY (device, minute, layout)) WITHOUT ROWID",
];

/// Which table holds records of that lane and class.
pub const fn table(lane: Lane, class: DeviceClass) -> usize {
    match (lane, class) {
        (Lane::Urgent, _) | (_, DeviceClass::Vital) => 0,
        (_, DeviceClass::Telemetry) => 1,
        (_, DeviceClass::Kiosk) => 2,
        (_, DeviceClass::Actuator) => 3,
        (_, DeviceClass::FoodSafety) => 4,
    }
}

/// The class a data table stands for; the urgent table holds several.
pub const fn class(table: usize) -> Option<DeviceClass> {
    match table {
        1 => Some(DeviceClass::Telemetry),
        2 => Some(DeviceClass::Kiosk),
        3 => Some(DeviceClass::Actuator),
        4 => Some(DeviceClass::FoodSafety),
        _ => None,
    }
}

/// The only connection that writes.
pub fn writer(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).busy_timeout(BUSY).foreign_keys(false)
}

/// A connection that only reads.
pub fn reader(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .read_only(true)
        .busy_timeout(BUSY)
        .foreign_keys(false)
        .pragma("cache_size", READER_CACHE)
        .pragma("temp_store", "MEMORY")
}

/// Names of the tables of ours that are not in the database.
pub async fn missing_tables(
    connection: &mut sqlx::SqliteConnection,
) -> Result<Vec<&'static str>, sqlx::Error> {
    let there: Vec<String> = sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
        .fetch_all(connection)
        .await?;
    let added = ADDED.iter().flat_map(|(_, statements)| *statements);
    let named = |sql: &'static str| sql.strip_prefix("CREATE TABLE ")?.split(' ').next();
    let ours = CREATE.iter().chain(added).filter_map(|sql| named(sql));
    Ok(ours.filter(|name| !there.iter().any(|found| found == name)).collect())
}

/// Brings a database of an older format up to [`FORMAT`].
pub async fn upgrade(connection: &mut sqlx::SqliteConnection, found: i64) -> Result<(), sqlx::Error> {
    use sqlx::Connection;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    for statement in ADDED.iter().filter(|(since, _)| found < *since).flat_map(|(_, statements)| *statements)
    {
        sqlx::query(*statement).execute(&mut *transaction).await?;
    }
    if found < CHAINED {
        trail::chain_all(&mut transaction).await?;
    }
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {FORMAT}")))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// Creates every table in an empty database and gives it its epoch. The loss that made a new
/// database necessary is stored in the same transaction, so that a power cut cannot lose it.
pub async fn create(
    connection: &mut sqlx::SqliteConnection,
    epoch: &str,
    first_seq: u64,
    loss: Option<&Loss>,
) -> Result<(), sqlx::Error> {
    use sqlx::Connection;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let added = ADDED.iter().flat_map(|(_, statements)| *statements);
    for statement in CREATE.iter().chain(added) {
        sqlx::query(*statement).execute(&mut *transaction).await?;
    }
    let mut meta =
        vec![("epoch", epoch.to_owned()), ("next_seq", first_seq.to_string()), ("rows", "[]".to_owned())];
    if let Some(loss) = loss {
        meta.push(("loss", serde_json::to_string(loss).map_err(|e| sqlx::Error::Encode(e.into()))?));
    }
    for (key, value) in meta {
        sqlx::query("INSERT INTO meta (key, value) VALUES (?, ?)")
            .bind(key)
            .bind(value)
            .execute(&mut *transaction)
            .await?;
    }
    // Not a parameter: PRAGMA takes none. The constant is ours.
    sqlx::query(sqlx::AssertSqlSafe(format!("PRAGMA user_version = {FORMAT}")))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}
