//! A directory, ports and tools.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::time::{Instant, sleep};

/// The directory of one test, removed when dropped.
pub struct Workspace {
    dir: tempfile::TempDir,
}

// === impl Stage ===

impl Workspace {
    /// An empty directory.
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { dir: tempfile::Builder::new().prefix("linli-e2e-").tempdir()? })
    }

    /// A path in the directory.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a configuration: a broker on that port, and these lines and devices.
    pub fn configure(&self, broker: u16, store: &str, devices: &str) -> anyhow::Result<PathBuf> {
        let mqtt = format!("[mqtt]\nurl = \"mqtt://127.0.0.1:{broker}\"\nbacklog_rate = 0\n");
        self.configure_with(&mqtt, store, devices)
    }

    /// Writes a configuration with a `[mqtt]` table of its own, or none.
    pub fn configure_with(&self, mqtt: &str, store: &str, devices: &str) -> anyhow::Result<PathBuf> {
        let dir = self.path("config");
        std::fs::create_dir_all(&dir)?;
        let gateway = format!(
            "[gateway]\nid = \"gw\"\n\n[store]\n{store}\n\n{mqtt}\n[web]\nlisten = \"127.0.0.1:0\"\n"
        );
        std::fs::write(dir.join("gateway.toml"), gateway)?;
        std::fs::write(
            dir.join("facility.toml"),
            "[centre]\nid = \"c\"\nname = \"试验\"\nform = \"compact\"\n",
        )?;
        std::fs::write(dir.join("devices.toml"), devices)?;
        Ok(dir)
    }
}

/// Returns a port that nothing listens on, and that no other test gets. It lies below the ephemeral ports: a
/// client that connects to a free port among those may connect to itself.
///
/// Each process reserves two hundred ports with a lock that it holds until it ends, so that test programs may
/// run at the same time.
pub fn free_port() -> anyhow::Result<u16> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    static BLOCK: LazyLock<Option<(u16, File)>> = LazyLock::new(|| {
        (0..100).find_map(|block| lock(&format!("ports-{block}")).ok().map(|held| (block, held)))
    });
    let (block, _) = BLOCK.as_ref().context("a hundred test programs run already")?;
    for _ in 0..1000 {
        let port = 12_000 + block * 200 + NEXT.fetch_add(1, Ordering::Relaxed) % 200;
        let address = ("127.0.0.1", port);
        if std::net::TcpListener::bind(address).is_ok() && std::net::UdpSocket::bind(address).is_ok() {
            return Ok(port);
        }
    }
    anyhow::bail!("no port is free between 12000 and 32000")
}

/// Takes the lock of that name, which all test programs of this machine share. An error if another one holds
/// it. It is held while the file is open.
pub fn lock(name: &str) -> anyhow::Result<File> {
    let file = File::create(std::env::temp_dir().join(format!("linli-e2e-{name}.lock")))?;
    file.try_lock().with_context(|| format!("{name} is held by another test program"))?;
    Ok(file)
}

/// Unix milliseconds, as a sender of commands would label them.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "the tests stand for somebody outside, with a clock of his own"
)]
pub fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Returns the path of a program. The error says how to install it.
pub fn tool(name: &str, package: &str) -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let extra = [Path::new("/usr/sbin").to_owned(), Path::new("/usr/local/sbin").to_owned()];
    std::env::split_paths(&path)
        .chain(extra)
        .map(|dir| dir.join(name))
        .find(|candidate| candidate.is_file())
        .with_context(|| format!("{name} is missing: install it with `apt-get install {package}`"))
}

/// Waits until `holds`, at most for `patience`. The error names what was waited for.
pub async fn eventually(
    what: &str,
    patience: Duration,
    mut holds: impl FnMut() -> bool,
) -> anyhow::Result<()> {
    let until = Instant::now() + patience;
    while !holds() {
        ensure!(Instant::now() < until, "waited {patience:?} in vain: {what}");
        sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
