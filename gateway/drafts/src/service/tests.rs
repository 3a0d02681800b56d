//! Two people and a mode switch that answers as the real one does.

use std::time::Duration;

use linli_domain::caller::{Login, Screen};
use linli_domain::{ClockQuality, Id, Stamp, Timestamp};
use linli_mode::order::{Key, Keyring, PlanHash, SecretKey};
use linli_mode::{Class, Direction};
use ring::signature::Ed25519KeyPair;

use super::*;
use crate::draft::{DraftClass, DraftKind};
use crate::known::KnownPlan;

const PLAN: &str = "hall.command@1";

struct Still;

impl Clock for Still {
    fn now(&self) -> Stamp {
        Stamp { at: Timestamp(1_790_000_000_000), clock: ClockQuality::Synchronised }
    }
}

fn seed(person: &str, class: Class) -> [u8; 32] {
    let mut seed = [if class == Class::Actual { 1 } else { 2 }; 32];
    seed[..person.len()].copy_from_slice(person.as_bytes());
    seed
}

fn keys() -> OrderKeys {
    let of = |person: &str, class| Key {
        person: Id::new(person).unwrap(),
        roles: vec!["site_lead".to_owned()],
        class,
        public: SecretKey::from_seed(seed(person, class)).public(),
        from: None,
        until: None,
        revoked: None,
    };
    let both = |person| [of(person, Class::Actual), of(person, Class::Exercise)];
    let keyring = Keyring { keys: ["chen", "deng"].into_iter().flat_map(both).collect() };
    let plan = PlanHash { plan: PLAN.to_owned(), hash: [7; 32] };
    let plans = vec![KnownPlan { plan, role: "command_room".to_owned(), direction: Direction::Enter }];
    let people = vec![(Id::new("chen").unwrap(), "陈站长".to_owned())];
    OrderKeys { centre: Some(Id::new("lin").unwrap()), keyring, quorum: 2, people, plans }
}

/// Bytes, code and account of an order that was given.
type Given = (Vec<u8>, Option<String>, String);

/// A mode switch whose snapshot can be changed, and what it was asked.
struct Fake {
    drafts: Drafts,
    snapshot: Arc<Mutex<String>>,
    orders: Arc<Mutex<Vec<Given>>>,
}

fn fake(result: &'static str) -> Fake {
    let (mode, mut requests) = ServiceClient::channel(8);
    let (snapshot, orders) = (Arc::new(Mutex::new("a".to_owned())), Arc::default());
    let (shown, kept) = (Arc::clone(&snapshot), Arc::clone(&orders));
    tokio::spawn(async move {
        while let Some(linli_services::client::Request { caller, what, reply }) = requests.recv().await {
            let answer = match what {
                RequestedAction::Status => json!({"numbers": {"local.Exercise": 4, "local.Actual": null}}),
                RequestedAction::Snapshot(_) => json!({"snapshot": *shown.lock().unwrap()}),
                RequestedAction::Order { bytes, code } => {
                    let is_confirmed = code.is_some();
                    let kept: &Arc<Mutex<Vec<Given>>> = &kept;
                    kept.lock().unwrap().push((bytes, code, caller.account.clone()));
                    if is_confirmed { json!({"together": {}}) } else { json!({"result": result}) }
                }
                _ => Value::Null,
            };
            let _ = reply.send(Ok(answer));
        }
    });
    let (_, keys) = watch::channel(Arc::new(keys()));
    let deps = DraftsDeps { mode, keys, clock: Arc::new(Still), events: Events::default() };
    Fake { drafts: Drafts::new(deps), snapshot, orders }
}

fn caller(person: &str, is_renewed: bool) -> Caller {
    Caller {
        person: Some(Id::new(person).unwrap()),
        session: Some(format!("session of {person}")),
        is_renewed,
        ..Caller::of(person, Login::Password, Screen::Network)
    }
}

fn new(class: DraftClass) -> NewDraft {
    let (kind, plans) = (DraftKind::Enter, vec![PLAN.to_owned()]);
    NewDraft { kind, class, plans, supersedes: Vec::new(), reference: None }
}

/// Signs what a draft names, as a screen does, with a key.
fn signature(draft: &Value, person: &str, class: Class) -> SignatureGiven {
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed(person, class)).unwrap();
    let to_sign = draft["to_sign"][0]["bytes"].as_str().unwrap_or_default();
    SignatureGiven {
        key: SecretKey::from_seed(seed(person, class)).public().id().to_string(),
        signature: hex(pair.sign(&unhex(to_sign).unwrap()).as_ref()),
        hash: draft["hash"].as_str().unwrap().to_owned(),
    }
}

/// Drafts, and has the first person sign; returns the id.
async fn begun(fake: &Fake) -> String {
    let chen = caller("chen", false);
    let draft = fake.drafts.draft(&new(DraftClass::Exercise), &chen).await.unwrap();
    let id = draft["draft"].as_str().unwrap().to_owned();
    let first = fake.drafts.sign(&id, &signature(&draft, "chen", Class::Exercise), &chen).await.unwrap();
    assert_eq!((&first["result"], &first["draft"]["signed"][0]["name"]), (&Value::Null, &json!("陈站长")));
    id
}

/// The draft as the second person sees it.
fn seen(fake: &Fake, person: &str) -> Value {
    fake.drafts.all(&caller(person, false)).pop().unwrap()
}

#[tokio::test(start_paused = true)]
async fn two_people_sign_the_same_and_the_order_is_given_once() {
    let fake = fake("accepted");
    let id = begun(&fake).await;
    assert_eq!(seen(&fake, "chen")["to_sign"], json!([]), "whoever has signed does not sign again");
    let given = signature(&seen(&fake, "deng"), "deng", Class::Exercise);
    let why = fake.drafts.sign(&id, &given, &caller("deng", false)).await.unwrap_err();
    assert!(why.to_string().contains("重新输入口令"), "{why}");
    let done = fake.drafts.sign(&id, &given, &caller("deng", true)).await.unwrap();
    assert_eq!(done["result"]["result"], "accepted");
    let orders = fake.orders.lock().unwrap().clone();
    let [(bytes, None, by)] = orders.as_slice() else { panic!("{orders:?}") };
    let envelope = Envelope::read(bytes).unwrap();
    let signers = envelope.signers(&keys().keyring).unwrap();
    assert_eq!(signers.iter().map(|one| one.person.as_str()).collect::<Vec<_>>(), ["chen", "deng"]);
    assert_eq!((envelope.order.seq, envelope.order.mode.as_str(), by.as_str()), (5, "drill", "deng"));
    assert!(fake.drafts.all(&caller("deng", false)).is_empty());
    let again = fake.drafts.sign(&id, &given, &caller("deng", true)).await;
    assert!(matches!(again, Err(ServiceError::Unknown(_))), "{again:?}");
}

#[tokio::test(start_paused = true)]
async fn an_order_that_waits_is_confirmed_by_those_who_signed_it() {
    let fake = fake("quarantined");
    let id = begun(&fake).await;
    let given = signature(&seen(&fake, "deng"), "deng", Class::Exercise);
    let done = fake.drafts.sign(&id, &given, &caller("deng", true)).await.unwrap();
    assert_eq!(done["result"]["result"], "accepted");
    let orders = fake.orders.lock().unwrap().clone();
    let by: Vec<(bool, &str)> = orders.iter().map(|(_, code, by)| (code.is_some(), by.as_str())).collect();
    assert_eq!(by, [(false, "deng"), (true, "chen"), (true, "deng")]);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_the_signers_own_does_not_count() {
    let fake = fake("accepted");
    let id = begun(&fake).await;
    let draft = seen(&fake, "deng");
    let deng = caller("deng", true);
    for (given, caller, expected) in [
        (signature(&draft, "chen", Class::Exercise), &deng, "陈站长的密钥"),
        (signature(&draft, "deng", Class::Actual), &deng, "演练与实战密钥不同"),
        (signature(&draft, "deng", Class::Exercise), &caller("chen", true), "的密钥"),
        (
            SignatureGiven { hash: "00".to_owned(), ..signature(&draft, "deng", Class::Exercise) },
            &deng,
            "已不是",
        ),
        (
            SignatureGiven { signature: "11".repeat(64), ..signature(&draft, "deng", Class::Exercise) },
            &deng,
            "签名无效",
        ),
        (
            SignatureGiven {
                key: "0011223344556677".to_owned(),
                ..signature(&draft, "deng", Class::Exercise)
            },
            &deng,
            "没有这把密钥",
        ),
    ] {
        let why = fake.drafts.sign(&id, &given, caller).await.unwrap_err().to_string();
        assert!(why.contains(expected), "{expected}: {why}");
    }
    assert!(fake.orders.lock().unwrap().is_empty(), "nothing was given");
    assert_eq!(seen(&fake, "deng")["signed"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(start_paused = true)]
async fn the_first_signature_is_void_when_the_building_has_changed_or_two_minutes_are_over() {
    for is_late in [false, true] {
        let fake = fake("accepted");
        let id = begun(&fake).await;
        match is_late {
            true => tokio::time::advance(Duration::from_secs(121)).await,
            false => *fake.snapshot.lock().unwrap() = "b".to_owned(),
        }
        let given = signature(&seen(&fake, "deng"), "deng", Class::Exercise);
        let why = fake.drafts.sign(&id, &given, &caller("deng", true)).await.unwrap_err().to_string();
        assert!(why.contains(if is_late { "2 分钟" } else { "已变化" }), "{why}");
        let draft = seen(&fake, "chen");
        assert_eq!(draft["signed"][0]["person"], "deng", "the second is now the first");
        let given = signature(&draft, "chen", Class::Exercise);
        let done = fake.drafts.sign(&id, &given, &caller("chen", true)).await.unwrap();
        assert_eq!(done["result"]["result"], "accepted");
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_drafted_is_refused_with_words() {
    let fake = fake("accepted");
    let mut nobody = caller("chen", false);
    nobody.person = None;
    let of = |change: &dyn Fn(&mut NewDraft)| {
        let mut new = new(DraftClass::Exercise);
        change(&mut new);
        new
    };
    for (new, caller, expected) in [
        (of(&|_| {}), &nobody, "须由本人登录"),
        (of(&|_| {}), &caller("sun", false), "没有这类指令的密钥"),
        (of(&|new| new.plans = vec!["no.plan@1".to_owned()]), &caller("chen", false), PLAN),
        (of(&|new| new.plans.clear()), &caller("chen", false), "请选择"),
        (of(&|new| new.kind = DraftKind::Return), &caller("chen", false), "方向不对"),
        (of(&|new| new.kind = DraftKind::Cancel), &caller("chen", false), "写明哪条指令"),
        (of(&|new| new.reference = Some("文".repeat(201))), &caller("chen", false), "最多 200"),
    ] {
        let why = fake.drafts.draft(&new, caller).await.unwrap_err().to_string();
        assert!(why.contains(expected), "{expected}: {why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_draft_is_taken_back_or_goes_by_itself() {
    let fake = fake("accepted");
    let id = begun(&fake).await;
    fake.drafts.withdraw(&id).unwrap();
    assert!(fake.drafts.all(&caller("deng", false)).is_empty());
    assert!(fake.drafts.withdraw(&id).is_err());
    begun(&fake).await;
    tokio::time::advance(KEPT).await;
    assert!(fake.drafts.all(&caller("deng", false)).is_empty());
}
