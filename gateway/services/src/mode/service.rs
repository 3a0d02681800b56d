//! The task: owns every room's state. What is decided is durable before it is carried out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Batch, Timestamp};
use linli_drivers::Clock;
use linli_mode::checkpoint::CheckpointSigner;
use linli_mode::order::{Order, ReplayGuard};
use linli_mode::{ActionPhase, Event, ResolvedPlan, Truth};
use linli_store::Documents;
use linli_uplink::{Birth, InboundOrder};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

use super::actuator::{Actuator, Done, Task};
use super::batching::RoomEvent;
use super::evidence::{LatestReadings, Moment};
use super::heads::Heads;
use super::metrics::Health;
use super::pending_audit::PendingAudit;
use super::policy::PolicyPublisher;
use super::record::Record;
use super::request::Asked;
use super::room::{ROOM, Room};
use super::setup::Setup;
use super::view;
use crate::VERSION;
use crate::command_queue::Lanes;
use crate::events::Events;
use linli_config::CheckedPlan;
use linli_mode::record::ModeEvent;

/// Values that grow too old are noticed with this precision.
const LOOK: Duration = Duration::from_millis(250);

/// Ends of acts waiting at the service.
const DONE_QUEUE: usize = 256;

/// What the task is made of.
pub struct Deps {
    /// Where everything is kept.
    pub store: Documents,
    /// Where commands go.
    pub commands: Lanes,
    /// Where people ask.
    pub asked: mpsc::Receiver<Asked>,
    /// Screens.
    pub events: Events,
    /// Labels.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub health: Arc<Health>,
    /// The configuration's part, replaced on reload.
    pub setup: watch::Receiver<Arc<Setup>>,
    /// What the `status` topic says.
    pub birth: watch::Sender<Birth>,
    /// Where it is reported which data policies hold.
    pub policies: PolicyPublisher,
    /// Signs for the record.
    pub signer: Option<Arc<CheckpointSigner>>,
}

/// The task.
pub struct ModeService {
    pub(super) deps: Deps,
    pub(super) setup: Arc<Setup>,
    pub(super) rooms: BTreeMap<usize, Room>,
    pub(super) record: Record,
    pub(super) ledger: ReplayGuard,
    pub(super) quarantine: BTreeMap<String, Vec<u8>>,
    pub(super) refusals: crate::refusal_budget::RefusalBudget,
    pub(super) readings: LatestReadings,
    pub(super) actuator: Actuator,
    done: Option<mpsc::Receiver<Done>>,
    /// What happened and could not be made durable yet.
    pub(super) again: VecDeque<(usize, Event)>,
    pub(super) again_at: Option<Instant>,
    /// Counts refreshments.
    pub(super) refreshed: u64,
    /// Rooms that began in another building than there is now.
    strange: Vec<usize>,
    /// What had to be done before it could be written.
    pub(super) pending: PendingAudit,
    /// Who asked while something became durable.
    pub(super) waiting: VecDeque<Asked>,
    /// Rooms in which stop was pressed meanwhile: nothing more moves there.
    pub(super) stopped: BTreeSet<usize>,
    /// When a policy's silence ends by itself.
    pub(super) ruled_until: Option<Instant>,
    /// When the district was told what stands for the record.
    pub(super) heads: Heads,
    /// Orders that rooms follow.
    pub(super) orders: BTreeMap<String, Order>,
}

// === impl ModeService ===

impl ModeService {
    /// Goes on where every room was when the process ended: safe, and proven anew.
    pub async fn resume(mut deps: Deps) -> anyhow::Result<Self> {
        let setup = Arc::clone(&deps.setup.borrow_and_update());
        let record_key = deps.signer.as_ref().map(|signer| signer.verifier().to_string());
        deps.birth.send_modify(|birth| birth.record_key = record_key);
        let (tell, done) = mpsc::channel(DONE_QUEUE);
        let actuator =
            Actuator { commands: deps.commands.clone(), done: tell, clock: Arc::clone(&deps.clock) };
        let now = Moment { instant: Instant::now(), at: deps.clock.now().at };
        let (mut rooms, mut strange) = (BTreeMap::new(), Vec::new());
        for page in deps.store.of(ROOM, Timestamp(i64::MIN), Timestamp(i64::MAX)).await? {
            let name = page.id.trim_start_matches(ROOM).trim_start_matches('/').to_owned();
            let kept = serde_json::from_str(&page.body)?;
            let Some(index) = setup.facility.room(&name) else {
                tracing::error!(room = name, "a room that was being switched is no longer in facility.toml");
                continue;
            };
            let Some((room, is_other)) = Room::resume(&setup, index, kept, now) else { continue };
            if room.state.run.is_some() && room.known.is_none() {
                tracing::error!(
                    room = name,
                    "the plan that the room follows is no longer in plans/: it is held"
                );
            }
            if is_other {
                strange.push(index);
            }
            rooms.insert(index, room);
        }
        for index in setup.rooms() {
            if let (false, Some(room)) = (rooms.contains_key(&index), Room::new(&setup, index)) {
                rooms.insert(index, room);
            }
        }
        let record = Record::resume(&deps.store, deps.signer.clone()).await?;
        let ledger = super::orders::ledger(&deps.store).await?;
        let orders = super::orders::followed(&deps.store, rooms.values()).await?;
        let heads = Heads::resume(record.count(), now.instant);
        let mut service = Self {
            deps,
            setup,
            rooms,
            record,
            ledger,
            quarantine: BTreeMap::new(),
            refusals: crate::refusal_budget::RefusalBudget::default(),
            readings: LatestReadings::default(),
            actuator,
            done: Some(done),
            again: VecDeque::new(),
            again_at: None,
            refreshed: 0,
            pending: PendingAudit::default(),
            waiting: VecDeque::new(),
            stopped: BTreeSet::new(),
            strange,
            ruled_until: None,
            heads,
            orders,
        };
        service.rule();
        Ok(service)
    }

    /// Runs until nothing is read any more.
    pub async fn run(mut self, mut batches: mpsc::Receiver<Batch>, mut orders: mpsc::Receiver<InboundOrder>) {
        let Some(mut done) = self.done.take() else { return };
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_open = true;
        self.begin().await;
        loop {
            // Who asks, and who presses stop, waits for one thing that happened, not for its share of many.
            let next = self.waiting.pop_front().or_else(|| self.deps.asked.try_recv().ok());
            if let Some(asked) = next {
                self.serve(asked).await;
            }
            let is_waited = !self.waiting.is_empty();
            let more = [self.again_at, self.ruled_until, self.heads.due(self.record.count())];
            let due = self.rooms.values().filter_map(Room::due).chain(more.into_iter().flatten()).min();
            tokio::select! {
                Some(asked) = self.deps.asked.recv() => self.serve(asked).await,
                () = std::future::ready(()), if is_waited => {}
                batch = batches.recv() => match batch {
                    Some(batch) => self.see(batch, &mut batches).await,
                    None => return,
                },
                Some(first) = done.recv() => self.ended(first, &mut done).await,
                Some(order) = orders.recv() => self.order_came(&order).await,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.time().await,
                changed = self.deps.setup.changed(), if is_open => {
                    is_open = changed.is_ok();
                    self.follow();
                }
                _ = look.tick() => {
                    self.follow();
                    self.look(None).await;
                    self.propose().await;
                    self.count_rooms();
                }
            }
        }
    }

    /// Every room hears that the process started, and nothing is known.
    async fn begin(&mut self) {
        let has_run = self.rooms.values().any(|room| room.state.run.is_some());
        if has_run || self.record.count() > 0 {
            let boot = self.deps.birth.borrow().boot.clone();
            self.pending.lines.push(ModeEvent::Started { version: VERSION.to_owned(), boot });
        }
        let why = "the building was changed while the room was switched".to_owned();
        for room in self.strange.iter().filter_map(|index| self.rooms.get(index)) {
            let state = Box::new(room.state.clone());
            self.pending.lines.push(ModeEvent::Reset { room: room.id.clone(), why: why.clone(), state });
        }
        let all = self.rooms.keys().map(|room| RoomEvent::of(*room, Event::Restarted)).collect();
        self.happen_together(all).await;
        for room in std::mem::take(&mut self.strange) {
            self.happen(room, Event::Stop { by: why.clone() }).await;
        }
        self.tell_status();
    }

    pub(super) fn now(&self) -> Moment {
        Moment { instant: Instant::now(), at: self.deps.clock.now().at }
    }

    /// Takes over a changed configuration, unless a room in the middle of a run would lose its plan.
    fn follow(&mut self) {
        let is_same = Arc::ptr_eq(&self.deps.setup.borrow(), &self.setup);
        if !self.deps.setup.has_changed().unwrap_or_default() && is_same {
            return;
        }
        let fresh = Arc::clone(&self.deps.setup.borrow_and_update());
        if *fresh == *self.setup {
            return;
        }
        let keeps = |room: &Room| {
            let same = |known: &Arc<CheckedPlan>| {
                fresh.plan(&known.brief.plan.key()).is_some_and(|other| **other == **known)
            };
            room.state.run.is_none() || room.known.as_ref().is_some_and(same)
        };
        let is_same_building = fresh.facility == self.setup.facility;
        let is_busy = self.rooms.values().any(|room| room.state.run.is_some());
        if is_busy && !(is_same_building && self.rooms.values().all(keeps)) {
            return;
        }
        tracing::info!("the building, its plans and people are those of the configuration now");
        self.setup = fresh;
        let rooms = self.setup.rooms();
        self.rooms.retain(|index, room| rooms.contains(index) || room.state.run.is_some());
        for index in rooms {
            if let (false, Some(room)) = (self.rooms.contains_key(&index), Room::new(&self.setup, index)) {
                self.rooms.insert(index, room);
            }
        }
    }

    /// What is read of a claim now.
    pub(super) fn truth(&self, brief: &ResolvedPlan, atom: usize, now: Instant) -> Truth {
        self.readings.truth(&self.setup, brief, atom, now, None, false)
    }

    /// Spans that ran out, processes to refresh, what is tried again.
    async fn time(&mut self) {
        let now = Instant::now();
        if self.again_at.is_some_and(|at| at <= now) {
            self.again_at = None;
            for (room, event) in std::mem::take(&mut self.again) {
                self.happen(room, event).await;
            }
        }
        if self.ruled_until.is_some_and(|at| at <= now) {
            self.rule();
        }
        self.tell_head(now).await;
        let all: Vec<usize> = self.rooms.keys().copied().collect();
        all.into_iter().for_each(|index| self.refresh(index, now));
        loop {
            let elapsed = |room: &mut Room| {
                let timer = room.elapsed(now)?;
                room.timers.remove(&timer);
                Some(RoomEvent::of(room.index, Event::Elapsed(timer)))
            };
            let reported: Vec<RoomEvent> = self.rooms.values_mut().filter_map(elapsed).collect();
            if reported.is_empty() {
                return;
            }
            self.happen_together(reported).await;
        }
    }

    /// Processes drop by themselves when they are not refreshed.
    fn refresh(&mut self, index: usize, now: Instant) {
        let Some(room) = self.rooms.get_mut(&index) else { return };
        let Some(known) = room.known.clone() else { return };
        let due: Vec<usize> =
            room.leases.iter().filter(|(_, (due, _))| *due <= now).map(|(step, _)| *step).collect();
        for step in due {
            let Some(every) = Room::refreshed_every(&known.brief, step) else { continue };
            room.begin_lease(step, now + every);
            let settings: Vec<_> = known.brief.settings(step, ActionPhase::On).iter().collect();
            self.refreshed += 1;
            let number =
                format!("{}-r{}-{}", self.record.count(), self.refreshed, self.deps.clock.now().at.0);
            let token = room.lease(step);
            let task = Task { room: index, serial: room.serial, act: None, touches: Vec::new() };
            self.actuator.write(&self.setup.facility, &settings, &number, &token, task);
        }
    }

    /// Every room together, on the retained topic.
    pub(super) fn tell_status(&self) {
        let mode = view::together(self).stage.as_str().to_owned();
        self.deps.birth.send_if_modified(|birth| {
            let is_changed = birth.mode != mode;
            birth.mode.clone_from(&mode);
            is_changed
        });
    }
}
