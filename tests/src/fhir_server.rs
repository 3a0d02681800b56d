//! A FHIR R4 server that we did not write: Medplum's router, validator and repository, behind Node.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::http;
use crate::workspace::{Workspace, eventually, free_port, tool};

/// The token that the server wants.
pub const TOKEN: &str = "fhir-secret";

/// The server.
pub struct FhirServer {
    /// Its address for the configuration.
    pub url: String,
    port: u16,
    faults: PathBuf,
    _child: Child,
}

// === impl FhirServer ===

impl FhirServer {
    /// Starts it, empty.
    ///
    /// # Errors
    /// When Node or the packages are missing, or it does not listen.
    pub async fn start(workspace: &Workspace) -> anyhow::Result<Self> {
        let packages = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/fhir_server");
        ensure!(
            packages.join("node_modules").is_dir(),
            "{} is missing: `cargo xtask test` prepares it",
            packages.display()
        );
        // Node looks for packages beside the program.
        let program = packages.join("server.mjs");
        std::fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/peers/fhir_server/server.mjs"), &program)?;
        let (port, faults, log) =
            (free_port()?, workspace.path("fhir-faults"), workspace.path("fhir-server.log"));
        let child = Command::new(tool("node", "nodejs")?)
            .arg(program)
            .arg(port.to_string())
            .arg(&faults)
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log)?)
            .kill_on_drop(true)
            .spawn()?;
        eventually("the FHIR server listens", Duration::from_secs(60), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        })
        .await
        .with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
        Ok(Self { url: format!("http://127.0.0.1:{port}"), port, faults, _child: child })
    }

    /// From now on every answer has this status: `503` before anything is done, `done 503` after it. Empty: no more.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn answers(&self, how: &str) -> anyhow::Result<()> {
        if how.is_empty() {
            let _ = std::fs::remove_file(&self.faults);
            return Ok(());
        }
        let part = self.faults.with_extension("part");
        std::fs::write(&part, how)?;
        Ok(std::fs::rename(part, &self.faults)?)
    }

    /// The resources of a kind, with a query such as `?status=final`.
    ///
    /// # Errors
    /// When it does not answer in FHIR.
    pub fn all(&self, kind: &str) -> anyhow::Result<Vec<Value>> {
        let separator = if kind.contains('?') { '&' } else { '?' };
        let path = format!("/{kind}{separator}_count=1000");
        let stream = std::net::TcpStream::connect(("127.0.0.1", self.port))?;
        let (_, body) = http::ask(stream, "GET", &path, "", "")?;
        let bundle: Value = serde_json::from_str(&body)?;
        ensure!(bundle["resourceType"] == "Bundle", "{bundle}");
        let entries = bundle["entry"].as_array().cloned().unwrap_or_default();
        Ok(entries.into_iter().map(|mut entry| entry["resource"].take()).collect())
    }
}
