//! Log-ins by a click: the demonstration has everybody's password and authenticator, and uses them as they would. And
//! the faults, which are switched from a page as from the terminal.

use std::collections::BTreeMap;
use std::sync::Arc;

use linli_accounts::rules::totp;
use linli_accounts::{AccountError, Accounts, Claim};
use linli_domain::caller::Caller;
use linli_domain::{Id, Timestamp};
use linli_drivers::Clock;
use linli_services::ServiceError;
use linli_web::{
    BeginningDrill, DemoFault, OpeningSession, Visitor, VisitorLogIn, VisitorSecrets, VisitorSession,
};
use tokio::sync::Mutex;

use super::Faults;
use super::drill::{DrillOrders, SIGNERS};

/// Where they come from, in the record.
const FROM: &str = "demo";

/// How long a one-time code is good for, in milliseconds.
const STEP: i64 = 30_000;

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
    drills: DrillOrders,
    opened: Mutex<BTreeMap<&'static str, Opened>>,
}

// === impl People ===

impl People {
    /// All of them.
    #[must_use]
    pub fn new(accounts: Accounts, drills: DrillOrders, keys: Vec<Keys>, faults: Faults) -> Self {
        let clock = Arc::clone(&drills.clock);
        Self { accounts, clock, keys, faults, drills, opened: Mutex::default() }
    }

    /// The one-time code of a person, so many milliseconds from now.
    fn code(&self, keys: &Keys, ahead: i64) -> Option<String> {
        totp::code_at(&keys.factor, Timestamp(self.clock.now().at.0.saturating_add(ahead)))
    }

    /// Somebody who has just given their password, as an act that needs two persons asks for.
    async fn renewed(&self, account: &str) -> Result<Caller, AccountError> {
        let token = self.open(account).await?.token;
        let keys = self.keys.iter().find(|keys| keys.visitor.account == account);
        let secret = keys.map(|keys| keys.secret.clone()).unwrap_or_default();
        let (session, _) = self.accounts.access.session(&token, true).ok_or(AccountError::Wrong)?;
        let claim = Claim::Session(session.session.hash.clone());
        self.accounts.log_in(claim, secret, None, FROM).await?;
        let is_renewed = self.accounts.access.take_renewal(&session);
        Ok(Caller { is_renewed, ..session.caller() })
    }

    async fn order_drill(&self) -> Result<(), ServiceError> {
        let not_now =
            |why: String| ServiceError::NotNow(format!("演练无法开始 the drill cannot begin: {why}"));
        let sender = Caller::local(FROM);
        let order = self.drills.sign(&sender).await.map_err(|why| not_now(format!("{why:#}")))?;
        let mut refused = self.drills.send(&order, None, &sender).await?;
        for signer in SIGNERS {
            if let Some(why) = refused {
                return Err(ServiceError::Conflict(why));
            }
            let caller = self.renewed(signer).await.map_err(|why| not_now(why.to_string()))?;
            refused = self.drills.send(&order, Some(order.code()), &caller).await?;
        }
        if let Some(why) = refused {
            return Err(ServiceError::Conflict(why));
        }
        Ok(())
    }

    /// Whoever clicks again before the next one-time code gets the session that the last one opened.
    async fn open(&self, account: &str) -> Result<VisitorSession, AccountError> {
        let keys = self.keys.iter().find(|keys| keys.visitor.account == account);
        let keys = keys.ok_or_else(|| AccountError::Unknown(format!("{account} is nobody here")))?;
        let screen = keys.screen.as_ref().map(|(token, _)| token.clone());
        let (claim, mut code) = match &keys.screen {
            Some((_, screen)) => (Claim::Badge(keys.factor.clone(), screen.clone()), None),
            None => (Claim::Account(account.to_owned()), self.code(keys, 0)),
        };
        let mut opened = self.opened.lock().await;
        let is_same = |before: &&Opened| {
            code.is_some()
                && (before.code == code || before.code == self.code(keys, STEP))
                && self.accounts.access.session(&before.token, true).is_some()
        };
        if let Some(before) = opened.get(account).filter(is_same) {
            return Ok(VisitorSession { token: before.token.clone(), screen });
        }
        if code.is_some() && opened.get(account).is_some_and(|before| before.code == code) {
            // They have logged out since: that code is used up, and the next one is taken early.
            code = self.code(keys, STEP);
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

    fn begin_drill(&self) -> BeginningDrill<'_> {
        Box::pin(self.order_drill())
    }

    fn people(&self) -> Vec<Visitor> {
        self.keys.iter().map(|keys| keys.visitor.clone()).collect()
    }

    fn secrets(&self, account: &str) -> Option<VisitorSecrets> {
        let keys = self.keys.iter().find(|keys| keys.visitor.account == account)?;
        let key = |name: String| std::fs::read_to_string(self.drills.config.join(name)).ok();
        let account = keys.visitor.account;
        Some(VisitorSecrets {
            password: keys.secret.clone(),
            drill_key: key(format!("drill-{account}.key")),
            key: key(format!("{account}.key")),
        })
    }

    fn log_in<'a>(&'a self, account: &'a str) -> OpeningSession<'a> {
        Box::pin(self.open(account))
    }
}
