//! Frames, messages and files of devices: what is decoded, and what is rejected.

mod codec;
mod duration;
mod mbap;
mod pdu;
mod printer;
mod report;
mod rtu;
mod zigbee;
