//! `linli check`: checks a configuration as the start does, without opening a port.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::{WRONG, mode, proposal};
use linli_config::{self, Checked, Report};

/// Check a configuration completely and tell all problems at once. Opens no port.
///
/// For serial lines it also computes how much of the line's time polling takes, from baud rate,
/// requests and time-outs, and what happens with one, two and three dead devices.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli check\n  linli check ./my-centre\n  linli check --config ./my-centre --json\n  linli check --proposal /var/lib/linli/proposals/20261130T100000Z-zhao.toml\n\nExit codes: 0 good, 2 bad configuration"
)]
pub struct Args {
    /// Configuration directory (配置目录)
    #[arg(value_name = "DIR", default_value = "/etc/linli", env = "LINLI_CONFIG")]
    dir: PathBuf,
    /// The same, as other verbs take it (与其他命令写法相同)
    #[arg(long, short, value_name = "DIR")]
    config: Option<PathBuf>,
    /// Check it with this proposal for the map in it, which is not applied (平面图修改建议)
    #[arg(long, value_name = "FILE")]
    proposal: Option<PathBuf>,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let now = super::now();
    let dir = args.config.as_ref().unwrap_or(&args.dir);
    let loaded = match &args.proposal {
        None => linli_config::load_as_far_as_may_be(dir).map(|(checked, kept)| {
            for problem in kept.iter().filter(|_| !args.json) {
                eprintln!(
                    "没有看 not looked at, it is kept from this user: {}: {}",
                    problem.file, problem.key
                );
            }
            checked
        }),
        Some(file) => {
            let proposal = proposal::read(file)?;
            linli_config::load_proposed(dir, &proposal).map(|(checked, proposed)| {
                if !args.json {
                    proposal::print(&proposal, &proposed);
                }
                checked
            })
        }
    };
    let loaded = loaded.and_then(|checked| match checked.unsigned_plans(now) {
        Some(report) => Err(report),
        None => Ok(checked),
    });
    let loaded = loaded.and_then(|checked| match linli_config::unreadable(dir) {
        problems if problems.is_empty() => Ok(checked),
        problems => Err(Report { problems }),
    });
    match loaded {
        Ok(checked) if !mode::missing_plans(&checked).is_empty() => {
            let missing = mode::missing_plans(&checked);
            match args.json {
                true => {
                    println!("{}", serde_json::to_string_pretty(&json!({"good": false, "rooms": missing}))?)
                }
                false => eprintln!("{}", missing.join("\n")),
            }
            return Ok(ExitCode::from(WRONG));
        }
        Ok(checked) if args.json => println!("{}", serde_json::to_string_pretty(&as_json(&checked))?),
        Ok(checked) => print(&checked),
        Err(report) if args.json => {
            println!(
                "{}",
                serde_json::to_string_pretty(&json!({"good": false, "problems": report.problems}))?
            );
            return Ok(ExitCode::from(WRONG));
        }
        Err(report) => {
            eprintln!("{report}");
            return Ok(ExitCode::from(WRONG));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn print(checked: &Checked) {
    println!("centre {} ({}), gateway {}", checked.centre.id, checked.centre.name, checked.gateway.id);
    if checked.centre.is_zone_of_machine {
        let zone = checked.centre.zone.name();
        println!(
            "  warning: facility.toml names no [centre] timezone: {zone}, that of this machine, is used"
        );
    }
    for line in &checked.lines {
        let devices = line.plan.layouts().len();
        println!("line {}: {devices} device{}", line.plan.line(), if devices == 1 { "" } else { "s" });
        for warning in line.plan.warnings() {
            println!("  warning: {warning}");
        }
        let Some(budget) = line.plan.budget() else { continue };
        for device in &budget.lines {
            println!("  {device}");
        }
        let dead: Vec<String> = budget
            .share_with_dead
            .iter()
            .zip(1..)
            .map(|(share, k)| format!("{:.1} % with {k} dead", share * 100.0))
            .collect();
        println!(
            "  together {:.1} % of the line's time ({:.0} ms to read every device once){}{}",
            budget.share * 100.0,
            budget.cycle.as_secs_f64() * 1000.0,
            if dead.is_empty() { "" } else { "; " },
            dead.join(", ")
        );
    }
    match &checked.uplink {
        Some(uplink) => println!("broker {}:{} as {}", uplink.host, uplink.port, uplink.client_id),
        None => println!("no [mqtt]: data gathers in the store and is not forwarded"),
    }
    println!("good");
}

fn as_json(checked: &Checked) -> serde_json::Value {
    let lines: Vec<serde_json::Value> = checked
        .lines
        .iter()
        .map(|line| {
            let devices: Vec<&str> = line.plan.layouts().iter().map(|l| l.device.as_str()).collect();
            let budget = line.plan.budget().map(|b| {
                json!({"share": b.share, "share_with_dead": b.share_with_dead, "cycle_ms": b.cycle.as_secs_f64() * 1000.0})
            });
            let mut row = json!({"line": line.plan.line(), "devices": devices, "budget": budget});
            let warnings = line.plan.warnings();
            if !warnings.is_empty() {
                row["warnings"] = json!(warnings);
            }
            row
        })
        .collect();
    json!({"good": true, "centre": checked.centre.id, "gateway": checked.gateway.id, "rooms": checked.rooms.len(), "lines": lines})
}
