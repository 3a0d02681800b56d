//! A gateway killed at any moment of a switch, of the way back and of a drill: nobody is harmed,
//! nothing moves twice for one intent, and the room gets where it was ordered to.

use std::time::Duration;

use linli_tests::room::{BACK, Centre, ENTER, Room, room};
use linli_tests::{Gateway, Held, Link, Operators, eventually};
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// A switch takes some ten seconds here; a busy machine takes longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// People who do what they are asked, and let a held room go on.
const OPERATORS: Operators = Operators { resumes: true, retries: true };

/// Runs that go on side by side.
const SIDE_BY_SIDE: usize = 4;

/// Where an order takes the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trip {
    Enter,
    Back,
    Drill,
}

// === impl Trip ===

impl Trip {
    /// Orders it.
    async fn order(self, centre: &mut Centre, gateway: &Gateway) -> anyhow::Result<()> {
        let (kind, class, plan, signers) = match self {
            Self::Enter => ("enter", "actual", ENTER, ["wang", "li"]),
            Self::Back => ("return", "actual", BACK, ["wang", "li"]),
            Self::Drill => ("enter", "exercise", ENTER, ["drill-wang", "drill-li"]),
        };
        let plan = centre.named_plan("xinghe", plan);
        let order = centre.order(kind, class, &["--plan", &plan], &signers).await?;
        let (is_taken, reported) = centre.send(gateway, &order).await?;
        anyhow::ensure!(is_taken, "{reported}");
        Ok(())
    }

    /// Where it ends.
    const fn end(self) -> &'static str {
        match self {
            Self::Enter | Self::Drill => "ready",
            Self::Back => "peace",
        }
    }

    /// How often the gate's button is pressed, from peace to the end of it.
    const fn presses(self) -> usize {
        match self {
            Self::Enter => 1,
            Self::Back => 2,
            Self::Drill => 0,
        }
    }
}

/// Lines of the record so far.
fn lines(gateway: &Gateway) -> usize {
    let shown = gateway.ask("GET", "/api/v1/mode", &Value::Null).map(|(_, shown)| shown).unwrap_or_default();
    usize::try_from(shown["record"]["count"].as_u64().unwrap_or_default()).unwrap_or_default()
}

/// A gateway that knows that there is no fire.
async fn started(centre: &Centre) -> anyhow::Result<Gateway> {
    let gateway = centre.gateway().await?;
    eventually("no fire", PATIENCE, || room(&gateway).is_ok_and(|room| room["fire"] == "normal")).await?;
    Ok(gateway)
}

/// The crew works until the room is where the order takes it.
async fn arrives(trip: Trip, gateway: &Gateway, place: &mut Room, why: &str) -> anyhow::Result<()> {
    let began = Instant::now();
    loop {
        let shown = room(gateway)?;
        if shown["stage"] == trip.end() {
            anyhow::ensure!(
                trip != Trip::Drill || shown["verified"] == false,
                "a drill is verified: {shown}"
            );
            return Ok(());
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "{trip:?}, {why}: {shown:#}\n{}", gateway.log());
        OPERATORS.work(gateway, place, &[], Duration::ZERO).await?;
        sleep(Duration::from_millis(5)).await;
    }
}

/// What must be so in the end, whenever the gateway was killed.
async fn ended_well(trip: Trip, centre: &Centre, gateway: &Gateway, place: &Room) -> anyhow::Result<()> {
    anyhow::ensure!(place.violations().is_empty(), "{:?}", place.violations());
    let presses = place.written("coil", 1);
    anyhow::ensure!(presses.len() == trip.presses(), "the gate's button was written {presses:?}");
    if trip == Trip::Drill {
        let moved = [place.written("coil", 0), place.written("register", 0)].concat();
        anyhow::ensure!(moved.is_empty(), "a drill moved lamps or door: {moved:?}");
    }
    centre.record_holds(gateway).await
}

/// One trip, killed when the record has that many more lines. Gives whether that point was reached.
async fn killed_at(trip: Trip, point: usize) -> anyhow::Result<bool> {
    let mut centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let mut gateway = started(&centre).await?;
    if trip == Trip::Back {
        Trip::Enter.order(&mut centre, &gateway).await?;
        arrives(Trip::Enter, &gateway, &mut place, "before").await?;
    }
    let (before, mut is_killed, began) = (lines(&gateway), false, Instant::now());
    trip.order(&mut centre, &gateway).await?;
    while room(&gateway)?["stage"] != trip.end() && !is_killed {
        if lines(&gateway) >= before + point {
            gateway.kill().await?;
            is_killed = true;
            gateway = centre.gateway().await?;
            break;
        }
        anyhow::ensure!(began.elapsed() < PATIENCE, "{trip:?} never gets to {point}\n{}", gateway.log());
        OPERATORS.work(&gateway, &mut place, &[], Duration::ZERO).await?;
        sleep(Duration::from_millis(5)).await;
    }
    let why = format!("killed at line {point}");
    arrives(trip, &gateway, &mut place, &why).await?;
    let well = ended_well(trip, &centre, &gateway, &place).await;
    well.map_err(|error| error.context(format!("{trip:?}, {why}\n{}", gateway.log())))?;
    gateway.stop().await?;
    Ok(is_killed)
}

/// A few points by default; `LINLI_POINTS=1-90` looks at all of them.
async fn killed_at_any_line(trip: Trip, few: &[usize]) -> anyhow::Result<()> {
    let given = std::env::var("LINLI_POINTS").unwrap_or_default();
    let range = given.split_once('-').and_then(|(from, to)| Some(from.parse().ok()?..=to.parse().ok()?));
    let points: Vec<usize> = range.map_or_else(|| few.to_vec(), Iterator::collect);
    let (mut reached, mut wrong) = (0, Vec::new());
    for side_by_side in points.chunks(SIDE_BY_SIDE) {
        let runs = side_by_side.iter().map(|point| (*point, tokio::spawn(killed_at(trip, *point))));
        for (point, run) in runs.collect::<Vec<_>>() {
            match run.await? {
                Ok(is_reached) => reached += usize::from(is_reached),
                Err(error) => wrong.push(format!("point {point}: {error:#}")),
            }
        }
    }
    println!("{trip:?}: {reached} of {} points were reached, {} went wrong", points.len(), wrong.len());
    anyhow::ensure!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    anyhow::ensure!(
        reached * 10 >= points.len() * 5,
        "only {reached} of {} points were reached",
        points.len()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_killed_at_any_line_of_the_record_arrives() -> anyhow::Result<()> {
    killed_at_any_line(Trip::Enter, &[9, 25, 41, 52]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_back_killed_at_any_line_of_the_record_arrives() -> anyhow::Result<()> {
    killed_at_any_line(Trip::Back, &[5, 25, 40, 47]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_killed_at_any_line_of_the_record_arrives_and_moves_nothing() -> anyhow::Result<()> {
    killed_at_any_line(Trip::Drill, &[5, 15]).await
}

/// The button of the gate, pressed: write single coil 1, on (Modbus Application Protocol 6.5).
fn presses_the_button(telegram: &[u8]) -> bool {
    telegram.get(7..12) == Some(&[5, 0, 1, 0xff, 0])
}

/// Killed after the intent was durable, while the command is under way. A pulse that may have
/// happened is not sent again: a person looks, and decides.
async fn killed_in_the_act(held: Held) -> anyhow::Result<()> {
    let mut centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let cable = Link::to(centre.port).await?;
    centre.wired_to(cable.port)?;
    let mut gateway = started(&centre).await?;
    Trip::Enter.order(&mut centre, &gateway).await?;
    cable.hold(presses_the_button, held);
    let began = Instant::now();
    while !cable.has_caught() {
        anyhow::ensure!(began.elapsed() < PATIENCE, "{held:?}: {:#}\n{}", room(&gateway)?, gateway.log());
        OPERATORS.work(&gateway, &mut place, &[], Duration::ZERO).await?;
        sleep(Duration::from_millis(5)).await;
    }
    gateway.kill().await?;
    gateway = centre.gateway().await?;
    // The crew tries again what is stuck; of a pulse it looks first whether it happened.
    arrives(Trip::Enter, &gateway, &mut place, &format!("{held:?} was held")).await?;
    ended_well(Trip::Enter, &centre, &gateway, &place).await?;
    gateway.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pulse_on_its_way_when_the_gateway_dies_is_pressed_once() -> anyhow::Result<()> {
    let runs = [Held::Request, Held::Answer].map(|held| tokio::spawn(killed_in_the_act(held)));
    for run in runs {
        run.await??;
    }
    Ok(())
}

/// The door, as it was written last: 0 is public, 1 staff only, 2 in only.
fn door(place: &Room) -> Option<i64> {
    place.written("register", 0).last().copied()
}

/// The room on its way in, killed when its door was secured.
async fn killed_with_its_door_secured() -> anyhow::Result<(Centre, Room)> {
    let mut centre = Centre::new(None).await?;
    let mut place = Room::start(centre.port, "2").await?;
    let gateway = started(&centre).await?;
    Trip::Enter.order(&mut centre, &gateway).await?;
    let began = Instant::now();
    while door(&place) != Some(1) {
        anyhow::ensure!(began.elapsed() < PATIENCE, "{:#}\n{}", room(&gateway)?, gateway.log());
        OPERATORS.work(&gateway, &mut place, &[], Duration::ZERO).await?;
        sleep(Duration::from_millis(5)).await;
    }
    gateway.kill().await?;
    Ok((centre, place))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_door_is_released_after_a_restart_until_people_confirm_again() -> anyhow::Result<()> {
    let (centre, mut place) = killed_with_its_door_secured().await?;
    let gateway = centre.gateway().await?;
    eventually("the door is released", PATIENCE, || door(&place) == Some(0)).await?;
    eventually("it is proven", PATIENCE, || {
        room(&gateway).is_ok_and(|room| room["unproven"] == serde_json::json!([]))
    })
    .await?;
    eventually("people are asked again", PATIENCE, || {
        room(&gateway).is_ok_and(|room| room["stage"] == "notice" || room["stage"] == "clearing")
    })
    .await?;
    let before = place.written("register", 0).len();
    arrives(Trip::Enter, &gateway, &mut place, "after the door was released").await?;
    anyhow::ensure!(
        place.written("register", 0).len() > before,
        "it is secured again, once people confirmed"
    );
    ended_well(Trip::Enter, &centre, &gateway, &place).await?;
    gateway.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_room_whose_plan_was_removed_is_released_stopped_and_hears_a_fire() -> anyhow::Result<()> {
    let (centre, mut place) = killed_with_its_door_secured().await?;
    for file in [format!("{ENTER}.toml"), format!("{ENTER}.toml.sig")] {
        let path = centre.config.join("plans").join(file);
        std::fs::rename(
            &path,
            centre.workspace.path(&path.file_name().unwrap_or_default().to_string_lossy()),
        )?;
    }
    let gateway = centre.gateway().await?;
    eventually("the door is released", PATIENCE, || door(&place) == Some(0)).await?;
    let shown = room(&gateway)?;
    anyhow::ensure!(shown["notice"].is_string() && shown["verified"] == false, "{shown:#}");
    let config = centre.config.to_string_lossy().into_owned();
    let checked = linli_tests::linli(&["check", &config]).await?;
    anyhow::ensure!(!checked.status.success(), "check says nothing of the plan that a room follows");
    let (status, _) = gateway.ask("POST", "/api/v1/reload", &Value::Null)?;
    anyhow::ensure!(status == 422, "the reload was not refused: {status}");
    let (status, answer) = gateway.ask("POST", "/api/v1/mode/rooms/reading-room/stop", &Value::Null)?;
    anyhow::ensure!(status == 200 && answer["stop"]["is_safe"] == true, "{answer:#}");
    let outputs = answer["stop"]["outputs"].as_array().map(Vec::len);
    anyhow::ensure!(outputs > Some(0), "a stop says what became of the door: {answer:#}");
    place.set("fire 1").await?;
    eventually("the fire is heard of", PATIENCE, || {
        room(&gateway)
            .is_ok_and(|room| room["causes"].as_array().is_some_and(|all| all.contains(&"fire".into())))
    })
    .await?;
    anyhow::ensure!(place.violations().is_empty(), "{:?}", place.violations());
    gateway.stop().await
}
