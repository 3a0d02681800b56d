//! Receives orders: judges them, and accepts them in the transaction that stores their first steps.
//!
//! A refused order changes nothing; it is recorded with the reason.

use std::sync::Arc;

use linli_domain::audit::hex;
use linli_domain::{ClockQuality, Id, Topic};
use linli_mode::cap::Alert;
use linli_mode::order::{Clock, Envelope, Judgement, Kind, LARGEST, Order, OrderError, ReplayGuard, judge};
use linli_mode::{Cause, Direction, Event, OrderRef, Phase, air_conflict, flows, run_flows};
use linli_store::{Change, Document};
use linli_uplink::InboundOrder;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::alternate::is_in_reserve;
use super::commit::Decision;
use super::engine::Engine;
use super::payload::message;
use super::stored_orders::{REPLAY_GUARD, order_document};
use crate::error::ServiceError;
use linli_config::CheckedPlan;
use linli_mode::record::ModeEvent;

/// Most orders in quarantine, waiting for a person to compare their code.
const MOST_QUARANTINED: usize = 8;

/// An event that an order causes in a room.
struct RoomOrder {
    room: usize,
    plan: Arc<CheckedPlan>,
    event: Event,
}

/// The result of an order.
struct Outcome {
    result: &'static str,
    reason: Option<String>,
    order: Option<Order>,
    code: Option<String>,
    signers: Vec<Id>,
    envelope: Option<String>,
    rooms: Vec<(Id, Option<String>)>,
    is_alarm: bool,
}

// === impl Engine ===

impl Engine {
    /// Receives an order or an alert message from the broker.
    pub(super) async fn receive_order(&mut self, order: &InboundOrder) {
        if order.retained {
            let why = "retained orders are refused: publish it without the retain flag".to_owned();
            let _ = self.finish(Outcome::refused(why), "mqtt").await;
            return;
        }
        if let Err(error) = self.order(&order.payload, None, "mqtt").await {
            tracing::warn!(%error, "an order could not be handled");
        }
    }

    /// Receives an order in any form: COSE bytes, typed text, an alert message, or the code of a
    /// quarantined order. Returns its result as JSON.
    pub(super) async fn order(
        &mut self,
        bytes: &[u8],
        code: Option<&str>,
        via: &str,
    ) -> Result<Value, ServiceError> {
        let quarantined = code.filter(|_| bytes.is_empty()).map(|code| self.quarantine.get(code).cloned());
        let bytes = match quarantined {
            Some(Some(bytes)) => bytes,
            Some(None) => {
                return Err(ServiceError::Unknown(
                    "no order with this code waits for its comparison".to_owned(),
                ));
            }
            None => bytes.to_vec(),
        };
        if bytes.trim_ascii_start().starts_with(b"<") {
            return self.receive_message(&bytes, via).await;
        }
        let text = std::str::from_utf8(&bytes).ok().filter(|text| linli_mode::order::text::is_text(text));
        let read = match text {
            Some(text) => linli_mode::order::text::read(text).map_err(|error| format!("{error:#}")),
            None => Ok(bytes),
        };
        let envelope = read.and_then(|bytes| Envelope::read(&bytes).map_err(|error| error.to_string()));
        match envelope {
            Ok(envelope) => self.judge(&envelope, code, via).await,
            Err(why) => self.finish(Outcome::refused(why), via).await,
        }
    }

    async fn judge(
        &mut self,
        envelope: &Envelope,
        code: Option<&str>,
        via: &str,
    ) -> Result<Value, ServiceError> {
        let mut outcome = Outcome::of(envelope);
        let Some(policy) = self.setup.people.policy.clone() else {
            let why = "nobody here has a key: add [[person.key]] to facility.toml".to_owned();
            return self.finish(outcome.with(why), via).await;
        };
        let now = self.deps.clock.now();
        let clock = match (now.clock, code) {
            (ClockQuality::Synchronised, _) => Clock::Synchronised,
            (_, Some(code)) => Clock::Confirmed(code),
            (_, None) => Clock::Free,
        };
        let keyring = &self.setup.people.keyring;
        let judged = judge(envelope, &self.setup.centre, keyring, &policy, &self.replay_guard, now.at, clock);
        let accepted = match judged {
            Ok(Judgement::Accepted(accepted)) => accepted,
            Ok(Judgement::Repeated) => {
                outcome.result = "repeated";
                return self.finish(outcome, via).await;
            }
            Err(refusal) => {
                if let OrderError::Quarantined { code } = &refusal {
                    outcome.result = "quarantined";
                    self.quarantine.insert(code.clone(), envelope.bytes());
                    while self.quarantine.len() > MOST_QUARANTINED {
                        self.quarantine.pop_first();
                    }
                }
                outcome.is_alarm = matches!(refusal, OrderError::Equivocation { .. });
                return self.finish(outcome.with(refusal.to_string()), via).await;
            }
        };
        outcome.signers = accepted.signers.iter().map(|signed| signed.person.clone()).collect();
        let (wanted, following) = match self.room_orders(&envelope.order) {
            Ok(wanted) => wanted,
            Err(why) => return self.finish(outcome.with(why), via).await,
        };
        let (decided, rooms) = self.decisions(&wanted, &outcome.signers);
        outcome.rooms = rooms;
        if decided.is_empty() {
            let why = "no room can follow it now".to_owned();
            return self.finish(outcome.with(why), via).await;
        }
        outcome.result = "accepted";
        self.quarantine.remove(&envelope.code());
        let at = now.at;
        let body =
            serde_json::to_string(&accepted.replay_guard).expect("a replay guard is made of JSON values");
        let document = Document { id: REPLAY_GUARD.to_owned(), kind: REPLAY_GUARD.to_owned(), at, body };
        self.accept(outcome, via, decided, Change::Document(document), accepted.replay_guard).await?;
        self.apply_orders(following).await;
        self.begin_return(&envelope.order).await;
        Ok(super::view::status(self))
    }

    /// Stores an accepted order with its transitions. Each plan that it runs is recorded before it,
    /// once.
    async fn accept(
        &mut self,
        outcome: Outcome,
        via: &str,
        decided: Vec<Decision>,
        document: Change,
        replay_guard: ReplayGuard,
    ) -> Result<(), ServiceError> {
        let (mut entries, mut changes) = (Vec::new(), vec![document]);
        for plan in decided.iter().map(Decision::plan) {
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
        self.deps.events.tell("order", &Value::Object(outcome.body(via)));
        self.commit(decided, entries, changes, vec![record]).await?;
        self.replay_guard = replay_guard;
        self.deps.health.ordered("accepted");
        if let Some(order) = &outcome.order {
            self.orders.insert(order.id.clone(), order.clone());
        }
        let rooms = &self.rooms;
        self.orders.retain(|id, _| {
            rooms.values().any(|room| room.state.run.as_ref().is_some_and(|run| run.order.id == *id))
        });
        tracing::warn!(order = outcome.order.as_ref().map(|o| o.id.as_str()), via, "order accepted");
        Ok(())
    }

    /// Returns the audit entry of a plan and the document that marks it, unless the plan is already
    /// recorded.
    pub(super) async fn plan_entry(
        &self,
        plan: &CheckedPlan,
    ) -> Result<(Vec<ModeEvent>, Vec<Change>), ServiceError> {
        let (key, hash) = (plan.brief.plan.key(), hex(&plan.hash));
        let id = format!("mode-plan/{key}/{hash}");
        if self.deps.store.get(&id).await?.is_some() {
            return Ok((Vec::new(), Vec::new()));
        }
        let at = self.deps.clock.now().at;
        let document = Document { id, kind: "mode-plan".to_owned(), at, body: "{}".to_owned() };
        let entry = ModeEvent::Plan { plan: key, hash, text: plan.text.to_string() };
        Ok((vec![entry], vec![Change::Document(document)]))
    }

    /// Returns the events that an order causes at once, and those that follow once the first are stored.
    fn room_orders(&self, order: &Order) -> Result<(Vec<RoomOrder>, Vec<RoomOrder>), String> {
        let cancelled = match order.kind {
            Kind::Cancel | Kind::Amend => self.cancellations(order)?,
            Kind::Enter | Kind::Return | Kind::StandDown => Vec::new(),
        };
        match order.kind {
            Kind::Cancel => Ok((cancelled, Vec::new())),
            Kind::Amend => {
                let following = self.ordered(order)?;
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
            Kind::Enter | Kind::Return | Kind::StandDown => Ok((self.ordered(order)?, Vec::new())),
        }
    }

    /// Returns the cancellation of every room that follows a superseded order.
    fn cancellations(&self, order: &Order) -> Result<Vec<RoomOrder>, String> {
        let mut wanted = Vec::new();
        for room in self.rooms.values() {
            let (Some(run), Some(plan)) = (&room.state.run, &room.plan) else { continue };
            if !order.supersedes.contains(&run.order.id) {
                continue;
            }
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

    /// Returns the start of every plan that the order names.
    fn ordered(&self, order: &Order) -> Result<Vec<RoomOrder>, String> {
        let target = order
            .target_at(&self.setup.centre, &self.setup.sites())
            .ok_or("it names no plan for a site of this gateway")?;
        let mut wanted = Vec::new();
        let direction = match order.kind {
            Kind::Enter | Kind::Amend => Direction::Enter,
            Kind::Return | Kind::StandDown | Kind::Cancel => Direction::Return,
        };
        let mut named_plans = Vec::new();
        for named in &target.plans {
            let plan = self.setup.plan(&named.plan).ok_or_else(|| {
                let keys: Vec<String> = self.setup.plans.iter().map(|plan| plan.brief.plan.key()).collect();
                format!("there is no plan {} here; plans are: {}", named.plan, keys.join(", "))
            })?;
            if plan.hash != named.hash {
                return Err(format!("plan {} is another one here than the order names", named.plan));
            }
            if plan.brief.plan.direction != direction {
                return Err(format!("plan {} leads the other way", named.plan));
            }
            named_plans.push(&**plan);
            if !is_in_reserve(self, target, &named.plan) {
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
            let entered = self.rooms.values().filter_map(|room| {
                let plan = room.plan.as_ref().filter(|plan| plan.brief.plan.direction == Direction::Enter)?;
                self.setup.way_back(&plan.brief)
            });
            wanted.extend(entered.map(|plan| run(order, plan)));
        }
        match wanted.is_empty() {
            true => Err("it names no plan for this centre".to_owned()),
            false => Ok(wanted),
        }
    }

    /// Computes the transition of each room, and why a room cannot follow.
    fn decisions(&self, wanted: &[RoomOrder], signers: &[Id]) -> (Vec<Decision>, Vec<(Id, Option<String>)>) {
        let (mut decided, mut rooms) = (Vec::new(), Vec::new());
        let names: Vec<&str> = signers.iter().map(Id::as_str).collect();
        for RoomOrder { room, plan, event } in wanted {
            let id = self.rooms[room].id.clone();
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
        let plans = || self.setup.plans.iter().map(|plan| &plan.brief.plan);
        let under_way = self.rooms.values().filter_map(|room| {
            let (plan, run) = (room.plan.as_ref()?, room.state.run.as_ref()?);
            Some((room.index, run_flows(run, &plan.brief.plan, plans())))
        });
        let beside = beside.iter().map(|other| (other.brief.room, flows(&other.brief.plan, plans())));
        let others = under_way.chain(beside);
        let (room, pressure) = (plan.brief.room, plan.brief.plan.pressure);
        let other = air_conflict(&self.setup.facility, room, pressure, others)?;
        Some(format!("{} shares its air handler and flows the other way", self.rooms[&other].id))
    }

    /// Applies events that follow once the first transitions are stored.
    async fn apply_orders(&mut self, following: Vec<RoomOrder>) {
        for RoomOrder { room, plan, event } in following {
            let decided = self.decide(room, Some(&plan), event, Some("the order".to_owned()), None);
            match decided {
                Ok(Some(decided)) => {
                    if let Err(error) = self.commit(vec![decided], Vec::new(), Vec::new(), Vec::new()).await {
                        tracing::error!(%error, plan = plan.brief.plan.key(), "the plan could not begin: send the order again");
                    }
                }
                Ok(None) => {}
                Err(refused) => {
                    tracing::error!(%refused, plan = plan.brief.plan.key(), "the plan could not begin")
                }
            }
        }
    }

    /// Starts the return plan of every room whose run was cancelled after it had begun.
    async fn begin_return(&mut self, order: &Order) {
        if order.kind != Kind::Cancel {
            return;
        }
        let cancelled = self.rooms.values().filter_map(|room| {
            let ran = room.state.run.as_ref()?;
            let is_cancelled = ran.causes.contains(&Cause::Cancel) && !ran.is_return();
            let plan = room.plan.as_ref().filter(|_| is_cancelled)?;
            let back = self.setup.way_back(&plan.brief)?;
            Some(run(&Order { class: ran.order.class, ..order.clone() }, back))
        });
        let cancelled: Vec<RoomOrder> = cancelled.collect();
        self.apply_orders(cancelled).await;
    }

    /// Receives an alert message. It opens a proposal and never moves anything.
    async fn receive_message(&mut self, bytes: &[u8], via: &str) -> Result<Value, ServiceError> {
        let alert = match Alert::read(bytes) {
            Ok(alert) => alert,
            Err(error) => return self.finish(Outcome::refused(error.to_string()), via).await,
        };
        let proposal = alert.proposes();
        let proposes = proposal.as_ref().map(|p| format!("{} {}", p.class, p.kind.as_str()));
        let (identifier, at) = (alert.identifier.clone(), self.deps.clock.now().at);
        let entry = ModeEvent::Message { identifier, proposes, via: via.to_owned() };
        self.deps.health.ordered("proposal");
        let body = json!({
            "at": at, "result": "proposal", "identifier": alert.identifier, "sender": alert.sender,
            "proposal": proposal, "via": via,
        });
        let Value::Object(members) = body.clone() else { return Ok(body) };
        self.deps.events.tell("order", &body);
        if self.refusals.spend(Instant::now()) {
            let record = message(Topic::OrderEvent, at, members);
            self.commit(Vec::new(), vec![entry], Vec::new(), vec![record]).await?;
        }
        Ok(body)
    }

    /// Records, publishes and returns the result of an order that moves nothing.
    async fn finish(&mut self, outcome: Outcome, via: &str) -> Result<Value, ServiceError> {
        let at = self.deps.clock.now().at;
        let is_repeated = outcome.result == "repeated";
        self.deps.health.ordered(outcome.result);
        let body = outcome.body(via);
        tracing::warn!(result = outcome.result, reason = outcome.reason, via, "order moves nothing");
        // Limits how fast invalid orders can fill the disk and the broker.
        if self.refusals.spend(Instant::now()) {
            let entries = if is_repeated { Vec::new() } else { vec![outcome.audit_entry(via)] };
            let record = message(Topic::OrderEvent, at, body.clone());
            self.deps.events.tell("order", &Value::Object(body.clone()));
            self.commit(Vec::new(), entries, Vec::new(), vec![record]).await?;
        }
        Ok(Value::Object(body))
    }
}

/// Returns the event that starts a plan under an order.
fn run(order: &Order, plan: &Arc<CheckedPlan>) -> RoomOrder {
    let (direction, key) = (plan.brief.plan.direction, plan.brief.plan.key());
    let event = Event::Order(OrderRef { id: order.id.clone(), class: order.class, direction, plan: key });
    RoomOrder { room: plan.brief.room, plan: Arc::clone(plan), event }
}

// === impl Outcome ===

impl Outcome {
    fn refused(why: String) -> Self {
        Self {
            result: "refused",
            reason: Some(why),
            order: None,
            code: None,
            signers: Vec::new(),
            envelope: None,
            rooms: Vec::new(),
            is_alarm: false,
        }
    }

    fn of(envelope: &Envelope) -> Self {
        let bytes = envelope.bytes();
        Self {
            result: "refused",
            reason: None,
            order: Some(envelope.order.clone()),
            code: Some(envelope.code()),
            signers: Vec::new(),
            envelope: (bytes.len() <= LARGEST).then(|| hex(&bytes)),
            rooms: Vec::new(),
            is_alarm: false,
        }
    }

    fn with(self, why: String) -> Self {
        Self { reason: Some(why), ..self }
    }

    fn audit_entry(&self, via: &str) -> ModeEvent {
        ModeEvent::Order {
            result: self.result.to_owned(),
            reason: self.reason.clone(),
            order: self.order.as_ref().map(|order| order.id.clone()),
            signers: self.signers.clone(),
            via: via.to_owned(),
            envelope: self.envelope.clone(),
        }
    }

    fn body(&self, via: &str) -> Map<String, Value> {
        let order = self.order.as_ref();
        let rooms: Vec<Value> =
            self.rooms.iter().map(|(room, why)| json!({"room": room, "refused": why})).collect();
        let body = json!({
            "result": self.result, "reason": self.reason, "order": order.map(|o| &o.id),
            "kind": order.map(|o| o.kind.as_str()), "class": order.map(|o| o.class),
            "number": order.map(|o| o.seq), "code": self.code, "signers": self.signers, "rooms": rooms,
            "security_alarm": self.is_alarm, "via": via,
        });
        match body {
            Value::Object(body) => body,
            _ => Map::new(),
        }
    }
}
