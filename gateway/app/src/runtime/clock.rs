//! The wall clock of the gateway: time and clock quality of samples.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use linli_domain::{ClockQuality, Stamp, Timestamp};
use linli_drivers::Clock;
use tokio_util::sync::CancellationToken;

/// An earlier time means that the clock was never set (2026-01-01T00:00:00Z).
const OLDEST_PLAUSIBLE: Timestamp = Timestamp(1_767_225_600_000);

/// systemd-timesyncd touches this file when the clock has been disciplined.
const TIMESYNC_MARK: &str = "/run/systemd/timesync/synchronized";

/// Interval at which the time service is asked; a clock drifts slowly without it.
const ASK_EVERY: Duration = Duration::from_secs(300);

/// Longest wait for the answer of the time service.
const ASK_FOR: Duration = Duration::from_secs(2);

/// The operating system's clock.
#[derive(Debug, Default)]
pub struct SystemClock {
    synchronised: AtomicU8,
}

// === impl SystemClock ===

impl SystemClock {
    /// Updates the clock quality until cancelled.
    pub async fn watch(self: Arc<Self>, cancel: CancellationToken) {
        loop {
            let synchronised = Path::new(TIMESYNC_MARK).exists() || time_service_says_so().await;
            let before = self.synchronised.swap(u8::from(synchronised), Ordering::Relaxed);
            if before != u8::from(synchronised) {
                tracing::info!(synchronised, "time service");
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(ASK_EVERY) => {}
            }
        }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock everybody else asks")]
    fn now(&self) -> Stamp {
        let ms = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        };
        let at = Timestamp(ms);
        let clock = if at < OLDEST_PLAUSIBLE {
            ClockQuality::Unset
        } else if self.synchronised.load(Ordering::Relaxed) == 1 {
            ClockQuality::Synchronised
        } else {
            ClockQuality::FreeRunning
        };
        Stamp { at, clock }
    }
}

/// Asks the service manager, which reads the kernel's own flag; covers chrony and ntpd.
async fn time_service_says_so() -> bool {
    let asked = tokio::process::Command::new("timedatectl")
        .args(["show", "--property=NTPSynchronized", "--value"])
        .kill_on_drop(true)
        .output();
    match tokio::time::timeout(ASK_FOR, asked).await {
        Ok(Ok(answer)) => answer.stdout.trim_ascii() == b"yes",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_nobody_vouches_for_is_free_running() {
        let clock = SystemClock::default();
        assert_eq!(clock.now().clock, ClockQuality::FreeRunning);
        clock.synchronised.store(1, Ordering::Relaxed);
        assert_eq!(clock.now().clock, ClockQuality::Synchronised);
        assert!(clock.now().at > OLDEST_PLAUSIBLE);
    }
}
