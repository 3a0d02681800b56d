//! A key for each resident, in a file apart from the database. Who erases a resident destroys the key: then no copy
//! of the database reveals the identity, not even with the centre's keys.
//!
//! Each key is sealed with the centre's `identity_key`, so a file alone reveals nothing either.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::Context;
use linli_config::settings::key::{Key, Keys};
use linli_domain::audit::{hex, unhex};
use linli_store::Resident;
use serde::{Deserialize, Serialize};

use super::identity::{self, Identity};
use linli_services::random::random;

/// The directory in the state directory.
const DIR: &str = "residents";

/// Longest pseudonym.
const LONGEST: usize = 64;

/// What a stored identity names as its key when it is sealed with the resident's. Before, it named the centre's key.
pub const OF_RESIDENT: &str = "resident";

/// The keys of residents.
#[derive(Debug, Clone)]
pub struct ResidentKeys {
    dir: PathBuf,
}

/// A key as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct Wrapped {
    /// Name of the centre's key that it is sealed with.
    key: String,
    /// Nonce and sealed key, hexadecimal.
    sealed: String,
}

// === impl ResidentKeys ===

impl ResidentKeys {
    /// The keys in a state directory.
    #[must_use]
    pub fn at(state_dir: &Path) -> Self {
        Self { dir: state_dir.join(DIR) }
    }

    /// Seals an identity with its resident's key, which is made if there is none.
    ///
    /// # Errors
    /// When the key cannot be stored.
    pub fn seal(&self, keys: &Keys, pseudonym: &str, identity: &Identity) -> anyhow::Result<Vec<u8>> {
        let own = self.key_or_new(keys, pseudonym)?;
        identity::seal_with(&own, pseudonym, serde_json::to_vec(identity)?)
    }

    /// The key of a resident, which is made if there is none. One that is there and cannot be opened is never replaced:
    /// what it sealed would be lost.
    pub(super) fn key_or_new(&self, keys: &Keys, pseudonym: &str) -> anyhow::Result<Key> {
        if self.path(pseudonym)?.try_exists()? {
            return self.key(keys, pseudonym);
        }
        let own = Key::of(random()?);
        self.store(keys, pseudonym, &own)?;
        Ok(own)
    }

    /// Opens a stored identity, also one that was sealed with the centre's key.
    ///
    /// # Errors
    /// When its key was destroyed or is unknown, or when it was changed.
    pub fn unseal(&self, keys: &Keys, resident: &Resident) -> anyhow::Result<Identity> {
        let Resident { pseudonym, key, sealed, .. } = resident;
        if key != OF_RESIDENT {
            return identity::unseal(keys, pseudonym, key, sealed);
        }
        Ok(serde_json::from_slice(&identity::open_with(&self.key(keys, pseudonym)?, pseudonym, sealed)?)?)
    }

    /// Destroys a resident's key: it is overwritten, then removed. There may be none.
    ///
    /// # Errors
    /// When it is still there.
    pub fn destroy(&self, pseudonym: &str) -> io::Result<()> {
        let Ok(path) = self.path(pseudonym) else { return Ok(()) };
        let mut file = match fs::OpenOptions::new().write(true).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        let length = usize::try_from(file.metadata()?.len()).unwrap_or_default();
        file.write_all(&vec![0; length])?;
        file.sync_all()?;
        fs::remove_file(&path)?;
        fs::File::open(&self.dir)?.sync_all()
    }

    /// Seals every key with the centre's present key that an earlier one sealed; returns how many.
    ///
    /// # Errors
    /// When one cannot be read or stored.
    pub fn seal_again(&self, keys: &Keys) -> anyhow::Result<usize> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            entries => entries.with_context(|| self.dir.display().to_string())?,
        };
        let (present, mut count) = (keys.identity.name(), 0);
        for entry in entries {
            let name = entry?.file_name();
            let Some(pseudonym) = name.to_str().filter(|name| self.path(name).is_ok()) else { continue };
            // One that no known key opens stays as it is: the key may come back.
            let (Ok(wrapped), Ok(own)) = (self.read(pseudonym), self.key(keys, pseudonym)) else { continue };
            if wrapped.key != present {
                self.store(keys, pseudonym, &own)?;
                count += 1;
            }
        }
        Ok(count)
    }

    /// The file of a resident's key. A pseudonym has the alphabet of base32, so it is the name of a file.
    fn path(&self, pseudonym: &str) -> anyhow::Result<PathBuf> {
        let is_letter = |byte: u8| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte);
        let is_one = (1..=LONGEST).contains(&pseudonym.len()) && pseudonym.bytes().all(is_letter);
        anyhow::ensure!(is_one, "it is no pseudonym");
        Ok(self.dir.join(pseudonym))
    }

    fn read(&self, pseudonym: &str) -> anyhow::Result<Wrapped> {
        let text =
            fs::read_to_string(self.path(pseudonym)?).context("the key of the resident is not there")?;
        serde_json::from_str(&text).context("the key of the resident is damaged")
    }

    pub(super) fn key(&self, keys: &Keys, pseudonym: &str) -> anyhow::Result<Key> {
        let Wrapped { key, sealed } = self.read(pseudonym)?;
        let sealed = unhex(&sealed).context("the key of the resident is damaged")?;
        let own = identity::open_with(identity::known(keys, &key)?, pseudonym, &sealed)?;
        Ok(Key::of(own.try_into().ok().context("the key of the resident has another length")?))
    }

    fn store(&self, keys: &Keys, pseudonym: &str, own: &Key) -> anyhow::Result<()> {
        let path = self.path(pseudonym)?;
        let sealed = identity::seal_with(&keys.identity, pseudonym, own.bytes().to_vec())?;
        let wrapped = Wrapped { key: keys.identity.name(), sealed: hex(&sealed) };
        fs::DirBuilder::new().mode(0o700).recursive(true).create(&self.dir)?;
        let mut fresh = tempfile::NamedTempFile::new_in(&self.dir)?;
        fresh.write_all(serde_json::to_string(&wrapped)?.as_bytes())?;
        fresh.as_file().sync_all()?;
        fresh.persist(&path)?;
        fs::File::open(&self.dir)?.sync_all()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use linli_domain::Timestamp;

    const PSEUDONYM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    fn keys(present: u8, previous: &[u8]) -> Keys {
        let key = |byte: &u8| Key::of([*byte; 32]);
        Keys { identity: key(&present), previous: previous.iter().map(key).collect(), pseudonym: key(&9) }
    }

    fn identity() -> Identity {
        let (name, card) = ("张小明".to_owned(), Some("A1".to_owned()));
        Identity { name, card, ..Identity::default() }
    }

    fn resident(key: &str, sealed: Vec<u8>) -> Resident {
        Resident { pseudonym: PSEUDONYM.to_owned(), key: key.to_owned(), sealed, at: Timestamp(0) }
    }

    #[test]
    fn without_its_key_an_identity_is_unreadable_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        let (residents, keys) = (ResidentKeys::at(dir.path()), keys(2, &[]));
        let stored = resident(OF_RESIDENT, residents.seal(&keys, PSEUDONYM, &identity()).unwrap());
        assert_eq!(residents.unseal(&keys, &stored).unwrap(), identity());
        let again = resident(OF_RESIDENT, residents.seal(&keys, PSEUDONYM, &identity()).unwrap());
        assert_eq!(residents.unseal(&keys, &stored).unwrap(), identity(), "the key is still the same");
        let file = dir.path().join("residents").join(PSEUDONYM);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(&dir.path().join("residents"))), (0o600, 0o700));
        residents.destroy(PSEUDONYM).unwrap();
        assert!(!file.exists());
        residents.destroy(PSEUDONYM).unwrap();
        residents.destroy("../linli.db").unwrap();
        for copy in [&stored, &again] {
            assert!(residents.unseal(&keys, copy).is_err());
        }
        // Whoever comes back has a new key, which opens no old copy.
        let back = resident(OF_RESIDENT, residents.seal(&keys, PSEUDONYM, &identity()).unwrap());
        assert_eq!(residents.unseal(&keys, &back).unwrap(), identity());
        assert!(residents.unseal(&keys, &stored).is_err());
    }

    #[test]
    fn the_centres_key_can_be_replaced_and_what_it_sealed_itself_still_opens() {
        let dir = tempfile::tempdir().unwrap();
        let residents = ResidentKeys::at(dir.path());
        let old = keys(1, &[]);
        assert_eq!(residents.seal_again(&old).unwrap(), 0);
        let stored = resident(OF_RESIDENT, residents.seal(&old, PSEUDONYM, &identity()).unwrap());
        assert_eq!(residents.seal_again(&keys(2, &[1])).unwrap(), 1);
        assert_eq!(residents.seal_again(&keys(2, &[1])).unwrap(), 0);
        assert_eq!(residents.unseal(&keys(2, &[]), &stored).unwrap(), identity());
        assert!(residents.unseal(&old, &stored).is_err());
        let before = identity::seal(&old, PSEUDONYM, &identity()).unwrap();
        let before = resident(&old.identity.name(), before);
        assert_eq!(residents.unseal(&keys(2, &[1]), &before).unwrap(), identity());
    }

    #[test]
    fn a_key_as_it_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let residents = ResidentKeys::at(dir.path());
        let frozen = linli_golden::golden("cabin/resident_key.json");
        fs::create_dir(dir.path().join("residents")).unwrap();
        fs::write(dir.path().join("residents").join(PSEUDONYM), &frozen).unwrap();
        let own = residents.key(&keys(2, &[]), PSEUDONYM).unwrap();
        assert_eq!(own.bytes(), &[7; 32]);
        residents.store(&keys(2, &[]), PSEUDONYM, &own).unwrap();
        let written = fs::read_to_string(dir.path().join("residents").join(PSEUDONYM)).unwrap();
        let shape = |text: &str| text.split("\"sealed\"").next().unwrap().to_owned();
        assert_eq!((shape(&written), written.len()), (shape(&frozen), frozen.trim_end().len()));
    }
}
