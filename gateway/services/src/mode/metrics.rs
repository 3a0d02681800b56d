//! What is counted of the switch: per room, per role, for the page of metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linli_domain::{Id, Timestamp};
use linli_mode::{Cause, Channel, Class, Direction, Effect, Event, Phase, Stage, State, StepState};
use serde::{Deserialize, Serialize};

use linli_config::CheckedPlan;

/// What became of orders, in the order of [`Health::orders`].
pub const RESULTS: [&str; 5] = ["accepted", "refused", "repeated", "quarantined", "proposal"];

/// Counters.
#[derive(Debug, Default)]
pub struct Health {
    /// Decisions.
    pub steps: AtomicU64,
    /// Orders and messages, by what became of them.
    pub orders: [AtomicU64; RESULTS.len()],
    /// Longest time from an event to its effects, microseconds.
    pub slowest_us: AtomicU64,
    /// Batches that could not be looked at: too many at once.
    pub dropped: Arc<AtomicU64>,
    metrics: Mutex<Arc<Snapshot>>,
}

/// Everything that is reported of rooms.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Rooms that have plans.
    pub rooms: Vec<RoomMetrics>,
    /// Steps that people of a role are asked for, and how long the oldest has waited.
    pub outstanding: BTreeMap<String, (u64, Duration)>,
    /// Lines of the record.
    pub record: u64,
}

/// What is reported of a room.
#[derive(Debug)]
pub struct RoomMetrics {
    /// The room.
    pub room: Id,
    /// Where it is.
    pub stage: Stage,
    /// For how long.
    pub in_stage: Duration,
    /// Whether it is a drill.
    pub is_exercise: bool,
    /// Steps of its run, by what is known of them.
    pub steps: BTreeMap<&'static str, u64>,
    /// What is counted since the process began.
    pub tally: Tally,
}

/// What is counted of a room.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Tries after the first.
    pub retries: u64,
    /// Guards that said no: each a success of safety.
    pub guard_refusals: u64,
    /// Times that somebody higher heard of a step.
    pub escalations: u64,
    /// Times that it went on after a hold.
    pub resumes: u64,
    /// Times that it was held, by cause.
    pub holds: BTreeMap<Cause, u64>,
    /// For how long, by cause.
    pub held: BTreeMap<Cause, Duration>,
    /// How long the last switches took, by direction and class.
    pub last: BTreeMap<String, Took>,
}

/// How long a switch took, from the order to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Took {
    /// By which order.
    pub order: String,
    /// Milliseconds.
    pub ms: u64,
    /// In what time it should have been, milliseconds.
    pub within_ms: u64,
}

/// Time that passed by the wall's clock; none when that went back.
pub(super) fn passed(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(to.0.saturating_sub(from.0)).unwrap_or_default())
}

/// The word for a cause.
#[must_use]
pub const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Fire => "fire",
        Cause::Stop => "stop",
        Cause::Guard => "guard",
        Cause::Failed => "failed",
        Cause::Cancel => "cancel",
    }
}

/// What is known of a step, as it is counted.
pub(super) fn known_of(state: &StepState) -> &'static str {
    match state {
        StepState::Verified(Channel::Independent) => "independent",
        StepState::Verified(Channel::Itself) => "self",
        StepState::Verified(Channel::Human) => "human",
        StepState::AlreadyOk => "already_ok",
        StepState::Waived(_) => "waived",
        StepState::Simulated => "simulated",
        StepState::Skipped => "skipped",
        StepState::Failed => "failed",
        StepState::Stuck => "stuck",
        _ => "open",
    }
}

/// Every word of [`known_of`].
pub const STEPS: [&str; 10] = [
    "independent",
    "self",
    "human",
    "already_ok",
    "waived",
    "simulated",
    "skipped",
    "failed",
    "stuck",
    "open",
];

// === impl Health ===

impl Health {
    /// An order or message was answered.
    pub fn ordered(&self, result: &str) {
        if let Some(at) = RESULTS.iter().position(|word| *word == result) {
            self.orders[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What was reported last.
    #[must_use]
    pub fn metrics(&self) -> Arc<Snapshot> {
        Arc::clone(&self.metrics.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn publish(&self, metrics: Snapshot) {
        *self.metrics.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(metrics);
    }
}

// === impl Tally ===

impl Tally {
    /// A room takes a step; called before it is there.
    pub fn count(
        &mut self,
        room: (&State, Timestamp),
        next: &State,
        event: &Event,
        effects: &[Effect],
        at: Timestamp,
    ) {
        let (before, since) = room;
        for effect in effects {
            match effect {
                Effect::Act { attempt, .. } if *attempt > 1 => self.retries += 1,
                Effect::GuardRefused(_) => self.guard_refusals += 1,
                Effect::Escalate { .. } => self.escalations += 1,
                _ => {}
            }
        }
        self.resumes += u64::from(matches!(event, Event::Resume { .. }));
        let causes = |state: &State| -> Vec<Cause> {
            let run = state.run.as_ref().filter(|_| state.phase == Phase::Held);
            run.map(|run| run.causes.iter().copied().collect()).unwrap_or_default()
        };
        let (was, is) = (causes(before), causes(next));
        for cause in is.iter().filter(|cause| !was.contains(cause)) {
            *self.holds.entry(*cause).or_default() += 1;
        }
        if before.phase == Phase::Held && next.phase != Phase::Held {
            for cause in was {
                *self.held.entry(cause).or_default() += passed(since, at);
            }
        }
    }

    /// How long the switch took, when this step ends it.
    #[must_use]
    pub fn took(
        &self,
        before: &State,
        next: &State,
        known: &CheckedPlan,
        ordered: Timestamp,
        at: Timestamp,
    ) -> BTreeMap<String, Took> {
        let mut last = self.last.clone();
        let Some(run) = next.run.as_ref().or(before.run.as_ref()) else { return last };
        let is_there = match run.order.direction {
            Direction::Enter => matches!(next.phase, Phase::Ready | Phase::Degraded),
            Direction::Return => next.phase == Phase::Peace && before.run.is_some(),
        };
        let word = match run.order.direction {
            Direction::Enter => "enter",
            Direction::Return => "return",
        };
        let key = match run.order.class {
            Class::Actual => word.to_owned(),
            Class::Exercise => format!("{word} exercise"),
        };
        if is_there && last.get(&key).is_none_or(|took| took.order != run.order.id) {
            let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
            let within_ms = ms(known.brief.plan.ready_within);
            last.insert(key, Took { order: run.order.id.clone(), ms: ms(passed(ordered, at)), within_ms });
        }
        last
    }
}
