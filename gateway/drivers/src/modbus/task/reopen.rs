//! Opens the line and reopens it after a loss.

use std::sync::atomic::Ordering;

use linli_domain::Reason;
use tokio::time::Instant;

use super::{Line, command};
use crate::line::{DeviceState, LineEvent};
use crate::modbus::breaker::Breaker;

// === impl Line ===

impl Line {
    /// Opens the line, trying again until it works; false when cancelled. Commands that arrive
    /// meanwhile are answered with a failure, not queued.
    pub(super) async fn open(&mut self) -> bool {
        loop {
            self.context.health.progress.fetch_add(1, Ordering::Relaxed);
            let opened = tokio::select! {
                () = self.context.cancel.cancelled() => return false,
                opened = self.session.open() => opened,
            };
            match opened {
                Ok(()) => {
                    self.backoff.opened();
                    self.line_is(true, String::new()).await;
                    return true;
                }
                Err(error) => {
                    let what = self.session.place();
                    self.lost(format!("{what} cannot be opened: {error}")).await;
                    if !self.pause().await {
                        return false;
                    }
                }
            }
        }
    }

    /// The port or connection is gone: every device is offline until it is back.
    pub(super) async fn lost(&mut self, why: String) {
        self.session.close();
        self.silent_in_a_row = 0;
        self.line_is(false, why.clone()).await;
        for device in 0..self.devices.len() {
            self.devices[device].identified = false;
            self.devices[device].breaker = Breaker::CLOSED;
            self.rejoin(device);
            self.schedule.resume(device, Instant::now());
            self.went_offline(device, Reason::LineDown, why.clone()).await;
        }
    }

    /// Waits before the next attempt; false when cancelled.
    async fn pause(&mut self) -> bool {
        let until = Instant::now() + self.backoff.next();
        loop {
            tokio::select! {
                () = self.context.cancel.cancelled() => return false,
                () = tokio::time::sleep_until(until) => return true,
                Some(command) = self.context.commands.recv() => command::line_down(command),
                Some(request) = self.context.maintenance.recv() => request.line_down("it cannot be opened"),
            }
        }
    }

    async fn line_is(&mut self, up: bool, detail: String) {
        self.context.health.up.store(u64::from(up), Ordering::Relaxed);
        if self.is_up == Some(up) {
            return;
        }
        self.is_up = Some(up);
        let state = if up { DeviceState::Online } else { DeviceState::Offline(Reason::LineDown) };
        let event = LineEvent {
            line: self.plan.line.clone(),
            device: None,
            state,
            at: self.context.clock.now(),
            detail,
        };
        let _ = self.context.events.send(event).await;
    }
}
