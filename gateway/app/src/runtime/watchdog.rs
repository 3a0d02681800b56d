//! Notifies the watchdog of systemd only while work progresses: a timer alone would also run when all
//! lines hang.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use linli_web::status::GatewayStatus;

/// Longest time without progress, in an exchange or between two polls, before a line counts as hung.
const LINE_PATIENCE: Duration = Duration::from_secs(60);

/// Longest time without progress before the pipeline counts as hung; for the store it is
/// [`linli_store::PATIENCE`], as for `/readyz`.
const PIPELINE_PATIENCE: Duration = Duration::from_secs(60);

/// The same of the mode switch. It waits for the store, whose patience it has.
const MODE_PATIENCE: Duration = linli_store::PATIENCE;

/// Compares progress counters between two checks.
pub struct Watchdog {
    status: Arc<GatewayStatus>,
    seen: Seen,
}

// === impl Watchdog ===

impl Watchdog {
    /// Watches the counters of a gateway.
    #[must_use]
    pub fn new(status: Arc<GatewayStatus>) -> Self {
        Self { status, seen: Seen::default() }
    }

    /// Notifies the service manager at half of its interval; never returns.
    pub async fn run(mut self, interval: Duration) {
        let mut tick = tokio::time::interval(interval / 2);
        loop {
            tick.tick().await;
            match self.hung() {
                None => notify(&[sd_notify::NotifyState::Watchdog]),
                Some(who) => tracing::error!(who, "no progress: the watchdog is not notified"),
            }
        }
    }

    /// Returns the first part without progress for too long.
    fn hung(&mut self) -> Option<String> {
        let mut counters: Vec<Counter> = vec![
            ("store".to_owned(), self.status.store.borrow().turns, linli_store::PATIENCE),
            ("pipeline".to_owned(), self.status.flow.progress.load(Ordering::Relaxed), PIPELINE_PATIENCE),
            ("mode switch".to_owned(), self.status.mode.turns.load(Ordering::Relaxed), MODE_PATIENCE),
        ];
        counters.extend(self.status.lines.borrow().iter().map(|line| {
            let progress = line.health.progress.load(Ordering::Relaxed);
            (format!("line {}", line.plan.line()), progress, LINE_PATIENCE)
        }));
        self.seen.hung(counters, Instant::now())
    }
}

/// The name of a part, its counter, and how long the counter may stay the same.
type Counter = (String, u64, Duration);

/// The counters of the last check, with the time since which each has its value.
#[derive(Default)]
struct Seen(Vec<(String, u64, Instant)>);

// === impl Seen ===

impl Seen {
    /// Returns the first part whose counter has stayed the same for too long.
    fn hung(&mut self, counters: Vec<Counter>, now: Instant) -> Option<String> {
        let before = std::mem::take(&mut self.0);
        let mut hung = None;
        for (name, count, patience) in counters {
            let known = before.iter().find(|(n, c, _)| *n == name && *c == count);
            let since = known.map_or(now, |(_, _, since)| *since);
            if now - since > patience {
                hung = hung.or(Some(name.clone()));
            }
            self.0.push((name, count, since));
        }
        hung
    }
}

/// Notifies the service manager; does nothing without one.
pub fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be notified");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_whose_writer_does_not_turn_is_hung_and_one_that_turns_is_not() {
        let (mut seen, began) = (Seen::default(), Instant::now());
        let after = |seconds| began + Duration::from_secs(seconds);
        let only_store = |turns| vec![("store".to_owned(), turns, linli_store::PATIENCE)];
        assert_eq!(seen.hung(only_store(1), after(0)), None);
        assert_eq!(seen.hung(only_store(2), after(50)), None);
        assert_eq!(seen.hung(only_store(2), after(110)), None, "sixty seconds are still patience");
        assert_eq!(seen.hung(only_store(2), after(111)), Some("store".to_owned()));
        assert_eq!(seen.hung(only_store(3), after(112)), None, "it goes on");
    }
}
