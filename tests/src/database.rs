//! PostgreSQL in a folder of its own, and the district's service before it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::process::{Child, Command};

use crate::gateway::{binary, signal};
use crate::http;
use crate::workspace::{eventually, free_port, tool};

/// A PostgreSQL of its own.
pub struct Database {
    /// Its port, the same over restarts.
    pub port: u16,
    dir: tempfile::TempDir,
    child: Option<Child>,
}

/// One copy of `linli-district`.
pub struct Platform {
    config: PathBuf,
    log: PathBuf,
    /// Port of its HTTP interface.
    pub web: u16,
    child: Option<Child>,
}

/// Programs of PostgreSQL 15 or newer, which Debian keeps out of the PATH.
fn programs() -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    found.retain(|bin| bin.join("initdb").is_file());
    found.sort();
    found.pop().context("PostgreSQL is missing: install it with `apt-get install postgresql-15`")
}

/// A command that runs as the user `postgres` where the tests run as root: PostgreSQL refuses to be root.
fn unprivileged(program: &Path) -> Command {
    let is_root = std::env::var("USER").is_ok_and(|user| user == "root") || is_root();
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
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
        let dir = tempfile::Builder::new().prefix("linli-pg-").tempdir()?;
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
        let mut database = Self { port: free_port()?, dir, child: None };
        database.begin().await?;
        Ok(database)
    }

    /// Starts it again with what it kept; it recovers by itself.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        self.begin_in(&self.folder().join("data")).await
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
        let log = std::fs::File::options().create(true).append(true).open(self.dir.path().join("log"))?;
        let child = unprivileged(&programs()?.join("postgres"))
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
        signal(&child, "-QUIT").await?;
        child.wait().await?;
        Ok(())
    }

    /// Its address for the service.
    #[must_use]
    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
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
        ensure!(
            self.number(missing).await? == 0,
            "missing: {}",
            self.ask("SELECT epoch, seqs, gone FROM epoch").await?
        );
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

// === impl Platform ===

impl Platform {
    /// Writes the configuration of a copy and makes the tables. It is not started.
    pub async fn new(dir: &Path, name: &str, database: &Database, broker: u16) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let (config, web) = (dir.join(format!("{name}.toml")), free_port()?);
        let mut text = format!(
            "[database]\nurl = \"{}\"\n\n[mqtt]\nurl = \"mqtt://127.0.0.1:{broker}\"\nclient_id = \"{name}\"\n\n\
             [web]\nlisten = \"127.0.0.1:{web}\"\nhosts = [\"linli\"]\n",
            database.url()
        );
        for person in ["wang", "li"] {
            std::fs::write(dir.join(format!("{person}.token")), format!("{person}-0123456789-0123456789"))?;
            text += &format!("\n[[person]]\nname = \"{person}\"\ntoken = \"file:{person}.token\"\n");
        }
        std::fs::write(&config, text)?;
        let platform = Self { config, log: dir.join(format!("{name}.log")), web, child: None };
        platform.verb(&["migrate"]).await?;
        Ok(platform)
    }

    /// Takes the messages from this server instead.
    pub fn listen_to(&self, url: &str) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.config)?;
        let lines = text.lines().map(|line| match line.starts_with("url = \"mqtt:") {
            true => format!("url = \"{url}\"\n"),
            false => format!("{line}\n"),
        });
        Ok(std::fs::write(&self.config, lines.collect::<String>())?)
    }

    /// Uses this user at the broker, whose password is its name.
    pub fn log_in_at_broker(&self, user: &str) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.config)?;
        std::fs::write(self.config.with_file_name("broker.password"), user)?;
        let table = format!("[mqtt]\nusername = \"{user}\"\npassword = \"file:broker.password\"\n");
        Ok(std::fs::write(&self.config, text.replacen("[mqtt]\n", &table, 1))?)
    }

    /// Runs a verb to its end; the error is what it said.
    pub async fn verb(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output =
            Command::new(program()?).args(arguments).arg("--config").arg(&self.config).output().await?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "linli-district {}: {said}{error}", arguments.join(" "));
        Ok(said)
    }

    /// Starts the copy and waits until it is ready.
    pub async fn begin(&mut self) -> anyhow::Result<()> {
        self.spawn()?;
        let (web, patience) = (self.web, Duration::from_secs(30));
        let ready =
            eventually("the district is ready", patience, || get(web, "/readyz").is_some_and(|a| a.0 == 200));
        ready.await.with_context(|| self.log())
    }

    /// Starts the copy.
    pub fn spawn(&mut self) -> anyhow::Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(&self.log)?;
        let child = Command::new(program()?)
            .args(["run", "--config"])
            .arg(&self.config)
            .env("LINLI_LOG", "info")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        self.child = Some(child);
        Ok(())
    }

    /// Kills it, as a power cut does.
    pub async fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await?;
        }
        Ok(())
    }

    /// Stops it and waits for its end.
    pub async fn stop(&mut self) -> anyhow::Result<()> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        signal(&child, "-TERM").await?;
        let ended = tokio::time::timeout(Duration::from_secs(30), child.wait()).await;
        let status = ended.context("it does not end")??;
        ensure!(status.success(), "it ended with {status}:\n{}", self.log());
        Ok(())
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Status and answer of a GET.
    pub fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        get(self.web, path).with_context(|| format!("{path}: no answer"))
    }

    /// Status and answer of a POST by a person.
    pub fn post(&self, person: &str, path: &str, body: &str) -> anyhow::Result<(u16, serde_json::Value)> {
        let stream = std::net::TcpStream::connect(("127.0.0.1", self.web))?;
        let header = format!("Authorization: Bearer {person}-0123456789-0123456789\r\n");
        let (status, answer) = http::ask(stream, "POST", path, &header, body)?;
        Ok((status, serde_json::from_str(&answer).unwrap_or_default()))
    }

    /// The value of one of its metrics.
    pub fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let (_, page) = self.get("/metrics")?;
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|value| value.parse().ok()).with_context(|| format!("no metric {name} in\n{page}"))
    }
}

fn get(web: u16, path: &str) -> Option<(u16, String)> {
    let stream = std::net::TcpStream::connect(("127.0.0.1", web)).ok()?;
    http::ask(stream, "GET", path, "", "").ok()
}

/// The binary under test, beside the gateway's.
fn program() -> anyhow::Result<PathBuf> {
    let path = binary()?.with_file_name("linli-district");
    ensure!(
        path.is_file(),
        "{} is missing: build it with `cargo build --profile e2e --workspace`",
        path.display()
    );
    Ok(path)
}
