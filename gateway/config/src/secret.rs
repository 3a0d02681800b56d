//! Reads secrets, which are in files or environment variables and never in the configuration itself.

use std::path::Path;

/// Longest secret file in bytes; chains of certificates are read too.
const LONGEST_SECRET: u64 = 16 << 10;

/// Resolves a reference such as `file:PATH` or `env:NAME`. Without a directory nothing is read, and the
/// secret is empty.
pub fn read(reference: &str, dir: Option<&Path>) -> Result<String, String> {
    if let Some(path) = reference.strip_prefix("file:") {
        let Some(dir) = dir else { return Ok(String::new()) };
        let path = dir.join(path);
        let length = std::fs::metadata(&path).map_err(|e| format!("{}: {e}", path.display()))?.len();
        if length > LONGEST_SECRET {
            return Err(format!("{}: {length} bytes is no password", path.display()));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| not_read(&path, &error))?;
        return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
    }
    if let Some(name) = reference.strip_prefix("env:") {
        if dir.is_none() {
            return Ok(String::new());
        }
        return std::env::var(name).map_err(|_| format!("the environment has no variable {name:?}"));
    }
    // The message does not contain the value, which may be a password.
    Err("must be a reference, \"file:/etc/linli/secret\" or \"env:NAME\", never the secret itself".to_owned())
}

/// Why a file was not read.
pub fn not_read(path: &Path, error: &std::io::Error) -> String {
    let path = path.display();
    match error.kind() {
        std::io::ErrorKind::PermissionDenied => {
            format!(
                "{path}: {error}; it must belong to the user that the gateway runs as, `chown linli {path}`"
            )
        }
        _ => format!("{path}: {error}"),
    }
}

/// Like [`read`], but a file that group or others may access is an error.
pub fn read_private(reference: &str, dir: Option<&Path>) -> Result<String, String> {
    if let (Some(path), Some(dir)) = (reference.strip_prefix("file:"), dir)
        && let Some(why) = is_open(&dir.join(path))
    {
        return Err(why);
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
