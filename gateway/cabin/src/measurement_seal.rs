//! What was measured of a resident is sealed with the resident's key, before it is stored.

use std::sync::Arc;

use linli_config::settings::cabin::CabinSettings;
use linli_store::{SealPlace, Sealer};
use tokio::sync::watch;

use super::identity::{open_with, seal_with};
use super::resident_keys::ResidentKeys;

/// Seals measurements with the keys of residents. The pseudonym and the row are additional authenticated data, so that
/// neither rows nor residents can be exchanged.
pub(crate) struct MeasurementSeal {
    pub(crate) residents: ResidentKeys,
    pub(crate) settings: watch::Receiver<Arc<CabinSettings>>,
}

/// How far sealing what is stored in clear has come.
#[derive(Debug, Default)]
pub(crate) struct SealPass {
    pub(crate) from: SealPlace,
    pub(crate) seen: usize,
    pub(crate) sealed: usize,
}

// === impl MeasurementSeal ===

impl Sealer for MeasurementSeal {
    fn seal(&self, pseudonym: &str, place: &str, body: Vec<u8>) -> Result<Vec<u8>, String> {
        let settings = Arc::clone(&self.settings.borrow());
        let keys = settings.keys.as_ref().ok_or(NO_KEY)?;
        let own = self.residents.key_or_new(keys, pseudonym).map_err(|error| format!("{error:#}"))?;
        seal_with(&own, &bound(pseudonym, place), body).map_err(|error| format!("{error:#}"))
    }

    fn open(&self, pseudonym: &str, place: &str, sealed: &[u8]) -> Result<Vec<u8>, String> {
        let settings = Arc::clone(&self.settings.borrow());
        let keys = settings.keys.as_ref().ok_or(NO_KEY)?;
        let own = self.residents.key(keys, pseudonym).map_err(|error| format!("{error:#}"))?;
        open_with(&own, &bound(pseudonym, place), sealed).map_err(|error| format!("{error:#}"))
    }
}

const NO_KEY: &str = "[cabin] identity_key is not set";

/// The additional data of a sealed measurement.
pub(crate) fn bound(pseudonym: &str, place: &str) -> String {
    format!("{pseudonym}/{place}")
}
