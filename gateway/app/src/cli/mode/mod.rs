//! `linli mode`: shows the stage of every room, confirms steps, stops rooms, and reports afterwards.

mod audit;
pub mod local_order;
mod plan_file;
pub mod report;
mod service;
mod status;

pub use status::print_room;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Value, json};

use super::config_dir::ConfigDir;
use super::log_in_store::Kept;
use super::socket;
use super::target::Target;
use linli_services::mode::{Needed, Setup, missing};

/// Longest wait for the gateway: longer than the store may take to say that it cannot write.
const PATIENCE: Duration = Duration::from_secs(90);

/// Switch rooms between normal and emergency mode: preview, watch, confirm, stop, report (平急转换).
///
/// An order needs two people; one person, or a fire alarm, stops it. A room is ready only when all
/// conditions of its plan have been verified.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli mode plan reading-room.sampling@1\n  linli mode status --watch\n  linli mode confirm reading-room sweep --login qian\n  linli mode stop reading-room\n  linli mode resume reading-room --login zhao --why 误报已核\n  linli mode waive reading-room ventilate --login zhao --why 风机维修 --for 2h\n  linli mode enter reading-room.sampling@1 --class actual --key zhao.key --key sun.key\n  linli mode return reading-room.from-sampling@1 --class actual --key zhao.key --key sun.key\n  linli mode alternate reading-room --login zhao --why 消杀设备损坏\n  linli mode report -o report.md\n  linli mode audit export -o record.jsonl && linli mode audit verify record.jsonl"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Show the stage of every room, and what it waits for (状态)
    Status {
        /// Update the display on every change
        #[arg(long)]
        watch: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Preview a plan: steps, people, time, unknown conditions (预演)
    Plan {
        /// Plans of one order, such as reading-room.sampling@1
        #[arg(required = true)]
        plans: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Confirm that you completed a step (确认完成)
    Confirm {
        #[command(flatten)]
        step: Step,
        /// In a drill: the step was simulated (模拟完成)
        #[arg(long)]
        simulated: bool,
    },
    /// Report that a step cannot be done (无法完成)
    Cannot {
        #[command(flatten)]
        step: Step,
        /// Reason
        #[arg(long)]
        why: String,
    },
    /// Waive a step for a time (豁免)
    Waive {
        #[command(flatten)]
        step: Step,
        /// Why
        #[arg(long)]
        why: String,
        /// Duration of the waiver
        #[arg(long = "for")]
        span: String,
    },
    /// Retry a step (重试)
    Retry(Step),
    /// Start an order now; a drill always needs this (开始)
    Commit(Operation),
    /// Resume a held room, from its first step (继续)
    Resume {
        #[command(flatten)]
        operation: Operation,
        /// Reason
        #[arg(long)]
        why: String,
    },
    /// Reject the result of a room: its steps are repeated (不予验收)
    Reject {
        #[command(flatten)]
        operation: Operation,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Use the alternate room under the same order (改用备用房间)
    Alternate {
        #[command(flatten)]
        operation: Operation,
        /// Why
        #[arg(long)]
        why: String,
    },
    /// Open the outputs of a room to `linli command`, for a technician and for a time (检修)
    Service(service::Args),
    /// Stop a room at once and set its outputs to the safe state; anybody may (停止)
    Stop {
        /// The room
        room: String,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Order plans locally while the district cannot be reached, with the keys of two people (就地转急)
    Enter(local_order::Args),
    /// Order the return to normal mode locally (就地转平)
    Return(local_order::Args),
    /// Write the report of a switch: planned and real times, from the record (转换报告)
    Report(report::Args),
    /// Export the record, or verify an export (审计)
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
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, clap::Args)]
struct Operation {
    /// The room
    room: String,
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
        Verb::Service(args) => service::run(args)?,
        Verb::Stop { room, site } => act(site, room, "stop", &json!({}))?,
        Verb::Enter(args) => drop(local_order::run(args, linli_mode::order::Kind::Enter)?),
        Verb::Return(args) => drop(local_order::run(args, linli_mode::order::Kind::Return)?),
        Verb::Audit { verb } => return audit::run(verb),
    }
    Ok(ExitCode::SUCCESS)
}

// === impl Step ===

impl Step {
    fn act(&self, word: &str, mut body: Value) -> anyhow::Result<()> {
        body["step"] = json!(self.step);
        act(&self.site, &self.room, word, &body)
    }
}

// === impl Operation ===

impl Operation {
    fn act(&self, word: &str, body: Value) -> anyhow::Result<()> {
        act(&self.site, &self.room, word, &body)
    }
}

fn act(site: &ConfigDir, room: &str, word: &str, body: &Value) -> anyhow::Result<()> {
    let is_id = !room.is_empty() && room.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    anyhow::ensure!(is_id, "{room:?} is no room; `linli mode status` shows them");
    let shown = ask(site, "POST", &format!("/api/v1/mode/rooms/{room}/{word}"), &body.to_string())?;
    let rooms = shown["rooms"].as_array().into_iter().flatten();
    let zone = site.zone();
    rooms.filter(|shown| shown["room"] == json!(room)).for_each(|shown| status::print_room(shown, &zone));
    status::print_stop(&shown["stop"]);
    Ok(())
}

/// Sends a request to the running gateway and parses the answer.
pub fn ask(site: &ConfigDir, method: &str, path: &str, body: &str) -> anyhow::Result<Value> {
    let answer = socket::ask(site, method, path, body, PATIENCE)?;
    anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
    Ok(if answer.body.is_empty() { Value::Null } else { serde_json::from_str(&answer.body)? })
}

/// Sends an order, or a message, to the running gateway; `code` is the one that the account of `--login` compared on
/// the spot.
pub fn send(site: &ConfigDir, text: &str, code: Option<&str>) -> anyhow::Result<Value> {
    let is_word =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let query = match code {
        Some(code) => {
            anyhow::ensure!(is_word(code), "{code:?} is no code");
            format!("?code={code}")
        }
        None => String::new(),
    };
    ask(site, "POST", &format!("/api/v1/mode/order{query}"), text)
}

/// Opens the output file, or standard output.
pub fn output(path: Option<&PathBuf>) -> anyhow::Result<Box<dyn std::io::Write>> {
    Ok(match path {
        Some(path) => Box::new(std::io::BufWriter::new(
            std::fs::File::create(path)
                .map_err(|error| anyhow::anyhow!("{} cannot be written: {error}", path.display()))?,
        )),
        None => Box::new(std::io::stdout().lock()),
    })
}

/// Returns what a configuration lacks of the plans that rooms of the running gateway follow; nothing when no
/// gateway runs with it.
pub fn missing_plans(checked: &linli_config::Checked) -> Vec<String> {
    let Ok(data_dir) = checked.data_dir() else { return Vec::new() };
    if !socket::is_running(&data_dir) {
        return Vec::new();
    }
    let answer =
        Target::of(&data_dir, &Kept::default()).ask("GET", "/api/v1/mode", "", Duration::from_secs(5));
    let Some(answer) = answer.ok().filter(|answer| answer.status == 200) else { return Vec::new() };
    let shown: Value = serde_json::from_str(&answer.body).unwrap_or_default();
    let rooms = shown["rooms"].as_array().into_iter().flatten();
    let needed: Vec<Needed> =
        rooms.filter_map(|room| serde_json::from_value(room["needs"].clone()).ok()).collect();
    missing(&needed, &Setup::of(checked))
}
