//! `linli mode enter` and `linli mode return`: an order on the spot, written, signed and sent.

use std::path::PathBuf;

use anyhow::Context;
use linli_mode::order::{Kind, sign};

use super::super::config_dir::ConfigDir;
use super::super::order;

/// An order on the spot.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The files of the plans, one for each room
    #[arg(required = true, value_name = "FILE")]
    pub plans: Vec<PathBuf>,
    /// Whether it is meant
    #[arg(long, value_enum)]
    pub class: order::keygen::Class,
    /// What it is about, such as epidemic.sampling
    #[arg(long)]
    pub mode: String,
    /// Secret keys of two people of the roles in `[orders] local`
    #[arg(long, value_name = "FILE", required = true)]
    pub key: Vec<PathBuf>,
    #[command(flatten)]
    pub site: ConfigDir,
}

/// Writes, signs, sends.
pub fn run(args: &Args, kind: Kind) -> anyhow::Result<()> {
    let config = linli_config::load(&args.site.config)?;
    let plans = args.plans.iter().map(|path| order::new::plan(path)).collect::<anyhow::Result<_>>()?;
    let mut envelope = order::new::on_the_spot(config.centre.id, plans, kind, args.class, &args.mode)?;
    for key in &args.key {
        envelope = sign(&envelope, &order::secret(key)?);
    }
    order::show::show(&envelope);
    let text = linli_mode::order::text::write(&envelope.bytes());
    // Whoever signs here has compared it: they are the people on the spot.
    let told = super::send(&args.site, &text, Some(&envelope.code())).context("the order was not taken")?;
    order::send::told(&told)
}

/// The room that a plan's file is about.
pub fn room(file: &std::path::Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)?;
    let table: toml::Table = toml::from_str(&text)?;
    let room = table.get("plan").and_then(|plan| plan.get("room")).and_then(toml::Value::as_str);
    Ok(room.unwrap_or_default().to_owned())
}
