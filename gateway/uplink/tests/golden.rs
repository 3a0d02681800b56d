//! Everything the uplink says on the wire and everything it takes from there, frozen for both
//! versions of MQTT.
//!
//! The real connection task runs against a small broker in this file's module `broker`, which
//! writes down the will, the subscriptions and every message, and sends commands and orders.
//! `golden/*.txt` holds what was written down; `inbound-*.txt` holds the packets that are sent.
//!
//! **If a test here fails, do not change the golden file: change the code.** Consumers in the
//! districts read these payloads. `LINLI_BLESS=1 cargo test -p linli-uplink --test golden` writes
//! the files anew; in the difference only lines may be added. A new topic, value, quality, reason
//! or clock quality does not compile until it is named in `golden/kinds.rs`, and fails until it is
//! in a message.
#![allow(clippy::unwrap_used, reason = "a test says what it expects")]

#[path = "golden/broker.rs"]
mod broker;
#[path = "golden/kinds.rs"]
mod kinds;
#[path = "golden/messages.rs"]
mod messages;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Incoming};
use linli_domain::command::Inbound;
use linli_domain::{ClockQuality, Lane, Layout, Record, Stamp};
use linli_golden::{frozen, golden};
use linli_store::Store;
use linli_uplink::{Birth, Context, InboundOrder, Settings, UplinkStatus, Version};
use messages::NOW;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

/// Stands for the store's random epoch in the golden files.
const EPOCH: &str = "00112233445566778899aabbccddeeff";

const BASE: &str = "linli/1/centre/gateway";

/// What a connection said, and what it took.
struct Session {
    said: String,
    commands: Vec<Inbound>,
    orders: Vec<InboundOrder>,
}

async fn store_with(path: &Path, records: &[(Lane, Record)]) -> (Store, String) {
    let settings = linli_store::Settings {
        path: path.to_owned(),
        max_bytes: 64 << 20,
        max_age: None,
        commit_interval: Duration::from_millis(10),
        history_retention: Duration::from_secs(3600),
    };
    let (store, opening) = Store::open(settings, Arc::new(|| NOW)).await.unwrap();
    for (lane, record) in records {
        if *lane == record.lane() {
            store.accept_durably(record.clone()).await.unwrap();
        } else {
            store.accept_in(*lane, record.clone()).unwrap();
        }
    }
    (store, opening.epoch)
}

/// Delivers everything to a broker that sends `packets`, until `expected` messages have arrived.
async fn deliver(version: Version, layouts: Vec<Arc<Layout>>, packets: &[Vec<u8>]) -> Session {
    let dir = tempfile::tempdir().unwrap();
    let records = messages::records();
    let (store, epoch) = store_with(&dir.path().join("linli.db"), &records).await;
    let broker = Broker::listen(version).await;
    let (inbound, mut commands) = mpsc::channel(64);
    let (order_queue, mut orders) = mpsc::channel(64);
    let (_layouts, layouts) = watch::channel(Arc::new(layouts));
    let (_birth, birth) = watch::channel(messages::birth());
    let cancel = CancellationToken::new();
    let settings = Settings {
        host: "127.0.0.1".to_owned(),
        port: broker.port(),
        others: Vec::new(),
        version,
        client_id: "gateway".to_owned(),
        credentials: None,
        tls: None,
        base: BASE.to_owned(),
        window: 64,
        backlog_rate: 0,
        max_payload: 64 * 1024,
        keep_alive: Duration::from_secs(30),
        ack_timeout: Duration::from_secs(30),
        acknowledge: linli_uplink::Acknowledge::Puback,
        inbound_qos1: true,
        escape_dots: false,
    };
    let status = watch::Sender::new(UplinkStatus::default());
    let acknowledged = status.subscribe();
    let uplink = tokio::spawn(linli_uplink::run(Context {
        settings,
        outbox: store.outbox(),
        inbound,
        orders: order_queue,
        layouts,
        birth,
        status,
        now: Arc::new(|| Stamp { at: NOW, clock: ClockQuality::Synchronised }),
        cancel: cancel.clone(),
    }));
    let count = records.len() as u64;
    let mut done = acknowledged;
    let session = broker.serve(packets.to_vec());
    let ended = async {
        done.wait_for(|status| status.acknowledged == count).await.unwrap();
        // Answers travel on the same connection: when commands are here, what came before is too.
        let mut taken = (Vec::new(), Vec::new());
        let expected = messages::inbound(version);
        while taken.0.len() < expected.commands.len() {
            taken.0.push(commands.recv().await.unwrap());
        }
        while taken.1.len() < expected.orders.len() {
            taken.1.push(orders.recv().await.unwrap());
        }
        cancel.cancel();
        uplink.await.unwrap();
        taken
    };
    let both = async { tokio::join!(session, ended) };
    let (said, (commands_taken, orders_taken)) =
        tokio::time::timeout(Duration::from_secs(60), both).await.expect("the session ends");
    assert!(commands.try_recv().is_err() && orders.try_recv().is_err(), "more came than was meant for us");
    store.close().await;
    Session { said: said.replace(&epoch, EPOCH), commands: commands_taken, orders: orders_taken }
}

async fn wire_is_frozen(version: Version, name: &str) {
    kinds::all_are_in(&messages::records());
    let packets = messages::inbound(version).packets;
    let lines = |packets: &[Incoming]| -> String {
        packets.iter().map(|packet| format!("{}\n{}\n", packet.what, messages::hex(&packet.bytes))).collect()
    };
    let file = format!("inbound-{name}.txt");
    frozen(&file, &lines(&packets));
    // What is sent is what the file says, not what today's test would make.
    let sent: Vec<Vec<u8>> = golden(&file).lines().skip(1).step_by(2).map(messages::bytes).collect();
    assert_eq!(sent.len(), packets.len());
    let session = deliver(version, messages::layouts(), &sent).await;
    frozen(&format!("said-{name}.txt"), &session.said);
    let expected = messages::inbound(version);
    assert_eq!(session.commands, expected.commands);
    assert_eq!(session.orders, expected.orders);
}

#[tokio::test]
async fn mqtt_5_is_frozen() {
    wire_is_frozen(Version::V5, "v5").await;
}

#[tokio::test]
async fn mqtt_3_1_1_is_frozen() {
    wire_is_frozen(Version::V311, "v311").await;
}

/// Both versions send the same payloads to the same topics.
#[test]
fn versions_differ_only_in_correlation() {
    let plain = |name: &str| golden(name).replace(" correlation=00ff07", "");
    assert_eq!(plain("said-v5.txt"), plain("said-v311.txt"));
}

/// A birth without what is optional, a device without a room.
#[test]
fn optional_members_are_left_out() {
    let birth = Birth { record_key: None, ..messages::birth() };
    let status = linli_uplink::json::status(&birth, EPOCH, NOW, false);
    let bare = Layout { room: None, points: Vec::new(), ..(*messages::layouts()[0]).clone() };
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let files = ["said-v5.txt", "said-v311.txt", "inbound-v5.txt", "inbound-v311.txt", "optional.txt"];
    linli_golden::only("", &files);
    frozen("optional.txt", &format!("{}\n{}\n", text(status), text(linli_uplink::json::meta(&bare))));
}
