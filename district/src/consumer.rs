//! The loop: a batch from the source, one transaction, the broker's acknowledgement, then the gateways'.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use jiff::Timestamp;
use sqlx::PgPool;
use tokio::time::{Instant, MissedTickBehavior, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::acknowledge::Unnamed;
use crate::metrics::Metrics;
use crate::names::Names;
use crate::source::{Delivery, Publisher, Source};
use crate::store::{Batch, Poison, Stored};
use crate::wire::{self, Message, Unfit};

/// How often gateways are told what is stored.
const NAME_EVERY: Duration = Duration::from_secs(1);

/// Pause before a failed transaction is tried again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// A transaction that has not ended within this is given up, and tried again in halves: the network may be gone without
/// a word.
const STORED_WITHIN: Duration = Duration::from_secs(30);

/// Messages put aside a minute that are kept; beyond it rubbish is only counted.
const POISON_A_MINUTE: u64 = 2000;

/// How a consumer works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether only enrolled gateways are heard.
    pub required: bool,
    /// Most messages of one transaction.
    pub batch: usize,
    /// Longest wait of the first message of a batch for others.
    pub linger: Duration,
}

/// Stores what a source delivers.
pub struct Consumer<S> {
    source: S,
    pool: PgPool,
    settings: Settings,
    metrics: Arc<Metrics>,
    publisher: Arc<dyn Publisher>,
    names: Names,
    unnamed: Unnamed,
    poison_window: (Instant, u64),
}

/// A delivery whose topic is one of ours, as it is read.
struct Read<'a> {
    delivery: &'a Delivery,
    topic: Option<wire::Topic<'a>>,
    message: Result<Message<'a>, Unfit>,
}

// === impl Consumer ===

impl<S: Source> Consumer<S> {
    /// A consumer that has not begun.
    pub fn new(source: S, pool: PgPool, settings: Settings, metrics: Arc<Metrics>) -> Self {
        let publisher = source.publisher();
        let (names, unnamed) = (Names::default(), Unnamed::default());
        Self {
            source,
            pool,
            settings,
            metrics,
            publisher,
            names,
            unnamed,
            poison_window: (Instant::now(), 0),
        }
    }

    /// Works until cancelled; a batch under way is finished.
    pub async fn run(mut self, cancel: CancellationToken) {
        let mut tick = tokio::time::interval(NAME_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let first = tokio::select! {
                biased;
                () = cancel.cancelled() => break,
                _ = tick.tick() => {
                    self.name().await;
                    continue;
                }
                delivery = self.source.next() => delivery,
            };
            let Some(first) = first else { break };
            let batch = self.collect(first).await;
            if !self.store_until_done(&batch, &cancel).await {
                break;
            }
            let receipts = batch.into_iter().map(|delivery| delivery.receipt).collect();
            self.source.acknowledge(receipts).await;
        }
        self.name().await;
        self.source.close().await;
    }

    async fn collect(&mut self, first: Delivery) -> Vec<Delivery> {
        let mut batch = vec![first];
        let until = Instant::now() + self.settings.linger;
        while batch.len() < self.settings.batch {
            match timeout_at(until, self.source.next()).await {
                Ok(Some(delivery)) => batch.push(delivery),
                Ok(None) | Err(_) => break,
            }
        }
        batch
    }

    /// The same batch until it is in; `false` when cancelled before that. If the database refuses what is in it, the
    /// message is found by halving and put aside.
    async fn store_until_done(&mut self, batch: &[Delivery], cancel: &CancellationToken) -> bool {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            let began = Instant::now();
            let outcome = timeout(STORED_WITHIN, self.store(part)).await;
            let is_late = outcome.is_err();
            let error = match outcome.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
                Ok(stored) => {
                    self.count(stored, began);
                    continue;
                }
                Err(error) if is_of_content(&error) && part.len() > 1 => {
                    let (left, right) = part.split_at(part.len() / 2);
                    parts.extend([right, left]);
                    continue;
                }
                Err(error) if is_of_content(&error) => match self.store_aside(part, &error).await {
                    Ok(()) => continue,
                    Err(error) => error,
                },
                Err(error) => error,
            };
            match part.len() {
                0 | 1 => parts.push(part),
                length if is_late => {
                    let (left, right) = part.split_at(length / 2);
                    parts.extend([right, left]);
                }
                _ => parts.push(part),
            }
            self.metrics.failures.fetch_add(1, Relaxed);
            if self.metrics.database.swap(0, Relaxed) == 1 {
                tracing::warn!(%error, "the database does not take a batch; it is tried again");
            }
            // Numbers that were learnt may be of a database that is gone.
            self.names.clear();
            tokio::select! {
                () = cancel.cancelled() => return false,
                () = tokio::time::sleep(AGAIN_AFTER) => {}
            }
        }
        true
    }

    fn count(&self, stored: Stored, began: Instant) {
        let add = |counter: &AtomicU64, more: u64| counter.fetch_add(more, Relaxed);
        add(&self.metrics.stored, stored.fresh);
        add(&self.metrics.repeated, stored.repeated);
        add(&self.metrics.samples, stored.samples);
        add(&self.metrics.batches, 1);
        add(&self.metrics.busy_us, u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX));
        let now = Timestamp::now().as_millisecond();
        self.metrics.committed_at.store(u64::try_from(now).unwrap_or_default(), Relaxed);
        if self.metrics.database.swap(1, Relaxed) == 0 {
            tracing::info!("the database takes batches");
        }
    }

    async fn store(&mut self, deliveries: &[Delivery]) -> Result<Stored, sqlx::Error> {
        let read: Vec<Read<'_>> = deliveries.iter().map(read).collect();
        let topics = read.iter().filter_map(|read| read.topic);
        let gateways: HashSet<(&str, &str)> = topics.map(|topic| (topic.centre, topic.gateway)).collect();
        self.names.learn_gateways(&self.pool, self.settings.required, &gateways).await?;
        let known: Vec<(i32, &Message<'_>)> = read
            .iter()
            .filter_map(|read| {
                let topic = read.topic?;
                let gateway = self.names.gateway(topic.centre, topic.gateway).ok()?;
                Some((gateway, read.message.as_ref().ok()?))
            })
            .collect();
        self.names.learn(&self.pool, &known).await?;
        let (mut batch, mut unnamed) = (Batch::default(), Unnamed::default());
        let now = Timestamp::now().as_millisecond();
        for Read { delivery, topic, message } in read {
            let added = topic
                .ok_or_else(|| Unfit::new("unknown_topic", "it is no topic of linli, version 1"))
                .and_then(|topic| self.names.gateway(topic.centre, topic.gateway))
                .and_then(|gateway| {
                    let added = message.and_then(|message| {
                        self.greet(gateway, &message, &mut unnamed);
                        batch.add(&self.names, gateway, message, now)
                    });
                    added.inspect_err(|_| self.add_aside(&mut batch, gateway, &delivery.payload))
                });
            if let Err(unfit) = added
                && may_keep(&mut self.poison_window, &self.metrics)
            {
                let (topic, payload) = (delivery.topic.clone(), delivery.payload.to_vec());
                batch.poison.push(Poison { topic, unfit, payload });
            }
        }
        let stored = batch.store(&self.pool).await?;
        batch.numbered.iter().for_each(|numbered| self.unnamed.number(numbered.epoch, numbered.seq));
        self.unnamed.take_over(unnamed);
        self.metrics.poison.fetch_add(batch.poison.len() as u64, Relaxed);
        Ok(stored)
    }

    /// A gateway that has connected is told everything of its epoch.
    fn greet(&self, gateway: i32, message: &Message<'_>, unnamed: &mut Unnamed) {
        if let Message::Status(status) = message
            && status.online
            && let Ok(epoch) = self.names.epoch(gateway, &status.epoch)
        {
            unnamed.whole(epoch);
        }
    }

    /// Counts the number of a message that is put aside as arrived: else it would be sent again for ever.
    fn add_aside(&self, batch: &mut Batch, gateway: i32, payload: &[u8]) {
        if let Some((epoch, seq)) = number(payload)
            && let Ok(epoch) = self.names.epoch(gateway, &epoch)
        {
            batch.add_aside(epoch, gateway, seq);
        }
    }

    /// Puts aside the one message that the database refuses.
    async fn store_aside(&mut self, batch: &[Delivery], error: &sqlx::Error) -> Result<(), sqlx::Error> {
        let Some(delivery) = batch.first() else { return Ok(()) };
        let unfit = Unfit::new("refused_by_database", error.to_string());
        let (topic, payload) = (delivery.topic.clone(), delivery.payload.to_vec());
        let mut aside = Batch { poison: vec![Poison { topic, unfit, payload }], ..Batch::default() };
        let of = wire::topic(&delivery.topic).and_then(|t| self.names.gateway(t.centre, t.gateway).ok());
        if let (Some(gateway), Some((epoch, seq))) = (of, number(&delivery.payload)) {
            self.names.add_epochs(&self.pool, HashMap::from([(epoch.as_str(), gateway)])).await?;
            if let Ok(epoch) = self.names.epoch(gateway, &epoch) {
                aside.add_aside(epoch, gateway, seq);
                self.unnamed.number(epoch, seq);
            }
        }
        aside.store(&self.pool).await?;
        self.metrics.poison.fetch_add(1, Relaxed);
        Ok(())
    }

    async fn name(&mut self) {
        let naming = self.unnamed.publish(&self.pool, self.publisher.as_ref());
        match timeout(STORED_WITHIN, naming).await.unwrap_or(Err(sqlx::Error::PoolTimedOut)) {
            Ok(named) => {
                self.metrics.named.fetch_add(named, Relaxed);
            }
            Err(error) => tracing::debug!(%error, "what is stored cannot be named yet"),
        }
    }
}

fn read(delivery: &Delivery) -> Read<'_> {
    let topic = wire::topic(&delivery.topic);
    let message = match topic {
        Some(topic) => wire::message(topic.below, &delivery.payload),
        None => Err(Unfit::new("unknown_topic", "it is no topic of linli, version 1")),
    };
    Read { delivery, topic, message }
}

/// Epoch and number of a message, whatever else is wrong with it.
fn number(payload: &[u8]) -> Option<(String, i64)> {
    let body: serde_json::Value = serde_json::from_slice(payload).ok()?;
    let seq = body["seq"].as_i64().filter(|seq| (0..i64::MAX).contains(seq))?;
    Some((body["epoch"].as_str()?.to_owned(), seq))
}

/// Whether one more message put aside is kept.
fn may_keep((began, kept): &mut (Instant, u64), metrics: &Metrics) -> bool {
    if began.elapsed() > Duration::from_secs(60) {
        (*began, *kept) = (Instant::now(), 0);
    }
    *kept += 1;
    let may = *kept <= POISON_A_MINUTE;
    if !may {
        metrics.poison_dropped.fetch_add(1, Relaxed);
    }
    may
}

/// Whether the database refuses what is in the batch (SQLSTATE classes 21, 22 and 23), rather than being unwell.
fn is_of_content(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| ["21", "22", "23"].iter().any(|class| code.starts_with(class)))
}
