//! Who is where, and which messages can be about it.
//!
//! What no table can know is assumed, as in the model check (domain `tests/visits`): who is measured in a cabin while
//! somebody else's visit is open is named; a message that names only the resident of the open visit is about them; a
//! message without a time of measuring that comes late says when it was made, or names somebody; a clock that is wrong
//! by less than five minutes does not come together with a message that is late; a test is not cut before its mark.

use super::act::{Act, Clock, Fault, Name, Sent};

/// Shortest and longest time of a measurement of saturation, pulse and weight, in milliseconds.
pub const SHORTEST: i64 = 5_000;
pub const LONGEST: i64 = 15_000;

/// A visit: the act that began it, its room, its resident, and when it lasted.
#[derive(Debug, Clone, Copy)]
pub struct Stay {
    pub act: usize,
    pub room: u8,
    pub who: u8,
    pub from: i64,
    pub to: i64,
}

/// The visits of these acts.
pub fn stays(acts: &[Act]) -> Vec<Stay> {
    let mut order: Vec<(usize, &Act)> = acts.iter().enumerate().collect();
    order.sort_by_key(|(nth, act)| (act.at(), *nth));
    let mut stays: Vec<Stay> = Vec::new();
    for (nth, act) in order {
        let (Act::Open { at, room, .. } | Act::End { at, room }) = act else { continue };
        let here = stays.iter_mut().filter(|stay| stay.room == *room && stay.to == i64::MAX);
        here.for_each(|stay| stay.to = *at);
        if let Act::Open { at, room, who } = act {
            stays.push(Stay { act: nth, room: *room, who: *who, from: *at, to: i64::MAX });
        }
    }
    stays
}

/// Whether these acts can happen, and their messages be sent.
pub fn is_legal(acts: &[Act]) -> bool {
    let stays = stays(acts);
    let is_twice = |one: &Stay| {
        let other = |other: &&Stay| other.act != one.act && other.who == one.who;
        stays.iter().filter(other).any(|other| one.from < other.to && other.from < one.to)
    };
    !stays.iter().any(is_twice)
        && acts.iter().all(|act| match act {
            Act::Send(sent) => is_possible(sent, &stays, acts),
            _ => true,
        })
}

fn is_possible(sent: &Sent, stays: &[Stay], acts: &[Act]) -> bool {
    let (begun, room) = (sent.at - sent.takes, sent.room());
    let open_at =
        |room: u8, time: i64| stays.iter().find(|s| s.room == room && s.from <= time && time < s.to);
    let own = open_at(room, begun);
    let is_own = own.is_some_and(|stay| Some(stay.who) == sent.who);
    let is_elsewhere = stays.iter().any(|stay| {
        Some(stay.who) == sent.who && stay.room != room && stay.from < sent.at + 1000 && begun < stay.to
    });
    let is_short = sent.takes == SHORTEST || (is_own && sent.takes <= LONGEST);
    let are_known = sent.names.iter().all(|name| match name {
        Name::Card(_) => true,
        Name::Code(act) => stays.iter().any(|stay| stay.act == *act && stay.from <= begun),
    });
    // Whom the message names truly, and whether it names the one who sits there.
    let is_named = sent.names.iter().any(|name| matches!(name, Name::Card(who) if Some(*who) == sent.who));
    let names_own = sent.names.iter().any(|name| match (name, own) {
        (Name::Card(who), Some(own)) => *who == own.who,
        (Name::Code(act), Some(own)) => *act == own.act,
        _ => false,
    });
    let is_of_nobody = sent.who.is_none();
    // A left-over code of the same resident's earlier visit is a name of theirs.
    let names_other_stay_of_own = sent.names.iter().any(|name| match name {
        Name::Code(act) => stays.iter().any(|stay| stay.act == *act && Some(stay.who) != sent.who),
        Name::Card(who) => Some(*who) != sent.who,
    });
    let will_sit_here = stays.iter().any(|stay| {
        stay.room == room
            && Some(stay.who) != sent.who
            && stay.from > begun
            && stay.from <= sent.at + sent.late
    });
    // The number of somebody who comes later is not in a message about somebody else.
    let is_mistaken_later = names_other_stay_of_own && !is_named && will_sit_here;
    let labels = is_of_nobody
        || match sent.names.is_empty() {
            true => is_own || own.is_none(),
            false => (is_own || is_named || !names_own) && !is_mistaken_later,
        };
    let clock = match sent.clock {
        Clock::Off(ms) if ms.abs() < 360_000 => sent.late == 0,
        _ => true,
    };
    let cut = !is_of_nobody || !sent.is_cut();
    let second = sent.faults.iter().all(|fault| match fault {
        Fault::Second(who) => is_named && Some(*who) != sent.who && !is_of_nobody,
        _ => true,
    });
    let corrects = sent.corrects.is_none_or(|act| match acts.get(act) {
        Some(Act::Send(old)) => {
            old.who == sent.who
                && old.monitor == sent.monitor
                && old.corrects.is_none()
                && old.names == sent.names
        }
        _ => false,
    });
    !is_elsewhere && is_short && are_known && labels && clock && cut && second && corrects
}
