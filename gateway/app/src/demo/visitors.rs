//! Log-ins by a click: the demonstration has everybody's password and authenticator, and uses them as they would. And
//! the faults, which are switched from a page as from the terminal.

use std::collections::BTreeMap;
use std::sync::Arc;

use linli_accounts::rules::totp;
use linli_accounts::{AccountError, Accounts, Claim};
use linli_domain::Id;
use linli_drivers::Clock;
use linli_web::{DemoFault, OpeningSession, Visitor, VisitorLogIn, VisitorSession};
use tokio::sync::Mutex;

use super::Faults;

/// Where they come from, in the record.
const FROM: &str = "demo";

/// What a person of the demonstration logs in with.
pub struct Keys {
    /// Who it is.
    pub visitor: Visitor,
    /// Password or PIN.
    pub secret: String,
    /// Secret of the authenticator, or the badge.
    pub factor: String,
    /// Token and id of the enrolled screen where the badge is valid.
    pub screen: Option<(String, Id)>,
}

/// A session, and the one-time code that opened it, which is good for no other.
struct Opened {
    token: String,
    code: Option<String>,
}

/// The people, and the session that each opened last.
pub struct People {
    accounts: Accounts,
    clock: Arc<dyn Clock>,
    keys: Vec<Keys>,
    faults: Faults,
    opened: Mutex<BTreeMap<&'static str, Opened>>,
}

// === impl People ===

impl People {
    /// All of them.
    #[must_use]
    pub fn new(accounts: Accounts, clock: Arc<dyn Clock>, keys: Vec<Keys>, faults: Faults) -> Self {
        Self { accounts, clock, keys, faults, opened: Mutex::default() }
    }

    /// Whoever clicks again before the next one-time code gets the session that the last one opened.
    async fn open(&self, account: &str) -> Result<VisitorSession, AccountError> {
        let keys = self.keys.iter().find(|keys| keys.visitor.account == account);
        let keys = keys.ok_or_else(|| AccountError::Unknown(format!("{account} is nobody here")))?;
        let screen = keys.screen.as_ref().map(|(token, _)| token.clone());
        let (claim, code) = match &keys.screen {
            Some((_, screen)) => (Claim::Badge(keys.factor.clone(), screen.clone()), None),
            None => (Claim::Account(account.to_owned()), totp::code_at(&keys.factor, self.clock.now().at)),
        };
        let mut opened = self.opened.lock().await;
        let is_same = |before: &&Opened| {
            code.is_some()
                && before.code == code
                && self.accounts.access.session(&before.token, true).is_some()
        };
        if let Some(before) = opened.get(account).filter(is_same) {
            return Ok(VisitorSession { token: before.token.clone(), screen });
        }
        let session = self.accounts.log_in(claim, keys.secret.clone(), code.clone(), FROM).await?;
        let token = session.ok_or(AccountError::Wrong)?.token;
        opened.insert(keys.visitor.account, Opened { token: token.clone(), code });
        Ok(VisitorSession { token, screen })
    }
}

impl VisitorLogIn for People {
    fn faults(&self) -> Vec<DemoFault> {
        let all = self.faults.list().into_iter();
        all.map(|(on, fault, en, zh)| DemoFault { fault, zh, en, on }).collect()
    }

    fn switch(&self, fault: &str, on: bool) -> Result<(), String> {
        self.faults.switch(fault, on)
    }

    fn people(&self) -> Vec<Visitor> {
        self.keys.iter().map(|keys| keys.visitor.clone()).collect()
    }

    fn log_in<'a>(&'a self, account: &'a str) -> OpeningSession<'a> {
        Box::pin(self.open(account))
    }
}
