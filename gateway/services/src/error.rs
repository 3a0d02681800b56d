//! The error of a service. When a service returns it, nothing has changed unless the text says so.

/// Why a service did not do what it was asked, as a sentence for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// The request is invalid.
    #[error("{0}")]
    Wrong(String),
    /// The request names something that does not exist.
    #[error("{0}")]
    Unknown(String),
    /// The present state does not permit it.
    #[error("{0}")]
    Conflict(String),
    /// The store or the service is not available now.
    #[error("{0}")]
    NotNow(String),
}

// === impl ServiceError ===

impl From<linli_store::NotDurable> for ServiceError {
    fn from(error: linli_store::NotDurable) -> Self {
        Self::NotNow(format!("it could not be stored ({error}); try again"))
    }
}

impl From<linli_store::ReadError> for ServiceError {
    fn from(error: linli_store::ReadError) -> Self {
        Self::NotNow(error.to_string())
    }
}
