//! The district as `deploy/district` sets it up on one machine: its broker with TLS and users, enrolment and
//! revocation, backup and restore. What needs a service manager is left out.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::deployed::{
    Deployed, Enrolling, Ports, code_of, deploy, fingerprint, install, refused, said,
};
use linli_tests::devices::{STORE, floods};
use linli_tests::{Database, Flood, Gateway, Workspace, binary, eventually};
use tokio::process::Command;

/// Every wait is for an event; this only bounds a test that would wait for ever.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages that the district has stored.
const STORED: &str = "SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM event)";

#[tokio::test]
async fn an_enrolled_gateway_delivers_by_tls_until_it_is_revoked() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let deployed = Deployed::new(&workspace, &database).await?;
    said(&mut deployed.service("migrate")?).await?;
    said(&mut deployed.service("check")?).await?;
    let _service = deployed.service("run")?.stderr(Stdio::null()).spawn()?;
    // Another site's name for loopback is not answered.
    let url = format!("http://127.0.0.1:{}/readyz", deployed.web);
    let mut curl = Command::new("curl");
    curl.args([
        "-sS",
        "--retry",
        "30",
        "--retry-all-errors",
        "--retry-delay",
        "1",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code}",
    ]);
    ensure!(said(curl.arg("--fail").arg(&url)).await? == "200", "the district is ready");
    let foreign = ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Host: evil.example"];
    let code = said(Command::new("curl").args(foreign).arg(&url)).await?;
    ensure!(code == "421", "{code}");

    for gateway in ["gw", "other"] {
        let about = ["--name", "星河中心", "--phone", "021-55550100", "--password"];
        deployed.centre(&[&["add", "c", gateway], &about[..]].concat()).await?;
    }
    let handover = deployed.etc("handover/c.gw");
    let flood = Flood::start().await?;
    let mqtt = std::fs::read_to_string(handover.join("gateway-mqtt.toml"))?;
    let config = workspace.configure_with(&mqtt, STORE, &floods(&flood, 1, "50ms"))?;
    for file in ["district-password", "district-ca.pem"] {
        std::fs::copy(handover.join(file), config.join(file))?;
    }
    let mut gw = Gateway::start(&config, &workspace.path("data")).await?;
    gw.answering().await?;
    database.until(STORED, PATIENCE, |stored| stored > 50).await?;

    // Its own topics and no others; a wrong password and no password are nobody.
    let password = std::fs::read_to_string(handover.join("district-password"))?;
    let password = password.trim();
    ensure!(deployed.publish("c.gw", password, "linli/1/c/gw/status").await?, "its own topic");
    ensure!(!deployed.publish("c.gw", password, "linli/1/c/other/status").await?, "another gateway's topic");
    ensure!(!deployed.publish("c.gw", password, "linli/1/c/gw/order").await?, "an order");
    ensure!(!deployed.publish("c.gw", "wrong", "linli/1/c/gw/status").await?, "a wrong password");

    deployed.centre(&["revoke", "c", "gw"]).await?;
    let is_cut_off = |status: &serde_json::Value| status["uplink"]["connected"] == false;
    gw.until("the revoked gateway is cut off", PATIENCE, is_cut_off).await?;
    ensure!(!deployed.publish("c.gw", password, "linli/1/c/gw/status").await?, "revoked");
    ensure!(!handover.exists(), "what was to be handed over is gone");
    let listed = deployed.centre(&["list"]).await?;
    ensure!(listed.lines().any(|line| line.contains("c/gw") && line.contains("revoked")), "{listed}");
    gw.stop().await
}

#[tokio::test]
async fn a_code_becomes_a_certificate_which_is_renewed_and_revoked() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let deployed = Deployed::new(&workspace, &database).await?;
    said(&mut deployed.service("migrate")?).await?;
    let _service = deployed.service("run")?.stderr(Stdio::null()).spawn()?;
    let port = deployed.ports.enrol;
    eventually("gateways are answered", PATIENCE, || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await?;
    let first = code_of(&deployed.centre(&["add", "c", "gw", "--name", "星河中心"]).await?)?;
    let others = code_of(&deployed.centre(&["add", "c", "other"]).await?)?;
    let flood = Flood::start().await?;
    let config = workspace.configure_with("", STORE, &floods(&flood, 1, "50ms"))?;
    let mut gw = Gateway::start(&config, &workspace.path("data")).await?;
    gw.answering().await?;
    let fingerprint = fingerprint(&deployed).await?;
    let district = format!("https://127.0.0.1:{port}");
    let at = Enrolling { deployed: &deployed, config: config.clone(), district, fingerprint };
    wrong_codes(&at, &database, (&first, &others)).await?;

    // The right one, for which the earlier is void.
    let code = code_of(&deployed.centre(&["code", "c", "gw"]).await?)?;
    let before = std::fs::read_to_string(config.join("gateway.toml"))?;
    said(&mut at.enrol(&code, &at.fingerprint)?).await?;
    let identity = workspace.path("data/district/district.pem");
    {
        use std::os::unix::fs::PermissionsExt;
        ensure!(
            std::fs::metadata(&identity)?.permissions().mode() & 0o777 == 0o600,
            "nobody else reads the key"
        );
        ensure!(!workspace.path("data/district/asked.pem").exists(), "the key is in use");
    }
    gw.signal("-HUP").await?;
    database.until(STORED, PATIENCE, |stored| stored > 50).await?;
    let used = refused(&mut at.enrol(&code, &at.fingerprint)?).await?;
    ensure!(used.contains("was used before"), "{used}");

    // Its own topics and no others.
    ensure!(at.publish(&identity, "linli/1/c/gw/status").await?, "its own topic");
    ensure!(!at.publish(&identity, "linli/1/c/other/status").await?, "another gateway's topic");
    ensure!(!at.publish(&identity, "linli/1/c/gw/order").await?, "an order");
    renewed_and_revoked(&at, &database, &mut gw, &identity).await?;

    // What was written is taken back.
    said(&mut at.uplink("undo")?).await?;
    ensure!(std::fs::read_to_string(config.join("gateway.toml"))? == before, "gateway.toml is as it was");
    gw.stop().await
}

/// Every code that is not right, and somebody else in the district's place.
async fn wrong_codes(
    at: &Enrolling<'_>,
    database: &Database,
    (first, others): (&str, &str),
) -> anyhow::Result<()> {
    let stranger = refused(&mut at.enrol(first, &"ab".repeat(32))?).await?;
    ensure!(stranger.contains("the code was not sent") && stranger.contains("AB:AB"), "{stranger}");
    let untrusted = refused(
        Command::new(binary()?)
            .args(["uplink", "enrol", "--district", &at.district])
            .args(["--code", first, "--config"])
            .arg(&at.config),
    )
    .await?;
    ensure!(untrusted.contains("does not answer"), "the system does not trust it: {untrusted}");
    let wrong = refused(&mut at.enrol("0000-0000-0000-0000", &at.fingerprint)?).await?;
    ensure!(wrong.contains("not the code of c/gw") && wrong.contains("登记码"), "{wrong}");
    let foreign = refused(&mut at.enrol(others, &at.fingerprint)?).await?;
    ensure!(foreign.contains("code of another gateway"), "{foreign}");
    let shown = database.ask("SELECT reason || ' ' || detail FROM poison").await?;
    ensure!(shown.contains("claims_another") && shown.contains("c/other"), "{shown}");
    database.ask("UPDATE invitation SET until = now() - interval '1 minute'").await?;
    let ended = refused(&mut at.enrol(first, &at.fingerprint)?).await?;
    ensure!(ended.contains("has ended"), "{ended}");
    // Whoever guesses waits longer and longer, even with the right code.
    let mut told = String::new();
    for _ in 0..20 {
        told = refused(&mut at.enrol("1111-1111-1111-1111", &at.fingerprint)?).await?;
        if told.contains("too many errors") {
            break;
        }
    }
    ensure!(told.contains("too many errors"), "{told}");
    database.ask("DELETE FROM log_in_error").await?;
    Ok(())
}

async fn renewed_and_revoked(
    at: &Enrolling<'_>,
    database: &Database,
    gw: &mut Gateway,
    identity: &Path,
) -> anyhow::Result<()> {
    let old = std::fs::read_to_string(identity)?;
    said(&mut at.uplink("renew")?).await?;
    let new = std::fs::read_to_string(identity)?;
    let key = |text: &str| text.lines().nth(1).unwrap_or_default().to_owned();
    ensure!(key(&old) != key(&new), "another key");
    let mut verify = Command::new("openssl");
    verify
        .args(["verify", "-purpose", "sslclient", "-CAfile"])
        .arg(at.deployed.etc("broker/centres-ca.pem"))
        .arg(identity);
    said(&mut verify).await?;
    // Its session is taken over, and it comes again with the new certificate; nothing was restarted.
    ensure!(at.publish(identity, "linli/1/c/gw/status").await?, "the new certificate is one");
    gw.until("it is connected again", PATIENCE, |status| status["uplink"]["connected"] == true).await?;
    let stored = database.number(STORED).await?;
    database.until(STORED, PATIENCE, |now| now > stored + 20).await?;

    at.deployed.centre(&["revoke", "c", "gw"]).await?;
    let is_cut_off = |status: &serde_json::Value| status["uplink"]["connected"] == false;
    gw.until("the revoked gateway is cut off", PATIENCE, is_cut_off).await?;
    for text in [&old, &new] {
        let kept = at.config.join("kept.pem");
        std::fs::write(&kept, text)?;
        ensure!(!at.publish(&kept, "linli/1/c/gw/status").await?, "the old and the new one are void");
    }
    let void = refused(&mut at.uplink("renew")?).await?;
    ensure!(void.contains("revoked"), "{void}");
    let listed = at.deployed.centre(&["list"]).await?;
    ensure!(listed.lines().any(|line| line.contains("c/gw") && line.contains("revoked")), "{listed}");
    // All of it is in the record.
    let mut audit = at.deployed.service("audit")?;
    let record = said(audit.args(["show", "--who", "c"])).await?;
    for what in ["enrolled", "code", "certificate", "renewed", "revoked", "centre_refused"] {
        ensure!(record.contains(&format!("\"{what}\"")), "{what} is not in the record:\n{record}");
    }
    ensure!(record.contains("local:"), "who did it: {record}");
    said(at.deployed.service("audit")?.arg("verify")).await?;
    Ok(())
}

#[tokio::test]
async fn with_the_certificate_that_was_generated_the_screens_are_served_by_tls() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let deployed = Deployed::new(&workspace, &database).await?;
    let file = deployed.etc("district.toml");
    let text = std::fs::read_to_string(&file)?;
    // The key alone is a mistake that is told.
    std::fs::write(&file, text.replace("[web]\n", "[web]\nkey = \"broker/broker.key\"\n"))?;
    let refused = deployed.service("check")?.output().await?;
    ensure!(String::from_utf8_lossy(&refused.stderr).contains("web.certificate"), "{refused:?}");
    let tls = "[web]\ncertificate = \"broker/broker.pem\"\nkey = \"broker/broker.key\"\n";
    std::fs::write(&file, text.replace("[web]\n", tls))?;
    said(&mut deployed.service("migrate")?).await?;
    let _service = deployed.service("run")?.stderr(Stdio::null()).spawn()?;
    let url = format!("https://127.0.0.1:{}", deployed.web);
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--fail", "--retry", "30", "--retry-all-errors", "--retry-delay", "1", "--cacert"]);
    let ready = said(curl.arg(deployed.etc("broker/ca.pem")).arg(format!("{url}/readyz"))).await?;
    ensure!(ready.contains("database up"), "{ready}");
    // Whoever does not know the authority does not trust it; in the clear nothing is answered.
    let stranger = Command::new("curl").args(["-sS", &format!("{url}/readyz")]).output().await?;
    ensure!(!stranger.status.success(), "{stranger:?}");
    let plain = format!("http://127.0.0.1:{}/readyz", deployed.web);
    let plain = Command::new("curl").args(["-sS", &plain]).output().await?;
    ensure!(!String::from_utf8_lossy(&plain.stdout).contains("database"), "{plain:?}");
    Ok(())
}

#[tokio::test]
async fn what_is_generated_is_right_and_stays_when_it_is_run_again() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let (root, ports) = (workspace.path("root"), Ports::free()?);
    install(&root, ports).await?;
    let files = [
        "authority.key",
        "broker-password",
        "broker/ca.pem",
        "broker/broker.pem",
        "broker/passwords",
        "centres-authority.pem",
        "enrolment.key",
        "district.toml",
    ];
    let read =
        || files.map(|file| std::fs::read(root.join("etc/linli-district").join(file)).unwrap_or_default());
    let first = read();
    ensure!(first.iter().all(|content| !content.is_empty()), "a file is missing");
    install(&root, ports).await?;
    ensure!(first == read(), "secrets, certificates and configuration stay");
    for secret in [
        "authority.key",
        "broker-password",
        "broker/broker.key",
        "broker/passwords",
        "centres-authority.pem",
        "enrolment.key",
    ] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(root.join("etc/linli-district").join(secret))?.permissions().mode();
        ensure!(mode & 0o077 == 0, "{secret}: {mode:o}");
    }
    // Independent judges: openssl of the certificate, systemd of the unit.
    let (ca, certificate) =
        (root.join("etc/linli-district/broker/ca.pem"), root.join("etc/linli-district/broker/broker.pem"));
    let mut verify = Command::new("openssl");
    verify
        .args(["verify", "-purpose", "sslserver", "-verify_ip", "127.0.0.1", "-CAfile"])
        .arg(ca)
        .arg(certificate);
    said(&mut verify).await?;
    let mut exposure = Command::new("systemd-analyze");
    exposure.args(["security", "--offline=true", "--no-pager", "--threshold", "15"]);
    said(exposure.arg(root.join("etc/systemd/system/linli-district.service"))).await?;
    // Wrong words are refused before anything is written.
    for wrong in [&["--host", "a b"][..], &[], &["--host", "a", "--port", "x"], &["--hots", "a"]] {
        let refused = Command::new(deploy("install.sh"))
            .args(wrong)
            .arg("--root")
            .arg(root.join("no"))
            .output()
            .await?;
        ensure!(refused.status.code() == Some(2) && !refused.stderr.is_empty(), "{wrong:?}: {refused:?}");
    }
    ensure!(!root.join("no").exists(), "nothing was written");
    Ok(())
}

/// A backup script as the user of the database would run it; a copy, because that user may not see the sources.
fn script(name: &str, database: &Database, backups: &Path) -> Command {
    let mut command = database.as_its_user(&database.folder().join(name));
    command
        .env("LINLI_BACKUPS", backups)
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", database.port.to_string())
        .env("PGUSER", "postgres");
    command
}

#[tokio::test]
async fn a_backup_is_restored_to_the_end_and_to_a_moment() -> anyhow::Result<()> {
    let mut database = Database::start().await?;
    let backups = database.folder().join("backups");
    for name in ["archive.sh", "backup.sh", "restore.sh"] {
        std::fs::copy(deploy(name), database.folder().join(name))?;
    }
    let archive = database.folder().join("archive.sh");
    let archive = format!("LINLI_BACKUPS={} {} \"%p\" \"%f\"", backups.display(), archive.display());
    for setting in ["archive_mode = 'on'".to_owned(), format!("archive_command = '{archive}'")] {
        database.ask(&format!("ALTER SYSTEM SET {setting}")).await?;
    }
    database.crash().await?;
    database.begin().await?;
    database.ask("CREATE TABLE kept (n int); INSERT INTO kept SELECT generate_series(1, 1000)").await?;
    said(&mut script("backup.sh", &database, &backups)).await?;
    database.ask("INSERT INTO kept SELECT generate_series(1001, 2000)").await?;
    // The clock of the database names the moment; it stands between two transactions.
    let moment = database.ask("SELECT clock_timestamp()").await?;
    database.ask("INSERT INTO kept SELECT generate_series(2001, 3000)").await?;
    database.ask("SELECT pg_switch_wal()").await?;
    let archived = "SELECT count(*) FROM pg_stat_archiver WHERE last_archived_wal >= (SELECT \
        pg_walfile_name(pg_current_wal_lsn() - 1))";
    database.until(archived, PATIENCE, |n| n == 1).await?;
    database.crash().await?;

    let listed = said(script("restore.sh", &database, &backups).arg("--list")).await?;
    ensure!(listed.lines().count() == 1, "{listed}");
    let nothing = script("restore.sh", &database, &backups)
        .args(["--at", "2020-01-01"])
        .arg(database.folder().join("early"))
        .output()
        .await?;
    ensure!(nothing.status.code() == Some(2), "there is none so early: {nothing:?}");
    for (at, rows) in [(None, 3000), (Some(moment.as_str()), 2000)] {
        let folder = database.folder().join(format!("restored-{rows}"));
        let mut restore = script("restore.sh", &database, &backups);
        restore.args(at.map(|_| "--at")).args(at).arg(&folder);
        said(&mut restore).await?;
        database.begin_in(&folder).await?;
        database.until("SELECT count(*) FROM kept", PATIENCE, |n| n == rows).await?;
        database.crash().await?;
    }
    // A file of the log that is damaged stops the restore where it is, and one byte of the backup is noticed.
    let name = listed.split_whitespace().next().context("a name")?;
    let base = backups.join("base").join(name).join("base.tar.zst");
    let mut bytes = std::fs::read(&base)?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&base, bytes)?;
    let refused =
        script("restore.sh", &database, &backups).arg(database.folder().join("damaged")).output().await?;
    ensure!(!refused.status.success(), "a damaged backup is not restored");
    Ok(())
}
