//! Watches a line for a while without a gateway: what its devices say and why they are silent.
//!
//! For `linli probe` and `linli doctor`. Only lines that ask or subscribe are watched: one that listens would take what
//! devices send to the gateway, and acknowledge what nobody stores.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::{Id, Quality, Value};
use tokio::time::{Instant, timeout_at};

use crate::clock::Clock;
use crate::line::{DeviceState, LineContext};
use crate::protocol::CheckedLine;

/// Messages of a line that may wait.
const QUEUE: usize = 64;

/// What was seen of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// The device.
    pub device: Id,
    /// The latest value of each point, in the order of the layout; none before the first.
    pub points: Vec<Option<(Quality, Option<Value>)>>,
    /// Its state and what explains it; none before the first.
    pub state: Option<(DeviceState, String)>,
}

/// What was seen of a line.
#[derive(Debug, Clone, PartialEq)]
pub struct ObservedLine {
    /// Its state and what explains it; none before the first.
    pub state: Option<(DeviceState, String)>,
    /// Its devices, in the order of the plan.
    pub devices: Vec<Observed>,
}

// === impl ObservedLine ===

impl ObservedLine {
    /// Whether everything about every device is known that will be.
    fn is_whole(&self) -> bool {
        let is_down = matches!(self.state, Some((DeviceState::Offline(_), _)));
        is_down
            || self.devices.iter().all(|seen| {
                let is_offline = matches!(seen.state, Some((DeviceState::Offline(_), _)));
                // Values that are all bad are followed by what is wrong with the device.
                let is_heard = seen.points.iter().flatten().any(|(quality, _)| quality.is_good());
                let is_known = seen.points.iter().all(Option::is_some);
                is_offline || (is_known && (is_heard || seen.points.is_empty()))
            })
    }
}

/// Runs a line until every device has shown every point or is offline, at most for `patience`. None when the line
/// listens for its devices.
pub async fn observe(
    plan: Arc<dyn CheckedLine>,
    clock: Arc<dyn Clock>,
    patience: Duration,
) -> Option<ObservedLine> {
    if !plan.is_observable() {
        return None;
    }
    let layouts = plan.layouts().to_vec();
    let seen = |layout: &Arc<linli_domain::Layout>| Observed {
        device: layout.device.clone(),
        points: vec![None; layout.points.len()],
        state: None,
    };
    let mut line = ObservedLine { state: None, devices: layouts.iter().map(seen).collect() };
    // Another name than the gateway's: at a broker it must not throw out a gateway that runs elsewhere.
    let (context, mut ends) = LineContext::alone(Id::new("probe").ok()?, clock, layouts.len(), QUEUE);
    let running = tokio::spawn(plan.run(context));
    let until = Instant::now() + patience;
    while !line.is_whole() {
        let next = async {
            tokio::select! {
                Some(batch) = ends.batches.recv() => {
                    let device = batch.layout.device.clone();
                    if let Some(seen) = line.devices.iter_mut().find(|seen| seen.device == device) {
                        for sample in batch.samples {
                            if let Some(point) = seen.points.get_mut(usize::from(sample.point)) {
                                *point = Some((sample.quality, sample.value));
                            }
                        }
                    }
                }
                Some(event) = ends.events.recv() => match event.device {
                    None => line.state = Some((event.state, event.detail)),
                    Some(id) => {
                        if let Some(device) = line.devices.iter_mut().find(|seen| seen.device == id) {
                            device.state = Some((event.state, event.detail));
                        }
                    }
                },
            }
        };
        if timeout_at(until, next).await.is_err() {
            break;
        }
    }
    ends.cancel.cancel();
    // What it still sends is of no interest; it ends by itself.
    drop(ends);
    let _ = running.await;
    Some(line)
}
