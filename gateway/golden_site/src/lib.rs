//! A site for golden tests: a store in a directory of its own, a clock that only the test moves, and what the store holds,
//! as text.

#![expect(clippy::missing_panics_doc, reason = "a test that fails panics")]

use std::fmt::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linli_domain::{ClockQuality, Lane, Record, Stamp, Timestamp};
use linli_drivers::Clock;
use linli_store::{Change, Document, Entry, Settings, Store};

/// When it all happens: 2026-11-23T10:00:00.123Z.
pub const NOW: Timestamp = Timestamp(1_795_428_000_123);

/// A clock that stands still, at [`NOW`] unless it is set.
#[derive(Debug)]
pub struct Still(Mutex<Stamp>);

/// A store in a directory of its own, with a clock.
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
        *self.0.lock().expect("no thread panicked with it") = Stamp { at, clock };
    }
}

impl Default for Still {
    fn default() -> Self {
        Self(Mutex::new(Stamp { at: NOW, clock: ClockQuality::Synchronised }))
    }
}

impl Clock for Still {
    fn now(&self) -> Stamp {
        *self.0.lock().expect("no thread panicked with it")
    }
}

// === impl Site ===

impl Site {
    /// Opens an empty store of 64 MiB.
    pub async fn open() -> Self {
        Self::open_of(64 << 20).await
    }

    /// The same with a store of that size in bytes.
    pub async fn open_of(max_bytes: u64) -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory can be made");
        let settings = Settings {
            path: dir.path().join("linli.db"),
            max_bytes,
            max_age: None,
            commit_interval: Duration::from_millis(5),
            history_retention: Duration::from_secs(86_400),
        };
        let (store, _) = Store::open(settings, Arc::new(|| NOW)).await.expect("an empty store opens");
        Self { store, clock: Arc::default(), dir }
    }

    /// The directory of the store.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Stores a document as some version wrote it.
    pub async fn store_document(&self, kind: &str, id: &str, body: &str) {
        let document = Document { id: id.to_owned(), kind: kind.to_owned(), at: NOW, body: body.to_owned() };
        let entry = Entry { changes: vec![Change::Document(document)], ..Entry::default() };
        self.store.documents().keep(entry).await.expect("the store takes it");
    }

    /// Fails unless exactly `count` stored rows are reported as undecodable once the store is idle.
    pub async fn undecodable(&self, count: u64) {
        // The writer works in order: after this, it has taken every report before.
        self.store_document("note", "note/last", "{}").await;
        assert_eq!(self.store.status().borrow().undecodable, count);
    }

    /// The documents of these kinds, a line each.
    pub async fn documents(&self, kinds: &[&str]) -> String {
        let (mut out, documents) = (String::new(), self.store.documents());
        for kind in kinds {
            for page in documents
                .of(kind, Timestamp(i64::MIN), Timestamp(i64::MAX))
                .await
                .expect("the store can be read")
            {
                writeln!(out, "document {} {} {} {}", page.kind, page.id, page.at.0, page.body)
                    .expect("text takes everything");
            }
        }
        out
    }

    /// The entries of the cabin's audit, the oldest first, a line each.
    pub async fn cabin_audit(&self) -> String {
        let mut audit = self.store.cabin().audit(1000).await.expect("the store can be read");
        audit.reverse();
        audit
            .iter()
            .map(|line| {
                format!("audit {}\n", serde_json::to_string(line).expect("it is made of JSON values"))
            })
            .collect()
    }

    /// The messages that wait for the broker in the urgent lane, a line each.
    pub async fn messages(&self) -> String {
        let mut out = String::new();
        let waiting = self
            .store
            .outbox()
            .read(Lane::Urgent, 0, u64::MAX >> 1, 1000, 1 << 24)
            .await
            .expect("the store can be read");
        for row in waiting {
            let Record::Message(message) = row.record else { continue };
            let (topic, class) = (message.topic.suffix(), message.class.as_str());
            let body = serde_json::Value::Object(message.body);
            writeln!(out, "message {topic} {class} {} {body}", message.at.0).expect("text takes everything");
        }
        out
    }
}
