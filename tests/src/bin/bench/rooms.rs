//! Decisions while 14 × 12 rooms of one gateway follow plans of 20 steps at once.

use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use linli_tests::room::{Centre, succeed};
use linli_tests::{Broker, Gateway, Workspace, eventually};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tokio_modbus::server::Service;
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

use crate::measure::{Row, percentile};

const ZONES: usize = 14;
const ROOMS: usize = 12;
/// Things set to one value after the other; between them people are asked.
const SETS: usize = 9;
const PATIENCE: Duration = Duration::from_secs(120);

/// Controllers of all rooms, in which every written value is read back.
#[derive(Clone, Default)]
struct Controllers(Arc<Mutex<HashMap<(u8, u8), u16>>>);

impl Service for Controllers {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = std::future::Ready<Result<Response, ExceptionCode>>;

    fn call(&self, asked: SlaveRequest<'static>) -> Self::Future {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut word = |address: u16| *all.entry((asked.slave, address.to_le_bytes()[0])).or_insert(30);
        std::future::ready(match asked.request {
            Request::ReadCoils(_, count) => Ok(Response::ReadCoils(vec![false; usize::from(count)])),
            // The ways out are free, the interlock is closed, nothing else is.
            Request::ReadDiscreteInputs(first, count) => Ok(Response::ReadDiscreteInputs(
                (first..first + count).map(|at| at == 1 || at == 5).collect(),
            )),
            Request::ReadInputRegisters(_, count) => {
                Ok(Response::ReadInputRegisters(vec![400; usize::from(count)]))
            }
            Request::ReadHoldingRegisters(first, count) => {
                Ok(Response::ReadHoldingRegisters((first..first + count).map(&mut word).collect()))
            }
            Request::WriteSingleRegister(address, value) => {
                all.insert((asked.slave, address.to_le_bytes()[0]), value);
                Ok(Response::WriteSingleRegister(address, value))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        })
    }
}

/// Serves one zone's controllers; gives the address.
async fn serve() -> anyhow::Result<std::net::SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let controllers = Controllers::default();
    tokio::spawn(async move {
        let server = tokio_modbus::server::tcp::Server::new(listener);
        let connected = |stream: tokio::net::TcpStream, _| {
            let controllers = controllers.clone();
            async move {
                stream.set_nodelay(true)?;
                Ok(Some((controllers, stream)))
            }
        };
        let _ = server.serve(&connected, |_| {}).await;
    });
    Ok(address)
}

fn facility(room: &str, zone: usize) -> String {
    let words = format!("\nname = \"air\"\npoint = \"{room}.outdoor_air\"\n");
    format!(
        "\n[[room]]\nid = \"{room}\"\nsite = \"north\"\nname = \"{room}\"\npeace_role = \"room\"\n\
         emergency_roles = [\"ward\"]\nvolume = 100.0\nfire_zone = \"zone-{zone}\"\n\
         \n[[opening]]\nid = \"out-{room}\"\nroom = \"{room}\"\nway = \"both\"\n\
         \n[[fixture]]\nid = \"air-{room}\"\nroom = \"{room}\"\nkind = \"ventilation\"\ninterlock = \"hardwired\"\n\
         \n[[fixture.set]]{words}safe = \"30\"\n\n[[fixture.read]]{words}"
    )
}

fn plan(room: &str, is_back: bool) -> String {
    let (name, direction, more) = match is_back {
        true => ("back", "return", String::new()),
        false => ("ward", "enter", format!("return_plan = \"{room}.back@1\"\n")),
    };
    let mut text = format!(
        "[plan]\nid = \"{room}.{name}\"\nversion = 1\ndirection = \"{direction}\"\nroom = \"{room}\"\n\
         role = \"ward\"\nready_within = \"24h\"\nlead = \"site_lead\"\ngrace = \"1s\"\nbasis = [\"bench\"]\n{more}"
    );
    let human = |name: &str, after: &str, rest: &str| {
        format!(
            "\n[[step]]\nid = \"{name}\"\nkind = \"human\"\nafter = [{after}]\nprompt = \"{name}\"\ndeadline = \"30m\"\n{rest}"
        )
    };
    text += &human("h0", "", "role = \"staff\"\n");
    for set in 1..=if is_back { 0 } else { SETS } {
        let before = set - 1;
        let _ = write!(
            text,
            "\n[[step]]\nid = \"a{set}\"\nkind = \"actuate\"\nafter = [\"h{before}\"]\ndevice = \"air-{room}\"\n\
             set = {{ air = {value} }}\npre = [\"fire == normal\"]\n\
             verify = {{ read = [\"air-{room}.air == {value}\"], within = \"30s\", channel = \"self\" }}\n",
            value = 40 + set
        );
        text += &human(&format!("h{set}"), &format!("\"a{set}\""), "role = \"staff\"\n");
    }
    text + &human("accept", "\"*\"", "role = \"site_lead\"\nnot_same_as = [\"h0\"]\n")
}

/// A centre with all those rooms, and the plans' names.
async fn centre(broker: u16) -> anyhow::Result<(Centre, Vec<String>)> {
    let centre = Centre::new(Some(broker)).await?;
    let read = |name: &str| std::fs::read_to_string(centre.config.join(name));
    let (mut building, mut devices) = (read("facility.toml")?, read("devices.toml")?);
    let mut rooms = Vec::new();
    for zone in 0..ZONES {
        let address = serve().await?;
        let _ = write!(
            devices,
            "\n[[line]]\nid = \"z{zone}\"\nkind = \"modbus_tcp\"\nendpoint = \"{address}\"\n"
        );
        let _ =
            write!(building, "\n[[fire_zone]]\nid = \"zone-{zone}\"\ninput = \"r{zone:02}-00.fire_alarm\"\n");
        for number in 0..ROOMS {
            let room = format!("r{zone:02}-{number:02}");
            building += &facility(&room, zone);
            let _ = write!(
                devices,
                "\n[[device]]\nid = \"{room}\"\nname = \"{room}\"\nroom = \"{room}\"\nline = \"z{zone}\"\nunit = {}\n\
                 profile = \"generic/room-mode\"\nclass = \"actuator\"\npoll = \"1s\"\n",
                number + 1
            );
            rooms.push(room);
        }
    }
    std::fs::write(centre.config.join("facility.toml"), building)?;
    std::fs::write(centre.config.join("devices.toml"), devices)?;
    for room in &rooms {
        for (name, is_back) in [("ward", false), ("back", true)] {
            let file = centre.plan(&format!("{room}.{name}@1"));
            std::fs::write(&file, plan(room, is_back))?;
            succeed(&["order", "sign", &file, "--key", &centre.key("wang")]).await?;
        }
    }
    Ok((centre, rooms))
}

/// Steps that people are asked for, by room.
fn asked(gateway: &Gateway) -> anyhow::Result<Vec<(String, String, bool)>> {
    let (_, shown) = gateway.ask("GET", "/api/v1/mode", &Value::Null)?;
    let rooms = shown["rooms"].as_array().cloned().unwrap_or_default();
    let mut all = Vec::new();
    for room in rooms {
        for step in room["steps"].as_array().into_iter().flatten().filter(|step| step["state"] == "asked") {
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            all.push((word(&room["room"]), word(&step["step"]), step["role"] == "site_lead"));
        }
    }
    Ok(all)
}

/// Steps that are not settled, by their state, and an example of each.
fn waiting(gateway: &Gateway) -> anyhow::Result<std::collections::BTreeMap<String, (usize, String)>> {
    let mut all = std::collections::BTreeMap::new();
    for room in linli_tests::room::rooms(gateway)? {
        let stage = format!("{} {}", room["stage"], room["causes"]);
        all.entry(stage).or_insert((0, room["room"].to_string())).0 += 1;
        for step in room["steps"].as_array().into_iter().flatten() {
            let state = step["state"].as_str().unwrap_or_default();
            if !matches!(state, "verified" | "already_ok" | "pending") {
                let example = format!("{} {} of {}", room["room"], step["step"], room["stage"]);
                all.entry(state.to_owned()).or_insert((0, example)).0 += 1;
            }
        }
    }
    Ok(all)
}

fn ready(gateway: &Gateway) -> anyhow::Result<u64> {
    let (_, shown) = gateway.ask("GET", "/api/v1/mode", &Value::Null)?;
    Ok(shown["together"]["rooms"]["ready"].as_u64().unwrap_or_default())
}

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let workspace = Workspace::new()?;
    let broker = Broker::start(&workspace).await?;
    let _subscriber = broker.subscribe(&workspace).await?;
    let (mut centre, rooms) = centre(broker.port).await?;
    let gateway = centre.gateway().await?;
    let is_calm = |room: &Value| {
        room["fire"] == "normal" || !room["room"].as_str().unwrap_or_default().starts_with('r')
    };
    eventually("no fire anywhere", PATIENCE, || {
        linli_tests::room::rooms(&gateway)
            .is_ok_and(|rooms| rooms.iter().filter(|room| room["room"] != "reading-room").all(is_calm))
    })
    .await?;
    let named: Vec<String> =
        rooms.iter().map(|room| centre.named_plan("xinghe", &format!("{room}.ward@1"))).collect();
    let more: Vec<&str> = named.iter().flat_map(|plan| ["--plan", plan.as_str()]).collect();
    let order = centre.order("enter", "actual", &more, &["wang", "li"]).await?;
    let began = Instant::now();
    let (is_taken, reported) = centre.send(&gateway, &order).await?;
    anyhow::ensure!(is_taken, "{reported}");
    let accepted = began.elapsed();
    let (mut waits, all) = (Vec::new(), rooms.len() as u64);
    while ready(&gateway)? < all {
        anyhow::ensure!(
            began.elapsed() < PATIENCE,
            "{} of {all} are ready; what they wait for: {:?}\n{}",
            ready(&gateway)?,
            waiting(&gateway)?,
            gateway.log()
        );
        for (room, step, is_lead) in asked(&gateway)? {
            let body = json!({"person": if is_lead { "zhao" } else { "qian" }, "step": step});
            let at = Instant::now();
            let (status, reported) =
                gateway.ask("POST", &format!("/api/v1/mode/rooms/{room}/confirm"), &body)?;
            waits.push(at.elapsed().as_secs_f64() * 1000.0);
            anyhow::ensure!(status == 200, "{room} {step}: {reported}");
        }
        sleep(Duration::from_millis(100)).await;
    }
    let whole = began.elapsed().as_secs_f64();
    let metrics = gateway.get("/metrics")?;
    let find =
        |name: &str| metrics.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok());
    let slowest = find("linli_mode_slowest_decision_seconds").map_or(f64::NAN, |seconds| seconds * 1000.0);
    anyhow::ensure!(
        find("linli_mode_batches_dropped_total").unwrap_or(0.0) < 1.0,
        "batches were not looked at"
    );
    gateway.stop().await?;
    let (p50, p99) = (percentile(&mut waits, 0.5), percentile(&mut waits, 0.99));
    Ok(vec![
        Row::new(
            format!(
                "a person confirms → decided, durable, carried out, answered; {all} rooms × 20 steps at once"
            ),
            "p99 < 50 ms",
            format!("p50 {p50:.1} ms, p99 {p99:.1} ms, {} decisions of people", waits.len()),
        ),
        Row::new(
            format!("one order for {all} rooms → durable, answered; all ready"),
            "",
            format!(
                "{:.0} ms; {whole:.0} s; the slowest decision {slowest:.0} ms",
                accepted.as_secs_f64() * 1000.0
            ),
        ),
    ])
}
