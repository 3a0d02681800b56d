//! Where drivers get the wall time that labels a sample.

use linli_domain::Stamp;

/// The gateway's clock. Labels only: timers use the monotonic `tokio::time`.
pub trait Clock: Send + Sync {
    /// Returns the present time and how far it can be trusted.
    fn now(&self) -> Stamp;
}
