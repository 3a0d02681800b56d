//! Periodic requests to one network device: shared by SNMP and IPP.

use std::sync::atomic::Ordering;
use std::time::Duration;

use linli_domain::{Reason, Timestamp};
use tokio::time::{Instant, Interval, MissedTickBehavior};

use crate::line::{LineContext, PollOverrides};
use crate::plan::{Plan, Work};
use crate::publisher::{PointResult, Publisher};

/// Consecutive failed requests until a device is offline; a single lost datagram is ignored.
const MISSES: u32 = 2;

/// The result of one request.
pub type Answer = Result<Vec<(u16, PointResult)>, (Reason, String)>;

/// Sends a request per period until cancelled.
pub(super) async fn take<W: Work, F: Future<Output = Answer> + Send>(
    plan: &Plan<W>,
    context: LineContext,
    poll: Duration,
    ask: impl Fn() -> F + Send + Sync,
) {
    let (cancel, mut poll_overrides) = (context.cancel.clone(), context.poll_overrides.clone());
    let mut publisher = Publisher::new(plan.line.clone(), plan.layouts.clone(), context);
    let poll = |poll_overrides: &PollOverrides| {
        let own = plan.layouts.first().and_then(|layout| poll_overrides.get(&layout.device));
        own.copied().map_or(poll, |poll| poll.min(poll))
    };
    let mut beat = poll(&poll_overrides.borrow_and_update());
    let mut turns = turns(beat);
    let (mut misses, mut is_followed) = (0, true);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            changed = poll_overrides.changed(), if is_followed => {
                is_followed = changed.is_ok();
                let wanted = poll(&poll_overrides.borrow_and_update());
                if wanted != beat {
                    beat = wanted;
                    turns = self::turns(beat);
                }
                continue;
            }
            _ = turns.tick() => {}
        }
        publisher.progress();
        let asked = Instant::now();
        let answer = tokio::select! {
            () = cancel.cancelled() => return,
            answer = ask() => answer,
        };
        let health = &publisher.context.health;
        health.requests.fetch_add(1, Ordering::Relaxed);
        let took = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
        health.busy_us.fetch_add(took, Ordering::Relaxed);
        match answer {
            Ok(values) => {
                if let Some(device) = health.devices.first() {
                    device.latency_us.store(took, Ordering::Relaxed);
                }
                misses = 0;
                publisher.set_line(true, String::new()).await;
                // The middle between question and answer: the device held the values at most half of it away.
                let half = i64::try_from(took / 2000).unwrap_or_default();
                let at = Timestamp(publisher.context.clock.now().at.0 - half);
                publisher.publish_at(0, values, Some(at)).await;
            }
            Err((reason, detail)) => {
                misses += 1;
                tracing::debug!(device = %publisher.layout(0).device, ?reason, detail, "no answer");
                // The request that takes the device offline is counted there.
                if misses >= MISSES && !publisher.is_offline(0, reason) {
                    publisher.set_offline(0, reason, detail).await;
                } else {
                    publisher.count_failure(0, reason);
                }
            }
        }
    }
}

/// A timer that starts now; missed periods are skipped.
fn turns(beat: Duration) -> Interval {
    let mut turns = tokio::time::interval(beat);
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    turns
}
