//! `linli export`: measurements for other programs.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use super::site::Site;
use super::socket;

/// Reading a week of measurements takes its time.
const PATIENCE: Duration = Duration::from_secs(120);

/// Write measurements as FHIR R4 or as a table for spreadsheets (导出).
///
/// Residents are told by pseudonym. The audit says who exported what.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli export fhir > bundle.json\n  linli export csv --since 7d -o week.csv\n  linli export fhir --visit v-0123456789abcdef"
)]
pub struct Args {
    /// fhir: a Bundle of Observations; csv: a table for spreadsheets
    format: Format,
    /// Only one visit
    #[arg(long, conflicts_with = "since")]
    visit: Option<String>,
    /// Only what was measured since so long ago
    #[arg(long, value_parser = linli_drivers::duration::parse, default_value = "1d")]
    since: Duration,
    /// Write here instead of to standard output
    #[arg(short, long)]
    output: Option<PathBuf>,
    #[command(flatten)]
    site: Site,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Format {
    Fhir,
    Csv,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let format = match args.format {
        Format::Fhir => "fhir",
        Format::Csv => "csv",
    };
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
    let path = format!("/api/v1/export/{format}?{which}");
    let answer = socket::ask(&args.site.data_dir(), "GET", &path, "", PATIENCE)?;
    anyhow::ensure!(answer.status == 200, "{}", socket::detail(&answer));
    match &args.output {
        Some(file) => {
            std::fs::write(file, &answer.body)
                .with_context(|| format!("{} cannot be written", file.display()))?;
        }
        None => println!("{}", answer.body),
    }
    Ok(ExitCode::SUCCESS)
}
