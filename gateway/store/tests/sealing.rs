//! Measurements of residents are stored sealed: no copy of the file tells them once the key is destroyed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use linli_domain::visit::{Context, Status, Version};
use linli_domain::vital::{Measurement, Quantity, Reading, Taken};
use linli_domain::{ClockQuality, Id};
use linli_store::{Change, Entry, SealPlace, Sealer, Store};

use crate::support::{self, NOW, open};

/// A value that is nowhere else in the file.
const VALUE: f64 = 97.531_246_8;

/// A key of one byte for each resident; the text is bound to its row.
#[derive(Default)]
struct Keys(Mutex<BTreeMap<String, u8>>);

impl Keys {
    fn destroy(&self, pseudonym: &str) {
        self.0.lock().unwrap().remove(pseudonym);
    }
}

impl Sealer for Keys {
    fn seal(&self, pseudonym: &str, place: &str, body: Vec<u8>) -> Result<Vec<u8>, String> {
        let mut keys = self.0.lock().unwrap();
        let next = u8::try_from(keys.len()).unwrap() + 0x81;
        let key = *keys.entry(pseudonym.to_owned()).or_insert(next);
        let text = [place.as_bytes(), b"\n", &body].concat();
        Ok(text.into_iter().map(|byte| byte ^ key).collect())
    }

    fn open(&self, pseudonym: &str, place: &str, sealed: &[u8]) -> Result<Vec<u8>, String> {
        let keys = self.0.lock().unwrap();
        let key = keys.get(pseudonym).ok_or("there is no key")?;
        let text: Vec<u8> = sealed.iter().map(|byte| byte ^ key).collect();
        let opened = text.strip_prefix(place.as_bytes()).and_then(|text| text.strip_prefix(b"\n"));
        opened.map(<[u8]>::to_vec).ok_or_else(|| "it was changed".to_owned())
    }
}

fn visit(id: &str, pseudonym: Option<&str>) -> Change {
    Change::Visit(support::visit(id, pseudonym))
}

fn version(id: &str, number: u32, visit: Option<&str>) -> Version {
    let taken = Taken { at: NOW, clock: ClockQuality::Synchronised, device: None };
    Version {
        id: id.to_owned(),
        version: number,
        status: Status::Final,
        visit: visit.map(str::to_owned),
        unassigned: None,
        device: Id::new("oximeter").unwrap(),
        room: None,
        measurement: Measurement::of(taken, vec![Reading::of(Quantity::OxygenSaturation, VALUE)]),
        context: Context::default(),
        at: NOW,
        by: "device".to_owned(),
        why: None,
    }
}

async fn keep(store: &Store, changes: Vec<Change>) {
    store.cabin().keep(Entry { changes, ..Entry::default() }).await.unwrap();
}

async fn measured(store: &Store, id: &str, number: u32, visit: Option<&str>) -> Version {
    let version = version(id, number, visit);
    keep(store, vec![Change::Version(Box::new(version.clone()))]).await;
    version
}

/// Whether the value stands in the database or its log.
fn is_told(path: &Path) -> bool {
    ["linli.db", "linli.db-wal"].iter().any(|file| {
        let bytes = std::fs::read(path.with_file_name(file)).unwrap_or_default();
        bytes.windows(9).any(|window| window == b"97.531246")
    })
}

async fn sealed(store: &Store) -> usize {
    let (mut from, mut sealed) = (Some(SealPlace::default()), 0);
    while let Some(place) = from {
        let step = store.cabin().seal_some(&place).await.unwrap();
        (from, sealed) = (step.next, sealed + step.sealed);
    }
    store.cabin().truncate_log().await.unwrap();
    sealed
}

#[tokio::test]
async fn what_is_measured_of_a_resident_is_told_by_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    let keys = Arc::new(Keys::default());
    store.seal_with(keys.clone());
    keep(&store, vec![visit("v1", Some("P")), visit("v2", None)]).await;
    let first = measured(&store, "m1", 1, Some("v1")).await;
    assert!(!is_told(&path), "it was never in clear");
    assert_eq!(store.cabin().measured_during("v1").await.unwrap(), [first]);
    store.close().await;

    let (store, _) = open(&path).await;
    assert_eq!(store.cabin().versions("m1").await.unwrap(), [], "without the sealer nothing is opened");
    store.seal_with(keys.clone());
    assert_eq!(store.cabin().versions("m1").await.unwrap().len(), 1);
    keys.destroy("P");
    assert_eq!(store.cabin().versions("m1").await.unwrap(), []);
    let outlines = store.cabin().outlines("v1").await.unwrap();
    assert_eq!(outlines, [version("m1", 1, Some("v1")).outline()], "erasing needs no key");
    assert_eq!(store.status().borrow().undecodable, 0, "it is not damaged");
    // A visit without a name has nobody's key.
    let nobodys = measured(&store, "m2", 1, Some("v2")).await;
    assert_eq!(store.cabin().measured_during("v2").await.unwrap(), [nobodys]);
    assert!(is_told(&path));
    store.close().await;
}

#[tokio::test]
async fn a_claim_seals_every_version_and_undoing_it_leaves_them_together() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    let keys = Arc::new(Keys::default());
    store.seal_with(keys.clone());
    keep(&store, vec![visit("v1", Some("P")), visit("v2", Some("Q"))]).await;
    let mut versions = vec![measured(&store, "m", 1, None).await];
    store.cabin().truncate_log().await.unwrap();
    assert!(is_told(&path), "nobody's");
    versions.push(measured(&store, "m", 2, Some("v1")).await);
    store.cabin().truncate_log().await.unwrap();
    assert!(!is_told(&path), "the version of before is sealed too, and overwritten");
    versions.push(measured(&store, "m", 3, None).await);
    assert_eq!(store.cabin().versions("m").await.unwrap(), versions);
    assert_eq!(store.cabin().unassigned().await.unwrap(), versions[2..], "undone");
    assert!(!is_told(&path));
    // Somebody else's in the end: whoever had it by mistake has no key to it any more.
    versions.push(measured(&store, "m", 4, Some("v2")).await);
    keys.destroy("P");
    assert_eq!(store.cabin().versions("m").await.unwrap(), versions);
    keys.destroy("Q");
    assert_eq!(store.cabin().versions("m").await.unwrap(), []);
    store.close().await;
}

#[tokio::test]
async fn what_was_stored_in_clear_is_sealed_step_by_step_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    keep(&store, vec![visit("v1", Some("P")), visit("v2", None)]).await;
    let mut changes = Vec::new();
    for nth in 0..450 {
        let bound = [Some("v1"), Some("v2"), None][nth % 3];
        changes.push(Change::Version(Box::new(version(&format!("m{nth:03}"), 1, bound))));
    }
    // A version of before it was bound.
    changes.push(Change::Version(Box::new(version("m002", 2, Some("v1")))));
    keep(&store, changes).await;
    let before = store.cabin().measured_during("v1").await.unwrap();
    assert_eq!(before.len(), 151);
    store.close().await;

    let (store, _) = open(&path).await;
    let keys = Arc::new(Keys::default());
    store.seal_with(keys.clone());
    assert_eq!(store.cabin().measured_during("v1").await.unwrap(), before, "in clear it is read as well");
    // The process ends after the first step; beginning again does the rest.
    let first = store.cabin().seal_some(&SealPlace::default()).await.unwrap();
    assert!(first.next.is_some() && first.seen == 200 && first.sealed > 60, "{first:?}");
    store.close().await;
    let (store, _) = open(&path).await;
    store.seal_with(keys.clone());
    assert_eq!(first.sealed + sealed(&store).await, 152);
    assert_eq!(sealed(&store).await, 0);
    assert_eq!(store.cabin().measured_during("v1").await.unwrap(), before);
    keys.destroy("P");
    assert_eq!(store.cabin().measured_during("v1").await.unwrap(), []);
    assert_eq!(store.cabin().measured_during("v2").await.unwrap().len(), 150);
    store.close().await;
}

#[tokio::test]
async fn joined_records_have_one_key_and_a_row_cannot_be_exchanged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    let keys = Arc::new(Keys::default());
    store.seal_with(keys.clone());
    keep(&store, vec![visit("v1", Some("P")), visit("v2", Some("Q"))]).await;
    let own = measured(&store, "m1", 1, Some("v1")).await;
    measured(&store, "m2", 1, Some("v2")).await;
    keep(&store, vec![visit("v1", Some("Q"))]).await;
    assert_eq!(
        store.cabin().measured_during("v1").await.unwrap(),
        std::slice::from_ref(&own),
        "before it is sealed anew"
    );
    assert_eq!(sealed(&store).await, 1);
    keys.destroy("P");
    assert_eq!(store.cabin().measured_during("v1").await.unwrap(), [own]);
    store.close().await;

    // Whoever puts one row's body into another is noticed, though one key sealed both.
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let mut connection = sqlx::ConnectOptions::connect(&options).await.unwrap();
    let swap = "UPDATE measurement SET body = (SELECT body FROM measurement WHERE id = 'm2') WHERE id = 'm1'";
    sqlx::query(swap).execute(&mut connection).await.unwrap();
    sqlx::Connection::close(connection).await.unwrap();
    let (store, _) = open(&path).await;
    store.seal_with(keys);
    assert_eq!(store.cabin().measured_during("v1").await.unwrap(), []);
    assert_eq!(store.cabin().measured_during("v2").await.unwrap().len(), 1);
    store.close().await;
}
