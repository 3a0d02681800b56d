//! Opens the database. A sound file is resumed; a damaged or foreign one is renamed and replaced.

use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use linli_domain::loss::{Loss, LossReason};
use sqlx::Row;
use sqlx::sqlite::SqliteConnection;

use crate::connection;
use crate::error::{Failure, OpenError, is_foreign_schema};
use crate::schema::{self, FORMAT, TABLES};
use crate::watermark::{Watermark, beside};

/// How many damaged databases are kept for examination.
const KEPT: usize = 3;

/// Result of opening a database.
#[derive(Debug, Clone)]
pub struct Opening {
    /// The database's epoch.
    pub epoch: String,
    /// The damaged database, if there was one.
    pub set_aside: Option<SetAside>,
    /// Records waiting for delivery.
    pub backlog: u64,
}

/// A database that was renamed because it was damaged or foreign.
#[derive(Debug, Clone)]
pub struct SetAside {
    /// Where it is now.
    pub path: PathBuf,
    /// What was wrong with it.
    pub reason: String,
}

/// An open database with what its meta rows say.
pub(crate) struct Opened {
    pub connection: SqliteConnection,
    pub epoch: String,
    pub next_seq: u64,
    pub rows: [u64; TABLES.len()],
    /// The last process ended without closing the database.
    pub unclean: bool,
    /// Rows that cannot be decoded, recorded by earlier processes.
    pub undecodable: u64,
    pub set_aside: Option<SetAside>,
    /// Written into the ledger with the first transaction.
    pub loss: Option<Loss>,
    /// Entries of the ledger that were not announced, with their ids.
    pub unannounced: Vec<(i64, Loss)>,
}

/// Opens the database at `path`, or renames it and creates a new one if it is damaged or foreign.
pub(crate) async fn open(path: &Path, now_ms: i64) -> Result<Opened, OpenError> {
    match resume(path).await {
        Ok(Found::Ours(opened)) => Ok(*opened),
        Ok(Found::Foreign(reason)) => replace(path, &reason, None, now_ms).await,
        Ok(Found::Nothing) => {
            // A watermark without a database: somebody removed it, and what was in it is gone.
            let gone = Watermark::read(path).filter(|mark| mark.oldest < mark.next_seq);
            let first = gone.as_ref().map_or(1, |mark| mark.next_seq);
            let loss = gone.map(|mark| loss_of(&mark, "the database file was missing".to_owned()));
            begin(path, first, loss).await.map_err(|e| database(path, e))
        }
        Err(OpenError::Database { source, .. }) if Failure::of(&source) == Failure::Damaged => {
            replace(path, &source.to_string(), None, now_ms).await
        }
        Err(other) => Err(other),
    }
}

/// Renames the database to `….corrupt-{now_ms}` and creates a new one whose sequence numbers continue
/// the old ones.
pub(crate) async fn replace(
    path: &Path,
    reason: &str,
    known: Option<Watermark>,
    now_ms: i64,
) -> Result<Opened, OpenError> {
    let aside = beside(path, &format!("corrupt-{now_ms}"));
    for ending in ["", "-wal", "-shm"] {
        let (from, to) = (with_ending(path, ending), with_ending(&aside, ending));
        match std::fs::rename(&from, &to) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(OpenError::Directory { path: from, source: e });
            }
            _ => {}
        }
    }
    drop_oldest_aside(path);
    let mark = known.or_else(|| Watermark::read(path));
    let first = mark.as_ref().map_or(1, |mark| mark.next_seq);
    let name = aside.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let detail = format!("set aside as {name}: {reason}");
    let loss = match &mark {
        Some(mark) => loss_of(mark, detail),
        None => Loss {
            reason: LossReason::Damaged,
            class: None,
            of_epoch: "unknown".to_owned(),
            range: None,
            messages: None,
            between: None,
            detail,
        },
    };
    let opened = begin(path, first, Some(loss)).await.map_err(|e| database(path, e))?;
    let set_aside = Some(SetAside { path: aside, reason: reason.to_owned() });
    Ok(Opened { set_aside, ..opened })
}

/// The loss of everything a database held that had not been delivered.
fn loss_of(mark: &Watermark, detail: String) -> Loss {
    Loss {
        reason: LossReason::Damaged,
        class: None,
        of_epoch: mark.epoch.clone(),
        range: (mark.oldest < mark.next_seq).then(|| (mark.oldest, mark.next_seq - 1)),
        // Between two writings of the watermark some of the range may have been delivered.
        messages: None,
        between: None,
        detail,
    }
}

/// What is at the database's path.
enum Found {
    Ours(Box<Opened>),
    /// A sound SQLite database, but not one that this program can have written, and why.
    Foreign(String),
    Nothing,
}

/// The same before its connection is kept or closed.
enum Examined {
    Ours(Box<Content>),
    Foreign(String),
    Nothing,
}

/// What a database of ours says of itself; see [`Opened`].
struct Content {
    epoch: String,
    next_seq: u64,
    rows: [u64; TABLES.len()],
    unclean: bool,
    undecodable: u64,
    loss: Option<Loss>,
    unannounced: Vec<(i64, Loss)>,
}

impl Opened {
    fn of(connection: SqliteConnection, content: Content) -> Self {
        let Content { epoch, next_seq, rows, unclean, undecodable, loss, unannounced } = content;
        let set_aside = None;
        Self { connection, epoch, next_seq, rows, unclean, undecodable, set_aside, loss, unannounced }
    }
}

/// Opens an existing database and reads enough of it to trust it. Only a connection to a database
/// of ours is still open afterwards.
async fn resume(path: &Path) -> Result<Found, OpenError> {
    match std::fs::metadata(path) {
        Ok(found) if found.len() > 0 => {}
        Ok(_) => return Ok(Found::Nothing),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(source) => return Err(OpenError::Directory { path: path.to_owned(), source }),
    }
    let mut connection = connection::open(path).await.map_err(|source| database(path, source))?;
    let examined = examine(&mut connection, path).await;
    if let Ok(Examined::Ours(content)) = examined {
        return Ok(Found::Ours(Box::new(Opened::of(connection, *content))));
    }
    connection::close(connection).await;
    examined.map(|examined| match examined {
        Examined::Foreign(reason) => Found::Foreign(reason),
        Examined::Nothing | Examined::Ours(_) => Found::Nothing,
    })
}

/// Tells a database of ours from others, brings it up to the present format and reads its meta rows.
async fn examine(connection: &mut SqliteConnection, path: &Path) -> Result<Examined, OpenError> {
    let failed = |source| database(path, source);
    let found: i64 =
        sqlx::query_scalar("PRAGMA user_version").fetch_one(&mut *connection).await.map_err(failed)?;
    if found > FORMAT {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: FORMAT });
    }
    if found == 0 {
        let tables: i64 = sqlx::query_scalar("SELECT count(*) FROM sqlite_schema")
            .fetch_one(&mut *connection)
            .await
            .map_err(failed)?;
        // None: a power cut between creating the file and its tables.
        return Ok(match tables {
            0 => Examined::Nothing,
            _ => Examined::Foreign("it is a database of another program".to_owned()),
        });
    }
    match checked(connection, found).await {
        // Our own statements do not fit the tables that are there.
        Err(error) if is_foreign_schema(&error) => Ok(Examined::Foreign(error.to_string())),
        other => other.map_err(failed),
    }
}

/// Brings the database up to the present format and checks that all tables are there.
async fn checked(connection: &mut SqliteConnection, found: i64) -> Result<Examined, sqlx::Error> {
    if (1..FORMAT).contains(&found) {
        schema::upgrade(connection, found).await?;
    }
    let missing = schema::missing_tables(connection).await?;
    if !missing.is_empty() {
        return Ok(Examined::Foreign(format!("tables are missing: {}", missing.join(", "))));
    }
    read_meta(connection).await
}

async fn read_meta(connection: &mut SqliteConnection) -> Result<Examined, sqlx::Error> {
    let rows: Vec<(Vec<u8>, Vec<u8>)> =
        sqlx::query_as("SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM meta WHERE value IS NOT NULL")
            .fetch_all(&mut *connection)
            .await?;
    let meta = |key: &str| -> Option<String> {
        let row = rows.iter().find(|row| row.0 == key.as_bytes());
        row.map(|row| String::from_utf8_lossy(&row.1).into_owned())
    };
    let foreign = |what: &str| Ok(Examined::Foreign(format!("its meta rows are not ours: {what}")));
    let Some(epoch) = meta("epoch") else { return foreign("epoch") };
    let Some(next) = meta("next_seq").and_then(|v| v.parse::<u64>().ok()) else {
        return foreign("next_seq");
    };
    let unclean = meta("clean").as_deref() != Some("1");
    let loss = meta("loss").map(|stored| {
        serde_json::from_str(&stored).unwrap_or_else(|_| Loss {
            reason: LossReason::Damaged,
            class: None,
            of_epoch: "unknown".to_owned(),
            range: None,
            messages: None,
            between: None,
            detail: format!("an entry that cannot be decoded: {stored}"),
        })
    });
    let counted = match meta("rows").and_then(|v| serde_json::from_str::<Vec<u64>>(&v).ok()) {
        Some(counts) => {
            let mut counted = [0; TABLES.len()];
            counted.iter_mut().zip(counts).for_each(|(slot, count)| *slot = count);
            counted
        }
        None => count_rows(connection).await?,
    };
    // Both ends of every table: garbage written over the file is found at once, without reading
    // a gigabyte. The complete check follows in the background.
    for table in TABLES {
        let ends = format!("SELECT min(seq), max(seq) FROM {table}");
        let ends = sqlx::query(sqlx::AssertSqlSafe(ends)).fetch_one(&mut *connection).await?;
        let last: Option<i64> = ends.get(1);
        if last.is_some_and(|last| last.cast_unsigned() >= next) {
            return foreign("next_seq is below a number that was given out");
        }
    }
    sqlx::query("SELECT max(id) FROM ledger").fetch_one(&mut *connection).await?;
    let unannounced = match meta("unannounced").and_then(|from| from.parse::<i64>().ok()) {
        Some(from) => unannounced(connection, from).await?,
        None => Vec::new(),
    };
    let undecodable: i64 =
        sqlx::query_scalar("SELECT count(*) FROM undecodable").fetch_one(&mut *connection).await?;
    let undecodable = undecodable.cast_unsigned();
    let content = Content { epoch, next_seq: next, rows: counted, unclean, undecodable, loss, unannounced };
    Ok(Examined::Ours(Box::new(content)))
}

/// The entries that an earlier process wrote and did not announce.
async fn unannounced(connection: &mut SqliteConnection, from: i64) -> Result<Vec<(i64, Loss)>, sqlx::Error> {
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT id, CAST(body AS BLOB) FROM ledger WHERE id >= ? ORDER BY id")
            .bind(from)
            .fetch_all(connection)
            .await?;
    Ok(rows.into_iter().filter_map(|(id, body)| Some((id, serde_json::from_slice(&body).ok()?))).collect())
}

/// Counts the rows of every outbox table: reads them all.
async fn count_rows(connection: &mut SqliteConnection) -> Result<[u64; TABLES.len()], sqlx::Error> {
    let mut counted = [0; TABLES.len()];
    for (slot, table) in counted.iter_mut().zip(TABLES) {
        let count = format!("SELECT count(*) FROM {table}");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count)).fetch_one(&mut *connection).await?;
        *slot = count.cast_unsigned();
    }
    Ok(counted)
}

/// Creates a database; `loss` is what the database before it lost.
async fn begin(path: &Path, first_seq: u64, loss: Option<Loss>) -> Result<Opened, sqlx::Error> {
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(with_ending(path, ending));
    }
    let epoch = random_epoch().map_err(sqlx::Error::Io)?;
    let mut connection = connection::open(path).await?;
    if let Err(error) = schema::create(&mut connection, &epoch, first_seq, loss.as_ref()).await {
        connection::close(connection).await;
        return Err(error);
    }
    let rows = [0; TABLES.len()];
    let unannounced = Vec::new();
    let content =
        Content { epoch, next_seq: first_seq, rows, unclean: false, undecodable: 0, loss, unannounced };
    Ok(Opened::of(connection, content))
}

/// 128 bits of the operating system's entropy: no two databases of any gateway share an epoch.
fn random_epoch() -> std::io::Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(HEXLOWER.encode(&bytes))
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn database(path: &Path, source: sqlx::Error) -> OpenError {
    let path = path.to_owned();
    match std::fs::File::options().read(true).write(true).open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => OpenError::NotOurs { path },
        _ => OpenError::Database { path, source },
    }
}

/// The set-aside databases beside `path`, oldest first.
pub(crate) fn aside_files(path: &Path) -> Vec<PathBuf> {
    let Some(directory) = path.parent() else { return Vec::new() };
    let prefix = format!("{}.corrupt-", path.file_name().unwrap_or_default().to_string_lossy());
    let mut found: Vec<PathBuf> = std::fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|p| {
            let name = p.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.strip_prefix(&prefix).is_some_and(|stamp| stamp.bytes().all(|b| b.is_ascii_digit()))
        })
        .collect();
    found.sort();
    found
}

fn drop_oldest_aside(path: &Path) {
    let found = aside_files(path);
    for old in found.iter().take(found.len().saturating_sub(KEPT)) {
        for ending in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(with_ending(old, ending));
        }
    }
}
