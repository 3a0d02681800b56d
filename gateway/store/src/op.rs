//! The operations of the writer.

use std::sync::Arc;

use linli_domain::command::State;
use linli_domain::rollup::Minute;
use linli_domain::{Lane, Layout, Record, Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::codec;
use crate::command::{Begun, JournaledCommand};
use crate::entry::Entry;
use crate::error::NotDurable;
use crate::place::Place;
use crate::schema;

/// Where the result of an operation is sent once it is durable.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, NotDurable>>;

/// A record as it is stored, packed before it is queued: a tenth of the memory.
#[derive(Debug)]
pub(crate) struct Packed {
    pub table: usize,
    pub at: i64,
    pub layout: Option<Arc<Layout>>,
    pub body: Vec<u8>,
}

/// One operation. Several make a transaction.
pub(crate) enum Op {
    Record {
        packed: Packed,
        reply: Option<Reply<u64>>,
    },
    /// A record that is stored once for its key, however often it is sent.
    Once {
        key: String,
        packed: Packed,
        reply: Reply<Option<u64>>,
    },
    /// An entry; `false` if its key was stored before.
    Entry {
        entry: Box<Entry>,
        records: Vec<Packed>,
        reply: Reply<bool>,
    },
    Begin {
        command: JournaledCommand,
        reply: Reply<Begun>,
    },
    Advance {
        id: String,
        state: State,
        at: Timestamp,
        record: Option<Packed>,
        reply: Reply<()>,
    },
    Acknowledge(Vec<u64>),
    DeadLetter {
        seq: u64,
        detail: String,
    },
    History(Vec<Minute>),
    /// A row that a reader could not decode.
    Undecodable {
        place: Place,
        reason: String,
    },
    Damaged {
        finding: String,
    },
    Close {
        reply: oneshot::Sender<()>,
    },
}

// === impl Packed ===

impl Packed {
    pub(crate) fn of(record: Record) -> Self {
        Self::in_lane(record.lane(), record)
    }

    pub(crate) fn in_lane(lane: Lane, record: Record) -> Self {
        let table = schema::table(lane, record.class());
        let at = record.at().0;
        match record {
            Record::Samples(batch) => {
                let body = codec::pack(&batch.samples);
                Self { table, at, layout: Some(batch.layout), body }
            }
            Record::Message(message) => {
                let body = serde_json::to_vec(&message).expect("a message is made of JSON values");
                Self { table, at, layout: None, body }
            }
        }
    }
}

// === impl Op ===

impl Op {
    /// Whether a caller waits for the result: such an operation is committed at once.
    pub(crate) const fn is_waited_for(&self) -> bool {
        match self {
            Self::Record { reply, .. } => reply.is_some(),
            Self::Once { .. }
            | Self::Entry { .. }
            | Self::Begin { .. }
            | Self::Advance { .. }
            | Self::Damaged { .. } => true,
            Self::Acknowledge(_)
            | Self::DeadLetter { .. }
            | Self::History(_)
            | Self::Undecodable { .. }
            | Self::Close { .. } => false,
        }
    }

    /// Whether something personal is erased.
    pub(crate) fn erases(&self) -> bool {
        matches!(self, Self::Entry { entry, .. } if entry.erases())
    }

    /// Whether the place of something personal in the file must be overwritten.
    pub(crate) fn overwrites(&self) -> bool {
        matches!(self, Self::Entry { entry, .. } if entry.overwrites())
    }

    /// Sends the error to the caller, if one waits.
    pub(crate) fn refuse(self, why: NotDurable) {
        match self {
            Self::Record { reply: Some(reply), .. } => drop(reply.send(Err(why))),
            Self::Once { reply, .. } => drop(reply.send(Err(why))),
            Self::Entry { reply, .. } => drop(reply.send(Err(why))),
            Self::Begin { reply, .. } => drop(reply.send(Err(why))),
            Self::Advance { reply, .. } => drop(reply.send(Err(why))),
            _ => {}
        }
    }
}

/// Sends an operation to the writer and waits until it is durable.
pub(crate) async fn ask<T>(
    writer: &mpsc::Sender<Op>,
    op: impl FnOnce(Reply<T>) -> Op,
) -> Result<T, NotDurable> {
    let (reply, answer) = oneshot::channel();
    let stopped = || NotDurable::Failed("the store is closed".to_owned());
    writer.send(op(reply)).await.map_err(|_| stopped())?;
    answer.await.map_err(|_| stopped())?
}

/// Stores an entry; `false` if its key was stored before.
pub(crate) async fn keep(writer: &mpsc::Sender<Op>, mut entry: Entry) -> Result<bool, NotDurable> {
    let records = std::mem::take(&mut entry.records).into_iter().map(Packed::of).collect();
    let entry = Box::new(entry);
    ask(writer, |reply| Op::Entry { entry, records, reply }).await
}
