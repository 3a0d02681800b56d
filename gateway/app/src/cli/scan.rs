//! `linli scan`: finds the units on a Modbus line.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use linli_drivers::modbus::diagnosis;
use linli_drivers::modbus::plan::Medium;
use linli_drivers::modbus::probe::{self, Answer};
use serde_json::{Value, json};

use super::WRONG;
use super::port::{Port, TIMING};
use super::scan_network::Network;
use linli_nodes::{Client, shown_identity};

/// Ask every unit id on a Modbus line whether it is there; or look for a device by SNMP, IPP or MQTT.
///
/// Reads one register or bit per unit and changes nothing; our own nodes also say who they are. A
/// serial port must not be in use: stop the gateway first. When nobody answers, the usual settings are tried, and the
/// last lines say which option helps.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli scan --port /dev/ttyUSB0 --baud 9600\n  linli scan --port /dev/ttyUSB0 --baud 4800 --units 1-32\n  linli scan --tcp 192.0.2.20:502 --units 1-10 --json\n  linli scan --snmp 192.0.2.7 --community public\n  linli scan --mqtt mqtt://127.0.0.1:1883\n\nExit codes: 0 at least one unit found, 1 none found or the line cannot be opened, 2 wrong usage"
)]
pub struct Args {
    #[command(flatten)]
    port: Port,
    #[command(flatten)]
    network: Network,
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

/// Units that are asked with other settings when nobody answers.
const GUESSED: usize = 2;

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.network.is_given() {
        return args.network.scan(args.json);
    }
    let Some(medium) = args.port.medium() else {
        eprintln!("linli: {}", args.port.wrong());
        return Ok(ExitCode::from(WRONG));
    };
    let (first, last) = args.units;
    let is_serial = !matches!(medium, Medium::Tcp { .. });
    if is_serial && (first == 0 || last > 247) {
        eprintln!("linli: units on a serial line are 1 to 247; 0 and 248 to 255 exist on Modbus TCP only");
        return Ok(ExitCode::from(WRONG));
    }
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
    if let Err(why) = scanned {
        let hints = hints(&medium, &[first])?;
        anyhow::bail!("{}", if hints.is_empty() { why } else { hints.join("\n") });
    }
    let units: Vec<u8> = found.iter().map(|(unit, _)| *unit).collect();
    let nodes = super::runtime()?.block_on(nodes(&args.port, &units))?;
    if !args.json {
        nodes.iter().for_each(|(unit, node)| println!("unit {unit:3}: {}", node_line(node)));
    }
    if args.json {
        let row = |(unit, answer): &(u8, Answer)| {
            let mut row = json!({"unit": unit, "answer": words(answer)});
            if let Some(node) = nodes.get(unit) {
                row["node"] = node.clone();
            }
            row
        };
        let rows: Vec<_> = found.iter().map(row).collect();
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else if found.is_empty() {
        println!("nobody answered; trying what is usually wrong …");
        let units: Vec<u8> = (first..=last).take(GUESSED).collect();
        hints(&medium, &units)?.iter().for_each(|hint| println!("{hint}"));
    } else {
        println!("{} found. Next: `linli devices` for the profile, then `linli probe`.", found.len());
    }
    Ok(if found.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Returns why nobody answers, and which option helps.
fn hints(medium: &Medium, units: &[u8]) -> anyhow::Result<Vec<String>> {
    let found = super::runtime()?.block_on(diagnosis::diagnose_medium(medium, &TIMING, units));
    let place = diagnosis::place_of(medium);
    Ok(found.iter().map(|finding| finding.symptom.sentence(&place).to_string()).collect())
}

/// Returns which of the units that answered are our own nodes.
async fn nodes(port: &Port, units: &[u8]) -> anyhow::Result<BTreeMap<u8, Value>> {
    let mut nodes = BTreeMap::new();
    if units.is_empty() {
        return Ok(nodes);
    }
    let maintenance = port.open_line().await?;
    for unit in units {
        let client = Client::new(maintenance.clone(), *unit);
        let Ok(node) = client.identity_once().await else { continue };
        let mut shown = shown_identity(&node);
        shown["name"] = client.config().await.map_or(Value::Null, |config| json!(config.name()));
        nodes.insert(*unit, shown);
    }
    Ok(nodes)
}

fn node_line(node: &Value) -> String {
    let text = |key: &str| node[key].as_str().unwrap_or_default();
    let word = |key: &str| node[key]["code"].as_str().unwrap_or("?");
    let name = if text("name").is_empty() { String::new() } else { format!(" “{}”", text("name")) };
    let next = if node["is_provisioned"] == true { "" } else { "; new: set it up with `linli provision`" };
    format!(
        "linli node{name}, {} on {}, firmware {} ({}), serial {}{next}",
        word("kind"),
        text("board"),
        text("firmware"),
        word("boot"),
        text("serial")
    )
}

fn words(answer: &Answer) -> String {
    match answer {
        Answer::Value => "answers".to_owned(),
        Answer::Exception(code) => {
            format!("answers with exception {code}: there, but has nothing at address 0")
        }
        Answer::OtherUnit(unit) => format!("unit {unit} answers instead: it answers whatever unit is asked"),
        Answer::Garbled => "answers damaged: two units with one id, or other line settings".to_owned(),
    }
}

fn units(text: &str) -> Result<(u8, u8), String> {
    let wrong = || format!("{text:?} is not a range of unit ids such as 1-32");
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (first.parse().map_err(|_| wrong())?, last.parse().map_err(|_| wrong())?);
    if first > last { Err(wrong()) } else { Ok((first, last)) }
}
