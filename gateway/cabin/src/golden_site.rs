//! A store in a directory of its own for the tests, a clock that they set, and everything that is stored, as text.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linli_domain::{ClockQuality, Lane, Record, Stamp, Timestamp};
use linli_drivers::Clock;
use linli_store::{Settings, Store};

use crate::ResidentKeys;

/// When it all happens: 2026-11-23T10:00:00.123Z.
pub const NOW: Timestamp = Timestamp(1_795_428_000_123);

/// A clock that stands still.
pub struct Still(Mutex<Stamp>);

/// A store in a directory of its own.
pub struct Site {
    /// The store.
    pub store: Store,
    /// The clock.
    pub clock: Arc<Still>,
    dir: tempfile::TempDir,
}

// === impl Still ===

impl Still {
    /// At that time, of that quality.
    pub fn set(&self, at: Timestamp, clock: ClockQuality) {
        *self.0.lock().unwrap() = Stamp { at, clock };
    }
}

impl Clock for Still {
    fn now(&self) -> Stamp {
        *self.0.lock().unwrap()
    }
}

// === impl Site ===

impl Site {
    /// An empty store.
    pub async fn open() -> Self {
        Self::open_of(64 << 20).await
    }

    /// The same with a store of that size.
    pub async fn open_of(max_bytes: u64) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let settings = Settings {
            path: dir.path().join("linli.db"),
            max_bytes,
            max_age: None,
            commit_interval: Duration::from_millis(5),
            history_retention: Duration::from_secs(86_400),
        };
        let (store, _) = Store::open(settings, Arc::new(|| NOW)).await.unwrap();
        let clock = Arc::new(Still(Mutex::new(Stamp { at: NOW, clock: ClockQuality::Synchronised })));
        Self { store, clock, dir }
    }

    /// The keys of residents.
    pub fn residents(&self) -> ResidentKeys {
        ResidentKeys::at(self.dir.path())
    }

    /// Every entry of the audit, and everything that waits for the broker.
    pub async fn dump(&self) -> String {
        let mut out = String::new();
        let mut audit = self.store.cabin().audit(1000).await.unwrap();
        audit.reverse();
        for line in audit {
            writeln!(out, "audit {}", serde_json::to_string(&line).unwrap()).unwrap();
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
