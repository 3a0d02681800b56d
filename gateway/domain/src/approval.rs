//! The rule of two persons: what one account approved, another one approves soon after, in a session of its own and
//! with its secret entered again, while what they approve is still the same.

use std::time::Duration;

use crate::Id;
use crate::audit::Hash;
use crate::caller::Caller;

/// Longest time between the two.
pub const WITHIN: Duration = Duration::from_secs(120);

/// Who approved something, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// The person.
    pub person: Id,
    account: String,
    session: Option<String>,
    /// Hash of the plan and of its preview.
    subject: Hash,
    /// When, in monotonic time.
    at: Duration,
}

/// Why an approval does not count, for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotApproved {
    /// The account belongs to nobody.
    #[error(
        "须由本人登录 the account belongs to no person of facility.toml: log in as yourself, `linli login NAME`"
    )]
    NoPerson,
    /// The second is the first.
    #[error("须由另一人确认 another person has to confirm it: two different accounts")]
    SameAccount,
    /// Both in one session.
    #[error("须在另一会话中确认 the second person confirms it in a session of their own")]
    SameSession,
    /// The second did not prove again who they are.
    #[error("须重新输入口令 the second person enters their password again")]
    NotRenewed,
    /// The first is too long ago.
    #[error(
        "超过 2 分钟，须重新确认 the first confirmation is more than 2 minutes old; yours is now the first, and another person confirms"
    )]
    Late,
    /// The plan, or what it would do now, has changed.
    #[error(
        "方案或现场已变化，须重新确认 the plan or the state of the building has changed since; yours is now the first confirmation, and another person confirms"
    )]
    Changed,
}

// === impl Approval ===

impl Approval {
    /// The approval of a caller.
    ///
    /// # Errors
    /// When the account belongs to nobody.
    pub fn of(caller: &Caller, subject: Hash, at: Duration) -> Result<Self, NotApproved> {
        let person = caller.person.clone().ok_or(NotApproved::NoPerson)?;
        let (account, session) = (caller.account.clone(), caller.session.clone());
        Ok(Self { person, account, session, subject, at })
    }

    /// Whether a second approval completes this one. After [`NotApproved::Late`] and [`NotApproved::Changed`] this
    /// one is void, and the second becomes the first.
    ///
    /// # Errors
    /// Says why it does not.
    pub fn completed_by(&self, second: &Self, is_renewed: bool) -> Result<(), NotApproved> {
        if self.subject != second.subject {
            return Err(NotApproved::Changed);
        }
        if second.at.saturating_sub(self.at) > WITHIN {
            return Err(NotApproved::Late);
        }
        if self.account == second.account || self.person == second.person {
            return Err(NotApproved::SameAccount);
        }
        // A user of the machine has no session; the account alone tells one from the other.
        if self.session.is_some() && self.session == second.session {
            return Err(NotApproved::SameSession);
        }
        match is_renewed {
            true => Ok(()),
            false => Err(NotApproved::NotRenewed),
        }
    }
}

// === impl NotApproved ===

impl NotApproved {
    /// Whether the first approval is void.
    #[must_use]
    pub const fn voids(self) -> bool {
        matches!(self, Self::Late | Self::Changed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::caller::{Login, Screen};

    const NOW: Duration = Duration::from_secs(1000);

    fn caller(account: &str, session: &str) -> Caller {
        Caller {
            person: Some(Id::new(account).unwrap()),
            session: Some(session.to_owned()),
            ..Caller::of(account, Login::Password, Screen::Network)
        }
    }

    fn approval(account: &str, session: &str, subject: u8, at: Duration) -> Approval {
        Approval::of(&caller(account, session), [subject; 32], at).unwrap()
    }

    #[test]
    fn two_accounts_in_two_sessions_approve_the_same_within_two_minutes() {
        let first = approval("zhao", "a", 1, NOW);
        let second = |account, session, subject, after: u64| {
            approval(account, session, subject, NOW + Duration::from_secs(after))
        };
        for (second, is_renewed, expected) in [
            (second("sun", "b", 1, 120), true, Ok(())),
            (second("sun", "b", 1, 121), true, Err(NotApproved::Late)),
            (second("sun", "b", 2, 1), true, Err(NotApproved::Changed)),
            (second("zhao", "b", 1, 1), true, Err(NotApproved::SameAccount)),
            (second("sun", "a", 1, 1), true, Err(NotApproved::SameSession)),
            (second("sun", "b", 1, 1), false, Err(NotApproved::NotRenewed)),
        ] {
            assert_eq!(first.completed_by(&second, is_renewed), expected, "{second:?}");
        }
    }

    #[test]
    fn a_person_with_two_accounts_is_one_person() {
        let first = approval("zhao", "a", 1, NOW);
        let mut other = caller("zhao-2", "b");
        other.person = Some(Id::new("zhao").unwrap());
        let second = Approval::of(&other, [1; 32], NOW).unwrap();
        assert_eq!(first.completed_by(&second, true), Err(NotApproved::SameAccount));
    }

    #[test]
    fn an_account_of_nobody_approves_nothing() {
        let nobody = Caller::local("local:0");
        assert_eq!(Approval::of(&nobody, [1; 32], NOW), Err(NotApproved::NoPerson));
    }
}
