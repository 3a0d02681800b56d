//! Orders of emergency command: content, signatures and acceptance.
//!
//! An order is a CBOR map in a COSE_Sign envelope (RFC 9052, tag 98), signed by several people
//! with Ed25519. It carries everything that is needed to decide about it, so it can come by MQTT,
//! on a USB stick or as scanned text, and be verified without a network. Nothing here reads a clock.

mod demand;
mod envelope;
#[cfg(test)]
mod golden;
mod judge;
mod key;
mod payload;
pub mod text;

pub use demand::{Demand, Demands};
pub use envelope::{Envelope, Signed, sign, sign_plan, verify_plan};
pub use judge::{Accepted, Clock, Judgement, OrderError, Policy, ReplayGuard, judge, judge_under};
pub use key::{Key, KeyId, Keyring, PublicKey, SecretKey};
pub use payload::{Authority, Kind, Malformed, Order, PlanHash, Target};

/// Longest order that is read, in bytes.
pub const LARGEST: usize = 64 * 1024;
