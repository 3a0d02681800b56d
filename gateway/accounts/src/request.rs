//! What may be asked of the account service, and how it refuses.

use std::time::Duration;

use linli_domain::caller::{Acting, Login};
use linli_domain::{Id, Timestamp};
use serde_json::Value;

use crate::rules::account::Enrolled;
use crate::rules::role::{Factor, Role};

/// Who wants to log in, as they say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// The id of an account with a password.
    Account(String),
    /// A badge, at this enrolled screen.
    Badge(String, Id),
    /// Whoever opened this session: its name is the hash of its token.
    Session(String),
}

/// Something that an administrator does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Manage {
    /// Adds an account.
    Add {
        /// Its id.
        id: Id,
        /// The person it belongs to.
        person: Option<Id>,
        /// Its roles.
        roles: Vec<Role>,
    },
    /// Makes an account forget its secrets.
    Reset(Id),
    /// Switches an account off; its sessions end.
    Disable(Id),
    /// Switches it on.
    Enable(Id),
    /// Gives out the code of a screen; an enrolled one of that id is no longer enrolled.
    Screen {
        /// Its id.
        id: Id,
        /// Its room.
        room: Id,
        /// Its views.
        views: Vec<String>,
    },
    /// Takes a screen away; the sessions at it end.
    RemoveScreen(Id),
    /// Prints so many sealed codes.
    Seal(usize),
}

/// A request in the queue of the service.
#[derive(Debug)]
pub enum Action {
    /// Somebody is about to prove who they are: counted at once.
    Attempt(Claim),
    /// They did, or did not.
    Proven {
        /// Who.
        claim: Claim,
        /// Whether the secret was right.
        is_right: bool,
        /// The one-time code.
        code: Option<String>,
    },
    /// Somebody is about to set up their account.
    EnrolAttempt {
        /// The account.
        account: String,
        /// The enrolment code.
        code: String,
    },
    /// Sets up an account.
    Enrol {
        /// The account.
        account: String,
        /// The enrolment code.
        code: String,
        /// Hash of the secret that was chosen.
        hash: String,
    },
    /// Enrols the screen that sends its code.
    EnrolScreen(String),
    /// Breaks a seal.
    BreakGlass(String),
    /// Ends a session, by the hash of its token.
    End(String),
    /// Manages accounts.
    Manage(Manage, Acting),
    /// A token that belongs to nobody was sent.
    WrongToken,
    /// The configuration was applied or refused.
    Configured {
        /// `started`, `reloaded`, `refused`, `proposal`, `backup`.
        what: &'static str,
        /// What has changed, or what is wrong.
        detail: String,
        /// Who did it.
        acting: Option<Acting>,
    },
    /// The certificate in use ends then; recorded where it is another one than before.
    Certificate(Timestamp),
    /// What became of the uplink's certificate; recorded where it is another state than before.
    UplinkCertificate {
        /// Which state.
        what: &'static str,
        /// When the certificate ends.
        until: Option<Timestamp>,
        /// Why it was not renewed.
        why: Option<String>,
    },
    /// Lists accounts, screens and sealed codes.
    List,
}

/// A session that was opened; the token is shown this once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The token.
    pub token: String,
    /// The account.
    pub account: Id,
    /// Its roles.
    pub roles: Vec<Role>,
    /// How it logged in.
    pub login: Login,
    /// How long it holds at most.
    pub longest: Duration,
}

/// What the service answers.
#[derive(Debug)]
pub enum Answer {
    /// Nothing more to say.
    Done,
    /// The stored hash to compare with; none when there is no such account.
    Stored(Option<String>),
    /// The secret that the account needs.
    Factor(Factor),
    /// A session.
    Opened(Opened),
    /// What an account needs besides its secret.
    Enrolled(Box<Enrolled>),
    /// A code or token that is shown once, and the name of what it is for.
    Code(String, Id),
    /// Codes that are shown once.
    Codes(Vec<String>),
    /// A list.
    Listed(Value),
}

/// Why not, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// Not who they say. It says no more: whoever guesses learns nothing.
    #[error("登录信息不正确 the log-in is not right")]
    Wrong,
    /// Too many attempts.
    #[error("尝试次数过多，请稍后再试 too many attempts; try again in {} s", .0.as_secs().max(1))]
    Wait(Duration),
    /// The code is wrong, used or ended.
    #[error(
        "代码无效、已使用或已过期 the code is wrong, was used, or has ended; `linli users reset NAME` gives a new one"
    )]
    Code,
    /// A secret that is not taken.
    #[error("{0}")]
    Invalid(String),
    /// There is none.
    #[error("{0}")]
    Unknown(String),
    /// There is one already, or it is not in that state.
    #[error("{0}")]
    Conflict(String),
    /// It could not be stored, or the service is stopping.
    #[error("{0}")]
    NotNow(String),
}
