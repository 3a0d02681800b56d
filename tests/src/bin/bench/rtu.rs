//! Thirty devices on a serial line paced like 19 200 baud, asked for as much as it carries.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use linli_tests::thirty::Thirty;
use linli_tests::{Gateway, Workspace};
use serialport::{SerialPort, TTYPort};
use tokio::time::{Instant, sleep};

use crate::measure::Row;

const BAUD: u32 = 19_200;
/// 8N1: ten bits a character (Modbus over Serial Line V1.02, 2.5.1).
const CHARACTER: Duration = Duration::from_nanos(10 * 1_000_000_000 / BAUD as u64);
/// 3.5 characters between frames.
const SILENCE: Duration = Duration::from_nanos(35 * 1_000_000_000 / BAUD as u64);
/// What the simulated devices take to begin their reply.
const REPLY: Duration = Duration::from_millis(1);
const WORDS: u32 = 10;
const UNITS: usize = 30;
const SETTLE: Duration = Duration::from_secs(8);
const MEASURE: Duration = Duration::from_secs(20);

/// The simulated bus, on a thread of its own: a runtime's timer is too coarse for characters.
struct Bus {
    path: String,
    answered: Arc<[AtomicU64; UNITS + 1]>,
    stop: Arc<AtomicBool>,
}

impl Bus {
    fn start(dead: usize) -> anyhow::Result<Self> {
        let (mut bus, end) = TTYPort::pair()?;
        bus.set_timeout(Duration::from_millis(100))?;
        let path = end.name().ok_or_else(|| anyhow::anyhow!("the pseudo-terminal has no name"))?;
        let answered: Arc<[AtomicU64; UNITS + 1]> = Arc::new(std::array::from_fn(|_| AtomicU64::new(0)));
        let stop = Arc::new(AtomicBool::new(false));
        let (counts, end_of) = (Arc::clone(&answered), Arc::clone(&stop));
        std::thread::spawn(move || serve(&mut bus, dead, counts.as_slice(), &end_of));
        Ok(Self { path, answered, stop })
    }

    fn counts(&self) -> Vec<u64> {
        self.answered[1..].iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Answers FC 4; a unit up to `dead` never does.
fn serve(bus: &mut TTYPort, dead: usize, answered: &[AtomicU64], stop: &AtomicBool) {
    let mut request = [0_u8; 8];
    while !stop.load(Ordering::Relaxed) {
        if bus.read_exact(&mut request).is_err() {
            // Nobody has the other end open.
            #[expect(clippy::disallowed_methods, reason = "a thread of its own, not a runtime's")]
            std::thread::sleep(Duration::from_millis(5));
            continue;
        }
        let began = Instant::now();
        let unit = usize::from(request[0]);
        if unit <= dead || unit > UNITS {
            continue;
        }
        let mut reply = vec![request[0], request[1], u8::try_from(2 * WORDS).expect("few")];
        reply.resize(3 + 2 * WORDS as usize, 7);
        let check = linli_drivers::modbus::wire::crc16(&reply);
        reply.extend(check.to_le_bytes());
        // The request's own characters, the silence after it, the device, then the reply's.
        let at =
            began + CHARACTER * 8 + SILENCE + REPLY + CHARACTER * u32::try_from(reply.len()).expect("few");
        #[expect(clippy::disallowed_methods, reason = "a thread of its own, not a runtime's")]
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        if bus.write_all(&reply).is_ok() {
            answered[unit].fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// The least time of one exchange on this line.
fn exchange() -> Duration {
    CHARACTER * (8 + 5 + 2 * WORDS) + SILENCE * 2 + REPLY
}

const PROFILE: &str = r#"vendor = "bench"
model = "words"
title = "Ten words"
title_zh = "十个寄存器"
source = "the simulator of this benchmark"
limits = { reply = "1ms" }

[[point]]
name = "w"
repeat = 10
input = 0
type = "u16"
unit = "1"

[[test]]
input = { 0 = "0001" }
expect = { w-1 = 1 }
"#;

/// Answers per unit and second with that many dead.
async fn rates(dead: usize, poll: Duration) -> anyhow::Result<Vec<f64>> {
    let workspace = Workspace::new()?;
    let bus = Bus::start(dead)?;
    let mut devices = format!(
        "[[line]]\nid = \"bus\"\nkind = \"modbus_rtu\"\nport = \"{}\"\nbaud = {BAUD}\ntimeout = \"300ms\"\n\n",
        bus.path
    );
    for unit in 1..=UNITS {
        let _ = write!(
            devices,
            "[[device]]\nid = \"u{unit}\"\nline = \"bus\"\nunit = {unit}\nprofile = \"bench/words\"\npoll = \"{}ms\"\n\n",
            poll.as_millis()
        );
    }
    let config = workspace.configure_with("", "path = \"../data/linli.db\"", &devices)?;
    std::fs::create_dir_all(config.join("devices/bench"))?;
    std::fs::write(config.join("devices/bench/words.toml"), PROFILE)?;
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    sleep(SETTLE).await;
    let (begin, since) = (bus.counts(), Instant::now());
    sleep(MEASURE).await;
    let (end, seconds) = (bus.counts(), since.elapsed().as_secs_f64());
    gateway.stop().await?;
    Ok(end.iter().zip(&begin).map(|(end, begin)| (end - begin) as f64 / seconds).collect())
}

/// Runs the benchmark.
pub async fn run() -> anyhow::Result<Vec<Row>> {
    let units = u32::try_from(UNITS).expect("few");
    // As much as `linli check` lets pass: a hair below all of the line's time.
    let poll = Duration::from_millis((exchange() * units).as_millis() as u64 + 4);
    let all = rates(0, poll).await?;
    let (rate, limit) = (all.iter().sum::<f64>(), 1.0 / exchange().as_secs_f64());
    let faulty = rates(3, poll).await?;
    let slowest = faulty[3..].iter().zip(&all[3..]).map(|(a, b)| a / b).fold(f64::INFINITY, f64::min);
    let (settle, measure) = (SETTLE, MEASURE);
    let healthy = Thirty::start(&[]).await?;
    let before = healthy.rates(settle, measure).await?;
    healthy.gateway.stop().await?;
    let mixed = Thirty::start(&["--dead", "10", "--slow", "20", "--babbling", "30"]).await?;
    let after = mixed.rates(settle, measure).await?;
    mixed.gateway.stop().await?;
    let living = before.iter().zip(&after).enumerate().filter(|(nth, _)| ![9, 19, 29].contains(nth));
    let share =
        living.map(|(_, (before, after))| *after as f64 / *before as f64).fold(f64::INFINITY, f64::min);
    Ok(vec![
        Row::new(
            "rate of the living with one dead, one slow, one babbling, the slowest",
            "≥ 90 %",
            format!("{:.0} %", share * 100.0),
        )
        .against("the same line, all well", share),
        Row::new("Modbus RTU, exchanges/s on 19 200 baud", "≥ 95 %", format!("{rate:.1}"))
            .against(format!("what the baud rate allows: {limit:.1}"), rate / limit),
        Row::new(
            "rate of the living with 3 of 30 dead, the slowest",
            "≥ 90 %",
            format!("{:.0} %", slowest * 100.0),
        )
        .against("the same line, all alive", slowest),
    ])
}
