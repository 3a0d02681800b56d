//! `linli probe`: reads one device once and shows every point.

use std::process::ExitCode;
use std::time::Duration;

use linli_drivers::modbus::plan::ModbusPlan;
use linli_drivers::modbus::probe::{self, Probe};
use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::{WRONG, socket};

/// Longest wait for the gateway.
const PATIENCE: Duration = Duration::from_secs(5);

/// Read one configured device and show every point with its value and quality.
///
/// While the gateway runs it owns the line, so its latest values are shown; otherwise the device
/// is read directly, with the time each request took.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli probe fridge-1\n  linli probe fridge-1 --config ./my-centre --json\n\nExit codes: 0 every point has a value, 1 not, 2 no such device or bad configuration"
)]
pub struct Args {
    /// The device's id
    device: String,
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
        return through_gateway(args, &args.site);
    }
    let Some(plan) = line.plan.as_any().downcast_ref::<ModbusPlan>() else {
        anyhow::bail!(
            "line {} cannot be read by hand: start the gateway, then probe again",
            line.plan.line()
        );
    };
    let device: usize = index;
    let read = probe::read_once(&plan.medium, &plan.timing, &plan.devices[device]);
    let probe = super::runtime()?.block_on(read).map_err(|why| anyhow::anyhow!(why))?;
    let rows: Vec<Value> = layout
        .points
        .iter()
        .zip(&probe.points)
        .map(|(spec, (quality, value))| {
            json!({"point": spec.name, "value": value, "unit": spec.unit, "quality": quality.to_string()})
        })
        .collect();
    if args.json {
        println!("{}", serde_json::to_string_pretty(&json!({"device": args.device, "points": rows}))?);
    } else {
        requests(&probe);
        table(&rows);
    }
    let whole = probe.points.iter().all(|(quality, _)| quality.is_good());
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn through_gateway(args: &Args, site: &ConfigDir) -> anyhow::Result<ExitCode> {
    let answer = socket::ask(site, "GET", &format!("/api/v1/devices/{}", args.device), "", PATIENCE)?;
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
