//! `linli kiosks`: state and availability of the kiosks.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use super::config_dir::ConfigDir;
use super::socket;

/// Longest wait for the gateway.
const PATIENCE: Duration = Duration::from_secs(30);

/// Show kiosks, the matters they offer, and their availability in opening hours (政务终端).
///
/// `linli command KIOSK message 暂停服务 --expires 2m` shows a text instead of the service; an empty
/// text removes it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli kiosks\n  linli kiosks --matters kiosk-1\n  linli kiosks --days 30\n  linli command kiosk-1 message 暂停服务 --expires 2m\n  linli command kiosk-1 message '' --expires 2m"
)]
pub struct Args {
    /// Show which matters this kiosk cannot offer now, and why
    #[arg(long, value_name = "KIOSK", conflicts_with = "days")]
    matters: Option<String>,
    /// Show the availability of each of the last days
    #[arg(long)]
    days: Option<u16>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let path = match (&args.matters, args.days) {
        (Some(kiosk), _) => {
            let is_id = kiosk.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
            anyhow::ensure!(is_id, "{kiosk:?} is no kiosk; `linli kiosks` lists them");
            format!("/api/v1/kiosks/{kiosk}/matters")
        }
        (None, Some(days)) => format!("/api/v1/kiosks/days?days={days}"),
        (None, None) => "/api/v1/kiosks".to_owned(),
    };
    let answer = socket::ask(&args.site, "GET", &path, "", PATIENCE)?;
    anyhow::ensure!(answer.status == 200, "{}", socket::detail(&answer));
    let shown: Value = serde_json::from_str(&answer.body)?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(ExitCode::SUCCESS);
    }
    let rows = shown.as_array().map(Vec::as_slice).unwrap_or_default();
    if args.matters.is_some() {
        let lacking: Vec<&Value> = rows.iter().filter(|matter| !matter["lacks"].is_null()).collect();
        for matter in &lacking {
            println!(
                "{:10} {}  缺 {}",
                plain(&matter["id"]),
                plain(&matter["name"]),
                plain(&matter["lacks"])
            );
        }
        println!("{} of {} matters cannot be done", lacking.len(), rows.len());
        return Ok(ExitCode::SUCCESS);
    }
    for row in rows {
        println!("{}", if args.days.is_some() { day(row) } else { line(row) });
    }
    Ok(ExitCode::SUCCESS)
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn percent(value: &Value) -> String {
    value.as_f64().map_or_else(|| "—".to_owned(), |share| format!("{share:.1} %"))
}

fn day(row: &Value) -> String {
    format!("{}  {:20} {}", plain(&row["day"]), plain(&row["kiosk"]), percent(&row["availability"]))
}

fn line(kiosk: &Value) -> String {
    let bad = |(name, part): (&String, &Value)| {
        let state = part.as_str().filter(|state| !matches!(*state, "ok" | "busy"))?;
        Some(format!("{name} {state}"))
    };
    let parts: Vec<String> = kiosk["parts"].as_object().into_iter().flatten().filter_map(bad).collect();
    format!(
        "{:16} {:15} {:>8} today  {}/{} matters  {} {}",
        plain(&kiosk["kiosk"]),
        plain(&kiosk["service"]),
        percent(&kiosk["availability_today"]),
        kiosk["matters_offered"],
        kiosk["matters"],
        parts.join(", "),
        plain(&kiosk["message"])
    )
}
