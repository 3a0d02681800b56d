//! What was decided becomes durable with its line of the record, and then real.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use linli_domain::mode::{Brief, Effect, Event, Phase, Refused, Stage, State, Truth, Turn, step};
use linli_domain::{Timestamp, Topic};
use linli_store::{Change, Entry};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use super::evidence::{Claims, Evidence};
use super::hands::{Hands, Task};
use super::payload::{Changed, message};
use super::record::What;
use super::room::Room;
use super::setup::Setup;
use crate::config::Known;

/// A step that was decided and is not durable yet.
pub(super) struct Decided {
    room: usize,
    known: Arc<Known>,
    event: Event,
    by: Option<String>,
    evidence: Option<Evidence>,
    next: State,
    effects: Vec<Effect>,
}

// === impl Desk ===

impl Desk {
    /// What follows from an event; nothing when nothing does. `plan` is that of an order.
    pub(super) fn decide(
        &self,
        index: usize,
        plan: Option<&Arc<Known>>,
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

    /// Makes steps durable, all or none, then carries them out. A stop and a fire are carried out
    /// even when nothing can be written.
    pub(super) async fn settle(
        &mut self,
        decided: Vec<Decided>,
        first: Vec<What>,
        mut changes: Vec<Change>,
        mut records: Vec<linli_domain::Record>,
    ) -> Result<(), linli_store::NotDurable> {
        let began = Instant::now();
        let at = self.parts.clock.now().at;
        let mut record = self.record.clone();
        for what in self.owed.iter().cloned().chain(first) {
            changes.push(record.write(at, what));
        }
        let mut moments = Vec::new();
        for made in &decided {
            let Some(room) = self.rooms.get(&made.room) else { continue };
            let (line, stages) = self.line(room, made);
            changes.push(record.write(at, line));
            let since = if stages.0 == stages.1 { room.since } else { at };
            let ordered = if matches!(made.event, Event::Order(_)) { at } else { room.ordered };
            changes.push(room.page_of(&made.next, made.keeps(), since, ordered, at));
            moments.push((since, ordered));
            let changed = Changed {
                room: &room.id,
                known: &made.known,
                before: &room.state,
                after: &made.next,
                stages,
                effects: &made.effects,
                head: &record.head(),
                at,
            };
            if let Some(body) = changed.body() {
                self.parts.events.tell("mode", &Value::Object(body.clone()));
                records.push(message(Topic::ModeEvent, at, body));
            }
        }
        changes.push(record.page(at));
        let number = self.record.count();
        let kept = self.parts.store.keep(Entry { changes, records, ..Entry::default() }).await;
        match kept {
            Ok(()) => {
                self.record = record;
                self.owed.clear();
            }
            Err(error) if decided.iter().all(Decided::is_urgent) && !decided.is_empty() => {
                tracing::error!(%error, "not on record yet, and done all the same: safety goes first");
                let lines: Vec<What> = decided
                    .iter()
                    .filter_map(|made| Some(self.line(self.rooms.get(&made.room)?, made).0))
                    .collect();
                self.owed.extend(lines);
            }
            Err(error) => return Err(error),
        }
        for (place, (made, (since, ordered))) in decided.into_iter().zip(moments).enumerate() {
            self.carry_out(made, since, ordered, &format!("{number}-{place}"));
        }
        self.tell_status();
        let spent = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.parts.health.slowest_us.fetch_max(spent, Ordering::Relaxed);
        Ok(())
    }

    /// The record's line of a step.
    fn line(&self, room: &Room, made: &Decided) -> (What, (Stage, Stage)) {
        let stages = (room.stage(&self.setup), made.next.stage(&made.known.brief));
        let line = What::Step {
            room: room.id.clone(),
            plan: made.known.brief.plan.key(),
            event: made.event.clone(),
            by: made.by.clone(),
            evidence: made.evidence.clone(),
            from: stages.0,
            to: stages.1,
            effects: made.effects.clone(),
            state: linli_domain::audit::hex(&made.next.hash()),
        };
        (line, stages)
    }

    /// What is durable becomes real.
    fn carry_out(&mut self, made: Decided, since: Timestamp, ordered: Timestamp, number: &str) {
        let (now, health) = (self.now(), Arc::clone(&self.parts.health));
        health.steps.fetch_add(1, Ordering::Relaxed);
        let Some(room) = self.rooms.get_mut(&made.room) else { return };
        let is_held = |state: &State| state.phase == Phase::Held;
        health.holds.fetch_add(u64::from(is_held(&made.next) && !is_held(&room.state)), Ordering::Relaxed);
        let is_resumed = matches!(made.event, Event::Resume { .. });
        health.resumes.fetch_add(u64::from(is_resumed), Ordering::Relaxed);
        if matches!(made.event, Event::Order(_)) {
            room.serial += 1;
            room.end_leases();
            room.claims = Claims::default();
        }
        room.known = made.keeps().cloned();
        (room.since, room.ordered) = (since, ordered);
        room.state = made.next;
        room.take_back();
        let brief = &made.known.brief;
        for (place, effect) in made.effects.iter().enumerate() {
            room.time(effect, now.instant);
            let number = format!("{number}-{place}");
            match effect {
                Effect::Act { step, turn, attempt } => {
                    health.retries.fetch_add(u64::from(*attempt > 1), Ordering::Relaxed);
                    act(room, &self.setup, brief, &self.hands, &number, (*step, *turn, *attempt));
                }
                Effect::Safe(output) => {
                    let Some(safe) = brief.safe.get(*output) else { continue };
                    room.claims.moves(&safe.touches);
                    let touches = safe.touches.clone();
                    let task = Task { room: room.index, serial: room.serial, act: None, touches };
                    let token = CancellationToken::new();
                    self.hands.write(&self.setup.facility, &[&safe.setting], &number, &token, task);
                }
                Effect::Lease(step) => {
                    if let Some(every) = Room::refreshed_every(brief, *step) {
                        room.begin_lease(*step, now.instant + every);
                    }
                }
                Effect::Unlease(step) => room.end_lease(*step),
                Effect::Reread(atoms) => room.claims.reread(atoms, now),
                Effect::GuardRefused(_) => drop(health.guard_refusals.fetch_add(1, Ordering::Relaxed)),
                Effect::Ask(_)
                | Effect::Escalate { .. }
                | Effect::DrillEnded
                | Effect::Arm(..)
                | Effect::Disarm(_)
                | Effect::DisarmAll => {}
            }
        }
    }
}

// === impl Decided ===

impl Decided {
    /// The plan it was decided by.
    pub(super) const fn plan(&self) -> &Arc<Known> {
        &self.known
    }

    /// The plan that the room keeps; none in peace.
    fn keeps(&self) -> Option<&Arc<Known>> {
        self.next.run.is_some().then_some(&self.known)
    }

    /// Whether it is carried out even when nothing can be written.
    const fn is_urgent(&self) -> bool {
        matches!(self.event, Event::Stop { .. } | Event::Fire(Truth::True))
    }
}

/// A step's settings are written.
fn act(room: &mut Room, setup: &Setup, brief: &Brief, hands: &Hands, number: &str, what: (usize, Turn, u8)) {
    let (step, turn, attempt) = what;
    let Some(job) = brief.jobs.get(step) else { return };
    let token = match turn {
        Turn::On => room.begins(step, attempt),
        // An end and a remedy are never taken back.
        Turn::Off | Turn::Compensate => CancellationToken::new(),
    };
    let settings: Vec<_> = brief.settings(step, turn).iter().collect();
    room.claims.moves(&job.touches);
    let touches = job.touches.clone();
    let task = Task { room: room.index, serial: room.serial, act: Some((step, turn)), touches };
    hands.write(&setup.facility, &settings, number, &token, task);
}
