//! Feeds systemd's watchdog only while work progresses: a timer alone would vouch for a gateway
//! whose lines all hang.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use linli_web::status::GatewayStatus;

/// A line may wait this long inside one exchange or between two polls before it counts as hung.
const LINE_PATIENCE: Duration = Duration::from_secs(60);

/// How long the store may go without finishing a turn.
const STORE_PATIENCE: Duration = Duration::from_secs(60);

/// Compares progress counters between two looks.
pub struct Watchdog {
    observed: Arc<GatewayStatus>,
    seen: Vec<(String, u64, Instant)>,
}

// === impl Watchdog ===

impl Watchdog {
    /// Looks at `observed`.
    #[must_use]
    pub const fn new(observed: Arc<GatewayStatus>) -> Self {
        Self { observed, seen: Vec::new() }
    }

    /// Feeds the service manager at half the interval it asks for; never ends.
    pub async fn run(mut self, interval: Duration) {
        let mut tick = tokio::time::interval(interval / 2);
        loop {
            tick.tick().await;
            match self.hung() {
                None => notify(&[sd_notify::NotifyState::Watchdog]),
                Some(who) => tracing::error!(who, "no progress: the watchdog is not fed"),
            }
        }
    }

    /// Names the first part that has made no progress for too long.
    fn hung(&mut self) -> Option<String> {
        let now = Instant::now();
        let mut counters: Vec<(String, u64, Duration)> = vec![
            ("store".to_owned(), self.observed.store.borrow().turns, STORE_PATIENCE),
            ("pipeline".to_owned(), self.observed.flow.progress.load(Ordering::Relaxed), STORE_PATIENCE),
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

/// Tells the service manager; without one this does nothing.
pub fn notify(state: &[sd_notify::NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}
