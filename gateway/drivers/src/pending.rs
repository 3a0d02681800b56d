//! Commands that were published and wait until the device reports the commanded value.

use linli_domain::Value;
use tokio::time::Instant;

use crate::line::{CommandOutcome, LineCommand};
use crate::publisher::PointResult;

/// Commands that wait for their read-back.
#[derive(Debug, Default)]
pub(crate) struct Pending {
    waiting: Vec<LineCommand>,
}

// === impl Pending ===

impl Pending {
    /// Adds a command that was sent. It supersedes an older one for the same point.
    pub fn passed_on(&mut self, command: LineCommand) {
        let is_same = |other: &LineCommand| other.device == command.device && other.point == command.point;
        if let Some(at) = self.waiting.iter().position(is_same) {
            let reason = "overtaken by a later command".to_owned();
            let _ = self.waiting.swap_remove(at).reply.send(CommandOutcome::Unknown { reason });
        }
        self.waiting.push(command);
    }

    /// Returns the commanded value of a point, if a command waits.
    pub fn wanted(&self, device: usize, point: u16) -> Option<&Value> {
        self.waiting.iter().find(|c| c.device == device && c.point == point).map(|c| &c.value)
    }

    /// Completes the commands whose value the device reports.
    pub fn heard(&mut self, device: usize, values: &[(u16, PointResult)]) {
        for (point, reported) in values {
            let is_done = |c: &LineCommand| {
                c.device == device
                    && c.point == *point
                    && reported.as_ref().is_ok_and(|value| same(value, &c.value))
            };
            if let Some(at) = self.waiting.iter().position(is_done) {
                let command = self.waiting.swap_remove(at);
                let _ = command.reply.send(CommandOutcome::Done { read_back: command.value });
            }
        }
    }

    /// Ends the commands whose deadline has passed, with an unknown outcome.
    pub fn expire(&mut self, now: Instant) {
        while let Some(at) = self.waiting.iter().position(|command| command.deadline <= now) {
            let reason = "passed on, but the device did not report it back in time".to_owned();
            let _ = self.waiting.swap_remove(at).reply.send(CommandOutcome::Unknown { reason });
        }
    }
}

fn same(reported: &Value, asked: &Value) -> bool {
    reported == asked || reported.as_f64().is_some_and(|reported| asked.as_f64() == Some(reported))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn a_command_is_done_when_it_is_read_back_and_unknown_when_it_is_not() {
        let mut pending = Pending::default();
        let command = |value| {
            let (reply, outcome) = oneshot::channel();
            let deadline = Instant::now() + Duration::from_secs(1);
            (LineCommand { device: 0, point: 2, value: Value::Bool(value), deadline, reply }, outcome)
        };
        let (first, overtaken) = command(true);
        let (second, done) = command(false);
        pending.passed_on(first);
        pending.passed_on(second);
        assert!(matches!(overtaken.await, Ok(CommandOutcome::Unknown { .. })));
        pending.heard(0, &[(2, Ok(Value::Bool(true)))]);
        assert_eq!(pending.wanted(0, 2), Some(&Value::Bool(false)));
        pending.heard(0, &[(2, Ok(Value::Bool(false)))]);
        assert_eq!(done.await, Ok(CommandOutcome::Done { read_back: Value::Bool(false) }));
        let (third, late) = command(true);
        pending.passed_on(third);
        pending.expire(Instant::now() + Duration::from_secs(2));
        assert!(matches!(late.await, Ok(CommandOutcome::Unknown { .. })));
    }
}
