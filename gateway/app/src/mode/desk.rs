//! The task: owns every room's state. What is decided is durable before it is carried out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use linli_domain::checkpoint::CheckpointSigner;
use linli_domain::mode::{ActionPhase, Event, ResolvedPlan, Truth};
use linli_domain::order::{Order, ReplayGuard};
use linli_domain::{Batch, Timestamp};
use linli_drivers::Clock;
use linli_store::Book;
use linli_uplink::{Birth, InboundOrder};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, sleep_until};

use super::evidence::{Moment, Seen};
use super::figures::Health;
use super::hands::{Done, Hands, Task};
use super::happening::Told;
use super::heads::Heads;
use super::policy::Telling;
use super::record::{Record, What};
use super::request::Asked;
use super::room::{ROOM, Room};
use super::setup::Setup;
use super::shown;
use super::urgent::Owed;
use crate::VERSION;
use crate::commands::Lanes;
use crate::config::Known;
use crate::events::Events;

/// Values that grow too old are noticed with this precision.
const LOOK: Duration = Duration::from_millis(250);

/// Ends of acts waiting at the desk.
const DONE_QUEUE: usize = 256;

/// What the task is made of.
pub struct Parts {
    /// Where everything is kept.
    pub store: Book,
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
    /// Where it is told which data policies hold.
    pub telling: Telling,
    /// Signs for the record.
    pub keeper: Option<Arc<CheckpointSigner>>,
}

/// The task.
pub struct Desk {
    pub(super) parts: Parts,
    pub(super) setup: Arc<Setup>,
    pub(super) rooms: BTreeMap<usize, Room>,
    pub(super) record: Record,
    pub(super) ledger: ReplayGuard,
    pub(super) quarantine: BTreeMap<String, Vec<u8>>,
    pub(super) refusals: crate::commands::RefusalBudget,
    pub(super) seen: Seen,
    pub(super) hands: Hands,
    done: Option<mpsc::Receiver<Done>>,
    /// What happened and could not be made durable yet.
    pub(super) again: VecDeque<(usize, Event)>,
    pub(super) again_at: Option<Instant>,
    /// Counts refreshments.
    pub(super) refreshed: u64,
    /// Rooms that began in another building than there is now.
    strange: Vec<usize>,
    /// What had to be done before it could be written.
    pub(super) owed: Owed,
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

// === impl Desk ===

impl Desk {
    /// Goes on where every room was when the process ended: safe, and proven anew.
    pub async fn resume(mut parts: Parts) -> anyhow::Result<Self> {
        let setup = Arc::clone(&parts.setup.borrow_and_update());
        let record_key = parts.keeper.as_ref().map(|keeper| keeper.verifier().to_string());
        parts.birth.send_modify(|birth| birth.record_key = record_key);
        let (tell, done) = mpsc::channel(DONE_QUEUE);
        let hands = Hands { commands: parts.commands.clone(), done: tell, clock: Arc::clone(&parts.clock) };
        let now = Moment { instant: Instant::now(), at: parts.clock.now().at };
        let (mut rooms, mut strange) = (BTreeMap::new(), Vec::new());
        for page in parts.store.of(ROOM, Timestamp(i64::MIN), Timestamp(i64::MAX)).await? {
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
        let record = Record::resume(&parts.store, parts.keeper.clone()).await?;
        let ledger = super::orders::ledger(&parts.store).await?;
        let orders = super::orders::followed(&parts.store, rooms.values()).await?;
        let heads = Heads::resume(record.count(), now.instant);
        let mut desk = Self {
            parts,
            setup,
            rooms,
            record,
            ledger,
            quarantine: BTreeMap::new(),
            refusals: crate::commands::RefusalBudget::default(),
            seen: Seen::default(),
            hands,
            done: Some(done),
            again: VecDeque::new(),
            again_at: None,
            refreshed: 0,
            owed: Owed::default(),
            waiting: VecDeque::new(),
            stopped: BTreeSet::new(),
            strange,
            ruled_until: None,
            heads,
            orders,
        };
        desk.rule();
        Ok(desk)
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
            let next = self.waiting.pop_front().or_else(|| self.parts.asked.try_recv().ok());
            if let Some(asked) = next {
                self.serve(asked).await;
            }
            let is_waited = !self.waiting.is_empty();
            let more = [self.again_at, self.ruled_until, self.heads.due(self.record.count())];
            let due = self.rooms.values().filter_map(Room::due).chain(more.into_iter().flatten()).min();
            tokio::select! {
                Some(asked) = self.parts.asked.recv() => self.serve(asked).await,
                () = std::future::ready(()), if is_waited => {}
                batch = batches.recv() => match batch {
                    Some(batch) => self.see(batch, &mut batches).await,
                    None => return,
                },
                Some(first) = done.recv() => self.ended(first, &mut done).await,
                Some(order) = orders.recv() => self.order_came(&order).await,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => self.time().await,
                changed = self.parts.setup.changed(), if is_open => {
                    is_open = changed.is_ok();
                    self.follow();
                }
                _ = look.tick() => {
                    self.follow();
                    self.look(None).await;
                    self.propose().await;
                    self.figure();
                }
            }
        }
    }

    /// Every room hears that the process started, and nothing is known.
    async fn begin(&mut self) {
        let has_run = self.rooms.values().any(|room| room.state.run.is_some());
        if has_run || self.record.count() > 0 {
            let boot = self.parts.birth.borrow().boot.clone();
            self.owed.lines.push(What::Started { version: VERSION.to_owned(), boot });
        }
        let why = "the building was changed while the room was switched".to_owned();
        for room in self.strange.iter().filter_map(|index| self.rooms.get(index)) {
            let state = Box::new(room.state.clone());
            self.owed.lines.push(What::Reset { room: room.id.clone(), why: why.clone(), state });
        }
        let all = self.rooms.keys().map(|room| Told::of(*room, Event::Restarted)).collect();
        self.happen_together(all).await;
        for room in std::mem::take(&mut self.strange) {
            self.happen(room, Event::Stop { by: why.clone() }).await;
        }
        self.tell_status();
    }

    pub(super) fn now(&self) -> Moment {
        Moment { instant: Instant::now(), at: self.parts.clock.now().at }
    }

    /// Takes over a changed configuration, unless a room in the middle of a run would lose its plan.
    fn follow(&mut self) {
        let is_same = Arc::ptr_eq(&self.parts.setup.borrow(), &self.setup);
        if !self.parts.setup.has_changed().unwrap_or_default() && is_same {
            return;
        }
        let fresh = Arc::clone(&self.parts.setup.borrow_and_update());
        if *fresh == *self.setup {
            return;
        }
        let keeps = |room: &Room| {
            let same = |known: &Arc<Known>| {
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
        self.seen.truth(&self.setup, brief, atom, now, None, false)
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
                Some(Told::of(room.index, Event::Elapsed(timer)))
            };
            let told: Vec<Told> = self.rooms.values_mut().filter_map(elapsed).collect();
            if told.is_empty() {
                return;
            }
            self.happen_together(told).await;
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
                format!("{}-r{}-{}", self.record.count(), self.refreshed, self.parts.clock.now().at.0);
            let token = room.lease(step);
            let task = Task { room: index, serial: room.serial, act: None, touches: Vec::new() };
            self.hands.write(&self.setup.facility, &settings, &number, &token, task);
        }
    }

    /// Every room together, on the retained topic.
    pub(super) fn tell_status(&self) {
        let mode = shown::together(self).stage.as_str().to_owned();
        self.parts.birth.send_if_modified(|birth| {
            let is_changed = birth.mode != mode;
            birth.mode.clone_from(&mode);
            is_changed
        });
    }
}
