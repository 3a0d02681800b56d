//! Stores a decision with its audit entry in one transaction, then executes its effects.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use linli_domain::caller::Acting;
use linli_domain::{Timestamp, Topic};
use linli_mode::facility::Facility;
use linli_mode::{
    ActionPhase, Effect, Event, Phase, Refused, ResolvedPlan, Setting, Stage, State, Truth, bracketed, step,
};
use linli_store::{Change, Entry};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::actuator::{Actuator, Task};
use super::engine::Engine;
use super::evidence::{Moment, PredicateState};
use super::kept;
use super::payload::{Transition, changed_steps, message};
use super::pending_audit::PendingAudit;
use super::policy::{Entered, plan_of};
use super::record::Record;
use super::room::{MadeSafe, Room, RoomUpdate};
use super::service_rooms::ServiceEnd;
use super::setup::Setup;
use linli_config::CheckedPlan;
use linli_mode::record::Evidence;
use linli_mode::record::ModeEvent;

/// At most this many accounts and people are shown with a room's order; the record names everybody. A building has
/// fewer, and a caller who makes up names must not fill the room's document.
const MOST_ACTING: usize = 64;

/// A transition that was computed and is not stored yet.
pub(super) struct Decision {
    room: usize,
    plan: Arc<CheckedPlan>,
    event: Event,
    by: Option<String>,
    acting: Option<Acting>,
    evidence: Option<Evidence>,
    next: State,
    effects: Vec<Effect>,
}

/// Transitions ready to be stored.
struct Prepared {
    updates: Vec<RoomUpdate>,
    /// Bodies of the `event/mode` messages.
    bodies: Vec<Map<String, Value>>,
    /// What remains to be stored of an urgent transition if storing fails.
    pending: PendingAudit,
}

/// Whether these transitions are executed before they are stored.
fn is_urgent(decisions: &[Decision]) -> bool {
    !decisions.is_empty() && decisions.iter().all(Decision::is_urgent)
}

/// Adds the head of the record, signed once: the entries of a transaction are stored all or none, so the head after the last of
/// them covers each.
fn with_head(mut bodies: Vec<Map<String, Value>>, record: &Record) -> Vec<Map<String, Value>> {
    if !bodies.is_empty() {
        let head = serde_json::json!(record.head());
        bodies.iter_mut().for_each(|body| drop(body.insert("record".to_owned(), head.clone())));
    }
    bodies
}

/// Whether nothing depends on an entry: something was refused, a message came, somebody noted a finding.
fn is_dispensable(entry: &ModeEvent) -> bool {
    match entry {
        ModeEvent::Order { result, .. } => result != "accepted",
        ModeEvent::Refused { .. } | ModeEvent::Message { .. } | ModeEvent::Finding { .. } => true,
        _ => false,
    }
}

// === impl Engine ===

impl Engine {
    /// Computes the transition for an event; `None` when the event changes nothing. `plan` is the plan
    /// of an order; without it the room's plan is used.
    pub(super) fn decide(
        &self,
        index: usize,
        plan: Option<&Arc<CheckedPlan>>,
        event: Event,
        by: Option<String>,
        evidence: Option<Evidence>,
    ) -> Result<Option<Decision>, Refused> {
        let Some(room) = self.rooms.get(&index) else { return Ok(None) };
        let is_lost = room.plan.is_none() && room.state.run.is_some();
        let plan = plan.or(room.plan.as_ref()).or_else(|| self.setup.any(index));
        let Some(plan) = plan.filter(|_| !is_lost) else { return Ok(None) };
        let (next, effects) = step(&plan.resolved, &room.state, &event)?;
        if next == room.state && effects.is_empty() {
            return Ok(None);
        }
        let (plan, acting) = (Arc::clone(plan), None);
        Ok(Some(Decision { room: index, plan, event, by, acting, evidence, next, effects }))
    }

    /// Stores transitions, all or none, together with further audit entries, changes and messages, then
    /// executes them. A stop and a fire alarm are executed before they are stored, and also when storing
    /// fails.
    pub(super) async fn commit(
        &mut self,
        decisions: Vec<Decision>,
        first: Vec<ModeEvent>,
        mut changes: Vec<Change>,
        mut records: Vec<linli_domain::Record>,
    ) -> Result<(), linli_store::NotDurable> {
        for decision in decisions.iter().filter(|decision| matches!(decision.event, Event::Order(_))) {
            self.end_service(decision.room, ServiceEnd::Order, None);
        }
        let began = Instant::now();
        let at = self.deps.clock.now().at;
        let is_urgent = is_urgent(&decisions);
        let is_dispensable = decisions.is_empty() && self.moves_nothing(&first);
        // What is executed although it cannot be stored is recorded with whoever ordered it.
        let owed = is_urgent.then(|| PendingAudit::of(&first, &changes, &records));
        // The number of the next entry, pending ones counted: makes the ids of commands unique for ever.
        let number = self.record.count() + self.pending.entries.len() as u64;
        let mut record = self.record.clone();
        for event in self.pending.entries.iter().cloned().chain(first) {
            changes.push(record.append(at, event));
        }
        // Older documents first: of two with one id the later stays.
        changes.splice(0..0, self.pending.documents.iter().cloned());
        records.extend(self.pending.messages.iter().cloned());
        let now = self.now();
        let Prepared { updates, mut bodies, mut pending } =
            self.prepare(&decisions, (now, at), &mut record, (&mut changes, &mut records));
        changes.push(record.document(at));
        let executions = decisions.into_iter().zip(updates).enumerate();
        let executions =
            executions.map(|(place, (decision, after))| (format!("{number}-{place}"), decision, after));
        let mut executions: Vec<_> = executions.collect();
        if is_urgent {
            executions
                .drain(..)
                .for_each(|(number, decision, after)| self.execute(decision, after, at, &number));
            self.publish_changed_policies();
            self.note_stop_executed();
        }
        match self.store(Entry { changes, records, is_dispensable, ..Entry::default() }).await {
            Ok(()) => {
                self.record = record;
                self.pending = PendingAudit::default();
                if !bodies.is_empty() {
                    self.heads.note_published(self.record.count(), now.instant);
                }
            }
            Err(error) if is_urgent => {
                tracing::error!(%error, "executed before it could be stored: safety goes first");
                // A published head must cover stored entries only.
                bodies.iter_mut().for_each(|body| drop(body.remove("record")));
                pending.messages =
                    bodies.iter().cloned().map(|body| message(Topic::ModeEvent, at, body)).collect();
                self.pending.extend(owed.unwrap_or_default());
                self.pending.extend(pending);
            }
            Err(error) => return Err(error),
        }
        bodies.into_iter().for_each(|body| self.deps.events.publish("mode", &Value::Object(body)));
        executions
            .into_iter()
            .for_each(|(number, decision, after)| self.execute(decision, after, at, &number));
        self.publish_changed_policies();
        self.publish_status();
        let spent = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.deps.health.slowest_us.fetch_max(spent, Ordering::Relaxed);
        Ok(())
    }

    /// Whether nothing depends on what is to be recorded. Whoever floods the gateway with it takes nothing from the
    /// reserve of the store.
    fn moves_nothing(&self, first: &[ModeEvent]) -> bool {
        self.pending.entries.is_empty() && !first.is_empty() && first.iter().all(is_dispensable)
    }

    /// Writes the audit entries, documents and messages of transitions. What is urgent stays pending
    /// until it is stored.
    fn prepare(
        &self,
        decisions: &[Decision],
        (now, at): (Moment, Timestamp),
        record: &mut Record,
        (changes, records): (&mut Vec<Change>, &mut Vec<linli_domain::Record>),
    ) -> Prepared {
        let is_urgent = is_urgent(decisions);
        let (mut updates, mut visible, mut pending) = (Vec::new(), Vec::new(), PendingAudit::default());
        for decision in decisions {
            let Some(room) = self.rooms.get(&decision.room) else { continue };
            // What it may rest on and was left out comes first.
            let followed = room.plan.as_ref().map(|plan| plan.resolved.plan.key());
            if let Some(entry) = room.left_out.entry(&room.id, followed, &room.state) {
                if is_urgent {
                    pending.entries.push(entry.clone());
                }
                changes.push(record.append(at, entry));
            }
            let (entry, stages) = self.audit_entry(room, decision);
            let after = decision.after(&self.setup, room, stages, (now, at));
            let document = room.document(&decision.next, decision.kept_plan(), &after, at);
            if decision.is_new_to(room) {
                changes.extend(self.plans_to_keep(room, &decision.plan, &after, at));
            }
            if is_urgent {
                pending.entries.push(entry.clone());
                pending.documents.push(document.clone());
            }
            changes.push(record.append(at, entry));
            changes.push(document);
            visible.extend(self.transition_body(room, decision, stages, &after, at));
            updates.push(after);
        }
        let bodies = with_head(visible, record);
        records.extend(bodies.iter().cloned().map(|body| message(Topic::ModeEvent, at, body)));
        Prepared { updates, bodies, pending }
    }

    /// Returns the document of the plans that a room begins to follow; `None` when it is stored already.
    fn plans_to_keep(
        &self,
        room: &Room,
        plan: &Arc<CheckedPlan>,
        after: &RoomUpdate,
        at: Timestamp,
    ) -> Option<Change> {
        if room.kept == after.kept {
            return None;
        }
        let plans = kept::plans(&self.setup, plan, after.entered.as_ref().map(|entered| &entered.plan));
        kept::document(&self.setup, room, &plans, at).map(Change::Document)
    }

    /// Returns the `event/mode` message of a transition without the head of the record; `None` when nothing visible
    /// changed.
    fn transition_body(
        &self,
        room: &Room,
        decision: &Decision,
        stages: (Stage, Stage),
        after: &RoomUpdate,
        at: Timestamp,
    ) -> Option<Map<String, Value>> {
        let policies = [room.entered.as_ref(), after.entered.as_ref()].map(plan_of);
        let transition = Transition {
            room: &room.id,
            name: self.setup.facility.rooms.get(room.index).map_or(room.id.as_str(), |room| &room.name),
            facility: &self.setup.facility,
            plan: &decision.plan,
            before: &room.state,
            after: &decision.next,
            stages,
            effects: &decision.effects,
            policy_change: (policies[0] != policies[1]).then_some(after.entered.is_some()),
            at,
        };
        transition.body()
    }

    /// Returns the audit entry of a transition, and the stages before and after it.
    fn audit_entry(&self, room: &Room, decision: &Decision) -> (ModeEvent, (Stage, Stage)) {
        let stages = (room.stage(&self.setup), decision.next.stage(&decision.plan.resolved));
        let entry = ModeEvent::Step {
            room: room.id.clone(),
            plan: decision.plan.resolved.plan.key(),
            event: decision.event.clone(),
            by: decision.by.clone(),
            evidence: decision.evidence.clone(),
            from: stages.0,
            to: stages.1,
            effects: decision.effects.clone(),
            steps: changed_steps(&decision.plan.resolved, &room.state, &decision.next),
            state: linli_domain::audit::hex(&decision.next.hash()),
            acting: decision.acting.clone(),
        };
        (entry, stages)
    }

    /// Publishes the data policies in force if what was executed began or ended one.
    fn publish_changed_policies(&mut self) {
        if std::mem::take(&mut self.is_policy_changed) {
            self.publish_policies();
        }
    }

    /// Takes over the new state of the room and executes the effects.
    fn execute(&mut self, decision: Decision, after: RoomUpdate, at: Timestamp, number: &str) {
        let now = self.now();
        self.deps.health.steps.fetch_add(1, Ordering::Relaxed);
        let is_stopped = self.stopped.contains(&decision.room) || self.burning.contains(&decision.room);
        let Some(room) = self.rooms.get_mut(&decision.room) else { return };
        room.tally.count((&room.state, room.since), &decision.next, &decision.event, &decision.effects, at);
        if matches!(decision.event, Event::Order(_)) {
            room.serial += 1;
            room.end_leases();
            room.predicates = PredicateState::of(decision.next.is_exercise());
            room.asked.clear();
            room.outputs.clear();
            room.is_proposed = false;
        }
        room.plan = decision.kept_plan().cloned();
        (room.since, room.ordered, room.tally.last) = (after.since, after.ordered, after.last);
        (room.acting, room.wiring, room.kept) = (after.acting, after.wiring, after.kept);
        self.is_policy_changed |= plan_of(room.entered.as_ref()) != plan_of(after.entered.as_ref());
        room.entered = after.entered;
        room.state = decision.next;
        room.left_out.clear();
        room.withdraw_stale();
        if room.state.phase == Phase::Held {
            // Whatever the plan says: in a held room no lamp is written on again.
            room.end_leases();
        }
        room.note_asked(now.instant);
        let resolved = &decision.plan.resolved;
        for (place, effect) in decision.effects.iter().enumerate() {
            room.update_timer(effect, now.instant);
            let number = format!("{number}-{place}");
            match effect {
                // A stop was pressed, or a fire reported, while this was being stored; it is decided next.
                Effect::Act { .. } | Effect::Lease(_) if is_stopped => {}
                Effect::Act { step, turn, attempt } => {
                    let act = (*step, *turn, *attempt);
                    write_settings(room, &self.setup, resolved, &self.actuator, &number, act);
                }
                Effect::Safe(output) => {
                    let Some(safe) = resolved.safe.get(*output) else { continue };
                    room.predicates.begin_action(&safe.touches);
                    let touches = safe.touches.clone();
                    room.outputs.insert(*output, MadeSafe::Asked);
                    let (room, serial, safe_output) = (room.index, room.serial, Some(*output));
                    let task = Task { room, serial, act: None, safe: safe_output, touches };
                    self.actuator.write_first(&self.setup.facility, &[&safe.setting], &number, task);
                }
                Effect::Lease(step) => {
                    if let Some(interval) = Room::lease_renewal(resolved, *step) {
                        room.begin_lease(*step, now.instant + interval);
                    }
                }
                Effect::Unlease(step) => room.end_lease(*step),
                Effect::Reread(predicates) => room.predicates.reread(predicates, now),
                Effect::GuardRefused(_)
                | Effect::Disturbed(_)
                | Effect::Ask(_)
                | Effect::Escalate { .. }
                | Effect::DrillEnded
                | Effect::Arm(..)
                | Effect::Disarm(_)
                | Effect::DisarmAll => {}
            }
        }
    }
}

// === impl Decision ===

impl Decision {
    /// The state of the room after it.
    pub(super) const fn next(&self) -> &State {
        &self.next
    }

    /// What it executes.
    pub(super) fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// The plan that the transition was computed with.
    pub(super) const fn plan(&self) -> &Arc<CheckedPlan> {
        &self.plan
    }

    /// The decision, with who acted.
    pub(super) fn acted_by(self, acting: &Acting) -> Self {
        Self { by: Some(acting.to_string()), acting: Some(acting.clone()), ..self }
    }

    /// Who acted under the present order so far; empty in peace.
    fn acting(&self, room: &Room) -> BTreeSet<Acting> {
        if self.next.run.is_none() {
            return BTreeSet::new();
        }
        let begins = matches!(self.event, Event::Order(_));
        let mut all = if begins { BTreeSet::new() } else { room.acting.clone() };
        if all.len() < MOST_ACTING {
            all.extend(self.acting.clone());
        }
        all
    }

    /// Returns what is stored beside the state once the transition is durable.
    fn after(
        &self,
        setup: &Setup,
        room: &Room,
        stages: (Stage, Stage),
        (now, at): (Moment, Timestamp),
    ) -> RoomUpdate {
        let ordered = if matches!(self.event, Event::Order(_)) { at } else { room.ordered };
        let entered = Entered::after(room.entered.as_ref(), &self.next, &self.plan, now);
        let plans = || kept::plans(setup, &self.plan, entered.as_ref().map(|entered| &entered.plan));
        let kept = if self.is_new_to(room) { Some(kept::held(&plans())) } else { room.kept.clone() };
        RoomUpdate {
            since: if stages.0 == stages.1 { room.since } else { at },
            ordered,
            entered,
            kept,
            last: room.tally.switch_times(&room.state, &self.next, &self.plan, ordered, at),
            acting: self.acting(room),
            wiring: match self.is_new_to(room) {
                true => Some(room.wiring_of(setup, &self.plan)),
                false => room.wiring.clone().filter(|_| self.next.run.is_some()),
            },
        }
    }

    /// Whether the room begins to follow the plan, or the plan was not kept with it by an earlier version.
    fn is_new_to(&self, room: &Room) -> bool {
        let began = matches!(self.event, Event::Order(_));
        let is_upgrade = matches!(self.event, Event::Restarted) && room.notice.is_none();
        self.next.run.is_some() && (began || is_upgrade)
    }

    /// The plan that the room keeps; `None` in peace.
    fn kept_plan(&self) -> Option<&Arc<CheckedPlan>> {
        self.next.run.is_some().then_some(&self.plan)
    }

    /// Whether the transition is executed even if it cannot be stored.
    const fn is_urgent(&self) -> bool {
        matches!(self.event, Event::Stop { .. } | Event::Fire(Truth::True))
    }
}

/// Writes the settings of one phase of a step.
fn write_settings(
    room: &mut Room,
    setup: &Setup,
    resolved: &ResolvedPlan,
    actuator: &Actuator,
    number: &str,
    action: (usize, ActionPhase, u8),
) {
    let (step, turn, attempt) = action;
    let Some(job) = resolved.steps.get(step) else { return };
    let settings = drill_marked(&setup.facility, resolved.settings(step, turn), room.state.is_exercise());
    let settings: Vec<_> = settings.iter().collect();
    room.predicates.begin_action(&job.touches);
    let touches = job.touches.clone();
    let task = Task { room: room.index, serial: room.serial, act: Some((step, turn)), safe: None, touches };
    match turn {
        ActionPhase::On => {
            let token = room.begin_action(step, attempt);
            actuator.write(&setup.facility, &settings, number, &token, task);
        }
        // An end and a compensation are never withdrawn, and no command that makes safe overtakes them.
        ActionPhase::Off | ActionPhase::Compensate => {
            actuator.write_first(&setup.facility, &settings, number, task)
        }
    }
}

/// In a drill, puts the free texts that devices show to people in drill brackets.
fn drill_marked(facility: &Facility, settings: &[Setting], is_drill: bool) -> Vec<Setting> {
    let mut settings = settings.to_vec();
    for setting in settings.iter_mut().filter(|_| is_drill) {
        let is_free = facility
            .fixtures
            .get(setting.fixture)
            .and_then(|fixture| fixture.sets.get(setting.output))
            .is_some_and(|output| output.words.is_empty());
        if let (linli_domain::Value::Text(text), true) = (&setting.value, is_free) {
            setting.value = linli_domain::Value::Text(bracketed(text).as_str().into());
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use linli_domain::alarm::Source;
    use linli_domain::{Id, Value};
    use linli_mode::Literal;
    use linli_mode::facility::{Fixture, Interlock, Kind, Output};

    use super::*;

    #[test]
    fn a_free_text_is_bracketed_in_a_drill() {
        let id = |text: &str| Id::new(text).unwrap();
        let output = |name: &str, words: Vec<(String, Value)>| Output {
            name: name.to_owned(),
            point: Source { device: id("sign"), point: id(name) },
            words,
            safe: None,
            secures: Vec::new(),
            entry_only: Vec::new(),
            is_pulse: false,
        };
        let pages = vec![("page".to_owned(), Value::Text("p1".into()))];
        let fixture = Fixture {
            id: id("sign"),
            room: 0,
            kind: Kind::Display,
            interlock: Interlock::None,
            opening: None,
            sets: vec![output("text", Vec::new()), output("page", pages)],
            reads: Vec::new(),
        };
        let facility = Facility { fixtures: vec![fixture], ..Facility::default() };
        let set = |output, text: &str| Setting {
            fixture: 0,
            output,
            word: Literal::Word(text.to_owned()),
            value: Value::Text(text.into()),
        };
        let settings = [set(0, "请从东门离开"), set(1, "p1")];
        let shown = |is_drill| -> Vec<Value> {
            drill_marked(&facility, &settings, is_drill).into_iter().map(|setting| setting.value).collect()
        };
        assert_eq!(
            shown(true),
            [Value::Text("【演练】请从东门离开【演练】".into()), Value::Text("p1".into())]
        );
        assert_eq!(shown(false), [Value::Text("请从东门离开".into()), Value::Text("p1".into())]);
    }
}
