//! A district on a cluster, and everything that may happen to it: kills, cut and silent connections, full disks, wrong
//! clocks, a centre that misbehaves. Whatever happens, what was acknowledged end to end is in the database once.

mod disk;
mod rogue;
mod site;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use anyhow::Context;
use tokio::time::Instant;

use site::Site;

/// What may happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A copy of the service is killed.
    Consumer,
    /// A broker is killed.
    Node,
    /// All brokers are killed at once.
    AllNodes,
    /// The database crashes.
    Database,
    /// A gateway is killed.
    Gateway,
    /// The connections between two are closed, and no new ones are made.
    Cut,
    /// Nothing passes between two any more, and nobody is told.
    Silence,
    /// The disk of a broker is full.
    BrokerDisk,
    /// The disk of the database is full.
    DatabaseDisk,
    /// The clock of one is off by an hour.
    Clock,
    /// Somebody reports as a centre that is there already.
    Duplicate,
    /// A centre sends what cannot be read.
    Rubbish,
    /// A centre sends a hundred times what the others do.
    Flood,
}

/// Those that kill a process.
pub const KILLS: [Fault; 5] =
    [Fault::Consumer, Fault::Node, Fault::AllNodes, Fault::Database, Fault::Gateway];

/// The others.
pub const OTHERS: [Fault; 8] = [
    Fault::Cut,
    Fault::Silence,
    Fault::BrokerDisk,
    Fault::DatabaseDisk,
    Fault::Clock,
    Fault::Duplicate,
    Fault::Rubbish,
    Fault::Flood,
];

/// What was seen.
#[derive(Debug, Default)]
pub struct Figures {
    /// How often each fault came, and how long it took until messages were stored again, in all and at most.
    pub faults: BTreeMap<Fault, (u32, Duration, Duration)>,
    /// Messages in the database at the end.
    pub stored: i64,
    /// Put aside.
    pub aside: i64,
    /// Messages of the centres that behave that were stored in five seconds, then in five while another one sent as fast as
    /// it was let; how many that were.
    pub beside_a_flood: Vec<(i64, i64, usize)>,
    /// Seconds of all.
    pub took: Duration,
}

/// Makes a district, lets these faults happen to it in this order, and proves that nothing is lost and nothing is there
/// twice.
pub async fn run(faults: &[Fault], seed: u64) -> anyhow::Result<Figures> {
    let began = Instant::now();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut site = Site::start(faults).await?;
    eprintln!("the district runs after {:.0} s", began.elapsed().as_secs_f64());
    let mut figures = Figures::default();
    for (nth, fault) in faults.iter().enumerate() {
        let since = Instant::now();
        let outcome = site.meets(*fault, &mut random, &mut figures).await;
        let outcome = outcome.with_context(|| format!("{fault:?}, number {nth}, seed {seed}"));
        outcome.map_err(|error| error.context(site.logs()))?;
        let took = since.elapsed();
        let (count, all, most) = figures.faults.entry(*fault).or_default();
        *count += 1;
        *all += took;
        *most = (*most).max(took);
        let (done, all, now) = (nth + 1, faults.len(), began.elapsed().as_secs_f64());
        eprintln!("{done} of {all}, {now:.0} s: {fault} ({:.1} s)", took.as_secs_f64());
    }
    let (stored, aside) = site.end().await?;
    Ok(Figures { stored, aside, took: began.elapsed(), ..figures })
}

/// Kills, and one of the others after every fifth; which ones, a seed decides.
#[must_use]
pub fn schedule(kills: usize, seed: u64) -> Vec<Fault> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut all = Vec::new();
    for nth in 0..kills {
        all.push(KILLS[random.usize(..KILLS.len())]);
        if nth % 5 == 4 {
            // Each of them comes before one comes again.
            all.push(OTHERS[(nth / 5) % OTHERS.len()]);
        }
    }
    all
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| what happened | how often | until messages were stored again, mean | longest |")?;
        writeln!(f, "|---|---|---|---|")?;
        for (fault, (count, all, most)) in &self.faults {
            let mean = all.as_secs_f64() / f64::from(*count);
            writeln!(f, "| {fault} | {count} | {mean:.1} s | {:.1} s |", most.as_secs_f64())?;
        }
        let kills: u32 =
            KILLS.iter().filter_map(|fault| self.faults.get(fault)).map(|(count, ..)| count).sum();
        let others: u32 = self.faults.values().map(|(count, ..)| count).sum::<u32>() - kills;
        writeln!(
            f,
            "{kills} kills and {others} other faults in {:.0} s: {} messages stored, none missing, none twice, {} put aside",
            self.took.as_secs_f64(),
            self.stored,
            self.aside
        )?;
        for (before, beside, sent) in &self.beside_a_flood {
            writeln!(
                f,
                "beside {sent} messages of a flood in 5 s, {beside} of the others; {before} in 5 s before"
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Consumer => "a copy killed",
            Self::Node => "a broker killed",
            Self::AllNodes => "all three brokers killed",
            Self::Database => "PostgreSQL crashed",
            Self::Gateway => "a gateway killed",
            Self::Cut => "connection of two closed and refused",
            Self::Silence => "connection of two silent",
            Self::BrokerDisk => "disk of a broker full",
            Self::DatabaseDisk => "disk of the database full",
            Self::Clock => "clock of one an hour off",
            Self::Duplicate => "a centre's name used by another",
            Self::Rubbish => "a centre sends rubbish",
            Self::Flood => "a centre sends a hundred times its rate",
        })
    }
}
