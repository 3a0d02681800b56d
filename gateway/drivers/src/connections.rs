//! The connections of a listener: bounded in all and for each address. When there are too many, one that is idle
//! gives way, those that never said anything first, so that silent peers lock nobody out.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// What a connection does.
#[derive(Debug)]
pub(crate) struct Activity {
    began: Instant,
    /// Milliseconds after `began` at which something came last.
    latest: AtomicU64,
    has_spoken: AtomicBool,
    is_busy: AtomicBool,
    /// Cancelled when the connection has to give way.
    pub give_way: CancellationToken,
}

/// The open connections.
#[derive(Debug)]
pub(crate) struct Connections {
    /// Most of them at once.
    most: usize,
    open: Vec<(IpAddr, Arc<Activity>)>,
}

// === impl Activity ===

impl Activity {
    fn new() -> Self {
        Self {
            began: Instant::now(),
            latest: AtomicU64::new(0),
            has_spoken: AtomicBool::new(false),
            is_busy: AtomicBool::new(false),
            give_way: CancellationToken::new(),
        }
    }

    /// Bytes came.
    pub fn heard(&self) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.latest.store(now, Ordering::Relaxed);
    }

    /// A message is being handled and answered; it is not interrupted.
    pub fn busy(&self, is_busy: bool) {
        self.is_busy.store(is_busy, Ordering::Relaxed);
        if !is_busy {
            self.has_spoken.store(true, Ordering::Relaxed);
        }
    }

    fn latest(&self) -> Instant {
        self.began + std::time::Duration::from_millis(self.latest.load(Ordering::Relaxed))
    }
}

// === impl Connections ===

impl Connections {
    /// None yet, and at most that many.
    pub const fn new(most: usize) -> Self {
        Self { most, open: Vec::new() }
    }

    /// Adds a connection, of which an address may have `most_of_address`. If there are too many then, one gives way: a silent one before one that has sent a
    /// message, and the one that is idle longest. `None` if all are busy: the new one has to come again.
    pub fn add(&mut self, from: IpAddr, most_of_address: usize) -> Option<Arc<Activity>> {
        self.open.retain(|(_, activity)| Arc::strong_count(activity) > 1);
        let of_address = self.open.iter().filter(|(address, _)| *address == from).count();
        if of_address >= most_of_address {
            self.give_way(|address| address == from)?;
        } else if self.open.len() >= self.most {
            self.give_way(|_| true)?;
        }
        let activity = Arc::new(Activity::new());
        self.open.push((from, Arc::clone(&activity)));
        Some(activity)
    }

    fn give_way(&mut self, may: impl Fn(IpAddr) -> bool) -> Option<()> {
        let is_idle = |activity: &Activity| !activity.is_busy.load(Ordering::Relaxed);
        let candidates =
            self.open.iter().enumerate().filter(|(_, (from, activity))| may(*from) && is_idle(activity));
        let (at, _) = candidates.min_by_key(|(_, (_, activity))| {
            (activity.has_spoken.load(Ordering::Relaxed), activity.latest())
        })?;
        let (_, activity) = self.open.remove(at);
        activity.give_way.cancel();
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MOST: usize = 32;
    const MOST_OF_ADDRESS: usize = 8;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn has_given_way(activity: &Activity) -> bool {
        activity.give_way.is_cancelled()
    }

    #[tokio::test(start_paused = true)]
    async fn silent_peers_lock_nobody_out() {
        let mut connections = Connections::new(MOST);
        let mut held = Vec::new();
        for _ in 0..MOST_OF_ADDRESS {
            held.push(connections.add(address(1), MOST_OF_ADDRESS).unwrap());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        // The first has sent a message, the second never anything.
        held[0].heard();
        held[0].busy(true);
        held[0].busy(false);
        let next = connections.add(address(1), MOST_OF_ADDRESS).unwrap();
        assert_eq!(
            held.iter().map(|a| has_given_way(a)).collect::<Vec<_>>(),
            [false, true, false, false, false, false, false, false]
        );
        assert!(!has_given_way(&next));
        assert!(
            connections.add(address(2), MOST_OF_ADDRESS).is_some_and(|other| !has_given_way(&other)),
            "another address has its own"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_busy_is_not_interrupted() {
        let mut connections = Connections::new(MOST);
        let held: Vec<_> =
            (0..MOST_OF_ADDRESS).map(|_| connections.add(address(1), MOST_OF_ADDRESS).unwrap()).collect();
        held.iter().for_each(|activity| activity.busy(true));
        assert!(connections.add(address(1), MOST_OF_ADDRESS).is_none());
        held[3].busy(false);
        assert!(connections.add(address(1), MOST_OF_ADDRESS).is_some() && has_given_way(&held[3]));
    }

    #[tokio::test(start_paused = true)]
    async fn the_number_of_all_is_bounded_and_what_has_ended_does_not_count() {
        let mut connections = Connections::new(MOST);
        let mut held: Vec<_> = (0..MOST)
            .map(|nth| connections.add(address(u8::try_from(nth).unwrap()), MOST_OF_ADDRESS).unwrap())
            .collect();
        connections.add(address(200), MOST_OF_ADDRESS).unwrap();
        assert_eq!(held.iter().filter(|activity| has_given_way(activity)).count(), 1);
        held.clear();
        let again: Vec<_> = (0..MOST)
            .map(|nth| connections.add(address(u8::try_from(nth).unwrap()), MOST_OF_ADDRESS).unwrap())
            .collect();
        assert!(again.iter().all(|activity| !has_given_way(activity)));
    }
}
