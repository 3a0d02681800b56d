//! Frames, messages and files of devices: what is decoded, and what is rejected.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

mod acknowledge;
mod blood_pressure;
mod codec;
mod contec;
mod duration;
mod float;
mod glucose;
mod heart_rate;
mod mbap;
mod mllp;
mod nonin;
mod oru;
mod oximeter;
mod pdu;
mod printer;
mod report;
mod rtu;
mod spot;
mod thermometer;
mod weight;
mod zigbee;
mod zone;
