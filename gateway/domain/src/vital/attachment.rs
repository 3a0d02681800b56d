//! Documents that a device makes of a measurement: an electrocardiogram, a spirometry report (FHIR Attachment).

use serde::{Deserialize, Serialize};

/// Most documents of a measurement.
pub const MOST_ATTACHMENTS: usize = 8;

/// Largest document, in bytes: what fits into the longest message, 1 MiB, as Base64.
pub const LARGEST_ATTACHMENT: usize = 768 << 10;

/// Kinds of documents that are taken, with the bytes that each begins with.
const KINDS: [(&str, &[u8]); 4] = [
    ("application/pdf", b"%PDF-"),
    ("image/png", b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", b"\xff\xd8\xff"),
    ("image/tiff", b"II*\0"),
];

/// A document as it came. It may show a name: it is sealed before it is stored, and never sent.
#[derive(Clone, PartialEq, Eq)]
pub struct Attachment {
    /// What it is, as its device calls it.
    pub title: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub data: Vec<u8>,
}

/// What is kept of a document beside its measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AttachmentInfo {
    /// What it is, as its device calls it.
    pub title: String,
    /// Its media type.
    pub media_type: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
}

/// The media type of a document by its first bytes: what it is, whatever it is called.
#[must_use]
pub fn media_type(data: &[u8]) -> Option<&'static str> {
    KINDS.iter().find(|(_, begin)| data.starts_with(begin)).map(|(kind, _)| *kind)
}

impl std::fmt::Debug for Attachment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Attachment({}, {} bytes)", self.media_type, self.data.len())
    }
}
