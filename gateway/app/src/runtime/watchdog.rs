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

/// Compares progress counters between two checks.
pub struct Watchdog {
    observed: Arc<GatewayStatus>,
    seen: Vec<(String, u64, Instant)>,
}

// === impl Watchdog ===

impl Watchdog {
    /// Watches the counters of a gateway.
    #[must_use]
    pub const fn new(observed: Arc<GatewayStatus>) -> Self {
        Self { observed, seen: Vec::new() }
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
        let now = Instant::now();
        let mut counters: Vec<(String, u64, Duration)> = vec![
            ("store".to_owned(), self.observed.store.borrow().turns, linli_store::PATIENCE),
            ("pipeline".to_owned(), self.observed.flow.progress.load(Ordering::Relaxed), PIPELINE_PATIENCE),
        ];
        counters.extend(self.observed.lines.borrow().iter().map(|line| {
            let progress = line.health.progress.load(Ordering::Relaxed);
            (format!("line {}", line.plan.line()), progress, LINE_PATIENCE)
        }));
        let before = std::mem::take(&mut self.seen);
        let mut hung = None;
        for (name, count, patience) in counters {
            let known = before.iter().find(|(n, c, _)| *n == name && *c == count);
            let since = known.map_or(now, |(_, _, since)| *since);
            if now - since > patience {
                hung = hung.or(Some(name.clone()));
            }
            self.seen.push((name, count, since));
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
