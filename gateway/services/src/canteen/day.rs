//! The HACCP record of a day, made from the stored documents.

use jiff::civil::Date;
use linli_domain::canteen::{Day, Kept, wash};
use linli_domain::{Id, Timestamp};
use serde_json::{Value, json};

use super::record::{COOLING, DESTROYED_SAMPLE};
use super::service::{Cabinet, CanteenService};
use crate::error::ServiceError;
use crate::stored::all_decoded;

/// A sample that is destroyed on a day may be so old.
const SAMPLES_SINCE: i64 = 100 * 86_400_000;

/// Why a document is reported that this module only passes on.
pub(super) const NOT_JSON: &str = "not a JSON value";

// === impl CanteenService ===

impl CanteenService {
    /// The record of a day as JSON.
    pub(super) async fn record(&mut self, day: Date) -> Result<Value, ServiceError> {
        if day > self.today {
            return Err(ServiceError::Wrong(format!("day: {day} has not come yet")));
        }
        self.catch_up().await;
        let (from, to) = self.deps.zone.bounds(day);
        let now = self.deps.clock.now().at;
        let until = Timestamp(to.0.min(now.0));
        let (tick, is_today) = (self.now(), day == self.today);
        let mut cabinets = Vec::new();
        let devices: Vec<Id> = self.cabinets.keys().cloned().collect();
        for device in &devices {
            let before = if is_today { None } else { self.day_of(day, device).await };
            let Some(cabinet) = self.cabinets.get_mut(device) else { continue };
            let Some(kept) = cabinet.watched.kept.filter(|kept| wash::wanted(*kept).is_none()) else {
                continue;
            };
            if is_today {
                cabinet.account.pass(kept, tick, None, cabinet.watched.fresh);
            }
            let account = if is_today { Some(cabinet.account.day.clone()) } else { before };
            cabinets.push(shown(cabinet, kept, account, until.0 - from.0));
        }
        let bodies = |documents: Vec<linli_store::Document>| -> Vec<Value> {
            all_decoded(&self.deps.store, &documents, NOT_JSON)
        };
        let cycles = bodies(self.deps.store.of("cycle", from, to).await?);
        let cooling = bodies(self.deps.store.of(COOLING, from, to).await?);
        let notes = bodies(self.deps.store.of("note", from, to).await?);
        let mut samples = bodies(self.deps.store.of("sample", from, to).await?);
        samples.extend(bodies(
            self.deps.store.of(DESTROYED_SAMPLE, Timestamp(from.0 - SAMPLES_SINCE), to).await?,
        ));
        let is_of_day = |sample: &Value| {
            let is_in = |at: &Value| at.as_i64().is_some_and(|at| at >= from.0 && at < to.0);
            is_in(&sample["at"]) || is_in(&sample["destroyed"]["at"])
        };
        let samples: Vec<Value> = samples.into_iter().filter(is_of_day).collect();
        let steps = self.deps.store.alarm_steps(from, to).await?;
        let is_food = |step: &Value| {
            let device = step["device"].as_str().unwrap_or_default();
            devices.iter().any(|id| id.as_str() == device.trim_end_matches(".food"))
        };
        let alarms: Vec<Value> =
            steps.iter().filter_map(|step| serde_json::from_str(step).ok()).filter(is_food).collect();
        Ok(json!({
            "centre": self.deps.centre, "day": day.to_string(), "timezone": self.deps.zone.name(), "from": from.0, "until": until.0,
            "complete": now.0 >= to.0, "cabinets": cabinets, "cycles": cycles, "cooling": cooling,
            "samples": samples, "alarms": alarms, "notes": notes,
        }))
    }
}

/// A cabinet's part of the record; without any reading the whole day is unknown.
pub(super) fn shown(cabinet: &Cabinet, kept: Kept, day: Option<Day>, length: i64) -> Value {
    let whole = u64::try_from(length).unwrap_or_default();
    let mut day = day.unwrap_or_default();
    // What was before the first account of the day was seen by nobody either.
    let seen = day.within + day.beyond + day.unknown;
    day.unknown += whole.saturating_sub(seen);
    json!({
        "device": cabinet.watched.device, "name": cabinet.watched.name, "keeps": kept.chinese(),
        "rule": kept.source(), "limit": kept.limits().first().map(|limit| limit.limit),
        "within_s": day.within / 1000, "beyond_s": day.beyond / 1000, "danger_s": day.danger / 1000,
        "unknown_s": day.unknown / 1000, "lowest": day.range.map(|(low, _)| low),
        "highest": day.range.map(|(_, high)| high), "excursions": day.excursions,
    })
}
