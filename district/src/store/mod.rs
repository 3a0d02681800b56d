//! One batch, one transaction: what is new of it is stored, and all of it counts as arrived, or nothing does.

mod copy;
mod tables;

use std::collections::HashSet;

use sqlx::{PgPool, Postgres, Row, Transaction};

use crate::names::Names;
use crate::wire::{Data, Event, Message, Meta, Status, Unfit, Value};

/// Bytes of a message put aside that are kept.
const POISON_BYTES: usize = 64 << 10;

/// Integers beyond this lose digits as a float8: they are stored as texts as well.
const EXACT: u64 = 1 << 53;

/// A sample ready to be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    series: i32,
    at: i64,
    value: f64,
    quality: i16,
    text: Option<String>,
}

/// A row of `message`.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    shape: i32,
    samples: Vec<Sample>,
}

/// Something with a number, ready to be stored.
#[derive(Debug)]
pub struct Numbered {
    /// The number of its epoch.
    pub epoch: i32,
    /// Its own.
    pub seq: i64,
    gateway: i32,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Samples(Samples),
    Event {
        at: i64,
        kind: String,
        body: serde_json::Value,
    },
    /// It stands among what was put aside.
    Nothing,
}

/// A message that is put aside.
#[derive(Debug, Clone)]
pub struct Poison {
    /// Where it was published.
    pub topic: String,
    /// Why.
    pub unfit: Unfit,
    /// What it said.
    pub payload: Vec<u8>,
}

/// A batch whose names are known.
#[derive(Debug, Default)]
pub struct Batch {
    /// What carries a number.
    pub numbered: Vec<Numbered>,
    /// States of gateways.
    pub states: Vec<(i32, Status)>,
    /// Descriptions of devices.
    pub metas: Vec<(i32, Option<Meta>)>,
    /// What is put aside.
    pub poison: Vec<Poison>,
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Messages that were new.
    pub fresh: u64,
    /// Messages that had arrived before.
    pub repeated: u64,
    /// Samples stored.
    pub samples: u64,
}

// === impl Batch ===

impl Batch {
    /// Adds a message of a gateway; `Err` when it cannot be stored as what it says it is.
    pub fn add(&mut self, names: &Names, gateway: i32, message: Message<'_>, now: i64) -> Result<(), Unfit> {
        match message {
            Message::Data(data) => {
                let epoch = names.epoch(gateway, &data.epoch)?;
                let (seq, content) = (data.seq, Content::Samples(samples(names, gateway, &data)?));
                self.numbered.push(Numbered { epoch, seq, gateway, content });
            }
            Message::Event(event) => {
                let epoch = names.epoch(gateway, &event.epoch)?;
                let Event { seq, kind, at, body, .. } = event;
                let content = Content::Event { at: at.unwrap_or(now), kind: kind.to_owned(), body };
                self.numbered.push(Numbered { epoch, seq, gateway, content });
            }
            Message::Status(status) => {
                names.epoch(gateway, &status.epoch)?;
                self.states.push((gateway, status));
            }
            Message::Meta { device, meta } => {
                let device = names.device(gateway, device).ok_or_else(crowded)?;
                self.metas.push((device, meta));
            }
        }
        Ok(())
    }

    /// Counts the number of a message that is put aside as arrived.
    pub fn add_aside(&mut self, epoch: i32, gateway: i32, seq: i64) {
        self.numbered.push(Numbered { epoch, seq, gateway, content: Content::Nothing });
    }

    /// Stores the batch.
    pub async fn store(&self, pool: &PgPool) -> Result<Stored, sqlx::Error> {
        let mut tx = pool.begin().await?;
        let fresh = self.fresh(&mut tx).await?;
        let stored = Stored {
            fresh: fresh.len() as u64,
            repeated: (self.numbered.len() - fresh.len()) as u64,
            samples: copy::messages(&mut tx, &fresh).await?,
        };
        tables::latest(&mut tx, &fresh).await?;
        tables::events(&mut tx, &fresh).await?;
        tables::states(&mut tx, &self.states).await?;
        tables::metas(&mut tx, &self.metas).await?;
        tables::poison(&mut tx, &self.poison).await?;
        tx.commit().await?;
        Ok(stored)
    }

    /// What has not arrived before; it counts as arrived from here on. Epochs are locked in the order of their numbers,
    /// so that no two copies wait for each other. What has arrived before is a write too: the commit then waits until
    /// everything before it, the first arrival included, is on the standby.
    async fn fresh(&self, tx: &mut Transaction<'_, Postgres>) -> Result<Vec<&Numbered>, sqlx::Error> {
        let mut seen = HashSet::new();
        let unique: Vec<&Numbered> = self.numbered.iter().filter(|n| seen.insert((n.epoch, n.seq))).collect();
        if unique.is_empty() {
            return Ok(unique);
        }
        let (epochs, seqs): (Vec<i32>, Vec<i64>) = unique.iter().map(|n| (n.epoch, n.seq)).unzip();
        let rows = sqlx::query(
            "WITH locked AS (SELECT id, seqs FROM epoch WHERE id = ANY ($1) ORDER BY id FOR UPDATE), \
                  incoming AS (SELECT * FROM unnest($1::int4[], $2::int8[]) WITH ORDINALITY AS t (epoch, seq, nth)), \
                  fresh AS (SELECT i.epoch, i.seq, i.nth FROM incoming i JOIN locked l ON l.id = i.epoch \
                            WHERE NOT l.seqs @> i.seq), \
                  more AS (SELECT epoch, range_agg(int8range(seq, seq + 1)) AS seqs FROM fresh GROUP BY epoch), \
                  changed AS (UPDATE epoch e SET seqs = e.seqs + coalesce(m.seqs, '{}'), heard_at = now() \
                              FROM locked l LEFT JOIN more m ON m.epoch = l.id WHERE e.id = l.id) \
             SELECT nth FROM fresh ORDER BY nth",
        )
        .bind(&epochs)
        .bind(&seqs)
        .fetch_all(&mut **tx)
        .await?;
        let nth = |row: &sqlx::postgres::PgRow| -> Result<usize, sqlx::Error> {
            Ok(usize::try_from(row.try_get::<i64, _>(0)? - 1).unwrap_or(usize::MAX))
        };
        let chosen: Vec<usize> = rows.iter().map(nth).collect::<Result<_, _>>()?;
        Ok(chosen.into_iter().filter_map(|nth| unique.get(nth).copied()).collect())
    }
}

fn crowded() -> Unfit {
    Unfit::new("too_many_names", "its gateway has more devices or points than are stored")
}

fn samples(names: &Names, gateway: i32, data: &Data<'_>) -> Result<Samples, Unfit> {
    let device = names.device(gateway, &data.device).ok_or_else(crowded)?;
    let mut samples = Vec::with_capacity(data.samples.len());
    for sample in &data.samples {
        let (value, text) = match &sample.v {
            Value::None => (f64::NAN, None),
            Value::Bool(value) => (f64::from(u8::from(*value)), None),
            Value::Float(value) => (*value, None),
            #[expect(clippy::cast_precision_loss, reason = "the text has every digit")]
            Value::Integer(value) => {
                (*value as f64, (value.unsigned_abs() > EXACT).then(|| value.to_string()))
            }
            #[expect(clippy::cast_precision_loss, reason = "the text has every digit")]
            Value::Unsigned(value) => (*value as f64, (*value > EXACT).then(|| value.to_string())),
            Value::Text(text) => (f64::NAN, Some(text.clone().into_owned())),
        };
        samples.push(Sample {
            series: names.series(device, &sample.p).ok_or_else(crowded)?,
            at: sample.t,
            value,
            quality: sample.q.as_deref().map_or(Some(0), |quality| names.quality(quality)).unwrap_or(0),
            text,
        });
    }
    let series: Vec<i32> = samples.iter().map(|sample| sample.series).collect();
    let shape = names.shape(device, &series).ok_or_else(crowded)?;
    Ok(Samples { shape, samples })
}
