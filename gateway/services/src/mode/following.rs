//! What an accepted order still has to begin: the plans of an amendment, and the return of what a cancellation ended.
//! It is stored with the order; `follow_up` begins it.

use linli_domain::Timestamp;
use linli_mode::order::Order;
use linli_store::{Change, Document, Documents};
use serde::{Deserialize, Serialize};

/// Id and kind of the document.
const FOLLOWING: &str = "mode-following";

/// An order, and the plans that begin under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Following {
    pub order: Order,
    /// `id@version` of each.
    pub plans: Vec<String>,
}

/// The document that stores it; `None` when nothing has to begin any more.
pub(super) fn document(following: Option<&Following>, at: Timestamp) -> Change {
    let body = serde_json::to_string(&following).expect("an order is made of JSON values");
    Change::Document(Document { id: FOLLOWING.to_owned(), kind: FOLLOWING.to_owned(), at, body })
}

/// What the process before this one left.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn stored(documents: &Documents) -> anyhow::Result<Option<Following>> {
    let Some(document) = documents.get(FOLLOWING).await? else { return Ok(None) };
    match serde_json::from_str(&document.body) {
        Ok(following) => Ok(following),
        Err(error) => {
            documents.undecodable(FOLLOWING, &error.to_string());
            Ok(None)
        }
    }
}
