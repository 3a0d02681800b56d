//! The rules that source text and cargo's metadata can be checked for. Each has a test with a tree that
//! breaks it.

mod circles;
mod crates;
mod direction;
mod names;
mod profiles;
mod source;
mod text;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// A file of the project.
pub struct File {
    /// Relative to the root.
    pub path: PathBuf,
    /// Contents of the file.
    pub text: String,
    /// Whether it is a test: below `tests`, or a module declared for tests only.
    pub is_test: bool,
}

/// Checks everything below `root`.
pub fn run(root: &Path) -> anyhow::Result<()> {
    let mut files = files(root)?;
    text::mark_tests(&mut files);
    let mut problems = direction::check(&metadata(root)?);
    problems.extend(files.iter().flat_map(text::check));
    problems.extend(text::dead_files(&files));
    problems.extend(circles::check(&files));
    problems.extend(crates::check(&files));
    problems.extend(names::check(&files));
    problems.extend(profiles::check(&files));
    problems.extend(files.iter().flat_map(|file| text::links(root, file)));
    let mut sizes: Vec<usize> =
        files.iter().filter(|f| text::is_rust(f)).map(|f| text::code_lines(&f.text)).collect();
    sizes.sort_unstable();
    let (median, most) =
        (sizes.get(sizes.len() / 2).copied().unwrap_or(0), sizes.last().copied().unwrap_or(0));
    println!("{} Rust files without their tests: median {median} lines, most {most}", sizes.len());
    if problems.is_empty() {
        return Ok(());
    }
    problems.iter().for_each(|problem| eprintln!("{problem}"));
    bail!("{} untidy places", problems.len())
}

/// Every text file that git tracks or would track.
fn files(root: &Path) -> anyhow::Result<Vec<File>> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("git is missing")?;
    let names = String::from_utf8(listed.stdout)?;
    let read = |name: &str| {
        let text = std::fs::read_to_string(root.join(name)).ok()?;
        Some(File { path: PathBuf::from(name), text, is_test: false })
    };
    Ok(names.lines().filter_map(read).collect())
}

fn metadata(root: &Path) -> anyhow::Result<serde_json::Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root)
        .output()?;
    Ok(serde_json::from_slice(&output.stdout)?)
}
