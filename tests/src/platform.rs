//! The district's service before a database.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::database::Database;
use crate::gateway::{binary, signal};
use crate::http;
use crate::log_in::{JSON, PASSWORD};
use crate::workspace::{eventually, free_port};

/// Cookies of people, by the port of their district's database.
static COOKIES: Mutex<BTreeMap<(u16, String), String>> = Mutex::new(BTreeMap::new());

/// One copy of `linli-district`.
pub struct Platform {
    config: PathBuf,
    log: PathBuf,
    /// Port of its HTTP interface.
    pub web: u16,
    database: u16,
    child: Option<Child>,
}

// === impl Platform ===

impl Platform {
    /// Writes the configuration of a copy and makes the tables. It is not started.
    pub async fn new(dir: &Path, name: &str, database: &Database, broker: u16) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let (config, web) = (dir.join(format!("{name}.toml")), free_port()?);
        let text = format!(
            "[database]\nurl = \"{}\"\n\n[mqtt]\nurl = \"mqtt://127.0.0.1:{broker}\"\nclient_id = \"{name}\"\n\n\
             [web]\nlisten = \"127.0.0.1:{web}\"\nhosts = [\"linli\"]\n",
            database.url()
        );
        std::fs::write(&config, text)?;
        let platform =
            Self { config, log: dir.join(format!("{name}.log")), web, database: database.port, child: None };
        platform.verb(&["migrate"]).await?;
        Ok(platform)
    }

    /// Takes the messages from this server instead.
    pub fn listen_to(&self, url: &str) -> anyhow::Result<()> {
        self.listen_to_all(&[url.to_owned()])
    }

    /// Takes the messages from the first of these servers that answers.
    pub fn listen_to_all(&self, urls: &[String]) -> anyhow::Result<()> {
        let (first, more) = urls.split_first().context("no server")?;
        let text = std::fs::read_to_string(&self.config)?;
        let lines = text.lines().map(|line| match line.starts_with("url = \"mqtt:") {
            true => format!("url = \"{first}\"\nmore_urls = {more:?}\n"),
            false => format!("{line}\n"),
        });
        Ok(std::fs::write(&self.config, lines.collect::<String>())?)
    }

    /// A path beside its configuration.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.config.with_file_name(name)
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
        self.spawn_under(&[])
    }

    /// Reaches the database through this port.
    pub fn store_through(&self, port: u16) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(&self.config)?;
        let own = format!("@127.0.0.1:{}/", self.database);
        ensure!(text.contains(&own), "{text}");
        Ok(std::fs::write(&self.config, text.replace(&own, &format!("@127.0.0.1:{port}/")))?)
    }

    /// Starts the copy with these variables of the environment, such as those of another clock.
    pub fn spawn_under(&mut self, environment: &[(String, String)]) -> anyhow::Result<()> {
        let log = std::fs::File::options().create(true).append(true).open(&self.log)?;
        let child = Command::new(program()?)
            .args(["run", "--config"])
            .arg(&self.config)
            .env("LINLI_LOG", "info")
            .envs(environment.iter().map(|(name, value)| (name, value)))
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

    /// Status and answer of a GET; below `/api` by somebody who is logged in.
    pub fn get(&self, path: &str) -> anyhow::Result<(u16, String)> {
        if path.starts_with("/api") {
            let answer = self.ask("wang", "GET", path, "")?;
            return Ok((answer.status, answer.body));
        }
        get(self.web, path).with_context(|| format!("{path}: no answer"))
    }

    /// Status and answer of a POST by a person, who is logged in if they are not yet; `nobody` is not.
    pub fn post(&self, person: &str, path: &str, body: &str) -> anyhow::Result<(u16, Value)> {
        let answer = self.ask(person, "POST", path, body)?;
        Ok((answer.status, serde_json::from_str(&answer.body).unwrap_or_default()))
    }

    /// The whole answer to a person's request.
    pub fn ask(&self, person: &str, method: &str, path: &str, body: &str) -> anyhow::Result<http::Answer> {
        let mut headers = JSON.to_owned();
        if person != "nobody" {
            headers += &format!("Cookie: {}\r\n", self.cookie(person)?);
        }
        http::request(TcpStream::connect(("127.0.0.1", self.web))?, method, path, &headers, body)
    }

    /// The cookie of a person, whose account is made and set up as people do it. All copies of a district know it.
    fn cookie(&self, person: &str) -> anyhow::Result<String> {
        let mut all = COOKIES.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (self.database, person.to_owned());
        if let Some(cookie) = all.get(&key) {
            return Ok(cookie.clone());
        }
        let role = match person {
            "guan" => "administrator",
            "zhou" => "duty_officer",
            "kan" => "viewer",
            _ => "commander",
        };
        let added = std::process::Command::new(program()?)
            .args(["users", "add", person, "--role", role, "--config"])
            .arg(&self.config)
            .output()?;
        ensure!(added.status.success(), "users add: {}", String::from_utf8_lossy(&added.stderr));
        let code = String::from_utf8(added.stdout)?.trim().to_owned();
        let ask = |path: &str, body: &Value| {
            http::request(TcpStream::connect(("127.0.0.1", self.web))?, "POST", path, JSON, &body.to_string())
        };
        let body = json!({"account": person, "code": code, "password": PASSWORD});
        let enrolled = ask("/api/v1/enrol", &body)?;
        ensure!(enrolled.status == 200, "{enrolled:?}");
        let enrolled: Value = serde_json::from_str(&enrolled.body)?;
        let secret = enrolled["totp"].as_str().context("no secret for an authenticator")?;
        let now = linli_domain::Timestamp(crate::now_ms());
        let code = linli_accounts::rules::totp::code_at(secret, now).context("no code")?;
        let opened = ask("/api/v1/session", &json!({"account": person, "password": PASSWORD, "code": code}))?;
        ensure!(opened.status == 200, "{opened:?}");
        let cookie = opened.header("set-cookie").and_then(|cookie| cookie.split(';').next());
        let cookie = cookie.context("no cookie")?.to_owned();
        all.insert(key, cookie.clone());
        Ok(cookie)
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
