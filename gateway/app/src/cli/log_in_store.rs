//! The log-ins of this user of the machine: one file an account, for nobody else to read.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// A log-in as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Address of the gateway; without it, the one of the configuration directory, over its control socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// File with the certificate of the centre, for an address that begins with https.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// Cookies, name and value.
    #[serde(default)]
    pub cookies: Vec<(String, String)>,
}

/// The directory with the log-ins: LINLI_SESSIONS, or the state directory of the user.
fn directory() -> anyhow::Result<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    of("LINLI_SESSIONS")
        .or_else(|| of("XDG_STATE_HOME").map(|state| state.join("linli/sessions")))
        .or_else(|| of("HOME").map(|home| home.join(".local/state/linli/sessions")))
        .context("neither LINLI_SESSIONS nor HOME is set: where shall the log-in be kept?")
}

fn file(account: &str) -> anyhow::Result<PathBuf> {
    let id = linli_domain::Id::new(account).map_err(|error| anyhow::anyhow!("{account:?}: {error}"))?;
    Ok(directory()?.join(id.as_str()))
}

/// Reads the log-in of an account.
///
/// # Errors
/// When there is none.
pub fn read(account: &str) -> anyhow::Result<Kept> {
    let path = file(account)?;
    let text = fs::read_to_string(&path).with_context(|| {
        format!("{account} 未登录 is not logged in here: `linli login {account}` ({})", path.display())
    })?;
    serde_json::from_str(&text).with_context(|| format!("{} is no log-in; remove it", path.display()))
}

/// Keeps a log-in.
pub fn write(account: &str, kept: &Kept) -> anyhow::Result<()> {
    let path = file(account)?;
    let dir = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .with_context(|| dir.display().to_string())?;
    write_private(&path, &serde_json::to_string(kept)?)
}

/// Forgets a log-in.
pub fn remove(account: &str) -> anyhow::Result<()> {
    match fs::remove_file(file(account)?) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes a file that only this user reads, replacing one that is there.
pub fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let beside = path.with_extension("new");
    let _ = fs::remove_file(&beside);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path).with_context(|| format!("{} cannot be written", path.display()))
}
