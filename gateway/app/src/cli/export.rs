//! `linli export`: measurements as FHIR or CSV, and the daily record of the canteen.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use super::config_dir::ConfigDir;
use super::socket;
use linli_domain::timezone::Zone;
use linli_reports::haccp::{self, Form};
use linli_reports::{one_bundle, one_table};

/// Longest wait for the gateway: a week of measurements takes long to read.
const PATIENCE: Duration = Duration::from_secs(120);

/// Write measurements as FHIR R4 or as a table, or the canteen's daily record (导出).
///
/// Residents are named by pseudonym. Exports are recorded in the audit log.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli export fhir > bundle.json\n  linli export csv --since 7d -o week.csv\n  linli export fhir --visit v-0123456789abcdef\n  linli export csv --resident QZ3XABCDEFGHIJKLMNOPQRSTUV -o values.csv\n  linli export haccp --day 2026-11-24 --as pdf -o haccp.pdf"
)]
pub struct Args {
    /// fhir: a Bundle of Observations; csv: a table for spreadsheets; haccp: the canteen's daily record
    format: Format,
    /// Only one visit
    #[arg(long, conflicts_with = "since")]
    visit: Option<String>,
    /// csv: everything measured of this resident, by pseudonym
    #[arg(long, conflicts_with_all = ["since", "visit"])]
    resident: Option<String>,
    /// Only measurements of this period up to now, such as 7d
    #[arg(long, value_parser = linli_drivers::duration::parse, default_value = "1d")]
    since: Duration,
    /// haccp: the day, such as 2026-11-24; today unless given
    #[arg(long)]
    day: Option<String>,
    /// haccp: output format
    #[arg(long = "as", value_enum, default_value_t)]
    form: Form,
    /// Output file; standard output unless given
    #[arg(short, long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Fhir,
    Csv,
    Haccp,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let format = match args.format {
        Format::Fhir => "fhir",
        Format::Csv => "csv",
        Format::Haccp => return haccp(args),
    };
    if let Some(resident) = &args.resident {
        anyhow::ensure!(matches!(args.format, Format::Csv), "--resident is for csv");
        anyhow::ensure!(resident.bytes().all(|b| b.is_ascii_alphanumeric()), "{resident:?} is no pseudonym");
        let path = format!("/api/v1/residents/{resident}/csv");
        let answer = socket::ask(&args.site, "GET", &path, "", PATIENCE)?;
        anyhow::ensure!(answer.status == 200, "{}", socket::detail(&answer));
        write(args, answer.body.as_bytes())?;
        return Ok(ExitCode::SUCCESS);
    }
    let since = i64::try_from(args.since.as_millis()).unwrap_or(i64::MAX);
    let which = match &args.visit {
        Some(visit) => {
            anyhow::ensure!(
                visit.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{visit:?} is no visit"
            );
            format!("visit={visit}")
        }
        None => format!("from={}", super::now().0.saturating_sub(since)),
    };
    let (mut path, mut pages) = (Some(format!("/api/v1/export/{format}?{which}")), Vec::new());
    while let Some(page) = path {
        let answer = socket::ask(&args.site, "GET", &page, "", PATIENCE)?;
        anyhow::ensure!(answer.status == 200, "{}", socket::detail(&answer));
        pages.push(answer.body);
        path = answer.next;
    }
    let whole = match args.format {
        Format::Fhir => one_bundle(pages)?,
        Format::Csv | Format::Haccp => one_table(&pages),
    };
    write(args, whole.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Fetches the daily record of the canteen and renders it.
fn haccp(args: &Args) -> anyhow::Result<ExitCode> {
    let record = super::food::ask(&args.site, &json!({"do": "record", "day": args.day}))?;
    let signed = super::food::ask(&args.site, &json!({"do": "signed"}))?;
    let zone = record["timezone"].as_str().and_then(Zone::find).context("the gateway names no time zone")?;
    write(args, &haccp::render(&haccp::sheet(&record, &signed, &zone), args.form))?;
    Ok(ExitCode::SUCCESS)
}

fn write(args: &Args, content: &[u8]) -> anyhow::Result<()> {
    match &args.output {
        Some(file) => {
            std::fs::write(file, content).with_context(|| format!("{} cannot be written", file.display()))?;
        }
        None => std::io::stdout().write_all(content)?,
    }
    Ok(())
}
