//! Removes what is too old from the hash-chained records, so that none of them grows for ever. What stays is verified
//! as before (`linli_services::audit_log`).

use std::sync::Arc;
use std::time::Duration;

use linli_accounts::SecurityEvent;
use linli_domain::{ClockQuality, Timestamp};
use linli_drivers::Clock;
use linli_nodes::NodeEvent;
use linli_services::audit_log::forget_before;
use linli_services::mode::forget_old_entries;
use linli_store::Documents;

/// How often this is done. Each time a bounded number of entries goes, so that a clock that is set wrong for a
/// while costs little.
const EVERY: Duration = Duration::from_secs(3600);

/// Runs for ever.
pub async fn run(store: Documents, clock: Arc<dyn Clock>, retention: Duration) {
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        let now = clock.now();
        // A clock that nobody vouches for makes nothing old.
        if now.clock == ClockQuality::Synchronised {
            let retention = i64::try_from(retention.as_millis()).unwrap_or(i64::MAX);
            forget(&store, Timestamp(now.at.0.saturating_sub(retention))).await;
        }
    }
}

async fn forget(store: &Documents, before: Timestamp) {
    let all = [
        ("mode", forget_old_entries(store, before).await),
        ("accounts", forget_before::<SecurityEvent>(store, before, |_| None).await),
        ("nodes", forget_before::<NodeEvent>(store, before, |_| None).await),
    ];
    for (record, forgotten) in all {
        match forgotten {
            Ok(0) => {}
            Ok(entries) => {
                tracing::info!(record, entries, "entries older than record_retention were removed")
            }
            Err(error) => {
                let error = format!("{error:#}");
                tracing::error!(record, error, "old entries of a record are not removed");
            }
        }
    }
}
