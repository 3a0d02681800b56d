//! `linli residents`: the register of residents of the health cabin.

use std::process::ExitCode;
use std::time::Duration;

use linli_domain::{Civil, Timestamp};
use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::socket;

/// Longest wait for the gateway.
const PATIENCE: Duration = Duration::from_secs(30);

/// Find residents, show their visits, list who is due, join two records of one person (居民档案).
///
/// Works through the running gateway. Every look and every change is recorded in its audit log.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli residents search 4821\n  linli residents show PSEUDONYM --reveal\n  linli residents follow-up\n  linli residents merge PSEUDONYM --into OTHER --why '同一个人'"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    /// Print the answer as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Find residents by number, its last four digits, or name (查找)
    Search {
        /// The text; - reads it from standard input, so that a whole number stands in no history
        text: String,
    },
    /// Show a resident's visits and values (查看)
    Show {
        /// Pseudonym of the resident
        resident: String,
        /// Show who it is; the access is recorded in the audit log
        #[arg(long)]
        reveal: bool,
    },
    /// List residents whose conditions are followed up, who is due first (随访)
    FollowUp,
    /// Join a record to another of the same person (合并)
    Merge {
        /// Pseudonym of the record that is joined
        resident: String,
        /// Pseudonym of the record that stays
        #[arg(long)]
        into: String,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Take a joined record apart again (拆分)
    Unmerge {
        /// Pseudonym of the record that was joined
        resident: String,
        /// Why
        #[arg(long)]
        why: String,
    },
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let answer = match &args.verb {
        Verb::Search { text } if text == "-" => {
            let text = std::io::read_to_string(std::io::stdin())?;
            ask(args, "POST", "/api/v1/residents/search", &json!({"text": text.trim()}))?
        }
        Verb::Search { text } => ask(args, "POST", "/api/v1/residents/search", &json!({"text": text}))?,
        Verb::Show { resident, reveal } => {
            let path = format!("/api/v1/residents/{}?reveal={reveal}", id(resident)?);
            ask(args, "GET", &path, &Value::Null)?
        }
        Verb::FollowUp => ask(args, "GET", "/api/v1/residents/follow-up", &Value::Null)?,
        Verb::Merge { resident, into, why } => {
            let path = format!("/api/v1/residents/{}/merge", id(resident)?);
            ask(args, "POST", &path, &json!({"into": into, "why": why}))?
        }
        Verb::Unmerge { resident, why } => {
            let path = format!("/api/v1/residents/{}/unmerge", id(resident)?);
            ask(args, "POST", &path, &json!({"why": why}))?
        }
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
    } else {
        print!("{}", text(&answer));
    }
    Ok(ExitCode::SUCCESS)
}

fn ask(args: &Args, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = socket::ask(&args.site, method, path, &body, PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(serde_json::from_str(&answer.body)?)
}

/// Checks a pseudonym, which becomes part of a path.
fn id(text: &str) -> anyhow::Result<&str> {
    let is_id = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    anyhow::ensure!(is_id, "{text:?} is no pseudonym; `linli residents search` shows them");
    Ok(text)
}

/// The answer for people: a table of residents, a sheet, or what was changed.
fn text(answer: &Value) -> String {
    match answer {
        Value::Array(residents) if residents.is_empty() => "nobody 没有找到\n".to_owned(),
        Value::Array(residents) => {
            let head = format!(
                "{:26}  {:8} {:7} {:>3} {:>4}  {:10}  due 随访\n",
                "pseudonym 代号", "name", "sex", "age", "end", "last visit"
            );
            residents.iter().fold(head, |table, resident| table + &row(resident))
        }
        sheet if sheet["visits"].is_array() => sheet_text(sheet),
        changed => {
            format!("{}  {} visits changed 已变更就诊\n", word(changed, "pseudonym"), changed["visits"])
        }
    }
}

fn row(resident: &Value) -> String {
    let person = &resident["person"];
    let age = person["age"].as_i64().map(|age| age.to_string()).unwrap_or_default();
    format!(
        "{:26}  {:8} {:7} {age:>3} {:>4}  {:10}  {}\n",
        word(resident, "pseudonym"),
        word(resident, "name"),
        word(person, "sex"),
        word(person, "tail"),
        day(&resident["last_visit"]),
        due(&resident["follow_up"])
    )
}

fn sheet_text(sheet: &Value) -> String {
    let mut text = row(sheet);
    if let Some(identity) = sheet["identity"].as_object() {
        let parts: Vec<&str> = identity.values().filter_map(Value::as_str).collect();
        text += &format!("identity 身份 {}\n", parts.join("  "));
    }
    for visit in sheet["visits"].as_array().into_iter().flatten() {
        let value = |value: &Value| {
            let notable = if value["notable"] == true { " **" } else { "" };
            format!("{} {} {}{notable}", word(value, "quantity"), value["value"], word(value, "unit"))
        };
        let values: Vec<String> = visit["values"].as_array().into_iter().flatten().map(value).collect();
        text += &format!("  {}  {}  {}\n", day(&visit["opened"]), word(visit, "id"), values.join(", "));
    }
    text
}

fn due(all: &Value) -> String {
    let one = |due: &Value| {
        let over = if due["overdue"] == true { " overdue 已过期" } else { "" };
        format!("{} {}{over}", word(due, "condition"), day(&due["due"]))
    };
    let all: Vec<String> = all.as_array().into_iter().flatten().map(one).collect();
    all.join(", ")
}

fn word<'v>(of: &'v Value, key: &str) -> &'v str {
    of[key].as_str().unwrap_or_default()
}

fn day(at: &Value) -> String {
    let at = at.as_i64().map(|at| Civil::of(Timestamp(at)).to_string());
    at.and_then(|text| text.get(..10).map(str::to_owned)).unwrap_or_default()
}
