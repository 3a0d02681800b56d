//! The real binary as a process.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::process::{Child, Command};

use crate::http;
use crate::log_in::{self, LogIns};
use crate::workspace::eventually;

/// A running gateway.
pub struct Gateway {
    child: Child,
    config: PathBuf,
    data: PathBuf,
    log: PathBuf,
    people: LogIns,
}

/// The binary under test: `LINLI_BIN`, or what `cargo xtask e2e` has built.
pub fn binary() -> anyhow::Result<PathBuf> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target");
    let path = std::env::var_os("LINLI_BIN").map_or_else(|| target.join("e2e/linli"), PathBuf::from);
    ensure!(path.is_file(), "{} is missing: build it with `cargo build --profile e2e`", path.display());
    Ok(path)
}

/// Runs a verb to its end.
pub async fn linli(arguments: &[&str]) -> anyhow::Result<Output> {
    Ok(Command::new(binary()?).args(arguments).stdin(Stdio::null()).output().await?)
}

/// Sends a signal to a child we started.
pub async fn signal(child: &Child, name: &str) -> anyhow::Result<()> {
    let id = child.id().context("it has ended already")?;
    Command::new("kill").args([name, &id.to_string()]).status().await?;
    Ok(())
}

// === impl Gateway ===

impl Gateway {
    /// Starts the gateway; `data` is the directory of its database.
    pub async fn start(config: &Path, data: &Path) -> anyhow::Result<Self> {
        Self::start_under(&[], config, data).await
    }

    /// Starts it below another program, such as `faketime`.
    pub async fn start_under(wrapper: &[&str], config: &Path, data: &Path) -> anyhow::Result<Self> {
        log_in::add_local_account(config)?;
        let log = config.with_extension("log");
        let output = std::fs::OpenOptions::new().create(true).append(true).open(&log)?;
        let binary = binary()?;
        let mut command = match wrapper.split_first() {
            Some((program, rest)) => {
                let mut command = Command::new(program);
                command.args(rest).arg(&binary);
                command
            }
            None => Command::new(&binary),
        };
        let child = command
            .args(["run", "--config"])
            .arg(config)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        let people = LogIns::default();
        Ok(Self { child, config: config.to_owned(), data: data.to_owned(), log, people })
    }

    /// Waits until it answers on its control socket.
    pub async fn answering(&mut self) -> anyhow::Result<()> {
        let socket = self.data.join("control.sock");
        // A busy machine takes its time.
        for _ in 0..2400 {
            if std::os::unix::net::UnixStream::connect(&socket).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("the gateway ended ({status}):\n{}", self.log());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        anyhow::bail!("the gateway does not answer:\n{}", self.log())
    }

    /// Kills the gateway, as a power cut does.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        self.child.kill().await?;
        Ok(())
    }

    /// Stops the gateway and waits for its end.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        signal(&self.child, "-TERM").await?;
        let ended = tokio::time::timeout(Duration::from_secs(40), self.child.wait()).await;
        let status = ended.context("it does not end")??;
        ensure!(status.success(), "it ended with {status}:\n{}", self.log());
        Ok(())
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Sends it a signal.
    pub async fn signal(&self, name: &str) -> anyhow::Result<()> {
        log_in::add_local_account(&self.config)?;
        signal(&self.child, name).await
    }

    /// Its control socket.
    #[must_use]
    pub fn control_socket(&self) -> PathBuf {
        self.data.join("control.sock")
    }

    /// What it shows under a path.
    pub fn get(&self, path: &str) -> anyhow::Result<String> {
        fetch(&self.data.join("control.sock"), path).context("the gateway does not answer")
    }

    /// Asks on the control socket: status and answer. A "person" in the body is no part of it: the request is made
    /// as the account of that person.
    pub fn ask(
        &self,
        method: &str,
        path: &str,
        body: &serde_json::Value,
    ) -> anyhow::Result<(u16, serde_json::Value)> {
        let (headers, body) = self.as_person(body)?;
        let stream = std::os::unix::net::UnixStream::connect(self.data.join("control.sock"))?;
        let (status, answer) = http::ask(stream, method, path, &headers, &body.to_string())?;
        Ok((status, serde_json::from_str(&answer).unwrap_or_default()))
    }

    /// Sends a request over the control socket; other tasks of the test run while it waits up to
    /// `patience`. Returns status and answer.
    pub async fn ask_within(
        &self,
        patience: Duration,
        method: &'static str,
        path: &str,
        body: &serde_json::Value,
    ) -> anyhow::Result<(u16, serde_json::Value)> {
        let stream = std::os::unix::net::UnixStream::connect(self.control_socket())?;
        let (headers, body) = self.as_person(body)?;
        let (path, body) = (path.to_owned(), body.to_string());
        let waiting = move || http::request_within(patience, stream, method, &path, &headers, &body);
        let answer = tokio::task::spawn_blocking(waiting).await??;
        Ok((answer.status, serde_json::from_str(&answer.body).unwrap_or_default()))
    }

    /// The headers and the body of a request that is made as the person it names, if any.
    fn as_person(&self, body: &serde_json::Value) -> anyhow::Result<(String, serde_json::Value)> {
        let mut body = body.clone();
        let person = body.as_object_mut().and_then(|members| members.remove("person"));
        let Some(person) = person.as_ref().and_then(serde_json::Value::as_str) else {
            return Ok((String::new(), body));
        };
        Ok((self.headers_of(person)?, body))
    }

    /// The headers of a request that is made as a person.
    pub fn headers_of(&self, person: &str) -> anyhow::Result<String> {
        Ok(format!("Cookie: {}\r\n", self.people.cookie(&self.control_socket(), person)?))
    }

    /// The cookie of a new log-in on the network listener, of an account with these roles.
    pub fn log_in_at(&self, web: &str, account: &str, roles: &[&str]) -> anyhow::Result<String> {
        let connect = || Ok(std::net::TcpStream::connect(web)?);
        log_in::log_in_over(&self.control_socket(), connect, account, roles)
    }

    /// The directory where the command line keeps log-ins.
    #[must_use]
    pub fn sessions(&self) -> PathBuf {
        log_in::sessions(&self.config)
    }

    /// File with the password of everybody, for the command line.
    pub fn password_file(&self) -> anyhow::Result<String> {
        Ok(log_in::password_file(&self.config)?.to_string_lossy().into_owned())
    }

    /// Returns the address of its network listener, as it was logged.
    pub async fn web(&self) -> anyhow::Result<String> {
        eventually("it is ready", Duration::from_secs(60), || self.log().contains("web=")).await?;
        let log = self.log();
        let address = log.split("web=").nth(1).and_then(|rest| rest.split_whitespace().next());
        Ok(address.context("the log names no listener")?.to_owned())
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Runs a verb beside it. Whom `--login` names is logged in first.
    pub async fn verb(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let config = self.config.to_string_lossy().into_owned();
        if arguments.first() == Some(&"reload") {
            log_in::add_local_account(&self.config)?;
        }
        for pair in arguments.windows(2).filter(|pair| pair[0] == "--login") {
            self.people.keep(&self.control_socket(), &self.config, pair[1])?;
        }
        let mut command = Command::new(binary()?);
        command
            .args(arguments)
            .args(["--config", &config])
            .env("LINLI_SESSIONS", log_in::sessions(&self.config));
        Ok(command.stdin(Stdio::null()).output().await?)
    }

    /// Logs people in for the command line; verbs that act as several people name none.
    pub fn log_in(&self, people: &[&str]) -> anyhow::Result<()> {
        people.iter().try_for_each(|person| self.people.keep(&self.control_socket(), &self.config, person))
    }

    /// Waits until its status satisfies a condition.
    pub async fn until(
        &self,
        what: &str,
        patience: Duration,
        holds: impl Fn(&serde_json::Value) -> bool,
    ) -> anyhow::Result<()> {
        let socket = self.data.join("control.sock");
        eventually(what, patience, || status(&socket).is_some_and(|status| holds(&status)))
            .await
            .with_context(|| format!("status: {:?}\n{}", status(&socket), self.log()))
    }
}

/// One device in a status.
#[must_use]
pub fn device<'a>(status: &'a serde_json::Value, id: &str) -> Option<&'a serde_json::Value> {
    let lines = status["lines"].as_array()?;
    lines.iter().filter_map(|line| line["devices"].as_array()).flatten().find(|d| d["device"] == id)
}

fn status(socket: &Path) -> Option<serde_json::Value> {
    serde_json::from_str(&fetch(socket, "/api/v1/status")?).ok()
}

fn fetch(socket: &Path, path: &str) -> Option<String> {
    let stream = std::os::unix::net::UnixStream::connect(socket).ok()?;
    http::ask(stream, "GET", path, "", "").ok().map(|(_, body)| body)
}
