//! One transaction: everything pending becomes durable together, or nothing does.

use linli_domain::Timestamp;
use linli_domain::loss::{Loss, LossReason};
use linli_domain::rollup::Minute;
use sqlx::{Connection, QueryBuilder, Sqlite, SqliteConnection};

use super::needs::Needs;
use super::sizes::Sizes;
use super::undecodable::NewlyUndecodable;
use super::{MetaRows, Writer, entries};
use crate::command::{Begun, JournaledCommand};
use crate::entry::Entry;
use crate::error::NotDurable;
use crate::journal::undecodable_state;
use crate::op::{Op, Packed};
use crate::place::Place;
use crate::quota::Kind;
use crate::schema::{self, TABLES};
use crate::undecodable::json_column;

/// Rows per INSERT statement: four parameters each, far below SQLite's limit.
const ROWS_AT_ONCE: usize = 128;

/// The result of an operation, sent once the transaction is durable.
pub(super) enum Outcome {
    Stored(u64),
    Once(Option<u64>),
    Entry(bool),
    Begun(Begun),
    Done,
    Refused(NotDurable),
}

/// The meta rows as they will be after the transaction, and the rows still to be inserted.
pub(super) struct Draft {
    pub meta: MetaRows,
    pub body_bytes: u64,
    pub stored: u64,
    pub acknowledged: u64,
    pub given_up: u64,
    pub undecodable: NewlyUndecodable,
    pub sizes: Sizes,
    rows: [Vec<NewRow>; TABLES.len()],
}

struct NewRow {
    seq: i64,
    at: i64,
    layout: Option<i64>,
    body: Vec<u8>,
}

// === impl Writer ===

impl Writer {
    /// Runs everything pending as one transaction. On an error nothing has changed.
    pub(super) async fn transact(&mut self, pending: &[Op]) -> Result<(Draft, Vec<Outcome>), sqlx::Error> {
        let mut connection = self.connected().await?;
        let erases = pending.iter().any(Op::erases);
        let overwrites = pending.iter().any(Op::overwrites);
        let prepared = match overwrites {
            true => entries::overwrite_deleted(&mut connection).await,
            false => Ok(()),
        };
        let result = match prepared {
            Ok(()) => self.transact_on(&mut connection, pending).await,
            Err(error) => Err(error),
        };
        if overwrites && result.is_ok() {
            entries::overwritten(&mut connection, erases).await;
        }
        self.put_back(connection, result.is_ok()).await;
        result
    }

    async fn transact_on(
        &mut self,
        connection: &mut SqliteConnection,
        pending: &[Op],
    ) -> Result<(Draft, Vec<Outcome>), sqlx::Error> {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let now = (self.now)();
        let mut draft = Draft::new(&self.meta, &self.sizes, now);
        for loss in &self.losses {
            draft.ledger(&mut transaction, loss, now).await?;
        }
        draft.announce(now);
        if !self.losses.is_empty() {
            sqlx::query("DELETE FROM meta WHERE key = 'loss'").execute(&mut *transaction).await?;
        }
        let mut outcomes = Vec::with_capacity(pending.len());
        let mut acknowledged = Vec::new();
        for op in pending {
            if let Some(why) = draft.admit(&mut transaction, op).await? {
                outcomes.push(Outcome::Refused(why));
                continue;
            }
            outcomes.push(match op {
                Op::Record { packed, .. } => {
                    Outcome::Stored(self.add(&mut transaction, &mut draft, packed).await?)
                }
                Op::Once { key, packed, .. } => Outcome::Once(if is_new(&mut transaction, key, now).await? {
                    Some(self.add(&mut transaction, &mut draft, packed).await?)
                } else {
                    None
                }),
                Op::Entry { entry, records, .. } => {
                    Outcome::Entry(self.entry(&mut transaction, &mut draft, entry, records, now).await?)
                }
                Op::Begin { command, .. } => {
                    Outcome::Begun(begin(&mut transaction, &mut draft, command).await?)
                }
                Op::Advance { id, state, at, record, .. } => {
                    advance(&mut transaction, id, state, *at).await?;
                    if let Some(packed) = record {
                        self.add(&mut transaction, &mut draft, packed).await?;
                    }
                    Outcome::Done
                }
                Op::Acknowledge(seqs) => {
                    acknowledged.extend_from_slice(seqs);
                    Outcome::Done
                }
                Op::DeadLetter { seq, detail } => {
                    draft.insert(&mut transaction).await?;
                    draft.dead_letter(&mut transaction, *seq, detail, now).await?;
                    Outcome::Done
                }
                Op::History(minutes) => {
                    self.minutes(&mut transaction, &mut draft, minutes).await?;
                    Outcome::Done
                }
                Op::Undecodable { place, reason } => {
                    draft.set_aside(&mut transaction, place, reason, now).await?;
                    Outcome::Done
                }
                Op::Damaged { .. } | Op::Close { .. } => Outcome::Done,
            });
        }
        draft.insert(&mut transaction).await?;
        draft.acknowledge(&mut transaction, acknowledged).await?;
        draft.write(&mut transaction).await?;
        transaction.commit().await?;
        Ok((draft, outcomes))
    }

    async fn minutes(
        &mut self,
        connection: &mut SqliteConnection,
        draft: &mut Draft,
        minutes: &[Minute],
    ) -> Result<(), sqlx::Error> {
        for minute in minutes {
            let layout = self.numbered.number(connection, &minute.layout).await?;
            self.devices.merge(connection, layout, minute, &mut draft.undecodable).await?;
        }
        Ok(())
    }

    async fn entry(
        &mut self,
        connection: &mut SqliteConnection,
        draft: &mut Draft,
        entry: &Entry,
        records: &[Packed],
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        if let Some(key) = &entry.once
            && !is_new(connection, key, now).await?
        {
            return Ok(false);
        }
        for mark in &entry.marks {
            is_new(connection, mark, now).await?;
        }
        entries::write(connection, entry, now).await?;
        for packed in records {
            self.add(connection, draft, packed).await?;
        }
        Ok(true)
    }

    async fn add(
        &mut self,
        connection: &mut SqliteConnection,
        draft: &mut Draft,
        packed: &Packed,
    ) -> Result<u64, sqlx::Error> {
        let layout = match &packed.layout {
            Some(layout) => Some(self.numbered.number(connection, layout).await?),
            None => None,
        };
        Ok(draft.place(packed.table, packed.at, layout, packed.body.clone()))
    }
}

// === impl Draft ===

impl Draft {
    pub(super) fn new(meta: &MetaRows, sizes: &Sizes, now: Timestamp) -> Self {
        let rows = std::array::from_fn(|_| Vec::new());
        Self {
            meta: meta.clone(),
            body_bytes: 0,
            stored: 0,
            acknowledged: 0,
            given_up: 0,
            undecodable: NewlyUndecodable::new(now),
            sizes: sizes.clone(),
            rows,
        }
    }

    /// Counts what an operation adds, or says why it is refused. Operations that nobody waits for are
    /// never refused.
    async fn admit(
        &mut self,
        connection: &mut SqliteConnection,
        op: &Op,
    ) -> Result<Option<NotDurable>, sqlx::Error> {
        let mut needs = Needs::of(op);
        if op.is_waited_for() {
            if let Some(length) = needs.too_long() {
                return Ok(Some(NotDurable::KeyTooLong(length)));
            }
            needs.replace(connection, op).await?;
            if let Some(full) = self.sizes.refuse(connection, &needs).await? {
                return Ok(Some(full.into()));
            }
        }
        self.sizes.add(&needs);
        Ok(None)
    }

    /// Assigns the next sequence number to a record.
    pub(super) fn place(&mut self, table: usize, at: i64, layout: Option<i64>, body: Vec<u8>) -> u64 {
        let seq = self.meta.next_seq;
        self.meta.next_seq += 1;
        self.meta.rows[table] += 1;
        if table == 0 {
            self.meta.urgent_head = seq;
        } else {
            self.meta.data_head = seq;
        }
        self.stored += 1;
        self.body_bytes += body.len() as u64;
        self.rows[table].push(NewRow { seq: seq.cast_signed(), at, layout, body });
        seq
    }

    /// Writes the rows placed so far, several to a statement.
    pub(super) async fn insert(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        for (table, rows) in TABLES.iter().zip(&mut self.rows) {
            for chunk in rows.chunks(ROWS_AT_ONCE) {
                let start = format!("INSERT INTO {table} (seq, at, layout, body) ");
                let mut insert: QueryBuilder<Sqlite> = QueryBuilder::new(start);
                insert.push_values(chunk, |mut values, row| {
                    values
                        .push_bind(row.seq)
                        .push_bind(row.at)
                        .push_bind(row.layout)
                        .push_bind(row.body.as_slice());
                });
                // Only whole chunks are worth a place in the statement cache.
                let persistent = chunk.len() == ROWS_AT_ONCE || chunk.len() == 1;
                insert.build().persistent(persistent).execute(&mut *connection).await?;
            }
            rows.clear();
        }
        Ok(())
    }

    /// Deletes acknowledged records, one statement for each run of consecutive numbers.
    async fn acknowledge(
        &mut self,
        connection: &mut SqliteConnection,
        mut seqs: Vec<u64>,
    ) -> Result<(), sqlx::Error> {
        seqs.sort_unstable();
        seqs.dedup();
        for run in seqs.chunk_by(|a, b| a + 1 == *b) {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            for (table, rows) in DELETE_RUN.iter().zip(&mut self.meta.rows) {
                if *rows == 0 {
                    continue;
                }
                let deleted = sqlx::query(*table)
                    .bind(first.cast_signed())
                    .bind(last.cast_signed())
                    .execute(&mut *connection)
                    .await?
                    .rows_affected();
                *rows = rows.saturating_sub(deleted);
                self.acknowledged += deleted;
            }
        }
        Ok(())
    }

    /// Records a row that cannot be decoded, and moves it out of its queue.
    async fn set_aside(
        &mut self,
        connection: &mut SqliteConnection,
        place: &Place,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        if let Place::Outbox(seq) = place {
            self.insert(connection).await?;
            if !self.dead_letter(connection, *seq, &format!("cannot be decoded: {reason}"), now).await? {
                return Ok(());
            }
        }
        self.undecodable.set_aside(connection, place.clone(), reason).await
    }

    /// Moves a record to the dead letters. Returns whether it was there.
    async fn dead_letter(
        &mut self,
        connection: &mut SqliteConnection,
        seq: u64,
        detail: &str,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        for (table, name) in TABLES.iter().enumerate() {
            let copy = format!(
                "INSERT OR REPLACE INTO dead_letter SELECT seq, at, layout, body, ?2, ?3 FROM {name} WHERE seq = ?1 \
                 RETURNING CAST(at AS INTEGER), ifnull(octet_length(body), 0)"
            );
            let copied: Option<(i64, i64)> = sqlx::query_as(sqlx::AssertSqlSafe(copy))
                .bind(seq.cast_signed())
                .bind(detail)
                .bind(now.0)
                .fetch_optional(&mut *connection)
                .await?;
            let Some((at, bytes)) = copied else { continue };
            self.sizes.add_rows(Kind::DeadLetter, 1, bytes.cast_unsigned() + detail.len() as u64);
            sqlx::query(DELETE_RUN[table])
                .bind(seq.cast_signed())
                .bind(seq.cast_signed())
                .execute(&mut *connection)
                .await?;
            self.meta.rows[table] = self.meta.rows[table].saturating_sub(1);
            let loss = Loss {
                reason: LossReason::DeadLetter,
                class: schema::class(table),
                of_epoch: self.meta.epoch.to_string(),
                range: Some((seq, seq)),
                messages: Some(1),
                between: Some((Timestamp(at), Timestamp(at))),
                detail: detail.to_owned(),
            };
            self.ledger(connection, &loss, now).await?;
            self.announce(now);
            return Ok(true);
        }
        Ok(false)
    }

    /// Writes the meta rows.
    pub(super) async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let rows = serde_json::to_string(&self.meta.rows).map_err(|e| sqlx::Error::Encode(e.into()))?;
        sqlx::query("UPDATE meta SET value = CASE key WHEN 'next_seq' THEN ? ELSE ? END WHERE key IN ('next_seq', 'rows')")
            .bind(self.meta.next_seq.to_string())
            .bind(rows)
            .execute(&mut *connection)
            .await?;
        self.mark_unannounced(connection).await
    }
}

const DELETE_RUN: [&str; TABLES.len()] = [
    "DELETE FROM urgent WHERE seq BETWEEN ? AND ?",
    "DELETE FROM telemetry WHERE seq BETWEEN ? AND ?",
    "DELETE FROM kiosk WHERE seq BETWEEN ? AND ?",
    "DELETE FROM actuator WHERE seq BETWEEN ? AND ?",
    "DELETE FROM food_safety WHERE seq BETWEEN ? AND ?",
];

/// Records a key; returns whether it is new.
async fn is_new(connection: &mut SqliteConnection, key: &str, now: Timestamp) -> Result<bool, sqlx::Error> {
    let inserted = sqlx::query("INSERT INTO seen (key, at) VALUES (?, ?) ON CONFLICT DO NOTHING")
        .bind(key)
        .bind(now.0)
        .execute(connection)
        .await?;
    Ok(inserted.rows_affected() == 1)
}

async fn begin(
    connection: &mut SqliteConnection,
    draft: &mut Draft,
    command: &JournaledCommand,
) -> Result<Begun, sqlx::Error> {
    let known = sqlx::query("SELECT state FROM command WHERE id = ?")
        .bind(&command.id)
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = known {
        // One whose state cannot be decoded may have been sent: it is not begun a second time.
        return Ok(Begun::Known(match json_column(&row, 0) {
            Ok(state) => state,
            Err(reason) => {
                let place = Place::CommandState(command.id.clone());
                draft.undecodable.set_aside(connection, place, &reason).await?;
                undecodable_state()
            }
        }));
    }
    let body = serde_json::to_string(command).map_err(|e| sqlx::Error::Encode(e.into()))?;
    let state = serde_json::to_string(&linli_domain::command::State::Accepted)
        .map_err(|e| sqlx::Error::Encode(e.into()))?;
    sqlx::query("INSERT INTO command (id, at, body, state) VALUES (?, ?, ?, ?)")
        .bind(&command.id)
        .bind(command.at.0)
        .bind(body)
        .bind(state)
        .execute(&mut *connection)
        .await?;
    sqlx::query("INSERT INTO open_command (id) VALUES (?)").bind(&command.id).execute(connection).await?;
    Ok(Begun::Fresh)
}

async fn advance(
    connection: &mut SqliteConnection,
    id: &str,
    state: &linli_domain::command::State,
    at: Timestamp,
) -> Result<(), sqlx::Error> {
    let word = serde_json::to_string(state).map_err(|e| sqlx::Error::Encode(e.into()))?;
    sqlx::query("UPDATE command SET state = ?, at = max(at, ?) WHERE id = ?")
        .bind(word)
        .bind(at.0)
        .bind(id)
        .execute(&mut *connection)
        .await?;
    if state.is_final() {
        sqlx::query("DELETE FROM open_command WHERE id = ?").bind(id).execute(connection).await?;
    }
    Ok(())
}

/// Sends the results of a committed transaction to the callers.
pub(super) fn answer(pending: &mut Vec<Op>, outcomes: Vec<Outcome>) {
    for (op, outcome) in pending.drain(..).zip(outcomes) {
        match (op, outcome) {
            (op, Outcome::Refused(why)) => op.refuse(why),
            (Op::Record { reply: Some(reply), .. }, Outcome::Stored(seq)) => drop(reply.send(Ok(seq))),
            (Op::Once { reply, .. }, Outcome::Once(seq)) => drop(reply.send(Ok(seq))),
            (Op::Entry { reply, .. }, Outcome::Entry(is_new)) => drop(reply.send(Ok(is_new))),
            (Op::Begin { reply, .. }, Outcome::Begun(begun)) => drop(reply.send(Ok(begun))),
            (Op::Advance { reply, .. }, Outcome::Done) => drop(reply.send(Ok(()))),
            _ => {}
        }
    }
}

/// As [`adopt`], for a transaction that did not write the losses still waiting for their ledger entry.
pub(super) fn adopt_without_losses(writer: &mut Writer, draft: Draft) {
    let waiting = std::mem::take(&mut writer.losses);
    adopt(writer, draft);
    writer.losses = waiting;
}

/// Makes the meta rows of a committed transaction those of the writer, and updates the status.
pub(super) fn adopt(writer: &mut Writer, draft: Draft) {
    let heads = draft.meta.heads();
    writer.meta = draft.meta;
    writer.sizes = draft.sizes;
    writer.losses.clear();
    writer.status.send_modify(|status| {
        writer.sizes.show(status);
        status.rows = writer.meta.rows;
        status.epoch.clear();
        status.epoch.push_str(&writer.meta.epoch);
        status.committed += draft.stored;
        status.acknowledged += draft.acknowledged;
        status.given_up += draft.given_up;
        status.body_bytes += draft.body_bytes;
        status.undecodable += draft.undecodable.log();
        status.commits += 1;
        status.at = (writer.now)();
    });
    writer.heads.send_if_modified(|before| {
        let changed = *before != heads;
        *before = heads;
        changed
    });
}
