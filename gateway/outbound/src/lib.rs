//! What leaves the health cabin: result slips for residents, print jobs for its printer, visits for a FHIR server.
//!
//! Two services with a queue each, which is in the store: a restart continues where the process was killed. Neither
//! queue holds a value or a name. A job says which visit; what leaves is made from the stored visit at that moment, so
//! that an erased visit is in no queue.

pub mod fhir;
#[cfg(test)]
mod golden;
mod http;
pub mod print;
mod slip;

pub use slip::{SlipMaker, SlipOrder};
