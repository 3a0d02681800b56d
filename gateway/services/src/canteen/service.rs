//! The canteen service: owns the accounts of every cabinet and carries out requests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use linli_domain::alarm::Tick;
use linli_domain::canteen::wash::{Cycle, Wash, wanted};
use linli_domain::canteen::{Account, Day, Kept};
use linli_domain::{Batch, Id, Timestamp, Value};
use linli_drivers::Clock;
use linli_store::{Change, Documents};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};

use super::cooling::Coolings;
use super::record;
use super::request::Request;
use crate::events::Events;
use crate::stored::{decoded, keep_apart};
use linli_config::settings::canteen::CanteenDevice;
use linli_domain::timezone::Zone;

/// Interval at which accounts advance and are stored; time lost in a power cut counts as unknown.
const LOOK: Duration = Duration::from_secs(30);

/// Most documents that wait to be stored; some weeks of cycles.
const MOST_UNSAVED: usize = 10_000;

/// What the service needs when it starts.
pub struct Deps {
    /// The documents of the canteen.
    pub store: Documents,
    /// Takes calculated values. Weak: the lines keep the channel open.
    pub samples: mpsc::WeakSender<Batch>,
    /// Events for screens.
    pub events: Events,
    /// Clock of time stamps.
    pub clock: Arc<dyn Clock>,
    /// Cabinets and probes, replaced on reload.
    pub watched: watch::Receiver<Arc<Vec<CanteenDevice>>>,
    /// Time zone of the centre.
    pub zone: Zone,
    /// Id of the centre.
    pub centre: Id,
}

/// A cabinet, a machine, or a probe alone.
pub(super) struct Cabinet {
    pub watched: CanteenDevice,
    pub account: Account,
    wash: Wash,
    cycle: Option<Cycle>,
}

/// The canteen service.
pub struct CanteenService {
    pub(super) deps: Deps,
    began: Instant,
    pub(super) today: Date,
    pub(super) cabinets: BTreeMap<Id, Cabinet>,
    pub(super) coolings: Coolings,
    /// Changes that are not stored yet.
    unsaved: Vec<Change>,
    /// Per cabinet: retained samples, and those kept too long.
    pub(super) samples: BTreeMap<Id, (i64, i64)>,
}

// === impl CanteenService ===

impl CanteenService {
    /// Continues every account from its stored state.
    pub async fn resume(mut deps: Deps) -> anyhow::Result<Self> {
        let now = deps.clock.now().at;
        let today = deps.zone.day(now);
        let watched = Arc::clone(&deps.watched.borrow_and_update());
        let coolings = Coolings::resume(&deps.store, now).await?;
        let (began, unsaved) = (Instant::now(), Vec::new());
        let (cabinets, samples) = (BTreeMap::new(), BTreeMap::new());
        let mut service = Self { deps, began, today, cabinets, coolings, unsaved, samples };
        service.follow(&watched).await?;
        service.count_samples().await?;
        Ok(service)
    }

    /// Runs until the queue of batches closes.
    pub async fn run(mut self, mut batches: mpsc::Receiver<Batch>, mut requests: mpsc::Receiver<Request>) {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_open = true;
        loop {
            tokio::select! {
                batch = batches.recv() => match batch {
                    Some(batch) => self.see(&batch).await,
                    None => break,
                },
                Some(Request { caller, what, reply }) = requests.recv() => {
                    let _ = reply.send(self.carry_out(&caller.account, what).await);
                }
                changed = self.deps.watched.changed(), if is_open => {
                    is_open = changed.is_ok();
                    let watched = Arc::clone(&self.deps.watched.borrow_and_update());
                    if let Err(error) = self.follow(&watched).await {
                        tracing::error!(%error, "accounts of new cabinets cannot be read");
                    }
                }
                _ = look.tick() => self.look().await,
            }
        }
        self.look().await;
    }

    pub(super) fn now(&self) -> Tick {
        Tick(u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX))
    }

    /// Takes over a new list of cabinets; those that remain keep their account.
    async fn follow(&mut self, watched: &[CanteenDevice]) -> Result<(), linli_store::ReadError> {
        let (tick, now) = (self.now(), self.deps.clock.now().at);
        let mut before = std::mem::take(&mut self.cabinets);
        for watched in watched {
            let same = before.remove(&watched.device).filter(|same| same.watched.kept == watched.kept);
            let cabinet = match same {
                Some(same) => Cabinet { watched: watched.clone(), ..same },
                None => {
                    let stored = self.deps.store.get(&record::account_id(&watched.device)).await?;
                    let today = self.deps.zone.day(now);
                    let is_of_today = stored.as_ref().is_some_and(|it| self.deps.zone.day(it.at) == today);
                    let account = stored.and_then(|stored| {
                        let account: Account = decoded(&self.deps.store, &stored, "not an account")?;
                        Some(self.aged(watched, account, stored.at, now, tick))
                    });
                    let mut account = account.unwrap_or_else(|| Account::new(tick));
                    if !is_of_today && let Some(before) = self.day_of(today, &watched.device).await {
                        account.day = before;
                    }
                    Cabinet { watched: watched.clone(), account, wash: Wash::default(), cycle: None }
                }
            };
            self.cabinets.insert(watched.device.clone(), cabinet);
        }
        Ok(())
    }

    /// A stored account, advanced over the time in which the gateway did not run; days that ended
    /// meanwhile are closed.
    fn aged(
        &mut self,
        watched: &CanteenDevice,
        account: Account,
        kept: Timestamp,
        now: Timestamp,
        tick: Tick,
    ) -> Account {
        let span = |from: Timestamp, to: Timestamp| {
            Duration::from_millis(to.0.saturating_sub(from.0).max(0).cast_unsigned())
        };
        let (day, today) = (self.deps.zone.day(kept), self.deps.zone.day(now));
        if day == today {
            return account.resumed(span(kept, now), tick);
        }
        if day > today {
            // The clock was set back meanwhile: that day is kept as it was.
            let mut account = account;
            let ahead = account.turn(now);
            self.unsaved.push(self.kept_day(watched, day, &ahead));
            return account.resumed(Duration::ZERO, tick);
        }
        let (midnight, dawn) = (self.deps.zone.bounds(day).1, self.deps.zone.bounds(today).0);
        let mut account = account.resumed(span(kept, midnight), tick);
        let ended = account.turn(midnight);
        self.unsaved.push(self.kept_day(watched, day, &ended));
        account.lapsed(span(midnight, dawn), tick).resumed(span(dawn, now), tick)
    }

    async fn see(&mut self, batch: &Batch) {
        let (tick, now) = (self.now(), self.deps.clock.now().at);
        self.turn(now).await;
        let Some(cabinet) = self.cabinets.get_mut(&batch.layout.device) else { return };
        let (point, mut has_cycle) = (cabinet.watched.point, false);
        for sample in batch.samples.iter().filter(|sample| sample.point == point) {
            let good = sample.value.as_ref().filter(|_| sample.quality.is_good()).and_then(Value::as_f64);
            self.coolings.see(&batch.layout.device, tick, now, good);
            let Some(kept) = cabinet.watched.kept else { continue };
            match cabinet.wash.see(kept, tick, sample.at, good) {
                Some(cycle) => {
                    self.unsaved.push(Change::Document(record::cycle(&batch.layout.device, &cycle)));
                    cabinet.cycle = Some(cycle);
                    has_cycle = true;
                }
                None => cabinet.account.see(kept, tick, now, good, cabinet.watched.fresh),
            }
        }
        if self.coolings.has_ended() {
            self.catch_up().await;
        }
        let Some(cabinet) = self.cabinets.get(&batch.layout.device).filter(|_| has_cycle) else { return };
        let batch = computed(cabinet, &*self.deps.clock, (0, 0));
        if let (Some(batch), Some(samples)) = (batch, self.deps.samples.upgrade()) {
            let _ = samples.try_send(batch);
        }
        self.save().await;
    }

    /// Advances and stores accounts, and publishes calculated values.
    async fn look(&mut self) {
        let (tick, now) = (self.now(), self.deps.clock.now().at);
        self.turn(now).await;
        let mut batches = Vec::new();
        for (device, cabinet) in &mut self.cabinets {
            let Some(kept) = cabinet.watched.kept else { continue };
            let counts = self.samples.get(device).copied().unwrap_or_default();
            if wanted(kept).is_none() {
                cabinet.account.pass(kept, tick, None, cabinet.watched.fresh);
                self.unsaved.push(Change::Document(record::account(device, now, &cabinet.account)));
            }
            batches.extend(computed(cabinet, &*self.deps.clock, counts));
        }
        self.unsaved.extend(self.coolings.changes());
        if let Some(samples) = self.deps.samples.upgrade() {
            for batch in batches {
                let _ = samples.try_send(batch);
            }
        }
        if self.count_samples().await.is_err() {
            tracing::debug!("retained samples cannot be counted just now");
        }
        self.save().await;
    }

    /// Stores the present state of cooling batches.
    pub(super) async fn catch_up(&mut self) {
        self.unsaved.extend(self.coolings.changes());
        self.save().await;
    }

    /// Closes the accounts of the day at the centre's midnight. A day that was accounted for before continues: the
    /// clock was set back, or it is right again.
    async fn turn(&mut self, now: Timestamp) {
        let today = self.deps.zone.day(now);
        if today == self.today {
            return;
        }
        let (ended, tick) = (std::mem::replace(&mut self.today, today), self.now());
        let midnight = self.deps.zone.bounds(today).0;
        let mut days = Vec::new();
        for cabinet in self.cabinets.values_mut() {
            let Some(kept) = cabinet.watched.kept else { continue };
            cabinet.account.pass(kept, tick, None, cabinet.watched.fresh);
            let day = cabinet.account.turn(midnight);
            days.push((cabinet.watched.clone(), day));
        }
        for (watched, day) in days {
            let change = self.kept_day(&watched, ended, &day);
            self.unsaved.push(change);
            if let Some(before) = self.day_of(today, &watched.device).await
                && let Some(cabinet) = self.cabinets.get_mut(&watched.device)
            {
                cabinet.account.day = before;
            }
        }
        self.save().await;
    }

    /// The stored day of a cabinet; `None` if there is none or it cannot be read.
    pub(super) async fn day_of(&self, day: Date, device: &Id) -> Option<Day> {
        let document = self.deps.store.get(&record::day_id(day, device)).await.ok()??;
        decoded(&self.deps.store, &document, "not a day of a cabinet")
    }

    fn kept_day(&self, watched: &CanteenDevice, day: Date, kept: &Day) -> Change {
        Change::Document(record::day(day, &watched.device, self.deps.zone.bounds(day).0, kept))
    }

    /// Stores pending changes. A failed attempt is repeated later; what does not fit keeps nothing else waiting.
    pub(super) async fn save(&mut self) {
        // Of an account only the newest counts.
        let mut newest: BTreeMap<String, Change> = BTreeMap::new();
        for change in std::mem::take(&mut self.unsaved) {
            if let Change::Document(page) = &change {
                newest.insert(page.id.clone(), change);
            }
        }
        // The account of a cabinet and its days belong together: the account begins where the day ended.
        let mut groups: BTreeMap<String, Vec<Change>> = BTreeMap::new();
        for (id, change) in newest {
            groups.entry(record::belongs_to(&id).to_owned()).or_default().push(change);
        }
        if let Err((left, error)) = keep_apart(&self.deps.store, groups.into_values().collect()).await {
            tracing::warn!(%error, documents = left.len(), "documents of the canteen are not stored yet; tried again");
            self.unsaved = left.concat();
            self.give_up_oldest();
        }
    }

    /// Bounds what waits to be stored: the oldest cycles are given up.
    fn give_up_oldest(&mut self) {
        let beyond = self.unsaved.len().saturating_sub(MOST_UNSAVED);
        let mut cycles: Vec<(Timestamp, usize)> = (self.unsaved.iter().enumerate())
            .filter_map(|(at, change)| match change {
                Change::Document(page) if page.kind == record::CYCLE => Some((page.at, at)),
                _ => None,
            })
            .collect();
        cycles.sort_unstable();
        let mut gone: Vec<usize> = cycles.into_iter().take(beyond).map(|(_, at)| at).collect();
        if gone.is_empty() {
            return;
        }
        tracing::error!(cycles = gone.len(), "cycles are lost: the store was full for too long");
        gone.sort_unstable();
        for at in gone.into_iter().rev() {
            self.unsaved.remove(at);
        }
    }
}

/// Returns the computed values of a cabinet.
fn computed(cabinet: &Cabinet, clock: &dyn Clock, (count, overdue): (i64, i64)) -> Option<Batch> {
    let minutes = |span: Duration| Value::float((span.as_secs_f64() / 6.0).round() / 10.0);
    let kept = cabinet.watched.kept?;
    let values = if wanted(kept).is_some() {
        let cycle = cabinet.cycle.as_ref()?;
        let held = Duration::from_millis(cycle.held).as_secs_f64();
        vec![Some(Value::Bool(cycle.is_clean)), Value::float(cycle.highest), Value::float(held)]
    } else {
        let exposure = &cabinet.account.exposure;
        let mut values = vec![minutes(exposure.danger()), minutes(exposure.unknown())];
        if kept == Kept::Samples {
            values.extend([Some(Value::Integer(count)), Some(Value::Integer(overdue))]);
        }
        values
    };
    cabinet.watched.batch(clock.now(), values)
}
