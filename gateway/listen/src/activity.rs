//! Whether a connection is at work: a request is being answered, and its peer takes the answer.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    /// Nothing is asked, or the headers are incomplete, since then.
    Nothing(Instant),
    /// A request is being read or answered, or an answer has nothing to say at present.
    Working,
    /// A part of the answer was handed out then; the peer has not asked for the next one yet.
    Answering(Instant),
}

/// The activity of one connection.
#[derive(Debug)]
pub(crate) struct Activity(Mutex<Doing>);

// === impl Activity ===

impl Activity {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Doing::Nothing(Instant::now())))
    }

    /// Since when nothing moves for which the gateway is responsible; `None` while it is at work. Such a
    /// connection may be closed in favour of another one.
    pub(crate) fn idle_since(&self) -> Option<Instant> {
        match *self.doing() {
            Doing::Nothing(since) | Doing::Answering(since) => Some(since),
            Doing::Working => None,
        }
    }

    pub(crate) fn works(&self) {
        *self.doing() = Doing::Working;
    }

    pub(crate) fn answers(&self) {
        *self.doing() = Doing::Answering(Instant::now());
    }

    pub(crate) fn rests(&self) {
        *self.doing() = Doing::Nothing(Instant::now());
    }

    fn doing(&self) -> std::sync::MutexGuard<'_, Doing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
