//! What the district is told: `event/mode` and `event/order`.

use linli_domain::audit::Head;
use linli_domain::mode::{Effect, Stage, State, StepState};
use linli_domain::{DeviceClass, Id, Message, Record, Timestamp, Topic};
use serde_json::{Map, Value, json};

use crate::config::Known;

/// A room took a step: what changed, for whoever follows it.
pub struct Changed<'c> {
    /// The room.
    pub room: &'c Id,
    /// The plan of the run.
    pub known: &'c Known,
    /// Before.
    pub before: &'c State,
    /// Afterwards.
    pub after: &'c State,
    /// Where it was, and where it is.
    pub stages: (Stage, Stage),
    /// What follows.
    pub effects: &'c [Effect],
    /// What stands for the record so far.
    pub head: &'c Head,
    /// When.
    pub at: Timestamp,
}

// === impl Changed ===

impl Changed<'_> {
    /// The message's members; nothing when people see no difference.
    #[must_use]
    pub fn body(&self) -> Option<Map<String, Value>> {
        let run = self.after.run.as_ref().or(self.before.run.as_ref())?;
        let states = |state: &State| state.run.as_ref().map(|run| run.steps.clone()).unwrap_or_default();
        let (before, after) = (states(self.before), states(self.after));
        let pending = StepState::Pending;
        let steps: Vec<Value> = after
            .iter()
            .enumerate()
            .filter(|(step, state)| before.get(*step).unwrap_or(&pending) != *state)
            .map(|(step, state)| self.step(step, state))
            .collect();
        let notes: Vec<Value> = self.effects.iter().filter_map(|effect| self.note(effect)).collect();
        if steps.is_empty() && notes.is_empty() && self.stages.0 == self.stages.1 {
            return None;
        }
        let causes = self.after.run.as_ref().map(|run| json!(run.causes)).unwrap_or_default();
        let body = json!({
            "at": self.at, "room": self.room, "plan": self.known.brief.plan.key(),
            "role": self.known.brief.plan.role, "order": run.order.id, "class": run.order.class,
            "direction": run.order.direction, "from": self.stages.0, "stage": self.stages.1,
            "verified": self.after.is_verified_ready(), "causes": causes, "steps": steps, "notes": notes,
            "record": self.head,
        });
        match body {
            Value::Object(body) => Some(body),
            _ => None,
        }
    }

    fn step(&self, step: usize, state: &StepState) -> Value {
        let id = self.known.brief.jobs.get(step).map(|job| &job.id);
        match state {
            StepState::Verified(channel) => json!({"step": id, "state": state.as_str(), "channel": channel}),
            StepState::Waived(by) => json!({"step": id, "state": state.as_str(), "by": by}),
            _ => json!({"step": id, "state": state.as_str()}),
        }
    }

    /// What somebody has to hear of.
    fn note(&self, effect: &Effect) -> Option<Value> {
        let id = |step: &usize| self.known.brief.jobs.get(*step).map(|job| &job.id);
        match effect {
            Effect::Escalate { step, role } => Some(json!({"escalate": id(step), "role": role})),
            Effect::GuardRefused(step) => Some(json!({"guard_refused": id(step)})),
            Effect::DrillEnded => Some(json!("drill_ended")),
            _ => None,
        }
    }
}

/// A message of the mode switch.
#[must_use]
pub fn message(topic: Topic, at: Timestamp, body: Map<String, Value>) -> Record {
    Record::Message(Message { topic, class: DeviceClass::Actuator, at, body })
}
