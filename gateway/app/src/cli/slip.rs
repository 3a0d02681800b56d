//! `linli slip`: result slips of visits, as files and on the cabin's printer.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use linli_domain::visit::{Naming, Paper};
use linli_domain::{Civil, Timestamp};
use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::socket;

/// Longest wait for the gateway.
const PATIENCE: Duration = Duration::from_secs(60);

/// Make and print result slips of visits to the health cabin (结果单).
///
/// A slip has the values and what they are called, and names nobody unless asked to. Every slip is recorded.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli slip make v-0123456789abcdef -o slip.pdf\n  linli slip make v-0123456789abcdef --paper 58 --name masked -o slip.pdf\n  linli slip print v-0123456789abcdef\n  linli slip jobs\n  linli slip cancel 12"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Write the slip of a visit as PDF (生成)
    Make {
        /// The visit
        visit: String,
        /// Paper: a5, or a roll of 80 or 58 mm; that of `[slip]` unless given
        #[arg(long)]
        paper: Option<Paper>,
        /// How the resident is named: none, masked (张**) or full, which the record says
        #[arg(long, default_value = "none")]
        name: Naming,
        /// Output file; standard output unless given
        #[arg(short, long)]
        output: Option<PathBuf>,
    },
    /// Print the slip of a visit on the printer of `[slip]` (打印)
    Print {
        /// The visit
        visit: String,
        /// Paper: a5, or a roll of 80 or 58 mm; that of `[slip]` unless given
        #[arg(long)]
        paper: Option<Paper>,
        /// How the resident is named: none, masked (张**) or full, which the record says
        #[arg(long, default_value = "none")]
        name: Naming,
    },
    /// List print jobs, newest first (打印任务)
    Jobs {
        /// Print everything as JSON
        #[arg(long)]
        json: bool,
    },
    /// Cancel a print job (取消)
    Cancel {
        /// Its number
        job: u64,
    },
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Make { visit, paper, name, output } => {
            let mut path = format!("/api/v1/visits/{}/slip?name={}", id(visit)?, name.as_str());
            if let Some(paper) = paper {
                path += &format!("&paper={}", paper.as_str());
            }
            anyhow::ensure!(
                output.is_some() || !std::io::stdout().is_terminal(),
                "a PDF is nothing to read here; write it to a file: -o slip.pdf"
            );
            let answer = socket::ask(&args.site, "GET", &path, "", PATIENCE)?;
            anyhow::ensure!(answer.status == 200, "{}", socket::detail(&answer));
            match output {
                Some(file) => std::fs::write(file, &answer.bytes)
                    .with_context(|| format!("{} cannot be written", file.display()))?,
                None => std::io::stdout().write_all(&answer.bytes)?,
            }
        }
        Verb::Print { visit, paper, name } => {
            let mut body = json!({"name": name});
            if let Some(paper) = paper {
                body["paper"] = json!(paper);
            }
            println!("{}", line(&post(args, &format!("/api/v1/visits/{}/print", id(visit)?), &body)?));
        }
        Verb::Jobs { json } => {
            let answer = socket::ask(&args.site, "GET", "/api/v1/print", "", PATIENCE)?;
            anyhow::ensure!(answer.status == 200, "{}", socket::detail(&answer));
            let jobs: Value = serde_json::from_str(&answer.body)?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&jobs)?);
            } else {
                jobs.as_array().into_iter().flatten().for_each(|job| println!("{}", line(job)));
            }
        }
        Verb::Cancel { job } => {
            println!("{}", line(&post(args, &format!("/api/v1/print/{job}/cancel"), &Value::Null)?));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn post(args: &Args, path: &str, body: &Value) -> anyhow::Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = socket::ask(&args.site, "POST", path, &body, PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(serde_json::from_str(&answer.body)?)
}

/// A job in a line.
fn line(job: &Value) -> String {
    let word = |key: &str| job[key].as_str().unwrap_or_default();
    let at = Civil::of(Timestamp(job["at"].as_i64().unwrap_or_default()));
    let state = match &job["state"] {
        Value::String(state) => state.as_str(),
        Value::Object(state) => state.keys().next().map_or("", String::as_str),
        _ => "",
    };
    let (english, chinese) = match state {
        "waiting" | "sending" => ("waiting", "等待"),
        "sent" => ("printing", "打印中"),
        "cancelling" => ("cancelling", "取消中"),
        "printed" => ("printed", "已打印"),
        "cancelled" => ("cancelled", "已取消"),
        "failed" => ("failed", "失败"),
        other => (other, ""),
    };
    format!("{:5}  {at}Z  {}  {english} {chinese}  {}", job["job"], word("visit"), word("why"))
}

/// Checks an id, which becomes part of a path.
fn id(text: &str) -> anyhow::Result<&str> {
    let is_id = !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    anyhow::ensure!(is_id, "{text:?} is no id; `linli visits list` shows them");
    Ok(text)
}
