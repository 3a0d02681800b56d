//! A gateway killed at random points while one room is switched for real, another one drills, and a fire breaks out:
//! nobody is harmed, each order counts once, and both rooms get where they were ordered to.

use std::time::Duration;

use anyhow::Context;
use linli_tests::room::{BACK, Centre, ENTER, Room, rooms};
use linli_tests::{Gateway, Operators, eventually};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// A switch takes some ten seconds here; a busy machine, and one that starts anew all the time, takes longer.
const PATIENCE: Duration = Duration::from_secs(180);

/// People who do what they are asked, and let a held room go on.
const OPERATORS: Operators = Operators { resumes: true, retries: true };

/// Kills of one switch and of one way back.
const KILLS_A_WAY: usize = 5;

/// Centres that are killed side by side.
const SIDE_BY_SIDE: usize = 2;

/// The rooms that are ordered, and the class of their orders.
const ORDERED: [(&str, &str); 2] = [("reading-room", "Actual"), ("hall", "Exercise")];

/// Unit of the hall's controller, and its door: the drill never moves it.
const HALL: (u64, &str, u64) = (5, "register", 0);

/// The gateway, between two kills.
fn running(gateway: &Option<Gateway>) -> anyhow::Result<&Gateway> {
    gateway.as_ref().context("the gateway was killed and not started again")
}

/// One centre with its building, and the order of its kills.
struct World {
    centre: Centre,
    place: Room,
    running: Option<Gateway>,
    random: fastrand::Rng,
    orders: Vec<String>,
    kills: usize,
}

// === impl World ===

impl World {
    async fn new(seed: u64) -> anyhow::Result<Self> {
        let centre = Centre::new(None).await?;
        let place = Room::start(centre.port, "2").await?;
        let running = Some(centre.gateway().await?);
        let random = fastrand::Rng::with_seed(seed);
        Ok(Self { centre, place, running, random, orders: Vec::new(), kills: 0 })
    }

    fn rooms(&self) -> anyhow::Result<Vec<Value>> {
        rooms(running(&self.running)?)
    }

    /// The ordered rooms, each with the class of its orders.
    fn ordered(&self) -> anyhow::Result<Vec<(Value, &'static str)>> {
        let all = self.rooms()?;
        let find = |(id, class)| {
            let room = all.iter().find(|room| room["room"] == id).with_context(|| format!("no room {id}"))?;
            Ok((room.clone(), class))
        };
        ORDERED.into_iter().map(find).collect()
    }

    fn log(&self) -> String {
        self.running.as_ref().map(Gateway::log).unwrap_or_default()
    }

    async fn has_no_fire(&self) -> anyhow::Result<()> {
        let is_normal = || self.rooms().is_ok_and(|all| all.iter().all(|room| room["fire"] == "normal"));
        eventually("no fire", PATIENCE, is_normal).await
    }

    /// Orders it, and remembers the order's id.
    async fn order(&mut self, kind: &str, class: &str, plan: &str, signers: &[&str]) -> anyhow::Result<()> {
        let plan = self.centre.named_plan("xinghe", plan);
        let order = self.centre.order(kind, class, &["--plan", &plan], signers).await?;
        let (is_taken, reported) = self.centre.send(running(&self.running)?, &order).await?;
        anyhow::ensure!(is_taken, "{reported}");
        let shown = linli_tests::room::succeed(&["order", "show", &order, "--json"]).await?;
        let shown: Value = serde_json::from_str(&shown)?;
        self.orders.push(shown["order"]["id"].as_str().context("an order without an id")?.to_owned());
        Ok(())
    }

    /// Lets people work for a random number of looks, then kills the gateway and starts it again.
    async fn kill(&mut self) -> anyhow::Result<()> {
        for _ in 0..self.random.usize(0..12) {
            OPERATORS.work(running(&self.running)?, &mut self.place, &[], Duration::ZERO).await?;
        }
        // Somewhere between two looks: this chooses the point, nothing waits for it.
        sleep(Duration::from_micros(self.random.u64(0..60_000))).await;
        if let Some(gateway) = self.running.take() {
            gateway.kill().await?;
            self.kills += 1;
        }
        self.running = Some(self.centre.gateway().await?);
        self.is_consistent()
    }

    /// What must be so at any time.
    fn is_consistent(&self) -> anyhow::Result<()> {
        let harm = self.place.violations();
        anyhow::ensure!(harm.is_empty(), "{harm:?}\n{}", self.log());
        let (unit, kind, address) = HALL;
        let moved = self.place.written_to(unit, kind, address);
        anyhow::ensure!(moved.is_empty(), "a drill moved the hall's door: {moved:?}\n{}", self.log());
        for (room, expected) in self.ordered()? {
            anyhow::ensure!(
                room["plan"].is_null() || room["class"] == expected,
                "the rooms' orders are mixed up: {room:#}"
            );
            anyhow::ensure!(
                room["stage"] != "held" || room["causes"].as_array().is_some_and(|all| !all.is_empty()),
                "held without a reason: {room:#}"
            );
            anyhow::ensure!(
                expected == "Actual" || room["verified"] != true,
                "a drill is verified: {room:#}"
            );
        }
        Ok(())
    }

    /// A fire breaks out. The gateway dies in it, hears of it all the same, and the fire is put out.
    async fn fire(&mut self) -> anyhow::Result<()> {
        self.place.set("fire 1").await?;
        self.kill().await?;
        let burns = |room: &Value| {
            let causes = room["causes"].as_array();
            room["stage"] == "held" && causes.is_some_and(|causes| causes.contains(&"fire".into()))
        };
        let is_held = || self.ordered().is_ok_and(|rooms| rooms.iter().all(|(room, _)| burns(room)));
        eventually("every room is held by the fire", PATIENCE, is_held).await?;
        self.is_consistent()?;
        self.place.set("fire 0").await?;
        self.has_no_fire().await
    }

    /// Everybody works until both rooms are there.
    async fn arrive(&mut self, stage: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let ordered = self.ordered()?;
            if ordered.iter().all(|(room, _)| room["stage"] == stage) {
                break;
            }
            anyhow::ensure!(began.elapsed() < PATIENCE, "not {stage}: {ordered:#?}\n{}", self.log());
            OPERATORS.work(running(&self.running)?, &mut self.place, &[], Duration::ZERO).await?;
        }
        self.is_consistent()
    }

    /// There and back, killed on both ways. The fire breaks out before one of the kills on the way there.
    async fn round(&mut self, kills: usize) -> anyhow::Result<()> {
        self.has_no_fire().await?;
        self.order("enter", "actual", ENTER, &["wang", "li"]).await?;
        self.order("enter", "exercise", "hall.command@1", &["drill-wang", "drill-li"]).await?;
        let (there, back) = (kills.div_ceil(2), kills / 2);
        let burns = self.random.usize(0..there);
        for number in 0..there {
            if number == burns { self.fire().await? } else { self.kill().await? }
        }
        self.arrive("ready").await?;
        self.order("return", "actual", BACK, &["wang", "li"]).await?;
        self.order("return", "exercise", "hall.from-command@1", &["drill-wang", "drill-li"]).await?;
        for _ in 0..back {
            self.kill().await?;
        }
        self.arrive("peace").await
    }

    /// Each order was accepted once, and the record verifies.
    async fn record_holds(&self) -> anyhow::Result<()> {
        self.centre.record_holds(running(&self.running)?).await?;
        let record = std::fs::read_to_string(self.centre.record(running(&self.running)?).await?)?;
        let lines: Vec<Value> = record.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
        for order in &self.orders {
            let is_it = |line: &&Value| {
                let line = if line["entry"].is_object() { &line["entry"] } else { line };
                line["kind"] == "order" && line["result"] == "accepted" && line["order"] == order.as_str()
            };
            let times = lines.iter().filter(is_it).count();
            anyhow::ensure!(times == 1, "the order {order} was accepted {times} times");
        }
        Ok(())
    }
}

/// Kills one centre that often. The seed decides when.
async fn killed(seed: u64, kills: usize) -> anyhow::Result<usize> {
    let mut world = World::new(seed).await?;
    while world.kills < kills {
        let round = (kills - world.kills).min(2 * KILLS_A_WAY);
        world.round(round).await.map_err(|error| error.context(format!("LINLI_SEED={seed}")))?;
    }
    world.record_holds().await.map_err(|error| error.context(format!("LINLI_SEED={seed}")))?;
    if let Some(gateway) = world.running.take() {
        gateway.stop().await?;
    }
    Ok(world.kills)
}

/// The number in an environment variable, if that is set.
fn given(name: &str) -> anyhow::Result<Option<u64>> {
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    text.parse().map(Some).with_context(|| format!("{name}={text:?} is not a number"))
}

/// `LINLI_KILLS=300` kills more often, `LINLI_SEED` repeats the kills of one centre.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_rooms_a_drill_and_a_fire_survive_kills_at_random_points() -> anyhow::Result<()> {
    let kills = usize::try_from(given("LINLI_KILLS")?.unwrap_or(12))?;
    let seeds: Vec<u64> = match given("LINLI_SEED")? {
        Some(seed) => vec![seed],
        None => (0..SIDE_BY_SIDE).map(|_| fastrand::u64(..)).collect(),
    };
    let share = kills.div_ceil(seeds.len());
    let runs: Vec<_> = seeds.into_iter().map(|seed| tokio::spawn(killed(seed, share))).collect();
    let mut count = 0;
    for run in runs {
        count += run.await??;
    }
    println!("{count} kills");
    anyhow::ensure!(count >= kills, "only {count} of {kills} kills");
    Ok(())
}
