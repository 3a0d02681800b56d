//! Reads visits and measurements for people. Every read is in the audit before the answer is given.

use std::sync::Arc;

use linli_domain::Timestamp;
use linli_domain::visit::{Version, Visit};
use linli_drivers::Clock;
use linli_store::{Audit, Entry, Listing, Paging};
use tokio::sync::watch;

use super::visit_view::VisitView;
use super::{Identity, ResidentKeys};
use linli_config::settings::cabin::CabinSettings;
use linli_services::ServiceError;

/// Reads what the cabin has stored; writes an audit entry before each answer.
#[derive(Clone)]
pub struct AuditedReader {
    /// The stored visits, measurements and audit.
    pub store: linli_store::Cabin,
    /// The present configuration of the cabin.
    pub settings: watch::Receiver<Arc<CabinSettings>>,
    /// Times of audit entries.
    pub clock: Arc<dyn Clock>,
    /// The residents' keys.
    pub residents: ResidentKeys,
}

/// Selects measurements: those of a visit, or else those of a time span.
#[derive(Debug, Clone, Default)]
pub struct MeasurementFilter {
    /// Id of the visit.
    pub visit: Option<String>,
    /// Received at or after this time.
    pub from: Option<Timestamp>,
    /// Received before this time.
    pub to: Option<Timestamp>,
}

// === impl AuditedReader ===

impl AuditedReader {
    /// A page of the visits opened in `[from, to)`, or of all open ones if `open`.
    pub async fn visits(
        &self,
        who: &str,
        open: bool,
        span: (Timestamp, Timestamp),
        paging: &Paging,
    ) -> Result<Listing<VisitView>, ServiceError> {
        let span = if open { (Timestamp(i64::MIN), Timestamp(i64::MAX)) } else { span };
        let mut page = self.store.visits_page(open, span, paging).await?;
        let visits = std::mem::take(&mut page.items);
        self.note(who, "visit.list", "", &format!("{} visits", visits.len())).await?;
        let (mut shown, at) = (Vec::with_capacity(visits.len()), self.clock.now().at);
        for visit in visits {
            let identity = self.identity(&visit).await;
            shown.push(VisitView::row(visit, identity.as_ref(), at));
        }
        Ok(page.with(shown))
    }

    /// One visit with everything measured during it; with the identity only if `reveal`.
    pub async fn visit(&self, who: &str, id: &str, reveal: bool) -> Result<VisitView, ServiceError> {
        let visit = self.store.visit(id).await?;
        let visit = visit.ok_or_else(|| ServiceError::Unknown(format!("there is no visit {id}")))?;
        self.note(who, if reveal { "identity.reveal" } else { "visit.show" }, id, "").await?;
        let identity = self.identity(&visit).await;
        if reveal && visit.pseudonym.is_some() && identity.is_none() {
            return Err(ServiceError::Conflict(
                "the identity cannot be opened: its key is neither identity_key nor in previous_identity_keys".to_owned(),
            ));
        }
        let measurements = self.measured_whole(id).await?;
        let settings = Arc::clone(&self.settings.borrow());
        let at = self.clock.now().at;
        let (previous, follow_up) = match &visit.pseudonym {
            Some(pseudonym) => {
                let before = self.previous(pseudonym, &visit, &settings).await?;
                (before, self.follow_ups(pseudonym, identity.as_ref(), at).await?)
            }
            None => (Vec::new(), Vec::new()),
        };
        let mut view = VisitView::row(visit, identity.as_ref(), at).with(measurements, &settings);
        view.identity = identity.filter(|_| reveal);
        (view.previous, view.follow_up) = (previous, follow_up);
        Ok(view)
    }

    /// Everything measured during a visit, or an error: a part of it would look like the whole.
    async fn measured_whole(&self, visit: &str) -> Result<Vec<Version>, ServiceError> {
        let measured = self.store.measured_during(visit).await?;
        let is_closed = self.store.outlines(visit).await?.len() > measured.len();
        let words = "measurements of this visit cannot be opened: the resident's key is gone, or it is sealed with a \
                     key that is neither identity_key nor in previous_identity_keys (测量值无法解密：居民密钥已销毁，\
                     或中心密钥不在 previous_identity_keys 中)";
        if is_closed { Err(ServiceError::Conflict(words.to_owned())) } else { Ok(measured) }
    }

    /// A page of the measurements that no visit could be assigned to.
    pub async fn unassigned(&self, who: &str, paging: &Paging) -> Result<Listing<Version>, ServiceError> {
        let waiting = self.store.unassigned_page(paging).await?;
        self.note(who, "measurement.list", "", &format!("{} unassigned", waiting.items.len())).await?;
        Ok(waiting)
    }

    /// All versions of a measurement.
    pub async fn versions(&self, who: &str, id: &str) -> Result<Vec<Version>, ServiceError> {
        let versions = self.store.versions(id).await?;
        if versions.is_empty() {
            return Err(ServiceError::Unknown(format!("there is no measurement {id}")));
        }
        self.note(who, "measurement.show", id, "").await?;
        Ok(versions)
    }

    /// A page of the newest versions of the selected measurements, with their visits; `what` is the word of the
    /// audit. Those of one visit are one page.
    pub async fn measured(
        &self,
        who: &str,
        what: &str,
        filter: &MeasurementFilter,
        paging: &Paging,
    ) -> Result<Listing<(Option<Visit>, Version)>, ServiceError> {
        let mut page = match &filter.visit {
            Some(visit) if self.store.visit(visit).await?.is_none() => {
                return Err(ServiceError::Unknown(format!("there is no visit {visit}")));
            }
            Some(visit) => Listing { items: self.measured_whole(visit).await?, next: None },
            None => {
                let (from, to) = (filter.from.unwrap_or_default(), filter.to.unwrap_or(Timestamp(i64::MAX)));
                self.store.measured_page((from, to), paging).await?
            }
        };
        let versions = std::mem::take(&mut page.items);
        let about = filter.visit.clone().unwrap_or_default();
        self.note(who, what, &about, &format!("{} measurements", versions.len())).await?;
        let mut measured = Vec::with_capacity(versions.len());
        for version in versions {
            let visit = match &version.visit {
                Some(id) => self.store.visit(id).await?,
                None => None,
            };
            measured.push((visit, version));
        }
        Ok(page.with(measured))
    }

    /// The pseudonym under which the resident with this identity is stored.
    pub async fn pseudonym(&self, who: &str, identity: Identity) -> Result<String, ServiceError> {
        let settings = Arc::clone(&self.settings.borrow());
        let keys = settings.keys.as_ref().ok_or_else(|| {
            ServiceError::Conflict(
                "[cabin] identity_key and pseudonym_key are not set: nobody is known here".to_owned(),
            )
        })?;
        let pseudonym = super::identity::pseudonym(
            keys,
            &identity.checked().map_err(|why| ServiceError::Wrong(why.to_owned()))?,
        );
        self.note(who, "identity.find", &pseudonym, "").await?;
        Ok(pseudonym)
    }

    /// A page of the audit, newest first.
    pub async fn audit(&self, who: &str, paging: &Paging) -> Result<Listing<Audit>, ServiceError> {
        self.note(who, "audit.show", "", "").await?;
        Ok(self.store.audit_page(paging).await?)
    }

    /// Notes that somebody reads what is recorded, or does something else with personal data.
    pub async fn note(&self, who: &str, what: &str, about: &str, detail: &str) -> Result<(), ServiceError> {
        let own = |text: &str| text.to_owned();
        let at = self.clock.now().at;
        let audit = Audit { at, who: own(who), what: own(what), about: own(about), detail: own(detail) };
        self.store.keep(Entry { audit: vec![audit], ..Entry::default() }).await?;
        Ok(())
    }

    pub(super) async fn identity(&self, visit: &Visit) -> Option<Identity> {
        let settings = Arc::clone(&self.settings.borrow());
        let (keys, pseudonym) = (settings.keys.as_ref()?, visit.pseudonym.as_deref()?);
        let resident = self.store.resident(pseudonym).await.ok().flatten()?;
        self.residents.unseal(keys, &resident).ok()
    }
}
