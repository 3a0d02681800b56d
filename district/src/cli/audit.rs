//! `linli-district audit`: the record of who did what.

use clap::Subcommand;

use super::Common;
use crate::accounts::record;
use crate::config::Checked;
use crate::{migrate, service};

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    operation: Operation,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Subcommand)]
enum Operation {
    /// Print the newest lines, the newest last (显示)
    Show {
        /// How many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
        lines: i64,
    },
    /// Verify that no line was changed, moved or removed; prints number and root hash (校验)
    Verify,
}

// === impl Args ===

impl Args {
    /// The configuration to use.
    pub const fn common(&self) -> &Common {
        &self.common
    }
}

/// Runs it.
pub async fn run(args: &Args, checked: Checked) -> anyhow::Result<()> {
    let pool = service::pool(&checked)?;
    migrate::check(&pool).await?;
    match args.operation {
        Operation::Show { lines } => {
            let mut shown = record::before(&pool, i64::MAX, lines).await?;
            shown.reverse();
            shown.iter().for_each(|line| println!("{line}"));
        }
        Operation::Verify => {
            let verified = record::verify(&pool).await?;
            println!("{} 条记录完整 entries intact, root {}", verified.lines, verified.head.root);
        }
    }
    Ok(())
}
