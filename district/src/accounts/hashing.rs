//! Hashes of secrets are slow and take memory: few are computed at a time, on threads of their own.

use std::sync::Arc;

use tokio::sync::Semaphore;

use super::AccountError;

/// Hashes computed at a time: each takes 19 MiB.
const AT_ONCE: usize = 2;

/// Log-ins that wait for it.
const WAITING: usize = 32;

/// Looks at log-ins, few at a time.
#[derive(Debug, Clone)]
pub struct LogIns {
    hashing: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

// === impl LogIns ===

impl Default for LogIns {
    fn default() -> Self {
        let (hashing, waiting) = (Arc::new(Semaphore::new(AT_ONCE)), Arc::new(Semaphore::new(WAITING)));
        Self { hashing, waiting }
    }
}

impl LogIns {
    /// Computes a hash on a thread of its own, a few at a time.
    pub(super) async fn off_the_runtime<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AccountError> {
        let stopping = || AccountError::NotNow("the service is stopping".to_owned());
        let _waiting = self.waiting.try_acquire().map_err(|_| AccountError::Busy)?;
        let _permit = self.hashing.acquire().await.map_err(|_| stopping())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| stopping())
    }
}
