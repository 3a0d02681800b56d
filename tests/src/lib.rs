//! The end-to-end tests run the real binary against a real broker, real Modbus servers and an
//! independent subscriber, and check that no message was lost.
//!
//! | modules | what they start or check |
//! |---|---|
//! | `workspace`, `gateway`, `http`, `log_in`, `broker` | a directory, the binary, requests to it, its accounts, mosquitto |
//! | `peer`, `flood`, `hl7_monitor`, `printing`, `ipp_printer`, `fhir_server`, `link`, `clock` | what is connected to a gateway |
//! | `database`, `platform`, `nats` | PostgreSQL, the district's service, NATS JetStream |
//! | `deployed` | the district as `deploy/district` sets it up, in a folder |
//! | `torture` | a district on a cluster, and what may happen to it |
//! | `prometheus` | what scrapes its metrics |
//! | `simulator` | Modbus devices with faults as data, and the property that no sample lies |
//! | `nodes`, `emulator`, `firmware` | nodes: as software, as boards in QEMU, signed images |
//! | `room`, `switching`, `operators`, `district`, `scene` | whole centres that switch their mode |
//! | `thousand` | a district of a thousand centres, and an order to all of them |
//! | `proof`, `golden`, `thirty` | what the messages, the answers and the metrics must be |
//!
//! A program that is missing on the machine makes a test fail with a sentence that says what to
//! install; no test passes by skipping.

mod broker;
mod clock;
mod database;
pub mod deployed;
pub mod devices;
mod district;
pub mod emulator;
pub mod fhir_server;
pub mod firmware;
mod flood;
mod gateway;
pub mod golden;
mod hl7_monitor;
pub mod http;
pub mod ipp_printer;
mod link;
pub mod log_in;
mod nats;
pub mod nodes;
mod operators;
mod peer;
mod platform;
pub mod printing;
pub mod prometheus;
mod proof;
pub mod room;
pub mod scene;
pub mod simulator;
pub mod switching;
pub mod thirty;
pub mod thousand;
pub mod torture;
mod workspace;

pub use broker::{Broker, Subscriber};
pub use clock::FakeClock;
pub use database::{Database, programs, unprivileged};
pub use district::{District, DistrictCentre};
pub use flood::Flood;
pub use gateway::{Gateway, binary, device, linli, signal};
pub use hl7_monitor::Hl7Monitor;
pub use link::{Held, Link};
pub use nats::Nats;
pub use operators::Operators;
pub use peer::{Cable, Peer, python};
pub use platform::Platform;
pub use proof::{Proof, Received};
pub use workspace::{Workspace, eventually, free_port, now_ms, tool};
