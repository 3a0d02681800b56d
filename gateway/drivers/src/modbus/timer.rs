//! Waiting for the silence between two frames.
//!
//! The runtime's timer has a resolution of 1 ms; on a line at 19 200 baud, where the silence is
//! 1.8 ms, rounding up costs three hundredths of the line's time. The kernel's timer does not round.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};
use tokio::io::unix::AsyncFd;
use tokio::time::Instant;

/// A timer.
pub enum Timer {
    /// The runtime's timer, which follows the paused clock of tests.
    Runtime,
    /// A kernel timer (`timerfd`), with a resolution below 1 ms.
    Precise(AsyncFd<OwnedFd>),
}

// === impl Timer ===

impl Timer {
    /// The most precise one there is.
    #[must_use]
    #[expect(deprecated, reason = "unsound for types that exchange their descriptor; an OwnedFd never does")]
    pub fn precise() -> Self {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags).map_err(io::Error::from);
        fd.and_then(AsyncFd::new).map_or(Self::Runtime, Self::Precise)
    }

    /// Waits until `deadline`. Cancel safe.
    pub async fn until(&self, at: Instant) {
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        match self {
            Self::Runtime => tokio::time::sleep_until(at).await,
            Self::Precise(fd) => {
                if ring(fd, left).await.is_err() {
                    tokio::time::sleep_until(at).await;
                }
            }
        }
    }
}

async fn ring(fd: &AsyncFd<OwnedFd>, left: Duration) -> io::Result<()> {
    let once = Timespec { tv_sec: 0, tv_nsec: 0 };
    let tv_sec = i64::try_from(left.as_secs()).unwrap_or(i64::MAX);
    let value = Timespec { tv_sec, tv_nsec: i64::from(left.subsec_nanos()) };
    timerfd_settime(
        fd.get_ref(),
        TimerfdTimerFlags::empty(),
        &Itimerspec { it_interval: once, it_value: value },
    )?;
    loop {
        let mut ready = fd.readable().await?;
        // Setting the timer discards an expiration that nobody has read.
        let read = ready.try_io(|fd| Ok(rustix::io::read(fd.get_ref(), &mut [0_u8; 8])?));
        if let Ok(outcome) = read {
            return outcome.map(|_| ());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_never_rings_early_and_survives_being_dropped() {
        let timer = Timer::precise();
        assert!(matches!(timer, Timer::Precise(_)), "the kernel has timers");
        let dropped = Duration::from_millis(1);
        let _ = tokio::time::timeout(dropped, timer.until(Instant::now() + Duration::from_secs(9))).await;
        for micros in [0, 300, 1750, 5000] {
            let at = Instant::now() + Duration::from_micros(micros);
            timer.until(at).await;
            assert!(Instant::now() >= at);
        }
    }
}
