//! `linli export`: measurements as FHIR or CSV, and the record of the canteen.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use jiff::civil::Date;
use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::socket;
use linli_domain::timezone::Zone;
use linli_reports::haccp::{self, Form, Span};
use linli_reports::{one_bundle, one_table};

/// Longest wait for the gateway: a week of measurements takes long to read.
const PATIENCE: Duration = Duration::from_secs(120);

/// Write measurements as FHIR R4 or as a table, or the canteen's record of a day, week or month (导出).
///
/// Residents are named by pseudonym. Exports are recorded in the audit log.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli export fhir > bundle.json\n  linli export csv --since 7d -o week.csv\n  linli export fhir --visit v-0123456789abcdef\n  linli export csv --resident QZ3XABCDEFGHIJKLMNOPQRSTUV -o values.csv\n  linli export haccp --day 2026-11-24 --as pdf -o haccp.pdf\n  linli export haccp --span month --as pdf -o november.pdf"
)]
pub struct Args {
    /// fhir: a Bundle of Observations; csv: a table for spreadsheets; haccp: the canteen's record
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
    /// haccp: the day, or the week or month of that day as far as it has come
    #[arg(long, value_enum, default_value_t)]
    span: Span,
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

/// Fetches the record of the canteen and renders it.
fn haccp(args: &Args) -> anyhow::Result<ExitCode> {
    let ask = |body: Value| super::food::ask(&args.site, &body);
    let of_day = |day: Option<&str>| ask(json!({"do": "record", "day": day}));
    let record = of_day(args.day.as_deref())?;
    let signed = ask(json!({"do": "signed"}))?;
    let zone = record["timezone"].as_str().and_then(Zone::find).context("the gateway names no time zone")?;
    let sheet = match args.span {
        Span::Day => haccp::sheet(&record, &signed, &zone),
        span => {
            let today = match args.day {
                Some(_) => of_day(None)?,
                None => record.clone(),
            };
            let days = span.days(date(&record)?, date(&today)?);
            let records = days.iter().map(|day| of_day(Some(&day.to_string())));
            haccp::span_sheet(&records.collect::<anyhow::Result<Vec<_>>>()?, &signed, &zone)
        }
    };
    write(args, &haccp::render(&sheet, args.form))?;
    Ok(ExitCode::SUCCESS)
}

/// The day of a record.
fn date(record: &Value) -> anyhow::Result<Date> {
    record["day"].as_str().and_then(|day| day.parse().ok()).context("the record names no day")
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
