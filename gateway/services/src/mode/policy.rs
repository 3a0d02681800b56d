//! Which data policies are in force: reckoned from where the rooms are, reported to the lines, the
//! pipeline, the alarms and the kiosks, each of which does its part of it.

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

/// Where it is reported what holds.
#[derive(Clone, Default)]
pub struct PolicyPublisher {
    in_force: watch::Sender<Arc<InForce>>,
    paces: watch::Sender<PollOverrides>,
}

/// The plan that a room was entered by; its policy holds until the room is in peace.
#[derive(Debug, Clone)]
pub struct Entered {
    /// The plan.
    pub known: Arc<CheckedPlan>,
    /// By which order.
    order: String,
    /// Whether it is meant.
    pub(super) class: Class,
    /// Since when.
    began: Timestamp,
    /// How much of that passed before this process.
    aged: Duration,
    /// Since when this process counts.
    counted: Instant,
}

/// What is kept of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptEntered {
    pub(super) plan: String,
    pub(super) hash: String,
    pub(super) order: String,
    pub(super) class: Class,
    pub(super) began: Timestamp,
}

// === impl PolicyPublisher ===

impl PolicyPublisher {
    /// What holds now.
    #[must_use]
    pub fn in_force(&self) -> watch::Receiver<Arc<InForce>> {
        self.in_force.subscribe()
    }

    /// How often devices are read.
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
        self.in_force.send_if_modified(|reported| {
            let is_changed = **reported != all;
            if is_changed {
                *reported = Arc::new(all);
            }
            is_changed
        });
    }
}

// === impl Entered ===

impl Entered {
    /// What holds once a room is in that state.
    pub fn after(
        before: Option<&Self>,
        state: &State,
        known: &Arc<CheckedPlan>,
        now: Moment,
    ) -> Option<Self> {
        holds(before.cloned(), state, |order| Self::now(before, known, order, now))
    }

    fn now(before: Option<&Self>, known: &Arc<CheckedPlan>, order: &OrderRef, now: Moment) -> Self {
        let is_same = |entered: &&Self| entered.order == order.id && entered.known.hash == known.hash;
        before.filter(is_same).cloned().unwrap_or_else(|| Self {
            known: Arc::clone(known),
            order: order.id.clone(),
            class: order.class,
            began: now.at,
            aged: Duration::ZERO,
            counted: now.instant,
        })
    }

    /// As it was kept; nothing when the plan is gone.
    pub fn resume(setup: &Setup, kept: KeptEntered, now: Moment) -> Option<Self> {
        let known = setup.plan(&kept.plan);
        let known = known.filter(|known| linli_domain::audit::hex(&known.hash) == kept.hash)?;
        let passed = u64::try_from(now.at.0.saturating_sub(kept.began.0)).unwrap_or_default();
        Some(Self {
            known: Arc::clone(known),
            order: kept.order,
            class: kept.class,
            began: kept.began,
            aged: Duration::from_millis(passed),
            counted: now.instant,
        })
    }

    /// What is kept of it.
    pub fn kept(&self) -> KeptEntered {
        KeptEntered {
            plan: self.known.brief.plan.key(),
            hash: linli_domain::audit::hex(&self.known.hash),
            order: self.order.clone(),
            class: self.class,
            began: self.began,
        }
    }

    /// Since the order was committed.
    pub(super) fn age(&self, now: Instant) -> Duration {
        self.aged + now.saturating_duration_since(self.counted)
    }

    /// As people are shown it.
    pub fn shown(&self) -> Value {
        let policy = &self.known.policy;
        let reading = |reading: &linli_mode::Reading| {
            let poll = reading.poll.map(linli_drivers::duration::format);
            json!({"device": reading.device, "poll": poll, "urgent": reading.is_urgent})
        };
        let ruling = |ruling: &linli_mode::Ruling| {
            let span = ruling.silent_for.map(linli_drivers::duration::format);
            let word = if span.is_some() { "suppress" } else { "enable" };
            json!({"alarm": ruling.alarm, "set": word, "why": ruling.why, "at_most": span})
        };
        let notice = |notice: &linli_mode::Notice| json!({"device": notice.kiosk, "text": notice.text});
        json!({
            "plan": self.known.brief.plan.key(), "class": self.class, "since": self.began,
            "devices": policy.devices.iter().map(reading).collect::<Vec<_>>(),
            "alarms": policy.alarms.iter().map(ruling).collect::<Vec<_>>(),
            "kiosks": policy.kiosks.iter().map(notice).collect::<Vec<_>>(),
        })
    }
}

/// Which plan's policy holds, for whoever compares.
pub fn plan_of(entered: Option<&Entered>) -> Option<(String, Id)> {
    entered.map(|entered| (entered.order.clone(), entered.known.brief.plan.id.clone()))
}
