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
    /// The store has no room for it. The text says what is full and how to mend it.
    #[error("{0}")]
    Full(String),
}

// === impl ServiceError ===

impl From<linli_store::NotDurable> for ServiceError {
    fn from(error: linli_store::NotDurable) -> Self {
        match error {
            linli_store::NotDurable::Failed(_) => {
                Self::NotNow(format!("it could not be stored ({error}); try again"))
            }
            linli_store::NotDurable::Full(_) => Self::Full(error.to_string()),
            linli_store::NotDurable::KeyTooLong(_) => Self::Wrong(error.to_string()),
        }
    }
}

impl From<linli_store::ReadError> for ServiceError {
    fn from(error: linli_store::ReadError) -> Self {
        Self::NotNow(error.to_string())
    }
}
