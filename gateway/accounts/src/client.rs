//! Asks the account service. Secrets are compared off the runtime's threads, two at a time: each takes 19 MiB.

use std::sync::Arc;

use linli_domain::caller::{Acting, Caller};
use linli_domain::{Id, Timestamp};
use linli_services::client::ServiceClient;
use linli_services::random::random;
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};

use crate::access::Access;
use crate::request::{AccountError, Action, Answer, Claim, Manage, Opened};
use crate::rules::account::Enrolled;
use crate::rules::secret;
use crate::service::{Asked, REQUEST_QUEUE};

/// Secrets that are compared at a time.
const AT_ONCE: usize = 2;

/// Log-ins that wait for that; more are told to come again.
const WAITING: usize = 16;

/// Longest text about a configuration in the record, in characters.
const LONGEST_DETAIL: usize = 1000;

/// Client of the account service.
#[derive(Debug, Clone)]
pub struct Accounts {
    requests: ServiceClient<(Action, String), Result<Answer, AccountError>>,
    /// Answers about sessions and screens.
    pub access: Access,
    hashing: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

// === impl Accounts ===

impl Accounts {
    /// A client, and the queue that the service reads.
    #[must_use]
    pub fn channel(access: Access) -> (Self, mpsc::Receiver<Asked>) {
        let (requests, queue) = ServiceClient::channel(REQUEST_QUEUE);
        let (hashing, waiting) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(WAITING)));
        (Self { requests, access, hashing, waiting }, queue)
    }

    /// Logs in, or enters a secret again ([`Claim::Session`]; then no session is returned).
    ///
    /// # Errors
    /// Says nothing about what is wrong, or how long to wait.
    pub async fn log_in(
        &self,
        claim: Claim,
        secret: String,
        code: Option<String>,
        from: &str,
    ) -> Result<Option<Opened>, AccountError> {
        let Answer::Stored(stored) = self.ask(Action::Attempt(claim.clone()), from).await? else {
            return Err(AccountError::Wrong);
        };
        let is_right = self.off_the_runtime(move || secret::verify(&secret, stored.as_deref())).await?;
        match self.ask(Action::Proven { claim, is_right, code }, from).await? {
            Answer::Opened(opened) => Ok(Some(opened)),
            _ => Ok(None),
        }
    }

    /// Sets up an account with its enrolment code and the secret that its person chose.
    ///
    /// # Errors
    /// When the code is not right, or the secret is not taken.
    pub async fn enrol(
        &self,
        account: &str,
        code: &str,
        secret: String,
        from: &str,
    ) -> Result<Enrolled, AccountError> {
        let (account, code) = (account.to_owned(), code.to_owned());
        let attempt = Action::EnrolAttempt { account: account.clone(), code: code.clone() };
        let Answer::Factor(factor) = self.ask(attempt, from).await? else { return Err(AccountError::Code) };
        secret::check(&secret, factor, &account).map_err(|weak| AccountError::Invalid(weak.to_string()))?;
        let salt = random().map_err(|error| AccountError::NotNow(error.to_string()))?;
        let hash = self.off_the_runtime(move || secret::hash(&secret, salt)).await?;
        let hash = hash.map_err(|error| AccountError::NotNow(error.to_string()))?;
        match self.ask(Action::Enrol { account, code, hash }, from).await? {
            Answer::Enrolled(enrolled) => Ok(*enrolled),
            _ => Err(AccountError::Code),
        }
    }

    /// Enrols a screen with its code; returns its token and its id.
    ///
    /// # Errors
    /// When the code is not right.
    pub async fn enrol_screen(&self, code: &str, from: &str) -> Result<(String, Id), AccountError> {
        match self.ask(Action::EnrolScreen(code.to_owned()), from).await? {
            Answer::Code(token, screen) => Ok((token, screen)),
            _ => Err(AccountError::Code),
        }
    }

    /// Opens a session with a sealed code.
    ///
    /// # Errors
    /// When the code is not right.
    pub async fn break_glass(&self, code: &str, from: &str) -> Result<Opened, AccountError> {
        match self.ask(Action::BreakGlass(code.to_owned()), from).await? {
            Answer::Opened(opened) => Ok(opened),
            _ => Err(AccountError::Code),
        }
    }

    /// Ends a session, by the hash of its token.
    ///
    /// # Errors
    /// When the service has ended.
    pub async fn end(&self, hash: &str, from: &str) -> Result<(), AccountError> {
        self.ask(Action::End(hash.to_owned()), from).await.map(drop)
    }

    /// Records that a token was sent that belongs to nobody.
    ///
    /// # Errors
    /// When the service has ended.
    pub async fn wrong_token(&self, from: &str) -> Result<(), AccountError> {
        self.ask(Action::WrongToken, from).await.map(drop)
    }

    /// Records that the configuration was applied or refused.
    ///
    /// # Errors
    /// When the service has ended.
    pub async fn configured(
        &self,
        what: &'static str,
        detail: &str,
        acting: Option<Acting>,
    ) -> Result<(), AccountError> {
        let detail = detail.chars().take(LONGEST_DETAIL).collect();
        self.ask(Action::Configured { what, detail, acting }, "").await.map(drop)
    }

    /// Records the certificate in use, if it is another one than before.
    ///
    /// # Errors
    /// When the service has ended.
    pub async fn certificate(&self, until: Timestamp) -> Result<(), AccountError> {
        self.ask(Action::Certificate(until), "").await.map(drop)
    }

    /// Records what became of the certificate with which the uplink connects, if it is another state than before.
    ///
    /// # Errors
    /// When the service has ended.
    pub async fn uplink_certificate(
        &self,
        what: &'static str,
        until: Option<Timestamp>,
        why: Option<&str>,
    ) -> Result<(), AccountError> {
        let why = why.map(|why| why.chars().take(LONGEST_DETAIL).collect());
        self.ask(Action::UplinkCertificate { what, until, why }, "").await.map(drop)
    }

    /// Manages accounts.
    ///
    /// # Errors
    /// Says what is wrong.
    pub async fn manage(&self, what: Manage, caller: &Caller, from: &str) -> Result<Answer, AccountError> {
        self.ask(Action::Manage(what, caller.acting(caller.person.as_ref())), from).await
    }

    /// Accounts, screens, and how many sealed codes are left.
    ///
    /// # Errors
    /// When the service has ended.
    pub async fn list(&self, from: &str) -> Result<Value, AccountError> {
        match self.ask(Action::List, from).await? {
            Answer::Listed(list) => Ok(list),
            _ => Ok(Value::Null),
        }
    }

    async fn ask(&self, action: Action, from: &str) -> Result<Answer, AccountError> {
        let answer = self.requests.ask(&Caller::anybody(), (action, from.to_owned())).await;
        answer.map_err(|error| AccountError::NotNow(error.to_string()))?
    }

    async fn off_the_runtime<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let busy = |_| AccountError::NotNow("正忙，请再试 too many log-ins at once; try again".to_owned());
        let _waiting = self.waiting.try_acquire().map_err(busy)?;
        let stopping = || AccountError::NotNow("the gateway is stopping".to_owned());
        let _permit = self.hashing.acquire().await.map_err(|_| stopping())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| stopping())
    }
}
