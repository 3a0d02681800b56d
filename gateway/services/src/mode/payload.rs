//! Messages on `event/mode` and `event/order`.

use linli_domain::{DeviceClass, Id, Message, Record, Timestamp, Topic};
use linli_mode::{Class, Effect, ResolvedPlan, Stage, State, StepState, bracketed};
use serde_json::{Map, Value, json};

use linli_config::CheckedPlan;
use linli_mode::facility::Facility;
use linli_mode::labels;
use linli_mode::record::StepChange;

/// A transition of a room, as it is published.
pub struct Transition<'c> {
    pub room: &'c Id,
    /// Display name of the room.
    pub name: &'c str,
    /// The building.
    pub facility: &'c Facility,
    /// The plan of the run.
    pub plan: &'c CheckedPlan,
    pub before: &'c State,
    pub after: &'c State,
    /// Stages before and after.
    pub stages: (Stage, Stage),
    pub effects: &'c [Effect],
    /// Whether the plan's data policy begins (`true`) or ends (`false`); `None` when that did not
    /// change.
    pub policy_change: Option<bool>,
    pub at: Timestamp,
}

// === impl Transition ===

impl Transition<'_> {
    /// Returns the members of the message but for the head of the record; `None` when nothing visible changed.
    #[must_use]
    pub fn body(&self) -> Option<Map<String, Value>> {
        let run = self.after.run.as_ref().or(self.before.run.as_ref())?;
        let steps = changed_steps(&self.plan.resolved, self.before, self.after);
        let mut notes: Vec<Value> = self.effects.iter().filter_map(|effect| self.note(effect)).collect();
        notes.extend(
            self.policy_change.map(|holds| json!({"policy": if holds { "applied" } else { "taken_back" }})),
        );
        if steps.is_empty() && notes.is_empty() && self.stages.0 == self.stages.1 {
            return None;
        }
        let causes = self.after.run.as_ref().map(|run| json!(run.causes)).unwrap_or_default();
        let text = format!("{}：{}", self.name, labels::chinese(self.stages.1));
        let text = if run.order.class == Class::Exercise { bracketed(&text) } else { text };
        let body = json!({
            "at": self.at, "kind": "room", "text": text, "room": self.room, "plan": self.plan.resolved.plan.key(),
            "role": self.plan.resolved.plan.role, "order": run.order.id, "class": run.order.class,
            "direction": run.order.direction, "from": self.stages.0, "stage": self.stages.1,
            "verified": self.after.is_verified_ready(), "causes": causes, "steps": steps, "notes": notes,
        });
        match body {
            Value::Object(body) => Some(body),
            _ => None,
        }
    }

    /// Returns the note of an effect that people must know of.
    fn note(&self, effect: &Effect) -> Option<Value> {
        let id = |step: &usize| self.plan.resolved.steps.get(*step).map(|job| &job.id);
        match effect {
            Effect::Escalate { step, role } => Some(json!({"escalate": id(step), "role": role})),
            Effect::GuardRefused(step) => Some(json!({"guard_refused": id(step)})),
            Effect::DrillEnded => Some(json!("drill_ended")),
            Effect::Disturbed(output) => {
                let setting = &self.plan.resolved.safe.get(*output)?.setting;
                Some(json!({"disturbed": output_text(self.facility, setting.fixture, setting.output)}))
            }
            _ => None,
        }
    }
}

/// Returns the steps whose state differs between the two states.
#[must_use]
pub fn changed_steps(resolved: &ResolvedPlan, before: &State, after: &State) -> Vec<StepChange> {
    let pending = StepState::Pending;
    let was = |step: usize| before.run.as_ref().and_then(|run| run.steps.get(step)).unwrap_or(&pending);
    let Some(run) = &after.run else { return Vec::new() };
    let is_new = before.run.as_ref().is_none_or(|old| old.order != run.order);
    let changed = run.steps.iter().enumerate().filter(|(step, state)| match is_new {
        true => **state != pending,
        false => was(*step) != *state,
    });
    changed
        .filter_map(|(step, state)| {
            Some(StepChange {
                step: resolved.steps.get(step)?.id.clone(),
                state: state.as_str().to_owned(),
                channel: match state {
                    StepState::Verified(channel) => Some(*channel),
                    _ => None,
                },
                by: match state {
                    StepState::Waived(by) => Some(by.clone()),
                    _ => None,
                },
                done_by: run.doers.get(&step).cloned().unwrap_or_default(),
            })
        })
        .collect()
}

/// Builds a message of the mode switch.
#[must_use]
pub fn message(topic: Topic, at: Timestamp, body: Map<String, Value>) -> Record {
    Record::Message(Message { topic, class: DeviceClass::Actuator, at, body })
}

/// Returns the name of an output: its fixture, a dot, and its own.
pub(super) fn output_text(facility: &Facility, fixture: usize, output: usize) -> String {
    let Some(fixture) = facility.fixtures.get(fixture) else { return String::new() };
    let name = fixture.sets.get(output).map_or("?", |output| &output.name);
    format!("{}.{name}", fixture.id)
}
