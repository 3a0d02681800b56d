//! The line task in virtual time, against a device that does what the test says.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use linli_domain::{Batch, ClockQuality, DeviceClass, Id, Quality, Reason, Stamp, Timestamp, Value};
use linli_drivers::exchange::ExchangeOutcome;
use linli_drivers::modbus::maintenance::{self, MaintenanceHandle};
use linli_drivers::modbus::plan::ModbusPlan;
use linli_drivers::modbus::profile::ProfileSet;
use linli_drivers::modbus::wire::crc16;
use linli_drivers::modbus::{Opener, RTU, RTU_OVER_TCP, Stream, run_on};
use linli_drivers::{
    CheckedLine, Clock, CommandOutcome, DeviceState, LineCommand, LineContext, LineEnds, LineEvent,
    LineHealth, PollOverrides, Protocol, RawDevice, RawLine,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// What the bus does with one request: pieces to send, each after a pause.
type Act = Box<dyn FnMut(&[u8]) -> Vec<(Duration, Vec<u8>)> + Send>;

/// Requests as they came, with the time since the beginning.
type Seen = Arc<Mutex<Vec<(Duration, Vec<u8>)>>>;

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Stamp {
        Stamp { at: Timestamp(1_795_428_000_000), clock: ClockQuality::Synchronised }
    }
}

/// Opens the far ends that the test has laid out, then refuses.
struct Ends(VecDeque<DuplexStream>);

impl Opener for Ends {
    fn open(&mut self) -> BoxFuture<'_, io::Result<Box<dyn Stream>>> {
        let end = self.0.pop_front().map(|end| Box::new(end) as Box<dyn Stream>);
        async { end.ok_or_else(|| io::Error::other("no more ends")) }.boxed()
    }
}

/// A line under test.
struct Bench {
    seen: Seen,
    batches: mpsc::Receiver<Batch>,
    events: mpsc::Receiver<LineEvent>,
    commands: mpsc::Sender<LineCommand>,
    handle: MaintenanceHandle,
    health: Arc<LineHealth>,
    cancel: CancellationToken,
    poll: watch::Sender<PollOverrides>,
    began: Instant,
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut frame = body.to_vec();
    frame.extend(crc16(body).to_le_bytes());
    frame
}

/// A right answer: every register holds the unit id, every coil is off; writes are echoed.
fn answer(request: &[u8]) -> Vec<u8> {
    let (unit, function) = (request[0], request[1]);
    let count = usize::from(u16::from_be_bytes([request[4], request[5]]));
    match function {
        1 | 2 => {
            let bytes = count.div_ceil(8);
            let mut body = vec![unit, function, u8::try_from(bytes).unwrap()];
            body.resize(3 + bytes, 0);
            framed(&body)
        }
        3 | 4 => {
            let mut body = vec![unit, function, u8::try_from(2 * count).unwrap()];
            (0..count).for_each(|_| body.extend([0, unit]));
            framed(&body)
        }
        _ => framed(&request[..6]),
    }
}

fn at_once(request: &[u8]) -> Vec<(Duration, Vec<u8>)> {
    vec![(Duration::from_millis(5), answer(request))]
}

fn plan(kind: &dyn Protocol, settings: &str, devices: &[(&str, i64, &str, u64)]) -> Arc<ModbusPlan> {
    let line = RawLine {
        id: Id::new("bus").unwrap(),
        settings: settings.parse().unwrap(),
        zone: linli_domain::timezone::Zone::utc(),
    };
    let devices: Vec<RawDevice> = devices
        .iter()
        .map(|(id, unit, profile, poll)| RawDevice {
            id: Id::new(id).unwrap(),
            name: (*id).to_owned(),
            room: None,
            class: DeviceClass::Telemetry,
            unit: Some(*unit),
            topic: None,
            token: None,
            serial: None,
            profile: (*profile).to_owned(),
            poll: Duration::from_millis(*poll),
        })
        .collect();
    let plan = kind.plan(&line, &devices, &ProfileSet::embedded()).expect("a good line");
    Arc::new(plan.as_any().downcast_ref::<ModbusPlan>().expect("a Modbus line").clone())
}

const SERVER: &str = "endpoint = \"192.0.2.1:4001\"\ntimeout = \"300ms\"";

impl Bench {
    /// Runs the plan against one bus per connection; a bus ends with its acts' `None`.
    fn run(plan: Arc<ModbusPlan>, acts: Vec<Act>) -> Self {
        let seen = Seen::default();
        let began = Instant::now();
        let mut ends = VecDeque::new();
        for act in acts {
            let (near, far) = tokio::io::duplex(4096);
            ends.push_back(near);
            tokio::spawn(serve(far, act, Arc::clone(&seen), began));
        }
        // Room for everything a test lets happen: a full channel would hold the line back.
        let gateway = Id::new("g1").unwrap();
        let (context, line) = LineContext::alone(gateway, Arc::new(Fixed), plan.layouts.len(), 100_000);
        tokio::spawn(run_on(plan, context, Box::new(Ends(ends))));
        let LineEnds { batches, events, commands, maintenance, poll_overrides, health, cancel, .. } = line;
        Self {
            seen,
            batches,
            events,
            commands,
            handle: maintenance,
            health,
            cancel,
            poll: poll_overrides,
            began,
        }
    }

    fn seen(&self) -> Vec<(Duration, Vec<u8>)> {
        self.seen.lock().unwrap().clone()
    }

    /// Everything delivered so far: device, whether all good, the first value.
    fn delivered(&mut self) -> Vec<(String, bool, Option<Value>)> {
        let mut all = Vec::new();
        while let Ok(batch) = self.batches.try_recv() {
            let good = batch.samples.iter().all(|s| s.quality.is_good());
            all.push((batch.layout.device.to_string(), good, batch.samples[0].value.clone()));
        }
        all
    }

    async fn command(&self, point: u16, value: Value, deadline: Duration) -> CommandOutcome {
        let (reply, outcome) = oneshot::channel();
        let deadline = Instant::now() + deadline;
        self.commands.send(LineCommand { device: 0, point, value, deadline, reply }).await.unwrap();
        outcome.await.expect("an outcome")
    }
}

/// Cuts requests out of the stream (all of them are 8 bytes long here) and acts.
async fn serve(mut far: DuplexStream, mut act: Act, seen: Seen, began: Instant) {
    let mut request = [0; 8];
    while far.read_exact(&mut request).await.is_ok() {
        seen.lock().unwrap().push((began.elapsed(), request.to_vec()));
        for (pause, bytes) in act(&request) {
            sleep(pause).await;
            if far.write_all(&bytes).await.is_err() {
                return;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn polls_stay_on_their_beat_however_long_the_answers_take() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("a", 1, "xy/md02", 1000)]);
    let mut turn = 0_u64;
    let act: Act = Box::new(move |request| {
        turn += 1;
        vec![(Duration::from_millis(10 + turn * 37 % 200), answer(request))]
    });
    let bench = Bench::run(plan, vec![act]);
    sleep(Duration::from_secs(600)).await;
    let times: Vec<u128> = bench.seen().iter().map(|(at, _)| at.as_millis()).collect();
    assert!((598..=602).contains(&times.len()), "{} polls in 600 s", times.len());
    let phase = times[1] % 1000;
    assert!(times[1..].iter().all(|at| (at + 1000 - phase) % 1000 <= 1), "off the beat: {times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_device_is_read_more_often_for_a_time_and_the_line_is_not_opened_anew() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("a", 1, "xy/md02", 10_000), ("b", 2, "xy/md02", 10_000)]);
    let bench = Bench::run(plan, vec![Box::new(at_once)]);
    let polls = |unit: u8| bench.seen().iter().filter(|(_, request)| request[0] == unit).count();
    sleep(Duration::from_secs(100)).await;
    let (a, b) = (polls(1), polls(2));
    assert!((10..=12).contains(&a) && (10..=12).contains(&b), "{a} and {b} in 100 s");
    let wanted = |seconds| PollOverrides::new([(Id::new("a").unwrap(), Duration::from_secs(seconds))].into());
    bench.poll.send_replace(wanted(1));
    sleep(Duration::from_secs(100)).await;
    assert!((99..=102).contains(&(polls(1) - a)), "{}", polls(1) - a);
    assert!((9..=11).contains(&(polls(2) - b)), "the other one keeps its own");
    // Never less often than planned; and back again.
    let a = polls(1);
    bench.poll.send_replace(wanted(60));
    sleep(Duration::from_secs(100)).await;
    assert!((9..=12).contains(&(polls(1) - a)), "{}", polls(1) - a);
    bench.poll.send_replace(PollOverrides::default());
    let a = polls(1);
    sleep(Duration::from_secs(100)).await;
    assert!((9..=11).contains(&(polls(1) - a)), "{}", polls(1) - a);
    assert_eq!(bench.health.opens.load(std::sync::atomic::Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_line_is_not_asked_for_more_than_it_gives() {
    let devices = [("a", 1, "xy/md02", 10_000), ("b", 2, "xy/md02", 10_000)];
    let plan = plan(&RTU, "port = \"/dev/null\"\nbaud = 9600\ntimeout = \"300ms\"", &devices);
    let paced = |ms| plan.check_polls(&[(Id::new("a").unwrap(), Duration::from_millis(ms))].into());
    assert_eq!(paced(2000), Ok(()));
    assert!(paced(10).is_err_and(|problem| problem.device == Some(0)));
    let (slow, long) =
        ("port = \"/dev/null\"\nbaud = 1200\ntimeout = \"300ms\"", ("c", 3, "eastron/sdm630", 60_000));
    let plan = self::plan(&RTU, slow, &[long]);
    let told = plan.check_polls(&[(Id::new("c").unwrap(), Duration::from_millis(200))].into());
    assert!(told.is_err_and(|problem| problem.message.contains("of this line's time")));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_nobodys() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("a", 1, "xy/md02", 1000), ("b", 2, "xy/md02", 1000)]);
    let mut first = true;
    // The first answer of unit 1 comes when unit 2 has been asked.
    let act: Act = Box::new(move |request| {
        if request[0] == 1 && std::mem::take(&mut first) {
            return vec![(Duration::from_millis(350), answer(request))];
        }
        at_once(request)
    });
    let mut bench = Bench::run(plan, vec![act]);
    sleep(Duration::from_secs(10)).await;
    let delivered = bench.delivered();
    let wrong = delivered.iter().find(|(device, good, value)| {
        let unit = if device == "a" { 0.1 } else { 0.2 };
        *good && *value != Some(Value::Float(unit))
    });
    assert!(wrong.is_none(), "{wrong:?}");
    let good = |id: &str| delivered.iter().filter(|(device, good, _)| device == id && *good).count();
    assert!(good("b") >= 9 && good("a") >= 8, "{delivered:?}");
}

#[tokio::test(start_paused = true)]
async fn noise_half_frames_and_foreign_answers_do_not_close_the_line() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("a", 1, "xy/md02", 1000)]);
    let mut turn = 0;
    let act: Act = Box::new(move |request| {
        turn += 1;
        let ms = Duration::from_millis;
        let right = answer(request);
        match turn % 5 {
            0 => vec![(ms(2), vec![0xFF, 0x00, 1, 4, 4, 9]), (ms(3), right)],
            1 => vec![(ms(2), right[..5].to_vec())],
            2 => vec![(ms(2), framed(&[9, 4, 4, 1, 1, 1, 1])), (ms(3), right)],
            3 => right.iter().map(|byte| (ms(4), vec![*byte])).collect(),
            _ => {
                let mut broken = right.clone();
                broken[4] ^= 1;
                vec![(ms(2), broken), (ms(3), right)]
            }
        }
    });
    let mut bench = Bench::run(plan, vec![act]);
    sleep(Duration::from_secs(100)).await;
    let delivered = bench.delivered();
    let (good, all) = (delivered.iter().filter(|(_, good, _)| *good).count(), delivered.len());
    assert!(good >= 78, "four of five answers are right: {good} of {all}");
    assert!(delivered.iter().all(|(_, good, value)| !good || *value == Some(Value::Float(0.1))));
    assert_eq!(bench.health.opens.load(std::sync::atomic::Ordering::Relaxed), 1, "never reopened");
    assert!(bench.health.resync_bytes.load(std::sync::atomic::Ordering::Relaxed) > 0);
}

#[tokio::test(start_paused = true)]
async fn a_dead_device_costs_the_others_at_most_its_share() {
    let devices = [("dead", 1, "xy/md02", 1000), ("b", 2, "xy/md02", 100), ("c", 3, "xy/md02", 100)];
    let plan = plan(&RTU, "port = \"/dev/null\"\nbaud = 19200\ntimeout = \"400ms\"", &devices);
    let act: Act = Box::new(|request| if request[0] == 1 { Vec::new() } else { at_once(request) });
    let mut bench = Bench::run(plan, vec![act]);
    sleep(Duration::from_secs(60)).await;
    let before = bench.seen().len();
    bench.delivered();
    sleep(Duration::from_secs(600)).await;
    let seen = bench.seen();
    let asked = |unit: u8| seen[before..].iter().filter(|(_, request)| request[0] == unit).count();
    // 5 % of 600 s are 30 s: 75 probes of 400 ms at the very most.
    assert!(asked(1) <= 75, "{} probes", asked(1));
    assert!(asked(1) >= 5, "it is still looked for: {} probes", asked(1));
    assert!(asked(2) >= 5400 && asked(3) >= 5400, "{} and {} of 6000", asked(2), asked(3));
    let mut offline = 0;
    while let Ok(event) = bench.events.try_recv() {
        offline += usize::from(matches!(event.state, DeviceState::Offline(Reason::Silent)));
    }
    assert_eq!(offline, 1, "told once");
}

#[tokio::test(start_paused = true)]
async fn a_device_that_returns_is_read_again_within_two_polls() {
    let settings = "port = \"/dev/null\"\nbaud = 19200\ntimeout = \"400ms\"";
    let plan = plan(&RTU, settings, &[("a", 1, "xy/md02", 10_000)]);
    for away in [60, 300, 1100] {
        let began = Instant::now();
        let gone = Duration::from_secs(100)..Duration::from_secs(100 + away);
        let act: Act = Box::new(move |request| match gone.contains(&began.elapsed()) {
            true => Vec::new(),
            false => at_once(request),
        });
        let mut bench = Bench::run(Arc::clone(&plan), vec![act]);
        sleep(Duration::from_secs(100 + away)).await;
        assert!(bench.delivered().iter().any(|(_, good, _)| !good), "its points are bad meanwhile");
        sleep(Duration::from_secs(21)).await;
        let good = bench.delivered().iter().filter(|(_, good, _)| *good).count();
        assert!(good > 0, "away for {away} s, and not read again within two polls");
    }
}

#[tokio::test(start_paused = true)]
async fn a_paused_device_is_asked_at_once_and_what_was_on_the_line_is_kept() {
    let settings = "port = \"/dev/null\"\nbaud = 19200\ntimeout = \"400ms\"";
    let plan = plan(&RTU, settings, &[("a", 1, "xy/md02", 1000)]);
    let is_there = Arc::new(Mutex::new(true));
    let there = Arc::clone(&is_there);
    let act: Act = Box::new(move |request| match *there.lock().unwrap() {
        true => at_once(request),
        false => Vec::new(),
    });
    let bench = Bench::run(plan, vec![act]);
    sleep(Duration::from_secs(5)).await;
    let good = bench.health.devices[0].exchanges();
    let last = good.last.expect("an exchange");
    assert_eq!((last.outcome, good.failed), (ExchangeOutcome::Good, None));
    let asked = bench.seen().last().unwrap().1.clone();
    assert_eq!((&last.request, &last.answer), (&asked, &answer(&asked)));
    *is_there.lock().unwrap() = false;
    sleep(Duration::from_secs(3600)).await;
    let gone = bench.health.devices[0].exchanges();
    let failed = gone.failed.expect("a failure");
    assert_eq!((failed.outcome, failed.answer.as_slice()), (ExchangeOutcome::Silent, &[][..]));
    let pause = gone.pause.expect("it is not polled");
    assert_eq!(pause.reason, Reason::Silent);
    // Long away, it is asked once a minute; a person asks in between.
    let before = bench.seen().len();
    assert_eq!(maintenance::probe(&bench.handle, 1).await, Ok(false), "still away");
    assert_eq!(bench.seen().len(), before + 1, "one request, not a poll");
    *is_there.lock().unwrap() = true;
    assert_eq!(maintenance::probe(&bench.handle, 1).await, Ok(true));
    let back = bench.health.devices[0].exchanges();
    assert_eq!((back.pause, back.failures), (None, 0));
    assert_eq!(maintenance::probe(&bench.handle, 1).await, Ok(true), "nothing is paused: nothing is asked");
}

#[tokio::test(start_paused = true)]
async fn a_half_open_connection_is_made_anew() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("a", 1, "xy/md02", 500), ("b", 2, "xy/md02", 500)]);
    // The first connection swallows everything, as one does whose other end lost its power.
    let silent: Act = Box::new(|_| Vec::new());
    let well: Act = Box::new(at_once);
    let mut bench = Bench::run(plan, vec![silent, well]);
    sleep(Duration::from_secs(60)).await;
    let good = bench.delivered().iter().filter(|(_, good, _)| *good).count();
    assert!(good > 50, "{good} good reads on the second connection");
}

#[tokio::test(start_paused = true)]
async fn an_exception_spoils_its_own_block_only() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("a", 1, "generic/counter", 1000)]);
    let act: Act = Box::new(|request| {
        if request[1] == 1 {
            return vec![(Duration::from_millis(5), framed(&[1, 0x81, 2]))];
        }
        at_once(request)
    });
    let mut bench = Bench::run(plan, vec![act]);
    sleep(Duration::from_secs(5)).await;
    let mut qualities = std::collections::BTreeSet::new();
    while let Ok(batch) = bench.batches.try_recv() {
        for sample in &batch.samples {
            let name = batch.layout.points[usize::from(sample.point)].name.to_string();
            qualities.insert((name, sample.quality.to_string()));
        }
    }
    assert!(
        qualities.contains(&("relay".to_owned(), Quality::Bad(Reason::Refused).to_string())),
        "{qualities:?}"
    );
    assert!(qualities.contains(&("counter".to_owned(), "good".to_owned())), "{qualities:?}");
    assert!(!qualities.contains(&("counter".to_owned(), "bad:refused".to_owned())), "{qualities:?}");
}

#[tokio::test(start_paused = true)]
async fn a_command_goes_before_the_polls_and_is_done_only_when_read_back() {
    let mut many: Vec<(String, i64)> = (2..=20).map(|unit| (format!("d{unit}"), unit)).collect();
    many.insert(0, ("a".to_owned(), 1));
    let devices: Vec<(&str, i64, &str, u64)> =
        many.iter().map(|(id, unit)| (id.as_str(), *unit, "generic/counter", 1000)).collect();
    let plan = plan(&RTU_OVER_TCP, SERVER, &devices);
    let relay =
        u16::try_from(plan.layouts[0].points.iter().position(|p| p.name.as_str() == "relay").unwrap())
            .unwrap();
    let mut on = false;
    let act: Act = Box::new(move |request| {
        let reply = match (request[0], request[1]) {
            (1, 5) => {
                on = request[4] == 0xFF;
                answer(request)
            }
            (1, 1) => framed(&[1, 1, 1, u8::from(on)]),
            _ => answer(request),
        };
        vec![(Duration::from_millis(15), reply)]
    });
    let bench = Bench::run(plan, vec![act]);
    sleep(Duration::from_millis(3020)).await;
    let asked = bench.seen().len();
    let began = Instant::now();
    let outcome = bench.command(relay, Value::Bool(true), Duration::from_secs(5)).await;
    assert_eq!(outcome, CommandOutcome::Done { read_back: Value::Bool(true) });
    assert!(began.elapsed() < Duration::from_millis(100), "{:?}", began.elapsed());
    let after: Vec<u8> = bench.seen()[asked..].iter().map(|(_, request)| request[1]).collect();
    let write = after.iter().position(|function| *function == 5).expect("written");
    assert!(write <= 1, "at most the exchange in flight came before: {after:?}");
    assert_eq!(after[write + 1], 1, "read back at once: {after:?}");
    assert_eq!(after.iter().filter(|function| **function == 5).count(), 1, "sent once");
}

#[tokio::test(start_paused = true)]
async fn a_command_that_does_not_take_is_failed_and_a_late_one_is_not_sent() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("a", 1, "generic/counter", 1000)]);
    let relay =
        u16::try_from(plan.layouts[0].points.iter().position(|p| p.name.as_str() == "relay").unwrap())
            .unwrap();
    // It says yes and does nothing.
    let bench = Bench::run(plan, vec![Box::new(at_once)]);
    sleep(Duration::from_secs(2)).await;
    let outcome = bench.command(relay, Value::Bool(true), Duration::from_secs(5)).await;
    assert!(matches!(outcome, CommandOutcome::Failed { .. }), "{outcome:?}");
    let writes = |bench: &Bench| bench.seen().iter().filter(|(_, request)| request[1] == 5).count();
    let before = writes(&bench);
    let outcome = bench.command(relay, Value::Bool(true), Duration::ZERO).await;
    assert!(matches!(outcome, CommandOutcome::Failed { .. }), "{outcome:?}");
    assert_eq!(writes(&bench), before, "never sent after its deadline");
}

#[tokio::test(start_paused = true)]
async fn a_command_whose_answer_is_lost_is_unknown_and_not_repeated() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("a", 1, "generic/counter", 60_000)]);
    let relay =
        u16::try_from(plan.layouts[0].points.iter().position(|p| p.name.as_str() == "relay").unwrap())
            .unwrap();
    let mut written = false;
    let act: Act = Box::new(move |request| {
        written |= request[1] == 5;
        if written { Vec::new() } else { at_once(request) }
    });
    let bench = Bench::run(plan, vec![act]);
    sleep(Duration::from_secs(2)).await;
    let outcome = bench.command(relay, Value::Bool(true), Duration::from_secs(5)).await;
    assert!(matches!(outcome, CommandOutcome::Unknown { .. }), "{outcome:?}");
    assert_eq!(bench.seen().iter().filter(|(_, request)| request[1] == 5).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_the_exchange_in_flight() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("a", 1, "xy/md02", 1000)]);
    let act: Act = Box::new(|request| vec![(Duration::from_millis(200), answer(request))]);
    let mut bench = Bench::run(plan, vec![act]);
    sleep(Duration::from_millis(50)).await;
    assert_eq!(bench.seen().len(), 1, "asked at {:?}", bench.began.elapsed());
    bench.cancel.cancel();
    sleep(Duration::from_secs(2)).await;
    assert_eq!(bench.delivered().len(), 1, "its answer was not thrown away");
    assert_eq!(bench.seen().len(), 1, "nothing was asked after it");
    assert!(bench.commands.is_closed());
}

/// A room node: says who it is, and remembers its relays.
fn room_node(dead: Arc<Mutex<bool>>) -> Act {
    let mut relays = 0_u8;
    Box::new(move |request| {
        if *dead.lock().unwrap() {
            return Vec::new();
        }
        let (unit, function) = (request[0], request[1]);
        let (start, count) = (request[3], usize::from(request[5]));
        let answer = match function {
            4 => {
                let mut words = vec![0_u16; 256 + 64];
                (words[0], words[1], words[3]) = (0x4C4C, 1, 3);
                let from = usize::from(u16::from_be_bytes([request[2], start]));
                let mut body = vec![unit, function, u8::try_from(2 * count).unwrap()];
                words[from..from + count].iter().for_each(|word| body.extend(word.to_be_bytes()));
                framed(&body)
            }
            1 => framed(&[unit, function, 1, relays]),
            5 => {
                let bit = 1 << start;
                relays = if request[4] == 0xFF { relays | bit } else { relays & !bit };
                framed(&request[..6])
            }
            _ => answer(request),
        };
        vec![(Duration::from_millis(5), answer)]
    })
}

#[tokio::test(start_paused = true)]
async fn a_leased_output_is_written_again_while_it_stands_and_not_after_an_outage() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("room", 1, "linli/node-room", 1000)]);
    let relay = plan.layouts[0].points.iter().position(|point| point.name.as_str() == "relay_1").unwrap();
    let dead = Arc::new(Mutex::new(false));
    let mut bench = Bench::run(plan, vec![room_node(Arc::clone(&dead))]);
    sleep(Duration::from_secs(2)).await;
    let relay = u16::try_from(relay).unwrap();
    let outcome = bench.command(relay, Value::Bool(true), Duration::from_secs(5)).await;
    assert_eq!(outcome, CommandOutcome::Done { read_back: Value::Bool(true) });
    let written = |bench: &Bench| bench.seen().iter().filter(|(_, request)| request[1] == 5).count();
    sleep(Duration::from_secs(61)).await;
    assert_eq!(written(&bench), 4, "once by the command, then every 20 s");
    *dead.lock().unwrap() = true;
    sleep(Duration::from_secs(30)).await;
    *dead.lock().unwrap() = false;
    sleep(Duration::from_secs(120)).await;
    let told =
        std::iter::from_fn(|| bench.events.try_recv().ok()).find(|event| event.detail.contains("safe state"));
    assert!(told.is_some(), "the outage says that the output is no longer held");
    let before = written(&bench);
    sleep(Duration::from_secs(120)).await;
    assert_eq!(written(&bench), before, "what came back is not switched on again by itself");
}

#[tokio::test(start_paused = true)]
async fn maintenance_goes_between_polls_and_delays_none_by_more_than_one_exchange() {
    let plan = plan(&RTU_OVER_TCP, SERVER, &[("a", 1, "xy/md02", 1000)]);
    let act: Act = Box::new(|request| vec![(Duration::from_millis(200), answer(request))]);
    let mut bench = Bench::run(plan, vec![act]);
    let handle = bench.handle.clone();
    let maintaining = tokio::spawn(async move {
        let mut done = 0;
        while done < 100 {
            let read =
                maintenance::read(&handle, 9, maintenance::inputs(0, 1), Duration::from_millis(500)).await;
            assert_eq!(read, Ok(vec![9]));
            done += 1;
        }
        done
    });
    sleep(Duration::from_secs(60)).await;
    assert!(maintaining.is_finished(), "the line is idle most of the time");
    assert_eq!(maintaining.await.unwrap(), 100);
    assert_eq!(bench.health.maintenance.load(std::sync::atomic::Ordering::Relaxed), 100);
    let polls: Vec<Duration> =
        bench.seen().iter().filter(|(_, request)| request[0] == 1).map(|(at, _)| *at).collect();
    assert!(polls.len() >= 58, "{} polls in 60 s", polls.len());
    let phase = polls[0].as_millis() % 1000;
    let late = polls.iter().map(|at| (at.as_millis() + 1000 - phase) % 1000).max();
    assert!(late.is_some_and(|late| late <= 210), "{late:?} ms late");
    assert!(bench.delivered().iter().all(|(_, good, _)| *good));
}

#[tokio::test(start_paused = true)]
async fn maintenance_gets_its_share_of_a_line_that_is_never_idle() {
    let devices: Vec<(String, i64)> = (1..=10).map(|unit| (format!("d{unit}"), unit)).collect();
    let devices: Vec<(&str, i64, &str, u64)> =
        devices.iter().map(|(id, unit)| (id.as_str(), *unit, "xy/md02", 100)).collect();
    let plan = plan(&RTU_OVER_TCP, SERVER, &devices);
    let act: Act = Box::new(|request| vec![(Duration::from_millis(20), answer(request))]);
    let bench = Bench::run(plan, vec![act]);
    let handle = bench.handle.clone();
    tokio::spawn(async move {
        while maintenance::read(&handle, 99, maintenance::inputs(0, 1), Duration::from_millis(500))
            .await
            .is_ok()
        {}
    });
    sleep(Duration::from_secs(100)).await;
    let seen = bench.seen();
    let share = seen.iter().filter(|(_, request)| request[0] == 99).count() as f64 / seen.len() as f64;
    assert!((0.15..=0.21).contains(&share), "{share}");
}
