//! `linli drill`: orders, findings and reports of drills. Drill keys cannot sign real orders.

mod play;

use std::path::PathBuf;
use std::process::ExitCode;

use linli_mode::Class;
use linli_mode::order::Kind;
use serde_json::json;

use super::config_dir::ConfigDir;
use super::mode::{self, local_order, report};
use super::order::keygen;

/// Drill a mode switch: order it, carry it out, report it (演练).
///
/// All texts of a drill are enclosed in 【演练】. Lamps, locks, gas and fridges are never actuated;
/// people carry out their steps, or report them as simulated. No drill makes a room "verified ready".
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli drill run reading-room.sampling@1 --key drill-zhao.key --key drill-sun.key\n  linli drill run reading-room.sampling@1 --key drill-zhao.key --key drill-sun.key --simulate -o drill.pdf\n  linli drill start plans/reading-room.sampling@1.toml --key drill-zhao.key --key drill-sun.key\n  linli mode commit reading-room --login zhao\n  linli mode status --watch\n  linli mode confirm reading-room notice --login qian\n  linli drill end plans/reading-room.from-sampling@1.toml --key drill-zhao.key --key drill-sun.key\n  linli drill finding local-0f3a --login zhao --owner qian --by 2026-12-31 广播在卫生间听不清\n  linli drill report --format pdf -o drill.pdf\n  linli drill report local-0f3a --record record.jsonl"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Play a whole drill: order, tasks of people, return, report (一条命令完成整场演练)
    Run(play::Args),
    /// Order a drill locally, signed with the drill keys of two people (开始演练)
    Start(Spot),
    /// Order the return of a drill (结束演练)
    End(Spot),
    /// Record a finding with its owner and due date (登记问题)
    Finding {
        /// Id of the order of the drill
        order: String,
        /// Who resolves it
        #[arg(long)]
        owner: String,
        /// Due date, such as 2026-12-31
        #[arg(long = "by", value_name = "DATE")]
        due: String,
        /// Text of the finding
        #[arg(required = true, value_name = "TEXT")]
        text: Vec<String>,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Write the report of a drill: planned and real times, from the record (演练报告)
    Report(report::Args),
}

/// Plans, mode and keys of a local order.
#[derive(Debug, clap::Args)]
struct Spot {
    /// Plans, one per room: reading-room.sampling@1, or their files
    #[arg(required = true, value_name = "PLAN")]
    plans: Vec<PathBuf>,
    /// The mode, such as epidemic.sampling
    #[arg(long, default_value = "drill")]
    mode: String,
    /// Secret drill keys of two people of the roles in `[orders] local`
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    /// Do not show the preview and do not ask each signer (不再逐人确认)
    #[arg(long)]
    yes: bool,
    /// File with the password of each signer, in the order of the keys, where the gateway asks for two persons
    #[arg(long, value_name = "FILE")]
    password_file: Vec<PathBuf>,
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Run(args) => return play::run(args),
        Verb::Start(spot) => {
            let rooms = spot.order(Kind::Enter)?;
            println!("\n【演练】下一步 next【演练】");
            for room in rooms {
                println!("  linli mode commit {room} --login PERSON   # 负责人开始 whoever leads begins");
            }
            println!("  linli mode status --watch                 # 谁该做什么 who is to do what");
            println!("  linli drill end PLAN-FILE --key … --key …  # 收场 the way back");
            println!("  linli drill report                        # 报告 the report");
        }
        Verb::End(spot) => drop(spot.order(Kind::Return)?),
        Verb::Finding { order, owner, due, text, site } => {
            let text = text.join(" ");
            let body = json!({"order": order, "owner": owner, "due": due, "text": text});
            let answer = mode::ask(site, "POST", "/api/v1/mode/findings", &body.to_string())?;
            println!("已登记 on record, line {}", answer["record"]["count"]);
        }
        Verb::Report(args) => report::run(args, Class::Exercise)?,
    }
    Ok(ExitCode::SUCCESS)
}

// === impl Spot ===

impl Spot {
    /// Sends the order and returns the rooms that it concerns.
    fn order(&self, kind: Kind) -> anyhow::Result<Vec<String>> {
        let args = local_order::Args {
            plans: self.plans.clone(),
            class: keygen::Class::Exercise,
            mode: Some(self.mode.clone()),
            key: self.key.clone(),
            yes: self.yes,
            password_file: self.password_file.clone(),
            site: self.site.clone(),
        };
        Ok(local_order::run(&args, kind)?.1)
    }
}
