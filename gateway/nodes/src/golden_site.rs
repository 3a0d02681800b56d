//! A store in a directory of its own for the golden tests, a clock that stands still, and everything that
//! the store holds of nodes, as text.

use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::{ClockQuality, Lane, Record, Stamp, Timestamp};
use linli_drivers::Clock;
use linli_store::{Settings, Store};

/// When it all happens: 2026-11-23T10:00:00.123Z.
pub const NOW: Timestamp = Timestamp(1_795_428_000_123);

/// Kinds of everything that is stored of nodes.
const KINDS: [&str; 2] = ["node-chain", "node-line"];

/// A clock that stands still at [`NOW`].
pub struct Still;

/// A store with a clock.
pub struct Site {
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Arc<Still>,
    _dir: tempfile::TempDir,
}

// === impl Still ===

impl Clock for Still {
    fn now(&self) -> Stamp {
        Stamp { at: NOW, clock: ClockQuality::Synchronised }
    }
}

// === impl Site ===

impl Site {
    /// Opens an empty store at [`NOW`].
    pub async fn open() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            path: dir.path().join("linli.db"),
            max_bytes: 64 << 20,
            max_age: None,
            commit_interval: Duration::from_millis(5),
            history_retention: Duration::from_secs(86_400),
        };
        let (store, _) = Store::open(settings, Arc::new(|| NOW)).await.unwrap();
        Self { store, clock: Arc::new(Still), _dir: dir }
    }

    /// Returns what is stored of nodes, and what waits for the broker.
    pub async fn dump(&self) -> String {
        let mut out = String::new();
        for kind in KINDS {
            let all =
                self.store.documents().of(kind, Timestamp(i64::MIN), Timestamp(i64::MAX)).await.unwrap();
            for page in all {
                writeln!(out, "document {} {} {} {}", page.kind, page.id, page.at.0, page.body).unwrap();
            }
        }
        let waiting = self.store.outbox().read(Lane::Urgent, 0, u64::MAX >> 1, 1000, 1 << 24).await.unwrap();
        for row in waiting {
            let Record::Message(message) = row.record else { continue };
            let (topic, class) = (message.topic.suffix(), message.class.as_str());
            let body = serde_json::Value::Object(message.body);
            writeln!(out, "message {topic} {class} {} {body}", message.at.0).unwrap();
        }
        out
    }
}
