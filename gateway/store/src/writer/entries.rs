//! What the health cabin and the alarms keep, inside the transaction.

use serde::Serialize;
use sqlx::SqliteConnection;

use crate::entry::{Audit, Change, Entry};

/// The flags of measurements that cannot be decoded name them: they go with what is erased.
const FORGET_MEASUREMENT: &str = "DELETE FROM undecodable WHERE source = 'measurement' AND key IN \
     (SELECT id || '/' || version FROM measurement WHERE id = ?)";

/// The same for everything measured during a visit.
const FORGET_MEASUREMENTS_OF_VISIT: &str = "DELETE FROM undecodable WHERE source = 'measurement' AND key IN \
     (SELECT id || '/' || version FROM measurement WHERE id IN (SELECT id FROM measurement WHERE visit = ?))";

/// Applies every change and writes the audit.
pub(super) async fn write(connection: &mut SqliteConnection, entry: &Entry) -> Result<(), sqlx::Error> {
    for change in &entry.changes {
        apply(connection, change).await?;
    }
    for audit in &entry.audit {
        note(connection, audit).await?;
    }
    Ok(())
}

/// What is deleted from now on is overwritten in the file.
pub(super) async fn overwrite_deleted(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    sqlx::query("PRAGMA secure_delete = ON").execute(connection).await.map(|_| ())
}

/// The write-ahead log still holds what was deleted: it is emptied.
pub(super) async fn truncate_log(connection: &mut SqliteConnection) {
    for pragma in ["PRAGMA secure_delete = FAST", "PRAGMA wal_checkpoint(TRUNCATE)"] {
        if let Err(error) = sqlx::query(pragma).execute(&mut *connection).await {
            tracing::warn!(%error, "erased, but the log could not be emptied yet");
        }
    }
}

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
            // The first row of a version stands: versions are never overwritten.
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
        Change::Notify(told) => {
            sqlx::query("INSERT INTO notification (hook, key, body, after) VALUES (?, ?, ?, ?)")
                .bind(told.hook.as_str())
                .bind(&told.key)
                .bind(&told.body)
                .bind(told.after.0)
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
