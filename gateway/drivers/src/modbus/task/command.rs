//! Commands: written, then read back; only the read-back makes them done.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::Value;
use tokio::time::Instant;

use super::Line;
use super::read::Got;
use crate::line::{CommandOutcome, LineCommand};
use crate::modbus::link::{Failure, Lost, Stage};
use crate::modbus::plan::Decoded;
use crate::modbus::wire::pdu;

/// Read-backs before a command counts as failed.
const READ_BACKS: usize = 4;

/// Pause between read-backs: relays and drives report with a delay.
const SETTLING: Duration = Duration::from_millis(50);

// === impl Line ===

impl Line {
    /// Writes a point and reads it back. The reply is always given.
    pub(super) async fn serve(&mut self, command: LineCommand) {
        let outcome = self.execute(&command).await;
        // The caller may have stopped waiting; the journal has the command.
        let _ = command.reply.send(outcome);
    }

    async fn execute(&mut self, command: &LineCommand) -> CommandOutcome {
        if let Some(why) = command.is_void() {
            return CommandOutcome::Failed { reason: why.to_owned() };
        }
        let plan = Arc::clone(&self.plan);
        let Some(planned) = plan.devices.get(command.device) else {
            return CommandOutcome::Failed { reason: "there is no such device on the line".to_owned() };
        };
        let write = match planned.encode(command.point, &command.value) {
            Ok(write) => write,
            Err(why) => return CommandOutcome::Failed { reason: why },
        };
        if !self.is_right_device(command.device).await {
            let reason = "not sent: the device does not answer as the model it should be".to_owned();
            return CommandOutcome::Failed { reason };
        }
        let request = pdu::Request::write(&write);
        let mut written = self.exchange(command.device, &request).await;
        // A busy device has not executed it.
        if let Err(Failure::Refused(6)) = written {
            tokio::time::sleep(SETTLING).await;
            written = self.exchange(command.device, &request).await;
        }
        match &written {
            Err(Failure::Refused(code)) => {
                let reason = format!("the device refused it: {}", pdu::exception(*code));
                return CommandOutcome::Failed { reason };
            }
            Err(Failure::NotReached(code)) => {
                let reason = format!("not executed: {}", pdu::exception(*code));
                return CommandOutcome::Failed { reason };
            }
            // Whether it was executed shows on a new connection.
            Err(Failure::Down(Lost { stage: Stage::Asked, .. })) if self.is_connection() => {}
            Err(failure @ Failure::Down(lost)) => {
                let was_sent = lost.stage != Stage::Before;
                self.failed(command.device, failure).await;
                return match was_sent {
                    true => {
                        CommandOutcome::Unknown { reason: "the line went down while it was sent".to_owned() }
                    }
                    false => CommandOutcome::Failed { reason: "not sent: the line is down".to_owned() },
                };
            }
            Ok(_) | Err(Failure::Silent | Failure::Garbled) => {}
        }
        self.standing.forget_point(command.device, command.point);
        match self.look_back(command).await {
            Some((true, value)) => {
                if let Some(period) = planned.refresh(command.point) {
                    let now = Instant::now();
                    self.standing.put(command.device, command.point, command.value.clone(), period, now);
                }
                CommandOutcome::Done { read_back: value }
            }
            Some((false, value)) => {
                let reason = format!("sent, but the device says {value}");
                CommandOutcome::Failed { reason }
            }
            None => CommandOutcome::Unknown { reason: "sent, but it could not be read back".to_owned() },
        }
    }

    /// Reads a written point back. Returns whether it equals the commanded value, and the value.
    async fn look_back(&mut self, command: &LineCommand) -> Option<(bool, Value)> {
        let plan = Arc::clone(&self.plan);
        let planned = &plan.devices[command.device];
        let block = planned.read_back(command.point);
        let mut latest = None;
        // What is read back must not be an earlier answer that comes late.
        if let Some(until) = self.session.doubtful_until(planned.unit, &pdu::Request::read(block.span)) {
            tokio::time::sleep_until(until).await;
        }
        for attempt in 0..READ_BACKS {
            if attempt > 0 {
                tokio::time::sleep(SETTLING).await;
            }
            let samples = match self.read(command.device, &block).await {
                Got::Samples(samples) => samples,
                Got::Hole(_) => continue,
                Got::Missed(failure) => {
                    self.failed(command.device, &failure).await;
                    if matches!(failure, Failure::Down(_)) {
                        break;
                    }
                    continue;
                }
            };
            let decoded = samples.first().map(|sample| Decoded {
                point: sample.point,
                quality: sample.quality,
                value: sample.value.clone(),
            });
            self.deliver(command.device, samples).await;
            let Some(Decoded { value: Some(value), .. }) = decoded.clone() else { continue };
            let agrees = decoded.is_some_and(|got| planned.agrees(command.point, &command.value, &got));
            latest = Some((agrees, value));
            if agrees {
                break;
            }
        }
        latest
    }
}

/// Answers a command that arrives while the line is down.
pub fn line_down(command: LineCommand) {
    let reason = "not sent: the line is down".to_owned();
    let _ = command.reply.send(CommandOutcome::Failed { reason });
}
