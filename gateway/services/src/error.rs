//! Why a service did not do what was asked. Nothing has changed.

/// The reason, for a person.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// What was asked makes no sense.
    #[error("{0}")]
    Wrong(String),
    /// There is no such thing.
    #[error("{0}")]
    Unknown(String),
    /// It does not fit what is.
    #[error("{0}")]
    Conflict(String),
    /// It cannot be made durable, or read, now.
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
