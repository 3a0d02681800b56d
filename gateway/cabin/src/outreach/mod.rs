//! Outreach (巡诊): visits that were taken in the field with a box of their own join the register of the centre.
//!
//! The box writes a file in which every line is sealed; the centre checks it, shows what it would bring, and reads it. Reading it again changes nothing.

mod export;
mod file;
mod import;
mod preview;
mod resolve;

use linli_domain::Timestamp;
use linli_domain::visit::{Version, Visit};
use linli_domain::vital::AttachmentInfo;
use serde::{Deserialize, Serialize};

use crate::Identity;

pub use export::{ExportPage, ExportPlace};
pub use file::{FileError, Header, OutreachFile};
pub use import::{Doubt, DoubtRecord, ImportReport};
pub use preview::{ImportPreview, PreviewKind, PreviewResident};

/// Kind of the stored doubts about residents.
const DOUBT: &str = "outreach-doubt";

/// One line of a file, before it is sealed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// A resident who has had no visit.
    Resident(Box<Person>),
    /// A visit that has ended, with every version of what belongs to it.
    Visit(Box<VisitItem>),
    /// A measurement that belongs to nobody.
    Measurement(Vec<Version>),
    /// A document of a measurement; its line follows that of the measurement.
    Document(DocumentItem),
    /// The end of the file: without it the file was cut off.
    End {
        /// Number of lines before this one.
        lines: u64,
    },
}

/// A resident as the box knows them.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Person {
    /// Pseudonym in the box.
    pub pseudonym: String,
    /// Who it is, with the numbers of records that were joined to this one.
    pub identity: Identity,
    /// Time of the latest visit, Unix milliseconds UTC by the clock of the box.
    pub at: Timestamp,
}

/// A visit with what belongs to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VisitItem {
    /// The visit.
    pub visit: Visit,
    /// Its resident, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// Every version of each measurement, by measurement, the first version first.
    pub versions: Vec<Version>,
}

/// A document of a measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DocumentItem {
    /// Id of the measurement.
    pub measurement: String,
    /// Its number among the documents of that measurement, from 0.
    pub number: usize,
    /// What it is.
    pub info: AttachmentInfo,
    /// Its bytes, Base64.
    pub data: String,
}
