//! Where the gateway's configuration and data are, for every verb that works beside it.

use std::path::{Path, PathBuf};

/// Selects the configuration directory.
#[derive(Debug, Clone, clap::Args)]
pub struct ConfigDir {
    /// Configuration directory (配置目录)
    #[arg(
        long,
        short,
        global = true,
        value_name = "DIR",
        default_value = "/etc/linli",
        env = "LINLI_CONFIG"
    )]
    pub config: PathBuf,
}

// === impl ConfigDir ===

impl ConfigDir {
    /// The database, also when the rest of the configuration is bad.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        linli_config::store_path(&self.config)
    }

    /// The directory of database, control socket and last good configuration.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.database().parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
    }
}
