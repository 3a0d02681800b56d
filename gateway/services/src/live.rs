//! What every point shows right now. A value that is too old says so; it never looks live.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use linli_domain::{Batch, Id, Layout, Quality, Reason, Sample};
use linli_drivers::{DeviceState, LineEvent};
use serde::Serialize;
use tokio::time::Instant;

/// The latest state of every device. Shared; locked for moments, never across I/O.
#[derive(Debug, Default)]
pub struct Live {
    devices: Mutex<BTreeMap<Id, Device>>,
}

/// What the configuration says about a device.
#[derive(Debug, Clone)]
pub struct ConfiguredDevice {
    /// What it is.
    pub layout: Arc<Layout>,
    /// The line it hangs on.
    pub line: Id,
    /// A value older than this is stale.
    pub stale_after: Duration,
}

#[derive(Debug)]
struct Device {
    known: ConfiguredDevice,
    state: State,
    points: Vec<Option<(Sample, Instant)>>,
}

#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Unknown,
    Known {
        state: DeviceState,
        detail: String,
        at_ms: i64,
    },
}

/// A device as the API shows it.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceView {
    /// Its id.
    pub device: Id,
    /// What people call it.
    pub name: String,
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<Id>,
    /// What it is for.
    pub class: &'static str,
    /// The line it hangs on.
    pub line: Id,
    /// Its model.
    pub profile: String,
    /// `online`, `offline` or `unknown`.
    pub state: &'static str,
    /// Why it is offline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// More for a person.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Since when, Unix milliseconds UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// Its points in the order of the profile.
    pub points: Vec<PointView>,
}

/// A point as the API shows it.
#[derive(Debug, Clone, Serialize)]
pub struct PointView {
    /// Its id.
    pub point: Id,
    /// UCUM code.
    pub unit: String,
    /// The value; nothing when there is none that may be shown.
    pub value: Option<linli_domain::Value>,
    /// `good`, or why not.
    pub quality: String,
    /// Source time, Unix milliseconds UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Whether commands may write it.
    pub writable: bool,
}

// === impl Live ===

impl Live {
    /// Takes over the devices of a configuration; what stays unchanged keeps its values.
    pub fn configure(&self, known: Vec<ConfiguredDevice>) {
        let mut devices = self.lock();
        let mut old = std::mem::take(&mut *devices);
        for known in known {
            let id = known.layout.device.clone();
            let points = vec![None; known.layout.points.len()];
            let device = match old.remove(&id) {
                Some(same) if same.known.layout == known.layout => Device { known, ..same },
                _ => Device { known, state: State::default(), points },
            };
            devices.insert(id, device);
        }
    }

    /// Remembers the samples of a batch.
    pub fn update(&self, batch: &Batch, now: Instant) {
        let mut devices = self.lock();
        let Some(device) = devices.get_mut(&batch.layout.device) else { return };
        for sample in &batch.samples {
            if let Some(slot) = device.points.get_mut(usize::from(sample.point)) {
                *slot = Some((sample.clone(), now));
            }
        }
    }

    /// Remembers a transition of a device.
    pub fn transition(&self, event: &LineEvent) {
        let Some(id) = &event.device else { return };
        if let Some(device) = self.lock().get_mut(id) {
            device.state =
                State::Known { state: event.state, detail: event.detail.clone(), at_ms: event.at.at.0 };
        }
    }

    /// Everything, by device id.
    #[must_use]
    pub fn view(&self, now: Instant) -> Vec<DeviceView> {
        self.lock().values().map(|device| device.view(now)).collect()
    }

    /// One device.
    #[must_use]
    pub fn device(&self, id: &str, now: Instant) -> Option<DeviceView> {
        self.lock().get(id).map(|device| device.view(now))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Id, Device>> {
        // A panic while holding the lock leaves a whole table: values are replaced one by one.
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Device ===

impl Device {
    fn view(&self, now: Instant) -> DeviceView {
        let layout = &self.known.layout;
        let (state, reason, detail, since) = match &self.state {
            State::Unknown => ("unknown", None, String::new(), None),
            State::Known { state: DeviceState::Online, detail, at_ms } => {
                ("online", None, detail.clone(), Some(*at_ms))
            }
            State::Known { state: DeviceState::Offline(why), detail, at_ms } => {
                ("offline", Some(why.as_str()), detail.clone(), Some(*at_ms))
            }
        };
        let points = layout.points.iter().zip(&self.points).map(|(spec, seen)| {
            let (quality, value, at) = match seen {
                None => (Quality::Bad(Reason::Stale), None, None),
                Some((sample, received)) if now - *received > self.known.stale_after => {
                    (Quality::Bad(Reason::Stale), None, Some(sample.at.0))
                }
                Some((sample, _)) => (sample.quality, sample.value.clone(), Some(sample.at.0)),
            };
            PointView {
                point: spec.name.clone(),
                unit: spec.unit.clone(),
                value,
                quality: quality.to_string(),
                at,
                writable: spec.writable,
            }
        });
        DeviceView {
            device: layout.device.clone(),
            name: layout.name.clone(),
            room: layout.room.clone(),
            class: layout.class.as_str(),
            line: self.known.line.clone(),
            profile: layout.profile.clone(),
            state,
            reason,
            detail,
            since,
            points: points.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::{ClockQuality, DeviceClass, PointSpec, Timestamp, Value, ValueType};

    fn known() -> ConfiguredDevice {
        let point = PointSpec {
            name: Id::new("air").unwrap(),
            unit: "Cel".to_owned(),
            kind: ValueType::Float,
            writable: false,
        };
        ConfiguredDevice {
            layout: Arc::new(Layout {
                device: Id::new("fridge-1").unwrap(),
                name: "冰箱".to_owned(),
                room: None,
                class: DeviceClass::FoodSafety,
                profile: "x/y".to_owned(),
                points: vec![point],
            }),
            line: Id::new("bus-1").unwrap(),
            stale_after: Duration::from_secs(30),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_old_value_is_not_shown_as_live() {
        let live = Live::default();
        live.configure(vec![known()]);
        let shown = |live: &Live| {
            let view = live.device("fridge-1", Instant::now()).expect("configured");
            (view.points[0].value.clone(), view.points[0].quality.clone())
        };
        assert_eq!(shown(&live), (None, "bad:stale".to_owned()));
        let sample = Sample {
            point: 0,
            at: Timestamp(5),
            clock: ClockQuality::Synchronised,
            quality: Quality::Good,
            value: Value::float(4.5),
        };
        live.update(&Batch { layout: known().layout, samples: vec![sample] }, Instant::now());
        assert_eq!(shown(&live), (Value::float(4.5), "good".to_owned()));
        tokio::time::advance(Duration::from_secs(31)).await;
        assert_eq!(shown(&live), (None, "bad:stale".to_owned()));
        live.configure(vec![known()]);
        assert_eq!(live.view(Instant::now())[0].points[0].at, Some(5), "a reload forgets nothing");
    }
}
