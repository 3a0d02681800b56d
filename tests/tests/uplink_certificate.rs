//! The certificate with which a gateway connects to its district, near its end: renewed by itself once the district is
//! reached, seen and told while it is not. Real mosquitto, real `linli-district`, certificates by openssl.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::deployed::{Deployed, Enrolling, code_of, fingerprint, said};
use linli_tests::devices::{STORE, floods};
use linli_tests::{Database, Flood, Gateway, Workspace, eventually, tool};
use serde_json::Value;
use tokio::process::Command;

/// Every wait is for an event; this only bounds a test that would wait for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// Messages that the district has stored.
const STORED: &str = "SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM event)";

/// Replaces the certificate by one with the same key, name and serial number, which the district therefore knows, and which
/// ends in a day of its 180.
async fn age(deployed: &Deployed, workspace: &Workspace, identity: &Path) -> anyhow::Result<()> {
    let openssl = || Command::new("openssl");
    let serial = said(openssl().args(["x509", "-noout", "-serial", "-in"]).arg(identity)).await?;
    let serial = serial.trim().rsplit('=').next().context("a serial number")?.to_owned();
    let (request, aged) = (workspace.path("aged.csr"), workspace.path("aged.pem"));
    let extensions = workspace.path("aged.ext");
    std::fs::write(&extensions, "extendedKeyUsage = clientAuth\nkeyUsage = critical, digitalSignature\n")?;
    let name =
        said(openssl().args(["x509", "-noout", "-subject", "-nameopt", "multiline", "-in"]).arg(identity))
            .await?;
    let name = name.trim().rsplit("= ").next().context("a name")?.to_owned();
    let mut ask = openssl();
    ask.args(["req", "-new", "-subj", &format!("/CN={name}"), "-key"]).arg(identity);
    said(ask.arg("-out").arg(&request)).await?;
    let authority = deployed.etc("centres-authority.pem");
    let mut sign = Command::new(tool("faketime", "faketime")?);
    sign.args(["-f", "-179d", "openssl", "x509", "-req", "-days", "180", "-set_serial"]);
    sign.arg(format!("0x{serial}")).arg("-in").arg(&request).arg("-CA").arg(&authority);
    sign.arg("-CAkey").arg(&authority).arg("-extfile").arg(&extensions).arg("-out").arg(&aged);
    said(&mut sign).await?;
    let present = std::fs::read_to_string(identity)?;
    let key = present.split_inclusive("-----END PRIVATE KEY-----\n").next().context("a key")?;
    std::fs::write(identity, format!("{key}{}", std::fs::read_to_string(&aged)?))?;
    Ok(())
}

/// What the system screen is told of the certificate.
fn shown(gateway: &Gateway) -> anyhow::Result<Value> {
    let (status, body) = gateway.ask("GET", "/api/v1/system", &Value::Null)?;
    ensure!(status == 200, "{status} {body}");
    Ok(body["uplink_certificate"].clone())
}

/// The alarm about the certificate that stands, if one does.
fn alarm(gateway: &Gateway) -> anyhow::Result<String> {
    let (status, all) = gateway.ask("GET", "/api/v1/alarms", &Value::Null)?;
    ensure!(status == 200, "{status} {all}");
    let standing = all.as_array().context("a list")?.iter();
    let standing = standing.filter(|alarm| alarm["device"] == "uplink-certificate");
    let of = |alarm: &Value| format!("{} {}", alarm["alarm"], alarm["state"]).replace('"', "");
    Ok(standing.map(of).collect::<Vec<_>>().join(", "))
}

fn metric(gateway: &Gateway, name: &str) -> anyhow::Result<f64> {
    let page = gateway.get("/metrics")?;
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.and_then(|value| value.parse().ok()).with_context(|| format!("no metric {name} in\n{page}"))
}

/// What `linli doctor` says of it.
async fn doctor(gateway: &Gateway) -> anyhow::Result<String> {
    let output = gateway.verb(&["doctor", "--no-devices"]).await?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = told.lines().find(|line| line.contains("] uplink certificate: "));
    Ok(line.with_context(|| told.clone())?.to_owned())
}

#[tokio::test]
async fn a_certificate_near_its_end_is_told_and_renewed_once_the_district_is_reached() -> anyhow::Result<()> {
    let workspace = Workspace::new()?;
    let database = Database::start().await?;
    let deployed = Deployed::new(&workspace, &database).await?;
    said(&mut deployed.service("migrate")?).await?;
    let service = || deployed.service("run")?.stderr(Stdio::null()).spawn().context("linli-district");
    let mut running = service()?;
    let port = deployed.ports.enrol;
    let answers = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    eventually("gateways are answered", PATIENCE, answers).await?;
    let code = code_of(&deployed.centre(&["add", "c", "gw", "--name", "星河中心"]).await?)?;
    let flood = Flood::start().await?;
    let config = workspace.configure_with("", STORE, &floods(&flood, 1, "50ms"))?;
    let mut gw = Gateway::start(&config, &workspace.path("data")).await?;
    gw.answering().await?;
    let (fingerprint, district) = (fingerprint(&deployed).await?, format!("https://127.0.0.1:{port}"));
    let at = Enrolling { deployed: &deployed, config: config.clone(), district, fingerprint };
    said(&mut at.enrol(&code, &at.fingerprint)?).await?;
    gw.signal("-HUP").await?;
    gw.until("it is connected", PATIENCE, |status| status["uplink"]["connected"] == true).await?;
    eventually("the certificate is shown", PATIENCE, || {
        shown(&gw).is_ok_and(|seen| seen["stage"] == "valid" && seen["days_left"] == 179)
    })
    .await?;
    ensure!(doctor(&gw).await?.starts_with("[ok]"), "{}", doctor(&gw).await?);
    ensure!(alarm(&gw)?.is_empty(), "{}", alarm(&gw)?);

    // The district is away for a while, and the certificate ends in a day.
    running.kill().await?;
    let identity = workspace.path("data/district/district.pem");
    age(&deployed, &workspace, &identity).await?;
    eventually("renewal fails and is tried again", PATIENCE, || {
        shown(&gw).is_ok_and(|seen| seen["stage"] == "ends_soon" && seen["attempts"].as_u64() >= Some(2))
    })
    .await?;
    near_its_end(&gw).await?;

    connects_again(&gw, &at, &identity).await?;
    // The district is there again.
    let _running = service()?;
    renewed(&gw, (&at, &identity), &database).await?;
    recorded(&gw).await?;
    gw.stop().await
}

/// While the district is away everybody who looks sees it, and those who do not are told.
async fn near_its_end(gw: &Gateway) -> anyhow::Result<()> {
    let seen = shown(gw)?;
    ensure!(seen["days_left"] == 0 || seen["days_left"] == 1, "{seen}");
    ensure!(seen["failure"].as_str().is_some_and(|why| why.contains("does not answer")), "{seen}");
    ensure!(seen["next_attempt"].as_i64() > Some(0), "{seen}");
    eventually("there is an alarm", PATIENCE, || {
        alarm(gw).is_ok_and(|alarm| alarm == "uplink-certificate.ends-soon unacknowledged")
    })
    .await?;
    let said = doctor(gw).await?;
    ensure!(said.starts_with("[!!]") && said.contains("linli uplink enrol"), "{said}");
    let left = metric(gw, "linli_uplink_certificate_end_seconds")? - linli_tests::now_ms() as f64 / 1000.0;
    ensure!((0.0..=86_400.0).contains(&left), "{left} s");
    ensure!(metric(gw, "linli_uplink_certificate_renewed")? == 1.0, "the district renews it");
    ensure!(metric(gw, "linli_uplink_certificate_renewals_total{result=\"failed\"}")? >= 2.0, "counted");
    gw.until("it delivers all the while", PATIENCE, |status| status["uplink"]["connected"] == true).await
}

/// The broker is asked anew, and takes the certificate of the file.
async fn connects_again(gw: &Gateway, at: &Enrolling<'_>, identity: &Path) -> anyhow::Result<()> {
    let connects = metric(gw, "linli_uplink_connects_total")?;
    // Somebody else with the same name takes the session over.
    ensure!(at.publish(identity, "linli/1/c/gw/status").await?, "the certificate is one");
    eventually("it connects again", PATIENCE, || {
        metric(gw, "linli_uplink_connects_total").is_ok_and(|now| now > connects)
    })
    .await?;
    gw.until("it is connected again", PATIENCE, |status| status["uplink"]["connected"] == true).await
}

/// Renewed by itself, without a restart and without a new connection; the next one uses the new certificate.
async fn renewed(
    gw: &Gateway,
    (at, identity): (&Enrolling<'_>, &Path),
    database: &Database,
) -> anyhow::Result<()> {
    let connects = metric(gw, "linli_uplink_connects_total")?;
    let stored = database.number(STORED).await?;
    eventually("it is renewed", PATIENCE, || {
        shown(gw).is_ok_and(|seen| seen["stage"] == "valid" && seen["renewals"] == 1 && seen["attempts"] == 0)
    })
    .await?;
    eventually("the alarm is over", PATIENCE, || {
        alarm(gw).is_ok_and(|alarm| alarm.ends_with("returned_unacknowledged"))
    })
    .await?;
    database.until(STORED, PATIENCE, |now| now > stored + 20).await?;
    ensure!(metric(gw, "linli_uplink_connects_total")? <= connects, "the session went on");
    ensure!(doctor(gw).await?.starts_with("[ok]"), "{}", doctor(gw).await?);
    connects_again(gw, at, identity).await
}

/// What happened to the certificate is in the record.
async fn recorded(gw: &Gateway) -> anyhow::Result<()> {
    let output = gw.verb(&["audit", "show", "--log", "accounts"]).await?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let why = gw.get("/api/v1/record?limit=1000")?;
    ensure!(why.contains("does not answer"), "{why}");
    for what in ["in use", "ends soon"] {
        ensure!(told.contains(what), "{what} is not in the record:\n{told}");
    }
    ensure!(told.contains("uplink_certificate"), "{told}");
    Ok(())
}
