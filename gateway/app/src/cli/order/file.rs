//! Orders in files: as bytes, or as text.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;
use linli_mode::order::{Envelope, LARGEST};

use linli_mode::order::text;

/// Reads an order in either form.
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

/// Writes an order whole or not at all.
pub fn write(path: &Path, envelope: &Envelope, is_replaced: bool) -> anyhow::Result<()> {
    let is_there = path.exists();
    anyhow::ensure!(
        is_replaced || !is_there,
        "{} is there already; name another file with -o",
        path.display()
    );
    replace(path, &envelope.bytes())
}

/// The file's name with an ending more.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

/// Writes a file whole or not at all.
pub fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let fresh = dir.join(format!(".linli-order-{}", std::process::id()));
    let written = std::fs::File::create(&fresh)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| std::fs::rename(&fresh, path));
    written.with_context(|| format!("{} cannot be written", path.display()))
}
