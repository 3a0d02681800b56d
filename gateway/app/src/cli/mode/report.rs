//! `linli mode report` and `linli drill report`: the report of a switch, from the record alone.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use linli_mode::Class;

use super::super::config_dir::ConfigDir;
use super::audit;
use linli_reports::switch::{Form, Switch, orders, render};

/// Arguments of a report.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Id of the order; the latest of its class unless given
    order: Option<String>,
    /// Read an exported record instead of that of the running gateway
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: Form,
    /// Output file; standard output unless given
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    site: ConfigDir,
}

// === impl Args ===

impl Args {
    /// Arguments for the report of one order of the running gateway, into a file.
    pub fn new(order: String, format: Form, output: PathBuf, site: ConfigDir) -> Self {
        Self { order: Some(order), record: None, format, output: Some(output), site }
    }
}

/// Writes the report of an order of that class.
pub fn run(args: &Args, class: Class) -> anyhow::Result<()> {
    let record = match &args.record {
        Some(file) => {
            std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?
        }
        None => audit::whole(&args.site)?,
    };
    let all = orders(&record)?;
    let order = match &args.order {
        Some(order) => {
            let found = all.iter().find(|(id, _)| id == order);
            let (_, of) = found.with_context(|| format!("the record has no accepted order {order:?}"))?;
            let verb = if *of == Class::Exercise { "drill" } else { "mode" };
            anyhow::ensure!(*of == class, "order {order} is {of}: `linli {verb} report {order}`");
            order.clone()
        }
        None => {
            let latest = all.iter().rev().find(|(_, of)| *of == class);
            latest
                .map(|(id, _)| id.clone())
                .with_context(|| format!("the record has no order of class {class}"))?
        }
    };
    let zone = args.site.zone();
    let schedule = |text: &str| linli_config::planned(text).ok();
    let report = render(&Switch::read(&record, &order, &schedule)?, args.format, &zone);
    match &args.output {
        Some(file) => {
            std::fs::write(file, report).with_context(|| format!("{} cannot be written", file.display()))?;
            println!("{}", file.display());
        }
        None => std::io::stdout().write_all(&report)?,
    }
    Ok(())
}
