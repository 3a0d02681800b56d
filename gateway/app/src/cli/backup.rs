//! `linli backup`: copies the database consistently, also while the gateway runs.

use std::path::PathBuf;
use std::process::ExitCode;

use super::config_dir::ConfigDir;

/// Copy the database consistently, also while the gateway runs; the copy is checked before it
/// counts as done. An existing file is never overwritten.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli backup /media/usb/linli-2026-11-23.db\n  linli backup --config ./my-centre ./copy.db\n\nTo restore: stop the gateway, put the copy in the place of the database, remove the files\nending in -wal and -shm beside it, keep the one ending in .orders\nand the directory residents, start the gateway."
)]
pub struct Args {
    /// Where the copy goes
    to: PathBuf,
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    crate::runtime::state_dir::keep_to_ourselves();
    let from = args.site.database();
    super::runtime()?.block_on(linli_store::backup(&from, &args.to))?;
    let bytes = std::fs::metadata(&args.to)?.len();
    println!("{} ({bytes} bytes, checked)", args.to.display());
    Ok(ExitCode::SUCCESS)
}
