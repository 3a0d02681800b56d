//! Limits attempts with wrong tokens per address.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// Most wrong tokens per address in a window.
const MOST: u32 = 5;

/// Length of the window.
const WINDOW: Duration = Duration::from_secs(60);

/// Most addresses stored; the oldest are dropped.
const REMEMBERED: usize = 1024;

/// Counts wrong tokens by address.
#[derive(Debug, Default)]
pub struct Guard {
    wrong: BTreeMap<IpAddr, (Instant, u32)>,
}

// === impl Guard ===

impl Guard {
    /// Returns how long an address must wait; `None` when it may try.
    pub fn waits(&self, peer: IpAddr, now: Instant) -> Option<Duration> {
        let (since, count) = self.wrong.get(&peer)?;
        let left = WINDOW.checked_sub(now.saturating_duration_since(*since))?;
        (*count >= MOST && !left.is_zero()).then_some(left)
    }

    /// Counts a wrong token.
    pub fn wrong(&mut self, peer: IpAddr, now: Instant) {
        self.wrong.retain(|_, (since, _)| now.saturating_duration_since(*since) < WINDOW);
        if self.wrong.len() >= REMEMBERED
            && !self.wrong.contains_key(&peer)
            && let Some(oldest) =
                self.wrong.iter().min_by_key(|(_, (since, _))| *since).map(|(peer, _)| *peer)
        {
            self.wrong.remove(&oldest);
        }
        self.wrong.entry(peer).or_insert((now, 0)).1 += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn five_wrong_tokens_cost_the_rest_of_the_minute() {
        let (mut guard, now) = (Guard::default(), Instant::now());
        let (thief, kiosk) = (IpAddr::from([192, 0, 2, 9]), IpAddr::from([192, 0, 2, 1]));
        for _ in 0..MOST {
            assert_eq!(guard.waits(thief, now), None);
            guard.wrong(thief, now);
        }
        assert_eq!(guard.waits(thief, now + Duration::from_secs(20)), Some(Duration::from_secs(40)));
        assert_eq!(guard.waits(kiosk, now), None);
        assert_eq!(guard.waits(thief, now + WINDOW), None);
        for n in 0..3000_u32 {
            guard.wrong(IpAddr::from(n.to_be_bytes()), now);
        }
        assert!(guard.wrong.len() <= REMEMBERED);
    }
}
