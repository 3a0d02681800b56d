//! `linli mode audit`: exports the mode record, and verifies an export without the gateway.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use linli_domain::Id;
use linli_domain::audit::{Base, Chain, number_after, unhex};
use linli_mode::checkpoint::Verifier as Key;
use linli_mode::order::Envelope;
use linli_mode::{Fire, Stage, State, replay, replay_readings};

use super::super::config_dir::ConfigDir;
use super::super::socket;
use super::{PATIENCE, output};
use linli_config::{self, Checked};
use linli_mode::record::{ModeEntry, ModeEvent};

#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Export the whole record, one line per event (导出记录)
    Export {
        /// Output file; standard output unless given
        #[arg(long, short)]
        output: Option<PathBuf>,
        #[command(flatten)]
        site: ConfigDir,
    },
    /// Verify a record: that no line was changed or left out, the signatures of its orders, and that
    /// the same events lead to the same decisions (验证记录)
    Verify {
        /// The record
        file: PathBuf,
        /// Configuration with the keys and the building; without it only the hash chain is verified
        #[arg(long, value_name = "DIR")]
        with: Option<PathBuf>,
        /// Checkpoint received by the district: COUNT:ROOT of an event/mode message; may be repeated
        #[arg(long, value_name = "COUNT:ROOT")]
        head: Vec<String>,
        /// File with the signed checkpoint of such a message; may be repeated
        #[arg(long, value_name = "FILE", requires = "key")]
        checkpoint: Vec<PathBuf>,
        /// Verifier key of the gateway, from `linli mode audit key` or its status message
        #[arg(long, value_name = "NAME+ID+KEY", requires = "checkpoint")]
        key: Option<String>,
    },
    /// Show the public key that verifies the checkpoints of this gateway (验证公钥)
    Key {
        #[command(flatten)]
        site: ConfigDir,
    },
}

/// Runs the verb.
pub fn run(verb: &Verb) -> anyhow::Result<ExitCode> {
    match verb {
        Verb::Export { output, site } => export(site, output.as_ref()).map(|()| ExitCode::SUCCESS),
        Verb::Verify { file, with, head, checkpoint, key } => {
            let mut heads = head.iter().map(|head| head_of(head)).collect::<anyhow::Result<Vec<_>>>()?;
            if let Some(key) = key {
                let key = Key::parse(key).map_err(|why| anyhow::anyhow!("--key: {why}"))?;
                let opened = checkpoint.iter().map(|file| opened(file, &key));
                heads.extend(opened.collect::<anyhow::Result<Vec<_>>>()?);
            }
            verify(file, with.as_deref(), heads)
        }
        Verb::Key { site } => {
            let shown = super::ask(site, "GET", "/api/v1/mode", "")?;
            let key = shown["record_key"].as_str();
            println!("{}", key.context("this gateway has no key: its log says why")?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Returns the contents of a checkpoint after verifying its signature.
fn opened(file: &Path, key: &Key) -> anyhow::Result<(u64, String)> {
    let note = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let head = key.open(&note).with_context(|| format!("{}", file.display()))?;
    Ok((head.count, head.root))
}

fn export(site: &ConfigDir, path: Option<&PathBuf>) -> anyhow::Result<()> {
    let mut out = output(path)?;
    let count = each(site, |lines| Ok(out.write_all(lines.as_bytes())?))?;
    out.flush()?;
    if let Some(path) = path {
        println!("{count} lines in {}", path.display());
    }
    Ok(())
}

/// Fetches the whole record of the running gateway.
pub fn whole(site: &ConfigDir) -> anyhow::Result<String> {
    let mut record = String::new();
    each(site, |lines| {
        record.push_str(lines);
        Ok(())
    })?;
    Ok(record)
}

/// Fetches the lines in batches, and returns their number.
fn each(site: &ConfigDir, mut take: impl FnMut(&str) -> anyhow::Result<()>) -> anyhow::Result<usize> {
    let (mut count, mut next) = (0, 0);
    loop {
        let from = format!("/api/v1/mode/record?from={next}");
        let answer = socket::ask(site, "GET", &from, "", PATIENCE)?;
        anyhow::ensure!(answer.status < 300, "{}", socket::detail(&answer));
        let Some(last) = answer.body.lines().next_back() else { return Ok(count) };
        next =
            number_after(last).context("the gateway answers with something that is no line of a record")?;
        take(&answer.body)?;
        count += answer.body.lines().count();
    }
}

fn verify(file: &Path, with: Option<&Path>, mut heads: Vec<(u64, String)>) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let config = with.map(linli_config::load).transpose()?;
    let mut verifier = Verifier { config: config.as_ref(), ..Verifier::default() };
    let mut chain = Chain::default();
    let given = heads.len();
    for (index, line) in text.lines().enumerate() {
        let place = || format!("{} line {}", file.display(), index + 1);
        chain.follow(line).with_context(place)?;
        match Base::of_line(line) {
            Some(base) => verifier.begins_after(base.earlier.count),
            None => verifier.line(line).with_context(place)?,
        }
        for (count, root) in heads.extract_if(.., |(count, _)| *count == chain.count) {
            anyhow::ensure!(
                chain.head().root == root,
                "the first {count} lines are not those that the district was told of: \
                 their root is {}, not {root}",
                chain.head().root
            );
        }
    }
    if let Some((count, _)) = heads.iter().find(|(count, _)| *count < verifier.earlier) {
        anyhow::bail!(
            "the first {} entries have left this record, so that the head of {count} entries cannot be verified by it: \
             put the export from before in front of it",
            verifier.earlier
        );
    }
    if let Some((count, _)) = heads.first() {
        anyhow::bail!("the record ends before line {count}, which was told: lines are missing at its end");
    }
    let root = chain.head().root;
    println!(
        "完整 whole     {} lines, root {root} (短码 short {})",
        chain.count,
        root.get(..8).unwrap_or_default()
    );
    if given > 0 {
        println!("一致 heads     {given} that were told lie on this record, in this order");
    }
    verifier.print_summary();
    Ok(ExitCode::SUCCESS)
}

fn head_of(text: &str) -> anyhow::Result<(u64, String)> {
    let (count, root) = text.split_once(':').context("--head is written COUNT:ROOT")?;
    Ok((count.parse().context("--head is written COUNT:ROOT")?, root.to_lowercase()))
}

/// Verifies a record line by line.
#[derive(Default)]
struct Verifier<'v> {
    config: Option<&'v Checked>,
    rooms: BTreeMap<Id, State>,
    orders: usize,
    steps: usize,
    unfollowed: usize,
    /// Entries that have left the record.
    earlier: u64,
}

// === impl Verifier ===

impl Verifier<'_> {
    fn line(&mut self, line: &str) -> anyhow::Result<()> {
        let line: ModeEntry = serde_json::from_str(line).context("is no line of a mode record")?;
        match line.what {
            ModeEvent::Order { result, signers, envelope: Some(envelope), .. } if result == "accepted" => {
                self.order(&signers, &envelope)
            }
            ModeEvent::Reset { room, state, .. } => {
                self.rooms.insert(room, *state);
                Ok(())
            }
            ModeEvent::Step { room, plan, event, from, state, .. } => {
                self.steps += 1;
                let Some(config) = self.config else { return Ok(()) };
                let found = config.plans.iter().find(|known| known.resolved.plan.is_named(&plan));
                let before = self.states_before(&room, from);
                let (Some(known), false) = (found, before.is_empty()) else {
                    self.unfollowed += 1;
                    return Ok(());
                };
                let next: Vec<_> =
                    before.iter().map(|before| replay(&known.resolved, before, &event, &state)).collect();
                let found = next.iter().position(Result::is_ok).unwrap_or_default();
                let next = next.into_iter().nth(found).context("there is a state before it")?;
                let next = next.with_context(|| format!("room {room}, plan {plan}: {event:?}"))?;
                self.rooms.insert(room, next);
                Ok(())
            }
            ModeEvent::Readings { room, truths, fire, state, .. } => {
                let Some(before) = self.rooms.get(&room).filter(|_| self.config.is_some()) else {
                    return Ok(());
                };
                let next = replay_readings(before, &truths, fire, &state)
                    .with_context(|| format!("room {room}: its readings"))?;
                self.rooms.insert(room, next);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Entries have left the record before this one.
    fn begins_after(&mut self, count: u64) {
        if self.rooms.is_empty() && self.steps == 0 {
            self.earlier = count;
        }
    }

    /// The states that a room may have had before an entry: the one that the last one led to; if entries have left the
    /// record, those of peace, or none where the room was not in peace.
    fn states_before(&self, room: &Id, from: Stage) -> Vec<State> {
        match self.rooms.get(room) {
            Some(known) => vec![known.clone()],
            None if self.earlier == 0 => vec![State::default()],
            None if from != Stage::Peace => Vec::new(),
            None => {
                let of = |fire| State { fire, ..State::default() };
                [Fire::Normal, Fire::Unknown, Fire::Alarm].map(of).into()
            }
        }
    }

    /// Verifies that the recorded signers have signed.
    fn order(&mut self, signers: &[Id], envelope: &str) -> anyhow::Result<()> {
        self.orders += 1;
        let bytes = unhex(envelope).context("the order is not written in hexadecimal digits")?;
        let envelope = Envelope::read(&bytes)?;
        let Some(config) = self.config else { return Ok(()) };
        let signed = envelope.signers(&config.centre.people.keyring).map_err(|why| anyhow::anyhow!(why))?;
        for signer in signers {
            anyhow::ensure!(
                signed.iter().any(|signed| signed.person == *signer),
                "{signer} did not sign order {}",
                envelope.order.id
            );
        }
        Ok(())
    }

    fn print_summary(&self) {
        if self.config.is_none() {
            println!("未重放 not replayed: add --with DIR, the configuration of the centre");
            return;
        }
        println!("指令 orders    {} signed as they say", self.orders);
        println!("重放 replayed  {} decisions, the same states", self.steps - self.unfollowed);
        if self.unfollowed > 0 {
            println!(
                "{} decisions by plans that are not in the configuration were not replayed",
                self.unfollowed
            );
        }
    }
}
