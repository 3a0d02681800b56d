//! The gateway's own key, which signs checkpoints of the audit record. It is created at the first start
//! in a file beside the database, so that a new database is signed with the same key.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use linli_mode::checkpoint::CheckpointSigner;
use linli_mode::order::SecretKey;

use crate::random::random;

/// The key file, readable by its owner only.
const FILE: &str = "record.key";

/// Returns the signer of the audit record; `None` when the key cannot be read or created. The mode
/// switch works without it, with unsigned heads.
pub fn signer(dir: &Path, name: String) -> Option<CheckpointSigner> {
    match key(&dir.join(FILE), dir) {
        Ok(key) => Some(CheckpointSigner::new(name, key)),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "heads of the audit record are not signed");
            None
        }
    }
}

fn key(file: &Path, dir: &Path) -> anyhow::Result<SecretKey> {
    if !file.try_exists()? {
        let mut fresh = tempfile::NamedTempFile::new_in(dir)?;
        writeln!(fresh, "{}", SecretKey::from_seed(random()?).reveal())?;
        fresh.as_file().sync_all()?;
        fresh.persist(file)?;
        std::fs::File::open(dir)?.sync_all()?;
    }
    let text = std::fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    SecretKey::parse(&text)
        .map_err(|why| anyhow::anyhow!("{}: {why}; move it away and a new one is made", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_is_its_owners_alone() {
        let dir = tempfile::tempdir().unwrap();
        let name = || "linli/xinghe/gate-1".to_owned();
        let first = signer(dir.path(), name()).expect("a key is made");
        let again = signer(dir.path(), name()).expect("it is found again");
        assert_eq!(first.verifier(), again.verifier());
        let mode = std::fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(dir.path().join(FILE), "ed25519-secret:12").unwrap();
        assert!(signer(dir.path(), name()).is_none(), "half a key signs nothing");
    }
}
