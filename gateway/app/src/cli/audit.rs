//! `linli audit`: the record of who did what, over every log of the gateway: shows it, verifies it, exports it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use linli_domain::audit::number_after;
use linli_mode::record::LogHead;
use linli_reports::record::{Record, line, number, verified};
use serde::Deserialize;
use serde_json::Value;

use super::config_dir::ConfigDir;
use super::socket;

/// Longest wait for the gateway.
const PATIENCE: Duration = Duration::from_secs(90);

/// Entries fetched at a time.
const AT_ONCE: u64 = 1000;

/// Who did what: log-ins, looks at personal data, orders, alarms, nodes; one record of hash chains (审计记录).
///
/// Every log is a chain: an entry names the hash of the one before. The mode switch's holds the ends of the others,
/// and its own is published. For accounts with the role `auditor`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli audit show --login wu\n  linli audit show --log access --limit 20 --login wu\n  linli audit verify --login wu\n  linli audit export -o record.jsonl --login wu && linli audit verify record.jsonl"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show the newest entries of every log, by time (查看)
    Show {
        /// Only this log
        #[arg(long, value_parser = LOGS)]
        log: Option<String>,
        /// How many entries
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Verify that no entry was changed or left out, of the running gateway or of an export (校验)
    Verify {
        /// An export; the running gateway without it
        file: Option<PathBuf>,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Export every log, one JSON object per line, by time (导出)
    Export {
        /// Output file; standard output unless given
        #[arg(long, short)]
        output: Option<PathBuf>,
        #[command(flatten)]
        site: ConfigDir,
    },
}

/// The logs of the record.
const LOGS: [&str; 5] = ["mode", "accounts", "nodes", "access", "alarms"];

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Show { log, limit, json, site } => show(site, log.as_deref(), *limit, *json)?,
        Verb::Verify { file: Some(file), .. } => {
            let text = std::fs::read_to_string(file);
            let text = text.with_context(|| format!("{} cannot be read", file.display()))?;
            print(&Record::read(&text)?)?;
        }
        Verb::Verify { file: None, site } => print(&fetch(site)?)?,
        Verb::Export { output, site } => export(site, output.as_ref())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn print(record: &Record) -> anyhow::Result<()> {
    verified(record)?.iter().for_each(|log| println!("{}", log.line()));
    Ok(())
}

fn show(site: &ConfigDir, log: Option<&str>, limit: usize, is_json: bool) -> anyhow::Result<()> {
    let log = log.map(|log| format!("&log={log}")).unwrap_or_default();
    let mut path = Some(format!("/api/v1/record?limit={}{log}", limit.clamp(1, 1000)));
    let mut left = limit;
    while let Some(page) = path.filter(|_| left > 0) {
        let answer = socket::ask(site, "GET", &page, "", PATIENCE)?;
        anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
        let entries: Vec<Value> = serde_json::from_str(&answer.body)?;
        for entry in entries.iter().take(left) {
            if is_json {
                println!("{entry}");
            } else {
                println!("{}", line(entry));
            }
        }
        left = left.saturating_sub(entries.len());
        path = answer.next;
    }
    Ok(())
}

fn export(site: &ConfigDir, path: Option<&PathBuf>) -> anyhow::Result<()> {
    let record = fetch(site)?;
    let mut out = super::mode::output(path)?;
    out.write_all(record.written().as_bytes())?;
    out.flush()?;
    if let Some(path) = path {
        let count: usize = record.logs.values().map(Vec::len).sum();
        println!("{count} entries of {} logs in {}", record.logs.len(), path.display());
    }
    Ok(())
}

/// The record of the running gateway, up to the ends that its logs have now.
fn fetch(site: &ConfigDir) -> anyhow::Result<Record> {
    #[derive(Deserialize)]
    struct Told {
        log: String,
        count: u64,
        last: String,
    }
    let answer = socket::ask(site, "GET", "/api/v1/record/heads", "", PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    let told: Vec<Told> = serde_json::from_str(&answer.body)?;
    let mut record = Record::default();
    for Told { log, count, last } in told {
        let mut lines: Vec<String> = Vec::new();
        let mut from = 0;
        while from < count {
            let path = format!("/api/v1/record/{log}?from={from}&limit={}", AT_ONCE.min(count - from));
            let answer = socket::ask(site, "GET", &path, "", PATIENCE)?;
            anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
            lines.extend(answer.body.lines().map(str::to_owned));
            let Some(last) = lines.last().filter(|_| !answer.body.is_empty()) else { break };
            let next =
                number_after(last).with_context(|| format!("{log}: {last:?} is no line of a record"))?;
            anyhow::ensure!(next > from, "{log}: the gateway gave what is before {next} after {from}");
            from = next;
        }
        // Entries that came after the ends were told.
        lines.retain(|line| number(line) < count);
        record.logs.insert(log.clone(), lines);
        record.heads.insert(log, LogHead { count, last });
    }
    Ok(record)
}
