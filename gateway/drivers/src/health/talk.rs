//! Publishes what a health device sends: live values, measurements, state changes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use linli_domain::vital::{Caveat, Measurement, Patient, Quantity, Reading, Taken};
use linli_domain::{Batch, Id, Layout, Quality, Reason, Sample, Timestamp, Value};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::models::Decoded;
use crate::line::{CabinEvent, DeviceState, LineContext, LineEvent, NotTaken, VitalMeasurement};
use linli_vitals::Zone;
use linli_vitals::spot::Spot;

/// Interval of live values of a stream.
const SHOW: Duration = Duration::from_secs(1);

/// Where the outcome of a measurement is waited for.
type Reply = oneshot::Sender<Result<Option<String>, NotTaken>>;

/// The state of a device that only sends.
pub(super) struct Talk {
    pub context: LineContext,
    line: Id,
    layout: Arc<Layout>,
    zone: Zone,
    spot: Spot,
    shown: Option<(Instant, bool)>,
    state: Option<DeviceState>,
    is_up: Option<bool>,
}

// === impl Talk ===

impl Talk {
    pub fn new(line: Id, layout: Arc<Layout>, zone: Zone, context: LineContext) -> Self {
        Self { context, line, layout, zone, spot: Spot::default(), shown: None, state: None, is_up: None }
    }

    /// Whether the device streams saturation and pulse rate.
    pub fn is_stream(&self) -> bool {
        let [saturation, pulse] = self.layout.points.as_slice() else { return false };
        saturation.name.as_str() == Quantity::OxygenSaturation.as_str()
            && pulse.name.as_str() == Quantity::PulseRate.as_str()
    }

    /// Handles what the device sent.
    pub async fn hear(&mut self, heard: Decoded) {
        match heard {
            Decoded::Moment(reading) => self.moment(reading, Quality::Good).await,
            Decoded::Doubted(reading) => {
                self.moment(Some(reading), Quality::Uncertain(Reason::Doubtful)).await;
            }
            Decoded::Values(values) => {
                self.is(DeviceState::Online, String::new()).await;
                self.show_values(&values).await;
            }
            Decoded::Measured { .. } => self.measured(heard, None).await,
        }
    }

    /// As [`Talk::hear`], for a device that waits for the answer. Returns whether it may forget what it sent: it is
    /// stored, or nobody can use it. `None` for what needs no answer.
    pub async fn hear_and_answer(&mut self, heard: Decoded) -> Option<bool> {
        if !matches!(heard, Decoded::Measured { .. }) {
            self.hear(heard).await;
            return None;
        }
        let (reply, answer) = oneshot::channel();
        self.measured(heard, Some(reply)).await;
        let outcome = answer.await.unwrap_or_else(|_| Err(NotTaken::NotStored("stopping".to_owned())));
        if let Err(reason) = &outcome {
            let reason = reason.advice();
            tracing::warn!(device = %self.layout.device, reason, "measurement not taken");
        }
        Some(!matches!(outcome, Err(NotTaken::NotStored(_))))
    }

    async fn measured(&mut self, heard: Decoded, reply: Option<Reply>) {
        let Decoded::Measured { mut readings, time, key, user } = heard else { return };
        self.is(DeviceState::Online, String::new()).await;
        let device = time.and_then(|shown| self.zone.timestamp(shown));
        // A clock that was never set: it is not known when.
        if time.is_some() && device.is_none() {
            readings.iter_mut().for_each(|reading| reading.doubt(Caveat::TimeUnclear));
        }
        self.deliver(readings, device, key, user, reply).await;
    }

    async fn moment(&mut self, reading: Option<(u16, u16)>, quality: Quality) {
        let now = Instant::now();
        self.is(DeviceState::Online, String::new()).await;
        // Without a finger nothing changes: published once.
        let is_due = match self.shown {
            None => true,
            Some((_, was_reading)) if was_reading != reading.is_some() => true,
            Some((at, true)) => now.saturating_duration_since(at) >= SHOW,
            Some((_, false)) => false,
        };
        if is_due {
            self.shown = Some((now, reading.is_some()));
            self.show(reading, quality, Quality::Bad(Reason::NoValue)).await;
        }
        if !quality.is_good() {
            return self.spot.disturb();
        }
        if let Some((saturation, pulse)) = self.spot.push(now, reading) {
            let readings = vec![
                Reading::of(Quantity::OxygenSaturation, saturation.into()),
                Reading::of(Quantity::PulseRate, pulse.into()),
            ];
            self.deliver(readings, None, None, None, None).await;
        }
    }

    /// Live values of a stream: the quality of a value, and of none.
    async fn show(&self, reading: Option<(u16, u16)>, quality: Quality, otherwise: Quality) {
        let values = [reading.map(|(saturation, _)| saturation), reading.map(|(_, pulse)| pulse)];
        let samples = (0_u16..).zip(values).map(|(point, value)| (point, value.map(f64::from)));
        self.send(samples.collect(), quality, otherwise).await;
    }

    async fn show_values(&self, values: &[(Quantity, Option<f64>)]) {
        let point = |quantity: Quantity| {
            let at = self.layout.points.iter().position(|point| point.name.as_str() == quantity.as_str())?;
            u16::try_from(at).ok()
        };
        let samples = values.iter().filter_map(|(quantity, value)| Some((point(*quantity)?, *value)));
        self.send(samples.collect(), Quality::Good, Quality::Bad(Reason::NoValue)).await;
    }

    async fn send(&self, values: Vec<(u16, Option<f64>)>, present: Quality, otherwise: Quality) {
        let stamp = self.context.clock.now();
        let samples = values.into_iter().map(|(point, value)| Sample {
            point,
            at: stamp.at,
            clock: stamp.clock,
            quality: if value.is_some() { present } else { otherwise },
            value: value.and_then(Value::float),
        });
        let batch = Batch { layout: Arc::clone(&self.layout), samples: samples.collect() };
        let _ = self.context.samples.send(batch).await;
    }

    async fn deliver(
        &self,
        readings: Vec<Reading>,
        device: Option<Timestamp>,
        key: Option<String>,
        user: Option<u8>,
        reply: Option<Reply>,
    ) {
        let stamp = self.context.clock.now();
        let taken = Taken { at: stamp.at, clock: stamp.clock, device };
        let measurement = Measurement {
            taken,
            readings,
            key,
            key_reused: false,
            sent: None,
            amends: Vec::new(),
            attachments: Vec::new(),
            attached: Vec::new(),
            user,
            patient: Patient::default(),
        };
        let told =
            VitalMeasurement { layout: Arc::clone(&self.layout), measurements: vec![measurement], reply };
        if let Some(health) = self.context.health.devices.first() {
            health.ok.fetch_add(1, Ordering::Relaxed);
        }
        let _ = self.context.measurements.send(CabinEvent::Measured(told)).await;
    }

    /// Marks the device as offline.
    pub async fn lost(&mut self, reason: Reason) {
        if self.state == Some(DeviceState::Offline(reason)) {
            return;
        }
        self.spot = Spot::default();
        self.shown = None;
        if self.is_stream() {
            self.show(None, Quality::Good, Quality::Bad(reason)).await;
        }
        self.is(DeviceState::Offline(reason), String::new()).await;
    }

    /// Sets the state of the device and publishes a change.
    pub async fn is(&mut self, state: DeviceState, detail: String) {
        if self.state == Some(state) {
            return;
        }
        self.state = Some(state);
        if let Some(health) = self.context.health.devices.first() {
            health.online.store(u64::from(state == DeviceState::Online), Ordering::Relaxed);
        }
        let device = Some(self.layout.device.clone());
        let at = self.context.clock.now();
        let _ =
            self.context.events.send(LineEvent { line: self.line.clone(), device, state, at, detail }).await;
    }

    /// Publishes that the line is up or down.
    pub async fn line_is(&mut self, up: bool, detail: String) {
        if self.is_up.replace(up) == Some(up) {
            return;
        }
        let state = if up { DeviceState::Online } else { DeviceState::Offline(Reason::LineDown) };
        let at = self.context.clock.now();
        let event = LineEvent { line: self.line.clone(), device: None, state, at, detail };
        let _ = self.context.events.send(event).await;
    }
}
