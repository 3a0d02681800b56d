//! Whether a connection is at work: a request is being answered, and its peer takes the answer. Over HTTP/2 a
//! connection has several requests at once.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

/// What is done for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// The request is being read or answered, or its answer has nothing to say at present.
    Working,
    /// A part of the answer was handed out then; the peer has not asked for the next one yet.
    Answering(Instant),
}

#[derive(Debug)]
struct State {
    requests: BTreeMap<u64, Doing>,
    next: u64,
    /// When the latest request ended, or the connection began.
    rested: Instant,
}

/// The activity of one connection.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<State>);

/// One request of a connection. It has ended when this is dropped.
#[derive(Debug)]
pub(crate) struct Exchange {
    activity: Arc<Activity>,
    number: u64,
}

// === impl Activity ===

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { requests: BTreeMap::new(), next: 0, rested: Instant::now() }))
    }

    /// Since when nothing moves for which the gateway is responsible; `None` while it is at work. Such a
    /// connection may be closed in favour of another one.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        let state = self.state();
        let mut since = state.rested;
        for doing in state.requests.values() {
            match doing {
                Doing::Working => return None,
                Doing::Answering(at) => since = since.max(*at),
            }
        }
        Some(since)
    }

    /// Since when no request is open; `None` while one is.
    pub(crate) fn rests_since(&self) -> Option<Instant> {
        let state = self.state();
        state.requests.is_empty().then_some(state.rested)
    }

    /// A request has come.
    pub(crate) fn begins(self: &Arc<Self>) -> Exchange {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.requests.insert(number, Doing::Working);
        Exchange { activity: Arc::clone(self), number }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Exchange ===

impl Exchange {
    pub(crate) fn works(&self) {
        self.activity.state().requests.insert(self.number, Doing::Working);
    }

    pub(crate) fn answers(&self) {
        self.activity.state().requests.insert(self.number, Doing::Answering(Instant::now()));
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let mut state = self.activity.state();
        state.requests.remove(&self.number);
        state.rested = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_connection_works_as_long_as_one_of_its_requests_does() {
        let activity = Arc::new(Activity::new());
        let began = Instant::now();
        assert_eq!((activity.idle_since(), activity.rests_since()), (Some(began), Some(began)));
        let (first, second) = (activity.begins(), activity.begins());
        tokio::time::advance(Duration::from_secs(1)).await;
        first.answers();
        assert_eq!((activity.idle_since(), activity.rests_since()), (None, None));
        second.answers();
        assert_eq!((activity.idle_since(), activity.rests_since()), (Some(Instant::now()), None));
        drop(first);
        second.works();
        assert_eq!(activity.idle_since(), None);
        drop(second);
        assert_eq!(activity.rests_since(), Some(Instant::now()));
    }
}
