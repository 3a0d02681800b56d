//! The data policies in force: derived from the rooms' states and published to the lines, the pipeline,
//! the alarms and the kiosks, which apply them.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Id, Timestamp};
use linli_drivers::PollOverrides;
use linli_mode::{Class, InForce, OrderRef, State, holds};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;

use super::evidence::Moment;
use super::setup::Setup;
use linli_config::CheckedPlan;

/// Publishes the data policies in force.
#[derive(Clone, Default)]
pub struct PolicyPublisher {
    in_force: watch::Sender<Arc<InForce>>,
    paces: watch::Sender<PollOverrides>,
}

/// The plan by which a room was entered; its policy is in force until the room is in peace.
#[derive(Debug, Clone)]
pub struct Entered {
    pub plan: Arc<CheckedPlan>,
    /// Id of the order.
    order: String,
    /// Actual or exercise.
    pub(super) class: Class,
    /// When the order was committed, wall clock.
    began: Timestamp,
    /// Age of the policy when this process began to count it.
    earlier: Duration,
    /// When this process began to count it.
    resumed: Instant,
}

/// The stored form of [`Entered`].
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StoredEntered {
    pub(super) plan: String,
    pub(super) hash: String,
    pub(super) order: String,
    pub(super) class: Class,
    pub(super) began: Timestamp,
}

// === impl PolicyPublisher ===

impl PolicyPublisher {
    /// Returns the policies in force, and their changes.
    #[must_use]
    pub fn in_force(&self) -> watch::Receiver<Arc<InForce>> {
        self.in_force.subscribe()
    }

    /// Returns the poll intervals that the policies set, and their changes.
    #[must_use]
    pub fn paces(&self) -> watch::Receiver<PollOverrides> {
        self.paces.subscribe()
    }

    pub(super) fn publish(&self, all: InForce) {
        let polls = all.polls.clone();
        self.paces.send_if_modified(|paces| {
            let is_changed = **paces != polls;
            if is_changed {
                *paces = Arc::new(polls);
            }
            is_changed
        });
        self.in_force.send_if_modified(|in_force| {
            let is_changed = **in_force != all;
            if is_changed {
                *in_force = Arc::new(all);
            }
            is_changed
        });
    }
}

// === impl Entered ===

impl Entered {
    /// Returns the plan whose policy is in force once the room is in `state`.
    pub fn after(before: Option<&Self>, state: &State, plan: &Arc<CheckedPlan>, now: Moment) -> Option<Self> {
        holds(before.cloned(), state, |order| Self::now(before, plan, order, now))
    }

    fn now(before: Option<&Self>, plan: &Arc<CheckedPlan>, order: &OrderRef, now: Moment) -> Self {
        let is_same = |entered: &&Self| entered.order == order.id && entered.plan.hash == plan.hash;
        before.filter(is_same).cloned().unwrap_or_else(|| Self {
            plan: Arc::clone(plan),
            order: order.id.clone(),
            class: order.class,
            began: now.at,
            earlier: Duration::ZERO,
            resumed: now.instant,
        })
    }

    /// Restores the stored form; `None` when the configuration no longer has the plan.
    pub fn resume(setup: &Setup, stored: StoredEntered, now: Moment) -> Option<Self> {
        let plan = setup.plan(&stored.plan);
        let plan = plan.filter(|plan| linli_domain::audit::hex(&plan.hash) == stored.hash)?;
        let passed = u64::try_from(now.at.0.saturating_sub(stored.began.0)).unwrap_or_default();
        Some(Self {
            plan: Arc::clone(plan),
            order: stored.order,
            class: stored.class,
            began: stored.began,
            earlier: Duration::from_millis(passed),
            resumed: now.instant,
        })
    }

    /// Returns the stored form.
    pub fn stored(&self) -> StoredEntered {
        StoredEntered {
            plan: self.plan.resolved.plan.key(),
            hash: linli_domain::audit::hex(&self.plan.hash),
            order: self.order.clone(),
            class: self.class,
            began: self.began,
        }
    }

    /// Returns the time since the order was committed.
    pub(super) fn age(&self, now: Instant) -> Duration {
        self.earlier + now.saturating_duration_since(self.resumed)
    }

    /// Returns the policy as the JSON of the status.
    pub fn view(&self) -> Value {
        let policy = &self.plan.policy;
        let reading_view = |reading: &linli_mode::Reading| {
            let poll = reading.poll.map(linli_drivers::duration::format);
            json!({"device": reading.device, "poll": poll, "urgent": reading.is_urgent})
        };
        let alarm_view = |ruling: &linli_mode::Ruling| {
            let span = ruling.silent_for.map(linli_drivers::duration::format);
            let action = if span.is_some() { "suppress" } else { "enable" };
            json!({"alarm": ruling.alarm, "set": action, "why": ruling.why, "at_most": span})
        };
        let notice_view = |notice: &linli_mode::Notice| json!({"device": notice.kiosk, "text": notice.text});
        json!({
            "plan": self.plan.resolved.plan.key(), "class": self.class, "since": self.began,
            "devices": policy.devices.iter().map(reading_view).collect::<Vec<_>>(),
            "alarms": policy.alarms.iter().map(alarm_view).collect::<Vec<_>>(),
            "kiosks": policy.kiosks.iter().map(notice_view).collect::<Vec<_>>(),
        })
    }
}

/// Returns the order and the plan of a policy, for comparison.
pub fn plan_of(entered: Option<&Entered>) -> Option<(String, Id)> {
    entered.map(|entered| (entered.order.clone(), entered.plan.resolved.plan.id.clone()))
}
