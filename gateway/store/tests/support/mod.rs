//! Records and stores for the tests.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::visit::{OpenedBy, Visit};
use linli_domain::{
    Batch, ClockQuality, DeviceClass, Id, Lane, Layout, Message, PointSpec, Quality, Record, Sample,
    Timestamp, Topic, Value, ValueType,
};
use linli_store::{JournaledCommand, Now, Opening, Outbox, Row, Settings, Store};

pub const NOW: Timestamp = Timestamp(1_795_428_000_000);

pub fn settings(path: &Path) -> Settings {
    Settings {
        path: path.to_owned(),
        max_bytes: 64 << 20,
        max_age: None,
        commit_interval: Duration::from_millis(10),
        history_retention: Duration::from_secs(24 * 3600),
    }
}

/// An open visit of the cabin.
pub fn visit(id: &str, pseudonym: Option<&str>) -> Visit {
    Visit {
        id: id.to_owned(),
        room: Id::new("cabin").unwrap(),
        pseudonym: pseudonym.map(str::to_owned),
        code: None,
        consent: None,
        opened_by: OpenedBy::Card,
        opened: NOW,
        ended: None,
        progress: linli_domain::visit::Progress::default(),
    }
}

pub fn clock() -> Now {
    Arc::new(|| NOW)
}

pub async fn open(path: &Path) -> (Store, Opening) {
    Store::open(settings(path), clock()).await.expect("opens")
}

pub fn layout(device: &str, class: DeviceClass, points: u16) -> Arc<Layout> {
    let spec = |i| PointSpec {
        name: Id::new(&format!("p{i}")).unwrap(),
        unit: "Cel".to_owned(),
        kind: ValueType::Float,
        writable: false,
    };
    Arc::new(Layout {
        device: Id::new(device).unwrap(),
        name: "冰箱".to_owned(),
        room: None,
        class,
        profile: "test/test".to_owned(),
        points: (0..points).map(spec).collect(),
    })
}

/// A record whose value is its own number, so that it can be recognised later.
pub fn numbered(layout: &Arc<Layout>, number: u32) -> Record {
    let sample = |point| Sample {
        point,
        at: Timestamp(NOW.0 + i64::from(number)),
        clock: ClockQuality::Synchronised,
        quality: Quality::Good,
        value: Value::float(f64::from(number)),
    };
    let samples = (0..u16::try_from(layout.points.len()).unwrap()).map(sample).collect();
    Record::Samples(Batch { layout: Arc::clone(layout), samples })
}

pub fn event(number: u32) -> Record {
    let mut body = serde_json::Map::new();
    body.insert("number".to_owned(), number.into());
    Record::Message(Message {
        topic: Topic::AlarmEvent,
        class: DeviceClass::FoodSafety,
        at: Timestamp(NOW.0 + i64::from(number)),
        body,
    })
}

pub fn number_of(row: &Row) -> Option<u32> {
    match &row.record {
        Record::Samples(batch) => match batch.samples[0].value {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a u32")]
            Some(Value::Float(number)) => Some(number as u32),
            _ => None,
        },
        Record::Message(message) => {
            message.body.get("number").and_then(|n| n.as_u64()).map(|n| u32::try_from(n).unwrap())
        }
    }
}

pub fn command(id: &str) -> JournaledCommand {
    JournaledCommand {
        id: id.to_owned(),
        device: "fan-1".to_owned(),
        point: "run".to_owned(),
        value: Value::Bool(true),
        expires: Timestamp(NOW.0 + 1000),
        at: NOW,
        response_topic: None,
        correlation: None,
    }
}

/// Everything that waits in a lane.
pub async fn waiting(outbox: &Outbox, lane: Lane) -> Vec<Row> {
    let mut all: Vec<Row> = Vec::new();
    loop {
        let after = all.last().map_or(0, |row| row.seq);
        let page = outbox.read(lane, after, u64::MAX, 500, 1 << 20).await.expect("readable");
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

/// Waits until the writer has committed everything accepted before.
pub async fn settled(store: &Store) -> u64 {
    store.accept_durably(event(0)).await.expect("durable")
}

/// Compiles `power/{name}.c` into a library that is preloaded into a child process.
pub fn preloaded(dir: &Path, name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/power/{name}.c"));
    let library = dir.join(format!("{name}.so"));
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
        .args([&library, &source])
        .args(["-ldl", "-lpthread"])
        .status()
        .expect("cc is missing: install it with `apt-get install gcc`");
    assert!(compiled.success(), "{name}.c does not compile");
    library
}
