//! Why an order is refused, or waits.

use super::key::KeyId;
use super::payload::{LOCAL, OWN_PREFIXES};
use super::replay_guard::WINDOW;
use super::time::{ClockDoubt, LONGEST_AGE};
use linli_domain::{Id, Timestamp};

/// What keeps an order in quarantine until two people on the spot confirm its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The clock is not trusted.
    #[error("{0}")]
    Clock(ClockDoubt),
    /// The numbers of the orders that were accepted before are not known.
    #[error("the gateway does not know which orders it accepted before")]
    Numbers,
}

/// Why an order is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OrderError {
    /// It is for another centre.
    #[error("the order is not for {0}")]
    WrongTarget(Id),
    /// A district's order has an id that the centre gives only to its own, or the other way round.
    #[error(
        "the id {id:?} does not fit: orders given on the spot begin with \"{LOCAL}\", and ids that begin \
         with {own} are the centre's own", own = OWN_PREFIXES.join(", ")
    )]
    ReservedId {
        /// Its id.
        id: String,
    },
    /// Another order with this id was accepted.
    #[error("the id {id:?} was already used by another order: give it a new one")]
    IdUsed {
        /// Its id.
        id: String,
    },
    /// A signature or key is invalid.
    #[error("{0}")]
    Signature(String),
    /// A key that was revoked has signed: whoever has it is a thief.
    #[error("key {key} of {person} is revoked: ask by telephone who signed with it")]
    Revoked {
        /// The key.
        key: KeyId,
        /// Its owner.
        person: Id,
    },
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
    #[error("the order expired at {} ms, now it is {} ms at least", .expires.0, .now.0)]
    Expired {
        /// End of its validity.
        expires: Timestamp,
        /// Now, or the earliest time that it can be now.
        now: Timestamp,
    },
    /// It says that it was signed in the future.
    #[error("the order says that it was signed at {} ms, now it is {} ms: a clock is wrong", .sent.0, .now.0)]
    Postdated {
        /// When it says that it was signed.
        sent: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// It was signed long ago.
    #[error(
        "the order was signed at {} ms, more than {} days before now ({} ms): sign a new one",
        .sent.0, LONGEST_AGE.as_secs() / 86_400, .now.0
    )]
    Backdated {
        /// When it says that it was signed.
        sent: Timestamp,
        /// Now.
        now: Timestamp,
    },
    /// A local order with too long a validity.
    #[error("an order given on the spot is good for one hour at most")]
    LocalTooLong,
    /// It waits until two people on the spot have compared its code.
    #[error(
        "{}: two different people on the spot compare the code {code} with whoever gave the order; {} did so far",
        .why.iter().map(ToString::to_string).collect::<Vec<_>>().join(", and "), .confirmed
    )]
    Quarantined {
        /// The code to compare.
        code: String,
        /// Why.
        why: Vec<Doubt>,
        /// How many people confirmed it.
        confirmed: usize,
    },
    /// The sequence number is not higher than the last.
    #[error("number {seq} is not above {last}: an old order, sent again; a new one needs a higher number")]
    Replayed {
        /// Its number.
        seq: u64,
        /// The last.
        last: u64,
    },
    /// The sequence number is so high that it would use up the numbers of later orders.
    #[error(
        "number {seq} is too far above {last}, {WINDOW} more at most: ask the district by telephone, a key \
         may be stolen"
    )]
    Jump {
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

// === impl OrderError ===

impl OrderError {
    /// The name of the security alarm that the refusal raises, if it does: somebody who should not
    /// have a key may have signed.
    #[must_use]
    pub const fn alarm(&self) -> Option<&'static str> {
        match self {
            Self::Equivocation { .. } => Some("equivocation"),
            Self::Jump { .. } => Some("number_jump"),
            Self::Backdated { .. } => Some("backdated"),
            Self::Revoked { .. } => Some("revoked_key"),
            _ => None,
        }
    }
}
