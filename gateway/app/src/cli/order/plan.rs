//! Signs a plan file. The signatures are in `FILE.sig`.

use std::path::Path;

use anyhow::Context;
use linli_mode::order::{SecretKey, sign_plan};

/// Adds a signature to those of a plan file.
pub fn sign(file: &Path, secret: &SecretKey) -> anyhow::Result<()> {
    let text = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let beside = super::file::beside(file, "sig");
    let before = std::fs::read(&beside).ok();
    let signed = sign_plan(&text, before.as_deref(), secret)
        .with_context(|| format!("{} is no signature; remove it first", beside.display()))?;
    super::file::replace(&beside, &signed)?;
    println!("{} 已签署 signed with key {}", beside.display(), secret.public().id());
    Ok(())
}
