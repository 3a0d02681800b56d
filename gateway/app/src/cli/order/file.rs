//! Reads and writes files with orders, which are COSE bytes or armoured text.

use std::path::{Path, PathBuf};

use anyhow::Context;
use linli_config::files;
use linli_mode::order::{Envelope, LARGEST};

use linli_mode::order::text;

/// Reads an order in either form.
///
/// # Errors
/// When the file cannot be read, is too long or contains no order.
pub fn read(path: &Path) -> anyhow::Result<Envelope> {
    let found = std::fs::metadata(path).with_context(|| format!("{} cannot be read", path.display()))?;
    anyhow::ensure!(
        found.len() <= 4 * LARGEST as u64,
        "{} is {} bytes long: that is no order",
        path.display(),
        found.len()
    );
    let bytes = std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let bytes = match std::str::from_utf8(&bytes) {
        Ok(text) if text::is_text(text) => {
            text::read(text).with_context(|| format!("{} is not an order in text", path.display()))?
        }
        _ => bytes,
    };
    Envelope::read(&bytes).with_context(|| path.display().to_string())
}

/// Writes an order as bytes. Unless `is_replaced`, an existing file is an error.
pub fn write(path: &Path, envelope: &Envelope, is_replaced: bool) -> anyhow::Result<()> {
    let is_there = path.exists();
    anyhow::ensure!(
        is_replaced || !is_there,
        "{} is there already; name another file with -o",
        path.display()
    );
    replace(path, &envelope.bytes())
}

/// The path with `.ending` appended.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Replaces a file as a whole.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    files::replace(path, bytes).with_context(|| format!("{} cannot be written", path.display()))
}
