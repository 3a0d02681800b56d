//! Applies entries inside the transaction.

use serde::Serialize;
use sqlx::SqliteConnection;

use crate::entry::{Audit, Change, Entry};

/// Rows in `undecodable` name the measurement, so they are erased with it.
const FORGET_MEASUREMENT: &str = "DELETE FROM undecodable WHERE source = 'measurement' AND key IN \
     (SELECT id || '/' || version FROM measurement WHERE id = ?)";

/// The same for everything measured during a visit.
const FORGET_MEASUREMENTS_OF_VISIT: &str = "DELETE FROM undecodable WHERE source = 'measurement' AND key IN \
     (SELECT id || '/' || version FROM measurement WHERE id IN (SELECT id FROM measurement WHERE visit = ?))";

/// Applies every change and writes the audit entries.
pub(super) async fn write(connection: &mut SqliteConnection, entry: &Entry) -> Result<(), sqlx::Error> {
    for change in &entry.changes {
        apply(connection, change).await?;
    }
    for audit in &entry.audit {
        note(connection, audit).await?;
    }
    Ok(())
}

/// Makes SQLite overwrite deleted content in the file.
pub(super) async fn overwrite_deleted(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA secure_delete = ON").execute(connection).await.map(|_| ())
}

/// Truncates the write-ahead log, which still holds the deleted content.
pub(super) async fn truncate_log(connection: &mut SqliteConnection) {
    for pragma in ["PRAGMA secure_delete = FAST", "PRAGMA wal_checkpoint(TRUNCATE)"] {
        if let Err(error) = sqlx::query(pragma).execute(&mut *connection).await {
            tracing::warn!(%error, "erased, but the write-ahead log could not be truncated yet");
        }
    }
}

/// Deletes the minutes of a device from one to another.
const ERASE_TREND: &str =
    "DELETE FROM history WHERE device = (SELECT id FROM device WHERE name = ?) AND minute BETWEEN ? AND ?";

async fn apply(connection: &mut SqliteConnection, change: &Change) -> Result<(), sqlx::Error> {
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
        Change::EraseVisit(id) => {
            run(connection, FORGET_MEASUREMENTS_OF_VISIT, id).await?;
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
            run(connection, "DELETE FROM measurement WHERE id = ?", id).await?;
        }
        Change::EraseResident(pseudonym) => {
            run(connection, "DELETE FROM undecodable WHERE source = 'resident' AND key = ?", pseudonym)
                .await?;
            run(connection, "DELETE FROM resident WHERE pseudonym = ?", pseudonym).await?;
        }
        Change::EraseTrend { device, from, to } => {
            sqlx::query(ERASE_TREND)
                .bind(device.as_str())
                .bind(from.minute().0)
                .bind(to.0)
                .execute(connection)
                .await?;
        }
        Change::ForgetAudit(before) => {
            sqlx::query("DELETE FROM audit WHERE at < ?").bind(before.0).execute(connection).await?;
        }
        change => alarms(connection, change).await?,
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
        Change::Document(page) => {
            sqlx::query("INSERT OR REPLACE INTO book (id, kind, at, body) VALUES (?, ?, ?, ?)")
                .bind(&page.id)
                .bind(&page.kind)
                .bind(page.at.0)
                .bind(&page.body)
                .execute(connection)
                .await?;
        }
        _ => {}
    }
    Ok(())
}

async fn note(connection: &mut SqliteConnection, audit: &Audit) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO audit (at, who, what, about, detail) VALUES (?, ?, ?, ?, ?)")
        .bind(audit.at.0)
        .bind(&audit.who)
        .bind(&audit.what)
        .bind(&audit.about)
        .bind(&audit.detail)
        .execute(connection)
        .await?;
    Ok(())
}

async fn run(connection: &mut SqliteConnection, sql: &'static str, id: &str) -> Result<(), sqlx::Error> {
    sqlx::query(sql).bind(id).execute(connection).await?;
    Ok(())
}

fn json(body: &impl Serialize) -> Result<String, sqlx::Error> {
    serde_json::to_string(body).map_err(|error| sqlx::Error::Encode(error.into()))
}
