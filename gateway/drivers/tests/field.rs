//! What people report of Modbus devices in the field, one test for each kind. In virtual time, on the line task.

mod links;
mod values;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use linli_domain::{Batch, ClockQuality, DeviceClass, Id, Stamp, Timestamp, Value};
use linli_drivers::modbus::plan::ModbusPlan;
use linli_drivers::modbus::profile::{ProfileSet, problems_of};
use linli_drivers::modbus::wire::crc16;
use linli_drivers::modbus::{Opener, RTU, RTU_OVER_TCP, Stream, TCP, run_on};
use linli_drivers::{
    CheckedLine, Clock, CommandOutcome, DeviceState, LineCommand, LineContext, LineEnds, LineEvent,
    LineHealth, PollOverrides, Protocol, RawDevice, RawLine,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};

/// A step of the other end.
enum Step {
    /// Sends bytes after a pause.
    Send(u64, Vec<u8>),
    /// Closes the connection after a pause.
    Close(u64),
}

/// A request as it arrived.
#[derive(Clone)]
struct Request {
    at: Duration,
    transaction: Option<u16>,
    unit: u8,
    body: Vec<u8>,
    frame: Vec<u8>,
}

/// What the other end does with a request.
type Act = Arc<Mutex<dyn FnMut(&Request) -> Vec<Step> + Send>>;

/// The other end of a line: serves one connection after another.
struct Peer {
    act: Act,
    is_tcp: bool,
    seen: Arc<Mutex<Vec<Request>>>,
    began: Instant,
}

struct Wall(Instant);

impl Clock for Wall {
    fn now(&self) -> Stamp {
        let passed = i64::try_from(self.0.elapsed().as_millis()).unwrap();
        Stamp { at: Timestamp(passed), clock: ClockQuality::Synchronised }
    }
}

impl Opener for Peer {
    fn open(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        let (near, far) = tokio::io::duplex(4096);
        tokio::spawn(serve(far, Arc::clone(&self.act), self.is_tcp, Arc::clone(&self.seen), self.began));
        async { Ok(Box::new(near) as Box<dyn Stream>) }.boxed()
    }
}

async fn serve(
    mut far: DuplexStream,
    act: Act,
    is_tcp: bool,
    seen: Arc<Mutex<Vec<Request>>>,
    began: Instant,
) {
    loop {
        let mut head = [0; 6];
        if far.read_exact(&mut head).await.is_err() {
            return;
        }
        let rest = match (is_tcp, head[1]) {
            (true, _) => usize::from(head[5]),
            (false, 15 | 16) => 3 + usize::from(u16::from_be_bytes([head[4], head[5]])) * 2,
            (false, _) => 2,
        };
        let mut frame = head.to_vec();
        frame.resize(6 + rest, 0);
        if far.read_exact(&mut frame[6..]).await.is_err() {
            return;
        }
        let request = Request {
            at: began.elapsed(),
            transaction: is_tcp.then(|| u16::from_be_bytes([frame[0], frame[1]])),
            unit: if is_tcp { frame[6] } else { frame[0] },
            body: if is_tcp { frame[7..].to_vec() } else { frame[1..frame.len() - 2].to_vec() },
            frame,
        };
        seen.lock().unwrap().push(request.clone());
        let steps = (act.lock().unwrap())(&request);
        for step in steps {
            match step {
                Step::Send(pause, bytes) => {
                    sleep(Duration::from_millis(pause)).await;
                    if far.write_all(&bytes).await.is_err() {
                        return;
                    }
                }
                Step::Close(pause) => {
                    sleep(Duration::from_millis(pause)).await;
                    return;
                }
            }
        }
    }
}

impl Request {
    /// A frame around this body, as an answer to the request.
    fn framed(&self, unit: u8, body: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        if let Some(transaction) = self.transaction {
            frame.extend(transaction.to_be_bytes());
            frame.extend([0, 0, 0, u8::try_from(body.len() + 1).unwrap()]);
        }
        frame.push(unit);
        frame.extend(body);
        if self.transaction.is_none() {
            frame.extend(crc16(&frame).to_le_bytes());
        }
        frame
    }

    fn start(&self) -> u16 {
        u16::from_be_bytes([self.body[1], self.body[2]])
    }

    fn count(&self) -> u16 {
        u16::from_be_bytes([self.body[3], self.body[4]])
    }

    /// The right answer: every register holds its own address, every coil is off.
    fn answer(&self) -> Vec<u8> {
        self.framed(self.unit, &self.words(|address| address))
    }

    fn words(&self, held: impl Fn(u16) -> u16) -> Vec<u8> {
        let count = self.count();
        match self.body[0] {
            1 | 2 => {
                let bytes = count.div_ceil(8);
                let mut body = vec![self.body[0], u8::try_from(bytes).unwrap()];
                body.resize(2 + usize::from(bytes), 0);
                body
            }
            3 | 4 => {
                let mut body = vec![self.body[0], u8::try_from(2 * count).unwrap()];
                (0..count).for_each(|at| body.extend(held(self.start() + at).to_be_bytes()));
                body
            }
            _ => self.body[..5].to_vec(),
        }
    }

    fn refused(&self, code: u8) -> Vec<u8> {
        self.framed(self.unit, &[self.body[0] | 0x80, code])
    }
}

fn act(act: impl FnMut(&Request) -> Vec<Step> + Send + 'static) -> Act {
    Arc::new(Mutex::new(act))
}

/// What was delivered of one point: its time, quality and value.
type Heard = BTreeMap<String, Vec<(i64, String, Option<Value>)>>;

struct Bench {
    plan: Arc<ModbusPlan>,
    seen: Arc<Mutex<Vec<Request>>>,
    batches: mpsc::Receiver<Batch>,
    events: mpsc::Receiver<LineEvent>,
    commands: mpsc::Sender<LineCommand>,
    health: Arc<LineHealth>,
    _poll: watch::Sender<PollOverrides>,
}

fn profiles(points: &str) -> ProfileSet {
    let directory = tempfile::tempdir().unwrap();
    std::fs::create_dir(directory.path().join("acme")).unwrap();
    std::fs::write(directory.path().join("acme/t1.toml"), profile(points)).unwrap();
    ProfileSet::embedded().with_dir(directory.path()).expect("a good profile")
}

fn profile(points: &str) -> String {
    format!("vendor = \"acme\"\nmodel = \"t1\"\ntitle = \"T\"\ntitle_zh = \"T\"\nsource = \"test\"\n{points}")
}

/// Two blocks of equal length, and a test vector.
const TWO: &str = r#"
[[point]]
name = "first"
holding = 100
type = "u16"
unit = "1"
[[point]]
name = "second"
holding = 200
type = "u16"
unit = "1"
[[test]]
holding = { 100 = "0064" }
expect = { first = 100 }
"#;

fn checked(
    kind: &dyn Protocol,
    more: &str,
    points: &str,
    units: &[i64],
) -> Result<Arc<dyn CheckedLine>, Vec<String>> {
    let place = match kind.kind() {
        "modbus_rtu" => "port = \"/dev/null\"\nbaud = 19200",
        _ => "endpoint = \"192.0.2.1:502\"",
    };
    let settings = format!("{place}\ntimeout = \"300ms\"\n{more}");
    let line = RawLine {
        id: Id::new("bus").unwrap(),
        settings: settings.parse().unwrap(),
        zone: linli_domain::timezone::Zone::utc(),
    };
    let device = |unit: &i64| RawDevice {
        id: Id::new(&format!("d{unit}")).unwrap(),
        name: String::new(),
        room: None,
        class: DeviceClass::Telemetry,
        unit: Some(*unit),
        topic: None,
        token: None,
        serial: None,
        profile: "acme/t1".to_owned(),
        poll: Duration::from_secs(1),
    };
    let devices: Vec<RawDevice> = units.iter().map(device).collect();
    let plan = kind.plan(&line, &devices, &profiles(points));
    plan.map_err(|problems| problems.into_iter().map(|p| format!("{}: {}", p.key, p.message)).collect())
}

impl Bench {
    fn run(kind: &dyn Protocol, more: &str, points: &str, units: &[i64], act: Act) -> Self {
        let plan = checked(kind, more, points, units).expect("a good line");
        let plan = Arc::new(plan.as_any().downcast_ref::<ModbusPlan>().unwrap().clone());
        let (seen, began) = (Arc::<Mutex<Vec<Request>>>::default(), Instant::now());
        let gateway = Id::new("g1").unwrap();
        let (context, ends) = LineContext::alone(gateway, Arc::new(Wall(began)), plan.layouts.len(), 100_000);
        let peer = Peer { act, is_tcp: kind.kind() == "modbus_tcp", seen: Arc::clone(&seen), began };
        tokio::spawn(run_on(Arc::clone(&plan), context, Box::new(peer)));
        let LineEnds { batches, events, commands, poll_overrides, health, .. } = ends;
        Self { plan, seen, batches, events, commands, health, _poll: poll_overrides }
    }

    fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// Everything delivered since the last call, by `device.point`.
    fn heard(&mut self) -> Heard {
        let mut heard = Heard::new();
        while let Ok(batch) = self.batches.try_recv() {
            for sample in &batch.samples {
                let name = &batch.layout.points[usize::from(sample.point)].name;
                let row = (sample.at.0, sample.quality.to_string(), sample.value.clone());
                heard.entry(format!("{}.{name}", batch.layout.device)).or_default().push(row);
            }
        }
        heard
    }

    fn events(&mut self) -> Vec<LineEvent> {
        std::iter::from_fn(|| self.events.try_recv().ok()).collect()
    }

    async fn command(&self, point: u16, value: Value) -> CommandOutcome {
        let (reply, outcome) = oneshot::channel();
        let deadline = Instant::now() + Duration::from_secs(5);
        self.commands.send(LineCommand { device: 0, point, value, deadline, reply }).await.unwrap();
        outcome.await.expect("an outcome")
    }
}

fn good(heard: &Heard, point: &str) -> usize {
    heard.get(point).map_or(0, |rows| rows.iter().filter(|(_, quality, _)| quality == "good").count())
}

fn bad(heard: &Heard, point: &str) -> Vec<String> {
    let rows = heard.get(point).into_iter().flatten();
    rows.filter(|(_, quality, _)| quality != "good").map(|(_, quality, _)| quality.clone()).collect()
}

/// Every good value is the address of its register.
fn assert_true(heard: &Heard) {
    for (point, rows) in heard {
        let address = if point.ends_with("first") { 100 } else { 200 };
        for (at, quality, value) in rows {
            assert!(
                quality != "good" || *value == Some(Value::Integer(address)),
                "{point} at {at}: {value:?}"
            );
        }
    }
}

fn details(events: &[LineEvent]) -> Vec<&str> {
    events.iter().map(|event| event.detail.as_str()).filter(|detail| !detail.is_empty()).collect()
}

fn was_down(events: &[LineEvent]) -> bool {
    events.iter().any(|event| event.device.is_none() && event.state != DeviceState::Online)
}

const SERIAL: [&(dyn Protocol + 'static); 2] = [&RTU, &RTU_OVER_TCP];
const EACH: [&(dyn Protocol + 'static); 3] = [&RTU, &RTU_OVER_TCP, &TCP];

const SWITCH: &str = r#"
[[point]]
name = "relay"
coil = 3
write = {}
[[test]]
coil = { 3 = "1" }
expect = { relay = true }
"#;

/// A relay whose first write meets this fate; how often it was written.
fn relay(fate: impl Fn(&Request, &mut bool) -> Vec<Step> + Send + 'static) -> Act {
    let (mut is_on, mut has_met) = (false, false);
    act(move |request| {
        if request.body[0] == 5 && !std::mem::replace(&mut has_met, true) {
            return fate(request, &mut is_on);
        }
        match request.body[0] {
            5 => {
                is_on = request.body[3] == 0xFF;
                vec![Step::Send(5, request.answer())]
            }
            _ => vec![Step::Send(5, request.framed(request.unit, &[1, 1, u8::from(is_on)]))],
        }
    })
}
