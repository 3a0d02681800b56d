//! Whether an order counts here and now.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::demand::{Demand, Demands};
use super::envelope::{Envelope, Signed};
use super::key::Keyring;
use super::payload::{Authority, Kind};
use crate::{Id, Timestamp};

/// Clocks may differ by this much.
const SKEW: Duration = Duration::from_secs(120);

/// An order of people on the spot is good for no longer.
const LONGEST_LOCAL: Duration = Duration::from_secs(3600);

/// Orders that are remembered to know a repetition by.
const REMEMBERED: usize = 256;

/// Who may order what here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How many people sign an order; taking one back needs one.
    pub quorum: usize,
    /// Roles that sign for the district.
    pub district: Vec<String>,
    /// Roles that sign on the spot.
    pub local: Vec<String>,
}

/// What was accepted before. Made durable with each acceptance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// The highest number, by who gave the order.
    pub last: BTreeMap<Authority, u64>,
    /// Accepted orders: number, id and hash, oldest first.
    pub accepted: Vec<(Authority, u64, String, [u8; 32])>,
}

/// An order that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// Who signed.
    pub signers: Vec<Signed>,
    /// The ledger afterwards.
    pub ledger: Ledger,
}

/// What is thought of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// It counts.
    Accepted(Accepted),
    /// It was accepted before: nothing happens, and it is answered the same.
    Repeated,
}

/// Why an order does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// For somebody else.
    #[error("the order is not for {0}")]
    WrongTarget(Id),
    /// A signature is wrong, or a key is.
    #[error("{0}")]
    Signature(String),
    /// Too few people, or the wrong ones.
    #[error("{needed} different people of the roles {roles} must sign, {signed} did")]
    Quorum {
        /// How many must.
        needed: usize,
        /// How many who may did.
        signed: usize,
        /// Who may.
        roles: String,
    },
    /// Its time has not come, or a clock is wrong.
    #[error("the order is for {} ms, now it is {} ms: it waits, or a clock is wrong", .not_before.0, .now.0)]
    Early {
        /// From when.
        not_before: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// Its time is over.
    #[error("the order expired at {} ms, now it is {} ms", .expires.0, .now.0)]
    Expired {
        /// Until when.
        expires: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// An order of people on the spot is short.
    #[error("an order given on the spot is good for one hour at most")]
    LocalTooLong,
    /// This clock cannot be trusted.
    #[error("the gateway's clock was not synchronised: a person on the spot has to confirm the order {code}")]
    Quarantined {
        /// What they compare.
        code: String,
    },
    /// The number was used.
    #[error("number {seq} is not above {last}: an old order, sent again")]
    Replayed {
        /// Its number.
        seq: u64,
        /// The last.
        last: u64,
    },
    /// Two different orders with one number: somebody's key is in wrong hands.
    #[error(
        "number {seq} was already used by another order: ask the district by telephone, a key may be stolen"
    )]
    Equivocation {
        /// Its number.
        seq: u64,
    },
}

/// Judges an order. `confirmed` is the code that a person on the spot has compared, for a clock
/// that cannot be trusted.
pub fn judge(
    envelope: &Envelope,
    centre: &Id,
    keyring: &Keyring,
    policy: &Policy,
    ledger: &Ledger,
    now: Timestamp,
    clock: Clock<'_>,
) -> Result<Judgement, Refusal> {
    judge_under(Demands::ALL, envelope, centre, keyring, policy, ledger, now, clock)
}

/// The same with some demands not made, for the model checker.
#[expect(
    clippy::too_many_arguments,
    reason = "what a judgement rests on; only the model checker gives one more"
)]
pub fn judge_under(
    demands: Demands,
    envelope: &Envelope,
    centre: &Id,
    keyring: &Keyring,
    policy: &Policy,
    ledger: &Ledger,
    now: Timestamp,
    clock: Clock<'_>,
) -> Result<Judgement, Refusal> {
    let (order, makes) = (&envelope.order, |demand| demands.make(demand));
    if makes(Demand::Target) {
        order.target(centre).ok_or_else(|| Refusal::WrongTarget(centre.clone()))?;
    }
    let signers = envelope.signers_under(demands, keyring).map_err(Refusal::Signature)?;
    let roles = if order.authority == Authority::District { &policy.district } else { &policy.local };
    let may = |signed: &Signed| !makes(Demand::Role) || signed.roles.iter().any(|role| roles.contains(role));
    let signers: Vec<Signed> = signers.into_iter().filter(may).collect();
    // Two to go, one to stop.
    let is_one_enough = order.kind == Kind::Cancel || !makes(Demand::Quorum);
    let needed = if is_one_enough { 1 } else { policy.quorum };
    if signers.len() < needed {
        return Err(Refusal::Quorum { needed, signed: signers.len(), roles: roles.join(", ") });
    }
    let known = ledger
        .accepted
        .iter()
        .find(|(authority, seq, ..)| (*authority, *seq) == (order.authority, order.seq));
    if let Some((.., hash)) = known.filter(|_| makes(Demand::OnceOnly)) {
        return match *hash == envelope.hash {
            true => Ok(Judgement::Repeated),
            false => Err(Refusal::Equivocation { seq: order.seq }),
        };
    }
    let last = ledger.last.get(&order.authority).copied().unwrap_or_default();
    if order.seq <= last && makes(Demand::Rising) {
        return Err(Refusal::Replayed { seq: order.seq, last });
    }
    in_time(demands, envelope, now, clock)?;
    let mut ledger = ledger.clone();
    ledger.last.insert(order.authority, order.seq.max(last));
    ledger.accepted.push((order.authority, order.seq, order.id.clone(), envelope.hash));
    if ledger.accepted.len() > REMEMBERED {
        ledger.accepted.remove(0);
    }
    Ok(Judgement::Accepted(Accepted { signers, ledger }))
}

/// How far this machine's clock can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock<'c> {
    /// It is synchronised.
    Synchronised,
    /// It is not; a person compared this code with the order.
    Confirmed(&'c str),
    /// It is not.
    Free,
}

fn in_time(demands: Demands, envelope: &Envelope, now: Timestamp, clock: Clock<'_>) -> Result<(), Refusal> {
    let order = &envelope.order;
    let skew = i64::try_from(SKEW.as_millis()).unwrap_or_default();
    let longest = i64::try_from(LONGEST_LOCAL.as_millis()).unwrap_or_default();
    let is_local = order.authority == Authority::Local && demands.make(Demand::LocalIsShort);
    if is_local && order.expires.0.saturating_sub(order.not_before.0) > longest {
        return Err(Refusal::LocalTooLong);
    }
    match clock {
        Clock::Synchronised => {}
        Clock::Confirmed(code) if code == envelope.code() => return Ok(()),
        Clock::Confirmed(_) | Clock::Free if !demands.make(Demand::TrustedClock) => {}
        Clock::Confirmed(_) | Clock::Free => return Err(Refusal::Quarantined { code: envelope.code() }),
    }
    if now.0.saturating_add(skew) < order.not_before.0 && demands.make(Demand::NotEarly) {
        return Err(Refusal::Early { not_before: order.not_before, now });
    }
    if now >= order.expires && demands.make(Demand::NotExpired) {
        return Err(Refusal::Expired { expires: order.expires, now });
    }
    Ok(())
}

// === impl Envelope ===

impl Envelope {
    /// What two people compare by telephone: the first eight digits of the order's hash.
    #[must_use]
    pub fn code(&self) -> String {
        crate::audit::hex(&self.hash[..4])
    }
}
