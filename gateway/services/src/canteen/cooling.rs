//! Batches of food that cool, each with its probe.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::alarm::Tick;
use linli_domain::canteen::cooling::{Cooling, CoolingRule, Outcome};
use linli_domain::{Id, Timestamp};
use linli_store::{Change, Documents, ReadError};

use super::record::{self, COOLING, CoolingBatch};
use crate::stored::decoded;

/// Milliseconds after which a stored batch that has not ended is not continued: nothing cools longer.
const LONGEST: i64 = 24 * 3_600_000;

/// The batches that still cool, and changes that are not stored yet.
#[derive(Debug, Default)]
pub struct Coolings {
    open: BTreeMap<String, (CoolingBatch, Tick)>,
    changed: Vec<String>,
    done: Vec<(String, CoolingBatch)>,
}

// === impl Coolings ===

impl Coolings {
    /// Continues the batches that had not ended. The time in which the gateway did not run counts
    /// as unknown.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(store: &Documents, now: Timestamp) -> Result<Self, ReadError> {
        let mut coolings = Self::default();
        for document in store.of(COOLING, Timestamp(now.0 - LONGEST), Timestamp(i64::MAX)).await? {
            let batch: Option<CoolingBatch> = decoded(store, &document, "not a cooling batch");
            let Some(mut batch) = batch else { continue };
            if batch.ended.is_some() {
                continue;
            }
            let away = Duration::from_millis(now.0.saturating_sub(batch.seen.0).max(0).cast_unsigned());
            let is_over = batch.cooling.see(away, None);
            batch.seen = now;
            coolings.put(document.id, batch, Tick(0), is_over, now);
        }
        Ok(coolings)
    }

    /// Whether a probe is in a batch that has not ended.
    pub fn is_taken(&self, probe: &Id) -> bool {
        self.open.values().any(|(batch, _)| batch.probe == *probe)
    }

    /// Begins a batch at `now`; returns the id of its document.
    pub fn begin(
        &mut self,
        food: String,
        probe: Id,
        by: String,
        rule: &CoolingRule,
        tick: Tick,
        now: Timestamp,
    ) -> String {
        let id = format!("cooling/{}/{probe}", now.0);
        let batch =
            CoolingBatch { food, probe, by, begun: now, seen: now, ended: None, cooling: Cooling::new(rule) };
        self.put(id.clone(), batch, tick, false, now);
        id
    }

    /// Takes a reading of a probe, °C; `None` if it has no good value.
    pub fn see(&mut self, probe: &Id, tick: Tick, now: Timestamp, value: Option<f64>) {
        let Some(id) =
            self.open.iter().find(|(_, (batch, _))| batch.probe == *probe).map(|(id, _)| id.clone())
        else {
            return;
        };
        let Some((mut batch, before)) = self.open.remove(&id) else { return };
        let is_over = batch.cooling.see(tick.since(before), value);
        batch.seen = now;
        self.put(id, batch, tick, is_over, now);
    }

    fn put(&mut self, id: String, mut batch: CoolingBatch, tick: Tick, is_over: bool, now: Timestamp) {
        if is_over {
            batch.ended = Some(now);
            let is_good = batch.cooling.outcome == Outcome::Passed;
            tracing::info!(food = batch.food, probe = %batch.probe, is_good, "cooling is over");
            self.done.push((id, batch));
        } else {
            self.changed.push(id.clone());
            self.open.insert(id, (batch, tick));
        }
    }

    /// Whether a batch has ended since [`Self::changes`] was called last.
    pub fn has_ended(&self) -> bool {
        !self.done.is_empty()
    }

    /// The batches that have changed since the last call, to be stored.
    pub fn changes(&mut self) -> Vec<Change> {
        let change = |id: String, batch: &CoolingBatch| Change::Document(record::cooling(id, batch));
        let done = std::mem::take(&mut self.done);
        let mut changes: Vec<Change> = done.into_iter().map(|(id, batch)| change(id, &batch)).collect();
        for id in std::mem::take(&mut self.changed) {
            if let Some((batch, _)) = self.open.get(&id) {
                changes.push(change(id, batch));
            }
        }
        changes
    }
}
