//! `linli mode service`: begins and ends the service state of a room.

use serde_json::json;

use super::super::config_dir::ConfigDir;
use super::act;

/// Arguments of the service state.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The room
    room: String,
    /// What it is for
    #[arg(long, required_unless_present = "end")]
    why: Option<String>,
    /// Duration, at most 8h; it then ends by itself
    #[arg(long = "for", value_name = "SPAN", default_value = "30m")]
    span: String,
    /// End it: every output is set to its safe state (结束检修)
    #[arg(long)]
    end: bool,
    #[command(flatten)]
    site: ConfigDir,
}

/// Begins it, or ends it.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let Args { room, why, span, end, site } = args;
    match end {
        true => act(site, room, "end_service", &json!({})),
        false => act(site, room, "service", &json!({"why": why, "for": span})),
    }
}
