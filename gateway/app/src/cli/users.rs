//! `linli users`: accounts, enrolled screens, break-glass codes.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::socket;

/// Longest wait for the gateway.
const PATIENCE: Duration = Duration::from_secs(60);

/// Accounts of people, shared screens, break-glass codes (账号).
///
/// The gateway's own user, root, and accounts with the role admin may do this. Roles: health_worker, canteen,
/// operator, technician, command, auditor, admin; docs/accounts.md says what each may do.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli users add zhao --role operator --role technician\n  linli users add mei --role health_worker\n  linli users list\n  linli users reset zhao\n  linli users disable zhao\n  linli users enrol-screen cabin-1 --room health-cabin\n  linli users break-glass --count 5"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show accounts, screens, and how many break-glass codes are left (列表)
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Add an account; prints the one-time code with which its person sets it up (添加)
    Add {
        /// The account; the id of a person of facility.toml makes it theirs
        account: String,
        /// What it may do; may be given again
        #[arg(long = "role", required = true, value_name = "ROLE")]
        roles: Vec<String>,
        /// The person of facility.toml, if the account has another name
        #[arg(long)]
        person: Option<String>,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Make an account forget its secrets; prints a new one-time code (重置)
    Reset(One),
    /// Switch an account off; its sessions end at once (停用)
    Disable(One),
    /// Switch an account on again (启用)
    Enable(One),
    /// Print the one-time code that makes a screen a shared one (登记屏幕)
    EnrolScreen {
        /// Id of the screen
        screen: String,
        /// The room where it hangs
        #[arg(long)]
        room: String,
        /// A view that it may show; may be given again. Without any: what its people may see
        #[arg(long = "view")]
        views: Vec<String>,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Make a screen an ordinary one; log-ins at it end at once (注销屏幕)
    RemoveScreen {
        /// Id of the screen
        screen: String,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Print sealed codes for the day the log-in does not work; earlier ones no longer count (应急代码)
    BreakGlass {
        /// How many, at most 16
        #[arg(long, default_value_t = 5)]
        count: usize,
        #[command(flatten)]
        site: ConfigDir,
    },
}

#[derive(Debug, clap::Args)]
struct One {
    /// The account
    account: String,
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::List { json, site } => list(&ask(site, "GET", "/api/v1/users", &Value::Null)?, *json)?,
        Verb::Add { account, roles, person, site } => {
            let body = json!({"account": account, "roles": roles, "person": person});
            code(&ask(site, "POST", "/api/v1/users", &body)?, account);
        }
        Verb::Reset(one) => code(&one.act("reset")?, &one.account),
        Verb::Disable(one) => {
            one.act("disable")?;
            println!("已停用 {} is disabled; its sessions have ended", one.account);
        }
        Verb::Enable(one) => {
            one.act("enable")?;
            println!("已启用 {} is enabled", one.account);
        }
        Verb::EnrolScreen { screen, room, views, site } => {
            let body = json!({"screen": screen, "room": room, "views": views});
            let answer = ask(site, "POST", "/api/v1/screens", &body)?;
            let code = answer["code"].as_str().unwrap_or_default();
            println!("{code}");
            eprintln!(
                "在该屏幕上输入，1 小时内有效 enter it at the screen within an hour; it is shown this once"
            );
        }
        Verb::RemoveScreen { screen, site } => {
            let path = format!("/api/v1/screens/{}", id(screen)?);
            ask(site, "DELETE", &path, &Value::Null)?;
            println!("已注销 {screen} is no enrolled screen any more");
        }
        Verb::BreakGlass { count, site } => {
            let answer = ask(site, "POST", "/api/v1/break-glass", &json!({"count": count}))?;
            for code in answer["codes"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                println!("{code}");
            }
            eprintln!(
                "封存备用，每个只能用一次 seal them; each works once, and using one is an alarm: `linli login --break-glass CODE`"
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

// === impl One ===

impl One {
    fn act(&self, what: &str) -> anyhow::Result<Value> {
        ask(&self.site, "POST", &format!("/api/v1/users/{}/{what}", id(&self.account)?), &Value::Null)
    }
}

/// The code alone on standard output, for programs; what to do with it beside it.
fn code(answer: &Value, account: &str) {
    println!("{}", answer["code"].as_str().unwrap_or_default());
    eprintln!(
        "交给本人，24 小时内有效 give it to the person; within 24 h: `linli login {account} --enrol CODE`. It is shown this once"
    );
}

fn list(shown: &Value, is_json: bool) -> anyhow::Result<()> {
    if is_json {
        println!("{}", serde_json::to_string_pretty(shown)?);
        return Ok(());
    }
    let text = |value: &Value| value.as_str().unwrap_or("—").to_owned();
    for account in shown["accounts"].as_array().into_iter().flatten() {
        let roles =
            account["roles"].as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(", ");
        let (id, state, person) =
            (text(&account["account"]), text(&account["state"]), text(&account["person"]));
        println!("{id:16} {state:9} {person:16} {roles}  sessions: {}", account["sessions"]);
    }
    for screen in shown["screens"].as_array().into_iter().flatten() {
        let state = if screen["enrolled"] == true { "enrolled" } else { "waits for its code" };
        println!("screen {:16} {} {state}", text(&screen["screen"]), text(&screen["room"]));
    }
    println!("应急代码 break-glass codes left: {}", shown["break_glass"]["unused"]);
    Ok(())
}

fn id(text: &str) -> anyhow::Result<linli_domain::Id> {
    linli_domain::Id::new(text).map_err(|error| anyhow::anyhow!("{text:?}: {error}"))
}

fn ask(site: &ConfigDir, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = socket::ask(site, method, path, &body, PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body)? })
}
