//! `linli order new`: writes an unsigned order.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use linli_domain::{Id, Timestamp};
use linli_mode::order::{Authority, Envelope, Kind, LOCAL, OWN_PREFIXES, Order, PlanHash, Target};
use ring::digest::{SHA256, digest};

use super::{cap, file, keygen::Class, show};
use linli_domain::audit::{hex, unhex};
use linli_services::random::random;

/// Write an unsigned order (起草指令).
///
/// The order names the plans by the hash of their files: only these versions can run.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Kind of order
    #[arg(long, value_enum)]
    kind: What,
    /// Real order or drill
    #[arg(long, value_enum)]
    class: Class,
    /// The mode, such as epidemic.sampling
    #[arg(long)]
    mode: String,
    /// Sequence number, higher than that of every earlier order of this class
    #[arg(long)]
    seq: u64,
    /// Centre and plan file for one of its rooms; once per room. CENTRE/SITE:FILE when each site of a
    /// centre has its own gateway. CENTRE: without a file stops, cancels or stands down every room
    #[arg(long = "plan", value_name = "CENTRE:FILE", required = true)]
    plans: Vec<String>,
    /// Snapshot hash from `linli mode plan`: the order is refused when the state has changed since
    /// (快照)
    #[arg(long = "snapshot", value_name = "CENTRE:SNAPSHOT")]
    snapshots: Vec<String>,
    /// Number of the document that the order is based on (文号)
    #[arg(long)]
    reference: Option<String>,
    /// Id of the order; made from the sequence number unless given
    #[arg(long)]
    id: Option<String>,
    /// Start of validity, such as 2026-12-01T08:00:00+08:00; now unless given
    #[arg(long, value_parser = time)]
    not_before: Option<Timestamp>,
    /// Period of validity, in which it can start
    #[arg(long, value_parser = linli_drivers::duration::parse, default_value = "2h")]
    valid: Duration,
    /// Local order while the district cannot be reached; valid for an hour at most (现场应急授权)
    #[arg(long)]
    local: bool,
    /// Id of an order that it replaces or cancels
    #[arg(long = "supersedes", value_name = "ID")]
    supersedes: Vec<String>,
    /// CAP or GB/T 35965 message that it responds to
    #[arg(long, value_name = "FILE")]
    cap: Option<PathBuf>,
    /// Output file
    #[arg(short, long, default_value = "order.cbor")]
    output: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// Enter the emergency mode (转急)
    Enter,
    /// Return to normal mode (转平)
    Return,
    /// Replace an order that has not started (更改)
    Amend,
    /// Cancel an order (撤销)
    Cancel,
    /// End the emergency (解除)
    StandDown,
    /// Stop rooms: outputs become safe, nothing moves; one signature is enough (停止)
    Stop,
}

/// Writes the order.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let now = super::super::now();
    let not_before = args.not_before.unwrap_or(now);
    let valid = i64::try_from(args.valid.as_millis()).unwrap_or(i64::MAX);
    anyhow::ensure!(valid > 0, "--valid must be longer than nothing");
    anyhow::ensure!(
        !args.local || args.valid <= Duration::from_secs(3600),
        "an order given on the spot is good for one hour at most: --valid 1h"
    );
    let takes_back = matches!(args.kind, What::Amend | What::Cancel);
    anyhow::ensure!(!takes_back || !args.supersedes.is_empty(), "which order? name it with --supersedes");
    let id = match &args.id {
        Some(id) => id.clone(),
        None if args.local => format!("{LOCAL}{}", hex(&random::<6>()?)),
        None => format!("{}-{}", args.seq, hex(&random::<4>()?)),
    };
    let own = OWN_PREFIXES.into_iter().find(|own| id.starts_with(own));
    anyhow::ensure!(
        if args.local { own == Some(LOCAL) } else { own.is_none() },
        "--id {id}: the id of a local order begins with {LOCAL}, and no other begins with {}",
        OWN_PREFIXES.join(", ")
    );
    let class: linli_mode::Class = args.class.into();
    let targets = seen(targets(&args.plans)?, &args.snapshots)?;
    let is_for_all = matches!(args.kind, What::Stop | What::StandDown | What::Cancel);
    anyhow::ensure!(
        is_for_all || targets.iter().all(|target| !target.plans.is_empty()),
        "--plan names no file: only an order to stop, to cancel or to stand down is for every room （须写明预案文件）"
    );
    let cap = args.cap.as_ref().map(|file| answered(file, class)).transpose()?;
    let order = Order {
        id,
        seq: args.seq,
        kind: match args.kind {
            What::Enter => Kind::Enter,
            What::Return => Kind::Return,
            What::Amend => Kind::Amend,
            What::Cancel => Kind::Cancel,
            What::StandDown => Kind::StandDown,
            What::Stop => Kind::Stop,
        },
        class,
        authority: if args.local { Authority::Local } else { Authority::District },
        targets,
        mode: args.mode.clone(),
        not_before,
        expires: Timestamp(not_before.0.saturating_add(valid)),
        sent: now,
        reference: args.reference.clone(),
        supersedes: args.supersedes.clone(),
        cap,
    };
    let envelope = Envelope::of(order);
    // Reads the order back: a wrong id or mode is an error here, before anybody signs.
    let envelope = Envelope::read(&envelope.bytes())?;
    file::write(&args.output, &envelope, false)?;
    show::show(&envelope);
    println!("\n{} 已写好，尚未签署 written, not signed yet", args.output.display());
    Ok(())
}

/// Parses the centres with their plans.
fn targets(plans: &[String]) -> anyhow::Result<Vec<Target>> {
    let mut targets: Vec<Target> = Vec::new();
    for text in plans {
        let (place, path) = text.split_once(':').with_context(|| {
            format!(
                "{text:?}: write CENTRE:FILE or CENTRE/SITE:FILE, such as \
                 xinghe:plans/reading-room.sampling@3.toml"
            )
        })?;
        let (centre, site) =
            place.split_once('/').map_or((place, None), |(centre, site)| (centre, Some(site)));
        let id = |what: &str, text: &str| {
            Id::new(text).map_err(|error| anyhow::anyhow!("{what} {text:?} {error}"))
        };
        let centre = id("centre", centre)?;
        let site = site.map(|site| id("site", site)).transpose()?;
        let named = if path.is_empty() { None } else { Some(plan(Path::new(path))?) };
        match targets.iter_mut().find(|target| target.centre == centre && target.site == site) {
            Some(target) => target.plans.extend(named),
            None => targets.push(Target { centre, site, plans: named.into_iter().collect(), snapshot: None }),
        }
    }
    Ok(targets)
}

/// Adds the snapshot hashes.
fn seen(mut targets: Vec<Target>, snapshots: &[String]) -> anyhow::Result<Vec<Target>> {
    for text in snapshots {
        let (centre, hash) =
            text.split_once(':').with_context(|| format!("{text:?}: write CENTRE:SNAPSHOT"))?;
        let target = targets.iter_mut().find(|target| target.centre.as_str() == centre);
        let target = target.with_context(|| format!("--snapshot names {centre}, but no --plan does"))?;
        let bytes = unhex(hash).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        target.snapshot = Some(bytes.with_context(|| format!("{hash:?} is not 64 hexadecimal digits"))?);
    }
    Ok(targets)
}

/// Reads a plan file, and returns what an order says of it.
pub fn plan(path: &Path) -> anyhow::Result<PlanHash> {
    let bytes = bytes(path)?;
    let text = std::str::from_utf8(&bytes).with_context(|| format!("{} is not text", path.display()))?;
    let table: toml::Table =
        toml::from_str(text).with_context(|| format!("{} is not a plan", path.display()))?;
    let key = |name: &str| table.get("plan").and_then(|plan| plan.get(name));
    let (id, version) =
        (key("id").and_then(|id| id.as_str()), key("version").and_then(toml::Value::as_integer));
    let (Some(id), Some(version)) = (id, version) else {
        anyhow::bail!("{} is not a plan: [plan] with id and version is missing", path.display());
    };
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, &bytes).as_ref());
    Ok(PlanHash { plan: format!("{id}@{version}"), hash })
}

/// Reads the message that an order responds to; a drill responds only to an exercise message.
fn answered(path: &Path, class: linli_mode::Class) -> anyhow::Result<Vec<u8>> {
    let (bytes, alert) = cap::read(path)?;
    let proposal = alert.proposes().with_context(|| {
        let (status, kind) = (alert.status.as_str(), alert.msg_type.as_str());
        format!("{} is {status} {kind}: it asks for nothing", path.display())
    })?;
    anyhow::ensure!(
        proposal.class == class,
        "{} is {}, the order would be {class}",
        path.display(),
        proposal.class
    );
    Ok(bytes)
}

fn bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
}

fn time(text: &str) -> Result<Timestamp, String> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    parsed
        .map(|at| Timestamp(at.as_millisecond()))
        .map_err(|_| "expected 2026-12-01T08:00:00+08:00".to_owned())
}
