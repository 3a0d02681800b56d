//! `linli fhir`: the queue of visits for the FHIR server.

use std::process::ExitCode;
use std::time::Duration;

use linli_domain::{Civil, Timestamp};
use serde_json::Value;

use super::config_dir::ConfigDir;
use super::socket;

/// Longest wait for the gateway.
const PATIENCE: Duration = Duration::from_secs(30);

/// Visits for the FHIR server: what waits, what it refuses, send again (FHIR 队列).
///
/// `[fhir]` in gateway.toml names the server and the consents that allow it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli fhir status\n  linli fhir status --json\n  linli fhir retry v-0123456789abcdef"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show how many visits wait, were sent or refused, and why (状态)
    Status {
        /// Print everything as JSON
        #[arg(long)]
        json: bool,
    },
    /// Send a visit again, also one that the server refused (重发)
    Retry {
        /// The visit
        visit: String,
    },
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Status { json } => {
            let status = ask(args, "GET", "/api/v1/fhir")?;
            if *json {
                println!("{}", serde_json::to_string_pretty(&status)?);
            } else {
                print!("{}", text(&status));
            }
        }
        Verb::Retry { visit } => {
            let is_id = !visit.is_empty() && visit.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
            anyhow::ensure!(is_id, "{visit:?} is no id; `linli fhir status` shows them");
            println!("{}", line(&ask(args, "POST", &format!("/api/v1/fhir/{visit}/retry"))?));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn ask(args: &Args, method: &str, path: &str) -> anyhow::Result<Value> {
    let answer = socket::ask(&args.site, method, path, "", PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(serde_json::from_str(&answer.body)?)
}

fn text(status: &Value) -> String {
    let Some(url) = status["url"].as_str() else {
        return "no FHIR server is configured 未配置 FHIR 服务器: [fhir] in gateway.toml\n".to_owned();
    };
    let count = |key: &str| status[key].as_u64().unwrap_or_default();
    let mut text = format!(
        "{url}\nwaiting 等待 {}  sent 已发送 {}  refused 被拒 {}  without consent 未同意 {}\n",
        count("waiting"),
        count("sent"),
        count("refused"),
        count("withheld")
    );
    if let Some(trouble) = status["trouble"].as_str() {
        text += &format!("trouble 故障: {trouble}\n");
    }
    for item in status["visits"].as_array().into_iter().flatten() {
        text += &format!("{}\n", line(item));
    }
    text
}

/// A visit of the queue in a line.
fn line(item: &Value) -> String {
    let word = |key: &str| item[key].as_str().unwrap_or_default();
    let at = Civil::of(Timestamp(item["at"].as_i64().unwrap_or_default()));
    let (english, chinese) = match word("state") {
        "waiting" => ("waiting", "等待"),
        "sent" => ("sent", "已发送"),
        "refused" => ("refused", "被拒"),
        other => (other, ""),
    };
    format!("{}  {at}Z  {english} {chinese}  {}", word("visit"), word("why"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn people_read_counts_and_reasons() {
        assert!(text(&json!({"url": null})).contains("[fhir] in gateway.toml"));
        let item = json!({"visit": "v-1", "state": "refused", "at": 0, "why": "HTTP 422: no such code"});
        let status = json!({
            "url": "https://fhir.example.org", "waiting": 2, "sent": 7, "refused": 1, "withheld": 3,
            "trouble": "nobody answers", "visits": [item],
        });
        let text = text(&status);
        for part in
            ["waiting 等待 2", "sent 已发送 7", "未同意 3", "nobody answers", "v-1", "HTTP 422: no such code"]
        {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }
}
