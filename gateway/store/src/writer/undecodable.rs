//! Records rows that cannot be decoded, inside the transaction, and moves them out of their queue.

use linli_domain::Timestamp;
use sqlx::SqliteConnection;

use crate::place::Place;

/// Rows recorded by a transaction; logged and counted once it is durable.
pub(super) struct NewlyUndecodable {
    at: Timestamp,
    rows: Vec<(Place, String)>,
}

/// What happens to a row.
struct Statements {
    /// Selects the bytes to copy by the key. None for personal data, which must stay where erasing
    /// finds it, and for dead letters.
    bytes: Option<&'static str>,
    /// Removes it from its queue.
    remove: Option<&'static str>,
}

// === impl NewlyUndecodable ===

impl NewlyUndecodable {
    pub(super) const fn new(at: Timestamp) -> Self {
        Self { at, rows: Vec::new() }
    }

    /// Records a row with the reason, unless it is recorded already, and removes it from its queue.
    pub(super) async fn set_aside(
        &mut self,
        connection: &mut SqliteConnection,
        place: Place,
        reason: &str,
    ) -> Result<(), sqlx::Error> {
        let statements = statements(&place);
        let bytes = match statements.bytes {
            Some(sql) => {
                bind(sqlx::query_scalar(sql), &place).fetch_optional(&mut *connection).await?.flatten()
            }
            None => None,
        };
        let flagged = sqlx::query(
            "INSERT INTO undecodable (source, key, at, reason, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(place.table())
        .bind(place.key())
        .bind(self.at.0)
        .bind(reason)
        .bind::<Option<Vec<u8>>>(bytes)
        .execute(&mut *connection)
        .await?;
        if let Some(sql) = statements.remove {
            let removed: Option<Option<Vec<u8>>> =
                bind(sqlx::query_scalar(sql), &place).fetch_optional(connection).await?;
            drop(removed);
        }
        if flagged.rows_affected() == 1 {
            self.rows.push((place, reason.to_owned()));
        }
        Ok(())
    }

    /// Logs each row; returns how many there are.
    pub(super) fn log(&self) -> u64 {
        for (place, reason) in &self.rows {
            // Keys of personal data are pseudonyms; even so they are not logged.
            match place {
                Place::Visit(_) | Place::Measurement { .. } | Place::Resident(_) => {
                    tracing::error!(table = place.table(), reason, "a row cannot be decoded; it is kept");
                }
                _ => {
                    let (table, key) = (place.table(), place.key());
                    tracing::error!(table, key, reason, "a row cannot be decoded; it is kept");
                }
            }
        }
        self.rows.len() as u64
    }
}

const fn statements(place: &Place) -> Statements {
    let (bytes, remove) = match place {
        Place::Notification(_) => (
            Some("SELECT CAST(body AS BLOB) FROM notification WHERE id = ?"),
            Some("DELETE FROM notification WHERE id = ?"),
        ),
        Place::History { .. } => (
            Some("SELECT CAST(body AS BLOB) FROM history WHERE device = ? AND minute = ? AND layout = ?"),
            Some("DELETE FROM history WHERE device = ? AND minute = ? AND layout = ?"),
        ),
        Place::Command(_) => (None, Some("DELETE FROM open_command WHERE id = ?")),
        Place::CommandState(_) => (Some("SELECT CAST(state AS BLOB) FROM command WHERE id = ?"), None),
        Place::Alarm(_) => (Some("SELECT CAST(body AS BLOB) FROM alarm WHERE id = ?"), None),
        Place::AlarmStep(_) => (Some("SELECT CAST(body AS BLOB) FROM alarm_journal WHERE id = ?"), None),
        Place::Document(_) => (Some("SELECT CAST(body AS BLOB) FROM book WHERE id = ?"), None),
        Place::Outbox(_)
        | Place::Visit(_)
        | Place::Measurement { .. }
        | Place::Resident(_)
        | Place::Audit(_) => (None, None),
    };
    Statements { bytes, remove }
}

type Scalar<'q> = sqlx::query::QueryScalar<'q, sqlx::Sqlite, Option<Vec<u8>>, sqlx::sqlite::SqliteArguments>;

/// Binds the parts of the key.
fn bind<'q>(query: Scalar<'q>, place: &'q Place) -> Scalar<'q> {
    match place {
        Place::Notification(id) | Place::AlarmStep(id) | Place::Audit(id) => query.bind(id),
        Place::History { device, minute, layout } => query.bind(device).bind(minute).bind(layout),
        Place::Outbox(seq) => query.bind(seq.cast_signed()),
        Place::Measurement { id, version } => query.bind(id).bind(version),
        Place::Command(id)
        | Place::CommandState(id)
        | Place::Alarm(id)
        | Place::Document(id)
        | Place::Visit(id)
        | Place::Resident(id) => query.bind(id),
    }
}
