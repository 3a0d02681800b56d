//! A district without gateways, and what reports to it: mosquitto, PostgreSQL, copies of the service, and messages of as
//! many centres as are wanted.

use std::time::Duration;

use anyhow::ensure;
use linli_tests::{Broker, Database, Platform, Workspace};
use mqtt_v311::{AsyncClient, Event, MqttOptions, Packet, PublishOptions};
use tokio::time::{Instant, MissedTickBehavior};

/// Samples of a message.
pub const SAMPLES: usize = 6;

/// Messages that have arrived.
pub const ARRIVED: &str =
    "SELECT coalesce(sum((SELECT sum(upper(r) - lower(r)) FROM unnest(seqs) r)), 0)::int8 FROM epoch";

/// Messages that are there more than once.
const TWICE: &str = "SELECT count(*) FROM (SELECT FROM message GROUP BY epoch, seq HAVING count(*) > 1) t";

/// How often it is said how far a long part is.
const SAID_EVERY: Duration = Duration::from_secs(5);

/// The district. Its parts end with it, the folder last.
pub struct Central {
    /// Copies of the service.
    pub platforms: Vec<Platform>,
    /// mosquitto.
    pub broker: Broker,
    /// PostgreSQL.
    pub database: Database,
    _workspace: Workspace,
}

/// What became of a part that was not to last longer than a time.
#[derive(Debug, Clone, Copy)]
pub struct Stored {
    /// Messages that have arrived.
    pub count: i64,
    /// Seconds.
    pub seconds: f64,
}

// === impl Central ===

impl Central {
    /// Broker, database, and copies that have run once: the broker keeps a queue for each. Centres `c0`, `c1`, … are
    /// enrolled.
    pub async fn start(copies: usize, centres: usize) -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let database = Database::start().await?;
        let broker = Broker::start(&workspace).await?;
        let mut platforms = Vec::new();
        for copy in 0..copies {
            let name = format!("copy-{copy}");
            platforms.push(Platform::new(&workspace.path("district"), &name, &database, broker.port).await?);
        }
        enrol(&database, centres).await?;
        for platform in &mut platforms {
            platform.begin().await?;
        }
        Ok(Self { platforms, broker, database, _workspace: workspace })
    }

    /// Starts every copy, without waiting until it is ready.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        self.platforms.iter_mut().try_for_each(Platform::spawn)
    }

    /// Stops every copy.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        for platform in &mut self.platforms {
            platform.stop().await?;
        }
        Ok(())
    }

    /// Waits until so many messages have arrived, but not longer than that. Says how far it is.
    pub async fn stored(&self, all: usize, at_most: Duration, what: &str) -> anyhow::Result<Stored> {
        let (began, all) = (Instant::now(), i64::try_from(all)?);
        let mut said = began;
        loop {
            let count = self.database.number(ARRIVED).await?;
            let took = began.elapsed();
            if count >= all || took >= at_most {
                return Ok(Stored { count, seconds: took.as_secs_f64() });
            }
            if said.elapsed() >= SAID_EVERY {
                said = Instant::now();
                eprintln!("{what}: {count} of {all} messages stored, {:.0} s", took.as_secs_f64());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The proof where all has arrived; where the time was over first, that nothing is there twice.
    pub async fn proven(&self, stored: Stored, all: usize) -> anyhow::Result<()> {
        if stored.count >= i64::try_from(all)? {
            return self.database.nothing_is_missing_or_twice().await.map(drop);
        }
        ensure!(self.database.number(TWICE).await? == 0, "stored twice");
        Ok(())
    }
}

// === impl Stored ===

impl Stored {
    /// Messages a second.
    pub fn rate(self) -> f64 {
        self.count as f64 / self.seconds
    }
}

/// Enrols the centres `c0`, `c1`, …
pub async fn enrol(database: &Database, centres: usize) -> anyhow::Result<()> {
    let last = centres - 1;
    let sql = format!(
        "INSERT INTO gateway (centre, gateway) SELECT 'c' || n, 'g' FROM generate_series(0, {last}) n"
    );
    database.ask(&sql).await.map(drop)
}

/// The shortest of five answers, ms.
pub fn timed(platform: &Platform, path: &str) -> anyhow::Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let began = Instant::now();
        let (status, answer) = platform.get(path)?;
        ensure!(status == 200, "{path}: {status} {answer}");
        best = best.min(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(best)
}

/// Topic and payload of a centre's message; `seq` from 1.
pub fn message(centre: usize, seq: usize, device: usize, at: i64) -> (String, String) {
    let samples: Vec<String> = (0..SAMPLES)
        .map(|point| {
            let value = 4.0 + ((seq * 7 + point * 13) % 100) as f64 / 10.0;
            format!(r#"{{"p":"p{point}","t":{at},"v":{value}}}"#)
        })
        .collect();
    let payload = format!(
        r#"{{"epoch":"epoch-of-{centre}","seq":{seq},"device":"d{device}","samples":[{}]}}"#,
        samples.join(",")
    );
    (format!("linli/1/c{centre}/g/data/d{device}"), payload)
}

/// Publishes so many messages by one connection and waits until the broker has acknowledged all of them; with a pace no
/// faster than so many a second, and then each is made when its time has come.
pub async fn publish<I>(
    port: u16,
    id: &str,
    (count, a_second): (usize, Option<usize>),
    messages: I,
) -> anyhow::Result<()>
where
    I: Iterator<Item = (String, String)> + Send + 'static,
{
    let mut options = MqttOptions::new(id, ("127.0.0.1", port));
    options.set_inflight(1000);
    let (client, mut events) = AsyncClient::builder(options).capacity(1000).build();
    let period = a_second.map(|rate| Duration::from_secs(1) / u32::try_from(rate).unwrap_or(1));
    let sending = tokio::spawn(async move {
        let mut tick = period.map(tokio::time::interval);
        if let Some(tick) = &mut tick {
            tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        }
        let mut messages = messages.take(count);
        loop {
            if let Some(tick) = &mut tick {
                tick.tick().await;
            }
            let Some((topic, payload)) = messages.next() else { break };
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
    Ok(())
}
