//! Who acts: the account that asks, how it logged in, at which screen, and the person that it names.
//!
//! A name that nobody proved is recorded as such: an audit that shows it like a proven one misleads whoever reads it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Id;

/// How an account proved who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Login {
    /// It did not: an open route of the network.
    None,
    /// A user of this machine, whom the kernel names at the control socket.
    Local,
    /// A password.
    Password,
    /// A one-time code.
    Code,
    /// A device that was enrolled for the person.
    Device,
    /// The secret token of a program or of a worker.
    Token,
}

/// Where the request was made.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Screen {
    /// The control socket of the machine.
    LocalSocket,
    /// The network, at a screen that is not enrolled.
    Network,
    /// An enrolled screen, by its id.
    Enrolled(Id),
}

/// The account that asks for something.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Caller {
    /// Id of the account, such as `local:1000` for a user of the machine.
    pub account: String,
    /// How it logged in.
    pub login: Login,
    /// Where.
    pub screen: Screen,
    /// The person of facility.toml that the account belongs to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<Id>,
    /// The session, by the name that records use.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub session: Option<String>,
    /// Whether the secret was entered again with this request.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_renewed: bool,
}

/// Who acts, as the audit record names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Acting {
    /// Id of the account.
    pub account: String,
    /// How it logged in.
    pub login: Login,
    /// Where.
    pub screen: Screen,
    /// The person of facility.toml that the request names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<Id>,
    /// Whether the person was only named: no log-in proves that it was them.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub unverified: bool,
}

// === impl Login ===

impl Login {
    /// Whether only the person that the account belongs to can log in so.
    const fn is_of_a_person(self) -> bool {
        match self {
            Self::None | Self::Local => false,
            Self::Password | Self::Code | Self::Device | Self::Token => true,
        }
    }

    /// Returns the word of the stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Local => "local",
            Self::Password => "password",
            Self::Code => "code",
            Self::Device => "device",
            Self::Token => "token",
        }
    }
}

// === impl Screen ===

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LocalSocket => f.write_str("local socket"),
            Self::Network => f.write_str("network"),
            Self::Enrolled(id) => write!(f, "{id}"),
        }
    }
}

// === impl Caller ===

impl Caller {
    /// An account that belongs to no person, without a session.
    #[must_use]
    pub fn of(account: impl Into<String>, login: Login, screen: Screen) -> Self {
        Self { account: account.into(), login, screen, person: None, session: None, is_renewed: false }
    }

    /// A user of this machine, at the control socket.
    #[must_use]
    pub fn local(account: impl Into<String>) -> Self {
        Self::of(account, Login::Local, Screen::LocalSocket)
    }

    /// An account on the network that showed its token.
    #[must_use]
    pub fn with_token(account: impl Into<String>) -> Self {
        Self::of(account, Login::Token, Screen::Network)
    }

    /// Somebody on the network without an account.
    #[must_use]
    pub fn anybody() -> Self {
        Self::of("anybody", Login::None, Screen::Network)
    }

    /// Acts as a person. The name is proven only by an account that belongs to the person; a user of the machine
    /// who has none proves nothing, since several people use it.
    #[must_use]
    pub fn acting(&self, person: Option<&Id>) -> Acting {
        let is_proven = |person: &Id| {
            self.person.as_ref() == Some(person)
                || (self.login.is_of_a_person() && person.as_str() == self.account)
        };
        Acting {
            account: self.account.clone(),
            login: self.login,
            screen: self.screen.clone(),
            person: person.cloned(),
            unverified: person.is_some_and(|person| !is_proven(person)),
        }
    }
}

// === impl Acting ===

impl fmt::Display for Acting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.person {
            Some(person) => write!(f, "{person} ({})", self.account),
            None => f.write_str(&self.account),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Id {
        Id::new(text).unwrap()
    }

    #[test]
    fn a_name_is_verified_only_by_a_log_in_of_its_own_account() {
        let logged_in = |login| Caller { login, ..Caller::local("zhao") };
        for login in [Login::Password, Login::Code, Login::Device, Login::Token] {
            assert!(!logged_in(login).acting(Some(&id("zhao"))).unverified, "{login:?}");
            assert!(logged_in(login).acting(Some(&id("qian"))).unverified, "{login:?}: somebody else's name");
        }
        for login in [Login::None, Login::Local] {
            assert!(
                logged_in(login).acting(Some(&id("zhao"))).unverified,
                "{login:?}: an account is no log-in"
            );
        }
        assert!(!Caller::local("local:0").acting(None).unverified, "nobody is named");
        let joined = Caller { person: Some(id("zhao")), ..Caller::local("box") };
        assert!(!joined.acting(Some(&id("zhao"))).unverified, "the account belongs to the person");
        assert!(joined.acting(Some(&id("qian"))).unverified);
    }

    #[test]
    fn it_is_stored_in_words() {
        let acting = Caller::local("local:0").acting(Some(&id("zhao")));
        let stored = r#"{"account":"local:0","login":"local","screen":"local_socket","person":"zhao","unverified":true}"#;
        assert_eq!(serde_json::to_string(&acting).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Acting>(stored).unwrap(), acting);
        let enrolled = Caller { screen: Screen::Enrolled(id("hall-1")), ..Caller::with_token("zhao") };
        let stored = r#"{"account":"zhao","login":"token","screen":{"enrolled":"hall-1"},"person":"zhao"}"#;
        assert_eq!(serde_json::to_string(&enrolled.acting(Some(&id("zhao")))).unwrap(), stored);
        for login in [Login::None, Login::Local, Login::Password, Login::Code, Login::Device, Login::Token] {
            assert_eq!(serde_json::to_value(login).unwrap(), login.as_str());
        }
    }
}
