//! Counters of this copy, as `/metrics` shows them.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::source::SourceStatus;

/// What the consumer counts.
#[derive(Debug, Default)]
pub struct Metrics {
    /// Messages stored for the first time.
    pub stored: AtomicU64,
    /// Messages that had arrived before.
    pub repeated: AtomicU64,
    /// Samples stored.
    pub samples: AtomicU64,
    /// Messages put aside.
    pub poison: AtomicU64,
    /// Messages that should have been put aside, of which too many came to keep them.
    pub poison_dropped: AtomicU64,
    /// Transactions.
    pub batches: AtomicU64,
    /// Transactions that failed and were tried again.
    pub failures: AtomicU64,
    /// 1 while the database takes batches.
    pub database: AtomicU64,
    /// Microseconds that transactions took.
    pub busy_us: AtomicU64,
    /// Messages of acknowledgement published.
    pub named: AtomicU64,
    /// Unix milliseconds of the last committed batch.
    pub committed_at: AtomicU64,
    /// Orders handed to the broker.
    pub orders: AtomicU64,
}

// === impl Metrics ===

impl Metrics {
    /// The page in the text format of Prometheus.
    #[must_use]
    pub fn page(&self, source: &Arc<SourceStatus>) -> String {
        let rows: [(&str, &str, &str, &AtomicU64); 15] = [
            ("broker_connected", "gauge", "1 while the broker has accepted this copy.", &source.connected),
            ("broker_connects_total", "counter", "Connections the broker accepted.", &source.connects),
            ("received_total", "counter", "Messages received, repeated ones included.", &source.received),
            ("published_total", "counter", "Messages published.", &source.published),
            ("unpublished_total", "counter", "Messages that could not be published.", &source.unpublished),
            ("database_up", "gauge", "1 while the database takes batches.", &self.database),
            ("stored_total", "counter", "Messages stored for the first time.", &self.stored),
            ("repeated_total", "counter", "Messages that had arrived before.", &self.repeated),
            ("samples_total", "counter", "Samples stored.", &self.samples),
            ("poison_total", "counter", "Messages put aside.", &self.poison),
            ("poison_dropped_total", "counter", "Rubbish beyond what is kept.", &self.poison_dropped),
            ("batches_total", "counter", "Transactions committed.", &self.batches),
            (
                "batch_failures_total",
                "counter",
                "Transactions that failed and were tried again.",
                &self.failures,
            ),
            ("acknowledgements_total", "counter", "Messages that name stored records.", &self.named),
            ("orders_total", "counter", "Orders handed to the broker.", &self.orders),
        ];
        let mut page = String::new();
        for (name, kind, help, value) in rows {
            let value = value.load(Relaxed);
            let name = format!("linli_district_{name}");
            let _ = writeln!(page, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
        #[expect(clippy::cast_precision_loss, reason = "seconds of a metric")]
        let busy = self.busy_us.load(Relaxed) as f64 / 1e6;
        let name = "linli_district_batch_seconds_total";
        let _ = writeln!(page, "# HELP {name} Time of transactions.\n# TYPE {name} counter\n{name} {busy}");
        page
    }
}
