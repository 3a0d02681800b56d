//! Measurements of residents are stored sealed: whoever destroys a resident's key makes them unreadable in the database,
//! its log and every copy.
//!
//! The store knows no key: a [`Sealer`] does. A measurement is sealed for the resident of its newest version that belongs
//! to one, all its versions alike; what never belonged to a resident is stored in clear.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use data_encoding::BASE64;
use linli_domain::Id;
use linli_domain::visit::Version;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;

use crate::place::Place;
use crate::undecodable::{column, json};

/// A sealed body begins so; one in clear begins with its id.
const BEGINS: &str = "{\"sealed_for\":\"";

/// Seals with the keys of residents.
pub trait Sealer: Send + Sync {
    /// Seals a body for a resident. `place` is the row, to which it is bound.
    ///
    /// # Errors
    /// In words, when there is no key or it cannot be stored.
    fn seal(&self, pseudonym: &str, place: &str, body: Vec<u8>) -> Result<Vec<u8>, String>;

    /// Opens what [`Self::seal`] returned.
    ///
    /// # Errors
    /// In words, when the key was destroyed or is unknown, or what is sealed was changed.
    fn open(&self, pseudonym: &str, place: &str, sealed: &[u8]) -> Result<Vec<u8>, String>;
}

/// A body as it is stored, sealed.
#[derive(Debug, Serialize, Deserialize)]
struct SealedBody {
    /// Whose key it is sealed with.
    sealed_for: String,
    /// The device, which erasing has to know when the key is gone.
    device: Id,
    /// What the sealer returned, Base64.
    sealed: String,
}

/// The sealer of a store, once it has one.
#[derive(Clone, Default)]
pub(crate) struct Sealing {
    sealer: Arc<OnceLock<Arc<dyn Sealer>>>,
    has_warned: Arc<AtomicBool>,
}

// === impl Sealing ===

impl Sealing {
    /// Sets the sealer; the first one stays.
    pub(crate) fn set(&self, sealer: Arc<dyn Sealer>) {
        let _ = self.sealer.set(sealer);
    }

    /// Whether there is one.
    pub(crate) fn is_set(&self) -> bool {
        self.sealer.get().is_some()
    }

    /// The version in a row. What no key opens is left out and said once: it is there, and not damaged.
    pub(crate) fn version(
        &self,
        row: &SqliteRow,
        index: usize,
        place: &Place,
    ) -> Result<Option<Version>, String> {
        let text: &str = column(row, index)?;
        if !text.starts_with(BEGINS) {
            return json(text.as_bytes()).map(Some);
        }
        let body: SealedBody = json(text.as_bytes())?;
        match self.opened(&body, &place.key()) {
            Ok(opened) => json(&opened).map(Some),
            Err(why) => {
                if !self.has_warned.swap(true, Ordering::Relaxed) {
                    tracing::warn!(measurement = place.key(), why, "a sealed measurement cannot be opened");
                }
                Ok(None)
            }
        }
    }

    fn opened(&self, body: &SealedBody, place: &str) -> Result<Vec<u8>, String> {
        let sealer = self.sealer.get().ok_or("[cabin] identity_key is not set")?;
        let sealed = BASE64.decode(body.sealed.as_bytes()).map_err(|_| "it was changed")?;
        sealer.open(&body.sealed_for, place, &sealed)
    }

    /// The body of a row, sealed for a resident; the body that it has may be sealed for another one.
    pub(crate) fn sealed(
        &self,
        owner: &str,
        (id, version): (&str, u32),
        body: &str,
    ) -> Result<String, String> {
        /// What is read of a body in clear.
        #[derive(Deserialize)]
        struct Head {
            device: Id,
        }
        let place = Place::Measurement { id: id.to_owned(), version }.key();
        let (device, clear) = if body.starts_with(BEGINS) {
            let body: SealedBody = json(body.as_bytes())?;
            let clear = self.opened(&body, &place)?;
            (body.device, clear)
        } else {
            (json::<Head>(body.as_bytes())?.device, body.as_bytes().to_vec())
        };
        let sealer = self.sealer.get().ok_or("there is no key")?;
        let sealed = BASE64.encode(&sealer.seal(owner, &place, clear)?);
        let body = SealedBody { sealed_for: owner.to_owned(), device, sealed };
        serde_json::to_string(&body).map_err(|error| error.to_string())
    }
}

/// Whom a stored body is sealed for; `None` for one in clear.
pub(crate) fn sealed_for(body: &str) -> Option<&str> {
    body.strip_prefix(BEGINS)?.split('"').next()
}
