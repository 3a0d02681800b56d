//! A store in a directory of its own for the golden tests, and a clock that stands still.

use std::sync::Arc;
use std::time::Duration;

use linli_domain::{ClockQuality, Stamp, Timestamp};
use linli_drivers::Clock;
use linli_store::{Change, Document, Entry, Settings, Store};

/// When it all happens: 2026-11-23T10:00:00.123Z.
pub const NOW: Timestamp = Timestamp(1_795_428_000_123);

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
    /// An empty store.
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

    /// Stores a document as some version wrote it.
    pub async fn store_document(&self, kind: &str, id: &str, body: &str) {
        let document = Document { id: id.to_owned(), kind: kind.to_owned(), at: NOW, body: body.to_owned() };
        let entry = Entry { changes: vec![Change::Document(document)], ..Entry::default() };
        self.store.documents().keep(entry).await.unwrap();
    }

    /// Fails unless exactly `count` stored rows are reported as undecodable once the store is idle.
    pub async fn undecodable(&self, count: u64) {
        // The writer works in order: after this, it has taken every report before.
        self.store_document("note", "note/last", "{}").await;
        assert_eq!(self.store.status().borrow().undecodable, count);
    }
}
