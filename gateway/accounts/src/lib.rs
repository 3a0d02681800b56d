//! Who may come in: accounts with roles, how they log in, how long that holds, and the record of it.
//!
//! `rules` decides and is pure; `service` is the one task that changes accounts, sessions and screens and stores
//! them; `access` is what listeners ask for every request, without waiting for a disk.

pub mod rules;
