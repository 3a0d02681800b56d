//! Reads secrets, which are in files or environment variables and never in the configuration itself.

use std::fmt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::store_path;

/// Longest secret file in bytes; chains of certificates are read too.
const LONGEST_SECRET: u64 = 16 << 10;

/// What is to be said of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A sentence.
    pub why: String,
    /// Whether it belongs to the gateway's user and is kept from whoever asks: nothing is wrong with it.
    pub is_kept: bool,
}

// === impl Finding ===

impl Finding {
    /// Why a file that a configuration in `dir` names could not be opened.
    pub fn unread(path: &Path, dir: &Path, error: &std::io::Error) -> Self {
        let shown = path.display();
        if error.kind() != std::io::ErrorKind::PermissionDenied {
            return Self::from(format!("{shown}: {error}"));
        }
        Self {
            why: format!(
                "{shown}: {error}; it must belong to the user that the gateway runs as, `chown linli {shown}`"
            ),
            is_kept: is_the_gateways(path, dir),
        }
    }
}

impl From<String> for Finding {
    fn from(why: String) -> Self {
        Self { why, is_kept: false }
    }
}

impl From<&str> for Finding {
    fn from(why: &str) -> Self {
        Self::from(why.to_owned())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

/// Whether a file has the owner of the data directory, who is somebody else than this process.
fn is_the_gateways(path: &Path, dir: &Path) -> bool {
    let owner = |path: &Path| path.metadata().ok().map(|found| found.uid());
    let gateway = store_path(dir).parent().and_then(owner);
    is_kept(owner(path), gateway, rustix::process::geteuid().as_raw())
}

/// Whether a file of this owner is the gateway's, and not of whoever asks.
fn is_kept(owner: Option<u32>, gateway: Option<u32>, asking: u32) -> bool {
    owner.is_some() && owner == gateway && owner != Some(asking)
}

/// Resolves a reference such as `file:PATH` or `env:NAME`. Without a directory nothing is read, and the
/// secret is empty.
pub fn read(reference: &str, dir: Option<&Path>) -> Result<String, Finding> {
    if let Some(path) = reference.strip_prefix("file:") {
        let Some(dir) = dir else { return Ok(String::new()) };
        let path = dir.join(path);
        let unread = |error| Finding::unread(&path, dir, &error);
        let length = std::fs::metadata(&path).map_err(unread)?.len();
        if length > LONGEST_SECRET {
            return Err(format!("{}: {length} bytes is no password", path.display()).into());
        }
        let text = std::fs::read_to_string(&path).map_err(unread)?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    if let Some(name) = reference.strip_prefix("env:") {
        if dir.is_none() {
            return Ok(String::new());
        }
        return std::env::var(name).map_err(|_| format!("the environment has no variable {name:?}").into());
    }
    // The message does not contain the value, which may be a password.
    Err("must be a reference, \"file:/etc/linli/secret\" or \"env:NAME\", never the secret itself".into())
}

/// Like [`read`], but a file that group or others may access is an error.
pub fn read_private(reference: &str, dir: Option<&Path>) -> Result<String, Finding> {
    if let (Some(path), Some(dir)) = (reference.strip_prefix("file:"), dir)
        && let Some(why) = is_open(&dir.join(path))
    {
        return Err(why.into());
    }
    read(reference, dir)
}

/// Returns what is wrong with the permissions of a file with a secret: group or others may access it. `None` for
/// a file that is missing.
pub fn is_open(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| format!("{0}: others may read it; run `chmod 600 {0}`", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_the_gateways_is_kept_from_others() {
        assert!(is_kept(Some(990), Some(990), 1000));
        assert!(!is_kept(Some(990), Some(990), 990), "the gateway itself must read it");
        assert!(!is_kept(Some(0), Some(990), 1000) && !is_kept(None, None, 1000));
    }

    #[test]
    fn what_may_not_be_read_is_told_with_the_way_out() {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let unread = Finding::unread(Path::new("/nowhere/p"), Path::new("/nowhere"), &denied);
        assert!(unread.why.ends_with("`chown linli /nowhere/p`") && !unread.is_kept, "{unread:?}");
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        let unread = Finding::unread(Path::new("/nowhere/p"), Path::new("/nowhere"), &missing);
        assert_eq!(unread.to_string(), "/nowhere/p: entity not found");
    }
}
