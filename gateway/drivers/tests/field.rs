//! What people report of Modbus devices in the field, one test for each kind. In virtual time, on the line task.
#![allow(clippy::unwrap_used, reason = "helpers of a test file")]

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
    CheckedLine, Clock, CommandOutcome, DeviceState, LineCommand, LineContext, LineEvent, LineHealth,
    PollOverrides, Protocol, RawDevice, RawLine,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

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
    let line = RawLine { id: Id::new("bus").unwrap(), settings: settings.parse().unwrap() };
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
        let (samples, batches) = mpsc::channel(100_000);
        let (measurements, _) = mpsc::channel(1);
        let (to_events, events) = mpsc::channel(1024);
        let (commands, queue) = mpsc::channel(16);
        let (_, maintenance) = mpsc::channel(16);
        let health = Arc::new(LineHealth::new(plan.layouts.len()));
        let (poll, poll_overrides) = watch::channel(PollOverrides::default());
        let context = LineContext {
            gateway: Id::new("g1").unwrap(),
            poll_overrides,
            samples,
            measurements,
            events: to_events,
            commands: queue,
            maintenance,
            clock: Arc::new(Wall(began)),
            health: Arc::clone(&health),
            cancel: CancellationToken::new(),
        };
        let peer = Peer { act, is_tcp: kind.kind() == "modbus_tcp", seen: Arc::clone(&seen), began };
        tokio::spawn(run_on(Arc::clone(&plan), context, Box::new(peer)));
        Self { plan, seen, batches, events, commands, health, _poll: poll }
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

#[tokio::test(start_paused = true)]
async fn an_answer_after_its_time_out_is_not_the_next_requests() {
    for kind in EACH {
        for late in [320, 450, 590] {
            let other_end = act(move |request| match (request.start(), request.at.as_secs() % 3) {
                (100, 0) => vec![Step::Send(late, request.answer())],
                _ => vec![Step::Send(20, request.answer())],
            });
            let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
            sleep(Duration::from_secs(60)).await;
            let heard = bench.heard();
            assert_true(&heard);
            assert!(good(&heard, "d1.second") > 30, "{} {late}: {heard:?}", kind.kind());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_lies_in_the_buffer_before_a_request_is_not_its_answer() {
    for kind in SERIAL {
        // 300 ms after the last answer of each round, while nothing is asked, another one arrives.
        let other_end = act(|request| match request.start() {
            100 => vec![Step::Send(5, request.answer())],
            _ => {
                let stale = request.framed(1, &request.words(|_| 7));
                vec![Step::Send(5, request.answer()), Step::Send(300, stale)]
            }
        });
        let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
        sleep(Duration::from_secs(60)).await;
        let heard = bench.heard();
        assert_true(&heard);
        assert!(good(&heard, "d1.first") > 50, "{}: {}", kind.kind(), good(&heard, "d1.first"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_idle_connections_is_no_fault() {
    for (kind, in_flight) in [(&TCP, false), (&TCP, true), (&RTU_OVER_TCP, false), (&RTU_OVER_TCP, true)] {
        // Closed a little later, or when the next request arrives.
        let mut answered = 0;
        let other_end = act(move |request| {
            answered += 1;
            match (answered % 4, in_flight) {
                (0, false) => vec![Step::Send(5, request.answer()), Step::Close(100)],
                (0, true) => vec![Step::Close(0)],
                _ => vec![Step::Send(5, request.answer())],
            }
        });
        let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
        sleep(Duration::from_secs(60)).await;
        let (heard, events) = (bench.heard(), bench.events());
        assert_true(&heard);
        assert_eq!(bad(&heard, "d1.first"), Vec::<String>::new(), "{in_flight}");
        assert!(good(&heard, "d1.first") >= 59, "{in_flight}: {}", good(&heard, "d1.first"));
        assert!(!was_down(&events), "{events:?}");
        assert_eq!(events.iter().filter(|event| event.device.is_some()).count(), 1, "{events:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_closes_after_every_answer_is_read_at_the_full_rate() {
    for more in ["", "close_after_answer = true"] {
        for kind in [&TCP, &RTU_OVER_TCP] {
            let other_end = act(|request| vec![Step::Send(5, request.answer()), Step::Close(0)]);
            let mut bench = Bench::run(kind, more, TWO, &[1, 2], other_end);
            sleep(Duration::from_secs(60)).await;
            let (heard, events) = (bench.heard(), bench.events());
            assert!(
                good(&heard, "d2.second") >= 59 && bad(&heard, "d2.second").is_empty(),
                "{more}: {heard:?}"
            );
            assert!(!was_down(&events), "{events:?}");
        }
    }
}

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

#[tokio::test(start_paused = true)]
async fn a_command_on_a_closed_connection_is_sent_once_and_read_back() {
    let writes = |bench: &Bench| bench.seen().iter().filter(|request| request.body[0] == 5).count();
    // It was executed, and the connection closed instead of an answer.
    let executed = relay(|_, is_on| {
        *is_on = true;
        vec![Step::Close(0)]
    });
    let mut bench = Bench::run(&TCP, "", SWITCH, &[1], executed);
    sleep(Duration::from_millis(1500)).await;
    let outcome = bench.command(0, Value::Bool(true)).await;
    assert_eq!((outcome, writes(&bench)), (CommandOutcome::Done { read_back: Value::Bool(true) }, 1));
    assert!(!was_down(&bench.events()));
    // It was not: the device says so, and nothing is written a second time.
    let lost = relay(|_, _| vec![Step::Close(0)]);
    let bench = Bench::run(&TCP, "", SWITCH, &[1], lost);
    sleep(Duration::from_millis(1500)).await;
    let outcome = bench.command(0, Value::Bool(true)).await;
    assert!(matches!(outcome, CommandOutcome::Failed { .. }), "{outcome:?}");
    assert_eq!(writes(&bench), 1);
    // The connection had been closed before: nothing of it can have arrived.
    let idle = act(|request| match request.body[0] {
        5 => vec![Step::Send(5, request.answer())],
        _ => vec![Step::Send(5, request.framed(1, &[1, 1, 1])), Step::Close(100)],
    });
    let bench = Bench::run(&TCP, "", SWITCH, &[1], idle);
    sleep(Duration::from_millis(1500)).await;
    let outcome = bench.command(0, Value::Bool(true)).await;
    assert_eq!((outcome, writes(&bench)), (CommandOutcome::Done { read_back: Value::Bool(true) }, 1));
}

#[tokio::test(start_paused = true)]
async fn a_silent_block_turns_its_own_points_bad_and_is_named() {
    for kind in EACH {
        let other_end = act(|request| match (request.start(), request.at.as_secs()) {
            (200, 10..40) => Vec::new(),
            _ => vec![Step::Send(5, request.answer())],
        });
        let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
        sleep(Duration::from_millis(9_900)).await;
        bench.heard();
        sleep(Duration::from_secs(2)).await;
        assert_eq!(bad(&bench.heard(), "d1.second")[0], "bad:silent", "with the first missed poll");
        sleep(Duration::from_secs(28)).await;
        let (heard, events) = (bench.heard(), bench.events());
        assert!(good(&heard, "d1.first") >= 26, "{}: {}", kind.kind(), good(&heard, "d1.first"));
        assert_eq!(good(&heard, "d1.second"), 0);
        let named = details(&events).into_iter().filter(|detail| detail.contains("holding 200 (second)"));
        assert_eq!(named.count(), 1, "once: {events:?}");
        assert!(events.iter().all(|event| event.state == DeviceState::Online), "{events:?}");
        let asked = bench.seen().iter().filter(|r| r.start() == 200 && r.at.as_secs() >= 10).count();
        assert!(asked < 10, "asked less often: {asked}");
        sleep(Duration::from_secs(61)).await;
        assert!(good(&bench.heard(), "d1.second") > 0, "and heard again");
        assert!(details(&bench.events()).iter().any(|detail| detail.ends_with("again")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_does_not_reach_a_unit_speaks_only_for_itself() {
    for code in [0x0A, 0x0B] {
        let other_end = act(move |request| match request.unit {
            1 => vec![Step::Send(200, request.refused(code))],
            _ => vec![Step::Send(5, request.answer())],
        });
        let mut bench = Bench::run(&TCP, "", TWO, &[1, 2], other_end);
        sleep(Duration::from_secs(120)).await;
        let (heard, events) = (bench.heard(), bench.events());
        let offline = events.iter().find(|event| event.state != DeviceState::Online).expect("d1 is offline");
        assert_eq!(offline.device.as_ref().map(Id::as_str), Some("d1"));
        assert!(offline.detail.contains("gateway"), "{offline:?}");
        assert_eq!(good(&heard, "d1.first"), 0);
        assert!(good(&heard, "d2.first") >= 118, "{}", good(&heard, "d2.first"));
        assert_eq!(bench.health.opens.load(Ordering::Relaxed), 1, "the gateway itself is alive");
        let asked = bench.seen().iter().filter(|request| request.unit == 1).count();
        assert!(asked < 40, "its breaker is open: {asked}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_impossible_length_costs_a_frame_and_not_the_connection() {
    let mut turn = 0;
    let other_end = act(move |request| {
        turn += 1;
        let mut frame = if turn % 4 == 0 { request.refused(4) } else { request.answer() };
        match turn % 4 {
            // An exception that calls itself longer than it is, with and without the byte.
            0 => {
                frame[5] = 4;
                if turn % 8 == 0 {
                    frame.push(0);
                }
            }
            1 => frame[5] = 200,
            2 => (frame[4], frame[5]) = (9, 9),
            _ => {}
        }
        vec![Step::Send(5, frame)]
    });
    let mut bench = Bench::run(&TCP, "", TWO, &[1], other_end);
    sleep(Duration::from_secs(60)).await;
    let (heard, events) = (bench.heard(), bench.events());
    assert_true(&heard);
    assert!(good(&heard, "d1.first") + good(&heard, "d1.second") >= 25, "{heard:?}");
    assert!(bad(&heard, "d1.second").contains(&"bad:refused".to_owned()), "{heard:?}");
    assert!(!was_down(&events));
    assert_eq!(bench.health.opens.load(Ordering::Relaxed), 1, "{events:?}");
}

#[test]
fn unit_0_is_for_tcp() {
    assert!(checked(&TCP, "", TWO, &[0, 255]).is_ok());
    for kind in SERIAL {
        let problems = checked(kind, "", TWO, &[0]).err().unwrap();
        assert!(problems[0].contains("broadcast"), "{problems:?}");
        assert!(checked(kind, "", TWO, &[255]).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn another_unit_id_is_named_and_may_be_accepted() {
    let ever_one =
        || act(|request| vec![Step::Send(5, request.framed(1, &request.words(|address| address)))]);
    let mut bench = Bench::run(&TCP, "", TWO, &[17], ever_one());
    sleep(Duration::from_secs(20)).await;
    let (heard, events) = (bench.heard(), bench.events());
    assert_eq!(good(&heard, "d17.first"), 0);
    assert!(events.iter().any(|event| event.detail.contains("unit 1 answers")), "{events:?}");
    let accept = "unit_mismatch = \"accept\"";
    let mut bench = Bench::run(&TCP, accept, TWO, &[17], ever_one());
    sleep(Duration::from_secs(20)).await;
    assert!(good(&bench.heard(), "d17.first") >= 19);
    let problems = checked(&TCP, accept, TWO, &[1, 2]).err().unwrap();
    assert!(problems[0].starts_with("unit_mismatch"), "{problems:?}");
}

#[tokio::test(start_paused = true)]
async fn an_echo_is_never_an_answer() {
    let coils = r#"
[[point]]
name = "coil"
coil = 0x0300
repeat = 24
write = {}
[[test]]
coil = { 0x0300 = "1" }
expect = { coil-1 = true }
"#;
    for kind in SERIAL {
        for more in ["", "echo = true"] {
            // Nobody but the adapter.
            let mut bench =
                Bench::run(kind, more, coils, &[1], act(|r| vec![Step::Send(3, r.frame.clone())]));
            sleep(Duration::from_secs(120)).await;
            let (heard, events) = (bench.heard(), bench.events());
            assert_eq!(good(&heard, "d1.coil-1"), 0, "made of the echo alone");
            assert!(events.iter().any(|event| event.state != DeviceState::Online), "{events:?}");
            assert!(bench.health.echoes.load(Ordering::Relaxed) > 2);
            // The adapter and a device: read and written.
            let mut is_on = false;
            let device = act(move |request| {
                let answer = match request.body[0] {
                    5 => {
                        is_on = request.body[3] == 0xFF;
                        request.answer()
                    }
                    _ if request.count() == 1 => request.framed(1, &[1, 1, u8::from(is_on)]),
                    _ => request.framed(1, &[1, 3, u8::from(is_on), 0, 0x80]),
                };
                vec![Step::Send(3, request.frame.clone()), Step::Send(9, answer)]
            });
            let mut bench = Bench::run(kind, more, coils, &[1], device);
            sleep(Duration::from_secs(10)).await;
            let heard = bench.heard();
            assert!(good(&heard, "d1.coil-24") >= 9, "{} {more}: {heard:?}", kind.kind());
            assert!(heard["d1.coil-24"].iter().all(|row| row.2 == Some(Value::Bool(true))));
            assert!(heard["d1.coil-1"].iter().all(|row| row.2 == Some(Value::Bool(false))));
            let outcome = bench.command(0, Value::Bool(true)).await;
            assert_eq!(outcome, CommandOutcome::Done { read_back: Value::Bool(true) });
        }
    }
}

const HOLED: &str = r#"
[[point]]
name = "value"
holding = 100
repeat = 12
type = "u16"
unit = "1"
[[test]]
holding = { 100 = "0064" }
expect = { value-1 = 100 }
"#;

#[tokio::test(start_paused = true)]
async fn an_illegal_address_costs_its_own_point_only() {
    for hole in [100_u16, 105, 111] {
        let other_end = act(move |request| {
            let is_in = (request.start()..request.start() + request.count()).contains(&hole);
            vec![Step::Send(5, if is_in { request.refused(2) } else { request.answer() })]
        });
        let mut bench = Bench::run(&RTU, "", HOLED, &[1], other_end);
        sleep(Duration::from_secs(20)).await;
        let (heard, events) = (bench.heard(), bench.events());
        for address in 100..112_u16 {
            let point = format!("d1.value-{}", address - 99);
            if address == hole {
                assert_eq!(good(&heard, &point), 0);
                assert!(bad(&heard, &point).iter().all(|quality| quality == "bad:refused"), "{point}");
            } else {
                assert!(good(&heard, &point) >= 18, "{point}: {:?}", heard.get(&point));
            }
        }
        let details = details(&events);
        assert_eq!(details.len(), 2, "once each: {details:?}");
        assert!(details[0].contains("holding 100 to 111") && details[0].contains("[limits]"), "{details:?}");
        assert!(details[1].contains(&format!("holding {hole} ")), "{details:?}");
    }
    // A hole between two points: nothing is lost.
    let gap = TWO.replace("holding = 200", "holding = 105");
    let other_end = act(|request| {
        let answer = request.framed(1, &request.words(|address| if address == 105 { 200 } else { address }));
        vec![Step::Send(5, if request.count() > 1 { request.refused(2) } else { answer })]
    });
    let mut bench = Bench::run(&RTU, "", &gap, &[1], other_end);
    assert_eq!(bench.plan.devices[0].blocks.len(), 1);
    sleep(Duration::from_secs(20)).await;
    let heard = bench.heard();
    assert_true(&heard);
    assert!(good(&heard, "d1.first") >= 18 && good(&heard, "d1.second") >= 18, "{heard:?}");
}

#[test]
fn keys_that_do_nothing_are_refused_and_bytes_of_texts_have_an_order() {
    let problems = |point: &str| {
        let text = profile(&format!("{point}\n{}", TWO.split("[[point]]").last().map_or("", |_| "")));
        problems_of("acme/t1.toml", &text).join("; ")
    };
    let text = |order: &str, words: &str| {
        problems(&format!(
            "[[point]]\nname = \"t\"\nholding = 1\ntype = \"text\"\nregisters = 2\norder = \"{order}\"\n[[test]]\nholding = {{ 1 = \"{words}\" }}\nexpect = {{ t = \"ABCD\" }}"
        ))
    };
    assert_eq!(text("abcd", "4142 4344"), "");
    assert_eq!(text("badc", "4241 4443"), "");
    assert!(text("dcba", "4443 4241").contains("order is of no use"));
    let point = |rows: &str, none: &str| {
        problems(&format!(
            "[[point]]\nname = \"t\"\n{rows}\n[[test]]\nholding = {{ 1 = \"0005 0000\" }}\ninput = {{ 1 = \"0005\" }}\ncoil = {{ 1 = \"1\" }}\n{none}"
        ))
    };
    let five = "expect = { t = 5 }";
    let u16 = "holding = 1\ntype = \"u16\"\nunit = \"1\"";
    assert_eq!(point(u16, five), "");
    assert!(point(&format!("{u16}\nnone = [0xFFFFFFFF]"), five).contains("0xFFFFFFFF"));
    assert_eq!(point(&format!("{u16}\nnone = [0xFFFF]"), five), "");
    assert!(point(&format!("{u16}\nbit = 3"), five).contains("bit is of no use"));
    assert!(point("coil = 1\norder = \"dcba\"", "expect = { t = true }").contains("order is of no use"));
    assert!(point("coil = 1\ncounter = true", "expect = { t = true }").contains("counter is of no use"));
}

#[test]
fn numbers_of_manuals_are_suspected() {
    let numbered = TWO.replace("holding = 100", "holding = 40101").replace("100 = ", "40101 = ");
    let line = checked(&TCP, "", &numbered, &[1, 2]).unwrap();
    let warnings = line.warnings();
    assert_eq!(warnings.len(), 1, "once for the profile: {warnings:?}");
    assert!(warnings[0].contains("40101") && warnings[0].contains("address 100"), "{warnings:?}");
    assert_eq!(checked(&TCP, "", TWO, &[1]).unwrap().warnings(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn a_busy_device_is_asked_once_more_and_then_not_known() {
    let mut asked = 0;
    let other_end = act(move |request| {
        asked += 1;
        let is_busy = (10..11).contains(&asked) || (20..22).contains(&asked);
        vec![Step::Send(5, if is_busy { request.refused(6) } else { request.answer() })]
    });
    let mut bench = Bench::run(&RTU, "", TWO, &[1], other_end);
    sleep(Duration::from_secs(20)).await;
    let heard = bench.heard();
    let rows: Vec<String> = ["d1.first", "d1.second"].iter().flat_map(|point| bad(&heard, point)).collect();
    assert_eq!(rows, ["uncertain:busy"], "{heard:?}");
    assert!(heard.values().flatten().all(|(_, quality, value)| (quality == "good") == value.is_some()));
    // A command is refused only when the device is busy twice.
    let busy = relay(|request, _| vec![Step::Send(5, request.refused(6))]);
    let bench = Bench::run(&RTU, "", SWITCH, &[1], busy);
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(
        bench.command(0, Value::Bool(true)).await,
        CommandOutcome::Done { read_back: Value::Bool(true) }
    );
}

const METER: &str = r#"
[[point]]
name = "energy"
holding = 100
type = "u32"
unit = "kW.h"
counter = true
[[point]]
name = "power"
holding = 102
type = "i16"
unit = "W"
scale_point = "power_scale"
range = [-1e6, 1e6]
[[point]]
name = "power_scale"
holding = 110
type = "i16"
unit = "1"
none = [0x8000]
[[point]]
name = "status"
holding = 111
type = "u16"
unit = "1"
[[point]]
name = "alarm"
holding = 111
type = "bit"
bit = 3
[[test]]
holding = { 102 = "0929", 110 = "FFFF", 111 = "0009" }
expect = { power = 234.5, status = 9, alarm = true }
[[test]]
holding = { 102 = "0929", 110 = "8000", 111 = "0001" }
expect = { status = 1, alarm = false }
nothing = ["power", "power_scale"]
[[test]]
holding = { 102 = "0929", 110 = "0005" }
nothing = ["power"]
"#;

#[tokio::test(start_paused = true)]
async fn a_meter_scales_by_a_register_has_status_bits_and_wakes_up_at_0() {
    let mut asked = 0_u16;
    let other_end = act(move |request| {
        asked += 1;
        let energy = if asked == 5 { 0 } else { 1000 + asked };
        let held = move |address| match address {
            101 => energy,
            102 => 2345,
            110 => {
                if asked == 7 {
                    0x8000
                } else {
                    u16::MAX
                }
            }
            111 => 8,
            _ => 0,
        };
        vec![Step::Send(5, request.framed(1, &request.words(held)))]
    });
    let mut bench = Bench::run(&TCP, "", METER, &[1], other_end);
    assert_eq!(bench.plan.devices[0].blocks.len(), 1, "value and scale are read in one request");
    sleep(Duration::from_secs(10)).await;
    let heard = bench.heard();
    assert_eq!(bad(&heard, "d1.energy"), ["uncertain:doubtful"]);
    assert!(good(&heard, "d1.energy") >= 8);
    assert_eq!(heard["d1.energy"][4].2, Some(Value::Integer(0)), "shown, not good");
    assert_eq!(bad(&heard, "d1.power"), ["bad:no_value"]);
    assert!(heard["d1.power"].iter().all(|row| row.1 != "good" || row.2 == Some(Value::Float(234.5))));
    assert!(heard["d1.status"].iter().all(|row| row.2 == Some(Value::Integer(8))));
    assert!(heard["d1.alarm"].iter().all(|row| row.2 == Some(Value::Bool(true))));
    let far = METER.replace("holding = 110", "holding = 300").replace("110 = ", "300 = ");
    let problems = problems_of("acme/t1.toml", &profile(&far)).join("; ");
    assert!(problems.contains("farther away"), "{problems}");
}

#[tokio::test(start_paused = true)]
async fn the_time_of_a_sample_lies_between_request_and_answer() {
    for kind in EACH {
        let other_end = act(|request| vec![Step::Send(200, request.answer())]);
        let mut bench = Bench::run(kind, "", TWO, &[1], other_end);
        sleep(Duration::from_secs(10)).await;
        let asked: Vec<Request> = bench.seen();
        let heard = bench.heard();
        let rows = heard.values().flatten().filter(|(_, quality, _)| quality == "good");
        for (at, ..) in rows {
            let asked = asked
                .iter()
                .rev()
                .map(|r| i64::try_from(r.at.as_millis()).unwrap())
                .find(|asked| asked <= at);
            let since = at - asked.expect("asked before");
            assert!((90..=110).contains(&since), "{} ms after the request, of 200", since);
        }
    }
}
