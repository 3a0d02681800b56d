//! `linli drill`: a drill from its order to its report. It has keys of its own, and is never turned
//! into the real thing.

use std::path::PathBuf;
use std::process::ExitCode;

use linli_mode::Class;
use linli_mode::order::Kind;
use serde_json::json;

use super::config_dir::ConfigDir;
use super::mode::{self, local_order, report};
use super::order::keygen;

/// Drill a switch: order it, work it, report it (演练).
///
/// Whatever people see of a drill stands between 【演练】 and 【演练】. Lamps, locks, gas and fridges
/// are never moved; people do their steps really, or say that they only simulated them. No drill
/// makes a room "verified ready".
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli drill start plans/reading-room.sampling@1.toml --key drill-zhao.key --key drill-sun.key\n  linli mode commit reading-room --as zhao\n  linli mode status --watch\n  linli mode confirm reading-room notice --as qian\n  linli drill end plans/reading-room.from-sampling@1.toml --key drill-zhao.key --key drill-sun.key\n  linli drill finding local-0f3a --as zhao --owner qian --by 2026-12-31 广播在卫生间听不清\n  linli drill report --format pdf -o drill.pdf\n  linli drill report local-0f3a --record record.jsonl"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// Order a drill on the spot: two people's drill keys (开始演练)
    Start(Spot),
    /// Order the way back of a drill (结束演练)
    End(Spot),
    /// Put a finding on record: what, who mends it, until when (登记问题)
    Finding {
        /// The order of the drill
        order: String,
        /// Who you are: a person of facility.toml
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
        /// Who mends it
        #[arg(long)]
        owner: String,
        /// Until that day, such as 2026-12-31
        #[arg(long = "by", value_name = "DATE")]
        due: String,
        /// What it is
        #[arg(required = true, value_name = "TEXT")]
        text: Vec<String>,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Planned against real, from the record alone (演练报告)
    Report(report::Args),
}

/// Whose order, of which plans.
#[derive(Debug, clap::Args)]
struct Spot {
    /// The files of the plans, one for each room
    #[arg(required = true, value_name = "FILE")]
    plans: Vec<PathBuf>,
    /// What it is about
    #[arg(long, default_value = "drill")]
    mode: String,
    /// Secret drill keys of two people of the roles in `[orders] local`
    #[arg(long, value_name = "FILE", required = true)]
    key: Vec<PathBuf>,
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Start(spot) => {
            let rooms = spot.give(Kind::Enter)?;
            println!("\n【演练】下一步 next【演练】");
            for room in rooms {
                println!("  linli mode commit {room} --as PERSON      # 负责人开始 whoever leads begins");
            }
            println!("  linli mode status --watch                 # 谁该做什么 who is to do what");
            println!("  linli drill end PLAN-FILE --key … --key …  # 收场 the way back");
            println!("  linli drill report                        # 报告 the report");
        }
        Verb::End(spot) => drop(spot.give(Kind::Return)?),
        Verb::Finding { order, person, owner, due, text, site } => {
            let text = text.join(" ");
            let body = json!({"order": order, "person": person, "owner": owner, "due": due, "text": text});
            let told = mode::ask(site, "POST", "/api/v1/mode/findings", &body.to_string())?;
            println!("已登记 on record, line {}", told["record"]["count"]);
        }
        Verb::Report(args) => report::run(args, Class::Exercise)?,
    }
    Ok(ExitCode::SUCCESS)
}

// === impl Spot ===

impl Spot {
    /// Gives the order; the rooms it is about.
    fn give(&self, kind: Kind) -> anyhow::Result<Vec<String>> {
        local_order::run(
            &local_order::Args {
                plans: self.plans.clone(),
                class: keygen::Class::Exercise,
                mode: self.mode.clone(),
                key: self.key.clone(),
                site: self.site.clone(),
            },
            kind,
        )?;
        self.plans.iter().map(|file| local_order::room(file)).collect()
    }
}
