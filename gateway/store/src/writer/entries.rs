//! Applies entries inside the transaction.

use linli_domain::Timestamp;
use serde::Serialize;
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};

use crate::codec;
use crate::entry::{Change, Document, Entry};
use crate::trail;

/// Documents per INSERT statement: four parameters each, far below SQLite's limit.
const DOCUMENTS_AT_ONCE: usize = 128;

/// Rows in `undecodable` name the measurement, so they are erased with it.
const FORGET_MEASUREMENT: &str = "DELETE FROM undecodable WHERE source = 'measurement' AND key IN \
     (SELECT id || '/' || version FROM measurement WHERE id = ?)";

/// The same for everything measured during a visit.
const FORGET_MEASUREMENTS_OF_VISIT: &str = "DELETE FROM undecodable WHERE source = 'measurement' AND key IN \
     (SELECT id || '/' || version FROM measurement WHERE id IN (SELECT id FROM measurement WHERE visit = ?))";

/// Documents of a measurement: their ids begin with its own.
const FORGET_ATTACHMENTS: &str =
    "DELETE FROM book WHERE kind = 'vital-attachment' AND id GLOB 'vital-attachment/' || ? || '/*'";

/// The same for everything measured during a visit.
const FORGET_ATTACHMENTS_OF_VISIT: &str = "DELETE FROM book WHERE kind = 'vital-attachment' AND EXISTS \
     (SELECT 1 FROM measurement WHERE visit = ? AND book.id GLOB 'vital-attachment/' || measurement.id || '/*')";

/// Applies every change and writes the audit entries.
pub(super) async fn write(
    connection: &mut SqliteConnection,
    entry: &Entry,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut changes = entry.changes.as_slice();
    while let [first, rest @ ..] = changes {
        let together: Vec<&Document> =
            changes.iter().map_while(as_document).take(DOCUMENTS_AT_ONCE).collect();
        if together.is_empty() {
            apply(connection, first, now).await?;
            changes = rest;
        } else {
            documents(connection, &together).await?;
            changes = changes.get(together.len()..).unwrap_or_default();
        }
    }
    for audit in &entry.audit {
        trail::append(connection, audit).await?;
    }
    Ok(())
}

const fn as_document(change: &Change) -> Option<&Document> {
    match change {
        Change::Document(document) => Some(document),
        _ => None,
    }
}

/// Writes documents with one statement: an order for a large building has hundreds, and each statement is a way to the thread
/// of the database and back. Of two with one id the later stays.
async fn documents(connection: &mut SqliteConnection, documents: &[&Document]) -> Result<(), sqlx::Error> {
    let mut insert: QueryBuilder<Sqlite> =
        QueryBuilder::new("INSERT OR REPLACE INTO book (id, kind, at, body) ");
    insert.push_values(documents, |mut values, document| {
        values
            .push_bind(document.id.as_str())
            .push_bind(document.kind.as_str())
            .push_bind(document.at.0)
            .push_bind(document.body.as_str());
    });
    // Only what comes often is worth a place in the statement cache.
    let persistent = documents.len() == DOCUMENTS_AT_ONCE || documents.len() == 1;
    insert.build().persistent(persistent).execute(connection).await.map(|_| ())
}

/// Makes SQLite overwrite deleted content in the file.
pub(super) async fn overwrite_deleted(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA secure_delete = ON").execute(connection).await.map(|_| ())
}

/// Ends that; `erases` truncates the write-ahead log, which still holds the deleted content.
pub(super) async fn overwritten(connection: &mut SqliteConnection, erases: bool) {
    let pragmas = ["PRAGMA secure_delete = FAST", "PRAGMA wal_checkpoint(TRUNCATE)"];
    for pragma in pragmas.into_iter().take(if erases { 2 } else { 1 }) {
        if let Err(error) = sqlx::query(pragma).execute(&mut *connection).await {
            tracing::warn!(%error, "erased, but the write-ahead log could not be truncated yet");
        }
    }
}

/// A message about an erased measurement keeps its place, so that the sequence has no gap. Only messages
/// on `vital/{device}`, which begin so, are parsed.
const ERASE_UNSENT: [&str; 3] = [
    "UPDATE urgent SET body = CAST(json_set(CAST(body AS TEXT), '$.body', json_object( \
     'at', json_extract(CAST(body AS TEXT), '$.body.at'), 'device', json_extract(CAST(body AS TEXT), '$.body.device'), \
     'id', json_extract(CAST(body AS TEXT), '$.body.id'), 'status', 'erased', \
     'version', json_extract(CAST(body AS TEXT), '$.body.version'))) AS BLOB) \
     WHERE layout IS NULL AND substr(body, 1, 17) = CAST('{\"topic\":{\"vital\"' AS BLOB) AND json_valid(CAST(body AS TEXT)) \
     AND json_extract(CAST(body AS TEXT), '$.body.id') IN (SELECT value FROM json_each(?))",
    "DELETE FROM undecodable WHERE source = 'outbox' AND CAST(key AS INTEGER) IN (SELECT seq FROM dead_letter \
     WHERE layout IS NULL AND substr(body, 1, 17) = CAST('{\"topic\":{\"vital\"' AS BLOB) AND json_valid(CAST(body AS TEXT)) \
     AND json_extract(CAST(body AS TEXT), '$.body.id') IN (SELECT value FROM json_each(?)))",
    "DELETE FROM dead_letter WHERE layout IS NULL AND substr(body, 1, 17) = CAST('{\"topic\":{\"vital\"' AS BLOB) \
     AND json_valid(CAST(body AS TEXT)) \
     AND json_extract(CAST(body AS TEXT), '$.body.id') IN (SELECT value FROM json_each(?))",
];

/// Samples of a device of class vital that wait in the urgent lane; they keep their place too.
const ERASE_SAMPLES: &str = "UPDATE urgent SET body = ? WHERE layout IN (SELECT id FROM layout WHERE \
     CASE WHEN json_valid(body) THEN json_extract(body, '$.device') END = ?) AND at BETWEEN ? AND ?";

/// Deletes the minutes of a device from one to another.
const ERASE_TREND: &str =
    "DELETE FROM history WHERE device = (SELECT id FROM device WHERE name = ?) AND minute BETWEEN ? AND ?";

async fn apply(
    connection: &mut SqliteConnection,
    change: &Change,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    match change {
        Change::Resident(resident) => {
            sqlx::query("INSERT OR REPLACE INTO resident (pseudonym, key, sealed, at) VALUES (?, ?, ?, ?)")
                .bind(&resident.pseudonym)
                .bind(&resident.key)
                .bind(&resident.sealed)
                .bind(resident.at.0)
                .execute(connection)
                .await?;
        }
        Change::Visit(visit) => {
            sqlx::query(
                "INSERT OR REPLACE INTO visit (id, pseudonym, opened, ended, body) VALUES (?, ?, ?, ?, ?)",
            )
            .bind(&visit.id)
            .bind(&visit.pseudonym)
            .bind(visit.opened.0)
            .bind(visit.ended.map(|(at, _)| at.0))
            .bind(json(visit)?)
            .execute(connection)
            .await?;
        }
        Change::Version(version) => {
            // Versions are never overwritten: a second row with the same key is an error.
            sqlx::query("INSERT INTO measurement (id, version, visit, at, body) VALUES (?, ?, ?, ?, ?)")
                .bind(&version.id)
                .bind(version.version)
                .bind(&version.visit)
                .bind(version.measurement.taken.at.0)
                .bind(json(version)?)
                .execute(connection)
                .await?;
        }
        Change::Sealed { id, version, visit, at, body } => {
            sqlx::query("INSERT INTO measurement (id, version, visit, at, body) VALUES (?, ?, ?, ?, ?)")
                .bind(id)
                .bind(version)
                .bind(visit)
                .bind(at.0)
                .bind(body)
                .execute(connection)
                .await?;
        }
        Change::Reseal { id, version, body } => {
            sqlx::query("UPDATE measurement SET body = ? WHERE id = ? AND version = ?")
                .bind(body)
                .bind(id)
                .bind(version)
                .execute(connection)
                .await?;
        }
        Change::ForgetAudit(before) => {
            trail::forget_before(connection, *before, now).await?;
        }
        change if change.erases() => erase(connection, change).await?,
        change => alarms(connection, change).await?,
    }
    Ok(())
}

/// What is erased, with the rows that name it.
async fn erase(connection: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
    match change {
        Change::EraseVisit(id) => {
            run(connection, FORGET_MEASUREMENTS_OF_VISIT, id).await?;
            run(connection, FORGET_ATTACHMENTS_OF_VISIT, id).await?;
            run(connection, "DELETE FROM undecodable WHERE source = 'visit' AND key = ?", id).await?;
            run(
                connection,
                "DELETE FROM measurement WHERE id IN (SELECT id FROM measurement WHERE visit = ?)",
                id,
            )
            .await?;
            run(connection, "DELETE FROM visit WHERE id = ?", id).await?;
        }
        Change::EraseMeasurement(id) => {
            run(connection, FORGET_MEASUREMENT, id).await?;
            run(connection, FORGET_ATTACHMENTS, id).await?;
            run(connection, "DELETE FROM measurement WHERE id = ?", id).await?;
        }
        Change::EraseResident(pseudonym) => {
            run(connection, "DELETE FROM undecodable WHERE source = 'resident' AND key = ?", pseudonym)
                .await?;
            run(connection, "DELETE FROM resident WHERE pseudonym = ?", pseudonym).await?;
        }
        Change::EraseUnsent { measurements, samples } => {
            let ids = json(measurements)?;
            for sql in ERASE_UNSENT {
                sqlx::query(sql).bind(&ids).execute(&mut *connection).await?;
            }
            for (device, from, to) in samples {
                sqlx::query(ERASE_SAMPLES)
                    .bind(codec::pack(&[]))
                    .bind(device.as_str())
                    .bind(from.0)
                    .bind(to.0)
                    .execute(&mut *connection)
                    .await?;
            }
        }
        Change::EraseTrend { device, from, to } => {
            sqlx::query(ERASE_TREND)
                .bind(device.as_str())
                .bind(from.minute().0)
                .bind(to.0)
                .execute(connection)
                .await?;
        }
        _ => {}
    }
    Ok(())
}

/// Changes of alarms.
async fn alarms(connection: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
    match change {
        Change::Alarm { id, body } => {
            sqlx::query("INSERT OR REPLACE INTO alarm (id, body) VALUES (?, ?)")
                .bind(id.as_str())
                .bind(body)
                .execute(connection)
                .await?;
        }
        Change::ForgetAlarm(id) => run(connection, "DELETE FROM alarm WHERE id = ?", id.as_str()).await?,
        Change::Notify(notification) => {
            sqlx::query("INSERT INTO notification (hook, key, body, after) VALUES (?, ?, ?, ?)")
                .bind(notification.hook.as_str())
                .bind(&notification.key)
                .bind(&notification.body)
                .bind(notification.after.0)
                .execute(connection)
                .await?;
        }
        Change::Notified(id) => {
            sqlx::query("DELETE FROM notification WHERE id = ?").bind(id).execute(connection).await?;
        }
        Change::AlarmStep { at, body } => {
            sqlx::query("INSERT INTO alarm_journal (at, body) VALUES (?, ?)")
                .bind(at.0)
                .bind(body)
                .execute(connection)
                .await?;
        }
        Change::ForgetDocuments { kind, from, to } => {
            sqlx::query("DELETE FROM book WHERE kind = ? AND id BETWEEN ? AND ?")
                .bind(kind)
                .bind(from)
                .bind(to)
                .execute(connection)
                .await?;
        }
        _ => {}
    }
    Ok(())
}

async fn run(connection: &mut SqliteConnection, sql: &'static str, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).bind(id).execute(connection).await?;
    Ok(())
}

fn json(body: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(body).map_err(|error| sqlx::Error::Encode(error.into()))
}
