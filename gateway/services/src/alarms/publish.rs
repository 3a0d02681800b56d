//! A transition is stored together with the alarm's new state and its notifications; then it is
//! published.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::alarm::{self, Priority, Transition};
use linli_store::{Audit, Change, Entry, Notification};
use serde_json::{Map, Value};

use super::payload;
use super::service::AlarmService;
use super::stored::StoredAlarm;
use crate::random::random;
use linli_config::settings::webhook::Webhook;
use linli_domain::audit::hex;

/// Interval at which running delays are stored.
const KEEP_WAITS: Duration = Duration::from_secs(10);

/// Most transitions that wait to be stored; they are published all the same.
const UNSAVED: usize = 1000;

// === impl AlarmService ===

impl AlarmService {
    /// Stores transitions with the alarms' new states; then publishes them.
    pub(super) async fn publish(
        &mut self,
        transitions: Vec<Transition>,
        by: Option<&str>,
        why: Option<&str>,
    ) {
        if transitions.is_empty() {
            return;
        }
        let (now, at) = (self.now(), self.deps.clock.now().at);
        self.count_at = now;
        let mut entry = Entry::default();
        let mut bodies = Vec::with_capacity(transitions.len());
        for transition in &transitions {
            let rules = Arc::clone(&self.deps.rules.borrow());
            let Some(rule) = rules.iter().find(|rule| rule.id == transition.alarm) else { continue };
            let body = payload::step(rule, transition, at, by, why);
            tracing::info!(alarm = %rule.id, to = ?transition.to, event = ?transition.event, "alarm");
            let own = |text: Option<&str>| text.map(str::to_owned);
            let kept = self.engine.kept(&rule.id, now).unwrap_or_default();
            let noted = StoredAlarm { kept, at, by: own(by), why: own(why), escalated: Vec::new() };
            let written = serde_json::to_string(&noted).unwrap_or_default();
            entry.changes.push(Change::Alarm { id: rule.id.clone(), body: written });
            entry.changes.push(Change::AlarmStep { at, body: Value::Object(body.clone()).to_string() });
            entry.records.push(payload::record(body.clone(), at));
            if let Some(who) = by {
                let (what, detail) = (audited(transition.event).to_owned(), why.unwrap_or_default());
                let (who, about, detail) = (who.to_owned(), rule.id.to_string(), detail.to_owned());
                entry.audit.push(Audit { at, who, what, about, detail });
            }
            if transition.to == alarm::State::Unacknowledged && transition.from != transition.to {
                entry.changes.extend(self.notify(rule.priority, &body, None));
            }
            self.notes.insert(rule.id.clone(), noted);
            bodies.push(Value::Object(body));
        }
        self.unsaved.push_back(entry);
        self.save().await;
        bodies.iter().for_each(|body| self.deps.events.publish("alarm", body));
    }

    /// Notifications to every receiver of this priority, or only to the receiver `only`.
    fn notify(&self, priority: Priority, body: &Map<String, Value>, only: Option<&Id>) -> Vec<Change> {
        let (hooks, now) = (self.deps.hooks.borrow(), self.deps.clock.now().at);
        let wants =
            |hook: &&Webhook| hook.priorities.contains(&priority) && only.is_none_or(|only| hook.id == *only);
        let notification = |hook: &Webhook| {
            let key = hex(&random::<16>().unwrap_or_default());
            let mut body = body.clone();
            body.insert("escalation".to_owned(), only.is_some().into());
            Change::Notify(Notification {
                id: 0,
                hook: hook.id.clone(),
                key,
                body: Value::Object(body).to_string(),
                after: hook.quiet.as_ref().filter(|_| priority != Priority::High).map_or(
                    now,
                    |(hours, zone)| {
                        // Told at once, or when the quiet is over.
                        zone.end_of(*hours, now).unwrap_or(now)
                    },
                ),
            })
        };
        hooks.iter().filter(wants).map(notification).collect()
    }

    /// Sends a test notification to every receiver; no alarm changes.
    pub(super) async fn test(&mut self, who: &str) {
        let at = self.deps.clock.now().at;
        let body = payload::test(who, at);
        let (who, what, about) = (who.to_owned(), "alarm.test".to_owned(), "alarms".to_owned());
        let mut entry = Entry::default();
        for priority in [Priority::High, Priority::Medium, Priority::Low] {
            for mut change in self.notify(priority, &body, None) {
                // A test waits for no morning.
                if let Change::Notify(notification) = &mut change {
                    notification.after = at;
                }
                let is_queued = |notification: &Change| matches!((notification, &change), (Change::Notify(a), Change::Notify(b)) if a.hook == b.hook);
                if !entry.changes.iter().any(is_queued) {
                    entry.changes.push(change);
                }
            }
        }
        entry.changes.push(Change::AlarmStep { at, body: Value::Object(body.clone()).to_string() });
        entry.audit.push(Audit { at, who, what, about, detail: String::new() });
        entry.records.push(payload::record(body.clone(), at));
        self.unsaved.push_back(entry);
        self.save().await;
        self.deps.events.publish("alarm", &Value::Object(body));
    }

    /// Stores how much of their on-delay alarms have waited, so that a restart does not begin it anew.
    pub(super) fn keep_waits(&mut self) {
        let (now, at) = (self.now(), self.deps.clock.now().at);
        if now.since(self.waits_kept) < KEEP_WAITS || !self.unsaved.is_empty() {
            return;
        }
        self.waits_kept = now;
        let waiting: Vec<Id> =
            self.engine.alarms().filter(|view| view.is_waiting).map(|view| view.rule.id.clone()).collect();
        let mut changes = Vec::new();
        for id in waiting {
            let kept = self.engine.kept(&id, now).unwrap_or_default();
            let noted = self.notes.get(&id).cloned();
            let (by, why) =
                noted.as_ref().map(|noted| (noted.by.clone(), noted.why.clone())).unwrap_or_default();
            let escalated = noted.map(|noted| noted.escalated).unwrap_or_default();
            let noted = StoredAlarm { kept, at, by, why, escalated };
            let body = serde_json::to_string(&noted).unwrap_or_default();
            changes.push(Change::Alarm { id, body });
        }
        if !changes.is_empty() {
            self.unsaved.push_back(Entry { changes, ..Entry::default() });
        }
    }

    /// Notifies receivers again of alarms that nobody has acknowledged in their time.
    pub(super) fn escalate(&mut self) {
        let hooks: Vec<(Id, Duration)> = {
            let hooks = self.deps.hooks.borrow();
            hooks.iter().filter_map(|hook| Some((hook.id.clone(), hook.escalate_after?))).collect()
        };
        if hooks.is_empty() {
            return;
        }
        let (now, at) = (self.now(), self.deps.clock.now().at);
        let mut late = Vec::new();
        for view in self.engine.alarms().filter(|view| view.state == alarm::State::Unacknowledged) {
            let done = self.notes.get(&view.rule.id).map(|noted| noted.escalated.clone()).unwrap_or_default();
            for (hook, after) in &hooks {
                if now.since(view.since) >= *after && !done.contains(hook) {
                    late.push((view.rule.clone(), hook.clone(), view.value));
                }
            }
        }
        for (rule, hook, value) in late {
            let state = alarm::State::Unacknowledged;
            let step = Transition {
                alarm: rule.id.clone(),
                from: state,
                to: state,
                event: alarm::Event::Raised,
                value,
                is_first_out: false,
            };
            let body = payload::step(&rule, &step, at, None, None);
            let mut changes = self.notify(rule.priority, &body, Some(&hook));
            let Some(noted) = self.notes.get_mut(&rule.id) else { continue };
            noted.escalated.push(hook);
            let written = serde_json::to_string(noted).unwrap_or_default();
            changes.push(Change::Alarm { id: rule.id, body: written });
            self.unsaved.push_back(Entry { changes, ..Entry::default() });
        }
    }

    /// Stores what waits, in order; what the store does not take is tried again later.
    pub(super) async fn save(&mut self) {
        while let Some(entry) = self.unsaved.front() {
            if let Err(error) = self.deps.store.keep(entry.clone()).await {
                if self.unsaved.len() > UNSAVED {
                    tracing::error!(%error, "steps of alarms could not be stored and are given up");
                    self.unsaved.pop_front();
                }
                return;
            }
            self.unsaved.pop_front();
        }
    }

    /// Ends alarms whose rule was removed, so that the district does not wait for their end.
    pub(super) async fn retire(&mut self) {
        let rules = Arc::clone(&self.deps.rules.borrow());
        let is_gone = |id: &&Id| !rules.iter().any(|rule| rule.id == **id);
        let gone: Vec<Id> = self.notes.keys().filter(is_gone).cloned().collect();
        let at = self.deps.clock.now().at;
        for id in gone {
            let Some(noted) = self.notes.remove(&id) else { continue };
            let mut entry = Entry::default();
            entry.changes.push(Change::ForgetAlarm(id.clone()));
            if noted.kept.state != alarm::State::Normal {
                let body = payload::retired(&id, noted.kept.state, at);
                entry.changes.push(Change::AlarmStep { at, body: Value::Object(body.clone()).to_string() });
                entry.records.push(payload::record(body.clone(), at));
                self.deps.events.publish("alarm", &Value::Object(body));
            }
            self.unsaved.push_back(entry);
        }
        self.save().await;
    }
}

/// The words of the audit; they are stored.
const fn audited(event: alarm::Event) -> &'static str {
    match event {
        alarm::Event::Raised => "alarm.raised",
        alarm::Event::Cleared => "alarm.cleared",
        alarm::Event::Acknowledge => "alarm.acknowledge",
        alarm::Event::Reset => "alarm.reset",
        alarm::Event::Shelve => "alarm.shelve",
        alarm::Event::Unshelve => "alarm.unshelve",
        alarm::Event::Suppress => "alarm.suppress",
        alarm::Event::Unsuppress => "alarm.unsuppress",
        alarm::Event::TakeOut => "alarm.takeout",
        alarm::Event::PutBack => "alarm.putback",
    }
}
