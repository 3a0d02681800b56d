//! A site for golden tests: the example centre with people who sign, a store of its own, a clock that
//! stands still; and everything that the store holds, as text.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linli_domain::{ClockQuality, Lane, Record, Stamp, Timestamp};
use linli_drivers::Clock;
use linli_mode::order::SecretKey;
use linli_store::{Change, Document, Entry, Settings, Store};

use linli_config::{Checked, load_texts};

/// When it all happens: 2026-11-23T10:00:00.123Z.
pub const NOW: Timestamp = Timestamp(1_795_428_000_123);

/// Who signs: a person, their role, the seed of their key, and that of their key for drills.
pub const SIGNERS: [(&str, &str, u8, u8); 3] =
    [("wang", "commander", 1, 11), ("li", "duty_officer", 2, 12), ("chen", "site_lead", 3, 13)];

/// Kinds of everything that services store as documents; but for `mode-kept`, the plans of the example, whose
/// form golden files of the mode crate freeze.
const KINDS: [&str; 21] = [
    "account",
    "cooling",
    "cycle",
    "day",
    "kiosk-day",
    "mode-base",
    "mode-chain",
    "mode-following",
    "mode-ledger",
    "mode-line",
    "mode-notice",
    "mode-order",
    "mode-plan",
    "mode-room",
    "mode-service",
    "node-chain",
    "node-line",
    "note",
    "sample",
    "sample-gone",
    "signed",
];

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
    /// Opens an empty store at [`NOW`].
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
        crate::mode::commission(&dir.path().join("orders"), 0).unwrap();
        Self { store, clock, dir }
    }

    /// The numbers of orders: none was accepted yet.
    pub fn order_numbers(&self) -> crate::mode::OrderNumbersFile {
        crate::mode::OrderNumbersFile::beside(&self.dir.path().join("orders"))
    }

    /// Stores a document with this body.
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

    /// Everything that services stored, and everything that waits for the broker.
    pub async fn dump(&self) -> String {
        let mut out = String::new();
        let (book, ever) = (self.store.documents(), (Timestamp(i64::MIN), Timestamp(i64::MAX)));
        for kind in KINDS {
            for page in book.of(kind, ever.0, ever.1).await.unwrap() {
                writeln!(out, "document {} {} {} {}", page.kind, page.id, page.at.0, page.body).unwrap();
            }
        }
        for (id, body) in self.store.alarms().all().await.unwrap() {
            writeln!(out, "alarm {id} {body}").unwrap();
        }
        for step in self.store.alarms().journal(1000).await.unwrap() {
            writeln!(out, "alarm_step {step}").unwrap();
        }
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

/// A file of the example centre as version 0.1 came with it.
fn example(name: &str) -> String {
    let file = linli_golden::files().join("../../../config/tests/golden/example").join(name);
    std::fs::read_to_string(&file).unwrap_or_else(|why| panic!("{}: {why}", file.display()))
}

/// How version 0.1 named the building that a plan of the example sees.
pub fn building_0_1(plan: &str) -> String {
    let file = linli_golden::files().join("../../../config/tests/golden/config/building_0_1.jsonl");
    let text = std::fs::read_to_string(file).unwrap();
    let all = text.lines().map(|line| serde_json::from_str::<(String, String)>(line).unwrap());
    all.into_iter().find(|(key, _)| key == plan).expect("a plan of the example").1
}

/// The example centre, with people who sign.
pub fn checked() -> Checked {
    let mut facility = example("facility.toml");
    for (person, role, seed, drill) in SIGNERS {
        let public = |seed: u8| SecretKey::from_seed([seed; 32]).public();
        write!(
            facility,
            "\n[[person]]\nid = \"{person}\"\nname = \"{person}\"\nroles = [\"{role}\"]\n\n\
             [[person.key]]\npublic = \"{}\"\nclass = \"Actual\"\n\n\
             [[person.key]]\npublic = \"{}\"\nclass = \"Exercise\"\n",
            public(seed),
            public(drill)
        )
        .unwrap();
    }
    let names = [
        "gateway.toml",
        "devices.toml",
        "alarms.toml",
        "matters.toml",
        "plans/reading-room.sampling@1.toml",
        "plans/reading-room.from-sampling@1.toml",
        "plans/hall.command@1.toml",
        "plans/hall.from-command@1.toml",
        "plans/kitchen.warehouse@1.toml",
        "plans/kitchen.from-warehouse@1.toml",
    ];
    let files: Vec<(&str, String)> = names.into_iter().map(|name| (name, example(name))).collect();
    let mut texts: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    texts.push(("facility.toml", &facility));
    load_texts(&texts).unwrap_or_else(|report| panic!("the example is wrong: {:?}", report.problems))
}
