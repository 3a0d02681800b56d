//! Requests to the cabin service.

use linli_domain::Id;
use linli_domain::visit::{Context, Ending, OpenedBy, Version, Visit};
use linli_domain::vital::Reading;
use serde::Deserialize;

use super::Identity;

/// A visit to be opened.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewVisit {
    /// The cabin; needed only where the centre has several.
    pub room: Option<Id>,
    /// `card`, `code` or `worker`.
    #[serde(default = "by_worker")]
    pub by: OpenedBy,
    /// Identity of the resident; it needs `consent`.
    pub identity: Option<Identity>,
    /// A number that stands for the resident in place of a name.
    pub code: Option<String>,
    /// The version of the consent text that the resident agreed to.
    pub consent: Option<String>,
}

const fn by_worker() -> OpenedBy {
    OpenedBy::Worker
}

/// A request to the cabin service.
#[derive(Debug)]
pub enum Action {
    /// Opens a visit; the one before it in that room ends.
    Open(NewVisit),
    /// Ends a visit.
    End {
        /// Id of the visit.
        visit: String,
        /// How it ended.
        ending: Ending,
    },
    /// Assigns a measurement to a visit, or to none.
    Assign {
        /// Id of the measurement.
        measurement: String,
        /// Id of the visit.
        visit: Option<String>,
        /// Reason given by the person.
        why: String,
    },
    /// Corrects readings, or adds the context that the device cannot know.
    Correct {
        /// Id of the measurement.
        measurement: String,
        /// All its readings after the correction.
        readings: Option<Vec<Reading>>,
        /// The context to add.
        context: Option<Context>,
        /// Reason given by the person.
        why: String,
    },
    /// Marks a measurement as entered in error.
    Withdraw {
        /// Id of the measurement.
        measurement: String,
        /// Reason given by the person.
        why: String,
    },
    /// Erases a visit with everything measured during it.
    EraseVisit {
        /// Id of the visit.
        visit: String,
        /// Reason given by the person.
        why: String,
    },
    /// Erases a resident: identity, visits, measurements.
    EraseResident {
        /// Pseudonym of the resident.
        pseudonym: String,
        /// Reason given by the person.
        why: String,
    },
}

/// The result of an action.
#[derive(Debug)]
pub enum Outcome {
    /// The visit as it is now.
    Visit(Box<Visit>),
    /// The measurement's newest version.
    Version(Box<Version>),
    /// How many visits and measurements were erased.
    Erased {
        /// Number of erased visits.
        visits: usize,
        /// Number of erased measurements.
        measurements: usize,
    },
}

/// A request in the queue of the service.
pub type Request = linli_services::client::Request<Action, Outcome>;
