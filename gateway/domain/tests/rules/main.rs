//! The rules of the domain, by what they promise.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod account;
mod alarm_state;
mod amendment;
mod assess;
mod belonging;
mod civil;
mod command;
mod convert;
mod cooling;
mod exposure;
mod hours;
mod id;
mod kiosk;
mod loss;
mod news2;
mod plausible;
mod quality;
mod quantity;
mod repeat;
mod report;
mod rollup;
mod time;
mod wash;
