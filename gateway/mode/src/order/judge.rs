//! Decides whether an order is accepted here and now.

use std::collections::BTreeSet;
use std::time::Duration;

use super::authority::{OrderRule, Signers};
use super::demand::{Demand, Demands};
use super::envelope::{Envelope, Signed};
use super::error::{Doubt, OrderError};
use super::key::Keyring;
use super::payload::{Authority, Kind, LOCAL, OWN_PREFIXES};
use super::replay_guard::{ReplayGuard, Series, WINDOW};
use super::time::{KnownTime, LONGEST_AGE};
use linli_domain::{Id, Timestamp};

/// Clocks may differ by this much.
const SKEW: Duration = Duration::from_secs(120);

/// People on the spot who confirm the code of an order, at least.
const CONFIRMING: usize = 2;

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

/// What an order is judged against.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'s> {
    /// This centre.
    pub centre: &'s Id,
    /// Its keys.
    pub keyring: &'s Keyring,
    /// Who may sign.
    pub policy: &'s Policy,
    /// The orders accepted before.
    pub replay_guard: &'s ReplayGuard,
    /// The time, as far as it is known.
    pub time: KnownTime,
    /// How long ago the order arrived first, by a clock that nobody can set.
    pub waited: Duration,
    /// What people on the spot confirmed.
    pub confirmed: Option<&'s Confirmation>,
}

/// People on the spot compared the code of an order with those who gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The code.
    pub code: String,
    /// The people.
    pub people: BTreeSet<Id>,
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

/// Checks an order.
///
/// # Errors
/// Says why it is not accepted.
pub fn judge(envelope: &Envelope, situation: &Situation<'_>) -> Result<Judgement, OrderError> {
    judge_under(Demands::ALL, envelope, situation)
}

/// Checks an order against some requirements only, for the model checker.
///
/// # Errors
/// Says why it is not accepted.
pub fn judge_under(
    demands: Demands,
    envelope: &Envelope,
    situation: &Situation<'_>,
) -> Result<Judgement, OrderError> {
    let (order, guard) = (&envelope.order, situation.replay_guard);
    if demands.make(Demand::Target) {
        order.target(situation.centre).ok_or_else(|| OrderError::WrongTarget(situation.centre.clone()))?;
    }
    let signers = signers(demands, envelope, situation)?;
    let series = Series::of(order);
    if let Some(hash) = guard.with_number(series, order.seq).filter(|_| demands.make(Demand::OnceOnly)) {
        return match hash == envelope.hash {
            true => Ok(Judgement::Repeated),
            false => Err(OrderError::Equivocation { seq: order.seq }),
        };
    }
    own_id(demands, envelope)?;
    let last = guard.highest(series);
    if let Some(last) = last.filter(|last| order.seq <= *last && demands.make(Demand::Rising)) {
        return Err(OrderError::Replayed { seq: order.seq, last });
    }
    let is_too_far = |last: &u64| order.seq > last.saturating_add(WINDOW) && demands.make(Demand::Window);
    if let Some(last) = last.filter(is_too_far) {
        return Err(OrderError::Jump { seq: order.seq, last });
    }
    let is_other = guard.with_id(&order.id).is_some_and(|hash| hash != envelope.hash);
    if is_other && demands.make(Demand::OwnId) {
        return Err(OrderError::IdUsed { id: order.id.clone() });
    }
    in_time(demands, envelope, situation)?;
    // A stop is accepted although the numbers are unknown, and tells nothing about them.
    let keeps_number = last.is_some() || order.kind != Kind::Stop;
    let replay_guard = guard.with(order, envelope.hash, keeps_number);
    Ok(Judgement::Accepted(Accepted { signers, replay_guard }))
}

/// Returns the people who signed and may, if they are enough.
fn signers(
    demands: Demands,
    envelope: &Envelope,
    situation: &Situation<'_>,
) -> Result<Vec<Signed>, OrderError> {
    let (order, policy) = (&envelope.order, situation.policy);
    let time = KnownTime { at: at_least(envelope, situation), ..situation.time };
    let signers = envelope.signers_under(demands, situation.keyring, Some(time))?;
    let roles = if order.authority == Authority::District { &policy.district } else { &policy.local };
    let has_role = |signed: &Signed| signed.roles.iter().any(|role| roles.contains(role));
    let may = |signed: &Signed| !demands.make(Demand::Role) || has_role(signed);
    let signers: Vec<Signed> = signers.into_iter().filter(may).collect();
    let needed = match OrderRule::of(order).signers {
        Signers::Quorum if demands.make(Demand::Quorum) => policy.quorum,
        Signers::Quorum | Signers::One => 1,
    };
    if signers.len() < needed {
        return Err(OrderError::Quorum { needed, signed: signers.len(), roles: roles.join(", ") });
    }
    Ok(signers)
}

/// The earliest time that it can be now: an order was signed before it came.
fn at_least(envelope: &Envelope, situation: &Situation<'_>) -> Timestamp {
    let KnownTime { at, doubt } = situation.time;
    let waited = i64::try_from(situation.waited.as_millis()).unwrap_or(i64::MAX);
    let since_signed = Timestamp(envelope.order.sent.0.saturating_add(waited));
    if doubt.is_some() { at.max(since_signed) } else { at }
}

fn own_id(demands: Demands, envelope: &Envelope) -> Result<(), OrderError> {
    let order = &envelope.order;
    let fits = match order.authority {
        Authority::Local => order.id.starts_with(LOCAL),
        Authority::District => !OWN_PREFIXES.iter().any(|prefix| order.id.starts_with(prefix)),
    };
    if fits || !demands.make(Demand::OwnId) {
        return Ok(());
    }
    Err(OrderError::ReservedId { id: order.id.clone() })
}

fn in_time(demands: Demands, envelope: &Envelope, situation: &Situation<'_>) -> Result<(), OrderError> {
    let (order, time) = (&envelope.order, situation.time);
    let ms = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    let longest = OrderRule::of(order).longest.filter(|_| demands.make(Demand::LocalIsShort));
    if longest.is_some_and(|longest| order.expires.0.saturating_sub(order.not_before.0) > ms(longest)) {
        return Err(OrderError::LocalTooLong);
    }
    let now = at_least(envelope, situation);
    if now >= order.expires && demands.make(Demand::NotExpired) {
        return Err(OrderError::Expired { expires: order.expires, now });
    }
    let is_clock_doubted = time.doubt.is_some() && demands.make(Demand::TrustedClock);
    if order.kind != Kind::Stop {
        confirmed(demands, envelope, situation)?;
    }
    if is_clock_doubted {
        return Ok(());
    }
    if now.0.saturating_add(ms(SKEW)) < order.not_before.0 && demands.make(Demand::NotEarly) {
        return Err(OrderError::Early { not_before: order.not_before, now });
    }
    if !demands.make(Demand::Recent) {
        return Ok(());
    }
    if now.0.saturating_add(ms(SKEW)) < order.sent.0 {
        return Err(OrderError::Postdated { sent: order.sent, now });
    }
    if order.sent.0.saturating_add(ms(LONGEST_AGE + SKEW)) < now.0 {
        return Err(OrderError::Backdated { sent: order.sent, now });
    }
    Ok(())
}

/// Refuses an order about which there is a doubt that nobody on the spot has resolved.
fn confirmed(demands: Demands, envelope: &Envelope, situation: &Situation<'_>) -> Result<(), OrderError> {
    let clock = situation.time.doubt.filter(|_| demands.make(Demand::TrustedClock)).map(Doubt::Clock);
    let is_lost = situation.replay_guard.highest(Series::of(&envelope.order)).is_none();
    let numbers = (is_lost && demands.make(Demand::KnownNumbers)).then_some(Doubt::Numbers);
    let why: Vec<Doubt> = clock.into_iter().chain(numbers).collect();
    let code = envelope.code();
    let people = match situation.confirmed {
        Some(given) if given.code == code || !demands.make(Demand::TwoConfirm) => given.people.len(),
        _ => 0,
    };
    let needed = if demands.make(Demand::TwoConfirm) { CONFIRMING } else { 1 };
    if why.is_empty() || people >= needed {
        return Ok(());
    }
    Err(OrderError::Quarantined { code, why, confirmed: people })
}

// === impl Envelope ===

impl Envelope {
    /// Returns the code that two people compare by telephone: the first eight digits of the hash.
    #[must_use]
    pub fn code(&self) -> String {
        linli_domain::audit::hex(&self.hash[..4])
    }
}
