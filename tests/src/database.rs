//! PostgreSQL in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::process::{Child, Command};

use crate::gateway::signal;
use crate::workspace::{free_port, tool};

/// A PostgreSQL of its own.
pub struct Database {
    /// Its port, the same over restarts.
    pub port: u16,
    dir: tempfile::TempDir,
    child: Option<Child>,
    /// Of one that somebody else has started.
    url: Option<String>,
}

/// Programs of PostgreSQL 15 or newer, which Debian keeps out of the PATH.
pub fn programs() -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.retain(|bin| bin.join("initdb").is_file());
    found.sort();
    found.pop().context("PostgreSQL is missing: install it with `apt-get install postgresql-15`")
}

/// A command that runs as the user `postgres` where the tests run as root: PostgreSQL refuses to be root.
#[must_use]
pub fn unprivileged(program: &Path) -> Command {
    let is_root = std::env::var("USER").is_ok_and(|user| user == "root") || is_root();
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    // Its home as the service manager sets it: libpq looks for certificates there.
    command.env("HOME", "/").args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

// === impl Database ===

impl Database {
    /// Makes and starts an empty one.
    pub async fn start() -> anyhow::Result<Self> {
        Self::start_in(&std::env::temp_dir()).await
    }

    /// Makes and starts an empty one in a folder of this one.
    pub async fn start_in(above: &Path) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("linli-pg-").tempdir_in(above)?;
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(dir.path()).status().await?;
            ensure!(owned.success(), "the user postgres is missing: apt-get install postgresql-15");
        }
        let made = unprivileged(&programs()?.join("initdb"))
            .args(["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"])
            .arg(dir.path().join("data"))
            .current_dir(dir.path())
            .output()
            .await?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let mut database = Self { port: free_port()?, dir, child: None, url: None };
        database.begin().await?;
        Ok(database)
    }

    /// One that somebody else starts and ends, at this address.
    pub fn elsewhere(url: &str) -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("linli-pg-").tempdir()?;
        Ok(Self { port: 0, dir, child: None, url: Some(url.to_owned()) })
    }

    /// Starts it again with what it kept; it recovers by itself.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        self.begin_in(&self.folder().join("data")).await
    }

    /// The same with another clock: words of the environment, such as `FakeClock` gives them.
    pub async fn begin_under(&mut self, environment: &[(String, String)]) -> anyhow::Result<()> {
        self.begin_with(&self.folder().join("data"), environment).await
    }

    /// Whether its process runs.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()))
    }

    /// Its folder, which belongs to its user.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.dir.path()
    }

    /// A command that runs as its user.
    #[must_use]
    pub fn as_its_user(&self, program: &Path) -> Command {
        let mut command = unprivileged(program);
        command.current_dir(self.folder());
        command
    }

    /// Starts one that was restored into that folder, on the same port.
    pub async fn begin_in(&mut self, data: &Path) -> anyhow::Result<()> {
        self.begin_with(data, &[]).await
    }

    async fn begin_with(&mut self, data: &Path, environment: &[(String, String)]) -> anyhow::Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(self.dir.path().join("log"))?;
        // Behind the change of its user: what another clock makes belongs to that user then.
        let mut command = unprivileged(Path::new("/usr/bin/env"));
        command.args(environment.iter().map(|(name, value)| format!("{name}={value}")));
        let child = command
            .arg(programs()?.join("postgres"))
            .arg("-D")
            .arg(data)
            .args(["-p", &self.port.to_string(), "-h", "127.0.0.1", "-k", "", "-c", "shared_buffers=64MB"])
            .args(["-c", "max_connections=60", "-c", "max_wal_size=256MB"])
            .current_dir(self.dir.path())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        self.child = Some(child);
        for _ in 0..400 {
            if self.ask("SELECT 1").await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
        anyhow::bail!("PostgreSQL does not answer:\n{log}")
    }

    /// Ends it as a crash does: no checkpoint, recovery at the next start (an immediate shutdown).
    pub async fn crash(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        if child.try_wait()?.is_none() {
            signal(&child, "-QUIT").await?;
            child.wait().await?;
        }
        Ok(())
    }

    /// Its address for the service.
    #[must_use]
    pub fn url(&self) -> String {
        let own = || format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
        self.url.clone().unwrap_or_else(own)
    }

    /// Asks with psql, a client that we did not write; the answer as lines with `|` between columns.
    pub async fn ask(&self, sql: &str) -> anyhow::Result<String> {
        let output = Command::new(tool("psql", "postgresql-client-15")?)
            .args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", &self.url(), "-c", sql])
            .env("PGCONNECT_TIMEOUT", "5")
            .output()
            .await?;
        ensure!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
    }

    /// Asks for one number.
    pub async fn number(&self, sql: &str) -> anyhow::Result<i64> {
        let answer = self.ask(sql).await?;
        answer.parse().with_context(|| format!("{sql}: {answer:?} is no number"))
    }

    /// Waits until a number is as wanted; a database that is away is asked again.
    pub async fn until(
        &self,
        sql: &str,
        patience: Duration,
        holds: impl Fn(i64) -> bool,
    ) -> anyhow::Result<i64> {
        let until = tokio::time::Instant::now() + patience;
        loop {
            let found = self.number(sql).await;
            match &found {
                Ok(found) if holds(*found) => return Ok(*found),
                _ => ensure!(
                    tokio::time::Instant::now() < until,
                    "waited {patience:?} in vain: {sql}: {found:?}"
                ),
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The proof: no number of any epoch is missing, none is stored twice, and none is stored that is not counted.
    /// Returns how many messages are stored.
    pub async fn nothing_is_missing_or_twice(&self) -> anyhow::Result<i64> {
        let missing = "SELECT coalesce(sum((SELECT sum(upper(r) - lower(r)) FROM \
            unnest(int8multirange(int8range(1, upper(seqs))) - seqs - gone) r)), 0)::int8 FROM epoch WHERE NOT isempty(seqs)";
        // Of two records that a gateway makes at this moment one copy may commit the later one first.
        let settled = self.until(missing, Duration::from_secs(60), |missing| missing == 0).await;
        if let Err(error) = settled {
            return Err(error.context(self.ask("SELECT epoch, seqs, gone FROM epoch").await?));
        }
        let rows = "SELECT epoch, seq FROM message UNION ALL SELECT epoch, seq FROM event";
        let twice = format!(
            "SELECT count(*) FROM (SELECT FROM ({rows}) r GROUP BY epoch, seq HAVING count(*) > 1) t"
        );
        ensure!(self.number(&twice).await? == 0, "stored twice");
        let counted =
            "SELECT coalesce(sum((SELECT sum(upper(r) - lower(r)) FROM unnest(seqs) r)), 0)::int8 FROM epoch";
        let (stored, counted) =
            (self.number(&format!("SELECT count(*) FROM ({rows}) r")).await?, self.number(counted).await?);
        ensure!(stored == counted, "{stored} messages are stored, {counted} are counted");
        Ok(stored)
    }
}
