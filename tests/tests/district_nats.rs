//! A district in an account of a NATS server that somebody else runs: `linli-district centre nats` gives each gateway its
//! own subjects and no others. Real nats-server, real gateway, mosquitto's clients with the certificates of enrolment.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::ensure;
use linli_tests::deployed::{Deployed, Enrolling, code_of, fingerprint, said};
use linli_tests::devices::{STORE, floods};
use linli_tests::{Database, Flood, Gateway, Nats, Workspace, eventually, now_ms, tool};
use tokio::process::Command;

/// Every wait is for an event; this only bounds a test that would wait for ever.
const PATIENCE: Duration = Duration::from_secs(120);

/// Messages that the district has stored, of a gateway.
const STORED: &str = "SELECT count(*) FROM message m JOIN epoch e ON e.id = m.epoch JOIN gateway g ON g.id = e.gateway \
    WHERE g.gateway = '@'";

/// What is in the district's account.
const PASSWORD: &str = "of-the-district";

/// A client of mosquitto, with the certificate of a gateway.
struct Client<'a> {
    deployed: &'a Deployed,
    port: u16,
    identity: PathBuf,
}

// === impl Client ===

impl Client<'_> {
    async fn run(&self, program: &str, arguments: &[&str]) -> anyhow::Result<Output> {
        let port = self.port.to_string();
        let mut command = Command::new(tool(program, "mosquitto-clients")?);
        command.args(["-V", "311", "-q", "1", "-h", "127.0.0.1", "-p", &port, "--cafile"]);
        command.arg(self.deployed.etc("broker/ca.pem")).arg("--cert").arg(&self.identity).arg("--key");
        Ok(command.arg(&self.identity).args(arguments).kill_on_drop(true).output().await?)
    }

    /// Publishes a sample. Whether the server let it pass is not told.
    async fn publish(&self, topic: &str, epoch: &str, seq: u32) -> anyhow::Result<Output> {
        let at = now_ms();
        let body = format!(
            r#"{{"epoch":"{epoch}","seq":{seq},"device":"d","samples":[{{"p":"t","t":{at},"v":1.5}}]}}"#
        );
        self.run("mosquitto_pub", &["-t", topic, "-m", &body]).await
    }

    /// Whether it may subscribe.
    async fn may_read(&self, topic: &str) -> anyhow::Result<bool> {
        let output = self.run("mosquitto_sub", &["-E", "-W", "20", "-t", topic]).await?;
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        Ok(output.status.success() && !told.contains("denied"))
    }
}

/// The configuration of a server of somebody else's, with the account of the district in it.
fn server(workspace: &Workspace, deployed: &Deployed, (port, mqtt): (u16, u16)) -> String {
    let file = |name: &str| deployed.etc(name).display().to_string();
    format!(
        "server_name: theirs\nlisten: 127.0.0.1:{port}\njetstream {{ store_dir: \"{}\" }}\n\
         mqtt {{ listen: 127.0.0.1:{mqtt}, tls {{ cert_file: \"{}\", key_file: \"{}\", ca_file: \"{}\", verify_and_map: true }} }}\n\
         accounts {{\n  THEIRS {{ users: [ {{ user: \"theirs\", password: \"theirs\" }} ] }}\n  \
         DISTRICT {{\n    jetstream: enabled\n    include \"linli-users.conf\"\n  }}\n}}\n",
        workspace.path("nats").display(),
        file("broker/broker.pem"),
        file("broker/broker.key"),
        file("broker/centres-ca.pem"),
    )
}

/// A gateway's configuration, and its certificate by a code.
async fn enrolled(
    deployed: &Deployed,
    gateway: &str,
    (workspace, devices): (&Workspace, &str),
) -> anyhow::Result<(PathBuf, PathBuf)> {
    let config = workspace.configure_with("", STORE, devices)?;
    let file = config.join("gateway.toml");
    let text = std::fs::read_to_string(&file)?;
    std::fs::write(&file, text.replace("id = \"gw\"", &format!("id = \"{gateway}\"")))?;
    // As the gateway makes it at its first start.
    std::fs::DirBuilder::new().mode(0o700).create(workspace.path("data"))?;
    let code = code_of(&deployed.centre(&["add", "c", gateway]).await?)?;
    let district = format!("https://127.0.0.1:{}", deployed.ports.enrol);
    let fingerprint = fingerprint(deployed).await?;
    let at = Enrolling { deployed, config: config.clone(), district, fingerprint };
    said(&mut at.enrol(&code, &at.fingerprint)?).await?;
    let text = std::fs::read_to_string(&file)?;
    ensure!(text.contains("\nversion = \"3.1.1\"\n"), "nats-server speaks no other: {text}");
    std::fs::write(&file, text.replacen("[mqtt]\n", "[mqtt]\nbacklog_rate = 0\n", 1))?;
    Ok((config, workspace.path("data/district/district.pem")))
}

/// The users as the program prints them, for the server.
async fn write_users(deployed: &Deployed, file: &Path) -> anyhow::Result<String> {
    let printed = said(deployed.service("centre")?.arg("nats")).await?;
    std::fs::write(file, &printed)?;
    Ok(printed)
}

#[tokio::test]
async fn in_an_account_of_another_server_each_gateway_has_its_own_subjects_only() -> anyhow::Result<()> {
    let (workspace, of_the_other) = (Workspace::new()?, Workspace::new()?);
    let database = Database::start().await?;
    let deployed = Deployed::new(&workspace, &database).await?;
    let mut nats = Nats::configured(&workspace, |ports| server(&workspace, &deployed, ports))?;
    nats.tell("LINLI_DISTRICT_PASSWORD", PASSWORD);
    let file = deployed.etc("district.toml");
    let text = std::fs::read_to_string(&file)?;
    let (plain, own) =
        (format!("mqtt://127.0.0.1:{}", deployed.ports.plain), format!("nats://127.0.0.1:{}", nats.port));
    let text = text.replace(&plain, &own).replace(
        &format!("mqtts://127.0.0.1:{}", deployed.ports.certificate),
        &format!("mqtts://127.0.0.1:{}", nats.mqtt),
    );
    std::fs::write(&file, text)?;
    std::fs::write(deployed.etc("broker-password"), PASSWORD)?;
    said(&mut deployed.service("migrate")?).await?;
    let _service = deployed.service("run")?.stderr(Stdio::null()).spawn()?;
    let enrol = deployed.ports.enrol;
    eventually("gateways are answered", PATIENCE, || {
        std::net::TcpStream::connect(("127.0.0.1", enrol)).is_ok()
    })
    .await?;
    let flood = Flood::start().await?;
    let devices = floods(&flood, 1, "50ms").replace("\"d0\"", "\"d.0\"");
    let (config, _) = enrolled(&deployed, "gw", (&workspace, &devices)).await?;
    let (_, identity) = enrolled(&deployed, "other", (&of_the_other, &devices)).await?;
    let users = workspace.path("linli-users.conf");
    let printed = write_users(&deployed, &users).await?;
    ensure!(printed.contains("CN=c.gw") && printed.contains("linli.1.c.other.order"), "{printed}");
    nats.begin().await?;

    let mut gw = Gateway::start(&config, &workspace.path("data")).await?;
    gw.answering().await?;
    database.until(&STORED.replace('@', "gw"), PATIENCE, |stored| stored > 20).await?;
    ensure!(database.number("SELECT count(*) FROM device WHERE device = 'd.0'").await? == 1, "as it is here");
    let other = Client { deployed: &deployed, port: nats.mqtt, identity };
    for topic in ["linli/1/c/gw/#", "linli/1/c/gw/order", "linli/1/c/gw/data/+", "linli/1/#", "#"] {
        ensure!(!other.may_read(topic).await?, "{topic} is another gateway's");
    }
    ensure!(other.may_read("linli/1/c/other/order").await?, "its own");
    // What is of another gateway passes nowhere; what is its own, sent afterwards, is stored.
    other.publish("linli/1/c/gw/data/d", "forged", 1).await?;
    other.publish("linli/1/c/gw/ack", "forged", 2).await?;
    other.publish("linli/1/x/y/data/d", "forged", 3).await?;
    other.publish("linli/1/c/other/data/d", "own", 4).await?;
    database.until(&STORED.replace('@', "other"), PATIENCE, |stored| stored == 1).await?;
    ensure!(database.number("SELECT count(*) FROM epoch WHERE epoch = 'forged'").await? == 0, "forged");
    ensure!(database.number("SELECT count(*) FROM poison").await? == 0, "the server let it pass");

    // Revoked: the users are written anew and read without a restart.
    deployed.centre(&["revoke", "c", "other"]).await?;
    let printed = write_users(&deployed, &users).await?;
    ensure!(!printed.contains("c.other"), "{printed}");
    nats.reload().await?;
    let mut refused = !other.publish("linli/1/c/other/data/d", "own", 5).await?.status.success();
    for _ in 0..100 {
        if refused {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        refused = !other.publish("linli/1/c/other/data/d", "own", 5).await?.status.success();
    }
    ensure!(refused, "its certificate maps to no user any more");
    let before = database.number(&STORED.replace('@', "gw")).await?;
    database.until(&STORED.replace('@', "gw"), PATIENCE, |stored| stored > before + 20).await?;
    gw.stop().await
}
