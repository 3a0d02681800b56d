//! The district as `deploy/district/cluster.sh` sets it up on seven machines, each a folder and an address of loopback:
//! three brokers with TLS and users, a primary with its standby, two copies. What needs a service manager is left out.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_tests::devices::{STORE, floods};
use linli_tests::{
    Database, Flood, Gateway, Workspace, binary, eventually, free_port, programs, signal, tool, unprivileged,
};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

/// Every wait is for an event; this only bounds a test that would wait for ever. A cluster of 2.9 takes a minute and more
/// to elect its leaders on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// Messages that the district has stored.
const STORED: &str = "SELECT (SELECT count(*) FROM message) + (SELECT count(*) FROM event)";

/// The numbers of the machines.
const BROKERS: [u8; 3] = [1, 2, 3];
const PRIMARY: u8 = 4;
const STANDBY: u8 = 5;
const SERVICES: [u8; 2] = [6, 7];

/// The machines of a district.
struct Cluster {
    dir: tempfile::TempDir,
    /// The first three numbers of their addresses.
    net: String,
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/district/cluster.sh")
}

/// Runs a command to its end: whether it succeeded, and all that it said.
async fn run(command: &mut Command, input: &str) -> anyhow::Result<(bool, String)> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut stdin = child.stdin.take().context("no input")?;
    // Who does not read it has closed it.
    let _ = stdin.write_all(input.as_bytes()).await;
    drop(stdin);
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    let output = output.with_context(|| format!("{command:?} does not end"))??;
    let said = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&said).into_owned()))
}

// === impl Cluster ===

impl Cluster {
    async fn plan() -> anyhow::Result<Self> {
        let dir = tempfile::Builder::new().prefix("linli-cluster-").tempdir()?;
        // The users of the brokers and of the databases pass.
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755))?;
        // No other test has this port, so none has this network.
        let port = free_port()?;
        let cluster = Self { dir, net: format!("127.{}.{}", 64 + (port >> 8), port & 0xFF) };
        let names = |numbers: &[u8]| {
            let names: Vec<String> = numbers.iter().map(|n| cluster.address(*n)).collect();
            names.join(",")
        };
        let mut command = Command::new(script());
        command.arg("plan").arg(cluster.dir.path().join("plan"));
        command.args(["--brokers", &names(&BROKERS), "--databases", &names(&[PRIMARY, STANDBY])]);
        command.args(["--services", &names(&SERVICES)]);
        let (is_done, said) = run(&mut command, "").await?;
        ensure!(is_done, "{said}");
        Ok(cluster)
    }

    fn address(&self, machine: u8) -> String {
        format!("{}.{machine}", self.net)
    }

    /// A folder that stands for the disk of a machine.
    fn root(&self, machine: u8) -> PathBuf {
        self.dir.path().join(format!("machine-{machine}"))
    }

    /// The last lines of every log, for what did not go on.
    fn logs(&self) -> String {
        let log = |machine: u8| std::fs::read_to_string(self.root(machine).join("log")).unwrap_or_default();
        let last = |text: String| {
            let lines: Vec<&str> = text.lines().collect();
            lines[lines.len().saturating_sub(20)..].join("\n")
        };
        (1..=7).map(|machine| format!("--- {machine}\n{}\n", last(log(machine)))).collect()
    }

    fn etc(&self, machine: u8, file: &str) -> PathBuf {
        self.root(machine).join("etc/linli-district").join(file)
    }

    /// The script on a machine: whether it succeeded, and what it said.
    async fn verb(&self, machine: u8, arguments: &[&str]) -> anyhow::Result<(bool, String)> {
        let folder = self.dir.path().join("plan/machines").join(self.address(machine));
        let mut command = Command::new("sh");
        command.arg(folder.join("cluster.sh")).args(arguments).arg("--root").arg(self.root(machine));
        run(&mut command, "").await
    }

    /// The same, which must succeed.
    async fn done(&self, machine: u8, arguments: &[&str]) -> anyhow::Result<String> {
        let (is_done, said) = self.verb(machine, arguments).await?;
        ensure!(is_done, "{arguments:?}: {said}");
        Ok(said)
    }

    async fn broker(&self, machine: u8) -> anyhow::Result<Child> {
        let child = Command::new(tool("nats-server", "nats-server")?)
            .arg("-c")
            .arg(self.etc(machine, "nats-server.conf"))
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(self.root(machine).join("log"))?)
            .kill_on_drop(true)
            .spawn()?;
        let address = self.address(machine);
        eventually("the broker listens", PATIENCE, || {
            std::net::TcpStream::connect((address.as_str(), 8883)).is_ok()
        })
        .await?;
        Ok(child)
    }

    /// Starts the database of a machine as Debian's unit would.
    async fn database(&self, machine: u8) -> anyhow::Result<Child> {
        let root = self.root(machine);
        let config = root.join("etc/postgresql/15/main/postgresql.conf");
        let child = unprivileged(&programs()?.join("postgres"))
            .arg("-D")
            .arg(root.join("var/lib/postgresql/15/main"))
            .arg("-c")
            .arg(format!("config_file={}", config.display()))
            .current_dir("/")
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(root.join("log"))?)
            .kill_on_drop(true)
            .spawn()?;
        let address = self.address(machine);
        eventually("the database listens", PATIENCE, || {
            std::net::TcpStream::connect((address.as_str(), 5432)).is_ok()
        })
        .await?;
        Ok(child)
    }

    /// The password of the copies as psql reads it.
    fn password(&self) -> anyhow::Result<PathBuf> {
        let password = std::fs::read_to_string(self.etc(SERVICES[0], "database-password"))?;
        let file = self.dir.path().join("pgpass");
        std::fs::write(&file, format!("*:*:linli:linli:{password}"))?;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600))?;
        Ok(file)
    }

    /// The database of a machine as a copy sees it, by psql.
    fn asked(&self, machine: u8) -> anyhow::Result<Database> {
        Database::elsewhere(&format!(
            "postgres://linli@{}/linli?sslmode=verify-full&sslrootcert={}&passfile={}",
            self.address(machine),
            self.etc(SERVICES[0], "service/ca.pem").display(),
            self.password()?.display()
        ))
    }

    fn service(&self, machine: u8, verb: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(binary()?.with_file_name("linli-district"));
        command.args(verb).arg("--config").arg(self.etc(machine, "district.toml"));
        command.kill_on_drop(true);
        Ok(command)
    }

    /// Starts a copy, whose screens get a port of their own. It is ready, although no gateway has connected yet.
    async fn copy(&self, machine: u8) -> anyhow::Result<Child> {
        let (file, port) = (self.etc(machine, "district.toml"), free_port()?);
        let text = std::fs::read_to_string(&file)?;
        std::fs::write(&file, text.replace("127.0.0.1:8090", &format!("127.0.0.1:{port}")))?;
        let (is_done, said) = run(&mut self.service(machine, &["migrate"])?, "").await?;
        ensure!(is_done, "{said}");
        let log = std::fs::File::options().create(true).append(true).open(self.root(machine).join("log"))?;
        let child = self.service(machine, &["run"])?.stdout(Stdio::null()).stderr(log).spawn()?;
        let url = format!("http://127.0.0.1:{port}/readyz");
        let mut curl = Command::new("curl");
        curl.args(["-sS", "--fail", "--retry", "240", "--retry-all-errors", "--retry-delay", "1", &url]);
        let (is_ready, said) = run(&mut curl, "").await?;
        ensure!(is_ready, "{said}\n{}", self.logs());
        Ok(child)
    }

    /// `cluster.sh centre`, then the users at each broker and the gateway in the database.
    async fn centre(&self, verb: &str, centre: &str, brokers: &[Child]) -> anyhow::Result<PathBuf> {
        let plan = self.dir.path().join("plan");
        let mut command = Command::new(script());
        let (is_done, said) = run(command.arg("centre").arg(&plan).args([verb, centre, "gw"]), "").await?;
        ensure!(is_done, "{said}");
        let users = std::fs::read_to_string(plan.join("users.conf"))?;
        for (machine, broker) in BROKERS.into_iter().zip(brokers) {
            let mut command = Command::new("sh");
            command.arg(self.root(machine).join("usr/local/sbin/linli-district-cluster")).arg("users");
            command.arg("--root").arg(self.root(machine));
            command.env("LINLI_BROKER_PID", broker.id().context("the broker has ended")?.to_string());
            let (is_done, said) = run(&mut command, &users).await?;
            ensure!(is_done, "{said}");
        }
        let (is_done, said) =
            run(&mut self.service(SERVICES[0], &["centre", verb, centre, "gw"])?, "").await?;
        ensure!(is_done, "{said}");
        Ok(plan.join("handover").join(format!("{centre}.gw")))
    }

    /// Publishes with a gateway's user and password, by a client that we did not write. Whether it could connect.
    async fn publish(&self, folder: &Path, user: &str, topic: &str) -> anyhow::Result<bool> {
        let password = std::fs::read_to_string(folder.join("district-password"))?;
        let mut command = Command::new(tool("mosquitto_pub", "mosquitto-clients")?);
        command.args(["-q", "1", "-h", &self.address(1), "-p", "8883", "--cafile"]);
        command.arg(folder.join("district-ca.pem")).args(["-u", user, "-P", password.trim(), "-t", topic]);
        command.args(["-m", r#"{"epoch":"of-another","seq":1,"at":1795428000000}"#]);
        Ok(run(&mut command, "").await?.0)
    }
}

/// Starts the gateway `c/gw` with what was handed over.
async fn gateway(workspace: &Workspace, folder: &Path, flood: &Flood) -> anyhow::Result<Gateway> {
    let mqtt = std::fs::read_to_string(folder.join("gateway-mqtt.toml"))? + "backlog_rate = 0\n";
    // Ids may have a point, of which nats-server 2.9 takes none in a topic.
    let devices = floods(flood, 1, "50ms").replace("\"d0\"", "\"d.0\"");
    let config = workspace.configure_with(&mqtt, STORE, &devices)?;
    for file in ["district-password", "district-ca.pem"] {
        std::fs::copy(folder.join(file), config.join(file))?;
    }
    let mut gateway = Gateway::start(&config, &workspace.path("data")).await?;
    gateway.answering().await?;
    Ok(gateway)
}

/// Whether nothing waits: neither to be sent, nor for the district.
fn is_delivered(status: &serde_json::Value) -> bool {
    let rows =
        status["store"]["rows"].as_array().map(|rows| rows.iter().filter_map(|n| n.as_u64()).sum::<u64>());
    rows == Some(0) && status["uplink"]["connected"] == true
}

async fn stored_more(database: &Database, more: i64) -> anyhow::Result<()> {
    let before = database.number(STORED).await?;
    database.until(STORED, PATIENCE, |stored| stored > before + more).await.map(drop)
}

/// Seven machines, from the plan to the first messages in the database.
async fn started(cluster: &Cluster) -> anyhow::Result<(Vec<Child>, Child, Child, Vec<Child>)> {
    let mut brokers = Vec::new();
    for machine in BROKERS {
        cluster.done(machine, &["broker"]).await?;
    }
    for machine in BROKERS {
        brokers.push(cluster.broker(machine).await?);
    }
    cluster.done(PRIMARY, &["primary"]).await?;
    let primary = cluster.database(PRIMARY).await?;
    cluster.done(STANDBY, &["standby"]).await?;
    let standby = cluster.database(STANDBY).await?;
    let mut copies = Vec::new();
    for machine in SERVICES {
        cluster.done(machine, &["service"]).await?;
        copies.push(cluster.copy(machine).await?);
    }
    Ok((brokers, primary, standby, copies))
}

/// The standby takes the place of the primary, which is killed.
async fn promoted(cluster: &Cluster, primary: &mut Child) -> anyhow::Result<()> {
    // While the primary answers nobody takes its place.
    let (is_done, said) = cluster.verb(STANDBY, &["promote"]).await?;
    ensure!(!is_done && said.contains("still answers"), "{said}");
    signal(primary, "-QUIT").await?;
    primary.wait().await?;
    // A copy that starts meanwhile waits for a database that takes writes.
    let mut migrate = cluster.service(SERVICES[0], &["migrate", "--wait", "240s"])?;
    let starting = migrate.stderr(Stdio::piped()).spawn()?;
    cluster.done(STANDBY, &["promote"]).await?;
    let started = starting.wait_with_output().await?;
    ensure!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
    Ok(())
}

#[tokio::test]
async fn the_standby_takes_over_and_nothing_acknowledged_is_lost() -> anyhow::Result<()> {
    let (workspace, cluster) = (Workspace::new()?, Cluster::plan().await?);
    let (mut brokers, mut primary, standby, copies) = started(&cluster).await?;
    let folder = cluster.centre("add", "c", &brokers).await?;
    let other = cluster.centre("add", "d2", &brokers).await?;
    let flood = Flood::start().await?;
    let gw = gateway(&workspace, &folder, &flood).await?;
    let database = cluster.asked(PRIMARY)?;
    database.until(STORED, PATIENCE, |stored| stored > 100).await.map_err(|error| {
        let log = std::fs::read_to_string(cluster.root(SERVICES[0]).join("log")).unwrap_or_default();
        error.context(format!("{log}\n{}", gw.log()))
    })?;

    ensure!(database.number("SELECT count(*) FROM device WHERE device = 'd.0'").await? == 1, "as it is here");

    // One gateway's user is no way into another's topics.
    ensure!(cluster.publish(&other, "d2.gw", "linli/1/d2/gw/event/note").await?);
    let _ = cluster.publish(&other, "d2.gw", "linli/1/c/gw/event/note").await?;
    let notes = "SELECT count(*) FROM event WHERE kind = 'event/note'";
    database.until(notes, PATIENCE, |n| n == 1).await?;

    // A broker ends before its disk is full.
    ensure!(cluster.done(BROKERS[0], &["disk"]).await?.contains("free"));
    ensure!(cluster.done(BROKERS[0], &["disk", "--least", "999999999"]).await?.contains("is ended"));
    let (is_done, said) = cluster.verb(BROKERS[0], &["disk", "--least", "much"]).await?;
    ensure!(!is_done && said.contains("--least much"), "{said}");

    promoted(&cluster, &mut primary).await?;
    let database = cluster.asked(STANDBY)?;
    stored_more(&database, 100).await?;
    // One broker of three may be away.
    brokers[0].kill().await?;
    stored_more(&database, 100).await.map_err(|error| error.context(cluster.logs() + &gw.log()))?;
    brokers[0] = cluster.broker(BROKERS[0]).await?;

    // What was the primary becomes the standby, and a commit waits for it again.
    let (is_done, said) = cluster.verb(PRIMARY, &["standby", "--from", &cluster.address(STANDBY)]).await?;
    ensure!(!is_done && said.contains("--discard"), "{said}");
    let from = cluster.address(STANDBY);
    cluster.done(PRIMARY, &["standby", "--discard", "--from", &from]).await?;
    let again = cluster.database(PRIMARY).await?;
    cluster.done(STANDBY, &["synchronous", "on"]).await?;
    // Each commit waits for the standby from here on.
    stored_more(&database, 50).await?;
    drop(flood);
    gw.until("everything is delivered", 2 * PATIENCE, is_delivered).await?;
    let stored = database.nothing_is_missing_or_twice().await?;
    cluster.asked(PRIMARY)?.until(STORED, PATIENCE, |n| n == stored).await?;
    println!("{stored} messages stored, none missing, none twice, over a promotion and the loss of a broker");

    // Revoked, its user is gone from every broker.
    cluster.centre("revoke", "d2", &brokers).await?;
    ensure!(!other.exists(), "what was handed over is gone");
    std::fs::create_dir_all(&other)?;
    std::fs::write(other.join("district-password"), "any")?;
    std::fs::copy(folder.join("district-ca.pem"), other.join("district-ca.pem"))?;
    ensure!(!cluster.publish(&other, "d2.gw", "linli/1/d2/gw/event/note").await?);
    gw.stop().await?;
    for child in copies.into_iter().chain([again, standby]) {
        drop(child);
    }
    Ok(())
}

#[tokio::test]
async fn what_is_wrong_is_told_and_a_dry_run_writes_nothing() -> anyhow::Result<()> {
    let dir = tempfile::tempdir()?;
    let plan = dir.path().join("plan");
    let plan_of = |brokers: &str, databases: &str, services: &str| {
        let mut command = Command::new(script());
        command.arg("plan").arg(&plan).args(["--brokers", brokers, "--databases", databases]);
        command.args(["--services", services]);
        command
    };
    for (brokers, databases, services, part) in [
        ("a,b", "d,e", "f,g", "--brokers a,b"),
        ("a,b,c,d", "d,e", "f,g", "take 3 or 5"),
        ("a,b,b", "d,e", "f,g", "twice"),
        ("a,b,c", "d", "f,g", "--databases d"),
        ("a,b,c", "d,e", "f", "--services f"),
        ("a,b,c;rm", "d,e", "f,g", "is not a name"),
    ] {
        let (is_done, said) = run(&mut plan_of(brokers, databases, services), "").await?;
        ensure!(!is_done && said.contains(part), "{brokers} {databases} {services}: {said}");
        ensure!(!plan.exists(), "nothing is written");
    }
    ensure!(run(plan_of("a,b,c", "d,e", "f,g").arg("--dry-run"), "").await?.0 && !plan.exists());
    ensure!(run(&mut plan_of("a,b,c", "d,e", "f,g"), "").await?.0);
    let key = std::fs::read(plan.join("authority.key"))?;
    // Planned anew with one copy more, the authority and what was signed stay.
    ensure!(run(&mut plan_of("a,b,c", "d,e", "f,g,h"), "").await?.0 && plan.join("machines/h").exists());
    ensure!(std::fs::read(plan.join("authority.key"))? == key);
    let mut pointed = Command::new(script());
    let (is_done, said) = run(pointed.arg("centre").arg(&plan).args(["add", "d.2", "gw"]), "").await?;
    ensure!(!is_done && said.contains("only a-z"), "{said}");
    let root = dir.path().join("root");
    let on = |machine: &str, arguments: &[&str]| {
        let mut command = Command::new("sh");
        command.arg(plan.join("machines").join(machine).join("cluster.sh")).args(arguments);
        command.arg("--root").arg(&root);
        command
    };
    for (machine, arguments, part) in [
        ("a", vec!["primary"], "a is none of --databases"),
        ("d", vec!["standby", "--from", "d"], "cannot follow itself"),
        ("d", vec!["promote"], "is no standby"),
        ("f", vec!["broker"], "none of --brokers"),
        ("f", vec!["service", "--colour", "red"], "no such option"),
        ("f", vec!["dance"], "no such verb"),
    ] {
        let (is_done, said) = run(&mut on(machine, &arguments), "").await?;
        ensure!(!is_done && said.contains(part), "{machine} {arguments:?}: {said}");
    }
    for (machine, verb) in [("a", "broker"), ("d", "primary"), ("e", "standby"), ("f", "service")] {
        let (is_done, said) = run(&mut on(machine, &[verb, "--dry-run"]), "").await?;
        ensure!(is_done && said.contains("would write"), "{said}");
    }
    ensure!(!root.exists(), "a dry run writes nothing");
    let (is_done, said) = run(Command::new(script()).arg("--help"), "").await?;
    ensure!(is_done && said.contains("promote") && said.contains("备库"), "{said}");
    Ok(())
}
