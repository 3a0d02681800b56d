//! What health-cabin devices send: what is decoded, and what is rejected.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod acknowledge;
mod blood_pressure;
mod contec;
mod float;
mod glucose;
mod heart_rate;
mod mllp;
mod nonin;
mod oru;
mod oximeter;
mod spot;
mod thermometer;
mod weight;
mod zone;
