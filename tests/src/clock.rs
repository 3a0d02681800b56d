//! A wall clock that can be set, by libfaketime; the monotonic one runs on.

use std::path::PathBuf;

use crate::workspace::Workspace;

/// A clock for a gateway that is started under it.
pub struct FakeClock {
    path: PathBuf,
    file: String,
    preload: String,
}

// === impl FakeClock ===

impl FakeClock {
    /// One that shows the right time.
    pub async fn new(workspace: &Workspace) -> anyhow::Result<Self> {
        let output = tokio::process::Command::new("faketime")
            .args(["-f", "+0", "printenv", "LD_PRELOAD"])
            .output()
            .await?;
        let library = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        anyhow::ensure!(!library.is_empty(), "faketime preloads nothing");
        let path = workspace.path("clock");
        let file = format!("FAKETIME_TIMESTAMP_FILE={}", path.display());
        let clock = Self { path, file, preload: format!("LD_PRELOAD={library}") };
        clock.set("+0")?;
        Ok(clock)
    }

    /// Sets it, as `+400d`.
    pub fn set(&self, offset: &str) -> anyhow::Result<()> {
        Ok(std::fs::write(&self.path, offset)?)
    }

    /// The same for a clock that is not set again: it is read once. Where it is read at each look, threads that look at once
    /// see the right time now and then (libfaketime 0.9.10: two of a thousand looks of four threads).
    #[must_use]
    pub fn constant(&self) -> [&str; 5] {
        let once = "FAKETIME_CACHE_DURATION=1000000";
        ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", once, &self.file, &self.preload]
    }

    /// The same as variables of the environment.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        let words = self.wrapper().into_iter().filter_map(|word| word.split_once('='));
        words.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// What the gateway is started under.
    #[must_use]
    pub fn wrapper(&self) -> [&str; 5] {
        ["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1", &self.file, &self.preload]
    }
}
