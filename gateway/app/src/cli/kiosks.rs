//! `linli kiosks`: state and availability of the kiosks, and their tokens.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Subcommand;
use linli_domain::Timestamp;
use linli_drivers::duration;
use linli_drivers::kiosk::Tokens;
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
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  linli kiosks\n  linli kiosks --matters kiosk-1\n  linli kiosks --days 30\n  linli kiosks token kiosk-1\n  linli kiosks token kiosk-1 --overlap 7d\n  linli kiosks token kiosk-1 --revoke\n  linli command kiosk-1 message 暂停服务 --expires 2m\n  linli command kiosk-1 message '' --expires 2m"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
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

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make a new token of a kiosk that reports over HTTP, and print it once (更换令牌)
    ///
    /// Only its hash is kept. The earlier token is taken for a while longer, so that the kiosk can be changed
    /// without a gap. A running gateway takes both at once.
    Token {
        /// Id of the kiosk
        kiosk: String,
        /// How long the earlier token is still taken
        #[arg(long, default_value = "24h", value_parser = duration::parse, conflicts_with = "revoke")]
        overlap: Duration,
        /// Take the earlier token no longer: it may be known to others
        #[arg(long)]
        revoke: bool,
    },
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(Verb::Token { kiosk, overlap, revoke }) = &args.verb {
        let overlap = if *revoke { Duration::ZERO } else { *overlap };
        return token(&args.site, kiosk, overlap);
    }
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

/// Makes a new token; the earlier ones are taken for `overlap`.
fn token(dir: &ConfigDir, kiosk: &str, overlap: Duration) -> anyhow::Result<ExitCode> {
    let path = linli_config::token_file(&dir.config, kiosk).map_err(anyhow::Error::msg)?;
    let now = super::now();
    let mut tokens = match std::fs::read_to_string(&path) {
        Ok(text) => Tokens::parse(&text).map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Tokens::default(),
        Err(error) => anyhow::bail!("{}: {error}", path.display()),
    };
    let until = Timestamp(now.0.saturating_add(i64::try_from(overlap.as_millis()).unwrap_or(i64::MAX)));
    let token = tokens.rotate(until).context("the system gives no random numbers")?;
    tokens.drop_ended(Timestamp(now.0 + 1));
    let data = dir.data_dir();
    let like = if path.exists() { &path } else { &data };
    linli_config::files::replace_secret(&path, tokens.to_text().as_bytes(), like)
        .with_context(|| format!("{} cannot be written", path.display()))?;
    println!("{token}");
    if !overlap.is_zero() {
        eprintln!("The earlier token, if there was one, is taken until {}.", dir.zone().shown(until));
    }
    if !socket::is_running(&data) {
        eprintln!("No gateway runs; it takes the new token when it starts.");
        return Ok(ExitCode::SUCCESS);
    }
    let answer = socket::ask(dir, "POST", "/api/v1/reload", "", PATIENCE)?;
    anyhow::ensure!(
        answer.status == 200,
        "the token is written and not in use yet: {}",
        socket::detail(&answer)
    );
    eprintln!("The running gateway takes it from now on. 网关已启用新令牌。");
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
