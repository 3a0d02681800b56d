//! What the health cabin keeps: together or not at all, in versions, and gone when erased.

use linli_domain::visit::{Context, Ending, Status, Version};
use linli_domain::vital::{Measurement, Quantity, Reading, Taken};
use linli_domain::{ClockQuality, Id, Lane, Timestamp};
use linli_store::{Audit, Change, Entry, Resident};

use crate::support::{NOW, event, open, visit, waiting};

fn version(id: &str, version: u32, visit: Option<&str>, why: &str) -> Version {
    let taken = Taken { at: NOW, clock: ClockQuality::Synchronised, device: None };
    let readings = vec![Reading::of(Quantity::OxygenSaturation, 97.0)];
    Version {
        id: id.to_owned(),
        version,
        status: Status::Final,
        visit: visit.map(str::to_owned),
        unassigned: None,
        device: Id::new("oximeter").unwrap(),
        room: None,
        measurement: Measurement::of(taken, readings),
        context: Context::default(),
        at: NOW,
        by: "device".to_owned(),
        why: Some(why.to_owned()),
    }
}

fn entry(changes: Vec<Change>) -> Entry {
    Entry { changes, ..Entry::default() }
}

#[tokio::test]
async fn an_entry_is_kept_whole_and_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    let audit = Audit {
        at: NOW,
        who: "nurse".to_owned(),
        what: "visit.open".to_owned(),
        about: "v1".to_owned(),
        detail: String::new(),
    };
    let told = Entry {
        once: Some("k".to_owned()),
        marks: Vec::new(),
        changes: vec![
            Change::Visit(visit("v1", Some("P"))),
            Change::Version(Box::new(version("m", 1, None, ""))),
        ],
        audit: vec![audit.clone()],
        records: vec![event(1)],
        is_dispensable: false,
    };
    assert_eq!(store.cabin().keep(told.clone()).await, Ok(true));
    assert_eq!(store.cabin().keep(told).await, Ok(false), "told again");
    let twice = entry(vec![
        Change::Visit(visit("v2", None)),
        Change::Version(Box::new(version("m", 1, Some("v1"), "overwrites"))),
    ]);
    assert!(store.cabin().keep(twice).await.is_err(), "a version is never overwritten");
    store.close().await;

    let (store, _) = open(&path).await;
    let cabin = store.cabin();
    assert_eq!(cabin.open_visits().await.unwrap(), [visit("v1", Some("P"))]);
    assert_eq!(cabin.unassigned().await.unwrap(), [version("m", 1, None, "")]);
    assert_eq!(cabin.audit(10).await.unwrap(), [audit]);
    assert_eq!(waiting(&store.outbox(), Lane::Urgent).await.len(), 1);
    let mut ended = visit("v1", Some("P"));
    ended.ended = Some((Timestamp(NOW.0 + 1), Ending::Completed));
    let assigned = version("m", 2, Some("v1"), "by a worker");
    cabin.keep(entry(vec![Change::Visit(ended), Change::Version(Box::new(assigned.clone()))])).await.unwrap();
    assert!(cabin.open_visits().await.unwrap().is_empty());
    assert!(cabin.unassigned().await.unwrap().is_empty());
    assert_eq!(cabin.measured_during("v1").await.unwrap(), [assigned]);
    assert_eq!(cabin.versions("m").await.unwrap().len(), 2);
    store.close().await;
}

#[tokio::test]
async fn what_is_erased_is_not_in_the_file_either() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("linli.db");
    let (store, _) = open(&path).await;
    let sealed = b"SEALED-BYTES-OF-A-RESIDENT".to_vec();
    let resident = Resident { pseudonym: "PSEUDO-1".to_owned(), key: "k1".to_owned(), sealed, at: NOW };
    let cabin = store.cabin();
    cabin
        .keep(entry(vec![
            Change::Resident(resident.clone()),
            Change::Visit(visit("VISIT-1", Some("PSEUDO-1"))),
            Change::Version(Box::new(version("MEASURED-1", 1, Some("VISIT-1"), ""))),
            Change::Version(Box::new(version("MEASURED-2", 1, None, ""))),
        ]))
        .await
        .unwrap();
    assert_eq!(cabin.resident("PSEUDO-1").await.unwrap(), Some(resident));
    cabin
        .keep(entry(vec![
            Change::EraseVisit("VISIT-1".to_owned()),
            Change::EraseMeasurement("MEASURED-2".to_owned()),
            Change::EraseResident("PSEUDO-1".to_owned()),
        ]))
        .await
        .unwrap();
    for file in std::fs::read_dir(dir.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for gone in ["SEALED-BYTES", "PSEUDO-1", "VISIT-1", "MEASURED-"] {
            assert!(
                !bytes.windows(gone.len()).any(|window| window == gone.as_bytes()),
                "{gone} is still there"
            );
        }
    }
    store.close().await;
}
