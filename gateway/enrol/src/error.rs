//! What can go wrong, with the words that say how to mend it.

use std::path::{Path, PathBuf};

/// Why there is no certificate, or no new one.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The address of the district is none.
    #[error(
        "{0}: 须为 https://地址（本机可用 http://） is not https://HOST:PORT; only this machine is reached by http://"
    )]
    Address(String),
    /// A fingerprint that is none.
    #[error(
        "--fingerprint {0}: 不是 SHA-256 指纹 is no SHA-256 fingerprint: 64 hexadecimal digits, colons between them or not"
    )]
    NoFingerprint(String),
    /// Somebody else answers.
    #[error(
        "指纹不符，没有发送登记码 the fingerprint differs, the code was not sent: {shown} answers, {given} was given; \
         读错了，或有人冒充区级平台 it was misread, or somebody stands in for the district"
    )]
    Fingerprint {
        /// Of what answers.
        shown: String,
        /// As it was given.
        given: String,
    },
    /// Nobody answers.
    #[error("区级平台没有应答 the district does not answer: {0}")]
    Unreachable(String),
    /// It refuses.
    #[error("{zh} {en} ({code})")]
    Refused {
        /// The word that programs rely on.
        code: String,
        /// Why, in Chinese.
        zh: String,
        /// Why, in English.
        en: String,
    },
    /// Its answer cannot be used.
    #[error("区级平台的应答不能用 the answer of the district cannot be used: {0}")]
    Answer(String),
    /// A file cannot be read, written or used.
    #[error("{}: {why}", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The key cannot be made or used.
    #[error("the private key: {0}")]
    Key(String),
}

// === impl EnrolError ===

impl EnrolError {
    pub(crate) fn file(path: &Path, why: impl ToString) -> Self {
        Self::File { path: path.to_owned(), why: why.to_string() }
    }
}

impl From<rcgen::Error> for EnrolError {
    fn from(error: rcgen::Error) -> Self {
        Self::Key(error.to_string())
    }
}
