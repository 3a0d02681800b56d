//! `linli node`: maintenance of our own nodes, and its record.

pub mod offline;
mod show;

use std::process::ExitCode;
use std::time::Duration;

use linli_domain::audit::{Base, Chain, number_after};
use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::socket;
use linli_nodes::{Do, run as run_job};

/// Longest wait for the gateway: a self-test takes up to half a minute, a log several requests.
const PATIENCE: Duration = Duration::from_secs(90);

/// Maintain our own sensor nodes: status, log, self-test, calibration, and the maintenance record.
///
/// Works through the running gateway, or directly on the line when none runs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli node status fridge-node-1\n  linli node log fridge-node-1 --most 20\n  linli node selftest fridge-node-1\n  linli node calibrate fridge-node-1 product_temperature -0.3\n  linli node confirm fridge-node-1\n  linli node audit --device fridge-node-1\n\nExit codes: 0 done, 1 failed (also a self-test that fails), 2 wrong usage or configuration"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show identity, firmware, state of an update, and counters (状态)
    Status(One),
    /// Show the log of the node, oldest first (日志)
    Log {
        #[command(flatten)]
        one: One,
        /// Show at most this number of the newest entries
        #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        most: u32,
    },
    /// Run the self-test (自检)
    Selftest(One),
    /// Confirm firmware that runs on trial; `linli flash` does so itself (确认固件)
    Confirm(One),
    /// Abort an update (放弃升级)
    Abort(One),
    /// Restart the node (重启)
    Restart(One),
    /// Set the calibration offset of a point, in its unit (校准)
    Calibrate {
        #[command(flatten)]
        one: One,
        /// The point
        point: String,
        /// Offset, such as -0.3
        #[arg(allow_negative_numbers = true)]
        offset: f64,
    },
    /// Show the maintenance record: who did what, with which result (维护记录)
    Audit {
        /// Only this device
        #[arg(long)]
        device: Option<String>,
        /// Print the lines unchanged, so that the hash chain can be verified
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: ConfigDir,
    },
}

/// Arguments that select a node.
#[derive(Debug, clap::Args)]
struct One {
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
    let device = |one: &One| one.device.clone();
    let (one, what, show): (&One, Do, fn(&Value) -> String) = match &args.verb {
        Verb::Status(one) => (one, Do::Status { device: device(one) }, show::status),
        Verb::Log { one, most } => (one, Do::Log { device: device(one), most: *most }, show::log),
        Verb::Selftest(one) => (one, Do::Selftest { device: device(one) }, show::selftest),
        Verb::Confirm(one) => (one, Do::Confirm { device: device(one) }, show::identity),
        Verb::Abort(one) => (one, Do::Abort { device: device(one) }, show::aborted),
        Verb::Restart(one) => (one, Do::Restart { device: device(one) }, show::restarted),
        Verb::Calibrate { one, point, offset } => {
            let what = Do::Calibrate { device: device(one), point: point.clone(), offset: *offset };
            (one, what, show::calibrated)
        }
        Verb::Audit { device, json, site } => return audit(site, device.as_deref(), *json),
    };
    let answer = match socket::is_running(&one.site.data_dir()) {
        true => ask(&one.site, &what)?,
        false => super::runtime()?.block_on(directly(one, &what))?,
    };
    match one.json {
        true => println!("{}", serde_json::to_string_pretty(&answer)?),
        false => print!("{}", show(&answer)),
    }
    let has_failed = answer["selftest"]["state"]["code"].as_str().is_some_and(|state| state != "passed");
    Ok(if has_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Sends a request to the running gateway.
pub fn ask(site: &ConfigDir, what: &Do) -> anyhow::Result<Value> {
    let body = serde_json::to_string(what)?;
    let answer = socket::ask(site, "POST", "/api/v1/nodes", &body, PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(serde_json::from_str(&answer.body)?)
}

async fn directly(one: &One, what: &Do) -> anyhow::Result<Value> {
    let config = linli_config::load(&one.site.config)?;
    let found = offline::find(&config, &one.device)?;
    let maintenance = found.open_line().await?;
    let target = found.target(maintenance);
    let mut record = offline::Offline::open(Some(&config)).await;
    let who = record.who().to_owned();
    let outcome = run_job(&target, what, &who).await;
    if let Some(entry) = outcome.entry {
        record.keep(entry).await;
    }
    record.close().await;
    Ok(outcome.answer?)
}

fn audit(site: &ConfigDir, device: Option<&str>, as_json: bool) -> anyhow::Result<ExitCode> {
    let lines = match socket::is_running(&site.data_dir()) {
        true => from_gateway(site)?,
        false => super::runtime()?.block_on(offline::lines(&linli_config::load(&site.config)?))?,
    };
    let mut chain = Chain::default();
    for line in &lines {
        chain.follow(line)?;
    }
    let wanted = lines.iter().filter(|line| Base::of_line(line).is_none()).filter(|line| {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        device.is_none_or(|device| line["device"] == json!(device))
    });
    for line in wanted {
        match as_json {
            true => println!("{line}"),
            false => println!("{}", show::audit_line(&serde_json::from_str(line)?)),
        }
    }
    if !as_json {
        let head = chain.head();
        println!("{} lines, none changed, none missing (记录完整); root {}", head.count, head.root);
    }
    Ok(ExitCode::SUCCESS)
}

fn from_gateway(site: &ConfigDir) -> anyhow::Result<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    loop {
        let next = lines.last().and_then(|line| number_after(line)).unwrap_or_default();
        let path = format!("/api/v1/nodes/record?from={next}");
        let answer = socket::ask(site, "GET", &path, "", PATIENCE)?;
        anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
        if answer.body.is_empty() {
            return Ok(lines);
        }
        lines.extend(answer.body.lines().map(str::to_owned));
    }
}
