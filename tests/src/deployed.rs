//! The district as `deploy/district/install.sh` sets it up, in a folder: its broker with TLS and users, and gateways that
//! enrol there. What needs a service manager is left out.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::process::{Child, Command};

use crate::database::Database;
use crate::gateway::binary;
use crate::workspace::{Workspace, eventually, free_port, tool};

/// Every wait is for an event; this only bounds one that would be for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ports of the generated broker, and where gateways get their certificates.
#[derive(Clone, Copy)]
pub struct Ports {
    /// For gateways with a password.
    pub password: u16,
    /// For gateways with a certificate.
    pub certificate: u16,
    /// For the service.
    pub plain: u16,
    /// Where gateways get certificates.
    pub enrol: u16,
}

/// `deploy/district` in a folder, with its broker running.
pub struct Deployed {
    /// The folder that stands for the machine's.
    pub root: PathBuf,
    /// Its ports.
    pub ports: Ports,
    /// Port of the service's HTTP interface.
    pub web: u16,
    /// mosquitto.
    pub broker: Child,
}

/// A file of `deploy/district`.
#[must_use]
pub fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/district").join(file)
}

/// The service's program.
pub fn district() -> anyhow::Result<PathBuf> {
    Ok(binary()?.with_file_name("linli-district"))
}

/// Runs a command to its end and gives what it said; an error says it too.
pub async fn said(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().await?;
    let (told, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "{command:?}: {told}{error}");
    Ok(told.into_owned())
}

/// Runs a command that has to fail, and gives what it said.
pub async fn refused(command: &mut Command) -> anyhow::Result<String> {
    let output = command.stdin(Stdio::null()).output().await?;
    let (told, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(!output.status.success(), "{command:?} did not fail: {told}{error}");
    Ok(error.into_owned())
}

/// Runs `install.sh` for a folder.
pub async fn install(root: &Path, ports: Ports) -> anyhow::Result<String> {
    let mut command = Command::new(deploy("install.sh"));
    command.args(["--host", "127.0.0.1", "--root"]).arg(root);
    let of = [
        ("--port", ports.password),
        ("--certificate-port", ports.certificate),
        ("--plain-port", ports.plain),
        ("--enrol-port", ports.enrol),
    ];
    for (option, port) in of {
        command.args([option, &port.to_string()]);
    }
    said(&mut command).await
}

// === impl Ports ===

impl Ports {
    /// Free ones.
    pub fn free() -> anyhow::Result<Self> {
        let (password, certificate, plain, enrol) = (free_port()?, free_port()?, free_port()?, free_port()?);
        Ok(Self { password, certificate, plain, enrol })
    }
}

// === impl Deployed ===

impl Deployed {
    /// Installs it and starts its broker; the service is not started.
    pub async fn new(workspace: &Workspace, database: &Database) -> anyhow::Result<Self> {
        let (root, ports) = (workspace.path("root"), Ports::free()?);
        install(&root, ports).await?;
        // The database of the test instead of the machine's own.
        let file = root.join("etc/linli-district/district.toml");
        let written = std::fs::read_to_string(&file)?;
        let own = "postgres://linli-district@%2Fvar%2Frun%2Fpostgresql/linli";
        ensure!(written.contains(own), "{written}");
        let web = free_port()?;
        let text =
            written.replace(own, &database.url()).replace("127.0.0.1:8090", &format!("127.0.0.1:{web}"));
        std::fs::write(&file, text)?;
        // As Debian's own file begins, which includes the generated one.
        let main = workspace.path("mosquitto.conf");
        let text = format!(
            "user root\npersistence true\npersistence_location {}/\nlog_dest none\ninclude_dir {}\n",
            root.display(),
            root.join("etc/mosquitto/conf.d").display()
        );
        std::fs::write(&main, text)?;
        let mosquitto = tool("mosquitto", "mosquitto")?;
        let broker = Command::new(mosquitto).arg("-c").arg(&main).kill_on_drop(true).spawn()?;
        for port in [ports.password, ports.certificate, ports.plain] {
            eventually("mosquitto listens", PATIENCE, || {
                std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
            })
            .await?;
        }
        Ok(Self { root, ports, web, broker })
    }

    /// A file of its configuration.
    #[must_use]
    pub fn etc(&self, file: &str) -> PathBuf {
        self.root.join("etc/linli-district").join(file)
    }

    /// The service's program with a verb.
    pub fn service(&self, verb: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(district()?);
        command.arg(verb).arg("--config").arg(self.etc("district.toml")).kill_on_drop(true);
        Ok(command)
    }

    /// `linli-district-centre`.
    pub async fn centre(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let pid = self.broker.id().context("the broker has ended")?;
        let mut command = Command::new(self.root.join("usr/local/sbin/linli-district-centre"));
        command
            .args(arguments)
            .env("LINLI_DISTRICT_ETC", self.root.join("etc/linli-district"))
            .env("LINLI_DISTRICT_STATE", self.root.join("var/lib/linli-district"))
            .env("LINLI_DISTRICT", district()?)
            .env("LINLI_BROKER_PID", pid.to_string());
        said(&mut command).await
    }

    /// Publishes by TLS with a gateway's user and password, by a client that we did not write. Whether the broker took
    /// it is not told: what no rule permits is acknowledged with a reason that this client only prints.
    pub async fn publish(&self, user: &str, password: &str, topic: &str) -> anyhow::Result<bool> {
        let output = Command::new(tool("mosquitto_pub", "mosquitto-clients")?)
            .args([
                "-V",
                "5",
                "-q",
                "1",
                "-h",
                "127.0.0.1",
                "-p",
                &self.ports.password.to_string(),
                "--cafile",
            ])
            .arg(self.etc("broker/ca.pem"))
            .args(["-u", user, "-P", password, "-t", topic, "-m", r#"{"online":true}"#])
            .output()
            .await?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(output.status.success() && !told.contains("Not authorized"))
    }
}

/// A gateway before and after its enrolment.
pub struct Enrolling<'a> {
    /// Where.
    pub deployed: &'a Deployed,
    /// The gateway's configuration.
    pub config: PathBuf,
    /// Address of the district.
    pub district: String,
    /// Of its authority.
    pub fingerprint: String,
}

// === impl Enrolling ===

impl Enrolling<'_> {
    /// `linli uplink enrol --write` with a code.
    pub fn enrol(&self, code: &str, fingerprint: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(binary()?);
        command.args(["uplink", "enrol", "--district", &self.district, "--code", code]);
        command.args(["--fingerprint", fingerprint, "--write", "--config"]).arg(&self.config);
        Ok(command)
    }

    /// `linli uplink` with a verb.
    pub fn uplink(&self, verb: &str) -> anyhow::Result<Command> {
        let mut command = Command::new(binary()?);
        command.args(["uplink", verb, "--config"]).arg(&self.config);
        Ok(command)
    }

    /// Publishes with the gateway's certificate, by a client that we did not write; whether it was allowed.
    pub async fn publish(&self, identity: &Path, topic: &str) -> anyhow::Result<bool> {
        let output = Command::new(tool("mosquitto_pub", "mosquitto-clients")?)
            .args([
                "-V",
                "5",
                "-q",
                "1",
                "-h",
                "127.0.0.1",
                "-p",
                &self.deployed.ports.certificate.to_string(),
            ])
            .arg("--cafile")
            .arg(self.deployed.etc("broker/ca.pem"))
            .arg("--cert")
            .arg(identity)
            .arg("--key")
            .arg(identity)
            .args(["-t", topic, "-m", r#"{"online":true}"#])
            .output()
            .await?;
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(output.status.success() && !told.contains("Not authorized"))
    }
}

/// The fingerprint of the broker's authority, as people compare it.
pub async fn fingerprint(deployed: &Deployed) -> anyhow::Result<String> {
    let mut openssl = Command::new("openssl");
    openssl.args(["x509", "-noout", "-fingerprint", "-sha256", "-in"]).arg(deployed.etc("broker/ca.pem"));
    let said = said(&mut openssl).await?;
    Ok(said.trim().rsplit('=').next().context("a fingerprint")?.to_owned())
}

/// The code among what was printed.
pub fn code_of(said: &str) -> anyhow::Result<String> {
    let is_code = |line: &&str| line.len() == 19 && line.split('-').all(|part| part.len() == 4);
    Ok(said.lines().find(is_code).with_context(|| format!("no code in {said}"))?.to_owned())
}
