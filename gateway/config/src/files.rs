//! Files that are written as a whole: after a power cut the old or the new content is there, never a
//! part of it.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

/// Permissions of a file that did not exist before, less the umask of the process.
const USUAL_MODE: u32 = 0o666;

/// Only the owner reads and writes.
const SECRET_MODE: u32 = 0o600;

/// Replaces a file, or creates it. An existing file keeps its permissions.
///
/// # Errors
/// When the directory cannot be written or the disk is full; the old content is then untouched.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let before = std::fs::metadata(path).ok().map(|found| found.permissions());
    let file = written(path, bytes, USUAL_MODE, before)?;
    file.persist(path).map_err(|error| error.error)?;
    sync_directory(path)
}

/// Creates a file that only its owner may read.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when the file exists, which stays as it is.
pub fn create_secret(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = written(path, bytes, SECRET_MODE, None)?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    sync_directory(path)
}

/// Replaces a file that only its owner may read, or creates it. Where root writes it, it belongs to the owner of
/// `like`, such as a directory of the user that the gateway runs as.
///
/// # Errors
/// When the directory cannot be written or the disk is full; the old content is then untouched.
pub fn replace_secret(path: &Path, bytes: &[u8], like: &Path) -> io::Result<()> {
    let file = written(path, bytes, SECRET_MODE, None)?;
    if rustix::process::geteuid().is_root() {
        let owner = std::fs::metadata(like)?;
        std::os::unix::fs::chown(file.path(), Some(owner.uid()), Some(owner.gid()))?;
    }
    file.persist(path).map_err(|error| error.error)?;
    sync_directory(path)
}

/// Writes a temporary file beside `path` and waits until it is on the disk.
fn written(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    permissions: Option<Permissions>,
) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(".linli-").permissions(Permissions::from_mode(mode));
    let mut file = builder.tempfile_in(directory(path))?;
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    file.as_file().sync_all()?;
    Ok(file)
}

/// The new name is durable once the directory is.
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(directory(path))?.sync_all()
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_replaced_file_keeps_its_permissions_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("devices.toml");
        replace(&path, b"first").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        replace(&path, b"second").unwrap();
        assert_eq!((std::fs::read(&path).unwrap().as_slice(), mode(&path)), (b"second".as_slice(), 0o640));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_new_file_has_the_permissions_that_the_umask_leaves() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, usual) = (dir.path().join("ours"), dir.path().join("usual"));
        replace(&ours, b"").unwrap();
        std::fs::write(&usual, b"").unwrap();
        assert_eq!(mode(&ours), mode(&usual));
    }

    #[test]
    fn a_secret_is_for_its_owner_and_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        create_secret(&path, b"one").unwrap();
        let again = create_secret(&path, b"two").unwrap_err();
        assert_eq!((again.kind(), mode(&path)), (io::ErrorKind::AlreadyExists, 0o600));
        assert_eq!(std::fs::read(&path).unwrap(), b"one");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_that_is_replaced_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        std::fs::write(&path, b"open").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        replace_secret(&path, b"closed", dir.path()).unwrap();
        assert_eq!((std::fs::read(&path).unwrap().as_slice(), mode(&path)), (b"closed".as_slice(), 0o600));
    }

    #[test]
    fn a_directory_that_is_missing_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let error = replace(&dir.path().join("missing/file"), b"").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
