//! Settings of the FHIR server that visits are sent to.

use std::fmt;
use std::path::PathBuf;

/// Checked settings of `[fhir]`. `Debug` does not show the token.
#[derive(Clone, PartialEq, Eq)]
pub struct FhirSettings {
    /// Base address of the server, without a slash at its end.
    pub url: String,
    /// Versions of the consent text that allow sending.
    pub consents: Vec<String>,
    /// Whether the resident is named.
    pub names: bool,
    /// Whether visits without a resident are sent.
    pub anonymous: bool,
    /// Bearer token.
    pub token: Option<String>,
    /// PEM file with the certificates to trust.
    pub ca: Option<PathBuf>,
    /// Why it is reached without encryption off this machine.
    pub insecure: Option<String>,
}

impl fmt::Debug for FhirSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FhirSettings({})", self.url)
    }
}
