//! What limits the store: size, age, commit window.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use linli_domain::Timestamp;

/// Where the store asks for the wall time that labels its ledger.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Settings of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The database file; `-wal`, `-shm`, `.reserve` and `.watermark` stand beside it.
    pub path: PathBuf,
    /// Most bytes the database may hold; a tenth of it is reserved for the urgent lane.
    pub max_bytes: u64,
    /// Oldest record worth delivering.
    pub max_age: Option<Duration>,
    /// Longest time an accepted record waits for its commit.
    pub commit_interval: Duration,
    /// Age after which trends are deleted.
    pub history_retention: Duration,
}
