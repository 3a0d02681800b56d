//! An account: from its one-time enrolment code to its end. Accounts are never deleted, so that a record names the
//! same person for ever; they are disabled.

use linli_domain::{Id, Timestamp};
use serde::{Deserialize, Serialize};

use super::code::{self, CODE, Issued};
use super::totp::{self, CodeRefused, Totp};
use linli_domain::role::{Factor, Role, factor};

/// How long an enrolment code is valid: a working day and the night before it.
const ENROLMENT_MS: i64 = 24 * 3_600_000;

/// An account as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its id, which people type.
    pub id: Id,
    /// The `[[person]]` of facility.toml that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Id>,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Whether it is switched off.
    #[serde(default)]
    pub is_disabled: bool,
    /// The code with which it is set up, until it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enrolment: Option<Issued>,
    /// Hash of the password or PIN; none before the enrolment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    /// One-time codes, for accounts with a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    totp: Option<Totp>,
    /// Hash of the badge, for accounts with a PIN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    badge: Option<String>,
}

/// What a person needs besides their password or PIN; shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolled {
    /// The secret for an authenticator, in base 32.
    Totp(Totp),
    /// The text of the badge, to be printed as a QR code.
    Badge(String),
}

/// Where an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Waits for its enrolment code.
    Invited,
    /// Its enrolment code has ended unused.
    Expired,
    /// Can log in.
    Active,
    /// Switched off.
    Disabled,
}

// === impl Account ===

impl Account {
    /// A new account, and its enrolment code.
    #[must_use]
    pub fn new(
        id: Id,
        person: Option<Id>,
        mut roles: Vec<Role>,
        entropy: [u8; CODE],
        now: Timestamp,
    ) -> (Self, String) {
        roles.sort_unstable();
        roles.dedup();
        let (issued, code) = Issued::new(entropy, now, ENROLMENT_MS);
        let account = Self {
            id,
            person,
            roles,
            is_disabled: false,
            enrolment: Some(issued),
            secret: None,
            totp: None,
            badge: None,
        };
        (account, code)
    }

    /// Forgets every secret; returns the code with which it is set up again. It stays disabled if it was.
    pub fn reset(&mut self, entropy: [u8; CODE], now: Timestamp) -> String {
        let (issued, code) = Issued::new(entropy, now, ENROLMENT_MS);
        (self.enrolment, self.secret, self.totp, self.badge) = (Some(issued), None, None, None);
        code
    }

    /// How it logs in.
    #[must_use]
    pub fn factor(&self) -> Factor {
        factor(&self.roles)
    }

    /// Where it stands.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        match (&self.secret, &self.enrolment) {
            _ if self.is_disabled => Standing::Disabled,
            (Some(_), _) => Standing::Active,
            (None, Some(issued)) if now < issued.until() => Standing::Invited,
            (None, _) => Standing::Expired,
        }
    }

    /// Whether this is its enrolment code, and may be used now.
    #[must_use]
    pub fn is_enrolment(&self, code: &str, now: Timestamp) -> bool {
        !self.is_disabled && self.enrolment.as_ref().is_some_and(|issued| issued.is(code, now))
    }

    /// Uses up the enrolment code: `hash` is that of the secret the person chose. `None` when the code is not, or no
    /// longer, the right one.
    pub fn enrol(
        &mut self,
        code: &str,
        hash: String,
        entropy: [u8; totp::SECRET],
        now: Timestamp,
    ) -> Option<Enrolled> {
        if !self.is_enrolment(code, now) {
            return None;
        }
        self.enrolment = None;
        self.secret = Some(hash);
        Some(match self.factor() {
            Factor::PasswordAndCode => {
                let totp = Totp::new(entropy);
                self.totp = Some(totp.clone());
                Enrolled::Totp(totp)
            }
            Factor::BadgeAndPin => {
                let mut half = [0; CODE];
                half.copy_from_slice(&entropy[..CODE]);
                let badge = format!("LL-{}", code::code(&half));
                self.badge = Some(code::hash(&code::normal(&badge)));
                Enrolled::Badge(badge)
            }
        })
    }

    /// The hash of its password or PIN, while it can log in.
    #[must_use]
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_deref().filter(|_| !self.is_disabled)
    }

    /// Whether this is the text of its badge.
    #[must_use]
    pub fn has_badge(&self, badge: &str) -> bool {
        self.badge.as_ref().is_some_and(|hash| *hash == code::hash(&code::normal(badge)))
    }

    /// Accepts a one-time code, and remembers that it was used.
    ///
    /// # Errors
    /// When it is wrong or was used, or the account has none.
    pub fn accept_code(&mut self, code: &str, now: Timestamp) -> Result<(), CodeRefused> {
        self.totp.as_mut().map_or(Err(CodeRefused::Wrong), |totp| totp.accept(code, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_428_000_000);

    fn account(role: Role) -> (Account, String) {
        Account::new(Id::new("zhao").unwrap(), Some(Id::new("zhao").unwrap()), vec![role], [3; CODE], NOW)
    }

    #[test]
    fn an_enrolment_code_is_used_once() {
        let (mut account, code) = account(Role::Operator);
        assert_eq!(
            (account.standing(NOW), account.secret()),
            (Standing::Invited, None),
            "no default password"
        );
        assert!(account.enrol("0000-0000-0000-0000", "hash".to_owned(), [1; 20], NOW).is_none());
        let Some(Enrolled::Totp(totp)) = account.enrol(&code, "hash".to_owned(), [1; 20], NOW) else {
            panic!("an operator has an authenticator")
        };
        assert_eq!(account.standing(NOW), Standing::Active);
        assert!(account.enrol(&code, "another".to_owned(), [2; 20], NOW).is_none(), "used before");
        assert_eq!(account.secret(), Some("hash"));
        let present = totp::code_at(totp.secret(), NOW).unwrap();
        assert_eq!(account.accept_code(&present, NOW), Ok(()));
        assert_eq!(account.accept_code(&present, NOW), Err(CodeRefused::Used));
    }

    #[test]
    fn an_enrolment_code_ends_unused() {
        let (mut account, code) = account(Role::Canteen);
        let late = Timestamp(NOW.0 + ENROLMENT_MS);
        assert_eq!(account.standing(late), Standing::Expired);
        assert!(account.enrol(&code, "hash".to_owned(), [1; 20], late).is_none());
    }

    #[test]
    fn a_badge_is_known_by_its_hash() {
        let (mut account, code) = account(Role::HealthWorker);
        let Some(Enrolled::Badge(badge)) = account.enrol(&code, "hash".to_owned(), [1; 20], NOW) else {
            panic!("a health worker has a badge")
        };
        assert!(account.has_badge(&badge) && account.has_badge(&badge.to_lowercase()));
        assert!(!account.has_badge("") && !account.has_badge("LL-0000"));
        assert!(!serde_json::to_string(&account).unwrap().contains(&badge[3..8]));
        assert_eq!(account.accept_code("000000", NOW), Err(CodeRefused::Wrong), "it has no authenticator");
    }

    #[test]
    fn what_was_reset_or_disabled_has_no_secret() {
        let (mut account, code) = account(Role::Operator);
        account.enrol(&code, "hash".to_owned(), [1; 20], NOW).unwrap();
        account.is_disabled = true;
        assert_eq!((account.standing(NOW), account.secret()), (Standing::Disabled, None));
        let code = account.reset([4; CODE], NOW);
        assert!(!account.is_enrolment(&code, NOW), "still disabled");
        account.is_disabled = false;
        assert!(account.is_enrolment(&code, NOW));
        assert_eq!(account.secret(), None, "the old password is gone");
    }
}
