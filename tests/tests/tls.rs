//! TLS as other programs see it: curl and openssl against the real gateway.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::FakeClock;
use linli_tests::devices::STORE;
use linli_tests::{Gateway, Workspace, eventually, free_port, linli, tool};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(60);

/// A gateway that listens off loopback.
struct Bench {
    workspace: Workspace,
    config: PathBuf,
    port: u16,
}

impl Bench {
    fn new(devices: &str) -> anyhow::Result<Self> {
        let workspace = Workspace::new()?;
        let port = free_port()?;
        let config = workspace.configure_with("", STORE, devices)?;
        let bench = Self { workspace, config, port };
        bench.write_web("")?;
        Ok(bench)
    }

    fn write_web(&self, more: &str) -> anyhow::Result<()> {
        let text = format!(
            "[gateway]\nid = \"gw\"\n\n[store]\n{STORE}\n\n[web]\nlisten = \"0.0.0.0:{}\"\nopen_to_network = true\n\
             names = [\"linli.test\"]\n{more}",
            self.port
        );
        Ok(std::fs::write(self.config.join("gateway.toml"), text)?)
    }

    async fn start(&self) -> anyhow::Result<Gateway> {
        let mut gateway = Gateway::start(&self.config, &self.workspace.path("data")).await?;
        gateway.answering().await?;
        Ok(gateway)
    }

    /// The authority's certificate, written where other programs find it.
    async fn authority(&self, gateway: &Gateway, name: &str) -> anyhow::Result<PathBuf> {
        let shown = gateway.verb(&["tls", "show", "--authority"]).await?;
        ensure!(shown.status.success(), "{}", String::from_utf8_lossy(&shown.stderr));
        let path = self.workspace.path(name);
        std::fs::write(&path, shown.stdout)?;
        Ok(path)
    }

    /// Asks by curl, which trusts that authority; returns its exit code and what it wrote.
    async fn curl(&self, authority: &Path, more: &[&str]) -> anyhow::Result<(i32, String)> {
        let url = format!("https://linli.test:{}/healthz", self.port);
        let resolve = format!("linli.test:{}:127.0.0.1", self.port);
        let mut command = Command::new(tool("curl", "curl")?);
        command
            .args(["-sS", "--max-time", "20", "--resolve", &resolve, "--cacert"])
            .arg(authority)
            .args(more);
        let output = command.arg(&url).stdin(Stdio::null()).output().await?;
        let told = [output.stdout, output.stderr].concat();
        Ok((output.status.code().unwrap_or(-1), String::from_utf8_lossy(&told).into_owned()))
    }

    /// What openssl says of the connection.
    async fn openssl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let address = format!("127.0.0.1:{}", self.port);
        let mut command = Command::new(tool("openssl", "openssl")?);
        command.args(["s_client", "-connect", &address]).args(arguments).stdin(Stdio::null());
        let output = command.output().await?;
        Ok(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}

/// Makes a certificate of its own authority by openssl, valid for a day from `day`; returns chain and key.
async fn foreign(workspace: &Workspace, name: &str, day: Option<&str>) -> anyhow::Result<(PathBuf, PathBuf)> {
    let (chain, key) = (workspace.path(&format!("{name}.pem")), workspace.path(&format!("{name}.key")));
    let openssl = tool("openssl", "openssl")?;
    let mut command = match day {
        Some(day) => {
            let mut command = Command::new(tool("faketime", "faketime")?);
            command.arg(day).arg(openssl);
            command
        }
        None => Command::new(openssl),
    };
    command.args("req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=elsewhere".split(' '));
    command.args(["-addext", "subjectAltName=DNS:linli.test", "-keyout"]).arg(&key).arg("-out").arg(&chain);
    let output = command.stdin(Stdio::null()).output().await?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600))?;
    Ok((chain, key))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.clone(), output.stderr.clone()].concat()).into_owned()
}

#[tokio::test]
async fn every_address_but_loopback_speaks_tls_with_http_2() -> anyhow::Result<()> {
    let bench = Bench::new("")?;
    let gateway = bench.start().await?;
    let authority = bench.authority(&gateway, "ca.pem").await?;
    for (more, version) in [(&["--http2"][..], "2"), (&["--http1.1"], "1.1"), (&["--tls-max", "1.2"], "2")] {
        let more = [more, &["-w", " %{http_version} %{ssl_verify_result}"]].concat();
        let (code, told) = bench.curl(&authority, &more).await?;
        assert_eq!((code, told), (0, format!("ok\n {version} 0")));
    }
    // Nobody is answered unencrypted, or in a version that is broken, or without trust.
    let plain = format!("http://127.0.0.1:{}/healthz", bench.port);
    let output =
        Command::new(tool("curl", "curl")?).args(["-sS", "--max-time", "20", &plain]).output().await?;
    assert!(!output.status.success(), "{}", text(&output));
    assert!(!String::from_utf8_lossy(&output.stdout).contains("ok"));
    let old = bench.openssl(&["-tls1_1"]).await?;
    assert!(old.contains("Cipher is (NONE)") && old.contains("alert"), "{old}");
    assert_eq!(bench.curl(Path::new("/etc/ssl/certs/ca-certificates.crt"), &[]).await?.0, 60);
    let names =
        bench.openssl(&["-CAfile", &authority.display().to_string(), "-verify_hostname", "c.local"]).await?;
    assert!(names.contains("Verification: OK"), "{names}");
    // What `show` says is what the connection shows.
    let shown = gateway.verb(&["tls", "show", "--json"]).await?;
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout)?;
    let openssl = tool("openssl", "openssl")?;
    let digest = Command::new(&openssl)
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(&authority)
        .output()
        .await?;
    let fingerprint = shown["authority"]["fingerprint"].as_str().context("no fingerprint")?;
    assert!(text(&digest).contains(fingerprint), "{} {fingerprint}", text(&digest));
    let told = text(&gateway.verb(&["tls", "show"]).await?);
    assert!(told.contains(fingerprint) && told.contains('█'), "text and code:\n{told}");
    let sheet = bench.workspace.path("sheet.pdf");
    let written = gateway.verb(&["tls", "show", "--pdf", &sheet.display().to_string()]).await?;
    assert!(written.status.success(), "{}", text(&written));
    let printed = Command::new(tool("pdftotext", "poppler-utils")?).arg(&sheet).arg("-").output().await?;
    let printed: String = text(&printed).split_whitespace().collect();
    assert!(printed.contains(fingerprint) && printed.contains("证书指纹"), "{printed}");
    gateway.stop().await
}

#[tokio::test]
async fn a_renewal_is_shown_to_new_connections_while_an_old_one_goes_on() -> anyhow::Result<()> {
    let bench = Bench::new("")?;
    let gateway = bench.start().await?;
    let authority = bench.authority(&gateway, "ca.pem").await?;
    let before = bench.openssl(&[]).await?;
    let address = format!("127.0.0.1:{}", bench.port);
    let mut old = Command::new(tool("openssl", "openssl")?)
        .args(["s_client", "-quiet", "-verify_quiet", "-connect", &address, "-CAfile"])
        .arg(&authority)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    let mut asks = old.stdin.take().context("stdin")?;
    let mut answers = BufReader::new(old.stdout.take().context("stdout")?).lines();
    let renewed = gateway.verb(&["tls", "renew"]).await?;
    assert!(renewed.status.success(), "{}", text(&renewed));
    let mut after = before.clone();
    let until = tokio::time::Instant::now() + PATIENCE;
    let mut answered = 0;
    while certificate(&after) == certificate(&before) {
        ensure!(tokio::time::Instant::now() < until, "the old certificate is still shown");
        after = bench.openssl(&["-CAfile", &authority.display().to_string()]).await?;
        answered += asks_again(&mut asks, &mut answers).await?;
    }
    assert!(after.contains("Verification: OK"), "the authority is the same:\n{after}");
    answered += asks_again(&mut asks, &mut answers).await?;
    assert!(answered >= 2, "the old connection goes on");
    // Another authority: who trusts the earlier one refuses, who is given the new one connects.
    let renewed = gateway.verb(&["tls", "renew", "--authority"]).await?;
    assert!(text(&renewed).contains("linli tls show --authority"), "{}", text(&renewed));
    let fresh = bench.authority(&gateway, "ca2.pem").await?;
    let until = tokio::time::Instant::now() + PATIENCE;
    while bench.curl(&fresh, &[]).await?.0 != 0 {
        ensure!(tokio::time::Instant::now() < until, "the new authority does not sign yet");
    }
    assert_eq!(bench.curl(&authority, &[]).await?.0, 60, "curl: peer certificate cannot be authenticated");
    gateway.stop().await
}

/// The certificate in what openssl says.
fn certificate(shown: &str) -> Option<String> {
    shown.split("-----").nth(2).map(str::to_owned)
}

/// Asks once more on the open connection; returns 1.
async fn asks_again(
    asks: &mut tokio::process::ChildStdin,
    answers: &mut tokio::io::Lines<BufReader<tokio::process::ChildStdout>>,
) -> anyhow::Result<u32> {
    asks.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await?;
    asks.flush().await?;
    loop {
        let line = tokio::time::timeout(PATIENCE, answers.next_line()).await??.context("it was closed")?;
        if line == "ok" {
            return Ok(1);
        }
    }
}

#[tokio::test]
async fn what_is_imported_is_checked_and_an_expired_one_is_named() -> anyhow::Result<()> {
    let bench = Bench::new("")?;
    let gateway = bench.start().await?;
    let import = async |chain: &Path, key: &Path| {
        gateway.verb(&["tls", "import", &chain.display().to_string(), &key.display().to_string()]).await
    };
    let (expired, expired_key) = foreign(&bench.workspace, "expired", Some("2026-01-05 12:00:00")).await?;
    let refused = import(&expired, &expired_key).await?;
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        text(&refused).contains("expired.pem: certificate 1 (CN=elsewhere) expired on 2026-01-06"),
        "{}",
        text(&refused)
    );
    let (good, good_key) = foreign(&bench.workspace, "good", None).await?;
    let refused = import(&good, &expired_key).await?;
    assert!(text(&refused).contains("not that of the first certificate"), "{}", text(&refused));
    std::fs::set_permissions(&good_key, std::fs::Permissions::from_mode(0o644))?;
    let refused = import(&good, &good_key).await?;
    assert!(text(&refused).contains(&format!("chmod 600 {}", good_key.display())), "{}", text(&refused));
    std::fs::set_permissions(&good_key, std::fs::Permissions::from_mode(0o600))?;
    let taken = import(&good, &good_key).await?;
    assert!(taken.status.success() && text(&taken).contains("expires on"), "{}", text(&taken));
    let until = tokio::time::Instant::now() + PATIENCE;
    while bench.curl(&good, &[]).await?.0 != 0 {
        ensure!(tokio::time::Instant::now() < until, "the imported certificate is not shown");
    }
    let soon =
        || gateway.get("/readyz").is_ok_and(|page| page.contains("tls: the imported certificate expires on"));
    eventually("the end is announced", PATIENCE, soon).await?;
    // A file that is damaged under the running gateway changes nothing but what it says.
    let imported = bench.workspace.path("data/tls/imported.pem");
    let whole = std::fs::read(&imported)?;
    std::fs::write(&imported, "rubbish")?;
    let told =
        || gateway.get("/readyz").is_ok_and(|page| page.contains("imported.pem: holds no certificate"));
    eventually("the damage is told", PATIENCE, told).await?;
    assert_eq!(bench.curl(&good, &[]).await?.0, 0);
    std::fs::write(&imported, whole)?;
    let mended = || gateway.get("/readyz").is_ok_and(|page| !page.contains("holds no certificate"));
    eventually("it is mended", PATIENCE, mended).await?;
    let removed = gateway.verb(&["tls", "import", "--remove"]).await?;
    assert!(text(&removed).contains("removed"), "{}", text(&removed));
    gateway.stop().await
}

#[tokio::test]
async fn a_certificate_is_renewed_before_its_end_while_the_gateway_runs() -> anyhow::Result<()> {
    let bench = Bench::new("")?;
    let clock = FakeClock::new(&bench.workspace).await?;
    let data = bench.workspace.path("data");
    let mut gateway = Gateway::start_under(&clock.wrapper(), &bench.config, &data).await?;
    gateway.answering().await?;
    let authority = bench.authority(&gateway, "ca.pem").await?;
    let trusting = ["-no_check_time", "-CAfile", &authority.display().to_string()];
    let first = certificate(&bench.openssl(&trusting).await?);
    for days in ["+345d", "+2000d"] {
        clock.set(days)?;
        let until = tokio::time::Instant::now() + PATIENCE;
        let mut shown = bench.openssl(&trusting).await?;
        while certificate(&shown) == first {
            ensure!(tokio::time::Instant::now() < until, "{days}: it is not renewed: {}", gateway.log());
            shown = bench.openssl(&trusting).await?;
        }
        assert!(shown.contains("Verification: OK"), "{days}: the authority is the same: {shown}");
    }
    assert!(gateway.log().contains("near its end"), "{}", gateway.log());
    gateway.stop().await
}

#[tokio::test]
async fn keys_that_others_may_read_keep_the_gateway_from_starting() -> anyhow::Result<()> {
    let bench = Bench::new("")?;
    bench.start().await?.stop().await?;
    for name in ["authority.pem", "server.pem"] {
        let path = bench.workspace.path(&format!("data/tls/{name}"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644))?;
        let run = linli(&["run", "--config", &bench.config.display().to_string()]).await?;
        assert!(!run.status.success());
        let words = format!("/../data/tls/{name}`");
        assert!(text(&run).contains("(mode 644); run `chmod 600 "), "{}", text(&run));
        assert!(text(&run).contains(&words), "{}", text(&run));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    }
    bench.start().await?.stop().await
}

#[tokio::test]
async fn what_is_not_encrypted_needs_a_reason_which_is_shown() -> anyhow::Result<()> {
    let monitor = format!(
        "[[line]]\nid = \"m\"\nkind = \"mllp\"\nlisten = \"0.0.0.0:{}\"\nINSECURE\n[[device]]\nid = \"m1\"\nline = \"m\"\n\
         profile = \"hl7/oru-r01\"\nclass = \"vital\"\n",
        free_port()?
    );
    let bench = Bench::new(&monitor.replace("INSECURE", ""))?;
    let config = bench.config.display().to_string();
    let refused = linli(&["check", &config]).await?;
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused).contains("insecure = \"because …\""), "{}", text(&refused));
    let reason = "insecure = \"because the monitor has a cable of its own\"";
    std::fs::write(bench.config.join("devices.toml"), monitor.replace("INSECURE", reason))?;
    bench.write_web("insecure = \"because a proxy in the same rack adds it\"\n")?;
    let gateway = bench.start().await?;
    let page = gateway.get("/readyz")?;
    assert!(
        page.contains("insecure: [web] is not encrypted: because a proxy in the same rack adds it"),
        "{page}"
    );
    assert!(page.contains("insecure: line m is not encrypted: because the monitor has a cable"), "{page}");
    let status: serde_json::Value = serde_json::from_str(&gateway.get("/api/v1/status")?)?;
    assert_eq!(status["insecure"].as_array().map(Vec::len), Some(2), "{status}");
    let metrics = gateway.get("/metrics")?;
    assert!(metrics.contains("linli_insecure{place=\"line m\"} 1"), "{metrics}");
    let plain = format!("http://127.0.0.1:{}/healthz", bench.port);
    let output =
        Command::new(tool("curl", "curl")?).args(["-sS", "--max-time", "20", &plain]).output().await?;
    assert_eq!(text(&output), "ok\n");
    gateway.stop().await
}
