//! Modbus RTU, TCP and RTU-over-TCP: the acquisition engine.
//!
//! `profile` (of the crate `linli-profiles`) says what a model's registers mean, `planner` which requests read them, `plan` what
//! a checked line looks like. The rest turns the plan into frames: `wire` (of the same crate) makes and cuts them,
//! `link` exchanges them, `schedule` and `breaker` decide who is asked next, `task` owns the line.

mod breaker;
mod budget;
mod decode;
pub mod diagnosis;
mod link;
pub mod maintenance;
pub mod plan;
pub mod probe;
mod schedule;
mod session;
mod settings;
mod task;
mod timer;
mod transport;

pub use linli_profiles::{codec, data, planner, profile, wire};
pub use maintenance::RegisterRequest;
pub use settings::{Modbus, RTU, RTU_OVER_TCP, TCP};
pub use task::run_on;
pub use timer::Timer;
pub use transport::{Opener, Real, Stream};
