//! The handle everybody else holds.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use linli_domain::{DeviceClass, Lane, Record};
use sqlx::SqlitePool;
use sqlx::sqlite::SqlitePoolOptions;
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use crate::claim::Claim;
use crate::error::{NotDurable, OpenError, Refused};
use crate::history::History;
use crate::journal::Journal;
use crate::layouts::Known;
use crate::open::{self, Opening};
use crate::outbox::{Heads, Outbox};
use crate::schema;
use crate::settings::{Now, Settings};
use crate::status::Status;
use crate::writer::{self, Op, Packed, Writer};

/// Records of the data lane waiting for the writer: packed, so a few megabytes at most.
const DATA_QUEUE: usize = 8192;

/// Urgent records, journal entries and acknowledgements waiting for the writer.
const OP_QUEUE: usize = 2048;

/// Connections that read: one for the uplink, one for people.
const READERS: u32 = 2;

/// A running store. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Store {
    data: mpsc::Sender<Packed>,
    ops: mpsc::Sender<Op>,
    lost: Arc<Turned>,
    readers: Arc<Readers>,
    heads: watch::Receiver<Heads>,
    status: watch::Receiver<Status>,
    known: Arc<Mutex<(Arc<str>, Known)>>,
}

/// The reading connections; replaced when a damaged database was.
pub(crate) struct Readers {
    path: PathBuf,
    pool: RwLock<SqlitePool>,
}

/// What was turned away since the writer last looked, per class.
#[derive(Default)]
pub(crate) struct Turned {
    pub count: [AtomicU64; DeviceClass::ALL.len()],
    pub first: [AtomicI64; DeviceClass::ALL.len()],
    pub last: [AtomicI64; DeviceClass::ALL.len()],
}

// === impl Store ===

impl Store {
    /// Opens the store, whatever happened to its file before.
    pub async fn open(settings: Settings, now: Now) -> Result<(Self, Opening), OpenError> {
        let claim = Claim::take(&settings.path)?;
        let opened = open::open(&settings.path, now().0).await?;
        let opening = Opening {
            epoch: opened.epoch.clone(),
            set_aside: opened.set_aside.clone(),
            backlog: opened.rows.iter().sum(),
        };
        let readers = Arc::new(Readers::new(&settings.path));
        let (data, data_queue) = mpsc::channel(DATA_QUEUE);
        let (ops, op_queue) = mpsc::channel(OP_QUEUE);
        let lost = Arc::new(Turned::default());
        let writer = Writer::new(settings, now, opened, Arc::clone(&readers), Arc::clone(&lost)).await;
        let (heads, status) = (writer.heads(), writer.status());
        writer::spawn(writer, claim, data_queue, op_queue, ops.downgrade());
        let known = Arc::new(Mutex::new((heads.borrow().epoch.clone(), Known::default())));
        Ok((Self { data, ops, lost, readers, heads, status, known }, opening))
    }

    /// Takes a record, or refuses it because the queue is full; never waits. What is refused is
    /// counted and told in the ledger.
    pub fn accept(&self, record: Record) -> Result<(), Refused> {
        let (class, lane, at) = (record.class(), record.lane(), record.at());
        let packed = Packed::of(record);
        let taken = match lane {
            Lane::Data => self.data.try_send(packed).is_ok(),
            Lane::Urgent => self.ops.try_send(Op::Record { packed, reply: None }).is_ok(),
        };
        if taken {
            return Ok(());
        }
        self.lost.note(class, at.0);
        Err(Refused)
    }

    /// Takes a record and waits until it is on the disk; commits at once.
    pub async fn accept_durably(&self, record: Record) -> Result<u64, NotDurable> {
        let (reply, answer) = oneshot::channel();
        let stopped = || NotDurable("the store is closed".to_owned());
        let op = Op::Record { packed: Packed::of(record), reply: Some(reply) };
        self.ops.send(op).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// Takes a record unless one with that key was taken before, and waits until it is on the
    /// disk. `None` means that it already was.
    pub async fn accept_once(&self, key: String, record: Record) -> Result<Option<u64>, NotDurable> {
        let (reply, answer) = oneshot::channel();
        let stopped = || NotDurable("the store is closed".to_owned());
        let op = Op::Once { key, packed: Packed::of(record), reply };
        self.ops.send(op).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }

    /// What waits for delivery.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        Outbox {
            readers: Arc::clone(&self.readers),
            heads: self.heads.clone(),
            writer: self.ops.clone(),
            known: Arc::clone(&self.known),
        }
    }

    /// The command journal.
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal { readers: Arc::clone(&self.readers), writer: self.ops.clone() }
    }

    /// Trends.
    #[must_use]
    pub fn history(&self) -> History {
        History { readers: Arc::clone(&self.readers), writer: self.ops.clone() }
    }

    /// Changes with every transaction.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Stores everything taken so far, marks the database as cleanly closed and closes it.
    pub async fn close(self) {
        let Self { data, ops, readers, .. } = self;
        drop(data);
        let (reply, done) = oneshot::channel();
        if ops.send(Op::Close { reply }).await.is_ok() {
            let _ = done.await;
        }
        readers.pool().close().await;
    }
}

// === impl Readers ===

impl Readers {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), pool: RwLock::new(pool(path)) }
    }

    /// The present pool.
    pub(crate) fn pool(&self) -> SqlitePool {
        self.pool.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets go of the old file and looks at the new one from now on.
    pub(crate) async fn renew(&self) {
        let fresh = pool(&self.path);
        let old = {
            let mut held = self.pool.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *held, fresh)
        };
        old.close().await;
    }
}

fn pool(path: &Path) -> SqlitePool {
    SqlitePoolOptions::new()
        .max_connections(READERS)
        .min_connections(0)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .connect_lazy_with(schema::reader(path))
}

// === impl Turned ===

impl Turned {
    fn note(&self, class: DeviceClass, at: i64) {
        let slot = usize::from(class.code());
        if self.count[slot].fetch_add(1, Ordering::AcqRel) == 0 {
            self.first[slot].store(at, Ordering::Release);
        }
        self.last[slot].store(at, Ordering::Release);
    }

    /// Takes the counts away: class, how many, first and last source time.
    pub(crate) fn take(&self) -> Vec<(DeviceClass, u64, i64, i64)> {
        let slots = DeviceClass::ALL.into_iter().enumerate();
        slots
            .filter_map(|(slot, class)| {
                let count = self.count[slot].swap(0, Ordering::AcqRel);
                let (first, last) =
                    (self.first[slot].load(Ordering::Acquire), self.last[slot].load(Ordering::Acquire));
                (count > 0).then_some((class, count, first, last))
            })
            .collect()
    }
}
