//! Who may come in: accounts with roles, how they log in, how long that holds, and the record of who did what.
//!
//! All of it is in the database, so that copies of the service agree, and times are the database's: one clock, however
//! the copies' own clocks go. The rules of secrets, codes and delays are those of the gateway (`linli-login`).

pub(crate) mod delays;
mod directory;
mod hashing;
mod log_in;
pub mod record;
mod role;

use std::time::Duration;

use linli_domain::Id;
use linli_domain::caller::{Caller, Login, Screen};
use sqlx::{PgConnection, Row};

pub use directory::{CODE_VALID_MS, Issued, add, enrol, list, reset, set_disabled};
pub use hashing::LogIns;
pub use log_in::{LogIn, Opened, log_out, person};
pub use role::{Permission, Role};

/// Why something about an account is refused.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// A log-in that is not right; what of it, is not told.
    #[error("account, password or one-time code is not right")]
    Wrong,
    /// A code that is not right, was used, or has ended.
    #[error("the enrolment code is not right, was used or has ended; an administrator gives out another")]
    Code,
    /// Too many errors before.
    #[error("too many errors; try again in {} s", .0.as_secs().max(1))]
    Wait(Duration),
    /// A secret that is too weak.
    #[error("{0}")]
    Weak(#[from] linli_login::secret::Weak),
    /// It exists.
    #[error("there is an account {0}")]
    Known(Id),
    /// There is none.
    #[error("there is no account {0}")]
    Unknown(Id),
    /// Nobody could manage accounts any more.
    #[error("{0} is the last administrator; add another one first")]
    LastAdministrator(Id),
    /// An account without a role.
    #[error("an account needs a role: {}", Role::words())]
    NoRole,
    /// Too many at once.
    #[error("too many log-ins at once; try again")]
    Busy,
    /// Not now.
    #[error("{0}")]
    NotNow(String),
    /// The database fails.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
}

// === impl AccountError ===

impl AccountError {
    /// The same in Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Wrong => "账号、口令或动态码不对".to_owned(),
            Self::Code => "登记码不对、已用过或已失效，请管理员另发".to_owned(),
            Self::Wait(left) => format!("错误次数过多，请 {} 秒后再试", left.as_secs().max(1)),
            // Its sentence is in both languages.
            Self::Weak(weak) => weak.to_string(),
            Self::Known(id) => format!("账号 {id} 已存在"),
            Self::Unknown(id) => format!("没有账号 {id}"),
            Self::LastAdministrator(id) => format!("{id} 是最后一名管理员，请先添加另一名"),
            Self::NoRole => format!("须有角色：{}", Role::words()),
            Self::Busy => "登录人数过多，请再试".to_owned(),
            Self::NotNow(_) => "现在不行，请稍后再试".to_owned(),
            Self::Database(_) => "数据库没有应答，请稍后再试".to_owned(),
        }
    }
}

/// Who is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The account.
    pub account: Id,
    /// Its person, as people call them.
    pub name: String,
    /// What it may do.
    pub roles: Vec<Role>,
    /// Hash of the session's token.
    pub session: String,
    /// When the session began and when it ends at the latest, Unix milliseconds.
    pub session_times: (i64, i64),
}

// === impl Person ===

impl Person {
    /// Whether one of its roles allows something.
    #[must_use]
    pub fn may(&self, permission: Permission) -> bool {
        permission.is_allowed(&self.roles)
    }

    /// As the rule of two persons knows it: an account is one person's.
    #[must_use]
    pub fn caller(&self) -> Caller {
        caller(&self.account, &self.session)
    }
}

/// An account in a session.
pub(crate) fn caller(account: &Id, session: &str) -> Caller {
    Caller {
        person: Some(account.clone()),
        session: Some(session.get(..12).unwrap_or(session).to_owned()),
        ..Caller::of(account.as_str(), Login::Password, Screen::Network)
    }
}

/// The database's clock, Unix milliseconds.
pub async fn clock(database: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let row = sqlx::query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::int8");
    row.fetch_one(database).await?.try_get(0)
}

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], AccountError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| AccountError::NotNow(format!("no random numbers: {error}")))?;
    Ok(bytes)
}
