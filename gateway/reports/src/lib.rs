//! Reports as pure functions: stored records in; CSV, FHIR R4, HTML, Markdown or PDF out.

pub mod fhir;
mod fingerprint;
pub mod haccp;
mod markdown;
mod measurements;
mod pages;
pub mod pdf;
pub mod record;
pub mod sheet;
pub mod slip;
pub mod spreadsheet;
pub mod switch;
pub mod timeline;
pub mod visit_text;

pub use fhir::bundle;
pub use fingerprint::{Fingerprint, fingerprint_sheet};
pub use measurements::csv;
pub use pages::{one_bundle, one_table};

use linli_domain::visit::{Version, Visit};

/// The newest version of a measurement, with the visit it belongs to.
pub type Measured = (Option<Visit>, Version);
