//! Three brokers, two copies, a database, two gateways, and a link between any two of them.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::Instant;

use super::disk::Disk;
use super::{Fault, Figures, rogue};
use crate::clock::FakeClock;
use crate::database::Database;
use crate::devices::{STORE, floods};
use crate::flood::Flood;
use crate::gateway::Gateway;
use crate::link::Link;
use crate::nats::Nats;
use crate::platform::Platform;
use crate::workspace::Workspace;

/// Every wait is for an event; this only bounds one that would be for ever. What a dead copy had in hand comes again
/// after half a minute, and as long takes a transaction whose connection is silent.
const PATIENCE: Duration = Duration::from_secs(180);

/// Those of the centres that behave.
const OF_THE_OTHERS: &str = "SELECT count(*) FROM message m JOIN epoch e ON e.id = m.epoch JOIN gateway g \
    ON g.id = e.gateway WHERE g.centre IN ('a', 'b') AND e.epoch !~ '^rogue'";

/// Messages that have arrived.
const ARRIVED: &str =
    "SELECT coalesce(sum((SELECT sum(upper(r) - lower(r)) FROM unnest(seqs) r)), 0)::int8 FROM epoch";

/// Put aside.
const ASIDE: &str = "SELECT count(*) FROM poison";

/// Size of a broker's disk and of the database's, in MiB.
const BROKER_DISK: u32 = 96;
const DATABASE_DISK: u32 = 700;

/// Messages that the rogue centre sends at a time.
const RUBBISH: u32 = 300;
const DUPLICATES: u32 = 200;

/// The rogue centre would send so many a second; a gateway of the site sends ten.
const FLOOD_A_SECOND: u32 = 2000;
const FLOOD_SECONDS: u32 = 5;
/// By so many connections: the broker takes some hundred messages a second of each.
const FLOODS: u32 = 4;

/// The centres.
const CENTRES: [&str; 2] = ["a", "b"];

/// A gateway with its links to the brokers.
struct Centre {
    workspace: Workspace,
    config: std::path::PathBuf,
    gateway: Option<Gateway>,
    links: Vec<Link>,
}

/// All of it.
pub struct Site {
    workspace: Workspace,
    database: Database,
    nodes: Vec<Nats>,
    copies: Vec<Platform>,
    centres: Vec<Centre>,
    /// Between brokers, from copies to brokers and to the database.
    links: Vec<Link>,
    flood: Flood,
    clock: FakeClock,
    /// The rogue centre's next number, and the next word for an epoch.
    rogue: u32,
    // Last: what is on them ends before.
    node_disks: Vec<Disk>,
    database_disk: Option<Disk>,
}

// === impl Site ===

impl Site {
    /// Starts a district; with disks of their own where these faults fill them.
    pub async fn start(faults: &[Fault]) -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let database_disk = match faults.contains(&Fault::DatabaseDisk) {
            true => Some(Disk::new(std::env::temp_dir().join(name("linli-disk-")), DATABASE_DISK)?),
            false => None,
        };
        let database = match &database_disk {
            Some(disk) => Database::start_in(disk.path()).await?,
            None => Database::start().await?,
        };
        let mut node_disks = Vec::new();
        if faults.contains(&Fault::BrokerDisk) {
            for nth in 0..3 {
                let path = std::env::temp_dir().join(name(&format!("linli-disk-{nth}-")));
                node_disks.push(Disk::new(path, BROKER_DISK)?);
            }
        }
        let store = |nth: usize| match node_disks.get(nth) {
            Some(disk) => disk.path().join("nats"),
            None => workspace.path(&format!("nats-{nth}")),
        };
        let (mut nodes, routes) = Nats::linked(&workspace, &[store(0), store(1), store(2)]).await?;
        let mut links: Vec<Link> = routes.into_iter().map(|(_, _, link)| link).collect();
        Nats::begin_all(&mut nodes).await?;
        let mut copies = Vec::new();
        for (nth, name) in ["one", "two"].into_iter().enumerate() {
            let copy = Platform::new(&workspace.path("district"), name, &database, 1).await?;
            let mut urls = Vec::new();
            for node in &nodes {
                let link = Link::to(node.port).await?;
                urls.push(format!("nats://127.0.0.1:{}", link.port));
                links.push(link);
            }
            urls.rotate_left(nth);
            copy.listen_to_all(&urls)?;
            let link = Link::to(database.port).await?;
            copy.store_through(link.port)?;
            links.push(link);
            copies.push(copy);
        }
        for (centre, gateway) in [("a", "gw"), ("b", "gw"), ("rogue", "gw")] {
            copies[0].verb(&["centre", "add", centre, gateway]).await?;
        }
        for copy in &mut copies {
            copy.spawn()?;
        }
        let flood = Flood::start().await?;
        let mut centres = Vec::new();
        for id in CENTRES {
            centres.push(Centre::start(id, &nodes, &flood).await?);
        }
        let clock = FakeClock::new(&workspace).await?;
        let mut site = Self {
            workspace,
            database,
            nodes,
            copies,
            centres,
            links,
            flood,
            clock,
            rogue: 0,
            node_disks,
            database_disk,
        };
        site.stored_more(50).await?;
        Ok(site)
    }

    /// Lets a fault happen and waits until messages are stored again.
    pub async fn meets(
        &mut self,
        fault: Fault,
        random: &mut fastrand::Rng,
        figures: &mut Figures,
    ) -> anyhow::Result<()> {
        let more = random.i64(10..40);
        match fault {
            Fault::Consumer => {
                let nth = random.usize(..self.copies.len());
                self.copies[nth].kill().await?;
                self.stored_more(more).await?;
                self.copies[nth].spawn()
            }
            Fault::Node => {
                let nth = random.usize(..self.nodes.len());
                self.nodes[nth].kill().await?;
                self.stored_more(more).await?;
                self.nodes[nth].begin().await
            }
            Fault::AllNodes => {
                for node in &mut self.nodes {
                    node.kill().await?;
                }
                Nats::begin_all(&mut self.nodes).await?;
                self.stored_more(more).await
            }
            Fault::Database => {
                self.database.crash().await?;
                self.database.begin().await?;
                self.stored_more(more).await
            }
            Fault::Gateway => {
                let nth = random.usize(..self.centres.len());
                self.centres[nth].kill().await?;
                self.stored_more(more).await?;
                self.centres[nth].begin().await
            }
            Fault::Cut | Fault::Silence => self.cut(fault, random, more).await,
            Fault::BrokerDisk => self.fill_a_broker(random.usize(..3), more).await,
            Fault::DatabaseDisk => self.fill_the_database(more).await,
            Fault::Clock => self.set_a_clock(random.u8(..3), more).await,
            Fault::Duplicate => self.duplicate(more).await,
            Fault::Rubbish => self.rubbish(more).await,
            Fault::Flood => self.flood(figures).await,
        }
    }

    /// Waits until so many more messages of the centres that behave are stored.
    async fn stored_more(&mut self, more: i64) -> anyhow::Result<()> {
        let before = self.database.until(OF_THE_OTHERS, PATIENCE, |_| true).await?;
        self.database.until(OF_THE_OTHERS, PATIENCE, |stored| stored >= before + more).await.map(drop)
    }

    async fn cut(&mut self, fault: Fault, random: &mut fastrand::Rng, more: i64) -> anyhow::Result<()> {
        let of_centres = self.centres.iter().flat_map(|centre| &centre.links);
        let links: Vec<&Link> = self.links.iter().chain(of_centres).collect();
        let link = links[random.usize(..links.len())];
        match fault {
            Fault::Cut => link.cut(),
            _ => link.silence(),
        }
        let before = self.database.until(OF_THE_OTHERS, PATIENCE, |_| true).await?;
        self.database.until(OF_THE_OTHERS, PATIENCE, |stored| stored >= before + more).await?;
        link.mend();
        Ok(())
    }

    /// A broker whose disk is full may lead the others and lead them nowhere (2.9): it is ended, as the unit of
    /// `deploy/district` does, and the two others go on. It is started again when there is room.
    async fn fill_a_broker(&mut self, nth: usize, more: i64) -> anyhow::Result<()> {
        self.node_disks[nth].fill()?;
        // It notices when it writes; the others may or may not go on beside it.
        tokio::time::sleep(Duration::from_secs(5)).await;
        self.nodes[nth].kill().await?;
        self.stored_more(more).await?;
        self.node_disks[nth].clear()?;
        self.nodes[nth].begin().await?;
        self.stored_more(more).await
    }

    /// While the database has no room nothing is acknowledged; it may end, and is started when there is room.
    async fn fill_the_database(&mut self, more: i64) -> anyhow::Result<()> {
        let disk = self.database_disk.as_ref().context("a disk of its own")?;
        disk.fill()?;
        let began = Instant::now();
        let failing = "linli_district_batch_failures_total";
        let before: Vec<f64> =
            self.copies.iter().map(|copy| copy.metric(failing).unwrap_or_default()).collect();
        loop {
            let fails = |(copy, before): (&Platform, &f64)| copy.metric(failing).is_ok_and(|n| n > *before);
            if !self.database.runs() || self.copies.iter().zip(&before).any(fails) {
                break;
            }
            ensure!(began.elapsed() < PATIENCE, "the full disk is not noticed");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        disk.clear()?;
        self.database.crash().await?;
        self.database.begin().await?;
        self.stored_more(more).await
    }

    /// A copy, the database or a gateway runs an hour ahead for a while. A broker cannot: its clock is not read through a
    /// library.
    async fn set_a_clock(&mut self, whose: u8, more: i64) -> anyhow::Result<()> {
        self.clock.set("+1h")?;
        let ahead = self.clock.environment();
        match whose {
            0 => {
                self.copies[0].kill().await?;
                self.copies[0].spawn_under(&ahead)?;
                self.stored_more(more).await?;
                self.copies[0].kill().await?;
                self.copies[0].spawn()?;
            }
            1 => {
                self.database.crash().await?;
                self.database.begin_under(&ahead).await?;
                let hour = "SELECT extract(epoch FROM now())::int8";
                let shown = self.database.number(hour).await? - crate::now_ms() / 1000;
                ensure!((3500..3700).contains(&shown), "its clock is not an hour ahead, but {shown} s");
                self.stored_more(more).await?;
                self.database.crash().await?;
                self.database.begin().await?;
            }
            _ => {
                self.centres[0].kill().await?;
                self.centres[0].begin_under(&self.clock.wrapper()).await?;
                self.stored_more(more).await?;
                self.centres[0].kill().await?;
                self.centres[0].begin().await?;
            }
        }
        self.stored_more(more).await
    }

    /// Somebody uses the name of a centre that is there, and somebody else its epoch.
    async fn duplicate(&mut self, more: i64) -> anyhow::Result<()> {
        self.rogue += 1;
        let epoch = format!("rogue-{}-of-a", self.rogue);
        let own = |seq| ("linli/1/a/gw/data/d".to_owned(), rogue::sample(&epoch, seq));
        self.until_stored(&epoch, (1..=DUPLICATES).map(own).collect(), 0).await?;
        let real = "SELECT e.epoch FROM epoch e JOIN gateway g ON g.id = e.gateway WHERE g.centre = 'a' \
            AND e.epoch !~ '^rogue' ORDER BY e.id LIMIT 1";
        let real = self.database.ask(real).await?;
        let foreign = |seq| ("linli/1/rogue/gw/data/d".to_owned(), rogue::sample(&real, 1_000_000 + seq));
        let before = self.database.number(ASIDE).await?;
        self.publish((1..=DUPLICATES).map(foreign).collect()).await?;
        self.database.until(ASIDE, PATIENCE, |n| n >= before + i64::from(DUPLICATES)).await?;
        self.stored_more(more).await
    }

    async fn rubbish(&mut self, more: i64) -> anyhow::Result<()> {
        let kinds =
            ["\u{1}no JSON", r#"{"seq":1}"#, r#"{"epoch":"x","seq":-4,"device":"d","samples":[]}"#, "[[[["];
        let rubbish = |nth: u32| {
            let kind = kinds[nth as usize % kinds.len()].to_owned();
            ("linli/1/rogue/gw/data/d".to_owned(), kind)
        };
        let before = self.database.number(ASIDE).await?;
        self.publish((0..RUBBISH).map(rubbish).collect()).await?;
        self.database.until(ASIDE, PATIENCE, |n| n >= before + i64::from(RUBBISH)).await?;
        self.stored_more(more).await
    }

    /// Beside a hundred times their rate the others go on.
    async fn flood(&mut self, figures: &mut Figures) -> anyhow::Result<()> {
        let time = Duration::from_secs(FLOOD_SECONDS.into());
        let count = async |database: &Database| database.number(OF_THE_OTHERS).await;
        let first = count(&self.database).await?;
        tokio::time::sleep(time).await;
        let second = count(&self.database).await?;
        let mut floods = Vec::new();
        for _ in 0..FLOODS {
            self.rogue += 1;
            let epoch = format!("rogue-{}", self.rogue);
            let message = |seq| ("linli/1/rogue/gw/data/d".to_owned(), rogue::sample(&epoch, seq));
            let messages: Vec<_> = (1..=FLOOD_A_SECOND * FLOOD_SECONDS / FLOODS).map(message).collect();
            let sending = tokio::spawn(rogue::publish(self.nodes[0].mqtt, messages.clone(), Some(time)));
            floods.push((epoch, messages, sending));
        }
        tokio::time::sleep(time).await;
        let third = count(&self.database).await?;
        ensure!(third > second, "nothing of the others is stored beside a flood");
        let mut sent = 0;
        for (epoch, messages, sending) in floods {
            let acknowledged = sending.await??;
            sent += acknowledged;
            // What was on its way may be there in part: it is sent again, as a gateway would.
            let last = (acknowledged + rogue::IN_FLIGHT).min(messages.len());
            self.until_stored(&epoch, messages[..last].to_vec(), acknowledged).await?;
        }
        figures.beside_a_flood.push((second - first, third - second, sent));
        self.stored_more(20).await
    }

    async fn publish(&self, messages: Vec<(String, String)>) -> anyhow::Result<()> {
        rogue::publish(self.nodes[0].mqtt, messages, None).await.map(drop)
    }

    /// Sends messages with the numbers from 1 on, as a gateway does: again until the district has all of them.
    /// Those before `first` have been sent.
    async fn until_stored(
        &self,
        epoch: &str,
        messages: Vec<(String, String)>,
        first: usize,
    ) -> anyhow::Result<()> {
        let mut first = first.min(messages.len());
        let all = i64::try_from(messages.len())?;
        let arrived = format!(
            "SELECT coalesce((SELECT sum(upper(r) - lower(r)) FROM epoch e, unnest(e.seqs) r \
             WHERE e.epoch = '{epoch}'), 0)::int8"
        );
        let began = Instant::now();
        loop {
            self.publish(messages[first..].to_vec()).await?;
            first = 0;
            // As long as messages in hand of a dead copy take to come again.
            let wait = Duration::from_secs(40);
            if self.database.until(&arrived, wait, |n| n >= all).await.is_ok() {
                return Ok(());
            }
            ensure!(began.elapsed() < PATIENCE, "{epoch} does not arrive");
        }
    }

    /// Everything is delivered; nothing is missing and nothing is there twice. Returns what is stored and what was put
    /// aside.
    pub async fn end(self) -> anyhow::Result<(i64, i64)> {
        let Self {
            workspace,
            database,
            nodes,
            mut copies,
            centres,
            links,
            flood,
            node_disks,
            database_disk,
            ..
        } = self;
        drop(flood);
        for centre in &centres {
            let gateway = centre.gateway.as_ref().context("a gateway")?;
            // A busy machine takes its time: as long as more is stored, all of it comes.
            let mut before = -1;
            while let Err(error) = gateway.until("everything is delivered", PATIENCE, is_delivered).await {
                let now = database.number(ARRIVED).await?;
                ensure!(now > before, "nothing more is stored: {error:#}");
                before = now;
            }
        }
        let stored = database.nothing_is_missing_or_twice().await?;
        let aside = database.number(ASIDE).await?;
        for centre in centres {
            if let Some(gateway) = centre.gateway {
                gateway.stop().await?;
            }
            drop((centre.links, centre.workspace));
        }
        for copy in &mut copies {
            copy.stop().await?;
        }
        drop((nodes, database, links, workspace, node_disks, database_disk));
        Ok((stored, aside))
    }

    /// The last lines of every log, for a fault that was not survived.
    pub fn logs(&self) -> String {
        let mut texts: Vec<String> = self.copies.iter().map(Platform::log).collect();
        texts.extend(self.centres.iter().filter_map(|centre| Some(centre.gateway.as_ref()?.log())));
        texts.extend(
            (0..3).filter_map(|nth| {
                std::fs::read_to_string(self.workspace.path(&format!("nats-{nth}.log"))).ok()
            }),
        );
        let last = |text: &String| {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(12)..].join("\n")
        };
        texts.iter().map(last).collect::<Vec<_>>().join("\n---\n")
    }
}

// === impl Centre ===

impl Centre {
    async fn start(id: &str, nodes: &[Nats], flood: &Flood) -> anyhow::Result<Self> {
        let (workspace, mut links) = (Workspace::new()?, Vec::new());
        for node in nodes {
            links.push(Link::to(node.mqtt).await?);
        }
        let urls: Vec<String> =
            links.iter().map(|link| format!("\"mqtt://127.0.0.1:{}\"", link.port)).collect();
        let mqtt = format!(
            "[mqtt]\nurl = {}\nmore_urls = [{}]\nversion = \"3.1.1\"\nbacklog_rate = 0\n\
             acknowledge = \"district\"\ninbound_qos = 0\n",
            urls[0],
            urls[1..].join(", ")
        );
        let config = workspace.configure_with(&mqtt, STORE, &floods(flood, 1, "100ms"))?;
        let facility = config.join("facility.toml");
        let text = std::fs::read_to_string(&facility)?;
        std::fs::write(&facility, text.replace("id = \"c\"", &format!("id = \"{id}\"")))?;
        let mut centre = Self { workspace, config, gateway: None, links };
        centre.begin().await?;
        Ok(centre)
    }

    async fn begin(&mut self) -> anyhow::Result<()> {
        self.begin_under(&[]).await
    }

    async fn begin_under(&mut self, wrapper: &[&str]) -> anyhow::Result<()> {
        let data = self.workspace.path("data");
        let mut gateway = Gateway::start_under(wrapper, &self.config, &data).await?;
        gateway.answering().await?;
        self.gateway = Some(gateway);
        Ok(())
    }

    async fn kill(&mut self) -> anyhow::Result<()> {
        match self.gateway.take() {
            Some(gateway) => gateway.kill().await,
            None => Ok(()),
        }
    }
}

fn name(prefix: &str) -> String {
    format!("{prefix}{:x}", fastrand::u64(..))
}

/// Whether nothing waits: neither to be sent, nor for the district.
fn is_delivered(status: &serde_json::Value) -> bool {
    let rows =
        status["store"]["rows"].as_array().map(|rows| rows.iter().filter_map(|n| n.as_u64()).sum::<u64>());
    rows == Some(0) && status["uplink"]["connected"] == true
}
