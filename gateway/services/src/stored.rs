//! Stored documents as the values they hold: a body that does not decode is reported, never dropped
//! unseen.

use linli_store::{Document, Documents};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The body of a document that holds `value`.
pub fn body(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The value in a document, or `None` if the body is no `T`. Then the document is reported to the
/// store with `reason`, which counts it, logs it once and keeps a copy. `reason` must not quote the
/// body, which may be personal.
pub fn decoded<T: DeserializeOwned>(store: &Documents, document: &Document, reason: &str) -> Option<T> {
    let value = serde_json::from_str(&document.body).ok();
    if value.is_none() {
        store.undecodable(&document.id, reason);
    }
    value
}

/// The values in documents, without those that do not decode; see [`decoded`].
pub fn all_decoded<T: DeserializeOwned>(store: &Documents, documents: &[Document], reason: &str) -> Vec<T> {
    documents.iter().filter_map(|document| decoded(store, document, reason)).collect()
}
