//! What stays of a visit that a person erased: that it was erased, so that no outreach file brings it back, and so that a
//! FHIR server that has it is asked to erase it as well.

use linli_domain::Timestamp;
use linli_domain::visit::Visit;
use linli_services::ServiceError;
use linli_services::stored::body;
use linli_store::{Change, Document, Documents};
use serde::{Deserialize, Serialize};

/// Kind of the documents.
const KIND: &str = "visit-erased";

/// A visit that was erased. It has no value and no name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErasedVisit {
    /// Pseudonym of the resident, if one was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonym: Option<String>,
    /// Whether the resident was erased with it.
    pub resident: bool,
}

// === impl ErasedVisit ===

impl ErasedVisit {
    /// What is known of an erased visit; `None` if it was not erased by a person.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn find(documents: &Documents, visit: &str) -> Result<Option<Self>, ServiceError> {
        let stored = documents.get(&id(visit)).await?;
        Ok(stored.map(|stored| {
            let nothing_more = Self { pseudonym: None, resident: false };
            serde_json::from_str(&stored.body).unwrap_or(nothing_more)
        }))
    }

    /// Remembers that a visit is erased.
    pub(super) fn mark(visit: &Visit, resident: bool, at: Timestamp) -> Change {
        let erased = Self { pseudonym: visit.pseudonym.clone(), resident };
        Change::Document(Document { id: id(&visit.id), kind: KIND.to_owned(), at, body: body(&erased) })
    }
}

fn id(visit: &str) -> String {
    format!("{KIND}/{visit}")
}
