//! Metrics of the mode switch, per room and per role.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linli_domain::{Id, Timestamp};
use linli_mode::{Cause, Channel, Class, Direction, Effect, Event, Phase, Stage, State, StepState};
use serde::{Deserialize, Serialize};

use linli_config::CheckedPlan;

/// Results of orders, in the order of [`Health::orders`].
pub const RESULTS: [&str; 6] = ["accepted", "refused", "repeated", "quarantined", "proposal", DROPPED];

/// Of an order that there was no room for.
pub(super) const DROPPED: &str = "dropped";

/// Counters of the mode switch.
#[derive(Debug, Default)]
pub struct Health {
    /// Turns of the loop: it makes several a second while it is well.
    pub turns: AtomicU64,
    /// Executed transitions.
    pub steps: AtomicU64,
    /// Orders and messages, by result.
    pub orders: [AtomicU64; RESULTS.len()],
    /// Longest time from an event to its effects, microseconds.
    pub slowest_us: AtomicU64,
    /// Batches dropped because the queue was full.
    pub dropped: Arc<AtomicU64>,
    metrics: Mutex<Arc<Snapshot>>,
}

/// Metrics of all rooms at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Rooms that have plans.
    pub rooms: Vec<RoomMetrics>,
    /// Per role: number of steps that wait for people, and how long the oldest has waited.
    pub outstanding: BTreeMap<String, (u64, Duration)>,
    /// Number of audit entries.
    pub record: u64,
}

/// Metrics of a room.
#[derive(Debug)]
pub struct RoomMetrics {
    /// Id of the room.
    pub room: Id,
    /// Its stage.
    pub stage: Stage,
    /// Time in that stage.
    pub in_stage: Duration,
    /// Whether the run is a drill.
    pub is_exercise: bool,
    /// Whether the room is in its service state.
    pub is_in_service: bool,
    /// Number of the run's steps, by label of [`STEPS`].
    pub steps: BTreeMap<&'static str, u64>,
    /// Counts since the process started.
    pub tally: Tally,
}

/// Counts of a room since the process started.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Attempts after the first.
    pub retries: u64,
    /// Refusals by guards.
    pub guard_refusals: u64,
    /// Escalations of steps.
    pub escalations: u64,
    /// Resumptions after a hold.
    pub resumes: u64,
    /// Holds, by cause.
    pub holds: BTreeMap<Cause, u64>,
    /// Time spent held, by cause.
    pub held: BTreeMap<Cause, Duration>,
    /// Duration of the last switch, by direction and class.
    pub last: BTreeMap<String, SwitchTime>,
}

/// Duration of a switch, from the order to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchTime {
    /// Id of the order.
    pub order: String,
    /// Milliseconds.
    pub ms: u64,
    /// Limit of the plan, milliseconds.
    pub within_ms: u64,
}

/// Returns the time between two wall clock readings; zero when the clock went back.
pub(super) fn wall_time_between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(u64::try_from(to.0.saturating_sub(from.0)).unwrap_or_default())
}

/// Returns the metric label of a cause.
#[must_use]
pub const fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Fire => "fire",
        Cause::Stop => "stop",
        Cause::Guard => "guard",
        Cause::Failed => "failed",
        Cause::Cancel => "cancel",
        Cause::Silent => "silent",
    }
}

/// Returns the metric label of a step's state, one of [`STEPS`].
pub(super) fn step_label(state: &StepState) -> &'static str {
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

/// Every label that a step's state can have.
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
    /// Counts an order or a message by its result.
    pub fn ordered(&self, result: &str) {
        if let Some(at) = RESULTS.iter().position(|label| *label == result) {
            self.orders[at].fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many orders and messages had that result.
    pub(super) fn count_of_orders(&self, result: &str) -> u64 {
        let at = RESULTS.iter().position(|label| *label == result);
        at.map_or(0, |at| self.orders[at].load(Ordering::Relaxed))
    }

    /// Returns the metrics published last.
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
    /// Counts a transition. `room` is the state before it and the time since when it held that stage.
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
                *self.held.entry(cause).or_default() += wall_time_between(since, at);
            }
        }
    }

    /// Returns the durations of the last switches, with this one if the transition ends it.
    #[must_use]
    pub fn switch_times(
        &self,
        before: &State,
        next: &State,
        plan: &CheckedPlan,
        ordered: Timestamp,
        at: Timestamp,
    ) -> BTreeMap<String, SwitchTime> {
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
        if is_there && last.get(&key).is_none_or(|last| last.order != run.order.id) {
            let ms = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
            let within_ms = ms(plan.resolved.plan.ready_within);
            last.insert(
                key,
                SwitchTime { order: run.order.id.clone(), ms: ms(wall_time_between(ordered, at)), within_ms },
            );
        }
        last
    }
}
