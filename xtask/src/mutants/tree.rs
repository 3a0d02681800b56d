//! A copy of the sources, in which changes are tried, with a build folder of its own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

/// The copy.
pub struct Tree {
    /// Where its sources are.
    pub root: PathBuf,
    /// Where it is built.
    pub build: PathBuf,
}

// === impl Tree ===

impl Tree {
    /// Copies every file that git tracks or would track to `target/mutants`. What is the same stays as it
    /// is, and is not built again.
    pub fn of(project: &Path) -> anyhow::Result<Self> {
        let folder = project.canonicalize()?.join("target/mutants");
        let tree = Self { root: folder.join("tree"), build: folder.join("build") };
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(project)
            .output()
            .context("git is missing")?;
        ensure!(listed.status.success(), "git lists no files");
        let names = String::from_utf8(listed.stdout)?;
        let names: BTreeSet<&str> = names.split_terminator('\0').collect();
        let present: BTreeSet<&str> = names.into_iter().filter(|name| project.join(name).is_file()).collect();
        for name in &present {
            tree.write_bytes(name, &std::fs::read(project.join(name))?)?;
        }
        let mut copied = Vec::new();
        files(&tree.root, &mut copied)?;
        for file in copied {
            let is_present =
                file.strip_prefix(&tree.root).is_ok_and(|name| present.contains(&*name.to_string_lossy()));
            if !is_present {
                std::fs::remove_file(&file)?;
            }
        }
        Ok(tree)
    }

    /// Writes a file of the copy, unless it is so already.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        self.write_bytes(name, text.as_bytes())
    }

    fn write_bytes(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.root.join(name);
        if std::fs::read(&path).is_ok_and(|known| known == bytes) {
            return Ok(());
        }
        let folder = path.parent().context("a file stands in a folder")?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(&path, bytes).with_context(|| format!("{} cannot be written", path.display()))
    }
}

/// Every file below a folder.
fn files(folder: &Path, all: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()?.is_dir() {
            true => files(&entry.path(), all)?,
            false => all.push(entry.path()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(folder: &Path, arguments: &[&str]) {
        let status = Command::new("git").args(arguments).current_dir(folder).status().expect("git");
        assert!(status.success(), "git {arguments:?}");
    }

    #[test]
    fn the_copy_follows_the_project_and_forgets_changes() {
        let project = tempfile::tempdir().expect("a folder");
        let write =
            |name: &str, text: &str| std::fs::write(project.path().join(name), text).expect("written");
        git(project.path(), &["init", "--quiet"]);
        write(".gitignore", "/target\n");
        write("a.rs", "a");
        write("b.rs", "b");
        let tree = Tree::of(project.path()).expect("a copy");
        let read = |name: &str| std::fs::read_to_string(tree.root.join(name)).ok();
        assert_eq!((read("a.rs").as_deref(), read("b.rs").as_deref()), (Some("a"), Some("b")));
        tree.write("a.rs", "changed").expect("written");
        std::fs::remove_file(project.path().join("b.rs")).expect("removed");
        Tree::of(project.path()).expect("a copy");
        assert_eq!((read("a.rs").as_deref(), read("b.rs")), (Some("a"), None));
    }
}
