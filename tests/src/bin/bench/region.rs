//! Twenty thousand centres report to one region at a sixtieth of their rate: what so many names cost.

use std::time::Duration;

use linli_tests::{Broker, Database, Platform, Workspace};
use mqtt_v311::{AsyncClient, Event, MqttOptions, Packet, PublishOptions};
use tokio::time::{Instant, MissedTickBehavior};

use super::district::{ARRIVED, enrol, timed};
use super::measure::Row;

/// Centres; two thousand are what decision 0015 puts into one region.
const CENTRES: usize = 20_000;

/// A centre sends 17 messages a minute with the report profile of a district; here one in sixty of them is sent.
const A_SECOND: usize = CENTRES * 17 / 60 / 60;

/// So long.
const SECONDS: usize = 240;

/// Values of a message.
const SAMPLES: usize = 6;

/// Age of the newest value of each centre at the start of the transaction that stored it.
const AGE: &str = "SELECT percentile_disc({}) WITHIN GROUP (ORDER BY (extract(epoch FROM e.heard_at - m.at) * 1000)::int8) \
    FROM epoch e JOIN (SELECT epoch, max(at) AS at FROM message GROUP BY 1) m ON m.epoch = e.id";

/// Measures it with mosquitto and two copies.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let broker = Broker::start(&workspace).await?;
    let mut platforms = Vec::new();
    for copy in ["one", "two"] {
        platforms.push(Platform::new(&workspace.path("district"), copy, &database, broker.port).await?);
    }
    enrol(&database, CENTRES).await?;
    for platform in &mut platforms {
        platform.begin().await?;
    }
    let began = Instant::now();
    let all = report(broker.port).await?;
    let counted = i64::try_from(all)?;
    database.until(ARRIVED, Duration::from_secs(120), |stored| stored >= counted).await?;
    let seconds = began.elapsed().as_secs_f64();
    database.nothing_is_missing_or_twice().await?;
    let half = database.number(&AGE.replace("{}", "0.5")).await?;
    let most = database.number(&AGE.replace("{}", "0.99")).await?;
    let (mut batches, mut busy) = (0.0, 0.0);
    for platform in &platforms {
        batches += platform.metric("linli_district_batches_total")?;
        busy += platform.metric("linli_district_batch_seconds_total")?;
    }
    let map = timed(&platforms[0], "/api/v1/centres")?;
    let names = "SELECT (sum(pg_total_relation_size(t::regclass)) / 20000)::int8 FROM unnest(ARRAY['gateway', 'epoch', \
        'device', 'series', 'shape', 'latest']) t";
    let names = database.number(names).await?;
    for platform in &mut platforms {
        platform.stop().await?;
    }
    let rate = all as f64 / seconds;
    Ok(vec![
        Row::new(
            "20 000 centres at 1/60 of their rate: messages/s stored",
            A_SECOND.to_string(),
            format!("{rate:.0}"),
        ),
        Row::new(
            "from the value's time to its transaction, p50 / p99, ms",
            "1000",
            format!("{half} / {most}"),
        ),
        Row::new("mean transaction, ms", "", format!("{:.1}", busy / batches * 1000.0)),
        Row::new("map of 20 000 centres, ms", "", format!("{map:.0}")),
        Row::new(
            "bytes of names and present state a centre, one device of six points",
            "",
            names.to_string(),
        ),
    ])
}

/// Each centre in turn sends a message, so many a second. Returns how many were sent.
async fn report(port: u16) -> anyhow::Result<usize> {
    let mut options = MqttOptions::new("region", ("127.0.0.1", port));
    options.set_inflight(1000);
    let (client, mut events) = AsyncClient::builder(options).capacity(1000).build();
    let count = A_SECOND * SECONDS;
    let sending = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_secs(1) / u32::try_from(A_SECOND)?);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for nth in 0..count {
            tick.tick().await;
            let (centre, seq, at) = (nth % CENTRES, nth / CENTRES + 1, linli_tests::now_ms());
            let samples: Vec<String> = (0..SAMPLES)
                .map(|point| format!(r#"{{"p":"p{point}","t":{at},"v":{}}}"#, (nth + point) as f64 / 10.0))
                .collect();
            let payload = format!(
                r#"{{"epoch":"epoch-of-{centre}","seq":{seq},"device":"d","samples":[{}]}}"#,
                samples.join(",")
            );
            let topic = format!("linli/1/c{centre}/g/data/d");
            client.publish(topic, payload, PublishOptions::at_least_once()).await?;
        }
        anyhow::Ok(client)
    });
    let mut acknowledged = 0;
    while acknowledged < count {
        if let Event::Incoming(Packet::PubAck(_)) = events.poll().await? {
            acknowledged += 1;
        }
    }
    sending.await??;
    Ok(count)
}
