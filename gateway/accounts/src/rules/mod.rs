//! The rules, pure: time and random bytes are parameters, nothing is stored and no clock is read.

pub mod account;
pub mod code;
pub mod lockout;
pub mod permission;
pub mod secret;
pub mod session;
pub mod totp;

pub use linli_domain::role;
