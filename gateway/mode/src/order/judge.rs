//! Decides whether an order is accepted here and now.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::demand::{Demand, Demands};
use super::envelope::{Envelope, Signed};
use super::key::Keyring;
use super::payload::{Authority, Kind};
use linli_domain::{Id, Timestamp};

/// Clocks may differ by this much.
const SKEW: Duration = Duration::from_secs(120);

/// Longest validity of a local order.
const LONGEST_LOCAL: Duration = Duration::from_secs(3600);

/// Accepted orders that are stored to detect repetitions.
const REMEMBERED: usize = 256;

/// Who may sign orders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Required signatures; a stop needs one.
    pub quorum: usize,
    /// Roles that sign for the district.
    pub district: Vec<String>,
    /// Roles that sign local orders.
    pub local: Vec<String>,
}

/// The orders accepted before: prevents replays. Stored durably with each acceptance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayGuard {
    /// The highest sequence number per authority.
    pub last: BTreeMap<Authority, u64>,
    /// Accepted orders: number, id and hash, oldest first.
    pub accepted: Vec<(Authority, u64, String, [u8; 32])>,
}

/// An accepted order.
#[derive(Debug, Clone, PartialEq)]
pub struct Accepted {
    /// Its valid signatures.
    pub signers: Vec<Signed>,
    /// The replay guard afterwards.
    pub replay_guard: ReplayGuard,
}

/// The result of checking an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Judgement {
    /// It is accepted.
    Accepted(Accepted),
    /// It was accepted before: nothing changes, and the answer is the same.
    Repeated,
}

/// Why an order is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// It is for another centre.
    #[error("the order is not for {0}")]
    WrongTarget(Id),
    /// A signature or key is invalid.
    #[error("{0}")]
    Signature(String),
    /// The quorum is not reached.
    #[error("{needed} different people of the roles {roles} must sign, {signed} did")]
    Quorum {
        /// Required signatures.
        needed: usize,
        /// Signatures by authorised people.
        signed: usize,
        /// Authorised roles.
        roles: String,
    },
    /// Its validity has not begun, or a clock is wrong.
    #[error("the order is for {} ms, now it is {} ms: it waits, or a clock is wrong", .not_before.0, .now.0)]
    Early {
        /// Begin of its validity.
        not_before: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// It has expired.
    #[error("the order expired at {} ms, now it is {} ms", .expires.0, .now.0)]
    Expired {
        /// End of its validity.
        expires: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// A local order with too long a validity.
    #[error("an order given on the spot is good for one hour at most")]
    LocalTooLong,
    /// The clock is not synchronised: people must compare the code.
    #[error("the gateway's clock was not synchronised: a person on the spot has to confirm the order {code}")]
    Quarantined {
        /// The code to compare.
        code: String,
    },
    /// The sequence number is not higher than the last.
    #[error("number {seq} is not above {last}: an old order, sent again")]
    Replayed {
        /// Its number.
        seq: u64,
        /// The last.
        last: u64,
    },
    /// Two different orders with one number: a key may be compromised.
    #[error(
        "number {seq} was already used by another order: ask the district by telephone, a key may be stolen"
    )]
    Equivocation {
        /// Its number.
        seq: u64,
    },
}

/// Checks an order. `confirmed` is the code that a person on site has compared, for a clock
/// that is not synchronised.
pub fn judge(
    envelope: &Envelope,
    centre: &Id,
    keyring: &Keyring,
    policy: &Policy,
    replay_guard: &ReplayGuard,
    now: Timestamp,
    clock: Clock<'_>,
) -> Result<Judgement, OrderError> {
    judge_under(Demands::ALL, envelope, centre, keyring, policy, replay_guard, now, clock)
}

/// Checks an order against some requirements only, for the model checker.
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
    replay_guard: &ReplayGuard,
    now: Timestamp,
    clock: Clock<'_>,
) -> Result<Judgement, OrderError> {
    let (order, makes) = (&envelope.order, |demand| demands.make(demand));
    if makes(Demand::Target) {
        order.target(centre).ok_or_else(|| OrderError::WrongTarget(centre.clone()))?;
    }
    let signers = envelope.signers_under(demands, keyring).map_err(OrderError::Signature)?;
    let roles = if order.authority == Authority::District { &policy.district } else { &policy.local };
    let may = |signed: &Signed| !makes(Demand::Role) || signed.roles.iter().any(|role| roles.contains(role));
    let signers: Vec<Signed> = signers.into_iter().filter(may).collect();
    // A stop needs one signature.
    let is_one_enough = order.kind == Kind::Cancel || !makes(Demand::Quorum);
    let needed = if is_one_enough { 1 } else { policy.quorum };
    if signers.len() < needed {
        return Err(OrderError::Quorum { needed, signed: signers.len(), roles: roles.join(", ") });
    }
    let known = replay_guard
        .accepted
        .iter()
        .find(|(authority, seq, ..)| (*authority, *seq) == (order.authority, order.seq));
    if let Some((.., hash)) = known.filter(|_| makes(Demand::OnceOnly)) {
        return match *hash == envelope.hash {
            true => Ok(Judgement::Repeated),
            false => Err(OrderError::Equivocation { seq: order.seq }),
        };
    }
    let last = replay_guard.last.get(&order.authority).copied().unwrap_or_default();
    if order.seq <= last && makes(Demand::Rising) {
        return Err(OrderError::Replayed { seq: order.seq, last });
    }
    in_time(demands, envelope, now, clock)?;
    let mut replay_guard = replay_guard.clone();
    replay_guard.last.insert(order.authority, order.seq.max(last));
    replay_guard.accepted.push((order.authority, order.seq, order.id.clone(), envelope.hash));
    if replay_guard.accepted.len() > REMEMBERED {
        replay_guard.accepted.remove(0);
    }
    Ok(Judgement::Accepted(Accepted { signers, replay_guard }))
}

/// How far this machine's clock can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock<'c> {
    /// Synchronised.
    Synchronised,
    /// Not synchronised; a person compared this code with the order.
    Confirmed(&'c str),
    /// Not synchronised.
    Free,
}

fn in_time(
    demands: Demands,
    envelope: &Envelope,
    now: Timestamp,
    clock: Clock<'_>,
) -> Result<(), OrderError> {
    let order = &envelope.order;
    let skew = i64::try_from(SKEW.as_millis()).unwrap_or_default();
    let longest = i64::try_from(LONGEST_LOCAL.as_millis()).unwrap_or_default();
    let is_local = order.authority == Authority::Local && demands.make(Demand::LocalIsShort);
    if is_local && order.expires.0.saturating_sub(order.not_before.0) > longest {
        return Err(OrderError::LocalTooLong);
    }
    match clock {
        Clock::Synchronised => {}
        Clock::Confirmed(code) if code == envelope.code() => return Ok(()),
        Clock::Confirmed(_) | Clock::Free if !demands.make(Demand::TrustedClock) => {}
        Clock::Confirmed(_) | Clock::Free => return Err(OrderError::Quarantined { code: envelope.code() }),
    }
    if now.0.saturating_add(skew) < order.not_before.0 && demands.make(Demand::NotEarly) {
        return Err(OrderError::Early { not_before: order.not_before, now });
    }
    if now >= order.expires && demands.make(Demand::NotExpired) {
        return Err(OrderError::Expired { expires: order.expires, now });
    }
    Ok(())
}

// === impl Envelope ===

impl Envelope {
    /// Returns the code that two people compare by telephone: the first eight digits of the hash.
    #[must_use]
    pub fn code(&self) -> String {
        linli_domain::audit::hex(&self.hash[..4])
    }
}
