//! `linli mode enter` and `linli mode return`: previews, writes, signs and sends a local order.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use linli_config::Checked;
use linli_mode::Class;
use linli_mode::order::{Authority, Envelope, Kind, Order, SecretKey, Series, Target, sign};
use linli_services::random::random;

use super::super::config_dir::ConfigDir;
use super::super::order;
use super::{plan_file, status};

/// Arguments of a local order.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Plans, one per room: reading-room.sampling@1, or their files
    #[arg(required = true, value_name = "PLAN")]
    pub plans: Vec<PathBuf>,
    /// Real order or drill
    #[arg(long, value_enum)]
    pub class: order::keygen::Class,
    /// The mode, such as epidemic.sampling; the role of the first plan unless given
    #[arg(long)]
    pub mode: Option<String>,
    /// Secret keys of two people with roles in `[orders] local`
    #[arg(long, value_name = "FILE", required = true)]
    pub key: Vec<PathBuf>,
    /// Do not show the preview and do not ask each signer (不再逐人确认)
    #[arg(long)]
    pub yes: bool,
    /// File with the password of each signer, in the order of the keys, where the gateway asks for two persons
    #[arg(long, value_name = "FILE")]
    pub password_file: Vec<PathBuf>,
    #[command(flatten)]
    pub site: ConfigDir,
}

/// Shows the preview, asks each signer on a terminal, then writes, signs and sends the order. Returns
/// its id and its rooms.
pub fn run(args: &Args, kind: Kind) -> anyhow::Result<(String, Vec<String>)> {
    let config = linli_config::load(&args.site.config)?;
    let find = |name: &PathBuf| plan_file::find(&config, &args.site.config, name);
    let files = args.plans.iter().map(find).collect::<anyhow::Result<Vec<_>>>()?;
    let plans = files.iter().map(|path| order::new::plan(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let rooms = files.iter().map(|file| room(file)).collect::<anyhow::Result<Vec<_>>>()?;
    let role = plans.first().and_then(|first| {
        config
            .plans
            .iter()
            .find(|plan| plan.resolved.plan.is_named(&first.plan))
            .map(|plan| plan.resolved.plan.role.clone())
    });
    let mode = args.mode.clone().or(role).context("--mode: which mode? such as epidemic.sampling")?;
    let keys = args.key.iter().map(|key| order::secret(key)).collect::<anyhow::Result<Vec<_>>>()?;
    let is_asking = !args.yes && std::io::stdin().is_terminal();
    if is_asking {
        let names: Vec<String> = plans.iter().map(|plan| plan.plan.clone()).collect();
        status::plans(&args.site, &names, false)?;
        println!();
    }
    let seq = next_number(&args.site, args.class.into())?;
    let target = Target { centre: config.centre.id.clone(), site: None, plans, snapshot: None };
    let what = (kind, args.class.into());
    let order = Order::on_the_spot(random()?, super::super::now(), seq, what, &mode, target);
    let mut envelope = Envelope::of(order);
    let mut people = Vec::new();
    order::show::show(&envelope);
    for (nth, key) in keys.iter().enumerate() {
        if is_asking {
            confirm(&config, key, order::show::headline(&envelope.order))?;
        }
        envelope = sign(&envelope, key);
        let owner = config.centre.people.keyring.key(&key.public().id().0);
        people.extend(owner.map(|owner| (owner.person.to_string(), args.password_file.get(nth).cloned())));
    }
    let text = linli_mode::order::text::write(&envelope.bytes());
    // The signers are in the centre; each confirms the code as the account of their own.
    let sent = order::send::confirmed(&args.site, &text, &envelope.code(), &people);
    order::send::told(&sent.context("the order was not taken")?, &args.site)?;
    Ok((envelope.order.id.clone(), rooms))
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

/// Asks the owner of a key whether they sign.
fn confirm(config: &Checked, key: &SecretKey, headline: String) -> anyhow::Result<()> {
    let id = key.public().id();
    let owner = config.centre.people.keyring.key(&id.0);
    let name = owner.map_or_else(
        || format!("密钥 key {id}"),
        |owner| format!("{} {}", owner.person, config.centre.people.name(&owner.person)),
    );
    print!("\n{headline}\n{name}：确认签署请输入 yes  type yes to sign: ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    anyhow::ensure!(
        matches!(answer.trim(), "yes" | "是" | "确认"),
        "{name} 没有签署，什么都没有发生 did not sign: nothing has happened"
    );
    Ok(())
}

/// Returns the room of a plan file.
fn room(file: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(file)?;
    let table: toml::Table = toml::from_str(&text)?;
    let room = table.get("plan").and_then(|plan| plan.get("room")).and_then(toml::Value::as_str);
    Ok(room.unwrap_or_default().to_owned())
}
