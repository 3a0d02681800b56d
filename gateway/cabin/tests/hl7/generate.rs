//! Streams by a seed, and streams that are as small as can be while they still fail.

use fastrand::Rng;

use super::act::{Act, Clock, Fault, Name, Sent};
use super::world::{LONGEST, SHORTEST, is_legal, stays};

/// Messages in a stream at most.
const MESSAGES: usize = 10;

/// Every fault, with those that have a number.
fn faults(rng: &mut Rng) -> [Fault; 22] {
    [
        Fault::Duplicate,
        Fault::Split,
        Fault::Slow,
        Fault::OneFrame,
        Fault::OneWrite,
        Fault::Cut(rng.u8(..)),
        Fault::Closed(rng.u8(..)),
        Fault::Chinese,
        Fault::Latin,
        Fault::Mark,
        Fault::LineFeeds,
        Fault::Batch,
        Fault::Delimiters,
        Fault::NoReturn,
        Fault::NoStart,
        Fault::Reconnect,
        Fault::Second(rng.u8(0..3)),
        Fault::NoValue,
        Fault::WrongUnit,
        Fault::Impossible,
        Fault::Burst,
        Fault::Indented,
    ]
}

/// The stream of a seed; each fault comes with that probability.
pub fn stream(seed: u64, probability: f64) -> Vec<Act> {
    let mut rng = Rng::with_seed(seed);
    let mut acts = visits(&mut rng);
    let count = rng.usize(3..=MESSAGES);
    let mut tries = 0;
    while acts.iter().filter(|act| matches!(act, Act::Send(_))).count() < count && tries < 400 {
        tries += 1;
        let mut more = acts.clone();
        more.push(Act::Send(Box::new(message(&mut rng, &acts, probability))));
        if is_legal(&more) {
            acts = more;
        }
    }
    acts
}

fn visits(rng: &mut Rng) -> Vec<Act> {
    let mut acts = Vec::new();
    for _ in 0..rng.usize(2..=6) {
        let (at, room, who) = (rng.i64(0..300_000), rng.u8(0..2), rng.u8(0..3));
        let act = if rng.u8(0..4) == 0 { Act::End { at, room } } else { Act::Open { at, room, who } };
        let mut more = acts.clone();
        more.push(act);
        if is_legal(&more) {
            acts = more;
        }
    }
    acts
}

fn message(rng: &mut Rng, acts: &[Act], probability: f64) -> Sent {
    let often = |rng: &mut Rng, share: f64| rng.f64() < share;
    let sent: Vec<usize> = (0..acts.len()).filter(|nth| matches!(acts[*nth], Act::Send(_))).collect();
    let stays = stays(acts);
    // Near the beginning or the end of a visit more often than not.
    let at = match rng.choice(&stays).filter(|_| rng.u8(0..3) > 0) {
        Some(stay) if rng.bool() => stay.from + rng.i64(-20_000..20_000),
        Some(stay) if stay.to < i64::MAX => stay.to + rng.i64(-20_000..20_000),
        Some(stay) => stay.from + rng.i64(0..100_000),
        None => rng.i64(0..320_000),
    };
    let at = at.max(LONGEST);
    let monitor = rng.u8(0..3);
    let own = stays.iter().find(|stay| stay.room == monitor % 2 && stay.from <= at && at < stay.to);
    let who = match own.filter(|_| rng.u8(0..3) > 0) {
        Some(stay) => Some(stay.who),
        None => (rng.u8(0..12) > 0).then(|| rng.u8(0..3)),
    };
    let mut names = Vec::new();
    for _ in 0..rng.usize(0..3) {
        let code = rng.choice(&stays).filter(|_| rng.bool()).map(|stay| Name::Code(stay.act));
        names.push(
            code.unwrap_or_else(|| Name::Card(who.filter(|_| rng.u8(0..4) > 0).unwrap_or(rng.u8(0..3)))),
        );
    }
    let clock = match rng.u8(0..8) {
        0 | 1 => Clock::None,
        2 => Clock::Off(*rng.choice(&[-3_600_000, 3_600_000, 144_000_000, -90_000, 90_000]).unwrap_or(&0)),
        3 if often(rng, 0.3) => Clock::Unset,
        _ => Clock::Right,
    };
    let late = match rng.u8(0..4) {
        0 => rng.i64(0..600_000),
        1 => rng.i64(0..400),
        _ => 0,
    };
    let mut chosen: Vec<Fault> = Vec::new();
    for fault in faults(rng) {
        if often(rng, probability) && !chosen.contains(&fault) {
            chosen.push(fault);
        }
    }
    let takes = if rng.bool() { SHORTEST } else { rng.i64(SHORTEST..=LONGEST) };
    let reused = rng.choice(&sent).filter(|_| often(rng, 0.15)).map(|nth| match &acts[*nth] {
        Act::Send(old) => old.id,
        _ => 0,
    });
    let id = reused.unwrap_or(u16::try_from(acts.len()).unwrap_or(0) + 1000);
    let mut own = Sent { at, takes, late, monitor, who, names, clock, id, corrects: None, faults: chosen };
    // A correction has the time and the names of what it corrects.
    if let Some(nth) = rng.choice(&sent).filter(|_| often(rng, 0.15))
        && let Act::Send(old) = &acts[*nth]
    {
        let late = old.late + rng.i64(1_000..200_000);
        own = Sent { corrects: Some(*nth), late, id: own.id, faults: own.faults, ..(**old).clone() };
    }
    own
}

/// The smallest stream that `fails` still finds wrong: acts and faults are left out one by one.
pub fn shrunk(acts: &[Act], mut fails: impl FnMut(&[Act]) -> bool) -> Vec<Act> {
    let mut acts = acts.to_vec();
    loop {
        let smaller = smaller(&acts).into_iter().find(|less| is_legal(less) && fails(less));
        match smaller {
            Some(less) => acts = less,
            None => return acts,
        }
    }
}

/// The stream without one act or fault. Positions that names and corrections refer to stay as they are: what is left
/// out ends a room that has no visit.
fn smaller(acts: &[Act]) -> Vec<Vec<Act>> {
    let mut all = Vec::new();
    for (nth, act) in acts.iter().enumerate() {
        let with = |act: Act| {
            let mut less = acts.to_vec();
            less[nth] = act;
            less
        };
        match act {
            Act::End { at: 0, .. } => {}
            Act::End { room, .. } | Act::Open { room, .. } => all.push(with(Act::End { at: 0, room: *room })),
            Act::Send(sent) => {
                all.push(with(Act::End { at: 0, room: sent.room() }));
                for fault in 0..sent.faults.len() {
                    let mut less = (**sent).clone();
                    less.faults.remove(fault);
                    all.push(with(Act::Send(Box::new(less))));
                }
                if sent.late > 0 {
                    all.push(with(Act::Send(Box::new(Sent { late: 0, ..(**sent).clone() }))));
                }
            }
        }
    }
    all
}
