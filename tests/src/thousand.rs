//! A district of 1,000 simulated centres, 5 % of which are silent, and an actual mass order to all of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::ensure;
use linli_domain::{Id, Timestamp};
use linli_mode::Class;
use linli_mode::order::{Authority, Envelope, Kind, Order, PlanHash, Target, text};
use mqtt_v311::{AsyncClient, Event, MqttOptions, Packet, PublishOptions, QoS};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::log_in::PASSWORD;
use crate::{Broker, Database, Platform, Workspace, now_ms};

/// The centres.
pub const CENTRES: usize = 1000;
/// Every so many is silent.
const SILENT: usize = 20;
/// The order.
const PATH: &str = "/api/v1/orders/to-a-thousand";
/// Every wait is for an event; this only bounds one that would go on for ever.
const PATIENCE: Duration = Duration::from_secs(300);

/// What became of the order.
#[derive(Debug)]
pub struct Accounted {
    /// Centres whose answer is in the database.
    pub answers: usize,
    /// Centres that are shown as silent, with their telephone numbers.
    pub silent: usize,
    /// From the second person's approval to the last answer in the database.
    pub took: Duration,
}

fn name(centre: usize) -> String {
    format!("c{centre:04}")
}

fn is_silent(centre: usize) -> bool {
    centre % SILENT == 7
}

fn centre_number(centre: &Id) -> u64 {
    centre.as_str().trim_start_matches('c').parse().unwrap_or_default()
}

/// An order that names all of them. The district does not judge signatures: gateways do.
fn order() -> anyhow::Result<String> {
    let now = now_ms();
    let target = |centre: usize| {
        let centre = Id::new(&name(centre)).map_err(|error| anyhow::anyhow!("{error}"))?;
        // A plan of its own for each: more than the 64 KiB that earlier gateways read.
        let mut hash = [7; 32];
        hash[..8].copy_from_slice(&centre_number(&centre).to_be_bytes());
        let plans = vec![PlanHash { plan: "reading-room.sampling@3".to_owned(), hash }];
        anyhow::Ok(Target { centre, site: None, plans, snapshot: None })
    };
    let order = Order {
        id: "to-a-thousand".to_owned(),
        seq: 1,
        kind: Kind::Return,
        class: Class::Actual,
        authority: Authority::District,
        targets: (0..CENTRES).map(target).collect::<Result<_, _>>()?,
        mode: "epidemic.sampling".to_owned(),
        not_before: Timestamp(now - 60_000),
        expires: Timestamp(now + 3_600_000),
        sent: Timestamp(now),
        reference: None,
        supersedes: Vec::new(),
        cap: None,
    };
    let bytes = Envelope::of(order).bytes();
    ensure!(bytes.len() > 64 << 10, "{} bytes", bytes.len());
    println!("an order to {CENTRES} centres with a plan each has {} bytes", bytes.len());
    Ok(text::write(&bytes))
}

/// All centres as one client: each reports that it is there, and answers an order unless it is silent. Returns how often
/// each got it, when dropped.
async fn centres(port: u16) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let mut options = MqttOptions::new("thousand-centres", ("127.0.0.1", port));
    options.set_inflight(500);
    // An order to all of them is longer than this client expects.
    options.set_max_packet_size(256 * 1024, 256 * 1024);
    let (client, mut events) = AsyncClient::builder(options).capacity(4000).build();
    client.subscribe("linli/1/+/g/order", QoS::AtLeastOnce).await?;
    let sending = client.clone();
    tokio::spawn(async move {
        for centre in 0..CENTRES {
            let name = name(centre);
            let status = json!({"online": true, "version": "t", "boot": "t", "epoch": format!("of-{name}"),
                "mode": "peace", "at": now_ms()});
            let mut status = status;
            // The last one has a program of before.
            if centre + 1 < CENTRES {
                status["order_bytes"] = json!(256 * 1024);
            }
            let topic = format!("linli/1/{name}/g/status");
            let _ = sending.publish(topic, status.to_string(), PublishOptions::at_least_once()).await;
        }
    });
    Ok(tokio::spawn(async move {
        let mut answered: BTreeSet<String> = BTreeSet::new();
        while let Ok(event) = events.poll().await {
            let Event::Incoming(Packet::Publish(order)) = event else { continue };
            let topic = String::from_utf8_lossy(&order.topic).into_owned();
            let Some(name) = topic.split('/').nth(2).map(str::to_owned) else { continue };
            let number: usize = name.trim_start_matches('c').parse().unwrap_or_default();
            if is_silent(number) || !answered.insert(name.clone()) {
                continue;
            }
            // One in fifty cannot follow.
            let result = if number % 50 == 3 { "quarantined" } else { "accepted" };
            let answer = json!({"epoch": format!("of-{name}"), "seq": 1, "order": "to-a-thousand", "result": result,
                "reason": if result == "accepted" { "" } else { "two people on the spot compare the code" }, "at": now_ms()});
            let topic = format!("linli/1/{name}/g/event/order");
            let _ = client.try_publish(topic, answer.to_string(), PublishOptions::at_least_once());
        }
    }))
}

/// Prepares the order, has two persons approve it, and releases every stage. Returns when the second approved.
fn released(one: &Platform, two: &Platform) -> anyhow::Result<Instant> {
    let (status, prepared) = one.post("zhou", "/api/v1/orders", &json!({"order": order()?}).to_string())?;
    ensure!(status == 200 && prepared["sums"]["gateways"] == CENTRES, "{status} {}", prepared["sums"]);
    let shown = prepared["gateways"].as_array().cloned().unwrap_or_default();
    let too_large = |gateway: &&Value| {
        gateway["preview"]["hindrances"].as_array().is_some_and(|all| all.contains(&json!("too_large")))
    };
    let found: Vec<&str> =
        shown.iter().filter(too_large).filter_map(|gateway| gateway["centre"].as_str()).collect();
    ensure!(
        found == [name(CENTRES - 1)],
        "whose program cannot read it is told before it is sent: {found:?}"
    );
    let approve = |typed: bool| {
        let mut body = json!({"seen": prepared["seen"], "password": PASSWORD});
        if typed {
            body["count"] = CENTRES.into();
            body["class"] = "Actual".into();
        }
        body.to_string()
    };
    // Each person at a copy of their own; the log-ins are no part of the minute.
    let logged_in = [("wang", one), ("li", two)].map(|(person, copy)| copy.ask(person, "GET", PATH, ""));
    ensure!(logged_in.into_iter().all(|answer| answer.is_ok_and(|answer| answer.status == 200)));
    ensure!(one.post("wang", &format!("{PATH}/approve"), &approve(false))?.0 == 200);
    let began = Instant::now();
    let (status, released) = two.post("li", &format!("{PATH}/approve"), &approve(true))?;
    ensure!(status == 200 && released["stage"] == 1, "{status} {}", released["state"]);
    for stage in [2, 3] {
        let body = json!({"stage": stage, "count": CENTRES, "class": "Actual"}).to_string();
        let (status, released) = two.post("li", &format!("{PATH}/release"), &body)?;
        ensure!(status == 200, "{status} {}", released["state"]);
    }
    Ok(began)
}

/// Sends the order; every answer is accounted for, and the silent are named.
pub async fn mass_order() -> anyhow::Result<Accounted> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let broker = Broker::start(&workspace).await?;
    let mut copies = Vec::new();
    for copy in ["one", "two"] {
        copies.push(Platform::new(&workspace.path("district"), copy, &database, broker.port).await?);
    }
    let last = CENTRES - 1;
    let enrol = format!(
        "INSERT INTO gateway (centre, gateway, phone) SELECT 'c' || lpad(n::text, 4, '0'), 'g', '021-' || n \
         FROM generate_series(0, {last}) n"
    );
    database.ask(&enrol).await?;
    for copy in &mut copies {
        copy.begin().await?;
    }
    let _centres = centres(broker.port).await?;
    database.until("SELECT count(*) FROM gateway WHERE online", PATIENCE, |n| n == CENTRES as i64).await?;

    let (one, two) = (&copies[0], &copies[1]);
    let began = released(one, two)?;
    let answers = (0..CENTRES).filter(|centre| !is_silent(*centre)).count();
    let counted = "SELECT count(*) FROM order_target WHERE result IS NOT NULL";
    database.until(counted, PATIENCE, |n| n == answers as i64).await?;
    let took = began.elapsed();

    let shown: Value = serde_json::from_str(&two.get(PATH)?.1)?;
    let gateways = shown["gateways"].as_array().cloned().unwrap_or_default();
    let mut silent: BTreeMap<String, String> = BTreeMap::new();
    for gateway in gateways.iter().filter(|gateway| gateway["state"] == "silent") {
        let word = |key: &str| gateway[key].as_str().unwrap_or_default().to_owned();
        silent.insert(word("centre"), word("phone"));
    }
    let expected: BTreeMap<String, String> =
        (0..CENTRES).filter(|centre| is_silent(*centre)).map(|n| (name(n), format!("021-{n}"))).collect();
    ensure!(silent == expected, "silent are {silent:?}");
    ensure!(shown["sums"]["not_accepted"] == CENTRES / 50, "{}", shown["sums"]);
    // The silent are asked again, those that have answered are not.
    let repeated = "SELECT count(*) FROM order_target WHERE sent > 1 AND result IS NULL";
    database.until(repeated, PATIENCE, |n| n == expected.len() as i64).await?;
    for copy in &mut copies {
        copy.stop().await?;
    }
    Ok(Accounted { answers, silent: silent.len(), took })
}
