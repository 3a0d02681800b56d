//! `linli visits`: visits to the health cabin and their measurements.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use linli_domain::{Civil, Timestamp};
use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::outreach;
use super::socket;
use linli_config::settings::key::Key;
use linli_reports::visit_text;

/// Longest wait for the gateway.
const PATIENCE: Duration = Duration::from_secs(30);

/// Open, end, show and erase visits to the health cabin (健康小屋就诊).
///
/// Works through the running gateway. Every change and every access is recorded in its audit log.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli visits open --code A012\n  linli visits open --identity - --consent 2026-1 < resident.json\n  linli visits list --open\n  linli visits show v-0123456789abcdef\n  linli visits assign m-0123456789abcdef v-0123456789abcdef --why '居民确认'\n  linli visits erase --resident resident.json --why '居民要求'\n  linli visits keygen /etc/linli/identity.key\n  linli visits export /media/usb/van.linli --secret secret.txt\n\nresident.json: {\"name\": \"…\", \"id_number\": \"…\"}, or \"card\" in place of id_number"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Open a visit; the one before it in that room ends (登记)
    Open {
        /// The cabin, where the centre has several
        #[arg(long)]
        room: Option<String>,
        /// A visit code instead of a name
        #[arg(long)]
        code: Option<String>,
        /// File with the identity as JSON, - for standard input; never on the command line
        #[arg(long)]
        identity: Option<PathBuf>,
        /// Version of the consent text the resident agreed to
        #[arg(long)]
        consent: Option<String>,
    },
    /// End a visit (结束)
    End {
        /// The visit
        visit: String,
        /// The resident left before the end
        #[arg(long)]
        abandoned: bool,
    },
    /// List visits of the last day, or those that are open (列表)
    List {
        /// Only open ones
        #[arg(long)]
        open: bool,
        /// Print everything as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a visit with what was measured (查看)
    Show {
        /// The visit
        visit: String,
        /// Show the name of the resident; the access is recorded in the audit log
        #[arg(long)]
        reveal: bool,
        /// Print everything as JSON
        #[arg(long)]
        json: bool,
    },
    /// List measurements that belong to no visit yet (待认领)
    Unassigned {
        /// Print everything as JSON
        #[arg(long)]
        json: bool,
    },
    /// Assign a measurement to a visit (认领)
    Assign {
        /// The measurement
        measurement: String,
        /// The visit
        visit: String,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Mark a measurement as entered in error (作废)
    Withdraw {
        /// The measurement
        measurement: String,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Erase a visit, or a resident with all visits (删除)
    Erase {
        /// The visit
        #[arg(required_unless_present_any = ["pseudonym", "resident"])]
        visit: Option<String>,
        /// The resident, by pseudonym
        #[arg(long, conflicts_with = "visit")]
        pseudonym: Option<String>,
        /// The resident, by identity: a file as for `open`
        #[arg(long, conflicts_with_all = ["visit", "pseudonym"])]
        resident: Option<PathBuf>,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Write the visits of this box to a sealed file, for the centre (导出巡诊)
    Export {
        /// The file; an existing one is not overwritten
        file: PathBuf,
        /// File with the secret in its first line, - for standard input: 12 characters or more, or a key of `keygen`
        #[arg(long)]
        secret: PathBuf,
        /// What a right clock shows now, such as 2026-11-30T09:10:00+08:00, where this box's clock may be wrong
        #[arg(long, value_parser = moment)]
        right_time: Option<Timestamp>,
    },
    /// Read a file of `export`; reading it again takes only what is missing (导入巡诊)
    Import {
        /// The file
        file: PathBuf,
        /// File with the secret in its first line, - for standard input
        #[arg(long)]
        secret: PathBuf,
        /// Only say what it would bring; take nothing
        #[arg(long)]
        preview: bool,
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
    },
    /// List residents of an import who may be known under another record (待确认居民)
    Doubts {
        /// Print everything as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say that a resident of an import is nobody else (不是同一人)
    Apart {
        /// The resident, by pseudonym
        resident: String,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Show the audit log, newest first (审计)
    Audit {
        /// How many entries
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Write a new key, or the token of a worker, to a new file (生成密钥)
    Keygen {
        /// The file; only its owner may read it
        file: PathBuf,
    },
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Open { room, code, identity, consent } => {
            let identity = identity.as_ref().map(read).transpose()?;
            let by = if identity.is_some() { "card" } else { "worker" };
            let mut body =
                json!({"by": by, "room": room, "code": code, "identity": identity, "consent": consent});
            if let Some(members) = body.as_object_mut() {
                members.retain(|_, member| !member.is_null());
            }
            let visit = post(args, "/api/v1/visits", &body)?;
            println!("{}", text(&visit, "id"));
        }
        Verb::End { visit, abandoned } => {
            let ending = if *abandoned { "abandoned" } else { "completed" };
            post(args, &format!("/api/v1/visits/{}/end", id(visit)?), &json!({"ending": ending}))?;
        }
        Verb::List { open, json } => {
            let day = super::now().0.saturating_sub(24 * 3_600_000);
            let path = if *open {
                "/api/v1/visits?open=true".to_owned()
            } else {
                format!("/api/v1/visits?from={day}")
            };
            print(&socket::pages(&args.site, &path, PATIENCE)?, *json, line)?;
        }
        Verb::Show { visit, reveal, json } => {
            let path = format!("/api/v1/visits/{}?reveal={reveal}", id(visit)?);
            let shown = get(args, &path)?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&shown)?);
            } else {
                print!("{}", visit_text::text(&shown));
            }
        }
        Verb::Unassigned { json } => {
            let waiting = socket::pages(&args.site, "/api/v1/measurements/unassigned?limit=1000", PATIENCE)?;
            print(&waiting, *json, visit_text::measured)?;
        }
        Verb::Assign { measurement, visit, why } => {
            let path = format!("/api/v1/measurements/{}/assign", id(measurement)?);
            post(args, &path, &json!({"visit": visit, "why": why}))?;
        }
        Verb::Withdraw { measurement, why } => {
            post(args, &format!("/api/v1/measurements/{}/withdraw", id(measurement)?), &json!({"why": why}))?;
        }
        Verb::Erase { visit, pseudonym, resident, why } => {
            let path = erased(args, visit.as_deref(), pseudonym.as_deref(), resident.as_ref())?;
            println!("{}", post(args, &path, &json!({"why": why}))?);
        }
        Verb::Export { file, secret, right_time } => {
            outreach::export(&args.site, file, secret, *right_time)?;
        }
        Verb::Import { file, secret, preview: true, json } => {
            outreach::preview(&args.site, file, secret, *json)?;
        }
        Verb::Import { file, secret, json, .. } => outreach::import(&args.site, file, secret, *json)?,
        Verb::Doubts { json } => outreach::doubts(&args.site, *json)?,
        Verb::Apart { resident, why } => outreach::apart(&args.site, id(resident)?, why)?,
        Verb::Audit { limit } => {
            let entries = get(args, &format!("/api/v1/audit?limit={limit}"))?;
            entries.as_array().into_iter().flatten().for_each(|entry| println!("{}", operation(entry)));
        }
        Verb::Keygen { file } => {
            Key::write_new(file)?;
            println!("{}", file.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the API path of what is to be erased.
fn erased(
    args: &Args,
    visit: Option<&str>,
    pseudonym: Option<&str>,
    resident: Option<&PathBuf>,
) -> anyhow::Result<String> {
    Ok(match (visit, pseudonym, resident) {
        (Some(visit), ..) => format!("/api/v1/visits/{}/erase", id(visit)?),
        (_, Some(pseudonym), _) => format!("/api/v1/residents/{}/erase", id(pseudonym)?),
        (.., Some(file)) => {
            let found = post(args, "/api/v1/residents/find", &read(file)?)?;
            format!("/api/v1/residents/{}/erase", text(&found, "pseudonym"))
        }
        (None, None, None) => anyhow::bail!("what shall be erased?"),
    })
}

/// Prints a list, one in a line for people, or as JSON.
fn print(all: &[Value], json: bool, line: fn(&Value) -> String) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(all)?);
    } else {
        all.iter().for_each(|one| println!("{}", line(one)));
    }
    Ok(())
}

fn operation(entry: &Value) -> String {
    let word = |key| text(entry, key);
    let at = when(&entry["at"]);
    format!("{at}  {:16} {:22} {} {}", word("who"), word("what"), word("about"), word("detail"))
}

fn get(args: &Args, path: &str) -> anyhow::Result<Value> {
    ask(args, "GET", path, "")
}

fn post(args: &Args, path: &str, body: &Value) -> anyhow::Result<Value> {
    ask(args, "POST", path, &body.to_string())
}

fn ask(args: &Args, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
    let answer = socket::ask(&args.site, method, path, body, PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(serde_json::from_str(&answer.body)?)
}

fn read(file: &PathBuf) -> anyhow::Result<Value> {
    let text = if file.as_os_str() == "-" {
        std::io::read_to_string(std::io::stdin())?
    } else {
        std::fs::read_to_string(file).with_context(|| file.display().to_string())?
    };
    serde_json::from_str(&text)
        .context("the identity is not JSON such as {\"name\": \"…\", \"id_number\": \"…\"}")
}

/// Checks an id, which becomes part of a path.
fn id(text: &str) -> anyhow::Result<&str> {
    let is_id = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    anyhow::ensure!(is_id, "{text:?} is no id; `linli visits list` shows them");
    Ok(text)
}

/// Reads a moment with its zone (RFC 3339).
fn moment(text: &str) -> Result<Timestamp, String> {
    Timestamp::from_rfc3339(text)
        .ok_or_else(|| "write it with its zone, such as 2026-11-30T09:10:00+08:00".to_owned())
}

fn line(visit: &Value) -> String {
    let ended = match &visit["ended"] {
        Value::Array(ended) => format!("{} {}", when(&ended[0]), ended[1].as_str().unwrap_or_default()),
        _ => "open".to_owned(),
    };
    let word = |key| text(visit, key);
    format!(
        "{}  {}  {:12} {:6} {:8} {ended}",
        word("id"),
        when(&visit["opened"]),
        word("room"),
        word("code"),
        word("name")
    )
}

fn text(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_default().to_owned()
}

fn when(at: &Value) -> String {
    format!("{}Z", Civil::of(Timestamp(at.as_i64().unwrap_or_default())))
}
