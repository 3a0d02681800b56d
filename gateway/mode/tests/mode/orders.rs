//! The model check of what makes an order count: whatever anybody sends, in any order, at any time,
//! only what people who may have signed for this centre, once, and in time, is accepted. Each demand
//! is left out once, and shows.

use std::hash::{Hash, Hasher};

use linli_domain::Timestamp;
use linli_mode::Class;
use linli_mode::order::{
    Authority, Clock, Demand, Demands, Envelope, Judgement, Key, Keyring, Kind, Order, OrderError, PlanHash,
    Policy, ReplayGuard, SecretKey, Target, judge_under, sign,
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

/// Whose keys these are, what they may do, what they sign, and until when.
const KEYS: [(&str, &str, Class, u8, Option<i64>); 8] = [
    ("wang", "commander", Class::Actual, 1, None),
    ("wang", "commander", Class::Actual, 2, None),
    ("wang", "commander", Class::Exercise, 3, None),
    ("li", "duty_officer", Class::Actual, 4, None),
    ("li", "duty_officer", Class::Exercise, 5, None),
    ("zhao", "site_lead", Class::Actual, 6, None),
    ("qian", "site_deputy", Class::Actual, 7, None),
    ("li", "duty_officer", Class::Actual, 8, Some(NOW - 4 * HOUR)),
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
    /// Which were accepted, in which order.
    accepted: Vec<usize>,
    harm: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum Move {
    /// An order arrives while the clock is synchronised.
    Arrives(usize),
    /// The same while nobody vouches for the clock.
    ArrivesUnsure(usize),
    /// The same, and a person compared its code.
    Compared(usize),
    Later,
    /// What is kept of the replay guard is what was written.
    Restart,
}

impl Hash for Desk {
    fn hash<H: Hasher>(&self, state: &mut H) {
        // The replay guard follows from what was accepted.
        (self.time, &self.accepted, self.harm).hash(state);
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
        authority: Authority::Local,
        not_before: Timestamp(NOW),
        expires: Timestamp(NOW + hours * HOUR),
        ..order(seq)
    };
    let early = Order { not_before: Timestamp(NOW + HOUR), ..order(7) };
    let late = Order { expires: Timestamp(NOW - HOUR), ..order(8) };
    let mut all: Vec<Sent> = [&[1, 4][..], &[1], &[1, 2], &[1, 6], &[3, 5], &[1, 8]]
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
        signed(Order { class: Class::Exercise, ..order(10) }, &[3, 5]),
        signed(Order { kind: Kind::Cancel, ..order(11) }, &[4]),
        signed(local(1, 1), &[6, 7]),
        signed(local(2, 3), &[6, 7]),
    ]);
    all
}

// === impl Post ===

impl Post {
    fn new(left_out: &[Demand]) -> Self {
        let key = |(person, role, class, number, until): (&str, &str, Class, u8, Option<i64>)| Key {
            person: id(person),
            roles: vec![role.to_owned()],
            class,
            public: secret(number).public(),
            from: None,
            until: until.map(Timestamp),
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

    fn arrives(&self, desk: &mut Desk, index: usize, clock: Clock<'_>) {
        let sent = &self.sent[index];
        let now = Timestamp(TIMES[desk.time]);
        let (keyring, policy) = (&self.keyring, &self.policy);
        let judged = judge_under(
            self.demands,
            &sent.envelope,
            &id("xinghe"),
            keyring,
            policy,
            &desk.replay_guard,
            now,
            clock,
        );
        desk.harm = match &judged {
            Ok(Judgement::Accepted(_)) => self.wrongly_accepted(desk, sent, now, clock),
            Ok(Judgement::Repeated) => self.wrongly_repeated(desk, sent),
            Err(refusal) => self.wrongly_refused(desk, sent, refusal),
        };
        if let Ok(Judgement::Accepted(accepted)) = judged {
            desk.accepted.push(index);
            desk.replay_guard = accepted.replay_guard;
        }
    }

    /// People who really signed what arrived, and may.
    fn people(&self, sent: &Sent) -> usize {
        let order = &sent.envelope.order;
        let roles =
            if order.authority == Authority::District { &self.policy.district } else { &self.policy.local };
        let may = |(_, role, class, number, until): &&(&str, &str, Class, u8, Option<i64>)| {
            sent.keys.contains(number)
                && *class == order.class
                && roles.iter().any(|known| known == role)
                && until.is_none_or(|until| order.sent.0 <= until)
        };
        let people: std::collections::BTreeSet<&str> =
            KEYS.iter().filter(may).map(|(person, ..)| *person).collect();
        if sent.is_changed { 0 } else { people.len() }
    }

    fn wrongly_accepted(
        &self,
        desk: &Desk,
        sent: &Sent,
        now: Timestamp,
        clock: Clock<'_>,
    ) -> Option<&'static str> {
        let order = &sent.envelope.order;
        let needed = if order.kind == Kind::Cancel { 1 } else { 2 };
        if self.people(sent) < needed {
            return Some("E too few people who may had signed it");
        }
        if order.target(&id("xinghe")).is_none() {
            return Some("E it was for somebody else");
        }
        let before = desk.accepted.iter().map(|index| &self.sent[*index].envelope.order);
        let mut before = before.filter(|before| before.authority == order.authority);
        if before.any(|before| before.seq >= order.seq) {
            return Some("E/I its number was not above all before");
        }
        if order.authority == Authority::Local && order.expires.0 - order.not_before.0 > HOUR {
            return Some("E people on the spot ordered for longer than an hour");
        }
        match clock {
            Clock::Free => Some("E nobody vouched for the clock"),
            Clock::Synchronised if now.0 + SKEW < order.not_before.0 => Some("E its time had not come"),
            Clock::Synchronised if now >= order.expires => Some("E its time was over"),
            Clock::Synchronised | Clock::Confirmed(_) => None,
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
        let needed = if order.kind == Kind::Cancel { 1 } else { 2 };
        // A signature that is no good is told first.
        let is_good = self.people(sent) >= needed
            && !matches!(
                refusal,
                OrderError::Signature(_) | OrderError::Quorum { .. } | OrderError::WrongTarget(_)
            );
        if !is_good {
            return None;
        }
        if self.was_accepted(desk, sent) {
            return Some("E the same order again is refused");
        }
        let twin = |index: &usize| {
            let before = &self.sent[*index].envelope.order;
            (before.authority, before.seq) == (order.authority, order.seq)
        };
        let is_told = matches!(refusal, OrderError::Equivocation { .. });
        (desk.accepted.iter().any(twin) && !is_told).then_some("E two orders with one number are no alarm")
    }
}

impl System for Post {
    type World = Desk;
    type Move = Move;

    fn start(&self) -> Desk {
        Desk { replay_guard: ReplayGuard::default(), time: 0, accepted: Vec::new(), harm: None }
    }

    fn moves(&self, desk: &Desk) -> Vec<Move> {
        if desk.accepted.len() >= MOST {
            return Vec::new();
        }
        // An order that is good in all else shows what the clock is for.
        let sent = (0..self.sent.len()).map(Move::Arrives).chain([Move::ArrivesUnsure(0), Move::Compared(0)]);
        let later = (desk.time + 1 < TIMES.len()).then_some(Move::Later);
        sent.chain(later).chain([Move::Restart]).collect()
    }

    fn made(&self, desk: &Desk, made: Move) -> Option<Desk> {
        let mut next = desk.clone();
        match made {
            Move::Arrives(index) => self.arrives(&mut next, index, Clock::Synchronised),
            Move::ArrivesUnsure(index) => self.arrives(&mut next, index, Clock::Free),
            Move::Compared(index) => {
                let code = self.sent[index].envelope.code();
                self.arrives(&mut next, index, Clock::Confirmed(&code));
            }
            Move::Later => next.time += 1,
            Move::Restart => {
                let kept = serde_json::to_string(&next.replay_guard).expect("a replay_guard is written");
                next.replay_guard = serde_json::from_str(&kept).expect("a replay_guard is read");
                assert_eq!(next.replay_guard, desk.replay_guard, "a restart changes the replay_guard");
            }
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
