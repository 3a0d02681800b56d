//! What a node does, without any board.
//!
//! [`Node`] owns everything: it samples by the table of its kind, holds relays for as long as their
//! lease says, keeps its configuration through power cuts, answers Modbus requests and receives
//! signed updates. It does no I/O of its own but through the traits of embedded-hal and
//! embedded-storage and the small ones in [`board`], and it reads no clock: a board calls
//! [`Node::tick`] and [`Node::frame`] with its milliseconds. So the same code runs on a
//! microcontroller, under the tests' fakes, and as the software node of the demonstration.
#![cfg_attr(not(any(test, feature = "sim")), no_std)]

pub mod board;
mod broken;
pub mod clock;
pub mod copies;
pub mod filter;
pub mod framer;
pub mod inputs;
pub mod node;
pub mod outputs;
pub mod receiver;
pub mod retained;
#[cfg(any(test, feature = "rtc"))]
pub mod rtc;
pub mod sampler;
pub mod selftest;
pub mod sensor;
pub mod server;
pub mod settings;
#[cfg(feature = "sim")]
pub mod sim;
mod space;

pub use board::{Board, Boot, Crypto, Firmware, Hash, Parts, Watchdog};
pub use broken::Broken;
pub use node::{Line, Node, Tick};
pub use retained::Retained;
pub use server::Answer;
