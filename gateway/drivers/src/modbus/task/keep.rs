//! Work besides polling: refreshing of outputs, and maintenance requests.

use std::sync::atomic::Ordering;

use linli_domain::Value;
use tokio::time::Instant;

use super::Line;
use crate::modbus::link::{Failure, Lost, Stage};
use crate::modbus::maintenance::RegisterRequest;
use crate::modbus::wire::pdu;

/// Maintenance runs while no poll is due; on a busy line it gets this share, in percent.
pub(super) const SHARE_PERCENT: u8 = 20;

// === impl Line ===

impl Line {
    /// Returns a maintenance request if it may run now: the line is idle, or its share is not used up.
    pub(super) fn maintenance_due(&mut self, now: Instant) -> Option<RegisterRequest> {
        let is_idle = self.schedule.next_due().is_none_or(|due| due > now);
        if !is_idle && !self.maintenance_budget.allows(now) {
            return None;
        }
        self.context.maintenance.try_recv().ok()
    }

    /// Executes a maintenance request. Its outcome does not change the state of a device:
    /// the unit may not be configured, or be restarting.
    pub(super) async fn maintain(&mut self, request: RegisterRequest) {
        if request.reply.is_closed() {
            return;
        }
        let Some(asked) = request.request() else {
            let is_polled = self.retry(request.unit).await;
            request.probed(is_polled);
            return;
        };
        let began = Instant::now();
        let is_late = self.schedule.next_due().is_some_and(|due| due <= began);
        let outcome = self.session.exchange(request.unit, &asked, request.patience).await;
        let now = Instant::now();
        if is_late {
            self.maintenance_budget.spend(now - began, now);
        }
        let took = u64::try_from((now - began).as_micros()).unwrap_or(u64::MAX);
        let health = &self.context.health;
        health.busy_us.fetch_add(took, Ordering::Relaxed);
        health.maintenance_us.fetch_add(took, Ordering::Relaxed);
        health.maintenance.fetch_add(1, Ordering::Relaxed);
        if let Err(Failure::Down(lost)) = &outcome {
            self.lost(lost.error.to_string()).await;
        }
        request.answer(outcome);
    }

    /// Asks the paused devices at a unit at once, and returns whether each of its devices is polled then. A probe costs
    /// the line's share of probes as any other, so that impatience slows nobody.
    async fn retry(&mut self, unit: u8) -> bool {
        let here: Vec<usize> =
            (0..self.devices.len()).filter(|device| self.plan.devices[*device].unit == unit).collect();
        for device in &here {
            if !self.devices[*device].breaker.is_closed() {
                self.probe(*device).await;
            }
        }
        here.iter().all(|device| self.devices[*device].breaker.is_closed())
    }

    /// Refreshes a commanded output, so that the device keeps it.
    pub(super) async fn refresh(&mut self, device: usize, point: u16, value: &Value) {
        let Ok(write) = self.plan.devices[device].encode(point, value) else { return };
        let write = pdu::Request::write(&write);
        let mut outcome = self.exchange(device, &write).await;
        // The output has this value already: to write it twice does nothing more.
        if let Err(Failure::Down(Lost { stage: Stage::Asked, .. })) = outcome {
            outcome = self.exchange(device, &write).await;
        }
        match outcome {
            Ok(_) => {
                self.context.health.refreshed.fetch_add(1, Ordering::Relaxed);
            }
            Err(Failure::Refused(code)) => {
                self.standing.forget_point(device, point);
                let device = &self.plan.layouts[device].device;
                tracing::warn!(%device, point, why = pdu::exception(code), "an output can no longer be held");
            }
            Err(failure) => self.failed(device, &failure).await,
        }
    }

    /// Stops refreshing the outputs of a lost device, and adds that to the detail.
    pub(super) fn without_standing(&mut self, device: usize, detail: String) -> String {
        if !self.standing.forget(device) {
            return detail;
        }
        format!("{detail}; its held outputs fall to their safe state and must be commanded anew")
    }
}
