//! The rules of the mode switch, by what they promise.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod checkpoint;
mod expression;
mod key;
mod policy;
mod truth;
