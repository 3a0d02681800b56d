//! The only code that changes the database: one task, one connection, commits in groups.

mod disk_reserve;
mod entries;
mod evict;
mod failure;
mod forget;
mod heal;
mod history;
mod housekeeping;
mod ledger;
mod needs;
mod sizes;
mod transact;
mod undecodable;
mod undecodable_limits;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::Timestamp;
use linli_domain::loss::{Loss, LossReason};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use crate::connection;
use crate::database_lock::DatabaseLock;
use crate::disk_space;
use crate::error::Failure;
use crate::heads::Heads;
use crate::layouts::Numbered;
use crate::op::{Op, Packed};
use crate::open::Opened;
use crate::readers::Readers;
use crate::rejected::Rejected;
use crate::schema::{self, TABLES};
use crate::settings::{Now, Settings};
use crate::status::Status;

/// A transaction grows no larger than this many operations: about a megabyte of bodies.
const GROUP: usize = 1024;

/// Most operations pending while the disk cannot be written. Beyond it the queues fill, and `accept`
/// refuses.
const PATIENT: usize = 16 * GROUP;

/// Shortest time between two entries of the ledger about records that the full queues rejected.
const COLLECT_EVERY: Duration = Duration::from_secs(5);

/// Interval of the housekeeping.
const HOUSEKEEPING_INTERVAL: Duration = Duration::from_secs(10);

/// The writer's state.
pub(crate) struct Writer {
    pub(super) settings: Settings,
    pub(super) now: Now,
    pub(super) connection: Option<SqliteConnection>,
    pub(super) readers: Arc<Readers>,
    pub(super) rejected: Arc<Rejected>,
    pub(super) numbered: Numbered,
    pub(super) devices: history::Devices,
    pub(super) meta: MetaRows,
    sizes: sizes::Sizes,
    pub(super) unclean: bool,
    /// Whether the disk reserve exists; without it the database does not grow.
    pub(super) has_reserve: bool,
    /// Losses to be written into the ledger with the next transaction.
    pub(super) losses: Vec<Loss>,
    pub(super) heads: watch::Sender<Heads>,
    pub(super) status: watch::Sender<Status>,
    housekeeping: housekeeping::Due,
    opened_at: (Timestamp, Instant),
    retry_at: Option<Instant>,
}

/// The content of the meta rows in memory; changed only by a committed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MetaRows {
    pub epoch: Arc<str>,
    pub next_seq: u64,
    pub rows: [u64; TABLES.len()],
    pub urgent_head: u64,
    pub data_head: u64,
    /// No undelivered record is older; renewed by the housekeeping.
    pub oldest: u64,
    /// Entries of the ledger that no message has announced yet, with their ids.
    pub unannounced: Vec<(i64, Loss)>,
    /// The first of them, as the meta rows have it.
    pub marked_unannounced: Option<i64>,
}

// === impl Writer ===

impl Writer {
    pub(crate) async fn new(
        settings: Settings,
        now: Now,
        opened: Opened,
        readers: Arc<Readers>,
        rejected: Arc<Rejected>,
    ) -> Self {
        let meta = MetaRows::of(&opened);
        let mut connection = opened.connection;
        // A database that cannot say how large it is will fail in the first transaction.
        let used = evict::used_by(&mut connection).await.unwrap_or_default();
        let sizes = sizes::Sizes::at_most(used, settings.max_bytes);
        let has_reserve = disk_space::is_reserved(&settings.path);
        let heads = watch::Sender::new(meta.heads());
        let status = watch::Sender::new(Status {
            writable: true,
            epoch: opened.epoch.clone(),
            rows: opened.rows,
            max_bytes: settings.max_bytes,
            set_aside: u64::from(opened.set_aside.is_some()),
            undecodable: opened.undecodable,
            at: now(),
            used_bytes: used,
            turned: Some(Instant::now()),
            ..Status::default()
        });
        let opened_at = (now(), Instant::now());
        let mut writer = Self {
            settings,
            now,
            connection: Some(connection),
            readers,
            rejected,
            numbered: Numbered::default(),
            devices: history::Devices::default(),
            meta,
            sizes,
            unclean: opened.unclean,
            has_reserve,
            losses: opened.loss.into_iter().collect(),
            heads,
            status,
            housekeeping: housekeeping::Due::default(),
            opened_at,
            retry_at: None,
        };
        writer.mark_open().await;
        writer.heal().await;
        writer
    }

    pub(crate) fn heads(&self) -> watch::Receiver<Heads> {
        self.heads.subscribe()
    }

    pub(crate) fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    async fn run(mut self, mut data: mpsc::Receiver<Packed>, mut ops: mpsc::Receiver<Op>) {
        let mut pending: Vec<Op> = Vec::new();
        let mut rows: Vec<Packed> = Vec::with_capacity(GROUP);
        let mut housekeeping = tokio::time::interval(HOUSEKEEPING_INTERVAL);
        housekeeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut data_open = true;
        let mut window: Option<Instant> = (!self.losses.is_empty()).then(Instant::now);
        loop {
            let room = pending.len() < PATIENT;
            // After a failure the retry time decides, except for operations whose callers wait.
            let due = self.retry_at.or(window);
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.settle(&mut pending).await;
                    window = None;
                }
                op = ops.recv(), if room => match op {
                    Some(Op::Close { reply }) => {
                        self.finish(pending, data, ops).await;
                        let _ = reply.send(());
                        return;
                    }
                    Some(op) => {
                        let is_waited_for = op.is_waited_for();
                        pending.push(op);
                        if is_waited_for {
                            self.settle(&mut pending).await;
                            window = None;
                        }
                    }
                    None => return self.finish(pending, data, ops).await,
                },
                count = data.recv_many(&mut rows, GROUP), if room && data_open => {
                    data_open = count > 0;
                    pending.extend(rows.drain(..).map(|packed| Op::Record { packed, reply: None }));
                }
                _ = housekeeping.tick() => self.housekeeping().await,
                () = std::future::ready(()), if self.housekeeping.has_more => self.enforce_more().await,
            }
            if pending.len() >= GROUP && self.retry_at.is_none() {
                self.settle(&mut pending).await;
                window = None;
            }
            if !pending.is_empty() && window.is_none() {
                window = Some(Instant::now() + self.settings.commit_interval);
            }
            self.status.send_if_modified(|status| {
                status.turns += 1;
                status.turned = Some(Instant::now());
                false
            });
        }
    }

    /// Stores what is still in the queues, marks the database as cleanly closed, closes it.
    async fn finish(
        mut self,
        mut pending: Vec<Op>,
        mut data: mpsc::Receiver<Packed>,
        mut ops: mpsc::Receiver<Op>,
    ) {
        data.close();
        ops.close();
        while let Ok(packed) = data.try_recv() {
            pending.push(Op::Record { packed, reply: None });
        }
        while let Ok(op) = ops.try_recv() {
            pending.push(op);
        }
        self.housekeeping.collected = None;
        self.settle(&mut pending).await;
        if !pending.is_empty() {
            tracing::error!(records = pending.len(), "could not be stored before the end");
        }
        self.remember().await;
        if pending.is_empty() {
            self.mark_closed().await;
        }
        if let Some(connection) = self.connection.take() {
            connection::close(connection).await;
        }
    }

    /// The writing connection; opens a new one if the last one was discarded.
    pub(super) async fn connected(&mut self) -> Result<SqliteConnection, sqlx::Error> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => {
                let mut connection = connection::open(&self.settings.path).await?;
                match disk_reserve::limit(&mut connection, self.has_reserve).await {
                    Ok(()) => Ok(connection),
                    Err(error) => {
                        connection::close(connection).await;
                        Err(error)
                    }
                }
            }
        }
    }

    /// Takes the connection back after a transaction. SQLite ends a transaction by itself when
    /// the disk is full, and the client library then counts one too many: a connection whose
    /// transaction failed is not used again.
    pub(super) async fn put_back(&mut self, connection: SqliteConnection, is_well: bool) {
        if is_well {
            self.connection = Some(connection);
        } else {
            connection::close(connection).await;
            self.numbered.forget();
            self.devices.forget();
        }
    }

    /// Wall time, limited to the time the process started plus its monotonic run time: a clock that
    /// jumps ahead does not make records old.
    pub(super) fn steady_now(&self) -> Timestamp {
        let (at, since) = self.opened_at;
        let passed = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
        (self.now)().min(Timestamp(at.0.saturating_add(passed)))
    }

    /// Turns the counts of rejected records into losses, at most every few seconds: each becomes an entry of
    /// the ledger and a message.
    fn collect_rejected(&mut self) {
        if self.housekeeping.collected.is_some_and(|collected| collected.elapsed() < COLLECT_EVERY) {
            return;
        }
        let reason =
            if self.status.borrow().writable { LossReason::IntakeFull } else { LossReason::DiskFull };
        for (class, count, first, last) in self.rejected.take() {
            self.housekeeping.collected = Some(Instant::now());
            self.status.send_modify(|status| status.refused += count);
            self.losses.push(Loss {
                reason,
                class: Some(class),
                of_epoch: self.meta.epoch.to_string(),
                range: None,
                messages: Some(count),
                between: Some((Timestamp(first), Timestamp(last))),
                detail: "never accepted: the queue before the store was full".to_owned(),
            });
        }
    }
}

// === impl MetaRows ===

impl MetaRows {
    pub(super) fn of(opened: &Opened) -> Self {
        let head = opened.next_seq.saturating_sub(1);
        Self {
            epoch: opened.epoch.as_str().into(),
            next_seq: opened.next_seq,
            rows: opened.rows,
            urgent_head: head,
            data_head: head,
            oldest: if opened.rows.iter().sum::<u64>() == 0 { opened.next_seq } else { 0 },
            unannounced: opened.unannounced.clone(),
            marked_unannounced: opened.unannounced.first().map(|(id, _)| *id),
        }
    }

    pub(super) fn heads(&self) -> Heads {
        Heads { epoch: Arc::clone(&self.epoch), urgent: self.urgent_head, data: self.data_head }
    }
}

/// Runs the writer, and after an unclean stop the complete check beside it.
pub(crate) fn spawn(
    writer: Writer,
    database_lock: DatabaseLock,
    data: mpsc::Receiver<Packed>,
    ops: mpsc::Receiver<Op>,
    to_self: mpsc::WeakSender<Op>,
) {
    if writer.unclean {
        tokio::spawn(check(writer.settings.path.clone(), to_self));
    }
    tokio::spawn(async move {
        writer.run(data, ops).await;
        drop(database_lock);
    });
}

/// SQLite's own check of the whole file, on a connection of its own, while the gateway works.
async fn check(path: PathBuf, writer: mpsc::WeakSender<Op>) {
    let Ok(mut connection) = SqliteConnection::connect_with(&schema::reader(&path)).await else { return };
    let checked: Result<String, _> =
        sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(&mut connection).await;
    let finding = match checked {
        Ok(word) if word == "ok" => return tracing::info!("database checked after an unclean stop: sound"),
        Ok(finding) => finding,
        Err(error) if Failure::of(&error) == Failure::Damaged => error.to_string(),
        Err(error) => return tracing::warn!(%error, "the database could not be checked"),
    };
    if let Some(writer) = writer.upgrade() {
        let _ = writer.send(Op::Damaged { finding }).await;
    }
}
