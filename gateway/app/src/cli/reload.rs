//! `linli reload`: applies the changed configuration to the running gateway.

use std::process::ExitCode;
use std::time::Duration;

use super::config_dir::ConfigDir;
use super::{WRONG, socket};

/// Longest wait for the gateway: stopping a line waits for the end of its exchange.
const PATIENCE: Duration = Duration::from_secs(60);

/// Make the running gateway read its configuration again and apply the difference.
///
/// Lines whose settings did not change keep running. A bad configuration changes nothing: every
/// problem is shown and the exit code is 2. `systemctl reload linli` does the same.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli check && linli reload\n  linli reload --config ./my-centre\n\nExit codes: 0 applied, 1 no gateway runs, 2 bad configuration"
)]
pub struct Args {
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let answer = socket::ask(&args.site, "POST", "/api/v1/reload", "", PATIENCE)?;
    if answer.status == 200 {
        println!("{}", answer.body.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("{}", socket::detail(&answer));
    Ok(ExitCode::from(WRONG))
}
