//! Computes the metrics of every room.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_domain::Timestamp;
use linli_mode::{Action, Phase};
use tokio::time::Instant;

use super::engine::Engine;
use super::metrics::{RoomMetrics, Snapshot, step_label, wall_time_between};

// === impl Engine ===

impl Engine {
    /// Computes and publishes the metrics of every room.
    pub(super) fn publish_metrics(&self) {
        let (now, at) = (Instant::now(), self.deps.clock.now().at);
        let mut metrics = Snapshot { record: self.record.count(), ..Snapshot::default() };
        for room in self.rooms.values() {
            let mut steps: BTreeMap<&'static str, u64> = BTreeMap::new();
            for state in room.state.run.iter().flat_map(|run| &run.steps) {
                *steps.entry(step_label(state)).or_default() += 1;
            }
            let mut tally = room.tally.clone();
            let in_stage = wall_time_between(room.since, at);
            if room.state.phase == Phase::Held {
                for cause in room.state.run.iter().flat_map(|run| &run.causes) {
                    *tally.held.entry(*cause).or_default() += in_stage;
                }
            }
            metrics.rooms.push(RoomMetrics {
                room: room.id.clone(),
                stage: room.stage(&self.setup),
                // The start of peace is unknown for a room that was never switched.
                in_stage: if room.since == Timestamp::default() { Duration::ZERO } else { in_stage },
                is_exercise: room.state.is_exercise(),
                is_in_service: self.services.is_open(&room.id),
                steps,
                tally,
            });
            let Some(plan) = &room.plan else { continue };
            for (step, since) in &room.asked {
                let Some(job) = plan.resolved.steps.get(*step) else { continue };
                let role = match &job.action {
                    Action::Human { role, .. } => role,
                    _ => &plan.resolved.plan.lead,
                };
                let (count, oldest) = metrics.outstanding.entry(role.clone()).or_default();
                *count += 1;
                *oldest = (*oldest).max(now.saturating_duration_since(*since));
            }
        }
        self.deps.health.publish(metrics);
    }
}
