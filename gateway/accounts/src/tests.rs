//! The account service with a real store: log-ins, their ends, the record.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use linli_domain::audit::Chain;
use linli_domain::caller::Caller;
use linli_domain::{ClockQuality, Id, Stamp, Timestamp};
use linli_drivers::Clock;
use linli_services::audit_log::entries_after;
use linli_services::events::Events;
use linli_store::{Settings, Store};

use crate::rules::account::Enrolled;
use crate::rules::permission::Permission;
use crate::rules::role::Role;
use crate::rules::session::Validity;
use crate::rules::totp::code_at;
use crate::{AccountError, AccountService, Accounts, Answer, Claim, Deps, Manage, Opened, SecurityEvent};

const NOW: Timestamp = Timestamp(1_795_428_000_000);
const PASSWORD: &str = "correct horse battery";
const HERE: &str = "192.0.2.7";

/// A clock that is set by hand.
struct Still(Mutex<Timestamp>);

impl Clock for Still {
    fn now(&self) -> Stamp {
        Stamp { at: *self.0.lock().unwrap(), clock: ClockQuality::Synchronised }
    }
}

struct Bench {
    store: Store,
    clock: Arc<Still>,
    events: Events,
    accounts: Accounts,
    dir: tempfile::TempDir,
}

impl Bench {
    async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            path: dir.path().join("linli.db"),
            max_bytes: 64 << 20,
            max_age: None,
            commit_interval: Duration::from_millis(5),
            history_retention: Duration::from_secs(86_400),
        };
        let (store, _) = Store::open(settings, Arc::new(|| NOW)).await.unwrap();
        let (clock, events) = (Arc::new(Still(Mutex::new(NOW))), Events::default());
        let accounts = started(&store, &clock, &events).await;
        Self { store, clock, events, accounts, dir }
    }

    /// The gateway starts again with what is stored.
    async fn restart(&mut self) {
        self.accounts = started(&self.store, &self.clock, &self.events).await;
    }

    fn pass(&self, ms: i64) {
        self.clock.0.lock().unwrap().0 += ms;
    }

    async fn manage(&self, what: Manage) -> Answer {
        self.accounts.manage(what, &Caller::local("local:0"), "local socket").await.unwrap()
    }

    async fn code(&self, what: Manage) -> String {
        match self.manage(what).await {
            Answer::Code(code, _) => code,
            other => panic!("{other:?}"),
        }
    }

    /// Adds an account and sets it up; returns the secret of its authenticator.
    async fn operator(&self, name: &str) -> String {
        let code = self
            .code(Manage::Add { id: id(name), person: Some(id(name)), roles: vec![Role::Operator] })
            .await;
        match self.accounts.enrol(name, &code, PASSWORD.to_owned(), HERE).await.unwrap() {
            Enrolled::Totp(totp) => totp.secret().to_owned(),
            Enrolled::Badge(badge) => panic!("{badge}"),
        }
    }

    async fn log_in(&self, name: &str, password: &str, totp: &str) -> Result<Opened, AccountError> {
        let code = code_at(totp, self.clock.now().at);
        let claim = Claim::Account(name.to_owned());
        let opened = self.accounts.log_in(claim, password.to_owned(), code, HERE).await?;
        Ok(opened.expect("a session"))
    }

    async fn record(&self) -> Vec<String> {
        entries_after::<SecurityEvent>(&self.store.documents(), None, 1000).await.unwrap()
    }
}

async fn started(store: &Store, clock: &Arc<Still>, events: &Events) -> Accounts {
    let clock: Arc<dyn Clock> = Arc::<Still>::clone(clock);
    let deps = Deps { store: store.documents(), clock, events: events.clone() };
    let service = AccountService::resume(deps).await.unwrap();
    let (accounts, requests) = Accounts::channel(service.access());
    tokio::spawn(service.run(requests));
    accounts
}

fn id(text: &str) -> Id {
    Id::new(text).unwrap()
}

#[tokio::test]
async fn a_log_in_needs_password_and_code_and_outlives_a_restart() {
    let mut bench = Bench::open().await;
    let totp = bench.operator("zhao").await;
    assert_eq!(bench.log_in("zhao", "wrong horse battery", &totp).await, Err(AccountError::Wrong));
    let opened = bench.log_in("zhao", PASSWORD, &totp).await.unwrap();
    let (session, validity) = bench.accounts.access.session(&opened.token, true).expect("a session");
    assert_eq!((validity, session.person.clone()), (Validity::Open, Some(id("zhao"))));
    let caller = session.caller();
    assert!(!caller.acting(caller.person.as_ref()).unverified);
    assert_eq!(bench.log_in("zhao", PASSWORD, &totp).await, Err(AccountError::Wrong), "the code was used");
    bench.restart().await;
    assert!(bench.accounts.access.session(&opened.token, true).is_some(), "a restart logs nobody out");
    assert!(
        bench.accounts.access.session("", true).is_none()
            && bench.accounts.access.session("x", true).is_none()
    );
    assert_eq!(
        bench.log_in("zhao", PASSWORD, &totp).await,
        Err(AccountError::Wrong),
        "used before the restart"
    );
    bench.pass(30_000);
    assert!(bench.log_in("zhao", PASSWORD, &totp).await.is_ok());
    // The clock goes back an hour: the codes of that hour are good, each once.
    bench.pass(-3_600_000);
    assert!(bench.log_in("zhao", PASSWORD, &totp).await.is_ok());
    assert_eq!(bench.log_in("zhao", PASSWORD, &totp).await, Err(AccountError::Wrong));
    let hash = session.session.hash.clone();
    bench.accounts.end(&hash, HERE).await.unwrap();
    assert!(bench.accounts.access.session(&opened.token, true).is_none(), "a token that was logged out");
}

#[tokio::test]
async fn an_enrolment_code_works_once_and_a_weak_secret_does_not_use_it_up() {
    let bench = Bench::open().await;
    let code = bench.code(Manage::Add { id: id("zhao"), person: None, roles: vec![Role::Admin] }).await;
    assert_eq!(bench.log_in("zhao", "", "").await, Err(AccountError::Wrong), "no default password");
    let weak = bench.accounts.enrol("zhao", &code, "short".to_owned(), HERE).await;
    assert!(matches!(weak, Err(AccountError::Invalid(_))), "{weak:?}");
    assert!(bench.accounts.enrol("zhao", &code, PASSWORD.to_owned(), HERE).await.is_ok());
    let again = bench.accounts.enrol("zhao", &code, PASSWORD.to_owned(), HERE).await;
    assert_eq!(again, Err(AccountError::Code));
    let (again, caller) =
        (Manage::Add { id: id("zhao"), person: None, roles: vec![Role::Admin] }, Caller::local("lin"));
    let twice = bench.accounts.manage(again, &caller, "local socket").await;
    assert!(matches!(twice, Err(AccountError::Conflict(_))));
}

#[tokio::test]
async fn what_is_disabled_or_reset_ends_at_once() {
    let mut bench = Bench::open().await;
    let totp = bench.operator("zhao").await;
    let opened = bench.log_in("zhao", PASSWORD, &totp).await.unwrap();
    let (session, _) = bench.accounts.access.session(&opened.token, true).unwrap();
    assert!(!session.ended.is_cancelled());
    bench.manage(Manage::Disable(id("zhao"))).await;
    assert!(session.ended.is_cancelled(), "an open event stream ends with it");
    assert!(bench.accounts.access.session(&opened.token, true).is_none());
    bench.pass(30_000);
    assert_eq!(bench.log_in("zhao", PASSWORD, &totp).await, Err(AccountError::Wrong));
    bench.restart().await;
    assert!(bench.accounts.access.session(&opened.token, true).is_none(), "nor does a restart bring it back");
    bench.manage(Manage::Enable(id("zhao"))).await;
    bench.pass(30_000);
    let opened = bench.log_in("zhao", PASSWORD, &totp).await.unwrap();
    let code = bench.code(Manage::Reset(id("zhao"))).await;
    assert!(bench.accounts.access.session(&opened.token, true).is_none());
    bench.pass(30_000);
    assert_eq!(
        bench.log_in("zhao", PASSWORD, &totp).await,
        Err(AccountError::Wrong),
        "the old secret is gone"
    );
    assert!(bench.accounts.enrol("zhao", &code, PASSWORD.to_owned(), HERE).await.is_ok());
}

/// Of many guesses at once, none is looked at beyond those that are free; a name that does not exist is answered like
/// one that does.
#[tokio::test]
async fn guesses_at_once_are_delayed_like_guesses_one_by_one() {
    let bench = Bench::open().await;
    bench.operator("zhao").await;
    for (name, from) in [("zhao", "192.0.2.66"), ("nobody", "192.0.2.67")] {
        let guesses = (0..8).map(|n| {
            let (accounts, claim) = (bench.accounts.clone(), Claim::Account(name.to_owned()));
            tokio::spawn(
                async move { accounts.log_in(claim, format!("a wrong guess {n}"), None, from).await },
            )
        });
        let (mut wrong, mut waits) = (0, 0);
        for guess in guesses.collect::<Vec<_>>() {
            match guess.await.unwrap() {
                Err(AccountError::Wrong) => wrong += 1,
                Err(AccountError::Wait(left)) if left <= Duration::from_secs(1) => waits += 1,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!((wrong, waits), (3, 5), "{name}");
    }
}

#[tokio::test]
async fn a_badge_opens_enrolled_screens_only_and_a_change_of_person_ends_the_other() {
    let bench = Bench::open().await;
    let screen = Manage::Screen { id: id("cabin-1"), room: id("cabin"), views: vec![] };
    let code = bench.code(screen.clone()).await;
    let (token, screen_id) = bench.accounts.enrol_screen(&code, HERE).await.unwrap();
    assert!(bench.accounts.enrol_screen(&code, HERE).await.is_err(), "used before");
    assert_eq!(bench.accounts.access.screen(&token).map(|screen| screen.id), Some(screen_id.clone()));
    let mut opened = Vec::new();
    for (name, role) in [("mei", Role::HealthWorker), ("lan", Role::Canteen)] {
        let code = bench.code(Manage::Add { id: id(name), person: None, roles: vec![role] }).await;
        let enrolled = bench.accounts.enrol(name, &code, "493027".to_owned(), HERE).await.unwrap();
        let Enrolled::Badge(badge) = enrolled else { panic!("{enrolled:?}") };
        let by_name = Claim::Account(name.to_owned());
        let refused = bench.accounts.log_in(by_name, "493027".to_owned(), None, HERE).await;
        assert_eq!(refused, Err(AccountError::Wrong), "a PIN without its badge");
        let claim = Claim::Badge(badge, screen_id.clone());
        opened.push(bench.accounts.log_in(claim, "493027".to_owned(), None, HERE).await.unwrap().unwrap());
    }
    assert!(
        bench.accounts.access.session(&opened[0].token, true).is_none(),
        "the other person stands there now"
    );
    let (session, validity) = bench.accounts.access.session(&opened[1].token, true).unwrap();
    assert_eq!((validity, session.session.screen.clone()), (Validity::Open, Some(screen_id)));
    session.lock();
    let (_, validity) = bench.accounts.access.session(&opened[1].token, true).unwrap();
    assert_eq!(validity, Validity::Locked);
    let again = |pin: &str| {
        bench.accounts.log_in(Claim::Session(session.session.hash.clone()), pin.to_owned(), None, HERE)
    };
    assert_eq!(again("000000").await, Err(AccountError::Wrong));
    assert_eq!(again("493027").await, Ok(None));
    let (_, validity) = bench.accounts.access.session(&opened[1].token, true).unwrap();
    assert_eq!(validity, Validity::Open);
    assert!(bench.accounts.access.take_renewal(&session), "the PIN was entered again");
    assert!(!bench.accounts.access.take_renewal(&session), "that counts once");
    // A screen that is enrolled anew is another screen.
    bench.code(screen).await;
    assert!(session.ended.is_cancelled());
    assert!(bench.accounts.access.screen(&token).is_none());
}

#[tokio::test]
async fn a_broken_seal_is_an_alarm_and_opens_no_personal_data() {
    let bench = Bench::open().await;
    let mut events = bench.events.subscribe();
    let Answer::Codes(codes) = bench.manage(Manage::Seal(2)).await else { panic!("no codes") };
    let opened = bench.accounts.break_glass(&codes[1], HERE).await.unwrap();
    assert!(!Permission::Visits.is_allowed(&opened.roles) && Permission::Accounts.is_allowed(&opened.roles));
    let alarm = events.recv().await.unwrap();
    assert!(alarm.kind == "alarm" && alarm.whole.json().contains("security.break-glass"), "{alarm:?}");
    assert_eq!(bench.accounts.break_glass(&codes[1], HERE).await, Err(AccountError::Code), "used before");
    let fresh = bench.manage(Manage::Seal(1)).await;
    assert!(matches!(fresh, Answer::Codes(_)));
    assert_eq!(bench.accounts.break_glass(&codes[0], HERE).await, Err(AccountError::Code), "replaced");
}

/// People must reach the alarms that say that the disk is full.
#[tokio::test]
async fn a_log_in_is_good_although_nothing_can_be_stored() {
    let bench = Bench::open().await;
    let totp = bench.operator("zhao").await;
    bench.store.clone().close().await;
    let opened = bench.log_in("zhao", PASSWORD, &totp).await.unwrap();
    assert!(bench.accounts.access.session(&opened.token, true).is_some());
    let add = Manage::Add { id: id("sun"), person: None, roles: vec![Role::Admin] };
    let added = bench.accounts.manage(add, &Caller::local("local:0"), "local socket").await;
    assert!(matches!(added, Err(AccountError::NotNow(_))), "{added:?}");
    let listed = bench.accounts.list(HERE).await.unwrap();
    assert!(!listed.to_string().contains("sun"), "what was not stored did not happen: {listed}");
}

#[tokio::test]
async fn the_record_is_one_chain_and_holds_no_secret() {
    let mut bench = Bench::open().await;
    let totp = bench.operator("zhao").await;
    let _ = bench.log_in("zhao", "guess one two three", &totp).await;
    bench.restart().await;
    let opened = bench.log_in("zhao", PASSWORD, &totp).await.unwrap();
    bench.accounts.wrong_token("192.0.2.9").await.unwrap();
    let Answer::Codes(codes) = bench.manage(Manage::Seal(1)).await else { panic!("no codes") };
    let lines = bench.record().await;
    let mut chain = Chain::default();
    lines.iter().try_for_each(|line| chain.follow(line)).unwrap();
    let text = lines.join("\n");
    for kind in ["added", "enrolled", "refused", "logged_in", "sealed"] {
        assert!(text.contains(&format!("\"kind\":\"{kind}\"")), "{kind}: {text}");
    }
    assert!(text.contains("192.0.2.9") && text.contains("wrong token"), "{text}");
    // Neither the record nor anything else on the disk holds what opens a door.
    bench.store.clone().close().await;
    let files = std::fs::read_dir(bench.dir.path()).unwrap().flatten();
    let bytes: Vec<Vec<u8>> = files.filter_map(|file| std::fs::read(file.path()).ok()).collect();
    for secret in [PASSWORD, "guess one two three", &opened.token, &codes[0], &codes[0].replace('-', "")] {
        let is_in = |bytes: &Vec<u8>| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!bytes.iter().any(is_in), "{secret} is on the disk");
    }
}

/// A page that nobody looks at asks on and on; that keeps no log-in from its end.
#[tokio::test]
async fn what_a_page_asks_by_itself_does_not_count_as_use() {
    let bench = Bench::open().await;
    let totp = bench.operator("zhao").await;
    let opened = bench.log_in("zhao", PASSWORD, &totp).await.unwrap();
    let access = &bench.accounts.access;
    let minutes = |count: u64| tokio::time::advance(Duration::from_secs(count * 60));
    tokio::time::pause();
    for (is_attended, is_open_later) in [(true, true), (false, false)] {
        minutes(14).await;
        assert!(access.session(&opened.token, is_attended).is_some(), "a quarter of an hour is not over");
        minutes(2).await;
        assert_eq!(access.session(&opened.token, true).is_some(), is_open_later, "{is_attended}");
    }
    tokio::time::resume();
}

#[tokio::test]
async fn the_configuration_and_the_certificate_are_in_the_record_and_the_same_certificate_once() {
    let mut bench = Bench::open().await;
    let who = Caller::local("guan").acting(None);
    bench.accounts.configured("reloaded", "1 line added", Some(who)).await.unwrap();
    bench.accounts.certificate(Timestamp(7)).await.unwrap();
    bench.restart().await;
    bench.accounts.certificate(Timestamp(7)).await.unwrap();
    bench.accounts.certificate(Timestamp(8)).await.unwrap();
    let record = bench.record().await;
    let has = |text: &str| record.iter().filter(|line| line.contains(text)).count();
    assert_eq!(
        (record.len(), has("\"kind\":\"configured\""), has("\"kind\":\"certificate\"")),
        (3, 1, 2),
        "{record:?}"
    );
    assert!(record[0].contains("guan") && record[0].contains("1 line added"), "{record:?}");
}
