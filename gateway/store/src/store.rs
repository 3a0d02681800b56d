//! The handle of the running store.

use std::sync::Arc;

use linli_domain::{Lane, Record};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use crate::alarms::Alarms;
use crate::cabin::Cabin;
use crate::database_lock::DatabaseLock;
use crate::documents::Documents;
use crate::error::{NotDurable, OpenError, Refused};
use crate::heads::Heads;
use crate::history::History;
use crate::journal::Journal;
use crate::layouts::LayoutCache;
use crate::op::{self, Op, Packed};
use crate::open::{self, Opening};
use crate::outbox::Outbox;
use crate::readers::Readers;
use crate::rejected::Rejected;
use crate::sealing::{Sealer, Sealing};
use crate::settings::{Now, Settings};
use crate::status::Status;
use crate::undecodable::Undecodable;
use crate::writer::{self, Writer};

/// Records of the data lane waiting for the writer: packed, so a few megabytes at most.
const DATA_QUEUE: usize = 8192;

/// Urgent records, journal entries and acknowledgements waiting for the writer.
const OP_QUEUE: usize = 2048;

/// A running store. Cloning gives another handle to the same one.
#[derive(Clone)]
pub struct Store {
    data: mpsc::Sender<Packed>,
    ops: mpsc::Sender<Op>,
    rejected: Arc<Rejected>,
    undecodable: Undecodable,
    readers: Arc<Readers>,
    heads: watch::Receiver<Heads>,
    status: watch::Receiver<Status>,
    layouts: Arc<Mutex<(Arc<str>, LayoutCache)>>,
    sealing: Sealing,
}

// === impl Store ===

impl Store {
    /// Opens the store, whatever happened to its file before.
    pub async fn open(settings: Settings, now: Now) -> Result<(Self, Opening), OpenError> {
        let database_lock = DatabaseLock::take(&settings.path)?;
        let opened = open::open(&settings.path, now().0).await?;
        let opening = Opening {
            epoch: opened.epoch.clone(),
            set_aside: opened.set_aside.clone(),
            backlog: opened.rows.iter().sum(),
        };
        let readers = Arc::new(Readers::new(&settings.path));
        let (data, data_queue) = mpsc::channel(DATA_QUEUE);
        let (ops, op_queue) = mpsc::channel(OP_QUEUE);
        let rejected = Arc::new(Rejected::default());
        let writer = Writer::new(settings, now, opened, Arc::clone(&readers), Arc::clone(&rejected)).await;
        let (heads, status) = (writer.heads(), writer.status());
        writer::spawn(writer, database_lock, data_queue, op_queue, ops.downgrade());
        let layouts = Arc::new(Mutex::new((heads.borrow().epoch.clone(), LayoutCache::default())));
        let undecodable = Undecodable::new(ops.clone());
        let sealing = Sealing::default();
        Ok((Self { data, ops, rejected, undecodable, readers, heads, status, layouts, sealing }, opening))
    }

    /// Takes a record, or refuses it because the queue is full; never waits. What is refused is
    /// counted and reported in the loss ledger.
    pub fn accept(&self, record: Record) -> Result<(), Refused> {
        let lane = record.lane();
        self.accept_in(lane, record)
    }

    /// The same in that lane, which may be more urgent than the record's own.
    pub fn accept_in(&self, lane: Lane, record: Record) -> Result<(), Refused> {
        let (class, at) = (record.class(), record.at());
        let packed = Packed::in_lane(lane, record);
        let taken = match lane {
            Lane::Data => self.data.try_send(packed).is_ok(),
            Lane::Urgent => self.ops.try_send(Op::Record { packed, reply: None }).is_ok(),
        };
        if taken {
            return Ok(());
        }
        self.rejected.note(class, at.0);
        Err(Refused)
    }

    /// Takes a record and waits until it is on the disk; commits at once.
    pub async fn accept_durably(&self, record: Record) -> Result<u64, NotDurable> {
        let packed = Packed::of(record);
        op::ask(&self.ops, |reply| Op::Record { packed, reply: Some(reply) }).await
    }

    /// Takes a record unless one with that key was taken before, and waits until it is on the
    /// disk. `None` means that it already was.
    pub async fn accept_once(&self, key: String, record: Record) -> Result<Option<u64>, NotDurable> {
        let packed = Packed::of(record);
        op::ask(&self.ops, |reply| Op::Once { key, packed, reply }).await
    }

    /// Records waiting for delivery.
    #[must_use]
    pub fn outbox(&self) -> Outbox {
        Outbox {
            readers: Arc::clone(&self.readers),
            heads: self.heads.clone(),
            writer: self.ops.clone(),
            layouts: Arc::clone(&self.layouts),
            undecodable: self.undecodable.clone(),
        }
    }

    /// The command journal.
    #[must_use]
    pub fn journal(&self) -> Journal {
        Journal {
            readers: Arc::clone(&self.readers),
            writer: self.ops.clone(),
            undecodable: self.undecodable.clone(),
        }
    }

    /// Visits, measurements, identities and the audit trail of the health cabin.
    #[must_use]
    pub fn cabin(&self) -> Cabin {
        Cabin {
            readers: Arc::clone(&self.readers),
            writer: self.ops.clone(),
            undecodable: self.undecodable.clone(),
            sealing: self.sealing.clone(),
        }
    }

    /// From now on measurements of residents are sealed and opened by this one; the first one stays.
    pub fn seal_with(&self, sealer: Arc<dyn Sealer>) {
        self.sealing.set(sealer);
    }

    /// States of alarms, and notifications.
    #[must_use]
    pub fn alarms(&self) -> Alarms {
        Alarms {
            readers: Arc::clone(&self.readers),
            writer: self.ops.clone(),
            undecodable: self.undecodable.clone(),
        }
    }

    /// JSON documents of the services.
    #[must_use]
    pub fn documents(&self) -> Documents {
        Documents {
            readers: Arc::clone(&self.readers),
            writer: self.ops.clone(),
            undecodable: self.undecodable.clone(),
        }
    }

    /// One-minute roll-ups.
    #[must_use]
    pub fn history(&self) -> History {
        History {
            readers: Arc::clone(&self.readers),
            writer: self.ops.clone(),
            undecodable: self.undecodable.clone(),
        }
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
