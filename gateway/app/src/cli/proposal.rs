//! `linli proposal`: outlines that somebody drew on the map become part of facility.toml, and can be taken back.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use linli_config::proposal::{FOLDER, Proposal, Proposed};
use linli_config::{Report, files};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::config_dir::ConfigDir;

/// The file that a proposal changes.
const FILE: &str = "facility.toml";

/// Beside it, as it was before the last proposal was applied.
const BEFORE: &str = "facility.toml.before";

/// Beside it, what was applied last, so that nothing else is taken back.
const APPLIED: &str = "facility.toml.applied";

/// Look at proposals for the map, apply one, take it back (平面图修改建议).
///
/// A technician draws the outlines of rooms on the map (画平面图) and keeps them as a proposal in the data directory. It
/// changes nothing until it is applied here; comments and order of facility.toml stay. `linli check --proposal FILE` tells
/// whether it would be accepted.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli proposal list\n  linli proposal show /var/lib/linli/proposals/20261130T100000Z-zhao.toml\n  linli proposal apply /var/lib/linli/proposals/20261130T100000Z-zhao.toml --yes && linli reload\n  linli proposal undo && linli reload\n\nExit codes: 0 done, 1 failed, 2 the configuration would have problems"
)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
    #[command(flatten)]
    site: ConfigDir,
}

#[derive(Debug, clap::Subcommand)]
enum Verb {
    /// List what was drawn (列出建议)
    List,
    /// Show what a proposal would change; changes nothing (预览)
    Show {
        /// The proposal
        file: PathBuf,
    },
    /// Put a proposal into facility.toml, after a check of the whole configuration (应用)
    Apply {
        /// The proposal
        file: PathBuf,
        /// Do it; without this, only show it
        #[arg(long)]
        yes: bool,
    },
    /// Take back what was applied last (撤回)
    Undo,
}

/// What was applied last.
#[derive(Serialize, Deserialize)]
struct Applied {
    /// Its name and who drew it.
    name: String,
    by: String,
    /// SHA-256 of facility.toml with it.
    sha256: String,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let dir = &args.site.config;
    match &args.verb {
        Verb::List => list(&args.site.data_dir().join(FOLDER))?,
        Verb::Show { file } => {
            let (proposal, proposed) = judged(dir, file)?;
            print(&proposal, &proposed);
            println!("\n可以应用 It would be accepted: linli proposal apply {} --yes", file.display());
        }
        Verb::Apply { file, yes } => {
            let (proposal, proposed) = judged(dir, file)?;
            print(&proposal, &proposed);
            match (proposed.changes.is_empty(), yes) {
                (true, _) => {}
                (false, false) => {
                    println!("\n没有改动任何文件 Nothing was changed; once more with --yes to apply it")
                }
                (false, true) => apply(dir, &proposal, &proposed)?,
            }
        }
        Verb::Undo => undo(dir)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Reads a proposal.
///
/// # Errors
/// Where it cannot be read, or what is wrong with it.
pub fn read(file: &Path) -> anyhow::Result<Proposal> {
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let name = file.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    Proposal::parse(&name, &text).map_err(|problem| Report { problems: vec![problem] }.into())
}

/// Reads a proposal and checks the configuration with it.
fn judged(dir: &Path, file: &Path) -> anyhow::Result<(Proposal, Proposed)> {
    let proposal = read(file)?;
    let (_, proposed) = linli_config::load_proposed(dir, &proposal)?;
    Ok((proposal, proposed))
}

/// What a proposal is and what it changes.
pub fn print(proposal: &Proposal, proposed: &Proposed) {
    let about = &proposal.proposal;
    println!("{} · {} · {}", about.name, about.by, about.at);
    if proposed.changes.is_empty() {
        println!("已经是这样 facility.toml is so already; nothing to change");
    }
    for change in &proposed.changes {
        println!("\n[[room]] {}", change.room);
        let other = |lines: &[String], line: &String| !lines.contains(line);
        change.before.iter().filter(|line| other(&change.after, line)).for_each(|line| println!("- {line}"));
        change.after.iter().filter(|line| other(&change.before, line)).for_each(|line| println!("+ {line}"));
    }
}

fn list(folder: &Path) -> anyhow::Result<()> {
    let mut files: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", folder.display())),
    };
    files.retain(|file| file.extension().is_some_and(|ending| ending == "toml"));
    files.sort();
    if files.is_empty() {
        println!(
            "没有建议 No proposals in {}; technicians draw them on the map (画平面图)",
            folder.display()
        );
    }
    for file in files {
        match read(&file) {
            Ok(Proposal { proposal, room }) => {
                let rooms: Vec<&str> = room.iter().map(|room| room.id.as_str()).collect();
                println!(
                    "{}\n  {} · {} · {} · {}",
                    file.display(),
                    proposal.name,
                    proposal.by,
                    proposal.at,
                    rooms.join(", ")
                );
            }
            Err(error) => println!("{}\n  {error:#}", file.display()),
        }
    }
    Ok(())
}

fn sha256(text: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    files::replace(file, text.as_bytes()).with_context(|| format!("{} cannot be written", file.display()))
}

/// First the way back is on the disk, then the change.
fn apply(dir: &Path, proposal: &Proposal, proposed: &Proposed) -> anyhow::Result<()> {
    let file = dir.join(FILE);
    let before =
        std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    let about = &proposal.proposal;
    let applied = json!({"name": about.name, "by": about.by, "sha256": sha256(&proposed.text)});
    replace(&dir.join(BEFORE), &before)?;
    replace(&dir.join(APPLIED), &format!("{applied}\n"))?;
    replace(&file, &proposed.text)?;
    println!("\n已写入 Written to {}", file.display());
    println!("生效 To take effect: linli reload · 撤回 To take it back: linli proposal undo");
    Ok(())
}

fn undo(dir: &Path) -> anyhow::Result<()> {
    let (file, kept, note) = (dir.join(FILE), dir.join(BEFORE), dir.join(APPLIED));
    let text = std::fs::read_to_string(&note)
        .with_context(|| format!("没有可撤回的 nothing to take back: {}", note.display()))?;
    let applied: Applied = serde_json::from_str(&text).with_context(|| format!("{}", note.display()))?;
    let now = std::fs::read_to_string(&file).with_context(|| format!("{} cannot be read", file.display()))?;
    ensure!(
        sha256(&now) == applied.sha256,
        "{} 之后又改过，没有动它 was changed since; it was left as it is. {} is what it was before",
        file.display(),
        kept.display()
    );
    let before =
        std::fs::read_to_string(&kept).with_context(|| format!("{} cannot be read", kept.display()))?;
    replace(&file, &before)?;
    std::fs::remove_file(&note).with_context(|| format!("{} cannot be removed", note.display()))?;
    println!("已撤回 Taken back: {} · {}", applied.name, applied.by);
    println!("生效 To take effect: linli reload");
    Ok(())
}
