//! Orders from the broker on their way to the mode switch. Whoever may publish there can send more than can be judged;
//! they are sorted first (`linli_mode::order::Sorting`). What there is no room for is dropped and counted.

use std::sync::Arc;

use linli_mode::order::{Lane, OrderLanes, Sorting};
use linli_uplink::InboundOrder;
use tokio::sync::{mpsc, watch};

use super::deferred_queue::DeferredQueue;
use super::metrics::{DROPPED, Health};

/// Most orders that wait in a lane.
const MOST: usize = 32;

/// What is handed over by itself, and what goes first among the others.
const STOPS: &[Lane] = &[Lane::Stop];
const OTHERS: &[Lane] = &[Lane::Signed, Lane::Other];

/// Longest input that is looked at whole: an order as text, or an alert message. What is longer is refused for its
/// length, of which this much is left.
const LONGEST: usize = 512 * 1024;

/// The orders that wait.
#[derive(Debug)]
struct Waiting {
    lanes: OrderLanes<InboundOrder>,
    sorting: watch::Receiver<Arc<Sorting>>,
    health: Arc<Health>,
}

/// Sorts what arrives until that ends. Returns the orders to stop, and the others, each lane in its order.
pub(super) fn start(
    mut arriving: mpsc::Receiver<InboundOrder>,
    sorting: watch::Receiver<Arc<Sorting>>,
    health: Arc<Health>,
) -> (DeferredQueue<InboundOrder>, mpsc::Receiver<InboundOrder>) {
    // Of what was handed over nothing is overtaken any more.
    let ((stops, stop_orders), (others, orders)) = (mpsc::channel(1), mpsc::channel(1));
    let mut waiting = Waiting { lanes: OrderLanes::of(MOST), sorting, health };
    tokio::spawn(async move {
        loop {
            waiting.hand_over(&stops, &others);
            let (has_stops, has_others) = (waiting.lanes.has(STOPS), waiting.lanes.has(OTHERS));
            tokio::select! {
                order = arriving.recv() => match order {
                    Some(order) => waiting.take(order),
                    None => return,
                },
                Ok(permit) = stops.reserve(), if has_stops => drop(permit),
                Ok(permit) = others.reserve(), if has_others => drop(permit),
                () = others.closed() => return,
            }
        }
    });
    (DeferredQueue::new(stop_orders), orders)
}

// === impl Waiting ===

impl Waiting {
    /// Puts an order into its lane; counts it if there is no room.
    fn take(&mut self, mut order: InboundOrder) {
        order.payload.truncate(LONGEST);
        let sorting = Arc::clone(&self.sorting.borrow_and_update());
        let (lane, signature) = match order.retained {
            true => (Lane::Other, None),
            false => sorting.lane(&order.payload),
        };
        if !self.lanes.put(lane, signature, order) {
            self.health.ordered(DROPPED);
        }
    }

    /// Hands over what the mode switch has room for.
    fn hand_over(&mut self, stops: &mpsc::Sender<InboundOrder>, others: &mpsc::Sender<InboundOrder>) {
        for (lanes, queue) in [(STOPS, stops), (OTHERS, others)] {
            if self.lanes.has(lanes)
                && let Ok(permit) = queue.try_reserve()
                && let Some(order) = self.lanes.next(lanes)
            {
                permit.send(order);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use linli_mode::Class;
    use linli_mode::order::Kind;

    use super::*;
    use crate::golden::site::Site;
    use crate::mode::golden::engine;
    use crate::mode::order_tests::{order, signed};

    #[tokio::test]
    async fn a_signed_order_and_a_stop_get_through_a_flood_of_others() {
        let site = Site::open().await;
        let (engine, ..) = engine(&site).await;
        let inbound = |seq: u64, kind: Kind, people: usize| {
            let order = order(&engine, seq, kind, Class::Actual, &[]);
            InboundOrder { payload: signed(&order, people).bytes(), retained: false }
        };
        let (sender, arriving) = mpsc::channel(4096);
        let health = Arc::new(Health::default());
        (0..1000).for_each(|nth| sender.try_send(inbound(100 + nth, Kind::Enter, 0)).unwrap());
        let (enter, stop) = (inbound(6, Kind::Enter, 2), inbound(7, Kind::Stop, 1));
        // Whoever sends one that is signed again and again, or with a signature taken off, takes nobody's place.
        let fewer = inbound(6, Kind::Enter, 1);
        for order in [&enter, &fewer, &enter, &fewer, &stop, &stop] {
            sender.try_send(order.clone()).unwrap();
        }
        (0..1000).for_each(|nth| sender.try_send(inbound(1100 + nth, Kind::Stop, 0)).unwrap());
        let (mut stops, mut others) = start(arriving, engine.sorting.subscribe(), Arc::clone(&health));
        while sender.capacity() < sender.max_capacity() {
            tokio::task::yield_now().await;
        }
        assert_eq!(stops.next().await, Some(stop));
        // One was handed over before the signed ones came.
        let mut next = Vec::new();
        for _ in 0..3 {
            next.push(others.recv().await.unwrap());
        }
        assert_eq!(next[1..], [enter, fewer], "each once, before what nobody signed");
        let dropped = health.count_of_orders(DROPPED);
        assert_eq!(dropped, 2000 - 33, "those that waited are judged, the rest is counted");
    }
}
