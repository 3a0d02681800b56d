//! Receives orders: judges them, and accepts them in the transaction that stores their first steps.
//!
//! A refused order changes nothing; it is recorded with the reason.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::approval::{Approval, NotApproved};
use linli_domain::audit::{Hash, hex};
use linli_domain::caller::Caller;
use linli_domain::{Id, Topic};
use linli_mode::cap::Alert;
use linli_mode::order::{
    Accepted, Authority, Confirmation, Envelope, Followed, Judgement, Kind, KnownTime, Order, OrderError,
    ReplayGuard, Situation, judge, may_touch,
};
use linli_mode::{Direction, Event, OrderRef, Phase, air_conflict, flows, run_flows};
use linli_store::{Change, Document, NotDurable};
use linli_uplink::InboundOrder;
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::alternate::in_reserve;
use super::commit::Decision;
use super::engine::Engine;
use super::following;
use super::order_numbers::OrderNumbers;
use super::order_outcome::{Outcome, Via};
use super::payload::message;
use super::room::Room;
use super::stored_orders::{PLAN_MARK, REPLAY_GUARD, is_id_used, order_document, plan_mark};
use crate::error::ServiceError;
use crate::refusal_budget::RefusalBudget;
use linli_config::CheckedPlan;
use linli_mode::record::ModeEvent;

/// How often the time that was reached is kept beside the database, at most.
const KEEP_TIME_EVERY: Duration = Duration::from_secs(3600);

/// Refused orders that are put on record in a burst, and per second in the long run: one a minute.
const RECORDED: RefusalBudget = RefusalBudget::of(50.0, 1.0 / 60.0);

/// An event that an order causes in a room.
pub(super) struct RoomOrder {
    pub room: usize,
    pub plan: Arc<CheckedPlan>,
    pub event: Event,
}

// === impl Engine ===

impl Engine {
    /// Receives an order or an alert message from the broker.
    pub(super) async fn receive_order(&mut self, order: &InboundOrder) {
        if order.retained {
            let why = "retained orders are refused: publish it without the retain flag".to_owned();
            let _ = self.finish(Outcome::refused(why), &Via::Broker).await;
            return;
        }
        if let Err(error) = self.order(&order.payload, None, None).await {
            tracing::warn!(%error, "an order could not be handled");
        }
        if !self.stop_orders.has_deferred() {
            // What orders stopped before their turn came is decided.
            for room in std::mem::take(&mut self.stopped_by_order) {
                self.stopped.remove(&room);
            }
        }
    }

    /// Receives an order in any form: COSE bytes, typed text or an alert message; or none, for an order
    /// that waits for its code. `confirmed`: the code that the caller compared on the spot. `caller`: who sent it,
    /// none for the broker. Returns the result as JSON.
    pub(super) async fn order(
        &mut self,
        bytes: &[u8],
        confirmed: Option<&str>,
        caller: Option<&Caller>,
    ) -> Result<Value, ServiceError> {
        let person = caller.and_then(|caller| caller.person.as_ref());
        let via = caller.map_or(Via::Broker, |caller| Via::Caller(caller.acting(person)));
        let via = &via;
        let bytes = match confirmed.filter(|_| bytes.is_empty()) {
            Some(code) => {
                let waiting = self.quarantine.with_code(code).map(|waiting| waiting.bytes.clone());
                waiting.ok_or_else(|| {
                    let why = "no order with this code waits for its comparison: send it again";
                    ServiceError::Unknown(why.to_owned())
                })?
            }
            None => bytes.to_vec(),
        };
        if bytes.trim_ascii_start().starts_with(b"<") {
            return self.receive_message(&bytes, via).await;
        }
        match Envelope::read_any(&bytes) {
            Ok(envelope) => {
                let confirmed = confirmed.zip(caller);
                self.judge(&envelope, confirmed, via).await
            }
            Err(why) => self.finish(Outcome::refused(why), via).await,
        }
    }

    async fn judge(
        &mut self,
        envelope: &Envelope,
        confirmed: Option<(&str, &Caller)>,
        via: &Via,
    ) -> Result<Value, ServiceError> {
        let (order, mut outcome) = (&envelope.order, Outcome::of(envelope));
        if order.kind != Kind::Stop {
            // What an earlier order still has to begin goes first. A stop waits for nothing.
            self.begin_following().await;
        }
        if order.authority == Authority::Local && *via == Via::Broker {
            let why = "an order given on the spot is given on the spot: `linli order send`".to_owned();
            return self.finish(outcome.with(why), via).await;
        }
        let time = self.known_time();
        let code = envelope.code();
        let approved = match confirmed {
            Some((given, _)) if given != code => {
                let why = format!("the code of this order is not {given}: it is another order");
                return self.finish(outcome.with(why), via).await;
            }
            Some((_, caller)) => Some(self.approved(envelope, caller)?),
            None => None,
        };
        let first = approved.as_ref().map(|approved| approved.0.clone());
        let people = approved.map(|approved| approved.1).unwrap_or_default();
        outcome.confirmed_by = people.iter().cloned().collect();
        let judged = match self.judgement(envelope, people, time) {
            Ok(judged) => judged,
            Err(why) => return self.finish(outcome.with(why), via).await,
        };
        let accepted = match judged {
            Ok(Judgement::Accepted(accepted)) => accepted,
            Ok(Judgement::Repeated) => {
                outcome.result = "repeated";
                return self.finish(outcome, via).await;
            }
            Err(refusal) => {
                self.keep_in_quarantine(envelope, &refusal, first);
                return self.finish(outcome.refused_by(&refusal), via).await;
            }
        };
        self.follow(envelope, (outcome, via), accepted, time).await
    }

    /// Follows an order whose signatures, number and time are right.
    async fn follow(
        &mut self,
        envelope: &Envelope,
        (mut outcome, via): (Outcome, &Via),
        accepted: Accepted,
        time: KnownTime,
    ) -> Result<Value, ServiceError> {
        let order = &envelope.order;
        let is_stop = order.kind == Kind::Stop;
        outcome.signers = accepted.signers.iter().map(|signed| signed.person.clone()).collect();
        let is_used = match is_id_used(&self.deps.store, order).await {
            // A stop is executed whatever the disk says.
            Err(error) if is_stop => {
                tracing::error!(%error, "whether the id of a stop is used cannot be read");
                false
            }
            read => read?,
        };
        if is_used {
            let refusal = OrderError::IdUsed { id: order.id.clone() };
            return self.finish(outcome.refused_by(&refusal), via).await;
        }
        let (wanted, following) = match self.room_orders(order, time) {
            Ok(wanted) => wanted,
            Err(why) => return self.finish(outcome.with(why), via).await,
        };
        let (decided, rooms) = self.decisions(order, &wanted, &outcome.signers);
        outcome.rooms = rooms;
        if decided.is_empty() {
            let mut reasons = outcome.rooms.iter().filter_map(|(room, why)| Some((room, why.as_ref()?)));
            let first = reasons.next().map(|(room, why)| format!(": {room}: {why}")).unwrap_or_default();
            return self.finish(outcome.with(format!("no room can follow it now{first}")), via).await;
        }
        let guard = accepted.replay_guard;
        if !is_stop && let Err(error) = self.keep_numbers(&guard).await {
            tracing::error!(%error, "the number of an order cannot be written beside the database");
            let why = format!("its number cannot be written beside the database: {error}");
            return self.finish(outcome.with(why), via).await;
        }
        outcome.result = "accepted";
        self.carry_out(envelope, (outcome, via), guard.clone(), (decided, following)).await?;
        // A stop is executed whatever the disk says, and before its number is kept.
        if is_stop && let Err(error) = self.keep_numbers(&guard).await {
            tracing::error!(%error, "the number of a stop cannot be written beside the database");
        }
        Ok(super::view::status(self))
    }

    /// Stores that an order is accepted, and begins what was decided, now and afterwards.
    async fn carry_out(
        &mut self,
        envelope: &Envelope,
        (outcome, via): (Outcome, &Via),
        replay_guard: ReplayGuard,
        (decided, following): (Vec<Decision>, Vec<RoomOrder>),
    ) -> Result<(), ServiceError> {
        self.quarantine.forget(envelope);
        let at = self.deps.clock.now().at;
        let body = serde_json::to_string(&replay_guard).expect("a replay guard is made of JSON values");
        let document = Document { id: REPLAY_GUARD.to_owned(), kind: REPLAY_GUARD.to_owned(), at, body };
        let following = self.follow_up(&envelope.order, &following, &decided);
        let mut changes = vec![Change::Document(document)];
        changes.extend(following.as_ref().map(|following| following::document(Some(following), at)));
        self.accept(outcome, via, decided, changes, replay_guard).await?;
        if following.is_some() {
            self.following = following;
            self.begin_following().await;
        }
        Ok(())
    }

    /// Keeps a refused order that waits for people on the spot, and forgets one that has expired.
    fn keep_in_quarantine(&mut self, envelope: &Envelope, refusal: &OrderError, first: Option<Approval>) {
        match refusal {
            OrderError::Quarantined { why, .. } => {
                let why = why.iter().map(ToString::to_string).collect();
                let first = first.or_else(|| self.quarantine.find(envelope)?.first.clone());
                self.quarantine.keep(envelope, first, why, Instant::now());
            }
            OrderError::Expired { .. } => self.quarantine.forget(envelope),
            // The same order with another signature does not take it out of quarantine.
            _ => {}
        }
    }

    /// The caller compared the code of an order: returns the first approval so far, and the people whose approval
    /// counts. Bound to the order, its plans, and what they would do now.
    ///
    /// # Errors
    /// When the caller is nobody, or does not complete the first approval.
    fn approved(
        &mut self,
        envelope: &Envelope,
        caller: &Caller,
    ) -> Result<(Approval, BTreeSet<Id>), ServiceError> {
        let refused = |why: NotApproved| ServiceError::Conflict(why.to_string());
        self.person(caller.person.as_ref().map(Id::as_str))?;
        let (subject, now) = (self.subject(envelope), self.began.elapsed());
        let approval = Approval::of(caller, subject, now).map_err(refused)?;
        let alone = |approval: Approval| {
            let people = BTreeSet::from([approval.person.clone()]);
            (approval, people)
        };
        let Some(first) = self.quarantine.find(envelope).and_then(|waiting| waiting.first.clone()) else {
            return Ok(alone(approval));
        };
        match first.completed_by(&approval, caller.is_renewed) {
            Ok(()) => {
                let people = BTreeSet::from([first.person.clone(), approval.person]);
                Ok((first, people))
            }
            Err(why) => {
                if why.voids() {
                    self.quarantine.approve(envelope, approval);
                }
                Err(refused(why))
            }
        }
    }

    /// Hash of an order, of its plans, and of the state that these depend on now.
    fn subject(&self, envelope: &Envelope) -> Hash {
        let target = envelope.order.target_at(&self.setup.centre, &self.setup.sites());
        let names = target.into_iter().flat_map(|target| &target.plans);
        let plans: Vec<_> =
            names.filter_map(|named| self.setup.plan(&named.plan).map(|plan| &**plan)).collect();
        let (preview, _) = super::snapshot::of(self, &plans);
        let mut hash = Hash::default();
        hash.copy_from_slice(digest(&SHA256, &[envelope.hash, preview].concat()).as_ref());
        hash
    }

    /// Judges an order that these people on the spot compared the code of.
    ///
    /// # Errors
    /// When nobody can order anything here.
    fn judgement(
        &self,
        envelope: &Envelope,
        people: BTreeSet<Id>,
        time: KnownTime,
    ) -> Result<Result<Judgement, OrderError>, String> {
        let Some(policy) = &self.setup.people.policy else {
            return Err("nobody here has a key: add [[person.key]] to facility.toml".to_owned());
        };
        let waiting = self.quarantine.find(envelope);
        let confirmation = Confirmation { code: envelope.code(), people };
        let situation = Situation {
            centre: &self.setup.centre,
            keyring: &self.setup.people.keyring,
            policy,
            replay_guard: &self.replay_guard,
            time,
            waited: waiting.map_or(Duration::ZERO, |waiting| waiting.since.elapsed()),
            confirmed: Some(&confirmation),
        };
        Ok(judge(envelope, &situation))
    }

    /// Notes the clock; returns what is known of the time.
    pub(super) fn known_time(&mut self) -> KnownTime {
        self.time.note(self.deps.clock.now(), Instant::now())
    }

    /// Writes the highest numbers beside the database, with the time that was reached.
    async fn keep_numbers(&mut self, guard: &ReplayGuard) -> std::io::Result<()> {
        let (trusted, reached) = (self.time.trusted(), self.time.reached());
        let (numbers, is_lost) = (guard.numbers(), guard.is_lost);
        let kept = OrderNumbers { numbers, is_lost, trusted, reached, ..OrderNumbers::new() };
        let file = self.deps.order_numbers.clone();
        let work = tokio::task::spawn_blocking(move || file.write(&kept));
        let written = self.while_storing(work).await;
        let written = written.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        if written.is_ok() {
            self.time_kept = reached;
        }
        written
    }

    /// Keeps the time that was reached, so that it does not go back with the next process.
    pub(super) async fn keep_time(&mut self) {
        let time = self.known_time().at;
        let every = i64::try_from(KEEP_TIME_EVERY.as_millis()).unwrap_or(i64::MAX);
        // Where nothing is known of earlier orders, a file would look as if there had been none.
        let is_unknown = self.replay_guard.is_lost && self.replay_guard.numbers.is_empty();
        if time.0.saturating_sub(self.time_kept.0).abs() < every || is_unknown {
            return;
        }
        if let Err(error) = self.keep_numbers(&self.replay_guard.clone()).await {
            tracing::warn!(%error, "the time cannot be kept beside the database");
            self.time_kept = time;
        }
    }

    /// Stores an accepted order with its transitions. Each plan that it runs is recorded before it,
    /// once.
    async fn accept(
        &mut self,
        outcome: Outcome,
        via: &Via,
        decided: Vec<Decision>,
        mut changes: Vec<Change>,
        replay_guard: ReplayGuard,
    ) -> Result<(), ServiceError> {
        let mut entries = Vec::new();
        // The plan of a stop is on record since its run began, and nothing is read before it is executed.
        let is_stop = outcome.order.as_ref().is_some_and(|order| order.kind == Kind::Stop);
        for plan in decided.iter().filter(|_| !is_stop).map(Decision::plan) {
            let (entry, change) = self.plan_entry(plan).await?;
            if !entry.iter().all(|entry| entries.contains(entry)) {
                entries.extend(entry);
                changes.extend(change);
            }
        }
        if let Some(order) = &outcome.order {
            changes.push(order_document(order, self.deps.clock.now().at));
        }
        entries.push(outcome.audit_entry(via));
        let record = message(Topic::OrderEvent, self.deps.clock.now().at, outcome.body(via));
        self.deps.events.publish("order", &Value::Object(outcome.body(via)));
        self.record.set_order_numbers(replay_guard.numbers());
        if let Err(error) = self.commit(decided, entries, changes, vec![record]).await {
            self.record.set_order_numbers(self.replay_guard.numbers());
            return Err(error.into());
        }
        self.replay_guard = replay_guard;
        self.publish_sorting();
        self.publish_status();
        self.deps.health.ordered("accepted");
        let rooms = &self.rooms;
        self.orders.retain(|id, _| {
            rooms.values().any(|room| room.state.run.as_ref().is_some_and(|run| run.order.id == *id))
        });
        // The return that it leads to may still have to begin.
        if let Some(order) = &outcome.order {
            self.orders.insert(order.id.clone(), order.clone());
        }
        tracing::warn!(
            order = outcome.order.as_ref().map(|o| o.id.as_str()),
            via = via.as_str(),
            "order accepted"
        );
        Ok(())
    }

    /// Returns the audit entry of a plan and the document that marks it, unless the plan is already
    /// recorded.
    pub(super) async fn plan_entry(
        &self,
        plan: &CheckedPlan,
    ) -> Result<(Vec<ModeEvent>, Vec<Change>), ServiceError> {
        let (key, hash) = (plan.resolved.plan.key(), hex(&plan.hash));
        let id = plan_mark(&key, &hash);
        if self.deps.store.get(&id).await?.is_some() {
            return Ok((Vec::new(), Vec::new()));
        }
        let at = self.deps.clock.now().at;
        let document = Document { id, kind: PLAN_MARK.to_owned(), at, body: "{}".to_owned() };
        let entry = ModeEvent::Plan { plan: key, hash, text: plan.text.to_string() };
        Ok((vec![entry], vec![Change::Document(document)]))
    }

    /// Returns the events that an order causes at once, and those that follow once the first are stored.
    fn room_orders(
        &self,
        order: &Order,
        time: KnownTime,
    ) -> Result<(Vec<RoomOrder>, Vec<RoomOrder>), String> {
        match order.kind {
            Kind::Cancel => Ok((self.cancellations(order)?, Vec::new())),
            Kind::Amend => {
                let cancelled = self.cancellations(order)?;
                let following = self.ordered(order, time)?;
                let plans: Vec<&Arc<CheckedPlan>> = following.iter().map(|wanted| &wanted.plan).collect();
                let conflict = |(place, wanted): (usize, &RoomOrder)| {
                    self.air_conflict(&wanted.plan, &wanted.event, &plans[..place])
                };
                // An amendment cancels nothing if its own plans cannot begin.
                match following.iter().enumerate().find_map(conflict) {
                    Some(why) => Err(why),
                    None => Ok((cancelled, following)),
                }
            }
            Kind::Enter | Kind::Return | Kind::StandDown => Ok((self.ordered(order, time)?, Vec::new())),
            Kind::Stop => Ok((self.stops(order)?, Vec::new())),
        }
    }

    /// Returns why an order may not touch the run of a room; nothing for a room without a run.
    fn may_touch(&self, order: &Order, room: &Room) -> Result<(), String> {
        let Some(run) = &room.state.run else { return Ok(()) };
        let followed = Followed {
            id: &run.order.id,
            class: run.order.class,
            authority: self.orders.get(&run.order.id).map_or(Authority::District, |order| order.authority),
            is_return: run.is_return(),
        };
        may_touch(order, &followed).map_err(|why| why.to_string())
    }

    /// Returns the cancellation of every room that follows a superseded order.
    fn cancellations(&self, order: &Order) -> Result<Vec<RoomOrder>, String> {
        let mut wanted = Vec::new();
        for room in self.rooms.values() {
            let (Some(run), Some(plan)) = (&room.state.run, &room.plan) else { continue };
            if !order.supersedes.contains(&run.order.id) {
                continue;
            }
            self.may_touch(order, room).map_err(|why| format!("{}: {why}", room.id))?;
            if order.kind == Kind::Amend && room.state.phase != Phase::Preview {
                return Err(format!("{} has begun: an order to stand down goes first", room.id));
            }
            let event = Event::Cancel { by: order.id.clone() };
            wanted.push(RoomOrder { room: room.index, plan: Arc::clone(plan), event });
        }
        match wanted.is_empty() {
            true => Err("it takes back no order that runs here: name it in supersedes".to_owned()),
            false => Ok(wanted),
        }
    }

    /// Returns the stop of each room that an order from the broker stops; none if it would not be accepted as one now.
    pub(super) fn stops_of(&mut self, inbound: &InboundOrder) -> Vec<RoomOrder> {
        let envelope = Envelope::read_any(&inbound.payload).ok().filter(|_| !inbound.retained);
        let is_stop = |envelope: &Envelope| {
            envelope.order.kind == Kind::Stop && envelope.order.authority == Authority::District
        };
        let Some(envelope) = envelope.filter(is_stop) else { return Vec::new() };
        let time = self.known_time();
        if !matches!(self.judgement(&envelope, BTreeSet::new(), time), Ok(Ok(Judgement::Accepted(_)))) {
            return Vec::new();
        }
        let mut stops = self.stops(&envelope.order).unwrap_or_default();
        stops.retain(|stop| self.may_touch(&envelope.order, &self.rooms[&stop.room]).is_ok());
        stops
    }

    /// Returns the stop of the rooms whose plans the order names; of all rooms when it names none.
    fn stops(&self, order: &Order) -> Result<Vec<RoomOrder>, String> {
        let target = order
            .target_at(&self.setup.centre, &self.setup.sites())
            .ok_or("it names nothing for a site of this gateway")?;
        let named: BTreeSet<usize> = target
            .plans
            .iter()
            .filter_map(|named| Some(self.setup.plan(&named.plan)?.resolved.room))
            .collect();
        if named.is_empty() && !target.plans.is_empty() {
            return Err("it names no plan that is known here: name none to stop every room".to_owned());
        }
        let runs = self.rooms.values().filter(|room| room.state.run.is_some());
        let rooms = runs.filter(|room| named.is_empty() || named.contains(&room.index));
        let stop = |room: &Room| {
            let plan = Arc::clone(room.plan.as_ref().or_else(|| self.setup.any(room.index))?);
            let event = Event::Stop { by: format!("order {}", order.id) };
            Some(RoomOrder { room: room.index, plan, event })
        };
        let wanted: Vec<RoomOrder> = rooms.filter_map(stop).collect();
        if wanted.is_empty() { Err("no room there follows an order".to_owned()) } else { Ok(wanted) }
    }

    /// Returns the start of every plan that the order names.
    fn ordered(&self, order: &Order, time: KnownTime) -> Result<Vec<RoomOrder>, String> {
        let target = order
            .target_at(&self.setup.centre, &self.setup.sites())
            .ok_or("it names no plan for a site of this gateway")?;
        let mut wanted = Vec::new();
        let direction = match order.kind {
            Kind::Enter | Kind::Amend => Direction::Enter,
            Kind::Return | Kind::StandDown | Kind::Cancel | Kind::Stop => Direction::Return,
        };
        let (mut named_plans, reserve) = (Vec::new(), in_reserve(self, target));
        for named in &target.plans {
            let plan = self.setup.plan(&named.plan).ok_or_else(|| {
                let keys: Vec<String> =
                    self.setup.plans.iter().map(|plan| plan.resolved.plan.key()).collect();
                format!("there is no plan {} here; plans are: {}", named.plan, keys.join(", "))
            })?;
            if plan.hash != named.hash {
                return Err(format!("plan {} is another one here than the order names", named.plan));
            }
            if plan.resolved.plan.direction != direction {
                return Err(format!("plan {} leads the other way", named.plan));
            }
            self.setup.people.is_signed_now(plan, &time).map_err(|why| format!("{} {why}", plan.file))?;
            named_plans.push(&**plan);
            if !reserve.contains(named.plan.as_str()) {
                wanted.push(run(order, plan));
            }
        }
        if let Some(named) = target.snapshot {
            let (found, _) = super::snapshot::of(self, &named_plans);
            if found != named {
                let names: Vec<&str> = target.plans.iter().map(|named| named.plan.as_str()).collect();
                return Err(format!(
                    "what was looked at has changed since then (stale): look again with `linli mode plan {}`",
                    names.join(" ")
                ));
            }
        }
        if target.plans.is_empty() && order.kind == Kind::StandDown {
            let in_scope = self.rooms.values().filter(|room| self.may_touch(order, room).is_ok());
            let entered = in_scope.filter_map(|room| {
                let plan =
                    room.plan.as_ref().filter(|plan| plan.resolved.plan.direction == Direction::Enter)?;
                self.setup.way_back(&plan.resolved)
            });
            wanted.extend(entered.map(|plan| run(order, plan)));
        }
        match wanted.is_empty() {
            true => Err("it names no plan for this centre".to_owned()),
            false => Ok(wanted),
        }
    }

    /// Computes the transition of each room, and why a room cannot follow.
    fn decisions(
        &self,
        order: &Order,
        wanted: &[RoomOrder],
        signers: &[Id],
    ) -> (Vec<Decision>, Vec<(Id, Option<String>)>) {
        let (mut decided, mut rooms) = (Vec::new(), Vec::new());
        let names: Vec<&str> = signers.iter().map(Id::as_str).collect();
        for RoomOrder { room, plan, event } in wanted {
            let id = self.rooms[room].id.clone();
            if let Err(why) = self.may_touch(order, &self.rooms[room]) {
                rooms.push((id, Some(why)));
                continue;
            }
            let beside: Vec<&Arc<CheckedPlan>> = decided.iter().map(Decision::plan).collect();
            if let Some(why) = self.air_conflict(plan, event, &beside) {
                rooms.push((id, Some(why)));
                continue;
            }
            match self.decide(*room, Some(plan), event.clone(), Some(names.join("+")), None) {
                Ok(Some(made)) => {
                    decided.push(made);
                    rooms.push((id, None));
                }
                Ok(None) => rooms.push((id, Some("its plan is no longer in the configuration".to_owned()))),
                Err(refused) => rooms.push((id, Some(refused.to_string()))),
            }
        }
        (decided, rooms)
    }

    /// Returns why a plan cannot begin: rooms on one air handler must not have opposite pressures.
    /// Counts rooms with a run, and the plans in `beside`, which the same order starts.
    pub(super) fn air_conflict(
        &self,
        plan: &CheckedPlan,
        event: &Event,
        beside: &[&Arc<CheckedPlan>],
    ) -> Option<String> {
        let Event::Order(OrderRef { direction: Direction::Enter, .. }) = event else { return None };
        let plans = || self.setup.plans.iter().map(|plan| &plan.resolved.plan);
        let under_way = self.rooms.values().filter_map(|room| {
            let (plan, run) = (room.plan.as_ref()?, room.state.run.as_ref()?);
            Some((room.index, run_flows(run, &plan.resolved.plan, plans())))
        });
        let beside = beside.iter().map(|other| (other.resolved.room, flows(&other.resolved.plan, plans())));
        let others = under_way.chain(beside);
        let (room, pressure) = (plan.resolved.room, plan.resolved.plan.pressure);
        let other = air_conflict(&self.setup.facility, room, pressure, others)?;
        Some(format!("{} shares its air handler and flows the other way", self.rooms[&other].id))
    }

    /// Receives an alert message. It opens a proposal and never moves anything.
    async fn receive_message(&mut self, bytes: &[u8], via: &Via) -> Result<Value, ServiceError> {
        let alert = match Alert::read(bytes) {
            Ok(alert) => alert,
            Err(error) => return self.finish(Outcome::refused(error.to_string()), via).await,
        };
        let proposal = alert.proposes();
        let proposes = proposal.as_ref().map(|p| format!("{} {}", p.class, p.kind.as_str()));
        let (identifier, at) = (alert.identifier.clone(), self.deps.clock.now().at);
        let entry = ModeEvent::Message { identifier, proposes, via: via.as_str().to_owned() };
        self.deps.health.ordered("proposal");
        let body = json!({
            "at": at, "result": "proposal", "identifier": alert.identifier, "sender": alert.sender,
            "proposal": proposal, "via": via.as_str(),
        });
        let Value::Object(members) = body.clone() else { return Ok(body) };
        self.deps.events.publish("order", &body);
        if self.refusals.spend(Instant::now()) {
            let entries = if self.is_recorded("message") { vec![entry] } else { Vec::new() };
            let record = message(Topic::OrderEvent, at, members);
            self.commit(Vec::new(), entries, Vec::new(), vec![record]).await?;
        }
        Ok(body)
    }

    /// Whether one more of what moves nothing is put on record, of its kind: an order, each security alarm, a message,
    /// a request of a person. In the long run fewer are recorded than are told: nobody fills the record with them.
    pub(super) fn is_recorded(&mut self, kind: &'static str) -> bool {
        self.recorded_refusals.entry(kind).or_insert(RECORDED).spend(Instant::now())
    }

    /// Records, publishes and returns the result of an order that moves nothing.
    async fn finish(&mut self, outcome: Outcome, via: &Via) -> Result<Value, ServiceError> {
        let at = self.deps.clock.now().at;
        let is_repeated = outcome.result == "repeated";
        self.deps.health.ordered(outcome.result);
        let body = outcome.body(via);
        // Limits how fast invalid orders can fill the disk and the broker. Nobody who floods it hides an
        // alarm: each kind has a budget of its own.
        let budget = match outcome.alarm {
            Some(alarm) => self.alarm_refusals.entry(alarm).or_default(),
            None => &mut self.refusals,
        };
        if budget.spend(Instant::now()) {
            let (result, reason, word) = (outcome.result, outcome.reason.as_deref(), via.as_str());
            tracing::warn!(result, reason, via = word, "order moves nothing");
            let is_recorded = !is_repeated && self.is_recorded(outcome.alarm.unwrap_or("order"));
            let entries = if is_recorded { vec![outcome.audit_entry(via)] } else { Vec::new() };
            let record = message(Topic::OrderEvent, at, body.clone());
            self.deps.events.publish("order", &Value::Object(body.clone()));
            match self.commit(Vec::new(), entries, Vec::new(), vec![record.clone()]).await {
                // There is no room for it in the record: it is told all the same.
                Err(NotDurable::Full(full)) if is_recorded => {
                    tracing::error!(%full, "a refused order is not put on record");
                    self.commit(Vec::new(), Vec::new(), Vec::new(), vec![record]).await?;
                }
                done => done?,
            }
        }
        Ok(Value::Object(body))
    }
}

/// Returns the event that starts a plan under an order.
pub(super) fn run(order: &Order, plan: &Arc<CheckedPlan>) -> RoomOrder {
    let (direction, key) = (plan.resolved.plan.direction, plan.resolved.plan.key());
    let event = Event::Order(OrderRef { id: order.id.clone(), class: order.class, direction, plan: key });
    RoomOrder { room: plan.resolved.room, plan: Arc::clone(plan), event }
}
