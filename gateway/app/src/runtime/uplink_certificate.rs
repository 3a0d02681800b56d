//! Renews the certificate with which the uplink connects, before its end. The next connection uses the new file; an open
//! one goes on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use linli_drivers::Clock;
use linli_enrol::{Certified, District, EnrolError, Files};
use linli_uplink::Tls;
use tokio_util::sync::CancellationToken;

/// Interval between two looks at the certificate. There are weeks to try again.
const LOOK: Duration = Duration::from_secs(3600);

/// With less than this left people are told with every attempt that fails.
const SOON_MS: i64 = 14 * 86_400_000;

/// The file that is renewed, and the district that does it.
#[must_use]
pub fn renewing(tls: Option<&Tls>) -> Option<(PathBuf, String)> {
    let tls = tls?;
    let (path, _) = tls.identity.as_ref()?;
    Some((path.clone(), tls.renew.clone()?))
}

/// The district, trusted like the broker; without a file of certificates as the system does.
///
/// # Errors
/// When the file cannot be read.
pub fn district(tls: Option<&Tls>, url: &str) -> Result<District, EnrolError> {
    match tls.and_then(|tls| tls.ca.as_ref()) {
        Some(path) if url.starts_with("https://") => {
            let text = std::fs::read_to_string(path);
            let text =
                text.map_err(|error| EnrolError::File { path: path.clone(), why: error.to_string() })?;
            District::trusting(url, &text)
        }
        _ => District::reach(url, None),
    }
}

/// Renews when it is due, until cancelled.
pub async fn watch(tls: Option<Tls>, clock: Arc<dyn Clock>, cancel: CancellationToken) {
    let Some((path, url)) = renewing(tls.as_ref()) else { return };
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            _ = look.tick() => {}
        }
        let now = clock.now().at;
        let left = match Certified::read(&path) {
            Ok(present) if !present.is_due(now) => continue,
            Ok(present) => present.certificate.not_after.0 - now.0,
            Err(error) => {
                tracing::error!(%error, "the certificate for the district; `linli uplink enrol` gets another");
                continue;
            }
        };
        let (file, tls, url) = (path.clone(), tls.clone(), url.clone());
        let renewed =
            tokio::task::spawn_blocking(move || Files::renew(&file, &district(tls.as_ref(), &url)?));
        match renewed.await {
            Ok(Ok(given)) => {
                tracing::info!(until = given.until.0, "the certificate for the district was renewed")
            }
            Ok(Err(error)) if left < SOON_MS => {
                let days = left / 86_400_000;
                tracing::error!(%error, days, "the certificate for the district ends soon and cannot be renewed");
            }
            Ok(Err(error)) => tracing::warn!(%error, "the certificate for the district is not renewed yet"),
            Err(error) => tracing::error!(%error, "the renewal of the certificate for the district"),
        }
    }
}
