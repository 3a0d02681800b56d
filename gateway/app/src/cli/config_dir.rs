//! The option `--config`, shared by all verbs that need the configuration or the data directory.

use std::path::{Path, PathBuf};

/// The configuration directory.
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
    /// Path of the database, also when the configuration has errors.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        linli_config::store_path(&self.config)
    }

    /// Directory of the database, the control socket and the last good configuration.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.database().parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
    }
}
