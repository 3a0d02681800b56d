//! Documents of the store as typed values. A body that does not decode is reported and kept, never dropped
//! silently.

use linli_store::{Change, Document, Documents, Entry, NotDurable};
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

/// Stores documents of which each group belongs together. In a full store each group is tried by itself, so that one
/// that no longer fits keeps no other waiting: one that replaces what is there always fits.
///
/// # Errors
/// The groups that are not stored, and why the last of them is not.
pub async fn keep_apart(
    store: &Documents,
    groups: Vec<Vec<Change>>,
) -> Result<(), (Vec<Vec<Change>>, NotDurable)> {
    let entry = |changes: Vec<Change>| Entry { changes, ..Entry::default() };
    if groups.is_empty() {
        return Ok(());
    }
    match store.keep(entry(groups.concat())).await {
        Ok(()) => return Ok(()),
        Err(NotDurable::Full(_)) if groups.len() > 1 => {}
        Err(error) => return Err((groups, error)),
    }
    let (mut left, mut why) = (Vec::new(), None);
    for group in groups {
        if let Err(error) = store.keep(entry(group.clone())).await {
            left.push(group);
            why = Some(error);
        }
    }
    why.map_or(Ok(()), |why| Err((left, why)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use linli_domain::Timestamp;
    use linli_store::{Settings, Store};

    use super::*;

    fn page(id: &str, bytes: usize) -> Vec<Change> {
        let body = format!("\"{}\"", "x".repeat(bytes));
        vec![Change::Document(Document {
            id: id.to_owned(),
            kind: "cycle".to_owned(),
            at: Timestamp(1),
            body,
        })]
    }

    #[tokio::test]
    async fn what_no_longer_fits_keeps_nothing_else_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            path: dir.path().join("linli.db"),
            max_bytes: 4 << 20,
            max_age: None,
            commit_interval: Duration::from_millis(1),
            history_retention: Duration::from_secs(3600),
        };
        let (store, _) = Store::open(settings, Arc::new(|| Timestamp(1))).await.unwrap();
        let documents = store.documents();
        let mut number = 0;
        while keep_apart(&documents, vec![page(&format!("cycle/{number:04}"), 5000)]).await.is_ok() {
            number += 1;
            assert!(number < 1000, "the share has an end");
        }
        let groups = vec![page("cycle/0000", 4999), page("cycle/new", 5000), page("cycle/0001", 4998)];
        let (left, why) = keep_apart(&documents, groups).await.unwrap_err();
        assert_eq!(format!("{left:?}"), format!("{:?}", [page("cycle/new", 5000)]));
        assert!(matches!(why, NotDurable::Full(_)), "{why}");
        for (id, bytes) in [("cycle/0000", 4999), ("cycle/0001", 4998)] {
            let kept = documents.get(id).await.unwrap().unwrap();
            assert_eq!(kept.body.len(), bytes + 2, "{id} was replaced");
        }
        store.close().await;
    }
}
