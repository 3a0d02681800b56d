//! Messages of the Common Alerting Protocol (OASIS CAP 1.2, ITU X.1303bis), and of GB/T 35965,
//! which uses the same elements with identifiers and times of its own.
//!
//! A message informs; it does not command. It opens a **proposal**, which people answer with a
//! signed order. Nothing in it, and no signature on it, ever moves anything by itself.

mod alert;
#[cfg(test)]
mod golden;
mod time;
mod xml;

pub use alert::{Alert, Area, Info, MsgType, Proposal, Reference, Scope, Status};
pub use xml::Malformed;

/// The only namespace that is understood.
pub const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";

/// Longest message that is looked at.
pub const LARGEST: usize = 256 * 1024;
