//! The feed: what changed of the live values, written once for all streams that are open.
//!
//! While somebody listens, one task looks at the values every [`EVERY`] and writes what changed twice at most: for
//! everybody, and with vital signs for health workers. The bytes are shared, however many screens are open. A stream that
//! has just begun, was too slow, or may see more than before, gets what it lacks on its own.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linli_domain::{DeviceClass, Timestamp};
use linli_services::events::EventText;
use linli_services::live::{DeviceView, Live};
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Name of the topic of values.
pub const VALUES: &str = "values";

/// Interval at which changed values are sent. A screen should show them within 100 ms, and a device that is read at the same
/// interval may wait nearly all of it every time.
const EVERY: Duration = Duration::from_millis(50);

/// Changes kept for a slow stream; one that lacks more reads the table. Each may have a hundred kilobytes.
const KEPT: usize = 8;

/// What changed within one interval.
#[derive(Debug, Clone)]
pub struct Change {
    /// The revision of the table before.
    pub from: u64,
    /// The revision after.
    pub to: u64,
    /// Without vital signs; `None` if nothing else changed.
    pub public: Option<EventText>,
    /// With them.
    pub whole: Option<EventText>,
}

/// Changes of the live values, for every stream.
pub struct Feed {
    live: Arc<Live>,
    changes: broadcast::Sender<Change>,
    /// Whether the task runs.
    is_running: Mutex<bool>,
}

/// The body of the event.
#[derive(Serialize)]
struct Body<'d> {
    at: i64,
    devices: &'d [&'d DeviceView],
}

// === impl Feed ===

impl Feed {
    /// The feed of a table.
    #[must_use]
    pub fn of(live: Arc<Live>) -> Arc<Self> {
        Arc::new(Self { live, changes: broadcast::Sender::new(KEPT), is_running: Mutex::new(false) })
    }

    /// Receives the changes from now on.
    pub fn subscribe(self: &Arc<Self>) -> broadcast::Receiver<Change> {
        let mut is_running = self.is_running.lock().unwrap_or_else(PoisonError::into_inner);
        let changes = self.changes.subscribe();
        if !std::mem::replace(&mut *is_running, true) {
            tokio::spawn(Arc::clone(self).run(self.live.revision()));
        }
        changes
    }

    /// Everything that changed after a revision, for a single stream.
    pub fn since(&self, revision: u64) -> Change {
        let (to, devices) = self.live.changed_since(revision, Instant::now());
        let is_public = |device: &&DeviceView| device.class != DeviceClass::Vital.as_str();
        let all: Vec<&DeviceView> = devices.iter().collect();
        let public: Vec<&DeviceView> = devices.iter().filter(is_public).collect();
        let at = Timestamp(jiff::Timestamp::now().as_millisecond()).0;
        let written = |devices: &[&DeviceView]| {
            let json = serde_json::to_string(&Body { at, devices }).unwrap_or_default();
            (!devices.is_empty()).then(|| EventText::new(VALUES, &json))
        };
        let whole = written(&all);
        let public = if public.len() == all.len() { whole.clone() } else { written(&public) };
        Change { from: revision, to, public, whole }
    }

    /// Waits until the task has ended.
    #[cfg(test)]
    pub async fn ended(&self) {
        while *self.is_running.lock().unwrap_or_else(PoisonError::into_inner) {
            tokio::task::yield_now().await;
        }
    }

    /// Sends what changes until nobody listens.
    async fn run(self: Arc<Self>, mut revision: u64) {
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            {
                let mut is_running = self.is_running.lock().unwrap_or_else(PoisonError::into_inner);
                if self.changes.receiver_count() == 0 {
                    *is_running = false;
                    return;
                }
            }
            if self.live.revision() == revision {
                continue;
            }
            let change = self.since(revision);
            revision = change.to;
            let _ = self.changes.send(change);
        }
    }
}
