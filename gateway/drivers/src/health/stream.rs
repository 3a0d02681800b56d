//! A serial health device that speaks of itself: the line task.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use linli_domain::vital::{Measurement, Quantity, Reading, Taken};
use linli_domain::{Batch, Civil, Id, Layout, Quality, Reason, Sample, Timestamp, Value};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::Instant;

use super::models::{self, Decoder, Heard, Model};
use super::spot::Spot;
use crate::backoff::Backoff;
use crate::line::{DeviceState, LineContext, LineEvent, Told};
use crate::port::Serial;

/// A stream's value is shown this often.
const SHOW: Duration = Duration::from_secs(1);

/// A device that is silent for longer has nothing to say, or is switched off.
const SILENT: Duration = Duration::from_secs(5);

/// Checked settings.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Settings {
    pub port: Serial,
    pub model: &'static str,
}

/// Opens the port again and again, until cancelled.
pub(super) async fn run(settings: &Settings, line: Id, layout: Arc<Layout>, context: LineContext) {
    let Some(model) = models::find(settings.model) else { return };
    let (mut backoff, mut is_up) = (Backoff::default(), None);
    let cancel = context.cancel.clone();
    let mut talk = Talk { model, line, layout, context, spot: Spot::default(), shown: None, state: None };
    while !cancel.is_cancelled() {
        talk.context.health.progress.fetch_add(1, Ordering::Relaxed);
        match settings.port.open() {
            Ok(port) => {
                talk.context.health.opens.fetch_add(1, Ordering::Relaxed);
                talk.context.health.up.store(1, Ordering::Relaxed);
                backoff.opened();
                talk.line_is(&mut is_up, true, String::new()).await;
                if let Err(error) = talk.listen(port).await {
                    talk.lost(Reason::LineDown).await;
                    talk.line_is(&mut is_up, false, error.to_string()).await;
                }
            }
            Err(error) => {
                talk.lost(Reason::LineDown).await;
                talk.line_is(&mut is_up, false, format!("{}: {error}", settings.port.path)).await;
            }
        }
        talk.context.health.up.store(0, Ordering::Relaxed);
        tokio::select! {
            () = cancel.cancelled() => {}
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
}

/// A conversation in which only the device talks.
struct Talk {
    model: &'static Model,
    line: Id,
    layout: Arc<Layout>,
    context: LineContext,
    spot: Spot,
    shown: Option<(Instant, bool)>,
    state: Option<DeviceState>,
}

// === impl Talk ===

impl Talk {
    /// Reads until the port is gone; `Ok` when cancelled.
    async fn listen(&mut self, mut port: impl AsyncRead + Unpin) -> std::io::Result<()> {
        let mut decoder = (self.model.decoder)();
        let (mut buffer, cancel) = ([0; 256], self.context.cancel.clone());
        loop {
            let read = tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                read = tokio::time::timeout(SILENT, port.read(&mut buffer)) => read,
            };
            self.context.health.progress.fetch_add(1, Ordering::Relaxed);
            let Ok(read) = read else {
                // A stream that stops has no value; a monitor between two measurements is well.
                if self.model.quantities.len() == 2 {
                    self.lost(Reason::Silent).await;
                }
                continue;
            };
            match read? {
                0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
                count => self.take(&mut *decoder, &buffer[..count]).await,
            }
        }
    }

    async fn take(&mut self, decoder: &mut dyn Decoder, bytes: &[u8]) {
        let before = decoder.skipped();
        for byte in bytes {
            match decoder.push(*byte) {
                None => {}
                Some(Heard::Moment(reading)) => self.moment(reading).await,
                Some(Heard::Measured { readings, time, key }) => {
                    self.is(DeviceState::Online, String::new()).await;
                    let device = time.and_then(Civil::timestamp);
                    self.tell(readings, device, Some(key)).await;
                }
            }
        }
        let skipped = decoder.skipped() - before;
        self.context.health.resync_bytes.fetch_add(skipped, Ordering::Relaxed);
    }

    async fn moment(&mut self, reading: Option<(u16, u16)>) {
        let now = Instant::now();
        self.is(DeviceState::Online, String::new()).await;
        // While no finger is in, nothing changes: said once.
        let is_due = match self.shown {
            None => true,
            Some((_, was_reading)) if was_reading != reading.is_some() => true,
            Some((at, true)) => now.saturating_duration_since(at) >= SHOW,
            Some((_, false)) => false,
        };
        if is_due {
            self.shown = Some((now, reading.is_some()));
            self.show(reading, Quality::Bad(Reason::NoValue)).await;
        }
        if let Some((saturation, pulse)) = self.spot.push(now, reading) {
            let readings = vec![
                Reading::of(Quantity::OxygenSaturation, saturation.into()),
                Reading::of(Quantity::PulseRate, pulse.into()),
            ];
            self.tell(readings, None, None).await;
        }
    }

    /// Live values of a stream.
    async fn show(&self, reading: Option<(u16, u16)>, otherwise: Quality) {
        let stamp = self.context.clock.now();
        let values = [reading.map(|(saturation, _)| saturation), reading.map(|(_, pulse)| pulse)];
        let samples = (0_u16..).zip(values).map(|(point, value)| Sample {
            point,
            at: stamp.at,
            clock: stamp.clock,
            quality: if value.is_some() { Quality::Good } else { otherwise },
            value: value.and_then(|value| Value::float(value.into())),
        });
        let batch = Batch { layout: Arc::clone(&self.layout), samples: samples.collect() };
        let _ = self.context.samples.send(batch).await;
    }

    async fn tell(&self, readings: Vec<Reading>, device: Option<Timestamp>, key: Option<String>) {
        let stamp = self.context.clock.now();
        let taken = Taken { at: stamp.at, clock: stamp.clock, device };
        let measurement = Measurement { taken, readings, key, user: None, patient: None };
        let told = Told { layout: Arc::clone(&self.layout), measurement, reply: None };
        if let Some(health) = self.context.health.devices.first() {
            health.ok.fetch_add(1, Ordering::Relaxed);
        }
        let _ = self.context.measurements.send(told).await;
    }

    /// The device is not heard any more.
    async fn lost(&mut self, reason: Reason) {
        if self.state == Some(DeviceState::Offline(reason)) {
            return;
        }
        self.spot = Spot::default();
        self.shown = None;
        if self.model.quantities.len() == 2 {
            self.show(None, Quality::Bad(reason)).await;
        }
        self.is(DeviceState::Offline(reason), String::new()).await;
    }

    async fn is(&mut self, state: DeviceState, detail: String) {
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

    async fn line_is(&self, was: &mut Option<bool>, up: bool, detail: String) {
        if was.replace(up) == Some(up) {
            return;
        }
        let state = if up { DeviceState::Online } else { DeviceState::Offline(Reason::LineDown) };
        let at = self.context.clock.now();
        let event = LineEvent { line: self.line.clone(), device: None, state, at, detail };
        let _ = self.context.events.send(event).await;
    }
}
