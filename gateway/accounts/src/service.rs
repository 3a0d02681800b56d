//! The one task that changes accounts, screens and sessions, stores them, and writes the record.
//!
//! What takes something away takes effect before it is stored. A log-in is good although the disk is full: people
//! must reach the alarms that say so; its entry in the record is written as soon as that is possible.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linli_domain::caller::{Acting, Caller, Login, Screen};
use linli_domain::{DeviceClass, Id, Message, Record, Timestamp, Topic};
use linli_drivers::Clock;
use linli_services::audit_log::AuditLog;
use linli_services::client::Request;
use linli_services::events::Events;
use linli_services::random::random;
use linli_services::refusal_budget::RefusalBudget;
use linli_store::{Change, Document, Documents, Entry, NotDurable};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::access::{Access, LiveSession, Snapshot, State};
use crate::directory::{BREAK_GLASS_ROLES, Directory, EnrolledScreen, Sealed};
use crate::record::SecurityEvent;
use crate::request::{AccountError, Action, Answer, Claim, Opened};
use crate::rules::account::Account;
use crate::rules::code::{self, TOKEN};
use crate::rules::lockout::{Lockout, Subject};
use crate::rules::role::{Factor, Role};
use crate::rules::session::{BREAK_GLASS, LONGEST, PER_ACCOUNT, Session, Watched};

/// Bound of the queue of requests.
pub const REQUEST_QUEUE: usize = 64;

/// Entries of the record that wait for the disk.
const PENDING: usize = 256;

/// Refused log-ins that have an entry of their own, in a burst and in the long run; the others are counted. Whoever
/// guesses shall not fill the store.
const REFUSALS_AT_ONCE: f64 = 30.0;
const REFUSALS_PER_SECOND: f64 = 1.0 / 300.0;

/// Kind of the documents that hold an account each.
const ACCOUNT: &str = "user";
/// Id and kind of the document with the screens, the sealed codes, the sessions.
const SCREENS: &str = "user-screens";
const SEALED: &str = "user-sealed";
const SESSIONS: &str = "user-sessions";
/// Id and kind of the document with the end of the certificate in use.
const CERTIFICATE: &str = "user-certificate";

/// Id and kind of the document with what was recorded last of the uplink's certificate.
const UPLINK_CERTIFICATE: &str = "user-uplink-certificate";

/// The name under which a break-glass code acts.
pub const BREAK_GLASS_ACCOUNT: &str = "break-glass";

/// What the service needs when it starts.
pub struct Deps {
    /// Where it stores.
    pub store: Documents,
    /// Clock of time stamps, one-time codes, and what ends at a day.
    pub clock: Arc<dyn Clock>,
    /// Events for screens.
    pub events: Events,
}

/// A request: what, and the address it came from.
pub type Asked = Request<(Action, String), Result<Answer, AccountError>>;

/// The account service.
pub struct AccountService {
    pub(crate) deps: Deps,
    pub(crate) directory: Directory,
    pub(crate) sessions: BTreeMap<String, Arc<LiveSession>>,
    log: AuditLog<SecurityEvent>,
    pending: VecDeque<(Timestamp, SecurityEvent)>,
    lockout: Lockout,
    refusals: RefusalBudget,
    unwritten: u64,
    certificate: Option<Timestamp>,
    /// Of the uplink's certificate: its state and its end, as recorded last.
    uplink_certificate: Option<(String, Option<Timestamp>)>,
    published: watch::Sender<Arc<Snapshot>>,
    began: Instant,
}

// === impl AccountService ===

impl AccountService {
    /// Goes on with what is stored.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn resume(deps: Deps) -> anyhow::Result<Self> {
        let log = AuditLog::resume(&deps.store).await?;
        let mut directory = Directory::default();
        for document in deps.store.after(ACCOUNT, "", u32::MAX).await? {
            match serde_json::from_str::<Account>(&document.body) {
                Ok(account) => drop(directory.accounts.insert(account.id.clone(), account)),
                Err(_) => deps.store.undecodable(&document.id, "not an account"),
            }
        }
        let screens: Vec<EnrolledScreen> = stored(&deps.store, SCREENS).await?;
        directory.screens = screens.into_iter().map(|screen| (screen.id.clone(), screen)).collect();
        directory.sealed = stored::<Vec<Sealed>>(&deps.store, SEALED).await?;
        let sessions: Vec<Session> = stored(&deps.store, SESSIONS).await?;
        let certificate: Option<Timestamp> = stored(&deps.store, CERTIFICATE).await?;
        let uplink_certificate = stored(&deps.store, UPLINK_CERTIFICATE).await?;
        let mut service = Self {
            directory,
            sessions: BTreeMap::new(),
            log,
            pending: VecDeque::new(),
            lockout: Lockout::default(),
            refusals: RefusalBudget::of(REFUSALS_AT_ONCE, REFUSALS_PER_SECOND),
            unwritten: 0,
            certificate,
            uplink_certificate,
            published: watch::Sender::default(),
            began: Instant::now(),
            deps,
        };
        let (wall, now) = (service.wall(), service.now());
        for session in sessions {
            let watched = session.resumed(wall, now);
            if service.is_good(&session) && watched.deadline > now {
                service.hold(session, watched);
            }
        }
        service.publish();
        Ok(service)
    }

    /// What listeners ask.
    #[must_use]
    pub fn access(&self) -> Access {
        Access { snapshot: self.published.subscribe(), began: self.began }
    }

    /// Runs until every client is gone.
    pub async fn run(mut self, mut requests: mpsc::Receiver<Asked>) {
        while let Some(Request { what: (action, from), reply, .. }) = requests.recv().await {
            let answer = self.answer(action, &from).await;
            self.publish();
            let _ = reply.send(Ok(answer));
        }
    }

    async fn answer(&mut self, action: Action, from: &str) -> Result<Answer, AccountError> {
        match action {
            Action::Attempt(claim) => self.attempt(&claim, from).await,
            Action::Proven { claim, is_right, code } => {
                self.proven(claim, is_right, code.as_deref(), from).await
            }
            Action::EnrolAttempt { account, code } => self.enrol_attempt(&account, &code, from).await,
            Action::Enrol { account, code, hash } => self.enrol(&account, &code, hash, from).await,
            Action::EnrolScreen(code) => self.enrol_screen(&code, from).await,
            Action::BreakGlass(code) => self.break_glass(&code, from).await,
            Action::End(hash) => self.end(&hash).await,
            Action::Manage(what, acting) => self.manage(what, acting).await,
            Action::WrongToken => {
                self.refuse(None, "wrong token", from).await;
                Ok(Answer::Done)
            }
            Action::Configured { what, detail, acting } => {
                let event = SecurityEvent::Configured { what: what.to_owned(), detail, acting };
                let _ = self.keep(Vec::new(), vec![event], Vec::new()).await;
                Ok(Answer::Done)
            }
            Action::Certificate(until) => self.certificate(until).await,
            Action::UplinkCertificate { what, until, why } => self.uplink_certificate(what, until, why).await,
            Action::List => Ok(Answer::Listed(self.list())),
        }
    }

    /// Counts the attempt and gives out the hash to compare with, or says how long to wait.
    async fn attempt(&mut self, claim: &Claim, from: &str) -> Result<Answer, AccountError> {
        let account = self.claimed(claim);
        let named = account.map(|account| account.id.clone());
        let stored = account.and_then(Account::secret).map(str::to_owned);
        let subjects = subjects(named.as_ref(), claim, from);
        if let Some(left) = self.lockout.remaining(&subjects, self.now()) {
            self.refuse(named, "locked", from).await;
            return Err(AccountError::Wait(left));
        }
        self.lockout.failed(&subjects, self.now());
        Ok(Answer::Stored(stored))
    }

    async fn proven(
        &mut self,
        claim: Claim,
        is_right: bool,
        code: Option<&str>,
        from: &str,
    ) -> Result<Answer, AccountError> {
        let wall = self.wall();
        // It may have been disabled or reset meanwhile.
        let found = self.claimed(&claim).filter(|account| account.secret().is_some());
        let Some(account) = found.map(|account| account.id.clone()).filter(|_| is_right) else {
            let named = self.claimed(&claim).map(|account| account.id.clone());
            self.refuse(named, "wrong secret", from).await;
            return Err(AccountError::Wrong);
        };
        if let Claim::Session(hash) = &claim {
            let session = self.sessions.get(hash).ok_or(AccountError::Wrong)?;
            session.renew(self.began.elapsed());
            self.lockout.succeeded(&subjects(Some(&account), &claim, from));
            return Ok(Answer::Done);
        }
        let is_with_code = matches!(claim, Claim::Account(_));
        if is_with_code {
            let known = self.directory.accounts.get_mut(&account).ok_or(AccountError::Wrong)?;
            if let Err(refused) = known.accept_code(code.unwrap_or_default(), wall) {
                let why = match refused {
                    crate::rules::totp::CodeRefused::Wrong => "wrong one-time code",
                    crate::rules::totp::CodeRefused::Used => "one-time code used before",
                };
                self.refuse(Some(account), why, from).await;
                return Err(AccountError::Wrong);
            }
        }
        self.lockout.succeeded(&subjects(Some(&account), &claim, from));
        let (login, screen) = match claim {
            Claim::Badge(_, screen) => (Login::Device, Some(screen)),
            _ => (Login::Password, None),
        };
        let roles =
            self.directory.accounts.get(&account).map(|known| known.roles.clone()).unwrap_or_default();
        let opened = self.open(account.clone(), roles, login, screen, LONGEST)?;
        let mut changes = vec![self.session_document()];
        changes.extend(self.account_document(&account));
        let event = self.logged_in(&opened, from);
        let _ = self.keep(changes, vec![event], Vec::new()).await;
        Ok(Answer::Opened(opened))
    }

    async fn enrol_attempt(&mut self, account: &str, code: &str, from: &str) -> Result<Answer, AccountError> {
        let known = self.directory.accounts.get(account);
        let named = known.map(|known| known.id.clone());
        let factor = known.filter(|known| known.is_enrolment(code, self.wall())).map(Account::factor);
        let subjects = subjects(named.as_ref(), &Claim::Account(account.to_owned()), from);
        if let Some(left) = self.lockout.remaining(&subjects, self.now()) {
            self.refuse(named, "locked", from).await;
            return Err(AccountError::Wait(left));
        }
        match factor {
            Some(factor) => Ok(Answer::Factor(factor)),
            None => {
                self.lockout.failed(&subjects, self.now());
                self.refuse(named, "wrong enrolment code", from).await;
                Err(AccountError::Code)
            }
        }
    }

    async fn enrol(
        &mut self,
        account: &str,
        code: &str,
        hash: String,
        from: &str,
    ) -> Result<Answer, AccountError> {
        let (wall, entropy) = (self.wall(), entropy()?);
        let before = self.directory.clone();
        let known = self.directory.accounts.get_mut(account).ok_or(AccountError::Code)?;
        let enrolled = known.enrol(code, hash, entropy, wall).ok_or(AccountError::Code)?;
        let account = known.id.clone();
        let changes = self.account_document(&account).into_iter().collect();
        let event = SecurityEvent::Enrolled { account, from: from.to_owned() };
        self.keep_or_undo(changes, event, before).await?;
        Ok(Answer::Enrolled(Box::new(enrolled)))
    }

    async fn enrol_screen(&mut self, code: &str, from: &str) -> Result<Answer, AccountError> {
        let subjects = [Subject::Address(from.to_owned())];
        if let Some(left) = self.lockout.remaining(&subjects, self.now()) {
            return Err(AccountError::Wait(left));
        }
        let (wall, entropy, before) = (self.wall(), entropy()?, self.directory.clone());
        let mut screens = self.directory.screens.values_mut();
        let enrolled =
            screens.find_map(|screen| Some((screen.enrol(code, entropy, wall)?, screen.id.clone())));
        let Some((token, screen)) = enrolled else {
            self.lockout.failed(&subjects, self.now());
            self.refuse(None, "wrong code of a screen", from).await;
            return Err(AccountError::Code);
        };
        let event =
            SecurityEvent::Screen { screen: screen.clone(), what: "enrolled".to_owned(), acting: None };
        let changes = vec![self.screen_document()];
        self.keep_or_undo(changes, event, before).await?;
        Ok(Answer::Code(token, screen))
    }

    /// Opens a session with a sealed code; that is an alarm and stands in the record.
    async fn break_glass(&mut self, code: &str, from: &str) -> Result<Answer, AccountError> {
        let subjects = [Subject::Address(from.to_owned())];
        if let Some(left) = self.lockout.remaining(&subjects, self.now()) {
            return Err(AccountError::Wait(left));
        }
        let wall = self.wall();
        let Some(number) = self.directory.break_seal(code, wall) else {
            self.lockout.failed(&subjects, self.now());
            self.refuse(None, "wrong break-glass code", from).await;
            return Err(AccountError::Code);
        };
        let name = Id::new(BREAK_GLASS_ACCOUNT).expect("the name has the form of an id");
        let opened = self.open(name, BREAK_GLASS_ROLES.to_vec(), Login::Code, None, BREAK_GLASS)?;
        let session = self.name_of(&opened);
        let event = SecurityEvent::BreakGlass { code: number, session, from: from.to_owned() };
        tracing::error!(number, from, "a break-glass code was used");
        let body = json!({
            "at": wall, "alarm": "security.break-glass", "priority": "high", "event": "raised",
            "text": format!("应急登录代码 {number} 已使用 break-glass code {number} was used"), "from": from,
        });
        self.deps.events.publish("alarm", &body);
        let message = match body {
            serde_json::Value::Object(body) => {
                vec![Record::Message(Message {
                    topic: Topic::AlarmEvent,
                    class: DeviceClass::FoodSafety,
                    at: wall,
                    body,
                })]
            }
            _ => Vec::new(),
        };
        let changes = vec![self.sealed_document(), self.session_document()];
        let _ = self.keep(changes, vec![event], message).await;
        Ok(Answer::Opened(opened))
    }

    async fn certificate(&mut self, until: Timestamp) -> Result<Answer, AccountError> {
        if self.certificate != Some(until) {
            let changes = vec![self.document(CERTIFICATE, CERTIFICATE, &until)];
            let event = SecurityEvent::Certificate { until };
            if self.keep(changes, vec![event], Vec::new()).await.is_ok() {
                self.certificate = Some(until);
            }
        }
        Ok(Answer::Done)
    }

    async fn uplink_certificate(
        &mut self,
        what: &str,
        until: Option<Timestamp>,
        why: Option<String>,
    ) -> Result<Answer, AccountError> {
        let present = Some((what.to_owned(), until));
        if self.uplink_certificate != present {
            let changes = vec![self.document(UPLINK_CERTIFICATE, UPLINK_CERTIFICATE, &present)];
            let event = SecurityEvent::UplinkCertificate { what: what.to_owned(), until, why };
            if self.keep(changes, vec![event], Vec::new()).await.is_ok() {
                self.uplink_certificate = present;
            }
        }
        Ok(Answer::Done)
    }

    async fn end(&mut self, hash: &str) -> Result<Answer, AccountError> {
        let Some(event) = self.close(hash, "logged out") else { return Ok(Answer::Done) };
        let changes = vec![self.session_document()];
        let _ = self.keep(changes, vec![event], Vec::new()).await;
        Ok(Answer::Done)
    }

    // Sessions.

    /// Opens a session; the oldest of the account goes, and whoever else was at the screen.
    fn open(
        &mut self,
        account: Id,
        roles: Vec<Role>,
        login: Login,
        screen: Option<Id>,
        longest: Duration,
    ) -> Result<Opened, AccountError> {
        let token = code::token(&entropy::<TOKEN>()?);
        let now = self.now();
        let mut own: Vec<(Timestamp, String)> = Vec::new();
        let mut over: Vec<String> = Vec::new();
        for (hash, live) in &self.sessions {
            let is_over = live.state().watched.deadline <= now || live.ended.is_cancelled();
            if is_over || (screen.is_some() && live.session.screen == screen) {
                over.push(hash.clone());
            } else if live.session.account == account {
                own.push((live.session.since, hash.clone()));
            }
        }
        own.sort();
        let surplus = (own.len() + 1).saturating_sub(PER_ACCOUNT);
        over.extend(own.into_iter().take(surplus).map(|(_, hash)| hash));
        over.iter().for_each(|hash| drop(self.close(hash, "replaced")));
        let since = self.wall();
        let until = Timestamp(since.0.saturating_add(i64::try_from(longest.as_millis()).unwrap_or(i64::MAX)));
        let session =
            Session { hash: code::hash(&token), account: account.clone(), login, screen, since, until };
        self.hold(session, Watched { deadline: now + longest, used: now, is_locked: false });
        let roles = match account.as_str() {
            BREAK_GLASS_ACCOUNT => BREAK_GLASS_ROLES.to_vec(),
            _ => roles,
        };
        Ok(Opened { token, account, roles, login, longest })
    }

    fn hold(&mut self, session: Session, watched: Watched) {
        let known = self.directory.accounts.get(&session.account);
        let roles = known.map_or_else(|| BREAK_GLASS_ROLES.to_vec(), |known| known.roles.clone());
        let person = known.and_then(|known| known.person.clone());
        let (ended, state) = (CancellationToken::new(), Mutex::new(State { watched, renewed: None }));
        let hash = session.hash.clone();
        self.sessions.insert(hash, Arc::new(LiveSession { session, roles, person, ended, state }));
    }

    /// Whether a stored session may go on.
    fn is_good(&self, session: &Session) -> bool {
        let is_here =
            |screen: &Id| self.directory.screens.get(screen).is_some_and(EnrolledScreen::is_enrolled);
        let known = self.directory.accounts.get(&session.account);
        let is_known = known.is_some_and(|known| known.secret().is_some())
            || session.account.as_str() == BREAK_GLASS_ACCOUNT;
        is_known && session.screen.as_ref().is_none_or(is_here)
    }

    /// Ends a session at once; returns its entry.
    pub(crate) fn close(&mut self, hash: &str, why: &str) -> Option<SecurityEvent> {
        let live = self.sessions.remove(hash)?;
        live.ended.cancel();
        let (account, session) = (live.session.account.clone(), live.session.name().to_owned());
        Some(SecurityEvent::LoggedOut { account, session, why: why.to_owned() })
    }

    /// Ends every session that `which` selects.
    pub(crate) fn revoke(&mut self, which: impl Fn(&Session) -> bool) -> Vec<SecurityEvent> {
        let all: Vec<String> = self
            .sessions
            .values()
            .filter(|live| which(&live.session))
            .map(|live| live.session.hash.clone())
            .collect();
        let ended = all.iter().filter_map(|hash| self.close(hash, "revoked")).collect();
        self.publish();
        ended
    }

    fn logged_in(&self, opened: &Opened, from: &str) -> SecurityEvent {
        let hash = code::hash(&opened.token);
        let caller = self.sessions.get(&hash).map_or_else(
            || Caller::of(opened.account.as_str(), opened.login, Screen::Network),
            |live| live.caller(),
        );
        let acting: Acting = caller.acting(caller.person.as_ref());
        SecurityEvent::LoggedIn { acting, session: self.name_of(opened), from: from.to_owned() }
    }

    fn name_of(&self, opened: &Opened) -> String {
        self.sessions
            .get(&code::hash(&opened.token))
            .map_or_else(String::new, |live| live.session.name().to_owned())
    }

    fn claimed(&self, claim: &Claim) -> Option<&Account> {
        match claim {
            Claim::Account(id) => self.directory.claimed(id, false),
            Claim::Badge(badge, _) => self.directory.claimed(badge, true),
            Claim::Session(hash) => self.directory.accounts.get(&self.sessions.get(hash)?.session.account),
        }
    }

    // The record and the store.

    async fn refuse(&mut self, account: Option<Id>, why: &str, from: &str) {
        if !self.refusals.spend(Instant::now()) {
            self.unwritten += 1;
            return;
        }
        let others = std::mem::take(&mut self.unwritten);
        tracing::warn!(from, why, "a log-in was refused");
        let event = SecurityEvent::Refused { account, why: why.to_owned(), from: from.to_owned(), others };
        let _ = self.keep(Vec::new(), vec![event], Vec::new()).await;
    }

    /// Stores changes with entries of the record. Entries that cannot be stored now are stored with the next ones.
    pub(crate) async fn keep(
        &mut self,
        mut changes: Vec<Change>,
        events: Vec<SecurityEvent>,
        records: Vec<Record>,
    ) -> Result<(), NotDurable> {
        let at = self.wall();
        self.pending.extend(events.into_iter().map(|event| (at, event)));
        let mut log = self.log.clone();
        changes.extend(self.pending.iter().map(|(at, event)| log.append(*at, event.clone())));
        changes.push(log.document(at));
        let kept = self.deps.store.keep(Entry { changes, records, ..Entry::default() }).await;
        match &kept {
            Ok(()) => {
                self.log = log;
                self.pending.clear();
            }
            Err(error) => {
                tracing::error!(%error, "an entry of the record of accounts waits for the disk");
                while self.pending.len() > PENDING {
                    self.pending.pop_front();
                    self.unwritten += 1;
                }
            }
        }
        kept
    }

    /// Stores a change, or undoes it where that is not possible.
    pub(crate) async fn keep_or_undo(
        &mut self,
        changes: Vec<Change>,
        event: SecurityEvent,
        before: Directory,
    ) -> Result<(), AccountError> {
        let kept = self.keep(changes, vec![event], Vec::new()).await;
        kept.map_err(|error| {
            // What is not stored did not happen; nor does its entry.
            self.pending.pop_back();
            self.directory = before;
            AccountError::NotNow(format!("it could not be stored ({error}); try again"))
        })
    }

    pub(crate) fn account_document(&self, account: &Id) -> Option<Change> {
        let known = self.directory.accounts.get(account)?;
        Some(self.document(&format!("{ACCOUNT}/{account}"), ACCOUNT, known))
    }

    pub(crate) fn screen_document(&self) -> Change {
        let screens: Vec<&EnrolledScreen> = self.directory.screens.values().collect();
        self.document(SCREENS, SCREENS, &screens)
    }

    pub(crate) fn sealed_document(&self) -> Change {
        self.document(SEALED, SEALED, &self.directory.sealed)
    }

    pub(crate) fn session_document(&self) -> Change {
        let sessions: Vec<&Session> = self.sessions.values().map(|live| &live.session).collect();
        self.document(SESSIONS, SESSIONS, &sessions)
    }

    fn document(&self, id: &str, kind: &str, value: &impl Serialize) -> Change {
        let body = serde_json::to_string(value).expect("it is made of JSON values");
        Change::Document(Document { id: id.to_owned(), kind: kind.to_owned(), at: self.wall(), body })
    }

    fn publish(&self) {
        let (directory, sessions) = (self.directory.clone(), self.sessions.clone());
        self.published.send_replace(Arc::new(Snapshot { directory, sessions }));
    }

    pub(crate) fn wall(&self) -> Timestamp {
        self.deps.clock.now().at
    }

    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }
}

/// Random bytes, or the refusal without them.
pub(crate) fn entropy<const N: usize>() -> Result<[u8; N], AccountError> {
    random().map_err(|error| AccountError::NotNow(error.to_string()))
}

/// What an attempt is counted for. A badge that belongs to nobody is counted for its address only.
fn subjects(account: Option<&Id>, claim: &Claim, from: &str) -> Vec<Subject> {
    let named = match (account, claim) {
        (Some(account), _) => Some(account.to_string()),
        // A name that does not exist is delayed like one that does.
        (None, Claim::Account(name)) => Some(name.chars().take(64).collect()),
        (None, _) => None,
    };
    let address = Subject::Address(from.to_owned());
    named.map(Subject::Account).into_iter().chain([address]).collect()
}

async fn stored<T: Default + DeserializeOwned>(store: &Documents, id: &str) -> anyhow::Result<T> {
    let Some(document) = store.get(id).await? else { return Ok(T::default()) };
    Ok(serde_json::from_str(&document.body).unwrap_or_else(|_| {
        store.undecodable(id, "not what the account service stores");
        T::default()
    }))
}

/// Whether an account with these roles can be held by a person.
pub(crate) fn is_of_people(roles: &[Role]) -> bool {
    !roles.is_empty() && roles.iter().all(|role| role.is_of_people())
}

/// What an account needs to log in, in words.
pub(crate) const fn factor_word(factor: Factor) -> &'static str {
    match factor {
        Factor::PasswordAndCode => "password",
        Factor::BadgeAndPin => "badge",
    }
}
