//! Begins what follows an accepted order, in the transaction after the order's own: in this process, or in the next one
//! if this one ends before it.

use std::sync::Arc;

use linli_mode::order::{Kind, Order};
use linli_mode::{Cause, Direction};
use tokio::time::Instant;

use super::batching::RETRY_AFTER;
use super::commit::Decision;
use super::engine::Engine;
use super::following::{self, Following};
use super::orders::{RoomOrder, run};
use linli_config::CheckedPlan;

// === impl Engine ===

impl Engine {
    /// What begins under an order: the plans that wait for its first transitions, and the way back of every room whose
    /// run it cancels after that had begun. `None` for nothing.
    pub(super) fn follow_up(
        &self,
        order: &Order,
        wanted: &[RoomOrder],
        decided: &[Decision],
    ) -> Option<Following> {
        let cancelled = decided.iter().filter(|_| order.kind == Kind::Cancel).filter_map(|decision| {
            let ran = decision.next().run.as_ref()?;
            let is_cancelled = ran.causes.contains(&Cause::Cancel) && !ran.is_return();
            let plan = Some(decision.plan()).filter(|_| is_cancelled && ran.order.class == order.class)?;
            self.setup.way_back(&plan.brief)
        });
        let plans: Vec<&Arc<CheckedPlan>> =
            wanted.iter().map(|wanted| &wanted.plan).chain(cancelled).collect();
        let plans: Vec<String> = plans.into_iter().map(|plan| plan.brief.plan.key()).collect();
        (!plans.is_empty()).then(|| Following { order: order.clone(), plans })
    }

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
        if let Err(error) =
            self.commit(decided, Vec::new(), vec![following::document(None, at)], Vec::new()).await
        {
            tracing::error!(%error, order = order.id, "what follows the order cannot be stored: tried again");
            self.following = Some(following);
            self.retry_at = Some(Instant::now() + RETRY_AFTER);
        }
    }
}
