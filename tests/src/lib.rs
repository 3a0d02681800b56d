//! The stage for end-to-end tests: the real binary, a real broker, real Modbus servers, an
//! independent subscriber, and the proof that nothing was lost.
//!
//! What is missing on the machine makes a test fail with a sentence that says what to install;
//! nothing passes by skipping.

mod broker;
mod clock;
mod crew;
pub mod devices;
mod district;
pub mod emulator;
pub mod firmware;
mod flood;
mod gateway;
pub mod golden;
pub mod http;
mod lab;
mod link;
pub mod nodes;
mod peer;
pub mod printing;
mod proof;
pub mod room;
pub mod scene;
mod stage;
pub mod switching;
pub mod thirty;

pub use broker::{Broker, Subscriber};
pub use clock::FakeClock;
pub use crew::Crew;
pub use district::{District, Place};
pub use flood::Flood;
pub use gateway::{Gateway, binary, device, linli};
pub use lab::Lab;
pub use link::{Held, Link};
pub use peer::{Cable, Peer, python};
pub use proof::{Proof, Received};
pub use stage::{Stage, eventually, free_port, now_ms, tool};
