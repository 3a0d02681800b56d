//! `linli scan`: who is on a line.

use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use linli_drivers::modbus::plan::{Medium, Parity, Serial, Timing};
use linli_drivers::modbus::probe::{self, Answer};
use serde_json::json;

use super::WRONG;

/// Ask every unit id on a Modbus line whether it is there.
///
/// Reads one register or bit per unit and changes nothing. A serial port must not be in use:
/// stop the gateway first.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli scan --port /dev/ttyUSB0 --baud 9600\n  linli scan --port /dev/ttyUSB0 --baud 4800 --units 1-32\n  linli scan --tcp 192.0.2.20:502 --units 1-10 --json\n\nExit codes: 0 at least one unit found, 1 none found or the line cannot be opened, 2 wrong usage"
)]
pub struct Args {
    /// Serial port
    #[arg(long, conflicts_with = "tcp", required_unless_present = "tcp")]
    port: Option<String>,
    /// Modbus TCP server, host:port
    #[arg(long)]
    tcp: Option<String>,
    /// Frames are RTU frames (with --tcp: a serial device server)
    #[arg(long, requires = "tcp")]
    rtu: bool,
    /// Bits per second
    #[arg(long, default_value_t = 9600, value_parser = clap::value_parser!(u32).range(300..=4_000_000))]
    baud: u32,
    /// Parity
    #[arg(long, default_value = "none", value_parser = ["none", "even", "odd"])]
    parity: String,
    /// Stop bits
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    stop_bits: u8,
    /// Unit ids to ask, first-last
    #[arg(long, default_value = "1-247", value_parser = units)]
    units: (u8, u8),
    /// Longest wait for each answer
    #[arg(long, default_value = "200ms", value_parser = linli_drivers::duration::parse)]
    timeout: Duration,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let Some(medium) = medium(args) else {
        eprintln!(
            "linli: --tcp {:?} is not host:port, such as 192.0.2.20:502",
            args.tcp.as_deref().unwrap_or_default()
        );
        return Ok(ExitCode::from(WRONG));
    };
    let (first, last) = args.units;
    let count = u64::from(last - first) + 1;
    let bar = if args.json { ProgressBar::hidden() } else { ProgressBar::new(count) };
    let style = ProgressStyle::with_template("{bar:40} unit {pos}/{len}, {msg}, {eta} left")?;
    bar.set_style(style);
    let mut found = Vec::new();
    let scanned = super::runtime()?.block_on(probe::scan(
        &medium,
        &TIMING,
        first..=last,
        args.timeout,
        |unit, answer| {
            bar.inc(1);
            if let Some(answer) = answer {
                if !args.json {
                    bar.suspend(|| println!("unit {unit:3}: {}", words(&answer)));
                }
                found.push((unit, answer));
            }
            bar.set_message(format!("{} found", found.len()));
        },
    ));
    bar.finish_and_clear();
    scanned.map_err(|why| anyhow::anyhow!(why))?;
    if args.json {
        let rows: Vec<_> =
            found.iter().map(|(unit, answer)| json!({"unit": unit, "answer": words(answer)})).collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else if found.is_empty() {
        println!("nobody answered: check power, A and B wires, termination, baud rate and parity");
    } else {
        println!("{} found. Next: `linli devices` for the profile, then `linli probe`.", found.len());
    }
    Ok(if found.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

const TIMING: Timing = Timing {
    connect_timeout: Duration::from_secs(5),
    connect_delay: Duration::ZERO,
    frame_gap: Duration::ZERO,
    probe_share_percent: 5,
};

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Value => "answers".to_owned(),
        Answer::Exception(code) => {
            format!("answers with exception {code}: there, but has nothing at address 0")
        }
        Answer::Garbled => "answers damaged: two units with one id, or other line settings".to_owned(),
    }
}

fn units(text: &str) -> Result<(u8, u8), String> {
    let wrong = || format!("{text:?} is not a range of unit ids such as 1-32");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
    if first == 0 || first > last || last > 247 { Err(wrong()) } else { Ok((first, last)) }
}

fn medium(args: &Args) -> Option<Medium> {
    if let Some(path) = &args.port {
        let parity = match args.parity.as_str() {
            "even" => Parity::Even,
            "odd" => Parity::Odd,
            _ => Parity::None,
        };
        return Some(Medium::Rtu(Serial {
            path: path.clone(),
            baud: args.baud,
            parity,
            stop_bits: args.stop_bits,
        }));
    }
    let (host, port) = args.tcp.as_deref()?.rsplit_once(':')?;
    let (host, port) = (host.to_owned(), port.parse().ok()?);
    Some(if args.rtu { Medium::RtuOverTcp { host, port } } else { Medium::Tcp { host, port } })
}
