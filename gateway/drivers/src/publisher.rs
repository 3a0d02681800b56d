//! Publishes values and state changes of devices. Shared by every line that is not Modbus.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use linli_domain::{Batch, Id, Layout, Quality, Reason, Sample, Timestamp, Value};

use crate::line::{DeviceState, LineContext, LineEvent};

/// The value of a point, or why there is none.
pub(crate) type PointResult = Result<Value, Reason>;

/// Publishes for a line and its devices: states when they change, values whenever they arrive.
pub(crate) struct Publisher {
    pub context: LineContext,
    line: Id,
    layouts: Vec<Arc<Layout>>,
    states: Vec<Option<DeviceState>>,
    is_up: Option<bool>,
}

// === impl Publisher ===

impl Publisher {
    pub fn new(line: Id, layouts: Vec<Arc<Layout>>, context: LineContext) -> Self {
        let states = vec![None; layouts.len()];
        Self { context, line, layouts, states, is_up: None }
    }

    /// Signals progress to the watchdog.
    pub fn progress(&self) {
        self.context.health.progress.fetch_add(1, Ordering::Relaxed);
    }

    pub fn layout(&self, device: usize) -> &Arc<Layout> {
        &self.layouts[device]
    }

    /// Publishes values of a device, which is online by that.
    pub async fn publish(&mut self, device: usize, values: Vec<(u16, PointResult)>) {
        if let Some(health) = self.context.health.devices.get(device) {
            health.ok.fetch_add(1, Ordering::Relaxed);
        }
        self.set_state(device, DeviceState::Online, String::new()).await;
        self.send(device, values).await;
    }

    /// Publishes values that were true at a time the device names, which is online by that.
    pub async fn publish_at(
        &mut self,
        device: usize,
        values: Vec<(u16, PointResult)>,
        at: Option<Timestamp>,
    ) {
        if let Some(health) = self.context.health.devices.get(device) {
            health.ok.fetch_add(1, Ordering::Relaxed);
        }
        self.set_state(device, DeviceState::Online, String::new()).await;
        self.send_as(device, values, at, Quality::Good).await;
    }

    /// Publishes values that may not be true any more. They say nothing about whether the device lives.
    pub async fn publish_doubtful(
        &mut self,
        device: usize,
        values: Vec<(u16, PointResult)>,
        at: Option<Timestamp>,
        why: Reason,
    ) {
        self.send_as(device, values, at, Quality::Uncertain(why)).await;
    }

    /// Publishes that a device sent something that cannot be understood: its points have no value.
    pub async fn publish_garbled(&mut self, device: usize) {
        self.count_failure(device, Reason::Garbled);
        let points = 0..u16::try_from(self.layouts[device].points.len()).unwrap_or(u16::MAX);
        self.send(device, points.map(|point| (point, Err(Reason::Garbled))).collect()).await;
    }

    /// Marks a device as offline: none of its points has a value.
    pub async fn set_offline(&mut self, device: usize, reason: Reason, detail: String) {
        if self.is_offline(device, reason) {
            return;
        }
        self.count_failure(device, reason);
        let points = 0..u16::try_from(self.layouts[device].points.len()).unwrap_or(u16::MAX);
        self.send(device, points.map(|point| (point, Err(reason))).collect()).await;
        self.set_state(device, DeviceState::Offline(reason), detail).await;
    }

    /// Whether the device is already offline for this reason.
    pub fn is_offline(&self, device: usize, reason: Reason) -> bool {
        self.states[device] == Some(DeviceState::Offline(reason))
    }

    /// Counts a missing or unusable answer.
    pub fn count_failure(&self, device: usize, reason: Reason) {
        let Some(health) = self.context.health.devices.get(device) else { return };
        let counter = match reason {
            Reason::Garbled | Reason::Undecodable => &health.garbled,
            Reason::Refused => &health.refusals,
            _ => &health.timeouts,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Marks all devices as offline.
    pub async fn set_all_offline(&mut self, reason: Reason) {
        for device in 0..self.layouts.len() {
            self.set_offline(device, reason, String::new()).await;
        }
    }

    async fn send(&self, device: usize, values: Vec<(u16, PointResult)>) {
        self.send_as(device, values, None, Quality::Good).await;
    }

    async fn send_as(
        &self,
        device: usize,
        values: Vec<(u16, PointResult)>,
        at: Option<Timestamp>,
        quality: Quality,
    ) {
        let stamp = self.context.clock.now();
        let sample = |(point, result): (u16, PointResult)| Sample {
            point,
            at: at.unwrap_or(stamp.at),
            clock: stamp.clock,
            quality: result.as_ref().err().map_or(quality, |reason| Quality::Bad(*reason)),
            value: result.ok(),
        };
        let samples = values.into_iter().map(sample).collect();
        let _ = self.context.samples.send(Batch { layout: Arc::clone(&self.layouts[device]), samples }).await;
    }

    async fn set_state(&mut self, device: usize, state: DeviceState, detail: String) {
        if self.states[device].replace(state) == Some(state) {
            return;
        }
        if let Some(health) = self.context.health.devices.get(device) {
            health.online.store(u64::from(state == DeviceState::Online), Ordering::Relaxed);
        }
        self.event(Some(self.layouts[device].device.clone()), state, detail).await;
    }

    /// Publishes that the line is up or down.
    pub async fn set_line(&mut self, up: bool, detail: String) {
        self.context.health.up.store(u64::from(up), Ordering::Relaxed);
        if up {
            self.context.health.opens.fetch_add(1, Ordering::Relaxed);
        }
        if self.is_up.replace(up) == Some(up) {
            return;
        }
        let state = if up { DeviceState::Online } else { DeviceState::Offline(Reason::LineDown) };
        self.event(None, state, detail).await;
    }

    async fn event(&self, device: Option<Id>, state: DeviceState, detail: String) {
        let at = self.context.clock.now();
        let event = LineEvent { line: self.line.clone(), device, state, at, detail };
        let _ = self.context.events.send(event).await;
    }
}
