//! Orders: judged, then accepted in the transaction in which their first steps become durable.
//!
//! Whatever is refused is on record with its reason, and nothing moves.

use std::collections::BTreeMap;
use std::sync::Arc;

use linli_domain::audit::hex;
use linli_domain::{ClockQuality, Id, Topic};
use linli_mode::cap::Alert;
use linli_mode::order::{
    Clock, Envelope, Judgement, Kind, LARGEST, Order, OrderError as Unfit, ReplayGuard, judge,
};
use linli_mode::{Cause, Direction, Event, OrderRef, Phase, air_conflict, flows};
use linli_store::{Change, Document, Documents};
use linli_uplink::InboundOrder;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::alternate::is_in_reserve;
use super::commit::Decided;
use super::payload::message;
use super::room::Room;
use super::service::ModeService;
use crate::error::ServiceError;
use linli_config::CheckedPlan;
use linli_mode::record::ModeEvent;

/// The page with what was accepted before.
const LEDGER: &str = "mode-ledger";

/// Orders that wait for somebody to compare their code.
const WAITING: usize = 8;

/// A room and what an order asks of it.
struct Wanted {
    room: usize,
    known: Arc<CheckedPlan>,
    event: Event,
}

/// What became of an order.
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

/// The ledger as it was kept.
pub async fn ledger(book: &Documents) -> anyhow::Result<ReplayGuard> {
    Ok(match book.get(LEDGER).await? {
        Some(page) => serde_json::from_str(&page.body)?,
        None => ReplayGuard::default(),
    })
}

/// Kind of the pages with accepted orders.
const ORDER: &str = "mode-order";

fn order_page(order: &Order, at: linli_domain::Timestamp) -> Change {
    let body = serde_json::to_string(order).expect("an order is made of JSON values");
    Change::Document(Document { id: format!("{ORDER}/{}", order.id), kind: ORDER.to_owned(), at, body })
}

/// The orders that rooms follow.
pub async fn followed(
    book: &Documents,
    rooms: impl Iterator<Item = &Room>,
) -> anyhow::Result<BTreeMap<String, Order>> {
    let mut found = BTreeMap::new();
    for room in rooms {
        let Some(run) = &room.state.run else { continue };
        let page = book.get(&format!("{ORDER}/{}", run.order.id)).await?;
        if let Some(order) = page.and_then(|page| serde_json::from_str(&page.body).ok()) {
            found.insert(run.order.id.clone(), order);
        }
    }
    Ok(found)
}

// === impl ModeService ===

impl ModeService {
    /// An order, or a message that proposes one, from the broker.
    pub(super) async fn order_came(&mut self, order: &InboundOrder) {
        if order.retained {
            let why = "retained orders are refused: publish it without the retain flag".to_owned();
            let _ = self.end(Outcome::refused(why), "mqtt").await;
            return;
        }
        if let Err(error) = self.order(&order.payload, None, "mqtt").await {
            tracing::warn!(%error, "order");
        }
    }

    /// Takes an order in any form: bytes, text, a message. The answer says what became of it.
    pub(super) async fn order(
        &mut self,
        bytes: &[u8],
        code: Option<&str>,
        via: &str,
    ) -> Result<Value, ServiceError> {
        let kept = code.filter(|_| bytes.is_empty()).map(|code| self.quarantine.get(code).cloned());
        let bytes = match kept {
            Some(Some(kept)) => kept,
            Some(None) => {
                return Err(ServiceError::Unknown(
                    "no order with this code waits for its comparison".to_owned(),
                ));
            }
            None => bytes.to_vec(),
        };
        if bytes.trim_ascii_start().starts_with(b"<") {
            return self.message(&bytes, via).await;
        }
        let text = std::str::from_utf8(&bytes).ok().filter(|text| linli_mode::order::text::is_text(text));
        let read = match text {
            Some(text) => linli_mode::order::text::read(text).map_err(|error| format!("{error:#}")),
            None => Ok(bytes),
        };
        let envelope = read.and_then(|bytes| Envelope::read(&bytes).map_err(|error| error.to_string()));
        match envelope {
            Ok(envelope) => self.judge(&envelope, code, via).await,
            Err(why) => self.end(Outcome::refused(why), via).await,
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
            return self.end(outcome.with(why), via).await;
        };
        let now = self.deps.clock.now();
        let clock = match (now.clock, code) {
            (ClockQuality::Synchronised, _) => Clock::Synchronised,
            (_, Some(code)) => Clock::Confirmed(code),
            (_, None) => Clock::Free,
        };
        let keyring = &self.setup.people.keyring;
        let judged = judge(envelope, &self.setup.centre, keyring, &policy, &self.ledger, now.at, clock);
        let accepted = match judged {
            Ok(Judgement::Accepted(accepted)) => accepted,
            Ok(Judgement::Repeated) => {
                outcome.result = "repeated";
                return self.end(outcome, via).await;
            }
            Err(unfit) => {
                if let Unfit::Quarantined { code } = &unfit {
                    outcome.result = "quarantined";
                    self.quarantine.insert(code.clone(), envelope.bytes());
                    while self.quarantine.len() > WAITING {
                        self.quarantine.pop_first();
                    }
                }
                outcome.is_alarm = matches!(unfit, Unfit::Equivocation { .. });
                return self.end(outcome.with(unfit.to_string()), via).await;
            }
        };
        outcome.signers = accepted.signers.iter().map(|signed| signed.person.clone()).collect();
        let (wanted, then) = match self.wanted(&envelope.order) {
            Ok(wanted) => wanted,
            Err(why) => return self.end(outcome.with(why), via).await,
        };
        let (decided, rooms) = self.decided(&wanted, &outcome.signers);
        outcome.rooms = rooms;
        if decided.is_empty() {
            let why = "no room can follow it now".to_owned();
            return self.end(outcome.with(why), via).await;
        }
        outcome.result = "accepted";
        self.quarantine.remove(&envelope.code());
        let at = now.at;
        let body = serde_json::to_string(&accepted.replay_guard).expect("a ledger is made of JSON values");
        let page = Document { id: LEDGER.to_owned(), kind: LEDGER.to_owned(), at, body };
        self.accept(outcome, via, decided, Change::Document(page), accepted.replay_guard).await?;
        self.go_on(then).await;
        self.go_back(&envelope.order).await;
        Ok(super::view::status(self))
    }

    /// Plans that an order runs are on record before it, once each.
    async fn accept(
        &mut self,
        outcome: Outcome,
        via: &str,
        decided: Vec<Decided>,
        page: Change,
        ledger: ReplayGuard,
    ) -> Result<(), ServiceError> {
        let (mut lines, mut changes) = (Vec::new(), vec![page]);
        for known in decided.iter().map(Decided::plan) {
            let (line, change) = self.plan_lines(known).await?;
            if !line.iter().all(|line| lines.contains(line)) {
                lines.extend(line);
                changes.extend(change);
            }
        }
        if let Some(order) = &outcome.order {
            changes.push(order_page(order, self.deps.clock.now().at));
        }
        lines.push(outcome.line(via));
        let record = message(Topic::OrderEvent, self.deps.clock.now().at, outcome.body(via));
        self.deps.events.tell("order", &Value::Object(outcome.body(via)));
        self.settle(decided, lines, changes, vec![record]).await?;
        self.ledger = ledger;
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

    /// A plan's line of the record, if it is not there yet.
    pub(super) async fn plan_lines(
        &self,
        known: &CheckedPlan,
    ) -> Result<(Vec<ModeEvent>, Vec<Change>), ServiceError> {
        let (key, hash) = (known.brief.plan.key(), hex(&known.hash));
        let id = format!("mode-plan/{key}/{hash}");
        if self.deps.store.get(&id).await?.is_some() {
            return Ok((Vec::new(), Vec::new()));
        }
        let at = self.deps.clock.now().at;
        let page = Document { id, kind: "mode-plan".to_owned(), at, body: "{}".to_owned() };
        let line = ModeEvent::Plan { plan: key, hash, text: known.text.to_string() };
        Ok((vec![line], vec![Change::Document(page)]))
    }

    /// What an order asks of which rooms: at once, and after that.
    fn wanted(&self, order: &Order) -> Result<(Vec<Wanted>, Vec<Wanted>), String> {
        let taken_back = match order.kind {
            Kind::Cancel | Kind::Amend => self.taken_back(order)?,
            Kind::Enter | Kind::Return | Kind::StandDown => Vec::new(),
        };
        match order.kind {
            Kind::Cancel => Ok((taken_back, Vec::new())),
            Kind::Amend => {
                let then = self.ordered(order)?;
                let plans: Vec<&Arc<CheckedPlan>> = then.iter().map(|wanted| &wanted.known).collect();
                let conflict = |(place, wanted): (usize, &Wanted)| {
                    self.air_conflict(&wanted.known, &wanted.event, &plans[..place])
                };
                // Nothing is taken back for what cannot begin.
                match then.iter().enumerate().find_map(conflict) {
                    Some(why) => Err(why),
                    None => Ok((taken_back, then)),
                }
            }
            Kind::Enter | Kind::Return | Kind::StandDown => Ok((self.ordered(order)?, Vec::new())),
        }
    }

    /// Rooms that follow an order which is taken back.
    fn taken_back(&self, order: &Order) -> Result<Vec<Wanted>, String> {
        let mut wanted = Vec::new();
        for room in self.rooms.values() {
            let (Some(run), Some(known)) = (&room.state.run, &room.known) else { continue };
            if !order.supersedes.contains(&run.order.id) {
                continue;
            }
            if order.kind == Kind::Amend && room.state.phase != Phase::Preview {
                return Err(format!("{} has begun: an order to stand down goes first", room.id));
            }
            let event = Event::Cancel { by: order.id.clone() };
            wanted.push(Wanted { room: room.index, known: Arc::clone(known), event });
        }
        match wanted.is_empty() {
            true => Err("it takes back no order that runs here: name it in supersedes".to_owned()),
            false => Ok(wanted),
        }
    }

    /// The plans that an order runs.
    fn ordered(&self, order: &Order) -> Result<Vec<Wanted>, String> {
        let target = order
            .target_at(&self.setup.centre, &self.setup.sites())
            .ok_or("it names no plan for a site of this gateway")?;
        let mut wanted = Vec::new();
        let direction = match order.kind {
            Kind::Enter | Kind::Amend => Direction::Enter,
            Kind::Return | Kind::StandDown | Kind::Cancel => Direction::Return,
        };
        let mut readings = Vec::new();
        for named in &target.plans {
            let known = self.setup.plan(&named.plan).ok_or_else(|| {
                let keys: Vec<String> = self.setup.plans.iter().map(|known| known.brief.plan.key()).collect();
                format!("there is no plan {} here; plans are: {}", named.plan, keys.join(", "))
            })?;
            if known.hash != named.hash {
                return Err(format!("plan {} is another one here than the order names", named.plan));
            }
            if known.brief.plan.direction != direction {
                return Err(format!("plan {} leads the other way", named.plan));
            }
            readings.push(&**known);
            if !is_in_reserve(self, target, &named.plan) {
                wanted.push(run(order, known));
            }
        }
        if let Some(asked) = target.snapshot {
            let (found, _) = super::snapshot::of(self, &readings);
            if found != asked {
                let names: Vec<&str> = target.plans.iter().map(|named| named.plan.as_str()).collect();
                return Err(format!(
                    "what was looked at has changed since then (stale): look again with `linli mode plan {}`",
                    names.join(" ")
                ));
            }
        }
        if target.plans.is_empty() && order.kind == Kind::StandDown {
            let entered = self.rooms.values().filter_map(|room| {
                let known =
                    room.known.as_ref().filter(|known| known.brief.plan.direction == Direction::Enter)?;
                self.setup.way_back(&known.brief)
            });
            wanted.extend(entered.map(|known| run(order, known)));
        }
        match wanted.is_empty() {
            true => Err("it names no plan for this centre".to_owned()),
            false => Ok(wanted),
        }
    }

    /// What each room makes of it.
    fn decided(&self, wanted: &[Wanted], signers: &[Id]) -> (Vec<Decided>, Vec<(Id, Option<String>)>) {
        let (mut decided, mut rooms) = (Vec::new(), Vec::new());
        let names: Vec<&str> = signers.iter().map(Id::as_str).collect();
        for Wanted { room, known, event } in wanted {
            let id = self.rooms[room].id.clone();
            let beside: Vec<&Arc<CheckedPlan>> = decided.iter().map(Decided::plan).collect();
            if let Some(why) = self.air_conflict(known, event, &beside) {
                rooms.push((id, Some(why)));
                continue;
            }
            match self.decide(*room, Some(known), event.clone(), Some(names.join("+")), None) {
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

    /// Rooms on one air handler cannot pull and push at once, nor can those that one order names.
    pub(super) fn air_conflict(
        &self,
        known: &CheckedPlan,
        event: &Event,
        beside: &[&Arc<CheckedPlan>],
    ) -> Option<String> {
        let Event::Order(OrderRef { direction: Direction::Enter, .. }) = event else { return None };
        let plans = || self.setup.plans.iter().map(|known| &known.brief.plan);
        let under_way = self.rooms.values().filter_map(|room| room.known.as_ref());
        let all = under_way.chain(beside.iter().copied());
        let others = all.map(|other| (other.brief.room, flows(&other.brief.plan, plans())));
        let (room, pressure) = (known.brief.room, known.brief.plan.pressure);
        let other = air_conflict(&self.setup.facility, room, pressure, others)?;
        Some(format!("{} shares its air handler and flows the other way", self.rooms[&other].id))
    }

    /// What follows once the first steps are durable.
    async fn go_on(&mut self, then: Vec<Wanted>) {
        for Wanted { room, known, event } in then {
            let decided = self.decide(room, Some(&known), event, Some("the order".to_owned()), None);
            match decided {
                Ok(Some(decided)) => {
                    if let Err(error) = self.settle(vec![decided], Vec::new(), Vec::new(), Vec::new()).await {
                        tracing::error!(%error, plan = known.brief.plan.key(), "could not begin: order it once more");
                    }
                }
                Ok(None) => {}
                Err(refused) => tracing::error!(%refused, plan = known.brief.plan.key(), "could not begin"),
            }
        }
    }

    /// What was taken back in the middle goes back by its own plan.
    async fn go_back(&mut self, order: &Order) {
        if order.kind != Kind::Cancel {
            return;
        }
        let cancelled = self.rooms.values().filter_map(|room| {
            let ran = room.state.run.as_ref()?;
            let is_cancelled = ran.causes.contains(&Cause::Cancel) && !ran.is_return();
            let known = room.known.as_ref().filter(|_| is_cancelled)?;
            let back = self.setup.way_back(&known.brief)?;
            Some(run(&Order { class: ran.order.class, ..order.clone() }, back))
        });
        let cancelled: Vec<Wanted> = cancelled.collect();
        self.go_on(cancelled).await;
    }

    /// A message opens a proposal, never more.
    async fn message(&mut self, bytes: &[u8], via: &str) -> Result<Value, ServiceError> {
        let alert = match Alert::read(bytes) {
            Ok(alert) => alert,
            Err(error) => return self.end(Outcome::refused(error.to_string()), via).await,
        };
        let proposal = alert.proposes();
        let proposes = proposal.as_ref().map(|p| format!("{} {}", p.class, p.kind.as_str()));
        let (identifier, at) = (alert.identifier.clone(), self.deps.clock.now().at);
        let line = ModeEvent::Message { identifier, proposes, via: via.to_owned() };
        self.deps.health.ordered("proposal");
        let body = json!({
            "at": at, "result": "proposal", "identifier": alert.identifier, "sender": alert.sender,
            "proposal": proposal, "via": via,
        });
        let Value::Object(members) = body.clone() else { return Ok(body) };
        self.deps.events.tell("order", &body);
        if self.refusals.spend(Instant::now()) {
            let record = message(Topic::OrderEvent, at, members);
            self.settle(Vec::new(), vec![line], Vec::new(), vec![record]).await?;
        }
        Ok(body)
    }

    /// An order that moves nothing: on record, reported, answered.
    async fn end(&mut self, outcome: Outcome, via: &str) -> Result<Value, ServiceError> {
        let at = self.deps.clock.now().at;
        let is_repeated = outcome.result == "repeated";
        self.deps.health.ordered(outcome.result);
        let body = outcome.body(via);
        tracing::warn!(result = outcome.result, reason = outcome.reason, via, "order");
        // A flood of rubbish fills neither the disk nor the broker.
        if self.refusals.spend(Instant::now()) {
            let lines = if is_repeated { Vec::new() } else { vec![outcome.line(via)] };
            let record = message(Topic::OrderEvent, at, body.clone());
            self.deps.events.tell("order", &Value::Object(body.clone()));
            self.settle(Vec::new(), lines, Vec::new(), vec![record]).await?;
        }
        Ok(Value::Object(body))
    }
}

/// A plan as an order begins it.
fn run(order: &Order, known: &Arc<CheckedPlan>) -> Wanted {
    let (direction, plan) = (known.brief.plan.direction, known.brief.plan.key());
    let event = Event::Order(OrderRef { id: order.id.clone(), class: order.class, direction, plan });
    Wanted { room: known.brief.room, known: Arc::clone(known), event }
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

    fn line(&self, via: &str) -> ModeEvent {
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
