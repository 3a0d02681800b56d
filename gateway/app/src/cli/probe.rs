//! `linli probe`: reads one device once and shows every point.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use linli_config::ConfiguredLine;
use linli_domain::{Layout, PointSpec, Quality, Reason};
use linli_drivers::modbus::diagnosis;
use linli_drivers::modbus::plan::ModbusPlan;
use linli_drivers::modbus::probe::{self, Probe};
use linli_drivers::{DeviceState, observe};
use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::{WRONG, line_findings, socket};
use crate::runtime::clock::SystemClock;

/// Longest wait for the gateway.
const PATIENCE: Duration = Duration::from_secs(5);

/// Read one configured device and show every point with its value and quality.
///
/// While the gateway runs it owns the line, so its latest values are shown. Otherwise the device is read directly: with
/// the time of each request over Modbus, once over SNMP and IPP, and as it publishes over MQTT. What does not answer
/// as configured is examined: the last lines say which option helps.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli probe fridge-1\n  linli probe fridge-1 --config ./my-centre --json\n\nExit codes: 0 every point has a value, 1 not, 2 no such device or bad configuration"
)]
pub struct Args {
    /// The device's id
    device: String,
    /// Longest wait for what a device sends by itself, such as over MQTT
    #[arg(long, default_value = "10s", value_parser = linli_drivers::duration::parse)]
    wait: Duration,
    /// Print as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let checked = linli_config::load(&args.site.config)?;
    let mut found = checked
        .lines
        .iter()
        .flat_map(|line| line.plan.layouts().iter().zip(0..).map(move |(l, i)| (line, l, i)));
    let Some((line, layout, index)) = found.find(|(_, layout, _)| layout.device.as_str() == args.device)
    else {
        let known: Vec<&str> =
            checked.lines.iter().flat_map(|l| l.plan.layouts()).map(|l| l.device.as_str()).collect();
        eprintln!("linli: no device {:?}; there are: {}", args.device, known.join(", "));
        return Ok(ExitCode::from(WRONG));
    };
    let data_dir = args.site.data_dir();
    if socket::is_running(&data_dir) {
        return through_gateway(args, &data_dir);
    }
    let index: usize = index;
    let Some(plan) = line.plan.as_any().downcast_ref::<ModbusPlan>() else {
        return watched(args, line, layout, index);
    };
    let read = probe::read_once(&plan.medium, &plan.timing, &plan.devices[index]);
    let probe = super::runtime()?.block_on(read);
    let points = probe.as_ref().map(|probe| probe.points.clone()).unwrap_or_default();
    let is_whole = probe.is_ok() && points.iter().all(|(quality, _)| quality.is_good());
    let hints = if is_whole { Vec::new() } else { hints(args, plan, index)? };
    if let (Ok(probe), false) = (&probe, args.json) {
        requests(probe);
    }
    if let (Err(why), true) = (&probe, hints.is_empty()) {
        anyhow::bail!("{why}");
    }
    shown(args, layout, &points, &hints)?;
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints points and what helps.
fn shown(
    args: &Args,
    layout: &Layout,
    points: &[(Quality, Option<linli_domain::Value>)],
    hints: &[String],
) -> anyhow::Result<()> {
    let row = |(spec, (quality, value)): (&PointSpec, &(Quality, Option<linli_domain::Value>))| json!({"point": spec.name, "value": value, "unit": spec.unit, "quality": quality.to_string()});
    let rows: Vec<Value> = layout.points.iter().zip(points).map(row).collect();
    if args.json {
        let mut shown = json!({"device": args.device, "points": rows});
        if !hints.is_empty() {
            shown["hints"] = json!(hints);
        }
        println!("{}", serde_json::to_string_pretty(&shown)?);
    } else {
        table(&rows);
        hints.iter().for_each(|hint| println!("{hint}"));
    }
    Ok(())
}

/// What helps a Modbus device that does not answer as configured.
fn hints(args: &Args, plan: &ModbusPlan, device: usize) -> anyhow::Result<Vec<String>> {
    let mut alone = plan.clone();
    alone.devices = vec![plan.devices[device].clone()];
    alone.layouts = vec![plan.layouts[device].clone()];
    let (profiles, place) = (args.site.profiles(), diagnosis::place(plan));
    let found = super::runtime()?.block_on(diagnosis::diagnose(&alone, &profiles));
    Ok(found.iter().map(|finding| finding.symptom.sentence(&place).to_string()).collect())
}

/// Watches a line that is not Modbus until the device has shown every point.
fn watched(args: &Args, line: &ConfiguredLine, layout: &Layout, device: usize) -> anyhow::Result<ExitCode> {
    let watching = observe(line.plan.clone(), Arc::new(SystemClock::default()), args.wait);
    let Some(seen) = super::runtime()?.block_on(watching) else {
        anyhow::bail!(
            "line {} waits for what its devices send, and only the gateway may take that: start it, then probe again",
            line.plan.line()
        );
    };
    let unheard = (Quality::Bad(Reason::Silent), None);
    let points = seen.devices[device].points.iter().map(|point| point.clone().unwrap_or(unheard.clone()));
    let points: Vec<_> = points.collect();
    let states = [&seen.state, &seen.devices[device].state];
    let hint = states.into_iter().flatten().find_map(|(state, detail)| match state {
        DeviceState::Offline(reason) => Some(line_findings::explained(*reason, detail)),
        DeviceState::Online => None,
    });
    let is_unheard = seen.devices[device].points.iter().all(Option::is_none);
    let patience = linli_drivers::duration::format(args.wait);
    let nothing = || {
        format!(
            "{patience} 内没有消息：请核对 topic，或用 --wait 多等一会 / no message within {patience}: check topic, or wait longer with --wait"
        )
    };
    let hints: Vec<String> = hint.into_iter().chain(is_unheard.then(nothing)).take(1).collect();
    shown(args, layout, &points, &hints)?;
    let is_whole = points.iter().all(|(quality, _)| quality.is_good());
    Ok(if is_whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn through_gateway(args: &Args, data_dir: &std::path::Path) -> anyhow::Result<ExitCode> {
    let answer = socket::ask(data_dir, "GET", &format!("/api/v1/devices/{}", args.device), "", PATIENCE)?;
    anyhow::ensure!(
        answer.status == 200,
        "{}; `linli reload` takes over a changed configuration",
        socket::detail(&answer)
    );
    let device: Value = serde_json::from_str(&answer.body)?;
    let rows: Vec<Value> = device.get("points").and_then(Value::as_array).cloned().unwrap_or_default();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&device)?);
    } else {
        let word = |key: &str| device.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        println!(
            "latest values of the running gateway; {} is {} {}",
            args.device,
            word("state"),
            word("detail")
        );
        table(&rows);
    }
    let whole = rows.iter().all(|row| row["quality"] == "good");
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn requests(probe: &Probe) {
    for (span, took, error) in &probe.requests {
        let outcome = error.as_deref().unwrap_or("ok");
        let ms = took.as_secs_f64() * 1000.0;
        println!("{:?} {:#06x} count {}: {ms:.1} ms, {outcome}", span.table, span.start, span.count);
    }
    match &probe.identity {
        Some(Ok(())) => println!("identity: as the profile says"),
        Some(Err(why)) => println!("identity: {why}"),
        None => {}
    }
}

fn table(rows: &[Value]) {
    let width = rows.iter().filter_map(|row| row["point"].as_str()).map(str::len).max().unwrap_or(0);
    for row in rows {
        let value = if row["value"].is_null() { "-".to_owned() } else { row["value"].to_string() };
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        println!("{:width$}  {value:>14} {:8} {}", text("point"), text("unit"), text("quality"));
    }
}
