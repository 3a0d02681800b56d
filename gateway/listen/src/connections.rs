//! The open connections of a listener, and which of them gives way when there are too many.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::activity::Activity;
use crate::limits::Limits;

/// Counts of a listener.
#[derive(Debug, Default)]
pub struct Counts {
    /// Connections that are open.
    pub open: AtomicU64,
    /// Connections that were closed in favour of others.
    pub evicted: AtomicU64,
    /// Connections that were refused: all others were at work.
    pub refused: AtomicU64,
    /// Accepts that failed, mostly for want of file descriptors.
    pub failed: AtomicU64,
    /// TLS handshakes that failed or did not end in time.
    pub handshakes: AtomicU64,
}

/// One open connection.
struct Open {
    address: Option<IpAddr>,
    activity: Arc<Activity>,
    close: CancellationToken,
}

/// The open connections of a listener.
#[derive(Default)]
pub(crate) struct Connections {
    open: Mutex<BTreeMap<u64, Open>>,
    next: AtomicU64,
    counts: Arc<Counts>,
}

/// A place among the connections, given back when it is dropped.
pub(crate) struct Place {
    connections: Arc<Connections>,
    number: u64,
    pub(crate) activity: Arc<Activity>,
    /// Cancelled when the connection must give way.
    pub(crate) close: CancellationToken,
}

// === impl Connections ===

impl Connections {
    pub(crate) fn new(counts: Arc<Counts>) -> Self {
        Self { counts, ..Self::default() }
    }

    /// Takes a place for a new connection. Where a cap is reached, the connection that has been idle for longest
    /// is closed, of the same address if that one's cap is. `None` when all of them are at work.
    pub(crate) fn take(self: &Arc<Self>, address: Option<IpAddr>, limits: &Limits) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = |connection: &Open| address.is_some() && connection.address == address;
        let is_peer_full = open.values().filter(|open| of_address(open)).count() >= limits.per_address;
        if is_peer_full || open.len() >= limits.connections {
            let candidates = open.iter().filter(|(_, open)| !is_peer_full || of_address(open));
            let idle = candidates.filter_map(|(number, open)| Some((open.activity.idle_since()?, *number)));
            let Some((_, number)) = idle.min() else {
                self.counts.refused.fetch_add(1, Ordering::Relaxed);
                return None;
            };
            if let Some(evicted) = open.remove(&number) {
                evicted.close.cancel();
                self.counts.evicted.fetch_add(1, Ordering::Relaxed);
            }
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (activity, close) = (Arc::new(Activity::new()), CancellationToken::new());
        open.insert(number, Open { address, activity: Arc::clone(&activity), close: close.clone() });
        self.counts.open.store(open.len() as u64, Ordering::Relaxed);
        Some(Place { connections: Arc::clone(self), number, activity, close })
    }
}

// === impl Place ===

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(&self.number);
        self.connections.counts.open.store(open.len() as u64, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LIMITS: Limits = Limits {
        connections: 4,
        per_address: 2,
        headers: Duration::from_secs(10),
        body: Duration::from_secs(30),
    };

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_idle_connection_gives_way() {
        let all = Arc::new(Connections::default());
        let mut places = Vec::new();
        for _ in 0..4 {
            places.push(all.take(None, &LIMITS).unwrap());
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        let mut at_work = vec![places[0].activity.begins()];
        let fifth = all.take(None, &LIMITS).unwrap();
        let closed: Vec<bool> = places.iter().map(|place| place.close.is_cancelled()).collect();
        assert_eq!(closed, [false, true, false, false], "the first is at work");
        at_work.extend(places.iter().map(|place| place.activity.begins()));
        let answer = fifth.activity.begins();
        assert!(all.take(None, &LIMITS).is_none(), "all are at work");
        // A peer that takes nothing of its answer is idle.
        answer.answers();
        assert!(all.take(None, &LIMITS).is_some() && fifth.close.is_cancelled());
        drop((places, fifth));
        let counts = &all.counts;
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        assert_eq!((read(&counts.open), read(&counts.evicted), read(&counts.refused)), (0, 2, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_closes_its_own_connections_only() {
        let all = Arc::new(Connections::default());
        let other = all.take(address(1), &LIMITS).unwrap();
        tokio::time::advance(Duration::from_secs(1)).await;
        let own = [all.take(address(2), &LIMITS).unwrap(), all.take(address(2), &LIMITS).unwrap()];
        let third = all.take(address(2), &LIMITS).unwrap();
        assert!(!other.close.is_cancelled() && own[0].close.is_cancelled() && !own[1].close.is_cancelled());
        let _at_work = [own[1].activity.begins(), third.activity.begins()];
        assert!(all.take(address(2), &LIMITS).is_none());
        assert!(all.take(address(3), &LIMITS).is_some(), "others still come in");
        assert!(!other.close.is_cancelled());
    }
}
