//! `linli mode`: see where every room is, do and confirm its steps, stop it, and prove afterwards
//! what happened.

mod audit;
pub mod local_order;
pub mod report;
mod status;

pub use status::print_room;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::socket;

/// How long the gateway may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Switch rooms between peace and emergency: preview, watch, confirm, stop, prove (平急转换).
///
/// Two people order a room into its emergency role, one person stops it, a fire alarm always does.
/// A room is called ready when every claim it rests on is read to hold, never before.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli mode plan reading-room.sampling@1\n  linli mode status --watch\n  linli mode confirm reading-room sweep --as qian\n  linli mode stop reading-room\n  linli mode resume reading-room --as zhao --why 误报已核\n  linli mode waive reading-room ventilate --as zhao --why 风机维修 --for 2h\n  linli mode enter plans/reading-room.sampling@1.toml --class actual --mode epidemic.sampling \\\n      --key zhao.key --key sun.key\n  linli mode return plans/reading-room.from-sampling@1.toml --class actual --mode epidemic.sampling \\\n      --key zhao.key --key sun.key\n  linli mode alternate reading-room --as zhao --why 消杀设备损坏\n  linli mode report -o report.md\n  linli mode audit export -o record.jsonl && linli mode audit verify record.jsonl"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show where every room is, and what is waited for (状态)
    Status {
        /// Show it anew whenever something happens
        #[arg(long)]
        watch: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Show what a plan would do now: steps, people, time, what is not known (预演)
    Plan {
        /// The plans, such as reading-room.sampling@1; several that one order names
        #[arg(required = true)]
        plans: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Say that you did a step (确认完成)
    Confirm {
        #[command(flatten)]
        step: Step,
        /// In a drill: it was only simulated (模拟完成)
        #[arg(long)]
        simulated: bool,
    },
    /// Say that a step cannot be done (无法完成)
    Cannot {
        #[command(flatten)]
        step: Step,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Do without a step for a time (豁免)
    Waive {
        #[command(flatten)]
        step: Step,
        /// Why
        #[arg(long)]
        why: String,
        /// For how long
        #[arg(long = "for")]
        span: String,
    },
    /// Try a step once more (重试)
    Retry(Step),
    /// Begin now what was ordered; a drill always waits for this (开始)
    Commit(Operation),
    /// Let a held room go on, from its first step (继续)
    Resume {
        #[command(flatten)]
        operation: Operation,
        /// Why it may
        #[arg(long)]
        why: String,
    },
    /// Do not accept what was done: it is done again (不予验收)
    Reject {
        #[command(flatten)]
        operation: Operation,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Let another room take the place of one that cannot be used, under the same order (改用备用房间)
    Alternate {
        #[command(flatten)]
        operation: Operation,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Stop a room at once: everything becomes safe. Anybody may (停止)
    Stop {
        /// The room
        room: String,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Order plans on the spot, while the district cannot be reached: two people's keys (就地转急)
    Enter(local_order::Args),
    /// Order the way back on the spot (就地转平)
    Return(local_order::Args),
    /// A switch as it was, planned against real, from the record alone (转换报告)
    Report(report::Args),
    /// Take the record out, or verify one (审计)
    Audit {
        #[command(subcommand)]
        verb: audit::Verb,
    },
}

#[derive(Debug, clap::Args)]
struct Step {
    /// The room
    room: String,
    /// The step
    step: String,
    /// Who you are: a person of facility.toml
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, clap::Args)]
struct Operation {
    /// The room
    room: String,
    /// Who you are: a person of facility.toml
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Status { watch, json, site } => status::run(site, *watch, *json)?,
        Verb::Plan { plans, json, site } => status::plans(site, plans, *json)?,
        Verb::Confirm { step, simulated: false } => step.act("confirm", json!({}))?,
        Verb::Confirm { step, simulated: true } => step.act("simulate", json!({}))?,
        Verb::Cannot { step, why } => step.act("cannot", json!({"why": why}))?,
        Verb::Waive { step, why, span } => step.act("waive", json!({"why": why, "for": span}))?,
        Verb::Retry(step) => step.act("retry", json!({}))?,
        Verb::Commit(operation) => operation.act("commit", json!({}))?,
        Verb::Resume { operation, why } => operation.act("resume", json!({"why": why}))?,
        Verb::Reject { operation, why } => operation.act("reject", json!({"why": why}))?,
        Verb::Alternate { operation, why } => operation.act("alternate", json!({"why": why}))?,
        Verb::Report(args) => report::run(args, linli_mode::Class::Actual)?,
        Verb::Stop { room, site } => act(site, room, "stop", &json!({}))?,
        Verb::Enter(args) => local_order::run(args, linli_mode::order::Kind::Enter)?,
        Verb::Return(args) => local_order::run(args, linli_mode::order::Kind::Return)?,
        Verb::Audit { verb } => return audit::run(verb),
    }
    Ok(ExitCode::SUCCESS)
}

// === impl Step ===

impl Step {
    fn act(&self, word: &str, mut body: Value) -> anyhow::Result<()> {
        body["step"] = json!(self.step);
        body["person"] = json!(self.person);
        act(&self.site, &self.room, word, &body)
    }
}

// === impl Operation ===

impl Operation {
    fn act(&self, word: &str, mut body: Value) -> anyhow::Result<()> {
        body["person"] = json!(self.person);
        act(&self.site, &self.room, word, &body)
    }
}

fn act(site: &ConfigDir, room: &str, word: &str, body: &Value) -> anyhow::Result<()> {
    let is_id = !room.is_empty() && room.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    anyhow::ensure!(is_id, "{room:?} is no room; `linli mode status` shows them");
    let shown = ask(site, "POST", &format!("/api/v1/mode/rooms/{room}/{word}"), &body.to_string())?;
    let rooms = shown["rooms"].as_array().into_iter().flatten();
    rooms.filter(|shown| shown["room"] == json!(room)).for_each(status::print_room);
    Ok(())
}

/// Asks the running gateway.
pub fn ask(site: &ConfigDir, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
    let answer = socket::ask(&site.data_dir(), method, path, body, PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body)? })
}

/// Sends an order, or a message, to the running gateway.
pub fn send(site: &ConfigDir, text: &str, code: Option<&str>) -> anyhow::Result<Value> {
    let query = code.map(|code| format!("?code={code}")).unwrap_or_default();
    ask(site, "POST", &format!("/api/v1/mode/order{query}"), text)
}

/// Where a record is written to.
fn output(path: Option<&PathBuf>) -> anyhow::Result<Box<dyn std::io::Write>> {
    Ok(match path {
        Some(path) => Box::new(std::io::BufWriter::new(
            std::fs::File::create(path)
                .map_err(|error| anyhow::anyhow!("{} cannot be written: {error}", path.display()))?,
        )),
        None => Box::new(std::io::stdout().lock()),
    })
}
