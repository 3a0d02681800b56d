//! Food on its way down, each batch with its probe.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::alarm::Tick;
use linli_domain::canteen::cooling::{Cooling, CoolingRule, Outcome};
use linli_domain::{Id, Timestamp};
use linli_store::{Change, Document, Documents, ReadError};
use serde::{Deserialize, Serialize};

use super::service::json;

/// Kept so long in memory after it began: nothing cools longer.
const LONGEST: i64 = 24 * 3_600_000;

/// A batch of food.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// What it is.
    pub food: String,
    /// The probe in it.
    pub probe: Id,
    /// Who put it there.
    pub by: String,
    /// When, Unix milliseconds UTC.
    pub begun: Timestamp,
    /// When it was last looked at.
    pub seen: Timestamp,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Timestamp>,
    /// How it goes.
    pub cooling: Cooling,
}

/// Every batch that has not ended.
#[derive(Debug, Default)]
pub struct Coolings {
    open: BTreeMap<String, (Batch, Tick)>,
    changed: Vec<String>,
    done: Vec<(String, Batch)>,
}

// === impl Coolings ===

impl Coolings {
    /// Goes on with what had not ended; nobody saw the time between.
    pub async fn resume(store: &Documents, now: Timestamp) -> Result<Self, ReadError> {
        let mut coolings = Self::default();
        for kept in store.of("cooling", Timestamp(now.0 - LONGEST), Timestamp(i64::MAX)).await? {
            let Ok(mut batch) = serde_json::from_str::<Batch>(&kept.body) else { continue };
            if batch.ended.is_some() {
                continue;
            }
            let away = Duration::from_millis(now.0.saturating_sub(batch.seen.0).max(0).cast_unsigned());
            let is_over = batch.cooling.see(away, None);
            batch.seen = now;
            coolings.took(kept.id, batch, Tick(0), is_over, now);
        }
        Ok(coolings)
    }

    /// Whether a probe is taken.
    pub fn is_taken(&self, probe: &Id) -> bool {
        self.open.values().any(|(batch, _)| batch.probe == *probe)
    }

    /// Food begins to cool; gives its id.
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
            Batch { food, probe, by, begun: now, seen: now, ended: None, cooling: Cooling::new(rule) };
        self.took(id.clone(), batch, tick, false, now);
        id
    }

    /// A probe was read.
    pub fn see(&mut self, probe: &Id, tick: Tick, now: Timestamp, value: Option<f64>) {
        let Some(id) =
            self.open.iter().find(|(_, (batch, _))| batch.probe == *probe).map(|(id, _)| id.clone())
        else {
            return;
        };
        let Some((mut batch, before)) = self.open.remove(&id) else { return };
        let is_over = batch.cooling.see(tick.since(before), value);
        batch.seen = now;
        self.took(id, batch, tick, is_over, now);
    }

    fn took(&mut self, id: String, mut batch: Batch, tick: Tick, is_over: bool, now: Timestamp) {
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

    /// Whether one has ended since it was last asked.
    pub fn has_ended(&self) -> bool {
        !self.done.is_empty()
    }

    /// What changed since it was last asked.
    pub fn changes(&mut self) -> Vec<Change> {
        let change = |id: String, batch: &Batch| {
            Change::Document(Document { id, kind: "cooling".to_owned(), at: batch.begun, body: json(batch) })
        };
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
