//! The model check of what makes an order count: whatever anybody sends, in any order, at any time,
//! only what people who may have signed for this centre, once, and in time, is accepted. Each demand
//! is left out once, and shows.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use linli_domain::Timestamp;
use linli_mode::Class;
use linli_mode::order::{
    Authority, ClockDoubt, Confirmation, Demand, Demands, Envelope, Followed, Judgement, Key, Keyring, Kind,
    KnownTime, LONGEST_AGE, Order, OrderError, PlanHash, Policy, ReplayGuard, SecretKey, Series, Situation,
    Target, WINDOW, judge_under, may_touch_under, sign,
};

use super::building::id;
use super::explore::{System, explore};

const NOW: i64 = 1_795_428_000_000;
const HOUR: i64 = 3_600_000;
/// Before, then, and after.
const TIMES: [i64; 3] = [NOW - 2 * HOUR, NOW, NOW + 2 * HOUR];
/// What clocks may differ by.
const SKEW: i64 = 120_000;
/// Orders that one replay guard accepts at most here.
const MOST: usize = 2;

/// The number of the order that has expired.
const LATE: u64 = 8;

/// Whose keys these are, what they may do, what they sign, until when, and when they were revoked.
type KeyOf = (&'static str, &'static str, Class, u8, Option<i64>, Option<i64>);
const KEYS: [KeyOf; 10] = [
    ("wang", "commander", Class::Actual, 1, None, None),
    ("wang", "commander", Class::Actual, 2, None, None),
    ("wang", "commander", Class::Exercise, 3, None, None),
    ("li", "duty_officer", Class::Actual, 4, None, None),
    ("li", "duty_officer", Class::Exercise, 5, None, None),
    ("zhao", "site_lead", Class::Actual, 6, None, None),
    ("qian", "site_deputy", Class::Actual, 7, None, None),
    // Valid when every order says that it was signed, and no more at last.
    ("li", "duty_officer", Class::Actual, 8, Some(NOW + HOUR), None),
    ("li", "duty_officer", Class::Actual, 9, None, Some(NOW)),
    ("zhao", "site_lead", Class::Exercise, 10, None, None),
];

/// An order as somebody sends it, and what is really behind it.
struct Sent {
    envelope: Envelope,
    keys: Vec<u8>,
    is_changed: bool,
}

/// Everything that anybody may send.
struct Post {
    sent: Vec<Sent>,
    keyring: Keyring,
    policy: Policy,
    demands: Demands,
}

#[derive(Debug, Clone)]
struct Desk {
    replay_guard: ReplayGuard,
    time: usize,
    /// Which were accepted, in which order, and what their numbers were worth when they were.
    accepted: Vec<usize>,
    /// How many were accepted, those before a loss counted.
    count: usize,
    /// Whether database and file were lost together.
    is_lost: bool,
    /// The order that the room follows.
    followed: Option<usize>,
    harm: Option<&'static str>,
}

/// How the clock is, and what people on the spot say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    /// The clock is trusted.
    Trusted,
    /// Nobody vouches for the clock.
    Unsure,
    /// Nobody does, and one person confirmed the code.
    One,
    /// Nobody does, and two people confirmed another code.
    Other,
    /// Nobody does, and two people confirmed the code.
    Two,
    /// The same, when the order waited here for hours and the clock was never set.
    Waited,
}

#[derive(Debug, Clone, Copy)]
enum Move {
    /// An order arrives.
    Arrives(usize, Spot),
    Later,
    /// What is kept of the replay guard is what was written.
    Restart,
    /// Database and file are lost.
    Lose,
}

impl Hash for Desk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let guard = serde_json::to_string(&self.replay_guard).expect("a replay guard is written");
        (guard, self.time, &self.accepted, self.count, self.is_lost, self.followed, self.harm).hash(state);
    }
}

fn order(seq: u64) -> Order {
    let plan = PlanHash { plan: "reading-room.sampling@3".to_owned(), hash: [9; 32] };
    Order {
        id: format!("o{seq}"),
        seq,
        kind: Kind::Enter,
        class: Class::Actual,
        authority: Authority::District,
        targets: vec![Target { centre: id("xinghe"), site: None, plans: vec![plan], snapshot: None }],
        mode: "epidemic.sampling".to_owned(),
        not_before: Timestamp(NOW - 3 * HOUR),
        expires: Timestamp(NOW + 3 * HOUR),
        sent: Timestamp(NOW - 3 * HOUR),
        reference: None,
        supersedes: Vec::new(),
        cap: None,
    }
}

fn secret(number: u8) -> SecretKey {
    SecretKey::from_seed([number; 32])
}

fn signed(order: Order, keys: &[u8]) -> Sent {
    let envelope = keys.iter().fold(Envelope::of(order), |envelope, key| sign(&envelope, &secret(*key)));
    Sent { envelope, keys: keys.to_vec(), is_changed: false }
}

/// Somebody changed a word of it on its way.
fn changed(sent: Sent) -> Sent {
    let mut bytes = sent.envelope.bytes();
    let at = bytes.windows(8).position(|window| window == b"sampling").expect("the mode is inside");
    bytes[at] = b'z';
    let envelope = Envelope::read(&bytes).expect("it is still an order");
    Sent { envelope, is_changed: true, ..sent }
}

fn everything() -> Vec<Sent> {
    let mut elsewhere = order(9);
    elsewhere.targets[0].centre = id("yuehai");
    let local = |seq, hours: i64| Order {
        id: format!("local-{seq}"),
        authority: Authority::Local,
        not_before: Timestamp(NOW),
        expires: Timestamp(NOW + hours * HOUR),
        ..order(seq)
    };
    let early = Order { not_before: Timestamp(NOW + HOUR), ..order(7) };
    let late = Order { expires: Timestamp(NOW - HOUR), ..order(LATE) };
    let age = i64::try_from(LONGEST_AGE.as_millis()).expect("a week");
    let backdated = Order { sent: Timestamp(NOW - age - 3 * HOUR), ..order(12) };
    let postdated = Order { sent: Timestamp(NOW + 2 * HOUR + 30 * 60_000), ..order(13) };
    let drill = |seq| Order { class: Class::Exercise, ..order(seq) };
    let cancels = |order: Order| Order { kind: Kind::Cancel, supersedes: vec!["o5".to_owned()], ..order };
    let mut all: Vec<Sent> = [&[1, 4][..], &[1], &[1, 2], &[1, 6], &[3, 5], &[1, 8], &[1, 9]]
        .iter()
        .map(|keys| signed(order(5), keys))
        .collect();
    all.push(changed(signed(order(5), &[1, 4])));
    all.extend([
        signed(order(4), &[1, 4]),
        signed(Order { kind: Kind::Return, ..order(5) }, &[1, 4]),
        signed(early, &[1, 4]),
        signed(late, &[1, 4]),
        signed(elsewhere, &[1, 4]),
        signed(backdated, &[1, 4]),
        signed(postdated, &[1, 4]),
        signed(order(WINDOW + 6), &[1, 4]),
        signed(Order { id: "local-5".to_owned(), ..order(14) }, &[1, 4]),
        signed(Order { id: "o5".to_owned(), ..drill(10) }, &[3, 5]),
        signed(drill(9), &[3, 5]),
        signed(Order { kind: Kind::Stop, ..order(15) }, &[4]),
        signed(Order { kind: Kind::Stop, ..drill(16) }, &[3]),
        signed(cancels(order(11)), &[4]),
        signed(cancels(order(17)), &[1, 4]),
        signed(cancels(drill(18)), &[3, 5]),
        signed(cancels(local(19, 1)), &[6, 7]),
        signed(Order { kind: Kind::Cancel, ..order(20) }, &[1, 4]),
        signed(Order { kind: Kind::Return, ..drill(21) }, &[3, 5]),
        signed(local(1, 1), &[6, 7]),
        signed(local(2, 3), &[6, 7]),
    ]);
    all
}

// === impl Post ===

impl Post {
    fn new(left_out: &[Demand]) -> Self {
        let key = |(person, role, class, number, until, revoked): KeyOf| Key {
            person: id(person),
            roles: vec![role.to_owned()],
            class,
            public: secret(number).public(),
            from: None,
            until: until.map(Timestamp),
            revoked: revoked.map(Timestamp),
        };
        let roles = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect();
        Self {
            sent: everything(),
            keyring: Keyring { keys: KEYS.map(key).into() },
            policy: Policy {
                quorum: 2,
                district: roles(&["commander", "duty_officer"]),
                local: roles(&["site_lead", "site_deputy"]),
            },
            demands: Demands::without(left_out),
        }
    }

    fn arrives(&self, desk: &mut Desk, index: usize, spot: Spot) {
        let sent = &self.sent[index];
        let now = Timestamp(TIMES[desk.time]);
        let time = match spot {
            Spot::Trusted => KnownTime::trusted(now),
            Spot::Waited => KnownTime { at: Timestamp(0), doubt: Some(ClockDoubt::Unset) },
            _ => KnownTime { at: now, doubt: Some(ClockDoubt::NotSynchronised) },
        };
        let code = if spot == Spot::Other { "00000000".to_owned() } else { sent.envelope.code() };
        let people: &[&str] = if spot == Spot::One { &["zhao"] } else { &["zhao", "sun"] };
        let people: BTreeSet<_> = people.iter().map(|person| id(person)).collect();
        let confirmation = Confirmation { code, people };
        let situation = Situation {
            centre: &id("xinghe"),
            keyring: &self.keyring,
            policy: &self.policy,
            replay_guard: &desk.replay_guard,
            time,
            waited: Duration::from_secs(if spot == Spot::Waited { 7 * 3600 } else { 0 }),
            confirmed: (!matches!(spot, Spot::Trusted | Spot::Unsure)).then_some(&confirmation),
        };
        let judged = judge_under(self.demands, &sent.envelope, &situation);
        desk.harm = match &judged {
            Ok(Judgement::Accepted(_)) => self.wrongly_accepted(desk, sent, now, spot),
            Ok(Judgement::Repeated) => self.wrongly_repeated(desk, sent),
            Err(refusal) => self.wrongly_refused(desk, sent, refusal),
        };
        let Ok(Judgement::Accepted(accepted)) = judged else { return };
        if desk.harm.is_some() || !self.touches(desk, index) {
            return;
        }
        // Two people who confirm an order after a loss say that its number is the highest.
        let series = Series::of(&sent.envelope.order);
        if desk.replay_guard.highest(series).is_none() && sent.envelope.order.kind != Kind::Stop {
            desk.accepted.retain(|before| Series::of(&self.sent[*before].envelope.order) != series);
        }
        desk.accepted.push(index);
        desk.count += 1;
        desk.replay_guard = accepted.replay_guard;
    }

    /// Whether the room follows the order; it is not accepted otherwise.
    fn touches(&self, desk: &mut Desk, index: usize) -> bool {
        let order = &self.sent[index].envelope.order;
        let enters = order.kind == Kind::Enter;
        let Some(before) = desk.followed else {
            desk.followed = enters.then_some(index);
            return enters;
        };
        let before = &self.sent[before].envelope.order;
        let (class, authority) = (before.class, before.authority);
        let followed = Followed { id: &before.id, class, authority, is_return: false };
        if may_touch_under(self.demands, order, &followed).is_err() {
            return false;
        }
        let is_stop = order.kind == Kind::Stop;
        if order.class != class && !(order.class == Class::Actual && (enters || is_stop)) {
            desk.harm = Some("D an order touched what one of the other class did");
        } else if order.authority == Authority::Local
            && authority == Authority::District
            && !enters
            && !is_stop
        {
            desk.harm = Some("E people on the spot ended the district's order");
        } else if order.kind == Kind::Cancel && !order.supersedes.contains(&before.id) {
            desk.harm = Some("E an order was cancelled that was not named");
        }
        if !is_stop {
            desk.followed = enters.then_some(index);
        }
        true
    }

    /// People who really signed what arrived, and may.
    fn people(&self, sent: &Sent, now: Timestamp, is_trusted: bool) -> usize {
        let order = &sent.envelope.order;
        let roles =
            if order.authority == Authority::District { &self.policy.district } else { &self.policy.local };
        let may = |(_, role, class, number, until, revoked): &&KeyOf| {
            sent.keys.contains(number)
                && *class == order.class
                && roles.iter().any(|known| known == role)
                && until.is_none_or(|until| now.0 < until)
                && revoked.is_none_or(|revoked| is_trusted && now.0 < revoked)
        };
        let people: BTreeSet<&str> = KEYS.iter().filter(may).map(|(person, ..)| *person).collect();
        if sent.is_changed { 0 } else { people.len() }
    }

    fn wrongly_accepted(&self, desk: &Desk, sent: &Sent, now: Timestamp, spot: Spot) -> Option<&'static str> {
        let order = &sent.envelope.order;
        let is_stop = order.kind == Kind::Stop;
        let needed = if is_stop { 1 } else { 2 };
        if self.people(sent, now, spot == Spot::Trusted) < needed {
            return Some("E too few people who may had signed it");
        }
        if order.target(&id("xinghe")).is_none() {
            return Some("E it was for somebody else");
        }
        if order.authority == Authority::District && order.id.starts_with("local-") {
            return Some("E it has an id of the centre's own");
        }
        let is_sure = matches!(spot, Spot::Two | Spot::Waited) || is_stop;
        let is_unknown = desk.replay_guard.highest(Series::of(order)).is_none();
        if is_unknown && !is_sure {
            return Some("E/I earlier numbers were lost and nobody confirmed it");
        }
        let before = desk.accepted.iter().map(|index| &self.sent[*index].envelope.order);
        if !is_unknown && before.clone().any(|before| before.id == order.id) && !desk.is_lost {
            return Some("E two orders have one id");
        }
        let before = before.filter(|before| Series::of(before) == Series::of(order));
        let highest = before.map(|before| before.seq).max().unwrap_or_default();
        if !is_unknown && highest >= order.seq {
            return Some("E/I its number was not above all before");
        }
        if !is_unknown && order.seq > highest + WINDOW {
            return Some("E/I it used up the numbers of later orders");
        }
        if order.authority == Authority::Local && order.expires.0 - order.not_before.0 > HOUR {
            return Some("E people on the spot ordered for longer than an hour");
        }
        let age = i64::try_from(LONGEST_AGE.as_millis()).expect("a week");
        match spot {
            Spot::Waited => Some("E it waited until it had expired"),
            _ if now >= order.expires => Some("E its time was over"),
            Spot::Unsure | Spot::One | Spot::Other if !is_stop => Some("E nobody vouched for the clock"),
            Spot::Trusted if now.0 + SKEW < order.not_before.0 => Some("E its time had not come"),
            Spot::Trusted if order.sent.0 + age + SKEW < now.0 => Some("E it was signed long ago"),
            Spot::Trusted if now.0 + SKEW < order.sent.0 => Some("E it was signed in the future"),
            _ => None,
        }
    }

    fn was_accepted(&self, desk: &Desk, sent: &Sent) -> bool {
        desk.accepted.iter().any(|index| self.sent[*index].envelope.hash == sent.envelope.hash)
    }

    fn wrongly_repeated(&self, desk: &Desk, sent: &Sent) -> Option<&'static str> {
        (!self.was_accepted(desk, sent)).then_some("E it was never accepted and is answered as if it was")
    }

    fn wrongly_refused(&self, desk: &Desk, sent: &Sent, refusal: &OrderError) -> Option<&'static str> {
        let order = &sent.envelope.order;
        let needed = if order.kind == Kind::Stop { 1 } else { 2 };
        // A signature that is no good is told first.
        let is_good = self.people(sent, Timestamp(TIMES[desk.time]), true) >= needed
            && !matches!(
                refusal,
                OrderError::Signature(_)
                    | OrderError::Revoked { .. }
                    | OrderError::Quorum { .. }
                    | OrderError::WrongTarget(_)
            );
        // Which orders were accepted before a loss is not known any more.
        if !is_good || desk.is_lost {
            return None;
        }
        if self.was_accepted(desk, sent) {
            return Some("E the same order again is refused");
        }
        let twin = |index: &usize| {
            let before = &self.sent[*index].envelope.order;
            (Series::of(before), before.seq) == (Series::of(order), order.seq)
        };
        let is_told = refusal.alarm() == Some("equivocation");
        (desk.accepted.iter().any(twin) && !is_told).then_some("E two orders with one number are no alarm")
    }
}

impl System for Post {
    type World = Desk;
    type Move = Move;

    fn start(&self) -> Desk {
        Desk {
            replay_guard: ReplayGuard::default(),
            time: 0,
            accepted: Vec::new(),
            count: 0,
            is_lost: false,
            followed: None,
            harm: None,
        }
    }

    fn moves(&self, desk: &Desk) -> Vec<Move> {
        if desk.count >= MOST {
            return Vec::new();
        }
        let each = |spot| (0..self.sent.len()).map(move |index| Move::Arrives(index, spot));
        let sent = each(Spot::Trusted).chain(each(Spot::Two).filter(|_| desk.is_lost));
        // An order that is good in all else shows what the clock is for, and one that has expired.
        let spots = [Spot::Unsure, Spot::One, Spot::Other, Spot::Two, Spot::Waited];
        let is_late = |sent: &Sent| sent.envelope.order.seq == LATE;
        let late = self.sent.iter().position(is_late).map(|index| Move::Arrives(index, Spot::Two));
        let unsure = spots.map(|spot| Move::Arrives(0, spot)).into_iter().chain(late);
        let later = (desk.time + 1 < TIMES.len()).then_some(Move::Later);
        let lose = (!desk.is_lost).then_some(Move::Lose);
        sent.chain(unsure).chain(later).chain(lose).chain([Move::Restart]).collect()
    }

    fn made(&self, desk: &Desk, made: Move) -> Option<Desk> {
        let mut next = desk.clone();
        match made {
            Move::Arrives(index, spot) => self.arrives(&mut next, index, spot),
            Move::Later => next.time += 1,
            Move::Restart => {
                let kept = serde_json::to_string(&next.replay_guard).expect("a replay_guard is written");
                next.replay_guard = serde_json::from_str(&kept).expect("a replay_guard is read");
                assert_eq!(next.replay_guard, desk.replay_guard, "a restart changes the replay_guard");
            }
            Move::Lose => (next.replay_guard, next.is_lost) = (ReplayGuard::lost(), true),
        }
        Some(next)
    }

    fn violated(&self, desk: &Desk) -> Option<&'static str> {
        desk.harm
    }

    fn is_settled(&self, _: &Desk) -> bool {
        true
    }

    fn seen(&self, desk: &Desk) -> [bool; 3] {
        let orders = || desk.accepted.iter().map(|index| &self.sent[*index].envelope.order);
        [
            orders().any(|order| order.class == Class::Actual),
            orders().any(|order| order.class == Class::Exercise),
            orders().any(|order| order.authority == Authority::Local),
        ]
    }
}

/// States at most.
const LARGE: usize = 1_000_000;

#[test]
fn only_orders_that_count_are_accepted() {
    let post = Post::new(&[]);
    let found = explore(&post, LARGE);
    assert!(found.is_whole && found.violated.is_none(), "{:?}", found.violated);
    assert!(found.seen.iter().all(|seen| *seen > 0), "the model accepts nothing: {:?}", found.seen);
    println!(
        "{} orders in any order, at any time: {} states, {} moves, no violation",
        post.sent.len(),
        found.states,
        found.moves
    );
}

#[test]
fn no_demand_can_be_spared() {
    println!("| not demanded | violated | moves | states |\n|---|---|---|---|");
    let mut spared = Vec::new();
    for demand in Demand::EACH {
        let found = explore(&Post::new(&[demand]), LARGE);
        match found.violated {
            Some((what, way)) => println!("| {demand:?} | {what} | {} | {} |", way.len(), found.states),
            None => spared.push(demand),
        }
    }
    assert!(spared.is_empty(), "nothing is violated without {spared:?}");
}
