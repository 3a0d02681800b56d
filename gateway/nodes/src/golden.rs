//! Golden files of nodes: entries of the record and its chain, requests and progress.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_wire::image::Header;
use linli_wire::version::Version;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::flash::UpdateProgress;
use super::image::Image;
use super::provision::Settings;
use super::record::{NodeEvent, Record};
use super::request::{Action, Do};
use super::service::{Deps, NodeService};
use linli_domain::audit::AuditEntry;
use linli_golden::{every, frozen, sent, stored};
use linli_golden_site::{NOW, Site};
use linli_services::client::ServiceClient;

fn what(action: &str, result: &str) -> NodeEvent {
    NodeEvent {
        who: "lin".to_owned(),
        action: action.to_owned(),
        result: result.to_owned(),
        device: "fridge-1".to_owned(),
        serial: Some("00000000000001f4".to_owned()),
        about: Some("1.2.0 0badcafe".to_owned()),
        detail: Some("又一次".to_owned()),
    }
}

fn settings() -> Settings {
    Settings {
        unit: Some(7),
        baud: Some(19_200),
        parity: Some("even".to_owned()),
        kind: Some("fridge".to_owned()),
        name: Some("冷柜".to_owned()),
        serial: Some(500),
        lease_s: Some(60),
        offsets: vec![("product_temperature".to_owned(), -0.3)],
    }
}

#[test]
fn lines_and_settings() {
    let least = NodeEvent { serial: None, about: None, detail: None, ..what("confirm", "done") };
    let line = |n, what| AuditEntry { n, prev: "00".repeat(32), at: NOW, what };
    stored("nodes/line", &[line(0, what("flash", "begun")), line(1, least)]);
    stored("nodes/settings", &[settings(), Settings::default()]);
    let told = UpdateProgress { stage: "transfer", done: 1024, total: 4096, text: Some("t".to_owned()) };
    sent("nodes/told", &[told.clone(), UpdateProgress { text: None, ..told }]);
}

#[test]
fn what_is_asked() {
    let device = || "fridge-1".to_owned();
    let asked = [
        Do::Status { device: device() },
        Do::Log { device: device(), most: 5 },
        Do::Selftest { device: device() },
        Do::Confirm { device: device() },
        Do::Abort { device: device() },
        Do::Restart { device: device() },
        Do::Calibrate { device: device(), point: "temperature".to_owned(), offset: -0.3 },
        Do::Provision { line: "kitchen-bus".to_owned(), from: 247, settings: settings() },
        Do::Look { line: "kitchen-bus".to_owned(), unit: 247 },
    ];
    every!(asked; Do::Status { .. }, Do::Log { .. }, Do::Selftest { .. }, Do::Confirm { .. },
        Do::Abort { .. }, Do::Restart { .. }, Do::Calibrate { .. }, Do::Provision { .. }, Do::Look { .. });
    stored("nodes/do", &asked);
    let words: Vec<_> = asked.iter().map(Do::word).collect();
    sent("nodes/word", &words);
}

#[tokio::test]
async fn the_record_as_it_is_stored_and_told() {
    let site = Site::open().await;
    let book = site.store.documents();
    let mut record = Record::resume(&book).await.unwrap();
    for (at, what) in [("begun", "flash"), ("done", "flash"), ("begun", "flash"), ("done", "selftest")]
        .into_iter()
        .enumerate()
        .map(|(n, (result, action))| (Timestamp(NOW.0 + i64::try_from(n).unwrap()), what(action, result)))
    {
        record.append(&book, at, what, Vec::new()).await.unwrap();
    }
    let deps = Deps {
        store: book,
        routes: watch::Sender::new(Arc::default()).subscribe(),
        guard: linli_services::outputs::OutputGuard::open(),
        keys: watch::Sender::new(Arc::default()).subscribe(),
        events: linli_services::events::Events::default(),
        clock: site.clock.clone(),
    };
    let service = NodeService::resume(deps).await.unwrap();
    let (client, requests) = ServiceClient::channel(4);
    let running = tokio::spawn(service.run(requests));
    let action = Action::Do(Do::Confirm { device: "fridge-9".to_owned() });
    assert!(
        client.ask(&linli_domain::caller::Caller::local("lin"), action).await.is_err(),
        "there is no such node"
    );
    drop(client);
    running.await.unwrap();
    frozen("nodes/journey.txt", &dump(&site).await);
}

#[tokio::test]
async fn a_refused_update_is_said_where_its_progress_goes() {
    let site = Site::open().await;
    let deps = Deps {
        store: site.store.documents(),
        routes: watch::Sender::new(Arc::default()).subscribe(),
        guard: linli_services::outputs::OutputGuard::open(),
        keys: watch::Sender::new(Arc::default()).subscribe(),
        events: linli_services::events::Events::default(),
        clock: site.clock.clone(),
    };
    let (client, requests) = ServiceClient::channel(1);
    let running = tokio::spawn(NodeService::resume(deps).await.unwrap().run(requests));
    let header = Header {
        board: 1,
        kinds: 1,
        security: 1,
        firmware: Version::new(1, 0, 0),
        length: 0,
        key: 1,
        hash: [0; 64],
        signature: [0; 64],
    };
    let image = Box::new(Image { header, bytes: Vec::new() });
    let (progress, mut steps) = mpsc::channel(1);
    let action = Action::Flash { devices: vec!["fridge-1".to_owned()], image, keep_going: false, progress };
    assert_eq!(client.ask(&linli_domain::caller::Caller::local("lin"), action).await, Ok(Value::Null));
    let step = steps.recv().await.unwrap();
    assert_eq!(step["result"], "refused");
    assert!(step["why"].as_str().unwrap().contains("no key to verify images with"), "{step}");
    assert_eq!(steps.recv().await, None);
    drop(client);
    running.await.unwrap();
    let entries = site.store.documents().after("node-line", "", 10).await.unwrap();
    assert!(entries.len() == 1 && entries[0].body.contains(r#""result":"refused""#), "{entries:?}");
}

/// What is stored of nodes, and what waits for the broker.
async fn dump(site: &Site) -> String {
    site.documents(&["node-chain", "node-line"]).await + &site.messages().await
}
