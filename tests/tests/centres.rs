//! Fourteen centres, fourteen gateways, one order: three cannot be reached, in two a device fails.

use std::collections::BTreeMap;
use std::time::Duration;

use linli_tests::room::{BACK, ENTER, Room, room, step, succeed};
use linli_tests::{Broker, District, DistrictCentre, Operators, Subscriber, Workspace, eventually};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

const CENTRES: u8 = 14;
/// Whose lamps do not burn, and whose controller goes silent in the middle.
const DARK: usize = 9;
const SILENT: usize = 10;
/// Whose line to the district is cut; the last gets the order on a stick.
const LATE: std::ops::Range<usize> = 11..14;
const ON_A_STICK: usize = 13;

/// A switch takes some fifteen seconds for one; two cores serve fourteen.
const PATIENCE: Duration = Duration::from_secs(150);

/// The office sends an order again until every centre has answered, because the broker does not retain it.
const AGAIN: Duration = Duration::from_secs(5);

const OPERATORS: Operators = Operators { resumes: false, retries: false };

/// When each room arrived, since the order was sent.
type Arrivals = BTreeMap<usize, Duration>;

struct Day {
    district: District,
    broker: Broker,
    subscriber: Subscriber,
    building: Room,
}

// === impl Day ===

impl Day {
    async fn begin(workspace: &Workspace) -> anyhow::Result<Self> {
        let broker = Broker::start(workspace).await?;
        let subscriber = broker.subscribe(workspace).await?;
        let district = District::new(workspace, CENTRES, broker.port).await?;
        let words = ["--lease", "2", "--more", &CENTRES.to_string(), "--tick", "0.1"];
        let building = Room::start_with(district.port, &words).await?;
        for centre in &district.centres {
            let gateway = &centre.gateway;
            let fire = || room(gateway).is_ok_and(|room| room["fire"] == "normal");
            eventually("no fire", PATIENCE, fire).await.map_err(|e| e.context(gateway.log()))?;
            gateway.until("it is connected", PATIENCE, |s| s["uplink"]["connected"] == true).await?;
        }
        Ok(Self { district, broker, subscriber, building })
    }

    fn centre(&self, index: usize) -> &DistrictCentre {
        &self.district.centres[index]
    }

    fn shown(&self, index: usize) -> anyhow::Result<Value> {
        room(&self.centre(index).gateway)
    }

    /// The order on every centre's topic.
    async fn send(&self, text: &str, to: impl Iterator<Item = usize>) -> anyhow::Result<()> {
        for index in to {
            let topic = format!("linli/1/{}/main/order", self.centre(index).name);
            self.broker.publish(&topic, text, false).await?;
        }
        Ok(())
    }

    /// Centres that have not answered the order.
    fn silent(&self, order: &str) -> anyhow::Result<Vec<usize>> {
        let received = self.subscriber.received()?;
        let has_answered = |centre: &DistrictCentre| {
            let topic = format!("linli/1/{}/main/event/order", centre.name);
            received.iter().any(|message| message.topic == topic && message.payload["order"] == order)
        };
        let centres = self.district.centres.iter().enumerate();
        Ok(centres.filter(|(_, centre)| !has_answered(centre)).map(|(index, _)| index).collect())
    }

    /// People everywhere do what they are asked until these rooms are there.
    async fn until(
        &mut self,
        operators: &Operators,
        stage: &str,
        these: &[usize],
        (text, order, sent): (&str, &str, Instant),
        arrivals: &mut Arrivals,
    ) -> anyhow::Result<()> {
        let (began, mut again) = (Instant::now(), Instant::now() + AGAIN);
        while !these.iter().all(|index| arrivals.contains_key(index)) {
            for (index, centre) in self.district.centres.iter().enumerate() {
                let shown = operators.attend(&centre.gateway, &mut self.building, centre.unit).await?;
                // Its lamps burn for seconds, a round of all centres may take longer.
                if stage == "ready" && step(&self.shown(SILENT)?, "uv-dose") == "running" {
                    self.centre(SILENT).panel.cut();
                }
                if shown["stage"] == stage && shown["plan"] != Value::Null || is_back(&shown, stage) {
                    arrivals.entry(index).or_insert_with(|| sent.elapsed());
                }
            }
            if Instant::now() > again {
                self.send(text, self.silent(order)?.into_iter()).await?;
                again = Instant::now() + AGAIN;
            }
            let missing = these.iter().find(|index| !arrivals.contains_key(index));
            if let Some(missing) = missing.filter(|_| began.elapsed() > PATIENCE) {
                let log = self.centre(*missing).gateway.log();
                anyhow::bail!("c{missing:02} does not arrive: {:#}\n{log}", self.shown(*missing)?);
            }
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// What was published of a room: stages, steps, whether it was ever verified.
    fn reported(&self, index: usize) -> anyhow::Result<Vec<Value>> {
        let topic = format!("linli/1/{}/main/event/mode", self.centre(index).name);
        let received = self.subscriber.received()?.into_iter();
        Ok(received.filter(|message| message.topic == topic).map(|message| message.payload).collect())
    }
}

/// A room in peace has no plan any more.
fn is_back(shown: &Value, stage: &str) -> bool {
    stage == "peace" && shown["stage"] == "peace" && shown["plan"].is_null()
}

async fn as_text(file: &str) -> anyhow::Result<(String, String)> {
    let shown: Value = serde_json::from_str(&succeed(&["order", "show", file, "--json"]).await?)?;
    let id = shown["order"]["id"].as_str().or(shown["id"].as_str()).unwrap_or_default().to_owned();
    Ok((succeed(&["order", "text", file]).await?, id))
}

fn table(what: &str, arrivals: &Arrivals) {
    println!("| centre | from the order to {what} |\n|---|---|");
    for index in 0..usize::from(CENTRES) {
        let note = match index {
            DARK => ", lamps do not burn",
            SILENT => ", controller silent",
            ON_A_STICK => ", cut off, on a stick",
            index if LATE.contains(&index) => ", cut off at first",
            _ => "",
        };
        let time = arrivals.get(&index).map(|time| format!("{:.1} s", time.as_secs_f64()));
        println!("| c{index:02}{note} | {} |", time.unwrap_or_else(|| "never".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_order_takes_fourteen_centres_there_and_another_brings_them_back() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let mut day = Day::begin(&workspace).await?;
    LATE.for_each(|index| day.centre(index).uplink.cut());
    let dark = day.centre(DARK).unit;
    day.building.set(&format!("{dark}:broken lamp")).await?;

    let file = day.district.order("enter", ENTER).await?;
    let (text, id) = as_text(&file).await?;
    let (mut arrivals, sent) = (Arrivals::new(), Instant::now());
    day.send(&text, 0..usize::from(CENTRES)).await?;
    let nine: Vec<usize> = (0..DARK).collect();
    day.until(&OPERATORS, "ready", &nine, (&text, &id, sent), &mut arrivals).await?;
    eventually("it is told that lamps do not burn", PATIENCE, || {
        day.shown(DARK).is_ok_and(|shown| step(&shown, "uv-dose") == "stuck")
    })
    .await?;
    for index in LATE {
        assert_eq!(day.shown(index)?["stage"], "peace", "c{index:02} has heard of nothing");
    }

    // Two lines are mended, and somebody brings the third the order on a stick.
    LATE.filter(|index| *index != ON_A_STICK).for_each(|index| day.centre(index).uplink.mend());
    let stick = workspace.path("order.txt");
    std::fs::write(&stick, &text)?;
    let taken = day.centre(ON_A_STICK).gateway.verb(&["order", "send", &stick.to_string_lossy()]).await?;
    assert!(taken.status.success(), "{}", String::from_utf8_lossy(&taken.stderr));
    let late: Vec<usize> = LATE.collect();
    day.until(&OPERATORS, "ready", &late, (&text, &id, sent), &mut arrivals).await?;
    table("ready", &arrivals);
    neither_is_ready(&day)?;

    // When its line comes back too, the order comes once more: it was accepted before.
    day.centre(ON_A_STICK).uplink.mend();
    let name = day.centre(ON_A_STICK).name.clone();
    eventually("it is connected", PATIENCE, || day.silent(&id).is_ok_and(|silent| silent.is_empty())).await?;
    day.send(&text, std::iter::once(ON_A_STICK)).await?;
    eventually("it is answered", PATIENCE, || {
        let topic = format!("linli/1/{name}/main/event/order");
        let received = day.subscriber.received().unwrap_or_default();
        received.iter().any(|message| message.topic == topic && message.payload["result"] == "repeated")
    })
    .await?;
    assert_eq!(day.shown(ON_A_STICK)?["stage"], "ready");
    comes_back(&mut day).await?;
    for centre in day.district.centres {
        centre.gateway.stop().await?;
    }
    Ok(())
}

/// Two rooms have gaps, which are reported, and are never reported as ready.
fn neither_is_ready(day: &Day) -> anyhow::Result<()> {
    let (dark, silent) = (day.shown(DARK)?, day.shown(SILENT)?);
    assert_eq!(step(&dark, "uv-dose"), "stuck", "{dark:#}");
    assert_ne!(silent["fire"], "normal", "nothing is known of the panel: {silent:#}");
    for (index, shown) in [(DARK, &dark), (SILENT, &silent)] {
        assert!(shown["stage"] != "ready" && shown["verified"] == false, "{shown:#}");
        let reported = day.reported(index)?;
        assert!(
            !reported.is_empty()
                && reported
                    .iter()
                    .all(|reported| reported["stage"] != "ready" && reported["verified"] == false)
        );
    }
    let is_stuck = |reported: &Value| {
        let steps = reported["steps"].as_array().into_iter().flatten();
        steps.into_iter().any(|step| step["step"] == "uv-dose" && step["state"] == "stuck")
    };
    assert!(day.reported(DARK)?.iter().any(is_stuck), "the district hears of the gap");
    assert_eq!((&silent["stage"], &silent["causes"][0]), (&json!("held"), &json!("guard")), "{silent:#}");
    assert_ne!(silent["unproven"], json!([]), "nothing is known to be safe: {silent:#}");
    assert!(
        day.reported(SILENT)?.iter().any(|reported| reported["stage"] == "held"),
        "the district hears of the hold"
    );
    Ok(())
}

/// The lamps are mended, the controller answers, and everybody goes back to peace.
async fn comes_back(day: &mut Day) -> anyhow::Result<()> {
    let dark = day.centre(DARK).unit;
    day.building.set(&format!("{dark}:broken none")).await?;
    day.centre(SILENT).panel.mend();
    eventually("the panel is heard", PATIENCE, || day.shown(SILENT).is_ok_and(|s| s["fire"] == "normal"))
        .await?;
    let file = day.district.order("return", BACK).await?;
    let (text, id) = as_text(&file).await?;
    let (mut arrivals, sent) = (Arrivals::new(), Instant::now());
    day.send(&text, 0..usize::from(CENTRES)).await?;
    let all: Vec<usize> = (0..usize::from(CENTRES)).collect();
    let operators = Operators { resumes: true, retries: true };
    // Those that are in peace before the order came are not back.
    eventually("everybody has answered", PATIENCE, || day.silent(&id).is_ok_and(|silent| silent.is_empty()))
        .await?;
    day.until(&operators, "peace", &all, (&text, &id, sent), &mut arrivals).await?;
    table("peace", &arrivals);
    assert_eq!(day.building.violations(), [Value::Null; 0]);
    Ok(())
}
