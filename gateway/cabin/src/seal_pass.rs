//! What versions before this one stored in clear is sealed whenever the service has nothing else to do, and so is what
//! changed hands when two records were joined or taken apart.

use std::sync::atomic::Ordering;

use linli_services::ServiceError;
use linli_store::{Entry, NotDurable, SealStep};

use super::measurement_seal::SealPass;
use super::service::CabinService;

/// Rows between two lines of the log.
const SAID_EVERY: usize = 10_000;

// === impl CabinService ===

impl CabinService {
    /// From now on everything that is stored is looked at once more.
    pub(super) fn seal_from_the_beginning(&mut self) {
        if self.settings().keys.is_some() {
            self.pass = Some(SealPass::default());
        }
    }

    /// Seals some rows. On an error the rest is done after the next start, or when two records are joined.
    pub(super) async fn seal_step(&mut self) {
        if let Err(error) = self.seal_some().await {
            tracing::warn!(%error, "what is stored in clear is not sealed yet");
            self.pass = None;
            self.sealing = None;
        }
    }

    /// Seals everything that is left.
    pub(super) async fn seal_everything(&mut self) -> Result<(), ServiceError> {
        while self.pass.is_some() {
            self.seal_some().await?;
        }
        Ok(())
    }

    async fn seal_some(&mut self) -> Result<(), NotDurable> {
        let Some(pass) = &self.pass else { return Ok(()) };
        let cabin = self.deps.store.cabin();
        let SealStep { next, seen, sealed } = cabin.seal_some(&pass.from).await?;
        self.deps.health.sealed.fetch_add(sealed as u64, Ordering::Relaxed);
        let (seen, sealed) = (pass.seen + seen, pass.sealed + sealed);
        if let Some(from) = next {
            if seen / SAID_EVERY > pass.seen / SAID_EVERY {
                tracing::info!(seen, sealed, "sealing measurements with the keys of their residents");
            }
            self.pass = Some(SealPass { from, seen, sealed });
            return Ok(());
        }
        self.pass = None;
        if sealed > 0 {
            cabin.truncate_log().await?;
            let audit = vec![self.audit("linli", "measurement.seal", "", &format!("{sealed} versions"))];
            cabin.keep(Entry { audit, ..Entry::default() }).await?;
            tracing::info!(seen, sealed, "measurements are sealed with the keys of their residents");
        }
        Ok(())
    }
}
