//! TLS of the HTTP listener: certificate and key from files, read again when they change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use linli_listen::{Resolver, Tls, pem};
use rustls::sign::CertifiedKey;
use tokio_util::sync::CancellationToken;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(60);

/// Files of the certificate and of its key.
type Files = (PathBuf, PathBuf);

/// Reads a certificate and its key.
///
/// # Errors
/// A sentence that names the file.
pub fn read(certificate: &Path, key: &Path) -> Result<CertifiedKey, String> {
    let text =
        |path: &Path| std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let of = |path: &Path, error: String| format!("{}: {error}", path.display());
    let chain = pem::certificates(&text(certificate)?).map_err(|error| of(certificate, error))?;
    let private = pem::key(&text(key)?).map_err(|error| of(key, error))?;
    pem::certified(chain, private).map_err(|error| of(certificate, error))
}

/// TLS for the listener, and where its certificate is replaced.
///
/// # Errors
/// When the files cannot be read.
pub fn open((certificate, key): &Files) -> anyhow::Result<(Tls, Arc<Resolver>)> {
    let read = read(certificate, key).map_err(anyhow::Error::msg)?;
    let resolver = Arc::new(Resolver::new(Arc::new(read)));
    Ok((Tls::new(Arc::clone(&resolver) as Arc<_>)?, resolver))
}

/// Uses changed files for new connections, until cancelled.
pub async fn follow(files: Files, resolver: Arc<Resolver>, cancel: CancellationToken) {
    let mut known = changed(&files);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let now = changed(&files);
        if now == known {
            continue;
        }
        match read(&files.0, &files.1) {
            Ok(read) => {
                tracing::info!("the certificate of the listener was renewed");
                resolver.replace(Arc::new(read));
                known = now;
            }
            Err(error) => {
                tracing::warn!(error, "the certificate of the listener cannot be read; the old one stays")
            }
        }
    }
}

fn changed((certificate, key): &Files) -> [Option<SystemTime>; 2] {
    [certificate, key].map(|path| std::fs::metadata(path).and_then(|file| file.modified()).ok())
}
