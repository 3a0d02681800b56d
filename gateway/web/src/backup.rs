//! Copies of the database that are made from the screens: on this machine, beside the database, readable by its owner
//! alone. What a person takes away is made by `linli backup`; nothing of it leaves through HTTP, because it holds what
//! only some roles may see.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use linli_accounts::Accounts;
use linli_domain::Timestamp;
use linli_domain::caller::Acting;
use serde::Serialize;

use super::Problem;

/// Copies that stay; older ones are removed after a new one is complete.
const KEPT: usize = 3;

/// Disk space that a copy must leave, in bytes: the gateway itself goes on writing.
const LEAVES: u64 = 64 << 20;

/// What the last copy has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupState {
    /// None was asked for since the gateway began.
    #[default]
    Idle,
    /// It is being made.
    Running,
    /// It is complete and checked.
    Done,
    /// It was not made.
    Failed,
}

/// A copy on the disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Copy {
    /// Name of the file.
    pub file: String,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was complete.
    pub at: Timestamp,
}

/// What is shown of the copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupView {
    /// Their directory on this machine.
    pub folder: String,
    /// What the last one has come to.
    pub state: BackupState,
    /// Bytes written so far of the one that is being made.
    pub written_bytes: u64,
    /// Why the last one was not made.
    pub why: Option<String>,
    /// Those that are complete, newest first.
    pub copies: Vec<Copy>,
}

#[derive(Debug, Default)]
struct Progress {
    state: BackupState,
    file: Option<PathBuf>,
    why: Option<String>,
}

/// Makes copies, one at a time.
#[derive(Debug)]
pub struct Backups {
    database: PathBuf,
    progress: Mutex<Progress>,
}

// === impl Backups ===

impl Backups {
    /// Copies of the database at this path.
    #[must_use]
    pub fn of(database: PathBuf) -> Self {
        Self { database, progress: Mutex::default() }
    }

    fn folder(&self) -> PathBuf {
        let parent = self.database.parent().unwrap_or(Path::new("."));
        // As people would type it, without `..`.
        parent.canonicalize().unwrap_or_else(|_| parent.to_owned()).join("backups")
    }

    /// What is shown of the copies.
    #[must_use]
    pub fn view(&self) -> BackupView {
        let progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let unfinished = progress.file.as_ref().map(|file| file.with_added_extension("unfinished"));
        let written = unfinished.and_then(|file| std::fs::metadata(file).ok()).map_or(0, |found| found.len());
        BackupView {
            folder: self.folder().display().to_string(),
            state: progress.state,
            written_bytes: if progress.state == BackupState::Running { written } else { 0 },
            why: progress.why.clone(),
            copies: copies(&self.folder()),
        }
    }

    /// Begins a copy, which goes on after the answer; who asked for it and what came of it are put on record.
    ///
    /// # Errors
    /// When one is being made (409), or the disk has too little space for it (507).
    pub fn begin(
        self: &Arc<Self>,
        now: Timestamp,
        accounts: Accounts,
        acting: Acting,
    ) -> Result<(), Problem> {
        let file = self.folder().join(name(now));
        {
            let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
            if progress.state == BackupState::Running {
                let why = "正在备份，请等它完成 a copy is being made already: wait until it is complete";
                return Err(Problem::new(StatusCode::CONFLICT, why));
            }
            self.check_space()?;
            *progress = Progress { state: BackupState::Running, file: Some(file.clone()), why: None };
        }
        let backups = Arc::clone(self);
        tokio::spawn(async move {
            let outcome = backups.copy(&file).await;
            let (what, detail) = match &outcome {
                Ok(()) => ("backup", file.display().to_string()),
                Err(why) => ("backup failed", why.clone()),
            };
            let _ = accounts.configured(what, &detail, Some(acting)).await;
            let mut progress = backups.progress.lock().unwrap_or_else(PoisonError::into_inner);
            let state = if outcome.is_ok() { BackupState::Done } else { BackupState::Failed };
            *progress = Progress { state, file: None, why: outcome.err() };
        });
        Ok(())
    }

    async fn copy(&self, file: &Path) -> Result<(), String> {
        use std::os::unix::fs::DirBuilderExt;
        let folder = self.folder();
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| format!("{}: {error}", folder.display()))?;
        linli_store::backup(&self.database, file).await.map_err(|error| error.to_string())?;
        for old in copies(&folder).iter().skip(KEPT) {
            if let Err(error) = std::fs::remove_file(folder.join(&old.file)) {
                tracing::warn!(file = old.file, %error, "an old copy of the database cannot be removed");
            }
        }
        Ok(())
    }

    /// Refuses a copy for which the disk has too little space.
    fn check_space(&self) -> Result<(), Problem> {
        let length = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.len());
        let log = self.database.with_added_extension("wal");
        let wanted = length(&self.database) + length(&log) + LEAVES;
        let place = self.database.parent().unwrap_or(Path::new("."));
        let Ok(disk) = rustix::fs::statvfs(place) else { return Ok(()) };
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free >= wanted {
            return Ok(());
        }
        let (wanted, free) = (wanted >> 20, free >> 20);
        Err(Problem::new(
            StatusCode::INSUFFICIENT_STORAGE,
            format!(
                "磁盘空间不够：要 {wanted} MB，只剩 {free} MB；在机器上用 linli backup 拷到 U 盘 too little disk space: \
                 {wanted} MB are needed, {free} MB are free; on the machine `linli backup` copies to a stick"
            ),
        ))
    }
}

/// The name of a copy made at this time, in UTC.
fn name(now: Timestamp) -> String {
    let at = jiff::Timestamp::from_millisecond(now.0).unwrap_or_default();
    format!("linli-{}.db", at.strftime("%Y%m%d-%H%M%S"))
}

/// The complete copies, newest first by their names.
fn copies(folder: &Path) -> Vec<Copy> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<Copy> = entries
        .flatten()
        .filter_map(|entry| {
            let file = entry.file_name().into_string().ok()?;
            if !file.starts_with("linli-") || !file.ends_with(".db") {
                return None;
            }
            let about = entry.metadata().ok().filter(std::fs::Metadata::is_file)?;
            let at = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
            Some(Copy { file, bytes: about.len(), at: Timestamp(i64::try_from(at.as_millis()).ok()?) })
        })
        .collect();
    found.sort_by(|one, other| other.file.cmp(&one.file));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_named_by_their_time_and_listed_newest_first() {
        assert_eq!(name(Timestamp(1_795_428_000_123)), "linli-20261123-100000.db");
        let folder = std::env::temp_dir().join(format!("linli-copies-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for file in
            ["linli-20261123-102000.db", "linli-20261124-102000.db", "linli-1.db.unfinished", "other.db"]
        {
            std::fs::write(folder.join(file), "12345").unwrap();
        }
        let found: Vec<(String, u64)> =
            copies(&folder).into_iter().map(|copy| (copy.file, copy.bytes)).collect();
        std::fs::remove_dir_all(&folder).unwrap();
        let expected =
            ["linli-20261124-102000.db", "linli-20261123-102000.db"].map(|file| (file.to_owned(), 5));
        assert_eq!(found, expected);
    }
}
