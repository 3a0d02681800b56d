//! `linli mode enter` and `linli mode return`: writes, signs and sends a local order.

use std::path::PathBuf;

use anyhow::Context;
use linli_mode::order::{Kind, sign};

use super::super::config_dir::ConfigDir;
use super::super::order;

/// Arguments of a local order.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Plan files, one per room
    #[arg(required = true, value_name = "FILE")]
    pub plans: Vec<PathBuf>,
    /// Real order or drill
    #[arg(long, value_enum)]
    pub class: order::keygen::Class,
    /// The mode, such as epidemic.sampling
    #[arg(long)]
    pub mode: String,
    /// Secret keys of two people with roles in `[orders] local`
    #[arg(long, value_name = "FILE", required = true)]
    pub key: Vec<PathBuf>,
    #[command(flatten)]
    pub site: ConfigDir,
}

/// Writes, signs and sends the order.
pub fn run(args: &Args, kind: Kind) -> anyhow::Result<()> {
    let config = linli_config::load(&args.site.config)?;
    let plans = args.plans.iter().map(|path| order::new::plan(path)).collect::<anyhow::Result<_>>()?;
    let mut envelope = order::new::on_the_spot(config.centre.id, plans, kind, args.class, &args.mode)?;
    for key in &args.key {
        envelope = sign(&envelope, &order::secret(key)?);
    }
    order::show::show(&envelope);
    let text = linli_mode::order::text::write(&envelope.bytes());
    // Sends the code along: the signers are in the centre and have compared it.
    let told = super::send(&args.site, &text, Some(&envelope.code())).context("the order was not taken")?;
    order::send::told(&told, &args.site)
}

/// Returns the room of a plan file.
pub fn room(file: &std::path::Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)?;
    let table: toml::Table = toml::from_str(&text)?;
    let room = table.get("plan").and_then(|plan| plan.get("room")).and_then(toml::Value::as_str);
    Ok(room.unwrap_or_default().to_owned())
}
