//! Live values: the latest value of every point. A value that is too old is shown as stale.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use linli_domain::{Batch, DeviceClass, Id, Layout, Quality, Reason, Sample, Timestamp};
use linli_drivers::{DeviceState, LineEvent};
use serde::Serialize;
use tokio::time::Instant;

/// Latest values and states of all devices. Shared: its lock is held briefly and never across I/O.
#[derive(Debug, Default)]
pub struct Live {
    devices: Mutex<BTreeMap<Id, Device>>,
    erased: Mutex<Vec<Erased>>,
    /// Increases with every batch and every change of state. Changed only while the devices are locked.
    revision: AtomicU64,
}

/// Values of a device that are erased because of whom they are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The device.
    pub device: Id,
    /// The first minute.
    pub from: Timestamp,
    /// The end of the last minute.
    pub to: Timestamp,
}

/// A device as configured.
#[derive(Debug, Clone)]
pub struct ConfiguredDevice {
    /// Its layout.
    pub layout: Arc<Layout>,
    /// Id of its line.
    pub line: Id,
    /// A value older than this is stale.
    pub stale_after: Duration,
}

#[derive(Debug)]
struct Device {
    configured: ConfiguredDevice,
    state: State,
    points: Vec<Option<(Sample, Instant)>>,
    /// The revision of the last change.
    revision: u64,
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
    /// Id of the device.
    pub device: Id,
    /// Its name.
    pub name: String,
    /// Id of its room.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room: Option<Id>,
    /// Its class, such as `telemetry`.
    pub class: &'static str,
    /// Id of its line.
    pub line: Id,
    /// Its profile, vendor/model.
    pub profile: String,
    /// `online`, `offline` or `unknown`.
    pub state: &'static str,
    /// The reason code of `offline`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// The reason as text for people.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Time of the last change of state, Unix milliseconds UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<i64>,
    /// A value older than this is stale, in milliseconds.
    pub stale_after_ms: u64,
    /// Its points in the order of the profile.
    pub points: Vec<PointView>,
}

/// A point as the API shows it.
#[derive(Debug, Clone, Serialize)]
pub struct PointView {
    /// Id of the point.
    pub point: Id,
    /// Unit (UCUM code).
    pub unit: String,
    /// The value; `None` when it is stale or bad.
    pub value: Option<linli_domain::Value>,
    /// `good`, or `uncertain` or `bad` with the reason.
    pub quality: String,
    /// Time of the reading, Unix milliseconds UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Whether commands may write it.
    pub writable: bool,
}

// === impl Live ===

impl Live {
    /// Takes the devices of a configuration. Values of devices with an unchanged layout are kept.
    pub fn configure(&self, configured: Vec<ConfiguredDevice>) {
        let mut devices = self.lock();
        let mut old = std::mem::take(&mut *devices);
        for configured in configured {
            let id = configured.layout.device.clone();
            let points = vec![None; configured.layout.points.len()];
            let device = match old.remove(&id) {
                Some(same) if same.configured.layout == configured.layout => Device { configured, ..same },
                _ => Device { configured, state: State::default(), points, revision: self.next_revision() },
            };
            devices.insert(id, device);
        }
    }

    /// Number that increases with every batch and every change of state.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    /// The devices that changed after a revision, and the present revision.
    #[must_use]
    pub fn changed_since(&self, revision: u64, now: Instant) -> (u64, Vec<DeviceView>) {
        let devices = self.lock();
        let changed = devices.values().filter(|device| device.revision > revision);
        let changed = changed.map(|device| device.view(now)).collect();
        (self.revision(), changed)
    }

    /// Called while the devices are locked.
    fn next_revision(&self) -> u64 {
        self.revision.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Stores the samples of a batch, received at `now`.
    pub fn update(&self, batch: &Batch, now: Instant) {
        let mut devices = self.lock();
        let Some(device) = devices.get_mut(&batch.layout.device) else { return };
        device.revision = self.next_revision();
        for sample in &batch.samples {
            if let Some(slot) = device.points.get_mut(usize::from(sample.point)) {
                *slot = Some((sample.clone(), now));
            }
        }
    }

    /// The devices of a room that measure vital signs.
    #[must_use]
    pub fn vital_devices(&self, room: &Id) -> Vec<Id> {
        let devices = self.lock();
        let is_here =
            |layout: &Layout| layout.class == DeviceClass::Vital && layout.room.as_ref() == Some(room);
        devices
            .iter()
            .filter(|(_, device)| is_here(&device.configured.layout))
            .map(|(id, _)| id.clone())
            .collect()
    }

    /// Forgets the values of that time, and keeps what must not come into the trends any more for
    /// [`Live::take_erased`].
    pub fn erase(&self, erased: Vec<Erased>) {
        let mut devices = self.lock();
        for Erased { device, from, to } in &erased {
            let points = devices.get_mut(device).into_iter().flat_map(|device| &mut device.points);
            for point in points {
                point.take_if(|(sample, _)| (*from..=*to).contains(&sample.at));
            }
            if let Some(device) = devices.get_mut(device) {
                device.revision = self.next_revision();
            }
        }
        drop(devices);
        self.erased.lock().unwrap_or_else(PoisonError::into_inner).extend(erased);
    }

    /// What was erased since the last call.
    #[must_use]
    pub fn take_erased(&self) -> Vec<Erased> {
        std::mem::take(&mut *self.erased.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Stores a change of a device's state.
    pub fn transition(&self, event: &LineEvent) {
        let Some(id) = &event.device else { return };
        if let Some(device) = self.lock().get_mut(id) {
            device.state =
                State::Known { state: event.state, detail: event.detail.clone(), at_ms: event.at.at.0 };
            device.revision = self.next_revision();
        }
    }

    /// Returns all devices, ordered by id.
    #[must_use]
    pub fn view(&self, now: Instant) -> Vec<DeviceView> {
        self.lock().values().map(|device| device.view(now)).collect()
    }

    /// Returns one device.
    #[must_use]
    pub fn device(&self, id: &str, now: Instant) -> Option<DeviceView> {
        self.lock().get(id).map(|device| device.view(now))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Id, Device>> {
        // Values are replaced one by one, so a panic under the lock leaves the table consistent.
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Device ===

impl Device {
    fn view(&self, now: Instant) -> DeviceView {
        let layout = &self.configured.layout;
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
                Some((sample, received)) if now - *received > self.configured.stale_after => {
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
            line: self.configured.line.clone(),
            profile: layout.profile.clone(),
            state,
            reason,
            detail,
            since,
            stale_after_ms: u64::try_from(self.configured.stale_after.as_millis()).unwrap_or(u64::MAX),
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

    #[tokio::test(start_paused = true)]
    async fn only_what_changed_after_a_revision_is_given() {
        let live = Live::default();
        live.configure(vec![known()]);
        let names = |(_, devices): &(u64, Vec<DeviceView>)| devices.len();
        let first = live.changed_since(0, Instant::now());
        assert_eq!(names(&first), 1, "everything is new to a screen that has just opened");
        assert_eq!(names(&live.changed_since(first.0, Instant::now())), 0);
        live.update(&Batch { layout: known().layout, samples: Vec::new() }, Instant::now());
        assert!(live.revision() > first.0);
        let second = live.changed_since(first.0, Instant::now());
        assert_eq!(names(&second), 1);
        live.erase(vec![Erased {
            device: Id::new("fridge-1").unwrap(),
            from: Timestamp(0),
            to: Timestamp(9),
        }]);
        assert_eq!(
            names(&live.changed_since(second.0, Instant::now())),
            1,
            "what is erased leaves the screens"
        );
    }
}
