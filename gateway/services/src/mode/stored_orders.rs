//! Stored orders: those that rooms follow, and the guard against replayed orders.

use std::collections::BTreeMap;

use linli_domain::Timestamp;
use linli_mode::order::{Order, ReplayGuard};
use linli_mode::record::ModeEvent;
use linli_store::{Change, Document, Documents, ReadError};

use super::order_numbers::OrderNumbers;
use super::room::Room;
use crate::audit_log::Audited;

/// Id and kind of the document that stores the replay guard.
pub(super) const REPLAY_GUARD: &str = "mode-ledger";

/// Returns the replay guard: the higher of the numbers in the database and of those in the file. When
/// neither can be read, nothing is known of earlier orders.
///
/// # Errors
/// When the database cannot be read at all.
pub async fn replay_guard(documents: &Documents, kept: Option<&OrderNumbers>) -> anyhow::Result<ReplayGuard> {
    let stored = match documents.get(REPLAY_GUARD).await {
        Ok(Some(document)) => match serde_json::from_str::<ReplayGuard>(&document.body) {
            Ok(guard) => Some(guard),
            Err(error) => {
                documents.undecodable(REPLAY_GUARD, &error.to_string());
                None
            }
        },
        Ok(None) | Err(ReadError::Undecodable { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if stored.is_none() && kept.is_none() {
        tracing::error!(
            "nothing is known of the orders that were accepted before: two people on the spot confirm the next one of \
             each authority and class. A new gateway is marked with `linli order commission` before its first start"
        );
        return Ok(ReplayGuard::lost());
    }
    let is_lost = stored.as_ref().is_none_or(|guard| guard.is_lost) && kept.is_none_or(|kept| kept.is_lost);
    let guard = ReplayGuard { is_lost, ..stored.unwrap_or_default() };
    Ok(kept.map_or(guard.clone(), |kept| guard.raised(&kept.numbers)))
}

/// Returns the time of the last entry of the record, which the clock may not go back behind.
///
/// # Errors
/// When the database cannot be read.
pub async fn time_on_record(documents: &Documents) -> anyhow::Result<Timestamp> {
    let chain = documents.get(<ModeEvent as Audited>::CHAIN).await?;
    Ok(chain.map_or(Timestamp(0), |chain| chain.at))
}

/// Kind of the documents that say which plans are on record.
pub(super) const PLAN_MARK: &str = "mode-plan";

/// Id of the document that says that a plan is on record.
pub(super) fn plan_mark(key: &str, hash: &str) -> String {
    format!("{PLAN_MARK}/{key}/{hash}")
}

/// Kind of the documents that store accepted orders.
const ORDER: &str = "mode-order";

pub(super) fn order_document(order: &Order, at: linli_domain::Timestamp) -> Change {
    let body = serde_json::to_string(order).expect("an order is made of JSON values");
    Change::Document(Document { id: format!("{ORDER}/{}", order.id), kind: ORDER.to_owned(), at, body })
}

/// Returns whether another order with the id of this one was accepted.
///
/// # Errors
/// When the database cannot be read.
pub async fn is_id_used(documents: &Documents, order: &Order) -> Result<bool, ReadError> {
    let document = documents.get(&format!("{ORDER}/{}", order.id)).await?;
    let is_other = |document: Document| {
        serde_json::from_str::<Order>(&document.body).map_or(true, |stored| stored != *order)
    };
    Ok(document.is_some_and(is_other))
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
