//! Documents of the store as typed values. A body that does not decode is reported and kept, never dropped
//! silently.

use linli_store::{Document, Documents};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Returns `value` as the body of a document.
pub fn body(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Decodes the body of a document, or returns `None`. A body that does not decode is reported to the store
/// with `reason`; the store counts it, logs it once and keeps a copy. `reason` must not quote the body, which
/// may be personal.
pub fn decoded<T: DeserializeOwned>(store: &Documents, document: &Document, reason: &str) -> Option<T> {
    let value = serde_json::from_str(&document.body).ok();
    if value.is_none() {
        store.undecodable(&document.id, reason);
    }
    value
}

/// Decodes documents and leaves out those that do not decode; see [`decoded`].
pub fn all_decoded<T: DeserializeOwned>(store: &Documents, documents: &[Document], reason: &str) -> Vec<T> {
    documents.iter().filter_map(|document| decoded(store, document, reason)).collect()
}
