//! The last configuration that worked, kept beside the database: after a bad edit and a power cut
//! the gateway still starts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Checked, Report, files, load, store_path};

/// The copy's name inside the data directory.
const NAME: &str = "last-good";

/// Name of the previous copy while the two are exchanged: used after a power cut in between.
const BEFORE: &str = "last-good.old";

/// The configuration to run at start.
pub struct Booted {
    /// The configuration.
    pub checked: Checked,
    /// Errors of the configuration on disk when `checked` is the last good copy; `None` otherwise.
    pub fallback: Option<Report>,
}

/// Loads the configuration, or the last good copy when it has errors.
///
/// # Errors
/// The errors of the configuration when no usable copy exists.
pub fn load_or_last_good(dir: &Path) -> Result<Booted, Report> {
    let report = match load(dir) {
        Ok(checked) => return Ok(Booted { checked, fallback: None }),
        Err(report) => report,
    };
    // A file with errors may name no data directory: the default one is searched too.
    let candidates = [store_path(dir), PathBuf::from(super::DEFAULT_STORE)];
    let dirs = candidates.iter().filter_map(|store| store.parent());
    for kept in dirs.flat_map(|data| [data.join(NAME), data.join(BEFORE)]) {
        if kept.is_dir()
            && let Ok(checked) = load(&kept)
        {
            return Ok(Booted { checked, fallback: Some(report) });
        }
    }
    Err(report)
}

/// Copies a configuration that works to the data directory. The old copy remains until the new one
/// is complete on the disk. Returns whether it is another one than the old copy.
pub fn keep_last_good(dir: &Path, data_dir: &Path) -> anyhow::Result<bool> {
    let (kept, fresh, old) = (data_dir.join(NAME), data_dir.join("last-good.new"), data_dir.join(BEFORE));
    let _ = fs::remove_dir_all(&fresh);
    copy(dir, &fresh)?;
    pin(&fresh, dir)?;
    let is_other = !is_same(&fresh, &kept);
    let _ = fs::remove_dir_all(&old);
    if kept.is_dir() {
        fs::rename(&kept, &old)?;
    }
    fs::rename(&fresh, &kept)?;
    fs::File::open(data_dir)?.sync_all()?;
    let _ = fs::remove_dir_all(&old);
    Ok(is_other)
}

/// Whether two directories hold the same files.
fn is_same(one: &Path, other: &Path) -> bool {
    let entries = |dir: &Path| -> Option<BTreeMap<OsString, Option<Vec<u8>>>> {
        let entries = fs::read_dir(dir).ok()?.flatten();
        // A folder is compared by itself.
        Some(entries.map(|entry| (entry.file_name(), fs::read(entry.path()).ok())).collect())
    };
    let (Some(ours), Some(theirs)) = (entries(one), entries(other)) else { return false };
    ours == theirs
        && ours
            .iter()
            .filter(|(_, content)| content.is_none())
            .all(|(name, _)| is_same(&one.join(name), &other.join(name)))
}

/// Copies the files that `load` reads and syncs them. Files that the configuration refers to are not
/// copied.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        let is_profiles =
            (entry.file_name() == "devices" || entry.file_name() == "plans") && entry.path().is_dir();
        if is_profiles || (entry.path().is_dir() && from.file_name().is_some_and(|n| n == "devices")) {
            copy(&entry.path(), &target)?;
        } else if entry.path().extension().is_some_and(|ending| ending == "toml" || ending == "sig") {
            fs::copy(entry.path(), &target)?;
            fs::File::open(&target)?.sync_all()?;
        }
    }
    fs::File::open(to)?.sync_all()
}

/// Makes the paths in the copy absolute: in the original they are relative to its directory.
fn pin(copy: &Path, dir: &Path) -> anyhow::Result<()> {
    let file = copy.join("gateway.toml");
    let mut table: toml::Table = toml::from_str(&fs::read_to_string(&file)?)?;
    let dir = std::path::absolute(dir)?;
    let absolute = |path: &str| toml::Value::from(dir.join(path).to_string_lossy().into_owned());
    let store = store_path(&dir);
    let section = table.entry("store").or_insert_with(|| toml::Table::new().into());
    if let Some(section) = section.as_table_mut() {
        section.insert("path".to_owned(), absolute(&store.to_string_lossy()));
    }
    if let Some(mqtt) = table.get_mut("mqtt").and_then(toml::Value::as_table_mut) {
        for key in ["ca", "cert", "key"] {
            let tls = mqtt.get_mut("tls").and_then(toml::Value::as_table_mut);
            if let Some(path) = tls.and_then(|tls| tls.get_mut(key)) {
                *path = absolute(path.as_str().unwrap_or_default());
            }
        }
    }
    table.iter_mut().for_each(|(_, value)| pin_secrets(value, &dir));
    Ok(files::replace(&file, toml::to_string(&table)?.as_bytes())?)
}

/// Makes every `file:` reference to a secret absolute.
fn pin_secrets(value: &mut toml::Value, dir: &Path) {
    match value {
        toml::Value::String(text) => {
            if let Some(path) = text.strip_prefix("file:") {
                *text = format!("file:{}", dir.join(path).display());
            }
        }
        toml::Value::Array(values) => values.iter_mut().for_each(|value| pin_secrets(value, dir)),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, value)| pin_secrets(value, dir)),
        _ => {}
    }
}
