//! `linli alarms`: lists alarms and acts on them.

use std::process::ExitCode;
use std::time::Duration;

use linli_domain::{Civil, Timestamp};
use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::socket;

/// Longest wait for an answer of the gateway.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Show alarms, acknowledge, reset, shelve them, take them out of service (报警).
///
/// Words and states are those of ISA-18.2. Whoever silences an alarm says why; everything done is
/// in the journal.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli alarms list\n  linli alarms acknowledge fridge-1.warm\n  linli alarms shelve fridge-1.warm --for 2h --why 除霜\n  linli alarms take-out gas-1 --why 更换探头\n  linli alarms journal --limit 50\n  linli alarms test"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List alarms that are not normal, the most urgent first (列表)
    List {
        /// Also the normal ones
        #[arg(long)]
        all: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say that you know (确认)
    Acknowledge(Operation),
    /// Open the latch of one that is over (复位)
    Reset(Operation),
    /// Silence one for a time (搁置)
    Shelve {
        #[command(flatten)]
        operation: Operation,
        /// For how long
        #[arg(long = "for", default_value = "1h")]
        span: String,
        /// Also end when it is over
        #[arg(long)]
        once: bool,
    },
    /// Take that back (取消搁置)
    Unshelve(Operation),
    /// Take one out of service (停用)
    TakeOut(Operation),
    /// Put it back (恢复)
    PutBack(Operation),
    /// Try the whole way to people: screens, sirens, webhooks, the district (测试)
    Test,
    /// Show what happened, newest first (记录)
    Journal {
        /// How many steps
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

#[derive(Debug, clap::Args)]
struct Operation {
    /// The alarm
    alarm: String,
    /// Why
    #[arg(long)]
    why: Option<String>,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let (operation, word, more) = match &args.verb {
        Verb::List { all, json } => {
            let shown = ask(args, "GET", &format!("/api/v1/alarms?all={all}"), "")?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&shown)?);
            } else {
                shown.as_array().into_iter().flatten().for_each(|alarm| println!("{}", alarm_line(alarm)));
            }
            return Ok(ExitCode::SUCCESS);
        }
        Verb::Journal { limit } => {
            let steps = ask(args, "GET", &format!("/api/v1/alarms/journal?limit={limit}"), "")?;
            steps.as_array().into_iter().flatten().for_each(|step| println!("{}", journal_line(step)));
            return Ok(ExitCode::SUCCESS);
        }
        Verb::Test => {
            ask(args, "POST", "/api/v1/alarms/test", "")?;
            println!("told as a test: screens, sirens for 3 s, every webhook, the district");
            return Ok(ExitCode::SUCCESS);
        }
        Verb::Acknowledge(operation) => (operation, "acknowledge", json!({})),
        Verb::Reset(operation) => (operation, "reset", json!({})),
        Verb::Unshelve(operation) => (operation, "unshelve", json!({})),
        Verb::TakeOut(operation) => (operation, "take-out", json!({})),
        Verb::PutBack(operation) => (operation, "put-back", json!({})),
        Verb::Shelve { operation, span, once } => (operation, "shelve", json!({"for": span, "once": once})),
    };
    let is_id = operation.alarm.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    anyhow::ensure!(is_id, "{:?} is no alarm; `linli alarms list --all` shows them", operation.alarm);
    let mut body = more;
    body["why"] = json!(operation.why);
    let path = format!("/api/v1/alarms/{}/{word}", operation.alarm);
    let shown = ask(args, "POST", &path, &body.to_string())?;
    shown.as_array().into_iter().flatten().for_each(|alarm| println!("{}", alarm_line(alarm)));
    Ok(ExitCode::SUCCESS)
}

fn ask(args: &Args, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
    let answer = socket::ask(&args.site, method, path, body, ANSWER_TIMEOUT)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body)? })
}

fn alarm_line(alarm: &Value) -> String {
    let word = |key: &str| alarm[key].as_str().unwrap_or_default().to_owned();
    let value = alarm["value"].as_f64().map(|value| format!("{value:.1}")).unwrap_or_default();
    let since =
        alarm["since"].as_i64().map(|at| format!("{}Z", Civil::of(Timestamp(at)))).unwrap_or_default();
    format!(
        "{:8} {:24} {:24} {since:20} {value:>8}  {}",
        word("priority"),
        word("alarm"),
        word("state"),
        word("text")
    )
}

fn journal_line(step: &Value) -> String {
    let word = |key: &str| step[key].as_str().unwrap_or_default().to_owned();
    let at = Civil::of(Timestamp(step["at"].as_i64().unwrap_or_default()));
    let (from, to) = (word("from"), word("to"));
    format!("{at}Z  {:24} {:12} {from} → {to}  {} {}", word("alarm"), word("event"), word("by"), word("why"))
}
