//! The option `--config`, shared by all verbs that need the configuration or the data directory.

use std::path::{Path, PathBuf};

use linli_domain::timezone::Zone;
use linli_drivers::modbus::profile::ProfileSet;

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

    /// The centre's time zone; UTC when the configuration names one that does not exist.
    #[must_use]
    pub fn zone(&self) -> Zone {
        Zone::find(&linli_config::timezone(&self.config)).unwrap_or_else(Zone::utc)
    }

    /// The profiles of devices: the built-in ones, and the site's own that have no problems.
    #[must_use]
    pub fn profiles(&self) -> ProfileSet {
        let own = self.config.join("devices");
        if own.is_dir() { ProfileSet::embedded().extended(&own).0 } else { ProfileSet::embedded() }
    }

    /// Directory of the database, the control socket and the last good configuration.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.database().parent().map_or_else(|| PathBuf::from("."), Path::to_owned)
    }
}
