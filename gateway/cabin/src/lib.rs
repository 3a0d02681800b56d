//! The health cabin: makes measurements durable, binds them to visits, protects the residents' identities.
//!
//! One task owns the visits, so a visit cannot change while a measurement is bound to it. It takes
//! measurements from the lines and requests from people, and answers both when the result is on the disk.

use std::time::Duration;

use linli_domain::Id;

mod attachments;
mod audited_reader;
#[cfg(test)]
mod belonging_tests;
mod corrections;
mod critical_watch;
mod erased;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod golden_site;
mod identity;
mod measurement_seal;
mod measuring;
mod outreach;
mod patient_query;
mod person_view;
mod register_reader;
mod request;
mod resident_keys;
mod residents;
mod rooms;
mod seal_pass;
mod service;
mod steady;
mod timing;
mod visit_view;
mod worker_acts;

pub use audited_reader::{AuditedReader, MeasurementFilter};
pub use erased::ErasedVisit;
pub use identity::{Identity, check_digit};
pub use outreach::{
    Doubt, DoubtRecord, ExportPage, ExportPlace, FileError, Header, ImportPreview, ImportReport, Item,
    OutreachFile, PreviewKind, PreviewResident,
};
pub use person_view::{FollowUpView, PersonView};
pub use register_reader::{ResidentView, SheetView};
pub use request::{Action, NewVisit, Outcome, Request};
pub use resident_keys::ResidentKeys;
pub use service::{CabinService, Deps, Health};
pub use steady::Steady;
pub use visit_view::{CabinView, Counts, CriticalView, SeriesView, ValueView, VisitView};
pub use worker_acts::BY_HAND;

/// A computed value of a cabin that is older than this is stale.
pub const STALE_AFTER: Duration = Duration::from_secs(120);

/// Id of the line under which the computed values of cabins appear.
#[must_use]
pub fn line() -> Id {
    Id::new("cabin").expect("an id")
}

/// Bound of the queue of measurements.
pub const MEASUREMENT_QUEUE: usize = 64;

/// Bound of the request queue.
pub const REQUEST_QUEUE: usize = 64;
