//! What listeners ask for every request: whose session is this, whose screen? Answered from memory, so that no
//! request waits for a disk; the service publishes each change.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use linli_domain::Id;
use linli_domain::caller::{Caller, Screen};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::directory::{Directory, EnrolledScreen};
use crate::rules::code;
use crate::rules::role::Role;
use crate::rules::session::{Session, Validity, Watched};

/// How long a secret that was entered again counts.
const RENEWED: Duration = Duration::from_secs(60);

/// A session of this process.
#[derive(Debug)]
pub struct LiveSession {
    /// What is stored of it.
    pub session: Session,
    /// What it may do.
    pub roles: Vec<Role>,
    /// The person to whom its account belongs.
    pub person: Option<Id>,
    /// Cancelled when it ends; event streams end with it.
    pub ended: CancellationToken,
    pub(crate) state: Mutex<State>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct State {
    pub watched: Watched,
    /// When the secret was entered again.
    pub renewed: Option<Duration>,
}

/// All that is known, at one moment.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Accounts and screens.
    pub directory: Directory,
    /// Sessions by the hash of their token.
    pub sessions: BTreeMap<String, Arc<LiveSession>>,
}

/// Answers from the latest snapshot.
#[derive(Debug, Clone)]
pub struct Access {
    pub(crate) snapshot: watch::Receiver<Arc<Snapshot>>,
    pub(crate) began: Instant,
}

// === impl LiveSession ===

impl LiveSession {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Locks a session at an enrolled screen; its person enters their PIN again.
    pub fn lock(&self) {
        self.state().watched.is_locked = true;
    }

    /// Takes note that a secret was entered again; [`Self::caller`] tells it once.
    pub(crate) fn renew(&self, now: Duration) {
        let mut state = self.state();
        state.renewed = Some(now);
        state.watched = Watched { used: now, is_locked: false, ..state.watched };
    }

    /// The caller of a request in this session.
    #[must_use]
    pub fn caller(&self) -> Caller {
        let screen = self.session.screen.clone().map_or(Screen::Network, Screen::Enrolled);
        Caller {
            person: self.person.clone(),
            session: Some(self.session.name().to_owned()),
            ..Caller::of(self.session.account.as_str(), self.session.login, screen)
        }
    }
}

// === impl Access ===

/// Knows nobody.
impl Default for Access {
    fn default() -> Self {
        Self { snapshot: watch::Sender::default().subscribe(), began: Instant::now() }
    }
}

impl Access {
    /// The session with that token and what it is good for now; a request that a person made keeps it from idling, one
    /// that a page makes by itself does not. `None` when there is none, or it has ended.
    #[must_use]
    pub fn session(&self, token: &str, is_attended: bool) -> Option<(Arc<LiveSession>, Validity)> {
        let session = self.snapshot.borrow().sessions.get(&code::hash(token)).map(Arc::clone)?;
        let now = self.now();
        let validity = {
            let mut state = session.state();
            let validity = session.session.validity(state.watched, now);
            if validity == Validity::Open && is_attended {
                state.watched.used = now;
            }
            validity
        };
        match validity {
            Validity::Ended => {
                session.ended.cancel();
                None
            }
            open => Some((session, open)),
        }
    }

    /// Whether the secret was entered again a moment ago; it counts for one request.
    #[must_use]
    pub fn take_renewal(&self, session: &LiveSession) -> bool {
        let (now, renewed) = (self.now(), session.state().renewed.take());
        renewed.is_some_and(|at| now.saturating_sub(at) <= RENEWED)
    }

    /// The enrolled screen with that token.
    #[must_use]
    pub fn screen(&self, token: &str) -> Option<EnrolledScreen> {
        self.snapshot.borrow().directory.screen(token).cloned()
    }

    /// Whether a session is open still; unlike a request, this question does not keep it from idling.
    #[must_use]
    pub fn is_open(&self, session: &LiveSession) -> bool {
        session.session.validity(session.state().watched, self.now()) == Validity::Open
            && !session.ended.is_cancelled()
    }

    /// The present state.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot.borrow())
    }

    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }
}
