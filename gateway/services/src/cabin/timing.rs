//! What is done without being asked: old data is erased, identities are sealed anew.

use std::time::Duration;

use linli_domain::{ClockQuality, Timestamp};
use linli_store::{Change, Entry, Resident};

use super::service::CabinService;
use crate::error::ServiceError;
use linli_config::settings::cabin::CabinSettings;

/// The audit is kept this long; network logs must be kept at least six months (Cybersecurity Law,
/// article 21).
const AUDIT_KEPT: Duration = Duration::from_secs(400 * 86_400);

// === impl CabinService ===

impl CabinService {
    /// One small step of each.
    pub(super) async fn keep_house(&mut self) -> Result<(), ServiceError> {
        let settings = self.settings();
        self.erase_old(&settings).await?;
        self.seal_anew(&settings).await
    }

    /// Erases what was kept long enough. The district has it; here it is personal data too many.
    async fn erase_old(&self, settings: &CabinSettings) -> Result<(), ServiceError> {
        let Some(now) = self.certain_now() else { return Ok(()) };
        let (visits, measurements, residents) =
            self.deps.store.cabin().older_than(before(now, settings.retention)).await?;
        let count = (visits.len(), measurements.len(), residents.len());
        if count == (0, 0, 0) {
            return Ok(());
        }
        let mut changes: Vec<Change> = visits.into_iter().map(Change::EraseVisit).collect();
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

    /// Wall time, if it can be erased by: a clock that jumps ahead while linli runs erases nothing.
    fn certain_now(&self) -> Option<Timestamp> {
        let stamp = self.deps.clock.now();
        let (began, since) = self.began;
        let passed = i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX);
        (stamp.clock == ClockQuality::Synchronised)
            .then(|| stamp.at.min(Timestamp(began.0.saturating_add(passed))))
    }

    /// After a rotation: what an older key sealed is sealed with the present one.
    async fn seal_anew(&self, settings: &CabinSettings) -> Result<(), ServiceError> {
        let Some(keys) = &settings.keys else { return Ok(()) };
        let present = keys.identity.name();
        let mut changes = Vec::new();
        for old in self.deps.store.cabin().sealed_otherwise(&present).await? {
            let Ok(identity) = super::identity::unseal(keys, &old.pseudonym, &old.key, &old.sealed) else {
                continue;
            };
            let sealed = super::identity::seal(keys, &old.pseudonym, &identity)
                .map_err(|e| ServiceError::NotNow(e.to_string()))?;
            changes.push(Change::Resident(Resident { key: present.clone(), sealed, ..old }));
        }
        if changes.is_empty() {
            return Ok(());
        }
        let count = changes.len();
        let audit = vec![self.audit("linli", "identity.rekey", &present, &format!("{count} identities"))];
        self.deps.store.cabin().keep(Entry { changes, audit, ..Entry::default() }).await?;
        tracing::info!(count, key = present, "identities sealed with the present key");
        Ok(())
    }
}

fn before(now: Timestamp, age: Duration) -> Timestamp {
    Timestamp(now.0.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX)))
}
