//! Debian's Prometheus on loopback, with the rules and the scrape configuration of `dashboards/prometheus`.

use std::fmt::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::http;
use crate::workspace::{eventually, free_port};

/// Longest wait, long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A running Prometheus.
pub struct Prometheus {
    port: u16,
    log: PathBuf,
    _child: Child,
}

/// A file or folder of the project.
#[must_use]
pub fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Checks a page of metrics by promtool: each has its help and type, and is named as it should be.
pub async fn check_metrics(page: &str) -> anyhow::Result<()> {
    let mut promtool = Command::new(program("promtool")?);
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = promtool.spawn()?;
    child.stdin.take().context("no input")?.write_all(page.as_bytes()).await?;
    let output = child.wait_with_output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&[output.stdout, output.stderr].concat()));
    Ok(())
}

fn program(name: &str) -> anyhow::Result<PathBuf> {
    let path = project("target/prometheus/usr/bin").join(name);
    ensure!(
        path.is_file(),
        "{} is missing: `cargo xtask test --only monitoring` puts it there",
        path.display()
    );
    Ok(path)
}

// === impl Prometheus ===

impl Prometheus {
    /// Starts it in a folder with the configuration and the rules of the project. `replaced` are texts of
    /// prometheus.yml and what stands for them. Rules fire as soon as their condition holds.
    pub async fn start(folder: &Path, replaced: &[(&str, String)]) -> anyhow::Result<Self> {
        let ours = project("dashboards/prometheus");
        std::fs::create_dir_all(folder.join("rules"))?;
        let mut config = std::fs::read_to_string(ours.join("prometheus.yml"))?;
        for (from, to) in replaced {
            ensure!(config.contains(from), "prometheus.yml has no {from:?}");
            config = config.replace(from, to);
        }
        std::fs::write(folder.join("prometheus.yml"), config)?;
        for file in std::fs::read_dir(ours.join("rules"))? {
            let file = file?;
            let rules = std::fs::read_to_string(file.path())?;
            let at_once = |line: &str| !line.trim_start().starts_with("for: ");
            let rules: Vec<&str> = rules.lines().filter(|line| at_once(line)).collect();
            std::fs::write(folder.join("rules").join(file.file_name()), rules.join("\n"))?;
        }
        let (port, log) = (free_port()?, folder.join("prometheus.log"));
        let output = std::fs::File::create(&log)?;
        let child = Command::new(program("prometheus")?)
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        let prometheus = Self { port, log, _child: child };
        let is_up = || prometheus.get("/api/v1/status/buildinfo").is_ok();
        eventually("prometheus answers", PATIENCE, is_up).await.with_context(|| prometheus.log())?;
        Ok(prometheus)
    }

    /// What it answers under a path; an error if it does not call that a success.
    pub fn get(&self, path: &str) -> anyhow::Result<Value> {
        let stream = TcpStream::connect(("127.0.0.1", self.port))?;
        let (status, body) = http::ask(stream, "GET", path, "", "")?;
        let mut answer: Value = serde_json::from_str(&body).with_context(|| format!("{status}: {body}"))?;
        ensure!(answer["status"] == "success", "{status}: {}", answer["error"]);
        Ok(answer["data"].take())
    }

    /// Evaluates an expression now; returns the series of the answer.
    pub fn query(&self, expression: &str) -> anyhow::Result<Vec<Value>> {
        let mut path = "/api/v1/query?query=".to_owned();
        for byte in expression.bytes() {
            let _ = write!(path, "%{byte:02X}");
        }
        let data = self.get(&path).with_context(|| expression.to_owned())?;
        Ok(data["result"].as_array().context("no result")?.clone())
    }

    /// Waits until an expression has a series, or none.
    pub async fn until(&self, expression: &str, has_any: bool) -> anyhow::Result<()> {
        let what = format!("{expression} has {}", if has_any { "a series" } else { "no series" });
        let holds = || self.query(expression).is_ok_and(|series| series.is_empty() != has_any);
        eventually(&what, PATIENCE, holds).await.with_context(|| self.log())
    }

    /// Waits until an alert with these labels fires, or does not.
    pub async fn fires(&self, name: &str, labels: &str, is_firing: bool) -> anyhow::Result<()> {
        let alert = format!("ALERTS{{alertname=\"{name}\",alertstate=\"firing\",{labels}}}");
        self.until(&alert, is_firing).await
    }

    /// What it logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
