//! How people log in, pure: time and random bytes are parameters, nothing is stored and no clock is read. The gateway
//! and the district store it each in their own way.

pub mod account;
pub mod argon2id;
pub mod code;
pub mod lockout;
pub mod secret;
pub mod session;
pub mod totp;
