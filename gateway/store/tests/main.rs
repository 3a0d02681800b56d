//! The store through its public interface: one program, a module for each file.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod cabin;
mod caps;
mod device;
mod documents;
mod fillers;
mod full;
mod golden;
mod heal;
mod history;
mod journal;
mod late_close;
mod outbox;
mod power_cut;
mod sealing;
mod support;
mod trail;
mod undecodable;
mod undecodable_limits;
