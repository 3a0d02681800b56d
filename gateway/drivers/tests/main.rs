//! The drivers against devices of their protocols: one program, a module for each file.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod diagnosis;
mod field;
mod formats;
mod hl7_messages;
mod line;
mod mqtt;
mod nodes;
mod noise;
mod transcripts;
