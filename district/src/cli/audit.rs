//! `linli-district audit`: the record of who did what.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;

use super::Opened;
use crate::accounts::record::{self, Filter};

/// What is done with the record.
#[derive(Debug, Subcommand)]
pub enum Operation {
    /// Print the newest lines, the newest last (显示)
    Show {
        /// How many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1_000_000))]
        lines: i64,
        #[command(flatten)]
        which: Which,
    },
    /// Verify that no line was changed, moved or removed; prints number and root hash (校验)
    Verify,
    /// Write the lines as they are kept, the oldest first; that they were exported is a line too (导出)
    Export {
        /// The new file
        file: PathBuf,
        #[command(flatten)]
        which: Which,
    },
}

/// Which lines.
#[derive(Debug, clap::Args)]
pub struct Which {
    /// Only of this event, such as order, account, centre, `centre_refused`, `logged_in`, refused
    #[arg(long)]
    event: Option<String>,
    /// Only about this account, centre, gateway, order or address
    #[arg(long)]
    who: Option<String>,
    /// Not before this day or time, such as 2026-11-30 or 2026-11-30T08:00:00Z
    #[arg(long, value_parser = at)]
    from: Option<i64>,
    /// Before this day or time
    #[arg(long, value_parser = at)]
    to: Option<i64>,
}

// === impl Which ===

impl Which {
    fn filter(&self) -> Filter {
        Filter { event: self.event.clone(), who: self.who.clone(), from: self.from, to: self.to }
    }
}

/// A day, which begins by this machine's clock, or a time with its offset.
fn at(text: &str) -> Result<i64, String> {
    let time = text.parse::<jiff::Timestamp>().ok();
    let day = || {
        let day = text.parse::<jiff::civil::Date>().ok()?;
        jiff::tz::TimeZone::system().to_timestamp(day.at(0, 0, 0, 0)).ok()
    };
    let found = time.or_else(day);
    found.map(jiff::Timestamp::as_millisecond).ok_or_else(|| {
        "不是日期或时间 is no day and no time; write 2026-11-30 or 2026-11-30T08:00:00Z".to_owned()
    })
}

/// Runs it.
pub async fn run(operation: &Operation, Opened { pool, by, .. }: Opened) -> anyhow::Result<()> {
    match operation {
        Operation::Show { lines, which } => {
            let mut shown = record::before(&pool, i64::MAX, *lines, &which.filter()).await?;
            shown.reverse();
            shown.iter().for_each(|line| println!("{line}"));
        }
        Operation::Verify => {
            let verified = record::verify(&pool).await?;
            println!("{} 条记录完整 entries intact, root {}", verified.lines, verified.head.root);
        }
        Operation::Export { file, which } => {
            let to = || format!("{}", file.display());
            let mut target =
                std::fs::File::options().write(true).create_new(true).open(file).with_context(to)?;
            let mut lines = record::before(&pool, i64::MAX, record::MOST, &which.filter()).await?;
            lines.reverse();
            record::exported(&pool, lines.len(), &by).await?;
            for line in &lines {
                writeln!(target, "{line}").with_context(to)?;
            }
            target.sync_all().with_context(to)?;
            println!("{} 条记录已导出 entries exported: {}", lines.len(), file.display());
        }
    }
    Ok(())
}
