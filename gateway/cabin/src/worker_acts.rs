//! What a health worker does during a visit beside measuring: enters a value by hand, has the pressure repeated, answers
//! a critical value.

use linli_config::settings::cabin::CabinSettings;
use linli_domain::visit::{
    Context, CriticalAnswer, CriticalDecision, PressureSeries, Status, Unassigned, Version, Visit, payload,
};
use linli_domain::vital::{self, Measurement, Quantity, Reading, Taken};
use linli_domain::{Id, Timestamp};
use linli_services::ServiceError;
use linli_store::{Change, Entry};
use tokio::time::Instant;

use super::critical_watch::found_in;
use super::request::Outcome;
use super::service::{CabinService, DAY_MS, short};

/// The device of what a person enters.
pub const BY_HAND: &str = "manual";

const ENDED: &str = "the visit has ended (就诊已结束)";

const NOTHING: &str = "give one reading or more, each with a value (请至少填写一个数值)";

const IN_THE_FUTURE: &str = "it cannot have been measured in the future, nor more than a day before the visit \
                             (测量时间不能在将来，也不能早于就诊一天以上)";

const NO_CRITICAL: &str =
    "this value is not critical, or was corrected meanwhile (该数值不是危急值，或已更正)";

// === impl CabinService ===

impl CabinService {
    /// Adds what a person measured with a device that is not connected.
    pub(super) async fn enter(
        &mut self,
        who: &str,
        visit: Visit,
        (readings, context): (Vec<Reading>, Option<Context>),
        at: Option<Timestamp>,
        why: &str,
    ) -> Result<Outcome, ServiceError> {
        let why = short("why", why)?;
        let stamp = self.deps.clock.now();
        let earliest = visit.opened.0.saturating_sub(DAY_MS);
        if at.is_some_and(|at| at > stamp.at || at.0 < earliest) {
            return Err(ServiceError::Wrong(IN_THE_FUTURE.to_owned()));
        }
        if readings.is_empty() || readings.iter().any(|reading| reading.value.is_err()) {
            return Err(ServiceError::Wrong(NOTHING.to_owned()));
        }
        let taken = Taken { at: at.unwrap_or(stamp.at), clock: stamp.clock, device: None };
        let mut measurement = Measurement::of(taken, readings);
        vital::check(&mut measurement).map_err(|why| ServiceError::Wrong(why.to_string()))?;
        let id = self.name("m").map_err(|error| ServiceError::NotNow(error.to_string()))?;
        let device = Id::new(BY_HAND).map_err(|error| ServiceError::NotNow(error.to_string()))?;
        let mut version = Version {
            id,
            version: 1,
            status: Status::Final,
            visit: Some(visit.id.clone()),
            unassigned: None,
            device,
            room: Some(visit.room.clone()),
            measurement,
            context: context.unwrap_or_default(),
            at: stamp.at,
            by: who.to_owned(),
            why: Some(why.clone()),
        };
        let known = self.context_in(Some(&visit), &version).await;
        version.context = Context {
            age_months: known.age_months.or(version.context.age_months),
            sex: known.sex.or(version.context.sex),
            ..version.context
        };
        let settings = self.settings();
        let pseudonym = visit.pseudonym.as_deref();
        let entry = Entry {
            changes: vec![Change::Version(Box::new(version.clone()))],
            audit: vec![self.audit(who, "measurement.enter", &version.id, &why)],
            records: vec![payload::record(&version, pseudonym, &settings.limits)],
            ..Entry::default()
        };
        self.deps.store.cabin().keep(entry).await?;
        self.publish(&version, pseudonym, &settings);
        let now = Instant::now();
        self.rooms.touch(&visit.id, now);
        self.critical.look(&version, Some(&visit), &settings.critical, now);
        Ok(Outcome::Version(Box::new(version)))
    }

    /// Begins the guided series of blood pressures of an open visit, or ends it.
    pub(super) async fn guide(&mut self, who: &str, id: &str, begins: bool) -> Result<Outcome, ServiceError> {
        let Some(mut visit) = self.rooms.open(id).cloned() else {
            self.known(id).await?;
            return Err(ServiceError::Conflict(ENDED.to_owned()));
        };
        let at = self.deps.clock.now().at;
        visit.progress.pressure = begins.then(|| PressureSeries { begun: at, by: who.to_owned() });
        self.changed(who, if begins { "pressure.begin" } else { "pressure.end" }, visit, "").await
    }

    /// Answers a critical value. The number must be read back as it is shown.
    pub(super) async fn answer(
        &mut self,
        who: &str,
        id: &str,
        (measurement, quantity, read_back): (&str, Quantity, &str),
        decision: CriticalDecision,
    ) -> Result<Outcome, ServiceError> {
        let mut visit = match self.rooms.open(id).cloned() {
            Some(visit) => visit,
            None => self.known(id).await?,
        };
        let version = self.newest(measurement).await?;
        let settings = self.settings();
        let found = found_in(&version, &settings.critical);
        let found = found.iter().find(|found| found.critical.quantity == quantity);
        let Some(found) = found.filter(|_| version.visit.as_deref() == Some(id)) else {
            return Err(ServiceError::Conflict(NO_CRITICAL.to_owned()));
        };
        if read_back.trim() != found.shown {
            return Err(ServiceError::Wrong(format!(
                "read_back is not the number that is shown; read it again (复述的数值与显示的不一致，请再看一遍): {}",
                found.shown
            )));
        }
        visit.progress.critical.push(CriticalAnswer {
            measurement: measurement.to_owned(),
            quantity,
            read_back: found.shown.clone(),
            decision,
            by: who.to_owned(),
            at: self.deps.clock.now().at,
        });
        let detail = format!("{measurement} {} {}", quantity.as_str(), word(decision));
        let outcome = self.changed(who, "critical.answer", visit.clone(), &detail).await?;
        self.critical.look(&version, Some(&visit), &settings.critical, Instant::now());
        self.tell_unanswered(&settings).await;
        Ok(outcome)
    }

    /// Tells of each room whether a critical value waits too long.
    pub(super) async fn tell_unanswered(&mut self, settings: &CabinSettings) {
        for room in &settings.rooms {
            let (stamp, now) = (self.deps.clock.now(), Instant::now());
            if let Some(batch) = self.critical.batch(room, settings.critical_after, stamp, now) {
                let _ = self.deps.samples.send(batch).await;
            }
        }
    }

    /// Makes a changed visit durable and publishes it.
    async fn changed(
        &mut self,
        who: &str,
        what: &str,
        visit: Visit,
        detail: &str,
    ) -> Result<Outcome, ServiceError> {
        let audit = vec![self.audit(who, what, &visit.id, detail)];
        let entry = Entry { changes: vec![Change::Visit(visit.clone())], audit, ..Entry::default() };
        self.deps.store.cabin().keep(entry).await?;
        if visit.ended.is_none() {
            self.is_now(visit.clone());
        }
        Ok(Outcome::Visit(Box::new(visit)))
    }

    /// Why a measurement was nobody's when it came.
    pub(super) async fn reason(&self, measurement: &str) -> Result<Option<Unassigned>, ServiceError> {
        let versions = self.deps.store.cabin().versions(measurement).await?;
        Ok(versions.into_iter().rev().find_map(|version| version.unassigned))
    }
}

/// Word for a decision in the audit. It is stored.
const fn word(decision: CriticalDecision) -> &'static str {
    match decision {
        CriticalDecision::Repeat => "repeat",
        CriticalDecision::Refer => "refer",
        CriticalDecision::Handled => "handled",
    }
}
