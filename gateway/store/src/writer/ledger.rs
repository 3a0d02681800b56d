//! The loss ledger inside the writer. Entries are folded: losses of one class and reason that follow each
//! other become one entry, and each entry is announced by one message of the urgent lane.
//!
//! An entry is durable together with the loss. It grows until it is announced, at the latest at the end of a
//! pass of evictions; then it changes no more. Where announcements themselves must leave the urgent lane,
//! what they say is folded into new entries, so that no number disappears without an explanation.

use linli_domain::loss::Loss;
use linli_domain::{Message, Record, Timestamp, Topic};
use sqlx::{Connection, SqliteConnection};

use super::Writer;
use super::transact::{self, Draft};
use crate::op::Packed;
use crate::quota::Kind;

/// Most entries not yet announced. Beyond it those that differ only in their detail are folded too.
const MOST_APART: usize = 64;

/// The detail of an entry that stands for several.
const SEVERAL: &str = "several losses, each with details of its own";

/// What the body of an announcement contains, and that of hardly any other message.
const ANNOUNCEMENT: &str = "\"topic\":\"ledger_event\"";

// === impl Draft ===

impl Draft {
    /// Writes a loss into the ledger.
    pub(super) async fn ledger(
        &mut self,
        connection: &mut SqliteConnection,
        loss: &Loss,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        self.given_up += loss.messages.unwrap_or_default();
        self.fold(connection, loss, now).await
    }

    /// Adds a loss to an entry that is not announced yet, or makes a new one.
    async fn fold(
        &mut self,
        connection: &mut SqliteConnection,
        loss: &Loss,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let mut loss = loss.clone();
        if self.meta.unannounced.len() >= MOST_APART && !loss.detail.is_empty() {
            SEVERAL.clone_into(&mut loss.detail);
        }
        let grown =
            self.meta.unannounced.iter_mut().find_map(|(id, open)| open.absorb(&loss).then_some((*id, open)));
        if let Some((id, grown)) = grown {
            sqlx::query("UPDATE ledger SET at = ?, body = ? WHERE id = ?")
                .bind(now.0)
                .bind(json(grown)?)
                .bind(id)
                .execute(connection)
                .await?;
            return Ok(());
        }
        let body = json(&loss)?;
        self.sizes.add_rows(Kind::Ledger, 1, body.len() as u64);
        let id = sqlx::query("INSERT INTO ledger (at, body) VALUES (?, ?)")
            .bind(now.0)
            .bind(body)
            .execute(connection)
            .await?
            .last_insert_rowid();
        self.meta.unannounced.push((id, loss));
        Ok(())
    }

    /// Folds what the announcements among these rows of the urgent lane say, before they are deleted.
    pub(super) async fn fold_announcements(
        &mut self,
        connection: &mut SqliteConnection,
        (first, last): (i64, i64),
        before: i64,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        let bodies: Vec<Vec<u8>> = sqlx::query_scalar(
            "SELECT CAST(body AS BLOB) FROM urgent WHERE seq BETWEEN ?1 AND ?2 AND at < ?3 \
             AND layout IS NULL AND instr(CAST(body AS BLOB), CAST(?4 AS BLOB)) > 0 ORDER BY seq",
        )
        .bind(first)
        .bind(last)
        .bind(before)
        .bind(ANNOUNCEMENT)
        .fetch_all(&mut *connection)
        .await?;
        for loss in bodies.iter().filter_map(|body| announced(body)) {
            self.fold(connection, &loss, now).await?;
        }
        Ok(())
    }

    /// Places a message in the urgent lane for each entry that is not announced yet.
    pub(super) fn announce(&mut self, now: Timestamp) {
        for (_, loss) in std::mem::take(&mut self.meta.unannounced) {
            let packed = Packed::of(Record::Message(loss.message(now)));
            self.sizes.add_rows(Kind::Urgent, 1, packed.body.len() as u64);
            self.place(packed.table, packed.at, None, packed.body);
        }
    }

    /// Keeps among the meta rows from which entry on none is announced.
    pub(super) async fn mark_unannounced(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<(), sqlx::Error> {
        let first = self.meta.unannounced.first().map(|(id, _)| *id);
        if first == self.meta.marked_unannounced {
            return Ok(());
        }
        match first {
            Some(first) => sqlx::query("INSERT OR REPLACE INTO meta (key, value) VALUES ('unannounced', ?)")
                .bind(first.to_string()),
            None => sqlx::query("DELETE FROM meta WHERE key = 'unannounced'"),
        }
        .execute(connection)
        .await?;
        self.meta.marked_unannounced = first;
        Ok(())
    }
}

// === impl Writer ===

impl Writer {
    /// Announces the entries that no other transaction has announced.
    pub(super) async fn announce(&mut self) -> Result<(), sqlx::Error> {
        if self.meta.unannounced.is_empty() {
            return Ok(());
        }
        let mut connection = self.connected().await?;
        let now = (self.now)();
        let mut draft = Draft::new(&self.meta, &self.sizes, now);
        let announced = announce_in(&mut connection, &mut draft, now).await;
        self.put_back(connection, announced.is_ok()).await;
        announced?;
        transact::adopt_without_losses(self, draft);
        Ok(())
    }
}

async fn announce_in(
    connection: &mut SqliteConnection,
    draft: &mut Draft,
    now: Timestamp,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    draft.announce(now);
    draft.insert(&mut transaction).await?;
    draft.write(&mut transaction).await?;
    transaction.commit().await
}

/// The loss that a message announces.
fn announced(body: &[u8]) -> Option<Loss> {
    let message: Message =
        serde_json::from_slice(body).ok().filter(|m: &Message| m.topic == Topic::LedgerEvent)?;
    serde_json::from_value(serde_json::Value::Object(message.body)).ok()
}

fn json(loss: &Loss) -> Result<String, sqlx::Error> {
    serde_json::to_string(loss).map_err(|error| sqlx::Error::Encode(error.into()))
}
