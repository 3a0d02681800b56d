//! Keeps the certificate of the listeners: makes it at the first start, renews it before its end, and takes what
//! `linli tls` puts in its place, all without a restart.

use std::sync::Arc;
use std::time::Duration;

use linli_drivers::Clock;
use linli_listen::Tls;
use linli_tls::{CertificateStore, Names, Present, Renewal, Resolver, TlsError, TlsStatus, local_addresses};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use linli_config::Checked;

/// Interval between two looks at the files and at the end of the certificate.
const LOOK: Duration = Duration::from_secs(2);

/// Looks after which the names of this machine are compared: an address may have changed.
const NAMES_EVERY: u32 = 150;

/// The certificate in use.
pub struct Certificates {
    store: CertificateStore,
    resolver: Arc<Resolver>,
    clock: Arc<dyn Clock>,
    present: Present,
    status: watch::Sender<TlsStatus>,
}

// === impl Certificates ===

impl Certificates {
    /// Reads the certificates; makes or renews what is due.
    ///
    /// # Errors
    /// The file that cannot be used, and how to mend it.
    pub fn open(checked: &Checked, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let store = CertificateStore::at(&checked.data_dir()?, checked.centre.id.as_str());
        let now = clock.now().at;
        let (present, renewal) = store.ensure(&Names::of(checked, &local_addresses()), now)?;
        log(&present, renewal.as_ref());
        let status = watch::Sender::new(present.status(now));
        let resolver = Arc::new(Resolver::new(Arc::clone(&present.key)));
        let opened = Self { store, resolver, clock, present, status };
        opened.warn();
        Ok(opened)
    }

    /// TLS that always shows the certificate in use.
    ///
    /// # Errors
    /// When the cryptography that is linked supports no version of TLS.
    pub fn tls(&self) -> anyhow::Result<Tls> {
        Ok(Tls::new(Arc::clone(&self.resolver) as _)?)
    }

    /// What is shown of the certificate.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<TlsStatus> {
        self.status.subscribe()
    }

    /// Follows the files, the clock and the configuration until cancelled.
    pub async fn watch(mut self, mut names: watch::Receiver<Names>, cancel: CancellationToken) {
        let (mut seen, mut looks) = (self.store.stamps(), 0_u32);
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let has_changed = tokio::select! {
                () = cancel.cancelled() => return,
                Ok(()) = names.changed() => true,
                _ = look.tick() => self.store.stamps() != seen,
            };
            looks = looks.wrapping_add(1);
            let now = self.clock.now().at;
            if has_changed || self.present.is_due(now) || looks.is_multiple_of(NAMES_EVERY) {
                let wanted = names.borrow_and_update().clone().with(&local_addresses());
                self.take(self.store.ensure(&wanted, now));
                seen = self.store.stamps();
            }
            let status = match self.status.borrow().failure.clone() {
                Some(failure) => TlsStatus { failure: Some(failure), ..self.present.status(now) },
                None => self.present.status(now),
            };
            let is_new =
                self.status.send_if_modified(|shown| std::mem::replace(shown, status.clone()) != status);
            if is_new {
                self.warn();
            }
        }
    }

    /// Uses what was read; keeps the certificate in use when it cannot be.
    fn take(&mut self, read: Result<(Present, Option<Renewal>), TlsError>) {
        match read {
            Ok((present, renewal)) => {
                self.status.send_if_modified(|shown| shown.failure.take().is_some());
                if present.server == self.present.server && present.authority == self.present.authority {
                    return;
                }
                log(&present, renewal.as_ref());
                self.resolver.replace(Arc::clone(&present.key));
                self.present = present;
            }
            Err(error) => {
                let failure = error.to_string();
                let is_new = self.status.borrow().failure.as_ref() != Some(&failure);
                if is_new {
                    tracing::error!(
                        failure,
                        "the certificate files cannot be used; the earlier certificate stays"
                    );
                }
                self.status.send_modify(|shown| shown.failure = Some(failure));
            }
        }
    }

    fn warn(&self) {
        if let Some(concern) = &self.status.borrow().concern {
            tracing::error!(concern, "certificate");
        }
    }
}

fn log(present: &Present, renewal: Option<&Renewal>) {
    let (server, authority) = (&present.server.fingerprint, &present.authority.fingerprint);
    match renewal {
        Some(why) => {
            tracing::info!(%why, server, authority, "a certificate was made; `linli tls show` shows it")
        }
        None => tracing::info!(server, is_imported = present.is_imported, "certificate"),
    }
}
