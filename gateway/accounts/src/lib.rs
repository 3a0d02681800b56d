//! Who may come in: accounts with roles, how they log in, how long that holds, and the record of it.
//!
//! `rules` decides and is pure; `service` is the one task that changes accounts, sessions and screens and stores
//! them; `access` is what listeners ask for every request, without waiting for a disk.

mod access;
mod client;
mod directory;
mod manage;
mod record;
mod request;
pub mod rules;
mod service;

pub use access::{Access, LiveSession, Snapshot};
pub use client::Accounts;
pub use directory::{BREAK_GLASS_ROLES, EnrolledScreen};
pub use record::SecurityEvent;
pub use request::{AccountError, Answer, Claim, Manage, Opened};
pub use rules::session::Validity;
pub use service::{AccountService, Asked, BREAK_GLASS_ACCOUNT, Deps};

#[cfg(test)]
mod golden;
#[cfg(test)]
mod tests;
