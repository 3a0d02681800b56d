//! Answers to refused commands: each gets its own as long as there are not too many; the rest are counted
//! and told together, so that a flood fills neither the disk nor the broker and yet none is dropped silently.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use linli_domain::command::{CommandError, Inbound};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior};

use super::CommandService;
use crate::answer::{Answer, Reply};
use crate::queue::Submission;
use crate::refusal_budget::RefusalBudget;

/// Answers, of requests with an id, in a burst and per second in the long run: more than a program sends
/// that waits for answers.
const NAMED: (f64, f64) = (1000.0, 400.0);

/// Devices whose further refusals are counted; those of the others are counted without a device.
const MOST_DEVICES: usize = 64;

/// How often counted refusals are told.
const SUM_UP_EVERY: Duration = Duration::from_secs(1);

/// What is left of the budgets, and what was not answered by itself.
#[derive(Debug)]
pub(super) struct Refusals {
    /// For requests with an id.
    named: RefusalBudget,
    /// For others, and for lines of the log.
    rubbish: RefusalBudget,
    /// Refusals without an answer of their own since they were told, by device.
    counted: BTreeMap<String, u64>,
}

// === impl Refusals ===

impl Default for Refusals {
    fn default() -> Self {
        Self {
            named: RefusalBudget::of(NAMED.0, NAMED.1),
            rubbish: RefusalBudget::default(),
            counted: BTreeMap::new(),
        }
    }
}

impl Refusals {
    /// Whether the refusal gets an answer of its own, and whether it gets a line of the log.
    fn admit(&mut self, device: &str, has_id: bool, now: Instant) -> (bool, bool) {
        let is_logged = self.rubbish.spend(now);
        let is_answered = if has_id { self.named.spend(now) } else { is_logged };
        if !is_answered && (self.counted.len() < MOST_DEVICES || self.counted.contains_key(device)) {
            *self.counted.entry(device.to_owned()).or_default() += 1;
        }
        (is_answered, is_logged)
    }
}

// === impl CommandService ===

impl CommandService {
    /// Refuses what no longer fits in the queue, and tells what was counted, until the queue closes.
    pub(super) async fn run_overflow(self, mut overflow: mpsc::Receiver<Submission>) {
        let mut tick = tokio::time::interval(SUM_UP_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                submission = overflow.recv() => match submission {
                    Some(Submission { inbound, waiting, .. }) => {
                        let why = "too many commands are waiting; send it again later".to_owned();
                        self.refuse(&inbound, &CommandError::Busy { why }, waiting);
                    }
                    None => break,
                },
                _ = tick.tick() => self.sum_up(),
            }
        }
        self.sum_up();
    }

    pub(super) fn refuse(
        &self,
        inbound: &Inbound,
        refusal: &CommandError,
        waiting: Option<oneshot::Sender<Answer>>,
    ) {
        self.health.refused.fetch_add(1, Ordering::Relaxed);
        let answer = Answer::refused(inbound, refusal);
        let (is_answered, is_logged) =
            self.lock_refusals().admit(&inbound.device, answer.id.is_some(), Instant::now());
        if is_logged {
            tracing::warn!(device = inbound.device, %refusal, "command refused");
        }
        if is_answered {
            self.publish(&answer, &Reply::to(inbound));
        } else {
            self.health.unanswered.fetch_add(1, Ordering::Relaxed);
        }
        answer.deliver(waiting);
    }

    /// Tells how many refusals had no answer of their own.
    fn sum_up(&self) {
        let counted = std::mem::take(&mut self.lock_refusals().counted);
        for (device, count) in counted {
            let reason = format!(
                "{count} more commands were refused without an answer of their own: too many at once \
                 （另有 {count} 条命令因过于频繁被拒绝）"
            );
            let answer = Answer {
                id: None,
                device: device.clone(),
                result: "refused",
                reason: Some(reason),
                value: None,
            };
            self.publish(&answer, &Reply::to_device(device));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn two_hundred_commands_a_second_are_all_answered() {
        let mut refusals = Refusals::default();
        for _ in 0..60 {
            for _ in 0..200 {
                assert!(refusals.admit("lamp", true, Instant::now()).0);
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert!(refusals.counted.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_not_answered_by_itself_is_counted() {
        let mut refusals = Refusals::default();
        let answered = (0..5000).filter(|_| refusals.admit("lamp", true, Instant::now()).0).count();
        assert_eq!((answered, refusals.counted["lamp"]), (1000, 4000));
        let answered = (0..100).filter(|_| refusals.admit("fan", false, Instant::now()).0).count();
        assert_eq!((answered, refusals.counted["fan"]), (0, 100), "the log's budget is spent");
    }
}
