//! Orders of emergency command: content, signatures and acceptance.
//!
//! An order is a CBOR map in a COSE_Sign envelope (RFC 9052, tag 98), signed by several people
//! with Ed25519. It carries everything that is needed to decide about it, so it can come by MQTT,
//! on a USB stick or as scanned text, and be verified without a network. Nothing here reads a clock.

mod authority;
mod demand;
mod envelope;
mod error;
#[cfg(test)]
mod golden;
mod judge;
mod key;
mod payload;
mod replay_guard;
mod sorting;
pub mod text;
mod time;

pub use authority::{
    Followed, ORDER_RULES, OrderRule, OutOfScope, Signers, Touch, Which, may_touch, may_touch_under,
    order_rules_in_markdown,
};
pub use demand::{Demand, Demands};
pub use envelope::{Envelope, Signed, sign, sign_plan, verify_plan};
pub use error::{Doubt, OrderError};
pub use judge::{Accepted, Confirmation, Judgement, Policy, Situation, judge, judge_under};
pub use key::{Key, KeyId, Keyring, PublicKey, SecretKey};
pub use payload::{Authority, Kind, LOCAL, Malformed, OWN_PREFIXES, Order, PlanHash, Target};
pub use replay_guard::{AcceptedOrder, Numbers, ReplayGuard, Series, WINDOW};
pub use sorting::{Lane, OrderLanes, Signature, Sorting};
pub use time::{ClockDoubt, KnownTime, LONGEST_AGE};

/// Longest order that is read, in bytes: some 2,500 centres with a plan each. Earlier gateways read 64 KiB; each
/// tells what it reads in `status` (`order_bytes`), so that nobody sends it an order that it cannot read.
pub const LARGEST: usize = 256 * 1024;
