//! Stores a decision with its audit entry in one transaction, then executes its effects.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use linli_domain::{Timestamp, Topic};
use linli_mode::facility::Facility;
use linli_mode::{
    ActionPhase, Effect, Event, Refused, ResolvedPlan, Setting, Stage, State, Truth, bracketed, step,
};
use linli_store::{Change, Entry};
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::actuator::{Actuator, Task};
use super::engine::Engine;
use super::evidence::{Claims, Moment};
use super::payload::{Changed, message, moved};
use super::pending_audit::PendingAudit;
use super::policy::{Entered, plan_of};
use super::record::Record;
use super::room::{After, Room};
use super::setup::Setup;
use linli_config::CheckedPlan;
use linli_mode::record::Evidence;
use linli_mode::record::ModeEvent;

/// A transition that was computed and is not stored yet.
pub(super) struct Decided {
    room: usize,
    known: Arc<CheckedPlan>,
    event: Event,
    by: Option<String>,
    evidence: Option<Evidence>,
    next: State,
    effects: Vec<Effect>,
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
    ) -> Result<Option<Decided>, Refused> {
        let Some(room) = self.rooms.get(&index) else { return Ok(None) };
        let is_lost = room.known.is_none() && room.state.run.is_some();
        let known = plan.or(room.known.as_ref()).or_else(|| self.setup.any(index));
        let Some(known) = known.filter(|_| !is_lost) else { return Ok(None) };
        let (next, effects) = step(&known.brief, &room.state, &event)?;
        if next == room.state && effects.is_empty() {
            return Ok(None);
        }
        Ok(Some(Decided { room: index, known: Arc::clone(known), event, by, evidence, next, effects }))
    }

    /// Stores transitions, all or none, together with further audit entries, changes and messages, then
    /// executes them. A stop and a fire alarm are executed before they are stored, and also when storing
    /// fails.
    pub(super) async fn settle(
        &mut self,
        decided: Vec<Decided>,
        first: Vec<ModeEvent>,
        mut changes: Vec<Change>,
        mut records: Vec<linli_domain::Record>,
    ) -> Result<(), linli_store::NotDurable> {
        let began = Instant::now();
        let at = self.deps.clock.now().at;
        let is_urgent = !decided.is_empty() && decided.iter().all(Decided::is_urgent);
        // Makes the ids of commands unique for ever: pending entries will take the numbers before it.
        let number = self.record.count() + self.pending.lines.len() as u64;
        let mut record = self.record.clone();
        for what in self.pending.lines.iter().cloned().chain(first) {
            changes.push(record.write(at, what));
        }
        changes.extend(self.pending.pages.iter().cloned());
        records.extend(self.pending.messages.iter().cloned());
        let (mut moments, mut reported, mut pending) = (Vec::new(), Vec::new(), PendingAudit::default());
        let now = self.now();
        for made in &decided {
            let Some(room) = self.rooms.get(&made.room) else { continue };
            let (line, stages) = self.line(room, made);
            let after = made.after(room, stages, now, at);
            let page = room.page_of(&made.next, made.keeps(), &after, at);
            if is_urgent {
                pending.lines.push(line.clone());
                pending.pages.push(page.clone());
            }
            changes.push(record.write(at, line));
            changes.push(page);
            if let Some(body) = self.changed(room, made, stages, &after, &record, at) {
                reported.push(body.clone());
                records.push(message(Topic::ModeEvent, at, body));
            }
            moments.push(after);
        }
        changes.push(record.page(at));
        let acts = decided.into_iter().zip(moments).enumerate();
        let acts = acts.map(|(place, (made, after))| (format!("{number}-{place}"), made, after));
        let mut acts: Vec<_> = acts.collect();
        if is_urgent {
            acts.drain(..).for_each(|(number, made, after)| self.carry_out(made, after, at, &number));
        }
        match self.kept(Entry { changes, records, ..Entry::default() }).await {
            Ok(()) => {
                self.record = record;
                self.pending = PendingAudit::default();
                if !reported.is_empty() {
                    self.heads.tell(self.record.count(), now.instant);
                }
            }
            Err(error) if is_urgent => {
                tracing::error!(%error, "not on record yet, and done all the same: safety goes first");
                // A published head must cover stored entries only.
                reported.iter_mut().for_each(|body| drop(body.remove("record")));
                pending.messages =
                    reported.iter().cloned().map(|body| message(Topic::ModeEvent, at, body)).collect();
                self.pending.extend(pending);
            }
            Err(error) => return Err(error),
        }
        reported.into_iter().for_each(|body| self.deps.events.tell("mode", &Value::Object(body)));
        acts.into_iter().for_each(|(number, made, after)| self.carry_out(made, after, at, &number));
        self.tell_status();
        let spent = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.deps.health.slowest_us.fetch_max(spent, Ordering::Relaxed);
        Ok(())
    }

    /// Returns the `event/mode` message of a transition; `None` when nothing visible changed.
    fn changed(
        &self,
        room: &Room,
        made: &Decided,
        stages: (Stage, Stage),
        after: &After,
        lines: &Record,
        at: Timestamp,
    ) -> Option<Map<String, Value>> {
        let policies = [room.entered.as_ref(), after.entered.as_ref()].map(plan_of);
        let changed = Changed {
            room: &room.id,
            name: self.setup.facility.rooms.get(room.index).map_or(room.id.as_str(), |room| &room.name),
            known: &made.known,
            before: &room.state,
            after: &made.next,
            stages,
            effects: &made.effects,
            is_ruled: (policies[0] != policies[1]).then_some(after.entered.is_some()),
            lines,
            at,
        };
        changed.body()
    }

    /// Returns the audit entry of a transition, and the stages before and after it.
    fn line(&self, room: &Room, made: &Decided) -> (ModeEvent, (Stage, Stage)) {
        let stages = (room.stage(&self.setup), made.next.stage(&made.known.brief));
        let line = ModeEvent::Step {
            room: room.id.clone(),
            plan: made.known.brief.plan.key(),
            event: made.event.clone(),
            by: made.by.clone(),
            evidence: made.evidence.clone(),
            from: stages.0,
            to: stages.1,
            effects: made.effects.clone(),
            steps: moved(&made.known.brief, &room.state, &made.next),
            state: linli_domain::audit::hex(&made.next.hash()),
        };
        (line, stages)
    }

    /// Takes over the new state of the room and executes the effects.
    fn carry_out(&mut self, made: Decided, after: After, at: Timestamp, number: &str) {
        let now = self.now();
        self.deps.health.steps.fetch_add(1, Ordering::Relaxed);
        let is_stopped = self.stopped.contains(&made.room);
        let Some(room) = self.rooms.get_mut(&made.room) else { return };
        room.tally.count((&room.state, room.since), &made.next, &made.event, &made.effects, at);
        if matches!(made.event, Event::Order(_)) {
            room.serial += 1;
            room.end_leases();
            room.claims = Claims::of(made.next.is_exercise());
            room.asked.clear();
            room.is_proposed = false;
        }
        room.known = made.keeps().cloned();
        (room.since, room.ordered, room.tally.last) = (after.since, after.ordered, after.last);
        let is_ruled = plan_of(room.entered.as_ref()) != plan_of(after.entered.as_ref());
        room.entered = after.entered;
        room.state = made.next;
        room.take_back();
        room.note_asked(now.instant);
        let brief = &made.known.brief;
        for (place, effect) in made.effects.iter().enumerate() {
            room.time(effect, now.instant);
            let number = format!("{number}-{place}");
            match effect {
                // A stop was pressed while this was being stored; it is served next.
                Effect::Act { .. } | Effect::Lease(_) if is_stopped => {}
                Effect::Act { step, turn, attempt } => {
                    act(room, &self.setup, brief, &self.actuator, &number, (*step, *turn, *attempt));
                }
                Effect::Safe(output) => {
                    let Some(safe) = brief.safe.get(*output) else { continue };
                    room.claims.moves(&safe.touches);
                    let touches = safe.touches.clone();
                    let task = Task { room: room.index, serial: room.serial, act: None, touches };
                    self.actuator.write_first(&self.setup.facility, &[&safe.setting], &number, task);
                }
                Effect::Lease(step) => {
                    if let Some(every) = Room::refreshed_every(brief, *step) {
                        room.begin_lease(*step, now.instant + every);
                    }
                }
                Effect::Unlease(step) => room.end_lease(*step),
                Effect::Reread(atoms) => room.claims.reread(atoms, now),
                Effect::GuardRefused(_)
                | Effect::Ask(_)
                | Effect::Escalate { .. }
                | Effect::DrillEnded
                | Effect::Arm(..)
                | Effect::Disarm(_)
                | Effect::DisarmAll => {}
            }
        }
        if is_ruled {
            self.rule();
        }
    }
}

// === impl Decided ===

impl Decided {
    /// The plan that the transition was computed with.
    pub(super) const fn plan(&self) -> &Arc<CheckedPlan> {
        &self.known
    }

    /// Returns what is stored beside the state once the transition is durable.
    fn after(&self, room: &Room, stages: (Stage, Stage), now: Moment, at: Timestamp) -> After {
        let ordered = if matches!(self.event, Event::Order(_)) { at } else { room.ordered };
        After {
            since: if stages.0 == stages.1 { room.since } else { at },
            ordered,
            entered: Entered::after(room.entered.as_ref(), &self.next, &self.known, now),
            last: room.tally.took(&room.state, &self.next, &self.known, ordered, at),
        }
    }

    /// The plan that the room keeps; `None` in peace.
    fn keeps(&self) -> Option<&Arc<CheckedPlan>> {
        self.next.run.is_some().then_some(&self.known)
    }

    /// Whether the transition is executed even if it cannot be stored.
    const fn is_urgent(&self) -> bool {
        matches!(self.event, Event::Stop { .. } | Event::Fire(Truth::True))
    }
}

/// Writes the settings of one phase of a step.
fn act(
    room: &mut Room,
    setup: &Setup,
    brief: &ResolvedPlan,
    actuator: &Actuator,
    number: &str,
    what: (usize, ActionPhase, u8),
) {
    let (step, turn, attempt) = what;
    let Some(job) = brief.steps.get(step) else { return };
    let settings = spoken(&setup.facility, brief.settings(step, turn), room.state.is_exercise());
    let settings: Vec<_> = settings.iter().collect();
    room.claims.moves(&job.touches);
    let touches = job.touches.clone();
    let task = Task { room: room.index, serial: room.serial, act: Some((step, turn)), touches };
    match turn {
        ActionPhase::On => {
            let token = room.begins(step, attempt);
            actuator.write(&setup.facility, &settings, number, &token, task);
        }
        // An end and a compensation are never withdrawn, and no command that makes safe overtakes them.
        ActionPhase::Off | ActionPhase::Compensate => {
            actuator.write_first(&setup.facility, &settings, number, task)
        }
    }
}

/// In a drill, puts the free texts that devices show to people in drill brackets.
fn spoken(facility: &Facility, settings: &[Setting], is_drill: bool) -> Vec<Setting> {
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
    fn what_a_display_says_in_a_drill_says_that_it_is_one() {
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
        let known = vec![("page".to_owned(), Value::Text("p1".into()))];
        let fixture = Fixture {
            id: id("sign"),
            room: 0,
            kind: Kind::Display,
            interlock: Interlock::None,
            opening: None,
            sets: vec![output("text", Vec::new()), output("page", known)],
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
        let said = |is_drill| -> Vec<Value> {
            spoken(&facility, &settings, is_drill).into_iter().map(|setting| setting.value).collect()
        };
        assert_eq!(
            said(true),
            [Value::Text("【演练】请从东门离开【演练】".into()), Value::Text("p1".into())]
        );
        assert_eq!(said(false), [Value::Text("请从东门离开".into()), Value::Text("p1".into())]);
    }
}
