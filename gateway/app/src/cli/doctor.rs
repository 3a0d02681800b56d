//! `linli doctor`: checks configuration, database and gateway, and says how to correct problems.

use std::process::ExitCode;
use std::time::Duration;

use super::config_dir::ConfigDir;
use super::log_in_store::Kept;
use super::socket;
use super::target::Target;

/// Report the state of the configuration, the database and the running gateway.
///
/// Changes nothing. Works with and without a running gateway.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli doctor\n  linli doctor --config ./my-centre --json\n\nExit codes: 0 all well, 1 something needs a person"
)]
pub struct Args {
    /// Print as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: ConfigDir,
}

/// Result of one check.
#[derive(Debug, serde::Serialize)]
struct Finding {
    part: &'static str,
    well: bool,
    text: String,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let findings = [configuration(args), database(args)?, gateway(args)];
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
            Finding { part: "configuration", well: false, text }
        }
        Ok(checked) => {
            let devices: usize = checked.lines.iter().map(|line| line.plan.layouts().len()).sum();
            let text =
                format!("{}: {} lines, {devices} devices", args.site.config.display(), checked.lines.len());
            Finding { part: "configuration", well: true, text }
        }
        Err(report) => {
            let text =
                format!("{}: bad, `linli check` tells it in full\n{report}", args.site.config.display());
            Finding { part: "configuration", well: false, text }
        }
    }
}

fn database(args: &Args) -> anyhow::Result<Finding> {
    let path = args.site.database();
    if !path.exists() {
        let text = format!("{}: not there yet; the gateway creates it", path.display());
        return Ok(Finding { part: "database", well: true, text });
    }
    Ok(match super::runtime()?.block_on(linli_store::inspect(&path)) {
        Ok(seen) => {
            let text = format!("{}: {seen}", path.display());
            Finding { part: "database", well: seen.is_sound(), text }
        }
        Err(error) => {
            let text = format!(
                "{}: {error}; the gateway sets a damaged database aside when it starts",
                path.display()
            );
            Finding { part: "database", well: false, text }
        }
    })
}

fn gateway(args: &Args) -> Finding {
    let data_dir = args.site.data_dir();
    if !socket::is_running(&data_dir) {
        return Finding { part: "gateway", well: true, text: "not running".to_owned() };
    }
    match Target::of(&data_dir, &Kept::default()).ask("GET", "/readyz", "", Duration::from_secs(5)) {
        Ok(answer) => {
            let text = answer.body.trim_end().replace('\n', "; ");
            Finding { part: "gateway", well: answer.status == 200, text }
        }
        Err(error) => Finding { part: "gateway", well: false, text: format!("{error:#}") },
    }
}
