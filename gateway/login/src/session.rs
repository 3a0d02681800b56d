//! Sessions: how long a log-in holds. Time is monotonic; only what is stored carries wall time.

use std::time::Duration;

use linli_domain::caller::Login;
use linli_domain::{Id, Timestamp};
use serde::{Deserialize, Serialize};

/// Longest life of a session.
pub const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// Without a request for so long, a session ends.
pub const IDLE: Duration = Duration::from_secs(15 * 60);

/// Without a request for so long, a session at an enrolled screen is locked.
pub const LOCK: Duration = Duration::from_secs(60);

/// Longest life of a session that a break-glass code opened.
pub const BREAK_GLASS: Duration = Duration::from_secs(3600);

/// Sessions of one account; the oldest goes.
pub const PER_ACCOUNT: usize = 8;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// SHA-256 of its token, hexadecimal; its first digits name it in records.
    pub hash: String,
    /// The account.
    pub account: Id,
    /// How it logged in.
    pub login: Login,
    /// The enrolled screen where it was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<Id>,
    /// When it was opened.
    pub since: Timestamp,
    /// When it ends at the latest.
    pub until: Timestamp,
}

/// What is known of a session in this process, in monotonic time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Watched {
    /// When it ends at the latest.
    pub deadline: Duration,
    /// Its latest request.
    pub used: Duration,
    /// Whether it was locked by hand.
    pub is_locked: bool,
}

/// What a session is good for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Validity {
    /// It holds.
    Open,
    /// Its person has to enter their PIN again.
    Locked,
    /// It has ended.
    Ended,
}

// === impl Session ===

impl Session {
    /// Name of the session in records; it does not lead back to the token.
    #[must_use]
    pub fn name(&self) -> &str {
        self.hash.get(..12).unwrap_or(&self.hash)
    }

    /// A stored session after a restart: never longer than it had been, whatever the clock says now.
    #[must_use]
    pub fn resumed(&self, wall: Timestamp, now: Duration) -> Watched {
        let left = u64::try_from(self.until.0.saturating_sub(wall.0)).unwrap_or(0);
        let whole = u64::try_from(self.until.0.saturating_sub(self.since.0)).unwrap_or(0);
        let left = Duration::from_millis(left.min(whole)).min(LONGEST);
        Watched { deadline: now + left, used: now, is_locked: self.screen.is_some() }
    }

    /// What it is good for.
    #[must_use]
    pub fn validity(&self, watched: Watched, now: Duration) -> Validity {
        let idle = now.saturating_sub(watched.used);
        match &self.screen {
            _ if now >= watched.deadline => Validity::Ended,
            Some(_) if watched.is_locked || idle >= LOCK => Validity::Locked,
            None if idle >= IDLE => Validity::Ended,
            _ => Validity::Open,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Timestamp = Timestamp(1_795_428_000_000);
    const NOW: Duration = Duration::from_secs(1000);

    fn session(screen: Option<&str>) -> Session {
        let until = Timestamp(WALL.0 + 12 * 3_600_000);
        let screen = screen.map(|id| Id::new(id).unwrap());
        let hash = super::super::code::hash("token");
        Session {
            hash,
            account: Id::new("zhao").unwrap(),
            login: Login::Password,
            screen,
            since: WALL,
            until,
        }
    }

    #[test]
    fn a_session_ends_after_twelve_hours_or_a_quarter_of_an_hour_idle() {
        let session = session(None);
        let watched = Watched { deadline: NOW + LONGEST, used: NOW, is_locked: false };
        let second = Duration::from_secs(1);
        assert_eq!(session.validity(watched, NOW + IDLE - second), Validity::Open);
        assert_eq!(session.validity(watched, NOW + IDLE), Validity::Ended);
        let used = Watched { used: NOW + LONGEST - second, ..watched };
        assert_eq!(session.validity(used, NOW + LONGEST - second), Validity::Open);
        assert_eq!(session.validity(used, NOW + LONGEST), Validity::Ended, "however busy");
    }

    #[test]
    fn a_session_at_a_screen_is_locked_instead() {
        let session = session(Some("cabin-1"));
        let watched = Watched { deadline: NOW + LONGEST, used: NOW, is_locked: false };
        assert_eq!(session.validity(watched, NOW + LOCK - Duration::from_secs(1)), Validity::Open);
        assert_eq!(session.validity(watched, NOW + LOCK), Validity::Locked);
        assert_eq!(session.validity(watched, NOW + IDLE * 4), Validity::Locked);
        assert_eq!(session.validity(Watched { is_locked: true, ..watched }, NOW), Validity::Locked);
        assert_eq!(session.validity(watched, NOW + LONGEST), Validity::Ended);
    }

    #[test]
    fn a_restart_lengthens_no_session() {
        let later = |hours: i64| Timestamp(WALL.0 + hours * 3_600_000);
        let deadline = |wall| session(None).resumed(wall, NOW).deadline - NOW;
        assert_eq!(deadline(later(5)), Duration::from_secs(7 * 3600));
        assert_eq!(deadline(later(13)), Duration::ZERO);
        assert_eq!(deadline(later(-240)), LONGEST, "the clock was set back");
        assert!(session(Some("cabin-1")).resumed(WALL, NOW).is_locked, "nobody knows who stands there");
        assert_eq!(session(None).name().len(), 12);
    }
}
