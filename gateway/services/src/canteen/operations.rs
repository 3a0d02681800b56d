//! Operations of people: samples, cooling, notes, signatures.

use jiff::civil::Date;
use linli_domain::canteen::Kept;
use linli_domain::canteen::cooling::COOLING;
use linli_domain::{DeviceClass, Id, Message, Record, Timestamp, Topic};
use linli_store::{Audit, Change, Document, Entry, ReadError};
use serde_json::{Value, json};

use super::day::NOT_JSON;
use super::record::DESTROYED_SAMPLE;
use super::request::Action;
use super::service::CanteenService;
use crate::error::ServiceError;
use crate::stored::{all_decoded, body as text, decoded};
use linli_config::settings::canteen::TEMPERATURE;
use linli_domain::canteen::Signed;

/// A retained sample weighs at least this, g (GB 31654-2021).
const LIGHTEST: f64 = 125.0;

/// It is kept at least this long.
const KEPT_FOR: i64 = 48 * 3_600_000;

/// After this it should be gone.
const OVERDUE_AFTER: i64 = 72 * 3_600_000;

/// Longest word of a person.
const LONGEST: usize = 200;

// === impl CanteenService ===

impl CanteenService {
    /// Carries out a request.
    pub(super) async fn carry_out(&mut self, who: &str, action: Action) -> Result<Value, ServiceError> {
        match action {
            Action::Record { day } => self.record(day.unwrap_or(self.today)).await,
            Action::Retain { food, grams, cabinet, meal, by } => {
                self.retain(who, &food, grams, &cabinet, meal.as_deref(), &by).await
            }
            Action::Destroy { sample, by, why } => self.destroy(who, &sample, &by, why.as_deref()).await,
            Action::Samples {} => {
                let kept = self.deps.store.of("sample", Timestamp(i64::MIN), Timestamp(i64::MAX)).await?;
                Ok(all_decoded::<Value>(&self.deps.store, &kept, NOT_JSON).into())
            }
            Action::Cool { food, probe, rule, by } => {
                self.cool(who, &food, &probe, rule.as_deref(), &by).await
            }
            Action::Note { text, by } => {
                let (text, by) = (word("text", &text)?, word("by", &by)?);
                let at = self.deps.clock.now().at;
                let body = json!({"text": text, "by": by, "at": at.0});
                self.keep(who, "note", &format!("note/{}", at.0), at, &body).await
            }
            Action::Sign { day, by, note } => self.sign(who, day.unwrap_or(self.today), &by, note).await,
            Action::Signed {} => {
                let all = self.deps.store.of("signed", Timestamp(i64::MIN), Timestamp(i64::MAX)).await?;
                Ok(all_decoded::<Value>(&self.deps.store, &all, NOT_JSON).into())
            }
        }
    }

    async fn retain(
        &mut self,
        who: &str,
        food: &str,
        grams: f64,
        cabinet: &str,
        meal: Option<&str>,
        by: &str,
    ) -> Result<Value, ServiceError> {
        let (food, by) = (word("food", food)?, word("by", by)?);
        let meal = meal.map(|meal| word("meal", meal)).transpose()?;
        if !(LIGHTEST..=5000.0).contains(&grams) {
            let message = format!(
                "grams: {grams} g is not {LIGHTEST} to 5000 g; a retained sample weighs at least {LIGHTEST} g (GB 31654-2021)"
            );
            return Err(ServiceError::Wrong(message));
        }
        let is_for_samples = |id: &&Id| self.cabinets[*id].watched.kept == Some(Kept::Samples);
        let known: Vec<&Id> = self.cabinets.keys().filter(is_for_samples).collect();
        let Some(cabinet) = known.iter().find(|id| id.as_str() == cabinet).map(|id| (*id).clone()) else {
            let known: Vec<&str> = known.iter().map(|id| id.as_str()).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            let message = format!(
                "cabinet: {cabinet:?} keeps no samples (keeps = \"samples\" in devices.toml): {known} do"
            );
            return Err(ServiceError::Wrong(message));
        };
        let at = self.deps.clock.now().at;
        let id = format!("sample/{}", at.0);
        if self.deps.store.get(&id).await?.is_some() {
            return Err(ServiceError::Conflict("one sample at a time; try again".to_owned()));
        }
        let body = json!({
            "sample": at.0.to_string(), "food": food, "grams": grams, "cabinet": cabinet, "meal": meal, "by": by,
            "at": at.0, "keep_until": at.0 + KEPT_FOR,
        });
        let kept = self.keep(who, "sample", &id, at, &body).await;
        self.count_samples().await?;
        kept
    }

    async fn destroy(
        &mut self,
        who: &str,
        sample: &str,
        by: &str,
        why: Option<&str>,
    ) -> Result<Value, ServiceError> {
        let by = word("by", by)?;
        let unknown = || {
            ServiceError::Unknown(format!("there is no sample {sample:?}; `linli food samples` lists them"))
        };
        let kept = self.deps.store.get(&format!("sample/{sample}")).await?.ok_or_else(unknown)?;
        let mut body: Value = decoded(&self.deps.store, &kept, NOT_JSON).ok_or_else(unknown)?;
        if !body["destroyed"].is_null() {
            return Err(ServiceError::Conflict(format!("sample {sample} was destroyed already")));
        }
        let now = self.deps.clock.now().at;
        let is_early = now.0 < kept.at.0 + KEPT_FOR;
        let why = why.map(|why| word("why", why)).transpose()?;
        if is_early && why.is_none() {
            let left = (kept.at.0 + KEPT_FOR - now.0) / 3_600_000 + 1;
            let message = format!(
                "sample {sample} must be kept for {left} more hours (48 h, GB 31654-2021); say why it goes before"
            );
            return Err(ServiceError::Conflict(message));
        }
        body["destroyed"] = json!({"at": now.0, "by": by, "why": why, "early": is_early});
        let gone = self.keep(who, DESTROYED_SAMPLE, &kept.id, kept.at, &body).await;
        self.count_samples().await?;
        gone
    }

    async fn cool(
        &mut self,
        who: &str,
        food: &str,
        probe: &str,
        rule: Option<&str>,
        by: &str,
    ) -> Result<Value, ServiceError> {
        let (food, by) = (word("food", food)?, word("by", by)?);
        let wanted = rule.unwrap_or(COOLING[0].name);
        let Some(rule) = COOLING.iter().find(|rule| rule.name == wanted) else {
            let known: Vec<&str> = COOLING.iter().map(|rule| rule.name).collect();
            return Err(ServiceError::Wrong(format!("rule: {wanted:?} is none of {}", known.join(", "))));
        };
        let Some(probe) = self.cabinets.keys().find(|id| id.as_str() == probe).cloned() else {
            let known: Vec<&str> = self.cabinets.keys().map(Id::as_str).collect();
            let message = format!(
                "probe: {probe:?} is no food-safety device with a {TEMPERATURE}: {}",
                known.join(", ")
            );
            return Err(ServiceError::Wrong(message));
        };
        if self.coolings.is_taken(&probe) {
            return Err(ServiceError::Conflict(format!(
                "probe: {probe} is in another batch that still cools"
            )));
        }
        let (tick, now) = (self.now(), self.deps.clock.now().at);
        let id = self.coolings.begin(food, probe.clone(), by, rule, tick, now);
        let entry = Entry {
            changes: self.coolings.changes(),
            audit: vec![audit(who, "food.cool", &id, now)],
            ..Entry::default()
        };
        self.deps.store.keep(entry).await?;
        Ok(json!({"cooling": id, "probe": probe, "rule": rule.name, "source": rule.source}))
    }

    async fn sign(
        &mut self,
        who: &str,
        day: Date,
        by: &str,
        note: Option<String>,
    ) -> Result<Value, ServiceError> {
        let by = word("by", by)?;
        let note = note.map(|note| word("note", &note)).transpose()?;
        if day > self.today {
            return Err(ServiceError::Wrong(format!("day: {day} has not come yet")));
        }
        let record = self.record(day).await?;
        let newest = self.newest_signed().await?;
        let at = self.deps.clock.now().at;
        let signed = Signed::new(newest.as_ref(), record, by, note, at.0);
        let body = json!({
            "number": signed.number, "day": signed.day, "by": signed.by, "hash": signed.hash,
            "previous": signed.previous, "at": at.0,
        });
        let id = format!("signed/{:08}", signed.number);
        let page = Document { id: id.clone(), kind: "signed".to_owned(), at, body: text(&signed) };
        let body = body.as_object().cloned().unwrap_or_default();
        // The district has the hash: a record changed here afterwards is found there.
        let message = Message { topic: Topic::HaccpEvent, class: DeviceClass::FoodSafety, at, body };
        let entry = Entry {
            changes: vec![Change::Document(page)],
            audit: vec![audit(who, "food.sign", &id, at)],
            records: vec![Record::Message(message)],
            ..Entry::default()
        };
        self.deps.store.keep(entry).await?;
        Ok(serde_json::to_value(&signed).unwrap_or_default())
    }

    /// The signed record with the highest number.
    ///
    /// A record that does not decode is an error: the next one could neither name its hash nor count on
    /// from it, and would replace the first record.
    async fn newest_signed(&self) -> Result<Option<Signed>, ServiceError> {
        let Some(document) = self.deps.store.newest("signed").await? else { return Ok(None) };
        let undecodable = || {
            ServiceError::Conflict(format!(
                "nothing can be signed: the latest signed record, {}, cannot be read",
                document.id
            ))
        };
        decoded(&self.deps.store, &document, "not a signed record").map(Some).ok_or_else(undecodable)
    }

    async fn keep(
        &mut self,
        who: &str,
        kind: &str,
        id: &str,
        at: Timestamp,
        body: &Value,
    ) -> Result<Value, ServiceError> {
        let page = Document { id: id.to_owned(), kind: kind.to_owned(), at, body: body.to_string() };
        let now = self.deps.clock.now().at;
        let audit = vec![audit(who, &format!("food.{kind}"), id, now)];
        self.deps
            .store
            .keep(Entry { changes: vec![Change::Document(page)], audit, ..Entry::default() })
            .await?;
        self.deps.events.publish("food", body);
        Ok(body.clone())
    }

    /// Counts the retained samples of each cabinet, and those past their time.
    pub(super) async fn count_samples(&mut self) -> Result<(), ReadError> {
        let now = self.deps.clock.now().at;
        let kept = self.deps.store.of("sample", Timestamp(i64::MIN), Timestamp(i64::MAX)).await?;
        self.samples.clear();
        for food in kept {
            let Some(body) = decoded::<Value>(&self.deps.store, &food, NOT_JSON) else { continue };
            let cabinet = body["cabinet"].as_str().and_then(|id| Id::new(id).ok());
            if let Some(cabinet) = cabinet {
                let counts = self.samples.entry(cabinet).or_default();
                counts.0 += 1;
                counts.1 += i64::from(now.0 > food.at.0 + OVERDUE_AFTER);
            }
        }
        Ok(())
    }
}

fn audit(who: &str, what: &str, about: &str, at: Timestamp) -> Audit {
    let (who, what, about) = (who.to_owned(), what.to_owned(), about.to_owned());
    Audit { at, who, what, about, detail: String::new() }
}

/// A person's word: something, in one line.
fn word(key: &str, given: &str) -> Result<String, ServiceError> {
    let given = given.trim();
    if given.is_empty() || given.chars().count() > LONGEST || given.chars().any(char::is_control) {
        return Err(ServiceError::Wrong(format!("{key}: must be 1 to {LONGEST} characters in one line")));
    }
    Ok(given.to_owned())
}
