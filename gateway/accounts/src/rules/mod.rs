//! The rules, pure: time and random bytes are parameters, nothing is stored and no clock is read. How people log in is
//! the same in the gateway and in the district.

pub mod permission;

pub use linli_domain::role;
pub use linli_login::{account, code, lockout, secret, session, totp};
