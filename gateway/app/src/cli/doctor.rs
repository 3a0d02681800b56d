//! `linli doctor`: checks configuration, database, gateway, lines and devices, and says how to correct problems.

use std::process::ExitCode;
use std::time::Duration;

use super::config_dir::ConfigDir;
use super::log_in_store::Kept;
use super::target::Target;
use super::{line_findings, socket};
use crate::runtime::uplink_certificate::look;
use linli_domain::Reason;

/// Report the state of the configuration, the database, the gateway, its lines and its devices.
///
/// Changes nothing. While the gateway runs it names the devices that it does not hear, and why. Otherwise it reads from
/// each device itself, and for one that does not answer tries what is usually wrong: the settings of the port, the
/// unit id, addresses and byte orders of the profile.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli doctor\n  linli doctor --config ./my-centre --json\n\nExit codes: 0 all well, 1 something needs a person"
)]
pub struct Args {
    /// Print as JSON
    #[arg(long)]
    json: bool,
    /// Do not read from devices (不读取设备)
    #[arg(long)]
    no_devices: bool,
    #[command(flatten)]
    site: ConfigDir,
}

/// Result of one check.
#[derive(Debug, serde::Serialize)]
struct Finding {
    part: String,
    well: bool,
    text: String,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut findings = vec![configuration(args), database(args)?, gateway(args)];
    findings.extend(uplink_certificate(args));
    findings.extend(devices(args)?);
    if args.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        for finding in &findings {
            println!("[{}] {}: {}", if finding.well { "ok" } else { "!!" }, finding.part, finding.text);
        }
    }
    Ok(if findings.iter().all(|f| f.well) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn configuration(args: &Args) -> Finding {
    match linli_config::load(&args.site.config) {
        Ok(checked) if !super::mode::missing_plans(&checked).is_empty() => {
            let text = super::mode::missing_plans(&checked).join("\n");
            Finding { part: "configuration".to_owned(), well: false, text }
        }
        Ok(checked) => {
            let devices: usize = checked.lines.iter().map(|line| line.plan.layouts().len()).sum();
            let text =
                format!("{}: {} lines, {devices} devices", args.site.config.display(), checked.lines.len());
            Finding { part: "configuration".to_owned(), well: true, text }
        }
        Err(report) => {
            let text =
                format!("{}: bad, `linli check` tells it in full\n{report}", args.site.config.display());
            Finding { part: "configuration".to_owned(), well: false, text }
        }
    }
}

fn database(args: &Args) -> anyhow::Result<Finding> {
    let path = args.site.database();
    if path.try_exists().is_err_and(|error| error.kind() == std::io::ErrorKind::PermissionDenied) {
        let text = format!("{}: not looked at: only the gateway's user may; try with sudo", path.display());
        return Ok(Finding { part: "database".to_owned(), well: true, text });
    }
    if !path.exists() {
        let text = format!("{}: not there yet; the gateway creates it", path.display());
        return Ok(Finding { part: "database".to_owned(), well: true, text });
    }
    Ok(match super::runtime()?.block_on(linli_store::inspect(&path)) {
        Ok(seen) => {
            let text = format!("{}: {seen}", path.display());
            Finding { part: "database".to_owned(), well: seen.is_sound(), text }
        }
        Err(error) => {
            let text = format!(
                "{}: {error}; the gateway sets a damaged database aside when it starts",
                path.display()
            );
            Finding { part: "database".to_owned(), well: false, text }
        }
    })
}

fn gateway(args: &Args) -> Finding {
    let data_dir = args.site.data_dir();
    if !socket::is_running(&data_dir) {
        return Finding { part: "gateway".to_owned(), well: true, text: "not running".to_owned() };
    }
    match Target::of(&data_dir, &Kept::default()).ask("GET", "/readyz", "", Duration::from_secs(5)) {
        Ok(answer) => {
            let text = answer.body.trim_end().replace('\n', "; ");
            Finding { part: "gateway".to_owned(), well: answer.status == 200, text }
        }
        Err(error) => Finding { part: "gateway".to_owned(), well: false, text: format!("{error:#}") },
    }
}

/// The certificate with which the uplink connects: as the running gateway tells, which also knows what became of its
/// renewal, or as its file says. Nothing where there is none.
fn uplink_certificate(args: &Args) -> Option<Finding> {
    let part = "uplink certificate".to_owned();
    let checked = linli_config::load(&args.site.config).ok()?;
    let tls = checked.uplink.as_ref().and_then(|uplink| uplink.tls.as_ref());
    let state = look(tls, super::now())?;
    let told = socket::ask(&args.site, "GET", "/readyz", "", Duration::from_secs(5)).ok();
    let told = told
        .as_ref()
        .and_then(|answer| answer.body.lines().find_map(|line| line.strip_prefix("uplink certificate: ")));
    if let Some(concern) = told.map(str::to_owned).or_else(|| state.concern()) {
        return Some(Finding { part, well: false, text: format!("{}: {concern}", state.file.display()) });
    }
    let zone = &checked.centre.zone;
    let until = state.until().map(|until| zone.shown(until).to_string()).unwrap_or_default();
    let renewed = match (&state.district, state.renewed_at) {
        (Some(district), Some(at)) => format!("renewed by itself from {} on ({district})", zone.shown(at)),
        _ => "不会自动更新 not renewed by itself".to_owned(),
    };
    let days = state.days_left.unwrap_or_default();
    Some(Finding { part, well: true, text: format!("valid until {until}, {days} days; {renewed}") })
}

/// What is wrong with lines and devices: as the running gateway sees it, or as they answer now.
fn devices(args: &Args) -> anyhow::Result<Vec<Finding>> {
    let data_dir = args.site.data_dir();
    if socket::is_running(&data_dir) {
        return Ok(heard_by_gateway(&args.site).unwrap_or_else(|error| {
            let text = format!(
                "{error:#}; `linli doctor --login ACCOUNT` asks as somebody who may (用能看现场的账号)"
            );
            vec![Finding { part: "devices".to_owned(), well: true, text: format!("not asked: {text}") }]
        }));
    }
    if args.no_devices {
        return Ok(Vec::new());
    }
    let Ok(checked) = linli_config::load(&args.site.config) else { return Ok(Vec::new()) };
    if checked.lines.is_empty() {
        return Ok(Vec::new());
    }
    if !args.json {
        println!("正在读取设备…… / reading from the devices …");
    }
    let profiles = args.site.profiles();
    let examined = line_findings::examine(&checked, &profiles);
    let (found, left_out) = super::runtime()?.block_on(examined);
    let mut findings: Vec<Finding> =
        found.into_iter().map(|f| Finding { part: f.part, well: false, text: f.text }).collect();
    if findings.is_empty() {
        let text = match left_out {
            0 => "every device answers as configured".to_owned(),
            count => format!(
                "every device answers as configured; {count} lines wait for their devices and were not examined"
            ),
        };
        findings.push(Finding { part: "devices".to_owned(), well: true, text });
    }
    Ok(findings)
}

/// The devices that the running gateway does not hear.
fn heard_by_gateway(site: &ConfigDir) -> anyhow::Result<Vec<Finding>> {
    let answer = socket::ask(site, "GET", "/api/v1/devices", "", Duration::from_secs(5))?;
    anyhow::ensure!(answer.status == 200, "{}", socket::detail(&answer));
    let devices: Vec<serde_json::Value> = serde_json::from_str(&answer.body)?;
    let word = |device: &serde_json::Value, key: &str| device[key].as_str().unwrap_or_default().to_owned();
    let is_offline = |device: &&serde_json::Value| device["state"] == "offline";
    let row = |device: &serde_json::Value| {
        let reason = word(device, "reason");
        let reason = Reason::ALL.into_iter().find(|known| known.as_str() == reason).unwrap_or(Reason::Silent);
        let part = format!("device {}", word(device, "device"));
        Finding { part, well: false, text: line_findings::explained(reason, &word(device, "detail")) }
    };
    Ok(devices.iter().filter(is_offline).map(row).collect())
}
