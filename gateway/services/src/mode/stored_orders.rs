//! Stored orders: those that rooms follow, and the guard against replayed orders.

use std::collections::BTreeMap;

use linli_mode::order::{Order, ReplayGuard};
use linli_store::{Change, Document, Documents};

use super::room::Room;

/// Id and kind of the document that stores the replay guard.
pub(super) const REPLAY_GUARD: &str = "mode-ledger";

/// Returns the stored replay guard, or an empty one.
pub async fn replay_guard(documents: &Documents) -> anyhow::Result<ReplayGuard> {
    Ok(match documents.get(REPLAY_GUARD).await? {
        Some(document) => serde_json::from_str(&document.body)?,
        None => ReplayGuard::default(),
    })
}

/// Kind of the documents that store accepted orders.
const ORDER: &str = "mode-order";

pub(super) fn order_document(order: &Order, at: linli_domain::Timestamp) -> Change {
    let body = serde_json::to_string(order).expect("an order is made of JSON values");
    Change::Document(Document { id: format!("{ORDER}/{}", order.id), kind: ORDER.to_owned(), at, body })
}

/// Returns the orders that rooms follow, by id.
pub async fn followed(
    documents: &Documents,
    rooms: impl Iterator<Item = &Room>,
) -> anyhow::Result<BTreeMap<String, Order>> {
    let mut found = BTreeMap::new();
    for room in rooms {
        let Some(run) = &room.state.run else { continue };
        let document = documents.get(&format!("{ORDER}/{}", run.order.id)).await?;
        if let Some(order) = document.and_then(|document| serde_json::from_str(&document.body).ok()) {
            found.insert(run.order.id.clone(), order);
        }
    }
    Ok(found)
}
