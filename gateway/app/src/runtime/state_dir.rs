//! The state directory: database, keys and certificates, for the gateway's user alone.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use anyhow::Context;
use rustix::fs::Mode;

/// What group and others may do with it.
const OPEN: u32 = 0o077;

/// Files that this process makes from now on are for its user alone.
pub fn keep_to_ourselves() {
    rustix::process::umask(Mode::from_raw_mode(OPEN));
}

/// Makes the directory if it is missing, and refuses one that others may enter, or files in it that others may read.
///
/// # Errors
/// Every file and directory that is open to others, with the command that closes it.
pub fn prepare(dir: &Path) -> anyhow::Result<()> {
    match DirBuilder::new().mode(0o700).recursive(true).create(dir) {
        Ok(()) => {}
        Err(error) => return Err(error).with_context(|| format!("{} cannot be made", dir.display())),
    }
    let mut open = Vec::new();
    if mode(dir)? & OPEN != 0 {
        open.push(format!("{0}: others may enter it; run `chmod 700 {0}`", dir.display()));
    }
    let found = std::fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    for entry in found {
        let entry = entry?;
        // The control socket has permissions of its own.
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if is_file && mode(&entry.path()).is_ok_and(|mode| mode & OPEN != 0) {
            open.push(format!("{0}: others may read it; run `chmod 600 {0}`", entry.path().display()));
        }
    }
    open.sort();
    anyhow::ensure!(open.is_empty(), "the state directory is open to others:\n{}", open.join("\n"));
    Ok(())
}

fn mode(path: &Path) -> io::Result<u32> {
    Ok(std::fs::metadata(path)?.permissions().mode())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions, write};

    #[test]
    fn what_others_may_read_is_named_with_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let state = dir.path().join("state");
        prepare(&state).unwrap();
        assert_eq!(mode(&state).unwrap() & 0o777, 0o700);
        let file = state.join("linli.db");
        write(&file, "").unwrap();
        for (at, wide, narrow) in [(&state, 0o750, 0o700), (&file, 0o640, 0o600), (&file, 0o604, 0o400)] {
            set_permissions(at, Permissions::from_mode(wide)).unwrap();
            if at != &file {
                set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
            }
            let error = prepare(&state).unwrap_err().to_string();
            let close = if at == &file { 600 } else { 700 };
            assert!(error.ends_with(&format!("run `chmod {close} {}`", at.display())), "{error}");
            set_permissions(at, Permissions::from_mode(narrow)).unwrap();
            prepare(&state).unwrap();
        }
    }
}
