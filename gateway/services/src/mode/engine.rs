//! The engine of the mode switch: the state of every room, and the configuration in use. The sibling
//! modules implement its operations; the loop in `service` calls them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use linli_domain::{Batch, Id, Timestamp};
use linli_drivers::Clock;
use linli_mode::checkpoint::CheckpointSigner;
use linli_mode::order::{Order, ReplayGuard, Sorting};
use linli_mode::{ActionPhase, Event, InForce, ResolvedPlan, Standing, Truth};
use linli_store::Documents;
use linli_uplink::{Birth, InboundOrder};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::actuator::{Actuator, Done, Task};
use super::deferred_queue::DeferredQueue;
use super::evidence::{LatestReadings, Moment};
use super::following::{self, Following};
use super::heads::Heads;
use super::kept;
use super::metrics::Health;
use super::needed::Needed;
use super::order_numbers::OrderNumbersFile;
use super::pending_audit::PendingAudit;
use super::pending_stop::{PendingStop, RECORDED_AGAIN};
use super::policy::{Entered, PolicyPublisher};
use super::quarantine::Quarantine;
use super::record::Record;
use super::request::Asked;
use super::room::{ROOM, Room};
use super::service_rooms::{RoomServices, ServiceEnd};
use super::setup::Setup;
use super::stored_orders;
use super::trusted_time::TrustedTime;
use crate::command_queue::Lanes;
use crate::events::Events;
use crate::outputs::ModeOutputs;
use crate::refusal_budget::RefusalBudget;
use linli_config::CheckedPlan;

/// Capacity of the queue of command results.
const DONE_QUEUE: usize = 256;

/// Dependencies of the mode service.
pub struct Deps {
    /// Stored rooms, orders and audit entries.
    pub store: Documents,
    /// Queues of the command service.
    pub commands: Lanes,
    /// Requests of people.
    pub asked: mpsc::Receiver<Asked>,
    /// Events for the screens.
    pub events: Events,
    /// Wall clock, for labels and expiry times.
    pub clock: Arc<dyn Clock>,
    /// Counters.
    pub health: Arc<Health>,
    /// The configuration of the mode switch, replaced on reload.
    pub setup: watch::Receiver<Arc<Setup>>,
    /// The plans that rooms follow.
    pub needed: watch::Sender<Vec<Needed>>,
    /// Ids of the devices that are read for this service.
    pub evidence: watch::Sender<Arc<BTreeSet<Id>>>,
    /// Contents of the `status` topic.
    pub birth: watch::Sender<Birth>,
    /// Publishes the data policies in force.
    pub policies: PolicyPublisher,
    /// Publishes which outputs obey the mode switch alone.
    pub outputs: watch::Sender<Arc<ModeOutputs>>,
    /// Signs checkpoints of the audit record.
    pub signer: Option<Arc<CheckpointSigner>>,
    /// The numbers of orders beside the database.
    pub order_numbers: OrderNumbersFile,
}

/// The state of every room of this gateway, and the means to execute decisions.
pub struct Engine {
    pub(super) deps: Deps,
    pub(super) setup: Arc<Setup>,
    pub(super) rooms: BTreeMap<usize, Room>,
    pub(super) record: Record,
    pub(super) replay_guard: ReplayGuard,
    pub(super) quarantine: Quarantine,
    /// Start of this process's time, for the rule of two persons.
    pub(super) began: Instant,
    pub(super) refusals: RefusalBudget,
    /// Security alarms have a budget each: no flood of others hides one.
    pub(super) alarm_refusals: BTreeMap<&'static str, RefusalBudget>,
    /// What of refusals is put on record, each kind by itself.
    pub(super) recorded_refusals: BTreeMap<&'static str, RefusalBudget>,
    /// Stops of rooms that a person has stopped already.
    pub(super) stops_again: RefusalBudget,
    /// Orders from the broker that stop something.
    pub(super) stop_orders: DeferredQueue<InboundOrder>,
    /// What orders from the broker are sorted by.
    pub(super) sorting: watch::Sender<Arc<Sorting>>,
    /// How many dropped orders were told of, and when.
    pub(super) dropped: (u64, Option<Instant>),
    /// How late it is at least.
    pub(super) time: TrustedTime,
    /// The time that stands beside the numbers of orders.
    pub(super) time_kept: Timestamp,
    pub(super) readings: LatestReadings,
    pub(super) actuator: Actuator,
    /// Events that could not be stored and are applied again at `retry_at`.
    pub(super) retries: VecDeque<(usize, Event)>,
    pub(super) retry_at: Option<Instant>,
    /// Number of lease renewals and early stops; part of command ids.
    pub(super) command_count: u64,
    /// Rooms whose plan is not that of the configuration, for the record; and those that are held for it.
    pub(super) noticed: Vec<usize>,
    pub(super) to_hold: Vec<usize>,
    /// Stops that are answered when it is known what became of each output.
    pub(super) stops: Vec<PendingStop>,
    /// Executed and not stored yet.
    pub(super) pending: PendingAudit,
    /// Requests that arrived while something was being stored.
    pub(super) waiting: VecDeque<Asked>,
    /// The stop that is being decided; it is answered as soon as it was executed, stored or not.
    pub(super) deciding: Option<PendingStop>,
    /// Rooms whose stop waits to be decided: no further command is sent there.
    pub(super) stopped: BTreeSet<usize>,
    /// Those of them that an order stopped.
    pub(super) stopped_by_order: BTreeSet<usize>,
    /// Rooms that were made safe in a fire that waits to be decided: no further command is sent there.
    pub(super) burning: BTreeSet<usize>,
    /// Readings of devices.
    pub(super) batches: DeferredQueue<Batch>,
    /// Results of commands.
    pub(super) done: DeferredQueue<Done>,
    /// Whether a transition that was carried out began or ended a data policy that is not published yet.
    pub(super) is_policy_changed: bool,
    /// When the next alarm suppression of a policy ends.
    pub(super) policies_until: Option<Instant>,
    /// When the head of the audit record was published.
    pub(super) heads: Heads,
    /// Orders that rooms follow, by id.
    pub(super) orders: BTreeMap<String, Order>,
    /// What an accepted order still has to begin.
    pub(super) following: Option<Following>,
    /// Rooms in the service state.
    pub(super) services: RoomServices,
}

// === impl Engine ===

impl Engine {
    /// Restores every room from the store. [`Self::begin`] then makes the rooms safe and proves their
    /// evidence again.
    pub async fn resume(mut deps: Deps, batches: mpsc::Receiver<Batch>) -> anyhow::Result<Self> {
        let (done, done_results) = mpsc::channel(DONE_QUEUE);
        let mut setup = Setup::clone(&deps.setup.borrow_and_update());
        let record_key = deps.signer.as_ref().map(|signer| signer.verifier().to_string());
        deps.birth.send_modify(|birth| birth.record_key = record_key);
        let actuator = Actuator { commands: deps.commands.clone(), done, clock: Arc::clone(&deps.clock) };
        let now = Moment { instant: Instant::now(), at: deps.clock.now().at };
        let (rooms, noticed, to_hold) = resume_rooms(&deps.store, &mut setup, now).await?;
        let setup = Arc::new(setup);
        let mut record = Record::resume(&deps.store, deps.signer.clone()).await?;
        let kept = deps.order_numbers.read();
        let replay_guard = stored_orders::replay_guard(&deps.store, kept.as_ref()).await?;
        let kept = kept.unwrap_or_default();
        let reached = kept.reached.max(stored_orders::time_on_record(&deps.store).await?);
        let time = TrustedTime::resume(kept.trusted, reached, now.instant);
        record.set_order_numbers(replay_guard.numbers());
        let orders = stored_orders::followed(&deps.store, rooms.values()).await?;
        let following = following::stored(&deps.store).await?;
        let heads = Heads::resume(record.count(), now.instant);
        let mut engine = Self {
            deps,
            setup,
            rooms,
            record,
            replay_guard,
            quarantine: Quarantine::default(),
            began: Instant::now(),
            refusals: RefusalBudget::default(),
            alarm_refusals: BTreeMap::new(),
            recorded_refusals: BTreeMap::new(),
            stops_again: RECORDED_AGAIN,
            stop_orders: DeferredQueue::new(mpsc::channel(1).1),
            sorting: watch::Sender::default(),
            dropped: (0, None),
            time,
            time_kept: reached,
            readings: LatestReadings::default(),
            actuator,
            retries: VecDeque::new(),
            retry_at: None,
            command_count: 0,
            pending: PendingAudit::default(),
            waiting: VecDeque::new(),
            deciding: None,
            stopped: BTreeSet::new(),
            stopped_by_order: BTreeSet::new(),
            burning: BTreeSet::new(),
            batches: DeferredQueue::new(batches),
            done: DeferredQueue::new(done_results),
            noticed,
            to_hold,
            stops: Vec::new(),
            is_policy_changed: false,
            policies_until: None,
            heads,
            orders,
            following,
            services: RoomServices::default(),
        };
        engine.publish_policies();
        engine.publish_outputs();
        engine.publish_needed();
        engine.publish_sorting();
        engine.watch_devices();
        Ok(engine)
    }

    pub(super) fn now(&self) -> Moment {
        Moment { instant: Instant::now(), at: self.deps.clock.now().at }
    }

    /// Takes over a changed configuration, unless a room with a run would lose its plan or the building.
    pub(super) fn take_configuration(&mut self) {
        self.watch_devices();
        let is_same = Arc::ptr_eq(&self.deps.setup.borrow(), &self.setup);
        if !self.deps.setup.has_changed().unwrap_or_default() && is_same {
            return;
        }
        let fresh = Arc::clone(&self.deps.setup.borrow_and_update());
        if *fresh == *self.setup {
            return;
        }
        let keeps = |room: &Room| {
            let same = |plan: &Arc<CheckedPlan>| {
                fresh.plan(&plan.resolved.plan.key()).is_some_and(|other| other.is_same(plan))
            };
            let is_wired = |plan: &Arc<CheckedPlan>| {
                fresh.wiring_of(&plan.resolved) == self.setup.wiring_of(&plan.resolved)
            };
            room.state.run.is_none() || room.plan.as_ref().is_some_and(|plan| same(plan) && is_wired(plan))
        };
        let is_same_building = fresh.facility == self.setup.facility;
        let is_busy = self.rooms.values().any(|room| room.state.run.is_some());
        if is_busy && !(is_same_building && self.rooms.values().all(keeps)) {
            return;
        }
        tracing::info!("took over the changed building, plans and people");
        self.end_services(ServiceEnd::Configuration);
        self.setup = fresh;
        self.rooms.values_mut().for_each(|room| (room.kept, room.wiring_ahead) = (None, None));
        self.publish_outputs();
        self.publish_sorting();
        let rooms = self.setup.rooms();
        self.rooms.retain(|index, room| rooms.contains(index) || room.state.run.is_some());
        for index in rooms {
            if let (false, Some(room)) = (self.rooms.contains_key(&index), Room::new(&self.setup, index)) {
                self.rooms.insert(index, room);
            }
        }
    }

    /// Returns the truth of a predicate by the current readings.
    pub(super) fn truth(&self, resolved: &ResolvedPlan, predicate: usize, now: Instant) -> Truth {
        self.readings.truth(&self.setup, resolved, predicate, now, None, false)
    }

    /// Renews the leases of a room that are due. A process whose lease is not renewed stops by itself.
    pub(super) fn renew_leases(&mut self, index: usize, now: Instant) {
        let Some(room) = self.rooms.get_mut(&index) else { return };
        let Some(plan) = room.plan.clone() else { return };
        let due: Vec<usize> =
            room.leases.iter().filter(|(_, (due, _))| *due <= now).map(|(step, _)| *step).collect();
        for step in due {
            let Some(every) = Room::lease_renewal(&plan.resolved, step) else { continue };
            room.begin_lease(step, now + every);
            let settings: Vec<_> = plan.resolved.settings(step, ActionPhase::On).iter().collect();
            self.command_count += 1;
            let number =
                format!("{}-r{}-{}", self.record.count(), self.command_count, self.deps.clock.now().at.0);
            let token = room.lease(step);
            let task = Task { room: index, serial: room.serial, act: None, safe: None, touches: Vec::new() };
            self.actuator.write(&self.setup.facility, &settings, &number, &token, task);
        }
    }

    /// Publishes the data policies in force.
    pub(super) fn publish_policies(&mut self) {
        let now = Instant::now();
        let entered = self.rooms.values().filter_map(|room| room.entered.as_ref());
        let entered: Vec<(String, &Entered)> =
            entered.map(|entered| (entered.plan.resolved.plan.key(), entered)).collect();
        let standing = entered.iter().map(|(plan, entered)| Standing {
            plan,
            policy: &entered.plan.policy,
            class: entered.class,
            age: entered.age(now),
        });
        let (all, next) = InForce::of(standing);
        self.policies_until = next.map(|left| now + left);
        self.deps.policies.publish(all);
    }
}

/// Restores every room from the store. Returns the rooms, those whose plan or building is another one, and of
/// these the ones to hold.
async fn resume_rooms(
    store: &Documents,
    setup: &mut Setup,
    now: Moment,
) -> anyhow::Result<(BTreeMap<usize, Room>, Vec<usize>, Vec<usize>)> {
    let (mut rooms, mut noticed, mut to_hold) = (BTreeMap::new(), Vec::new(), Vec::new());
    for document in store.of(ROOM, Timestamp(i64::MIN), Timestamp(i64::MAX)).await? {
        let name = document.id.trim_start_matches(ROOM).trim_start_matches('/').to_owned();
        let mut stored = serde_json::from_str(&document.body)?;
        let Some(found) = kept::find(store, setup, &name, &mut stored).await? else {
            if stored.state.run.is_some() {
                tracing::error!(
                    room = name,
                    "a room that was being switched is no longer in facility.toml, and nothing was kept of it: look what its devices do"
                );
            }
            continue;
        };
        let Some(mut room) = Room::resume(setup, found.index, found.plan, stored, now) else { continue };
        if let Some(notice) = found.notice {
            tracing::error!(room = name, "{}", notice.why);
            noticed.push(found.index);
            to_hold.extend(notice.is_held.then_some(found.index));
            room.notice = Some(notice.why);
        }
        rooms.insert(found.index, room);
    }
    for index in setup.rooms() {
        if let (false, Some(room)) = (rooms.contains_key(&index), Room::new(setup, index)) {
            rooms.insert(index, room);
        }
    }
    Ok((rooms, noticed, to_hold))
}
