//! `linli mode enter` and `linli mode return`: writes, signs and sends a local order.

use std::path::PathBuf;

use anyhow::Context;
use linli_mode::Class;
use linli_mode::order::{Authority, Kind, Series, sign};

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
    let seq = next_number(&args.site, args.class.into())?;
    let mut envelope = order::new::on_the_spot(config.centre.id, plans, kind, args.class, &args.mode, seq)?;
    let mut people = Vec::new();
    for key in &args.key {
        let key = order::secret(key)?;
        envelope = sign(&envelope, &key);
        let owner = config.centre.people.keyring.key(&key.public().id().0);
        people.extend(owner.map(|key| key.person.to_string()));
    }
    order::show::show(&envelope);
    let text = linli_mode::order::text::write(&envelope.bytes());
    // The signers are in the centre and have compared the code.
    let told = order::send::confirmed(&args.site, &text, &envelope.code(), &people);
    order::send::told(&told.context("the order was not taken")?)
}

/// Returns the number of the next order of that class given on the spot. Where earlier ones were lost it
/// is the time, which is above all of them.
fn next_number(site: &ConfigDir, class: Class) -> anyhow::Result<u64> {
    let shown = super::ask(site, "GET", "/api/v1/mode", "")?;
    let series = Series { authority: Authority::Local, class };
    match shown["numbers"][series.to_string()].as_u64() {
        Some(last) => Ok(last.saturating_add(1)),
        None => u64::try_from(super::super::now().0).context("this machine's clock is not set"),
    }
}

/// Returns the room of a plan file.
pub fn room(file: &std::path::Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)?;
    let table: toml::Table = toml::from_str(&text)?;
    let room = table.get("plan").and_then(|plan| plan.get("room")).and_then(toml::Value::as_str);
    Ok(room.unwrap_or_default().to_owned())
}
