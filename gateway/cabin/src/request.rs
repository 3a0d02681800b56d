//! Requests to the cabin service.

use linli_domain::visit::{Context, CriticalDecision, Ending, OpenedBy, Version, Visit};
use linli_domain::vital::{Quantity, Reading};
use linli_domain::{Id, Timestamp};
use serde::Deserialize;

use super::Identity;
use super::outreach::{Header, ImportReport, Item};

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
    /// The version of the consent text that the resident agreed to; of a registered resident, by default that of the
    /// latest visit.
    pub consent: Option<String>,
    /// Pseudonym of a registered resident, in place of `identity`.
    #[serde(default)]
    pub resident: Option<String>,
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
    /// Adds a measurement that a person took with a device that is not connected, or wrote down.
    Enter {
        /// Id of the visit.
        visit: String,
        /// What was measured.
        readings: Vec<Reading>,
        /// What else is known.
        context: Option<Context>,
        /// When it was measured, Unix milliseconds UTC; without it now.
        at: Option<Timestamp>,
        /// Reason given by the person.
        why: String,
    },
    /// Begins the guided series of blood pressures, or ends it.
    Guide {
        /// Id of the visit.
        visit: String,
        /// Whether it begins; else it ends.
        begins: bool,
    },
    /// Answers a critical value.
    Answer {
        /// Id of the visit.
        visit: String,
        /// Id of the measurement.
        measurement: String,
        /// The quantity.
        quantity: Quantity,
        /// The number as the person read it back.
        read_back: String,
        /// What was decided.
        decision: CriticalDecision,
    },
    /// Registers a resident, or changes what the register says.
    Register {
        /// Pseudonym of a registered resident; without it the numbers decide.
        pseudonym: Option<String>,
        /// Who it is.
        identity: Box<Identity>,
        /// The version of the consent text that the resident agreed to.
        consent: Option<String>,
    },
    /// Joins the record of one resident to that of another.
    Merge {
        /// Pseudonym of the record that is joined.
        from: String,
        /// Pseudonym of the record that stays.
        into: String,
        /// Reason given by the person.
        why: String,
    },
    /// Takes a record apart again that was joined to another.
    Unmerge {
        /// Pseudonym of the record that was joined.
        from: String,
        /// Reason given by the person.
        why: String,
    },
    /// Takes items of an outreach file.
    Import {
        /// The header of the file.
        header: Header,
        /// The items, in their order.
        items: Vec<Item>,
    },
    /// Says that somebody of an outreach is nobody else in the register.
    KeepApart {
        /// Pseudonym of the record that came with the file.
        pseudonym: String,
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
    /// The resident's pseudonym, and how many visits were changed.
    Resident {
        /// Pseudonym of the resident.
        pseudonym: String,
        /// Number of changed visits.
        visits: usize,
    },
    /// What was taken of an outreach file.
    Imported(Box<ImportReport>),
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
