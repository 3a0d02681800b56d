//! Documents of measurements: sealed before they are stored, opened for people with an entry in the record.
//!
//! A document shows more than its device says in words, often a name: it is sealed with the key of the visit's resident,
//! or with the centre's key where nobody is named. Who erases a resident destroys the key of the documents too.

use data_encoding::BASE64;
use linli_config::settings::cabin::CabinSettings;
use linli_config::settings::key::Keys;
use linli_domain::Timestamp;
use linli_domain::audit::hex;
use linli_domain::visit::Version;
use linli_domain::vital::{Attachment, AttachmentInfo};
use linli_drivers::NotTaken;
use linli_store::{Change, Document, Documents};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::audited_reader::AuditedReader;
use super::identity::{known, open_with, seal_with};
use super::resident_keys::OF_RESIDENT;
use super::service::CabinService;
use linli_services::ServiceError;
use linli_services::stored::body;

/// Kind of the documents.
const KIND: &str = "vital-attachment";

/// A document as it is stored.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sealed {
    /// `resident`, or the name of the centre's key that it is sealed with.
    pub key: String,
    /// Whose key it is.
    pub pseudonym: Option<String>,
    /// Nonce and sealed bytes, Base64.
    pub sealed: String,
}

// === impl CabinService ===

impl CabinService {
    /// Seals the documents of a version, which then says what they are. Without keys nothing can be sealed.
    pub(super) fn sealed_documents(
        &self,
        version: &mut Version,
        documents: Vec<Attachment>,
        pseudonym: Option<&str>,
        settings: &CabinSettings,
    ) -> Result<Vec<Change>, NotTaken> {
        let Some(keys) = &settings.keys else {
            if documents.is_empty() {
                return Ok(Vec::new());
            }
            let why = "documents are not kept: [cabin] has no identity_key to seal them with";
            tracing::warn!(device = %version.device, "{why}");
            let is_alone = version.measurement.readings.is_empty();
            return if is_alone { Err(NotTaken::Wrong(why.to_owned())) } else { Ok(Vec::new()) };
        };
        let mut changes = Vec::new();
        for (number, document) in documents.into_iter().enumerate() {
            version.measurement.attached.push(AttachmentInfo {
                title: document.title,
                media_type: document.media_type.to_owned(),
                bytes: document.data.len() as u64,
                sha256: hex(digest(&SHA256, &document.data).as_ref()),
            });
            let place = (id(&version.id, number), version.at);
            let sealed = self.sealed_document(keys, place, document.data, pseudonym);
            let not_stored = |error| NotTaken::NotStored(format!("{error}; send it again later"));
            changes.push(sealed.map_err(not_stored)?);
        }
        Ok(changes)
    }

    /// Seals a document with the key of its resident, or of the centre where nobody is named.
    pub(super) fn sealed_document(
        &self,
        keys: &Keys,
        (id, at): (String, Timestamp),
        data: Vec<u8>,
        pseudonym: Option<&str>,
    ) -> anyhow::Result<Change> {
        let own = pseudonym.and_then(|whose| Some((whose, self.deps.residents.key(keys, whose).ok()?)));
        let (key, name, pseudonym) = match own {
            Some((whose, own)) => (own, OF_RESIDENT.to_owned(), Some(whose.to_owned())),
            None => (keys.identity.clone(), keys.identity.name(), None),
        };
        let sealed = BASE64.encode(&seal_with(&key, &id, data)?);
        let (kind, body) = (KIND.to_owned(), body(&Sealed { key: name, pseudonym, sealed }));
        Ok(Change::Document(Document { id, kind, at, body }))
    }
}

// === impl AuditedReader ===

impl AuditedReader {
    /// A document of a measurement, by its number from 0.
    ///
    /// # Errors
    /// [`ServiceError::Unknown`] without such a document; [`ServiceError::Conflict`] when its key is gone or it was
    /// changed.
    pub async fn attachment(
        &self,
        documents: &Documents,
        who: &str,
        (measurement, number): (&str, usize),
    ) -> Result<(AttachmentInfo, Vec<u8>), ServiceError> {
        let unknown = || ServiceError::Unknown(format!("measurement {measurement} has no document {number}"));
        let newest = self.store.versions(measurement).await?.pop().ok_or_else(unknown)?;
        let info = newest.measurement.attached.get(number).cloned().ok_or_else(unknown)?;
        let id = id(measurement, number);
        let stored = documents.get(&id).await?.ok_or_else(unknown)?;
        self.note(who, "attachment.show", measurement, &format!("document {number}")).await?;
        let data = self.unsealed(&stored, &info).ok_or_else(|| {
            ServiceError::Conflict("it cannot be opened: its key is gone, or it was changed".to_owned())
        })?;
        Ok((info, data))
    }

    /// A document by its id; `None` if it is not there or cannot be opened. Whoever calls this makes the entry in the
    /// record.
    pub(super) async fn document(
        &self,
        documents: &Documents,
        id: &str,
        info: &AttachmentInfo,
    ) -> Result<Option<Vec<u8>>, ServiceError> {
        Ok(documents.get(id).await?.and_then(|stored| self.unsealed(&stored, info)))
    }

    fn unsealed(&self, stored: &Document, info: &AttachmentInfo) -> Option<Vec<u8>> {
        let settings = self.settings.borrow().clone();
        let sealed: Sealed = serde_json::from_str(&stored.body).ok()?;
        let opened = self.opened(settings.keys.as_ref()?, &sealed, &stored.id)?;
        (hex(digest(&SHA256, &opened).as_ref()) == info.sha256).then_some(opened)
    }

    fn opened(&self, keys: &Keys, sealed: &Sealed, id: &str) -> Option<Vec<u8>> {
        let bytes = BASE64.decode(sealed.sealed.as_bytes()).ok()?;
        match &sealed.pseudonym {
            Some(pseudonym) => open_with(&self.residents.key(keys, pseudonym).ok()?, id, &bytes).ok(),
            None => open_with(known(keys, &sealed.key).ok()?, id, &bytes).ok(),
        }
    }
}

/// The id of a document.
pub(super) fn id(measurement: &str, number: usize) -> String {
    format!("{KIND}/{measurement}/{number}")
}
