//! What the broker reads of enrolment: who may do what, and which certificates are void.
//!
//! The service keeps the files as the database says; something with the right to do it lets the broker read them again
//! (`deploy/district`: a path unit of systemd). A gateway that was revoked is connected until then, with no right to
//! anything: its session is taken over with its own client id, so that its connection ends (MQTT 5.0, 3.1.4).

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use sqlx::{PgPool, Row};
use tokio_util::sync::CancellationToken;

use crate::certificates::{self, Settings};
use crate::config::{Checked, Engine};
use crate::enrolment;
use crate::source;

/// How often the database is asked. Copies do the same: a file is written only when it changes.
const EVERY: Duration = Duration::from_secs(2);

/// For how long connections of a revoked gateway are ended, in seconds: the broker has read the files by then.
const ENDED_FOR: f64 = 60.0;

/// Name of the rules, for `acl_file`.
pub const RULES: &str = "rules";

/// Name of the list of void certificates, for `crlfile`.
pub const LIST: &str = "void.pem";

/// Why the files are not as they should be.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file cannot be written.
    #[error("enrolment.broker_files: {0}")]
    File(#[from] io::Error),
    /// The list cannot be signed.
    #[error("the list of void certificates: {0}")]
    List(#[from] rcgen::Error),
    /// The database fails.
    #[error("the database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Writes the files that differ from the database. Returns whether one did.
pub async fn write(
    pool: &PgPool,
    settings: Option<&Settings>,
    district: &str,
    dir: &Path,
) -> Result<bool, FileError> {
    let rules = enrolment::access_rules(pool, district).await?;
    let mut has_changed = replace(&dir.join(RULES), &rules)?;
    if let Some(settings) = settings {
        let void = certificates::void(pool).await?;
        // Signed anew at each writing: what it says is told by its first line.
        let numbers: Vec<&str> = void.iter().map(|void| void.serial.as_str()).collect();
        let title = format!("# {}\n", numbers.join(" "));
        let path = dir.join(LIST);
        let is_same = std::fs::read_to_string(&path).is_ok_and(|text| text.starts_with(&title));
        if !is_same {
            let now = jiff::Timestamp::now().as_millisecond();
            has_changed |= replace(&path, &(title + &settings.authority.list(&void, now)?))?;
        }
    }
    Ok(has_changed)
}

/// Replaces a file as a whole where it differs: the broker never reads half of it.
fn replace(path: &Path, text: &str) -> io::Result<bool> {
    if std::fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(false);
    }
    let dir = path.parent().unwrap_or(Path::new("."));
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    let mut file = tempfile::Builder::new().prefix(".linli-").permissions(readable).tempfile_in(dir)?;
    file.write_all(text.as_bytes())?;
    // The umask of a service takes what the broker needs.
    file.as_file().set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(true)
}

/// Keeps files and connections as the database says, until cancelled.
pub async fn run(pool: PgPool, checked: Checked, cancel: CancellationToken) {
    let district = checked.config.mqtt.username.clone().unwrap_or_else(|| "district".to_owned());
    let mut last_error = String::new();
    loop {
        tokio::select! {
            () = cancel.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        let told = match &checked.broker_files {
            Some(dir) => write(&pool, checked.certificates.as_ref(), &district, dir).await,
            None => Ok(false),
        };
        match told {
            Ok(true) => tracing::info!("the broker's files were written; it has to read them again"),
            Ok(false) => last_error.clear(),
            Err(error) if error.to_string() == last_error => {}
            Err(error) => {
                tracing::warn!(%error, "the broker's files are not up to date; it is tried again");
                last_error = error.to_string();
            }
        }
        if let Err(error) = end_revoked(&pool, &checked).await {
            tracing::debug!(%error, "connections of revoked gateways");
        }
    }
}

/// Ends the connections of gateways that were revoked a moment ago.
async fn end_revoked(pool: &PgPool, checked: &Checked) -> Result<(), sqlx::Error> {
    if checked.engine == Engine::Nats {
        // That server ends connections by itself when a user is gone.
        return Ok(());
    }
    let rows = sqlx::query(
        "SELECT centre, gateway FROM gateway WHERE revoked_at > now() - $1 * interval '1 s' LIMIT 100",
    );
    for row in rows.bind(ENDED_FOR).fetch_all(pool).await? {
        let user = enrolment::user(row.try_get(0)?, row.try_get(1)?);
        if let Err(error) = source::take_over(checked, &user).await {
            tracing::warn!(user, error, "the connection of a revoked gateway may still be open");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_only_when_it_changes_and_the_broker_may_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(RULES);
        assert!(replace(&path, "user a\n").unwrap());
        assert!(!replace(&path, "user a\n").unwrap());
        assert!(replace(&path, "user b\n").unwrap());
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o644);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1, "nothing beside it");
    }
}
