//! Periodic work: old data is erased, identities are encrypted again after a change of the key.

use std::time::Duration;

use linli_domain::{ClockQuality, Timestamp};
use linli_store::{Change, Entry, Resident};
use tokio::task::spawn_blocking;

use super::resident_keys::OF_RESIDENT;
use super::service::CabinService;
use linli_config::settings::cabin::CabinSettings;
use linli_services::ServiceError;

/// Retention of the audit log. Network logs must be kept for at least six months (Cybersecurity Law, article
/// 21).
const AUDIT_KEPT: Duration = Duration::from_secs(400 * 86_400);

// === impl CabinService ===

impl CabinService {
    /// Erases old data, then encrypts identities again.
    pub(super) async fn housekeeping(&mut self) -> Result<(), ServiceError> {
        let settings = self.settings();
        self.erase_old(&settings).await?;
        self.reencrypt(&settings).await
    }

    /// Erases visits, measurements and identities after the retention time. The district has the measurements.
    async fn erase_old(&self, settings: &CabinSettings) -> Result<(), ServiceError> {
        let Some(now) = self.trusted_now() else { return Ok(()) };
        let (visits, measurements, residents) =
            self.deps.store.cabin().older_than(before(now, settings.retention)).await?;
        let count = (visits.len(), measurements.len(), residents.len());
        if count == (0, 0, 0) {
            return Ok(());
        }
        self.destroy_keys(residents.clone()).await?;
        let mut changes = Vec::new();
        for id in visits {
            if let Some(visit) = self.deps.store.cabin().visit(&id).await? {
                let measured = self.deps.store.cabin().outlines(&id).await?;
                changes.extend(self.forget_values(self.values_of(&visit, &measured, now)));
            }
            changes.push(Change::EraseVisit(id));
        }
        changes.extend(measurements.into_iter().map(Change::EraseMeasurement));
        changes.extend(residents.into_iter().map(Change::EraseResident));
        changes.push(Change::ForgetAudit(before(now, AUDIT_KEPT)));
        let detail = format!("{} visits, {} measurements, {} identities", count.0, count.1, count.2);
        let audit = vec![self.audit("linli", "retention", "", &detail)];
        self.deps.store.cabin().keep(Entry { changes, audit, ..Entry::default() }).await?;
        tracing::info!(
            visits = count.0,
            measurements = count.1,
            identities = count.2,
            "kept long enough: erased"
        );
        Ok(())
    }

    /// Returns the wall time for erasing: `None` while the clock is not synchronised, and never later than the time
    /// at the start plus the time since, so that a clock that jumps ahead erases nothing.
    fn trusted_now(&self) -> Option<Timestamp> {
        let stamp = self.deps.clock.now();
        let (began, since) = self.began;
        let passed = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
        (stamp.clock == ClockQuality::Synchronised)
            .then(|| stamp.at.min(Timestamp(began.0.saturating_add(passed))))
    }

    /// Seals the residents' keys with the centre's present key, and identities that a key of the centre sealed with the
    /// keys of their residents.
    async fn reencrypt(&mut self, settings: &CabinSettings) -> Result<(), ServiceError> {
        let Some(keys) = &settings.keys else { return Ok(()) };
        let present = keys.identity.name();
        let mut count = 0;
        if self.sealing.as_ref() != Some(&present) {
            let (residents, keys) = (self.deps.residents.clone(), keys.clone());
            let again = spawn_blocking(move || residents.seal_again(&keys)).await;
            let failed = |error: anyhow::Error| ServiceError::NotNow(format!("{error:#}"));
            count += again.map_err(|error| failed(error.into()))?.map_err(failed)?;
            self.sealing = Some(present.clone());
            self.seal_from_the_beginning();
        }
        let mut changes = Vec::new();
        for old in self.deps.store.cabin().sealed_otherwise(OF_RESIDENT).await? {
            let Ok(identity) = self.deps.residents.unseal(keys, &old) else { continue };
            let sealed = self.sealed(keys.clone(), old.pseudonym.clone(), identity).await?;
            changes.push(Change::Resident(Resident { key: OF_RESIDENT.to_owned(), sealed, ..old }));
        }
        count += changes.len();
        if count == 0 {
            return Ok(());
        }
        let audit = vec![self.audit("linli", "identity.rekey", &present, &format!("{count} identities"))];
        self.deps.store.cabin().keep(Entry { changes, audit, ..Entry::default() }).await?;
        tracing::info!(count, key = present, "identities sealed with the present key");
        Ok(())
    }
}

fn before(now: Timestamp, age: Duration) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))
}
