//! Measurements for other programs: pure functions from what is kept to what they read.

mod csv;
mod fhir;
pub mod haccp;
mod markdown;
mod pdf;
mod sheet;
pub mod switch;

pub use csv::csv;
pub use fhir::bundle;

use linli_domain::visit::{Version, Visit};

/// A measurement's newest version and its visit.
pub type Measured = (Option<Visit>, Version);
