//! All accounts, screens and sealed codes, as they are stored, and the pure questions about them.

use std::collections::BTreeMap;

use linli_domain::{Id, Timestamp};
use serde::{Deserialize, Serialize};

use crate::rules::account::Account;
use crate::rules::code::{self, CODE, Issued, TOKEN};
use crate::rules::role::{Factor, Role};

/// Most accounts: a centre has some dozens of people.
pub const MOST_ACCOUNTS: usize = 256;

/// Most enrolled screens.
pub const MOST_SCREENS: usize = 64;

/// Most sealed codes at a time.
pub const MOST_SEALED: usize = 16;

/// How long the code of a screen is valid.
const SCREEN_CODE_MS: i64 = 3_600_000;

/// What a break-glass code allows: to run the building and to mend the log-in, but no personal data.
pub const BREAK_GLASS_ROLES: [Role; 3] = [Role::Operator, Role::Technician, Role::Admin];

/// A shared screen, enrolled once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolledScreen {
    /// Its id.
    pub id: Id,
    /// The room where it hangs.
    pub room: Id,
    /// What it may show, by the names of the views; none is everything that its people may see.
    #[serde(default)]
    pub views: Vec<String>,
    /// The code with which it is enrolled, until it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    enrolment: Option<Issued>,
    /// Hash of its token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

/// A sealed code, by its hash; the number stays when it is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    hash: String,
    /// When it was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<Timestamp>,
}

/// Everything that is stored but sessions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    /// Accounts by id.
    pub accounts: BTreeMap<Id, Account>,
    /// Screens by id.
    pub screens: BTreeMap<Id, EnrolledScreen>,
    /// Sealed codes, by number.
    pub sealed: Vec<Sealed>,
}

// === impl EnrolledScreen ===

impl EnrolledScreen {
    /// A screen that waits for its enrolment, and its code.
    #[must_use]
    pub fn new(id: Id, room: Id, views: Vec<String>, entropy: [u8; CODE], now: Timestamp) -> (Self, String) {
        let (issued, code) = Issued::new(entropy, now, SCREEN_CODE_MS);
        (Self { id, room, views, enrolment: Some(issued), token: None }, code)
    }

    /// Uses up its code; returns the token that the screen keeps.
    pub fn enrol(&mut self, code: &str, entropy: [u8; TOKEN], now: Timestamp) -> Option<String> {
        if !self.enrolment.as_ref().is_some_and(|issued| issued.is(code, now)) {
            return None;
        }
        let token = code::token(&entropy);
        (self.enrolment, self.token) = (None, Some(code::hash(&token)));
        Some(token)
    }

    /// Whether it was enrolled.
    #[must_use]
    pub const fn is_enrolled(&self) -> bool {
        self.token.is_some()
    }
}

// === impl Directory ===

impl Directory {
    /// The account whose person, in this form, asks to log in: by its id, or by its badge at an enrolled screen.
    #[must_use]
    pub fn claimed(&self, claim: &str, is_badge: bool) -> Option<&Account> {
        let found = match is_badge {
            true => self.accounts.values().find(|account| account.has_badge(claim)),
            false => self.accounts.get(claim),
        };
        found.filter(|account| (account.factor() == Factor::BadgeAndPin) == is_badge)
    }

    /// The account of a person.
    #[must_use]
    pub fn of_person(&self, person: &Id) -> Option<&Account> {
        self.accounts.values().find(|account| account.person.as_ref() == Some(person))
    }

    /// The enrolled screen with that token.
    #[must_use]
    pub fn screen(&self, token: &str) -> Option<&EnrolledScreen> {
        let hash = code::hash(token);
        self.screens.values().find(|screen| screen.token.as_ref() == Some(&hash))
    }

    /// Replaces the sealed codes; returns their texts.
    pub fn seal(&mut self, entropy: &[[u8; CODE]]) -> Vec<String> {
        let codes: Vec<String> = entropy.iter().map(code::code).collect();
        let sealed = |code: &String| Sealed { hash: code::hash(&code::normal(code)), used: None };
        self.sealed = codes.iter().map(sealed).collect();
        codes
    }

    /// Uses up a sealed code; returns its number, from 1.
    pub fn break_seal(&mut self, code: &str, now: Timestamp) -> Option<usize> {
        let hash = code::hash(&code::normal(code));
        let at = self.sealed.iter().position(|sealed| sealed.hash == hash && sealed.used.is_none())?;
        self.sealed[at].used = Some(now);
        Some(at + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_795_428_000_000);

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    fn with(role: Role, name: &str) -> (Directory, String) {
        let (mut account, code) = Account::new(id(name), None, vec![role], [3; CODE], NOW);
        let enrolled = account.enrol(&code, "hash".to_owned(), [1; 20], NOW).unwrap();
        let badge = match enrolled {
            crate::rules::account::Enrolled::Badge(badge) => badge,
            crate::rules::account::Enrolled::Totp(_) => String::new(),
        };
        (Directory { accounts: [(id(name), account)].into(), ..Directory::default() }, badge)
    }

    #[test]
    fn a_badge_is_no_name_and_a_name_no_badge() {
        let (directory, badge) = with(Role::HealthWorker, "mei");
        assert!(directory.claimed(&badge, true).is_some());
        assert!(directory.claimed("mei", false).is_none(), "a PIN alone opens nothing");
        assert!(directory.claimed("mei", true).is_none());
        let (directory, _) = with(Role::Operator, "zhao");
        assert!(directory.claimed("zhao", false).is_some());
        assert!(directory.claimed("zhao", true).is_none());
        assert!(directory.claimed("", true).is_none() && directory.claimed("", false).is_none());
    }

    #[test]
    fn a_screen_is_enrolled_once() {
        let (mut screen, code) = EnrolledScreen::new(id("cabin-1"), id("cabin"), vec![], [1; CODE], NOW);
        assert!(screen.enrol("0000-0000-0000-0000", [2; TOKEN], NOW).is_none());
        let token = screen.enrol(&code, [2; TOKEN], NOW).unwrap();
        assert!(screen.enrol(&code, [3; TOKEN], NOW).is_none(), "used before");
        let directory = Directory { screens: [(screen.id.clone(), screen)].into(), ..Directory::default() };
        assert_eq!(directory.screen(&token).map(|screen| screen.id.as_str()), Some("cabin-1"));
        assert!(directory.screen("").is_none());
        let (mut late, code) = EnrolledScreen::new(id("cabin-2"), id("cabin"), vec![], [1; CODE], NOW);
        assert!(late.enrol(&code, [2; TOKEN], Timestamp(NOW.0 + SCREEN_CODE_MS)).is_none());
    }

    #[test]
    fn a_sealed_code_opens_once_and_new_ones_end_the_old_ones() {
        let mut directory = Directory::default();
        let codes = directory.seal(&[[1; CODE], [2; CODE]]);
        assert_eq!(directory.break_seal("nothing", NOW), None);
        assert_eq!(directory.break_seal(&codes[1].to_lowercase(), NOW), Some(2));
        assert_eq!(directory.break_seal(&codes[1], NOW), None, "used before");
        let fresh = directory.seal(&[[4; CODE]]);
        assert_eq!(directory.break_seal(&codes[0], NOW), None, "no longer valid");
        assert_eq!(directory.break_seal(&fresh[0], NOW), Some(1));
        assert!(
            !BREAK_GLASS_ROLES
                .iter()
                .any(|role| { crate::rules::permission::Permission::Visits.is_allowed(&[*role]) })
        );
    }
}
