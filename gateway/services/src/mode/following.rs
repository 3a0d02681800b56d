//! What an accepted order still has to begin: the plans of an amendment, and the return of what a cancellation ended.
//! It is stored with the order and begun in the next transaction, by the next process if this one ends before it.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_mode::order::{Kind, Order};
use linli_mode::{Cause, Direction};
use linli_store::{Change, Document, Documents};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::batching::RETRY_AFTER;
use super::commit::Decision;
use super::engine::Engine;
use super::orders::{RoomOrder, run};
use linli_config::CheckedPlan;

/// Id and kind of the document.
const FOLLOWING: &str = "mode-following";

/// An order, and the plans that begin under it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Following {
    order: Order,
    /// `id@version` of each.
    plans: Vec<String>,
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

// === impl Following ===

impl Following {
    /// What begins under an order: the plans that wait for its first transitions, and the way back of every room whose
    /// run it cancels after that had begun. `None` for nothing.
    pub(super) fn of(
        engine: &Engine,
        order: &Order,
        wanted: &[RoomOrder],
        decided: &[Decision],
    ) -> Option<Self> {
        let cancelled = decided.iter().filter(|_| order.kind == Kind::Cancel).filter_map(|decision| {
            let ran = decision.next().run.as_ref()?;
            let is_cancelled = ran.causes.contains(&Cause::Cancel) && !ran.is_return();
            let plan = Some(decision.plan()).filter(|_| is_cancelled && ran.order.class == order.class)?;
            engine.setup.way_back(&plan.brief)
        });
        let plans: Vec<&Arc<CheckedPlan>> =
            wanted.iter().map(|wanted| &wanted.plan).chain(cancelled).collect();
        let plans: Vec<String> = plans.into_iter().map(|plan| plan.brief.plan.key()).collect();
        (!plans.is_empty()).then(|| Self { order: order.clone(), plans })
    }
}

// === impl Engine ===

impl Engine {
    /// Begins what follows an accepted order, all in one transaction. What cannot be stored is begun later; what has no
    /// plan any more, would enter after the order has expired, or is refused is told and given up.
    pub(super) async fn begin_following(&mut self) {
        let Some(following) = self.following.take() else { return };
        let now = self.known_time().at;
        let (order, mut decided) = (&following.order, Vec::new());
        for key in &following.plans {
            let Some(plan) = self.setup.plan(key).cloned() else {
                tracing::error!(
                    plan = key,
                    order = order.id,
                    "the plan could not begin: it is no longer there"
                );
                continue;
            };
            if plan.brief.plan.direction == Direction::Enter && now >= order.expires {
                tracing::error!(
                    plan = key,
                    order = order.id,
                    "the plan could not begin: the order has expired"
                );
                continue;
            }
            let RoomOrder { room, plan, event } = run(order, &plan);
            match self.decide(room, Some(&plan), event, Some("the order".to_owned()), None) {
                Ok(Some(decision)) => decided.push(decision),
                Ok(None) => {}
                Err(refused) => {
                    tracing::error!(%refused, plan = key, order = order.id, "the plan could not begin");
                }
            }
        }
        let at = self.deps.clock.now().at;
        if let Err(error) = self.commit(decided, Vec::new(), vec![document(None, at)], Vec::new()).await {
            tracing::error!(%error, order = order.id, "what follows the order cannot be stored: tried again");
            self.following = Some(following);
            self.retry_at = Some(Instant::now() + RETRY_AFTER);
        }
    }
}
