//! `linli run`: the daemon.

use std::process::ExitCode;

use rustix::process::DumpableBehavior;
use tokio_util::sync::CancellationToken;

use super::config_dir::ConfigDir;
use crate::runtime::gateway::Gateway;
use crate::runtime::state_dir;

/// Run the gateway until SIGTERM or Ctrl-C; SIGHUP reloads.
///
/// Under systemd it reports readiness and feeds the watchdog only while work progresses. If the
/// configuration is bad, the last good one runs and every problem is logged.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli run\n  linli run --config ./my-centre\n  LINLI_LOG=debug linli run --config ./my-centre\n\nExit codes: 0 stopped as asked, 1 failed, 2 bad configuration and no good one kept"
)]
pub struct Args {
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    super::logging::start(&linli_config::log_level(&args.site.config));
    // Names of residents are in memory for moments: they must not end in a core dump.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    state_dir::keep_to_ourselves();
    linli_listen::raise_descriptor_limit();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(8)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let gateway = Gateway::start(&args.site.config).await?;
        gateway.run(CancellationToken::new()).await
    })?;
    Ok(ExitCode::SUCCESS)
}
