//! `linli-district demo`: a district on this machine, with nothing installed but mosquitto and PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use linli_domain::Id;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

use super::{sample, simulated};
use crate::config::{self, Checked};
use crate::enrolment::{self, Entry};
use crate::{migrate, service};

/// Longest wait for the broker and the database.
const START: Duration = Duration::from_secs(30);

/// Names of the simulated centres.
const NAMES: [&str; 14] = [
    "星河", "清泉", "梧桐", "望江", "长宁", "春晓", "翠湖", "金桥", "南苑", "北辰", "东湖", "西园", "和平",
    "新村",
];

/// Arguments.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Number of centres
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=1000))]
    centres: u16,
    /// How many of them are real gateways, each with the building of `linli demo`
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(0..=14))]
    gateways: u16,
    /// Address of the screens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8090")]
    listen: String,
    /// Port of the broker: real gateways may connect to it
    #[arg(long, default_value_t = 18_830)]
    broker: u16,
    /// Port of the database
    #[arg(long, default_value_t = 15_432)]
    database: u16,
}

/// Runs it until it is interrupted. Everything is in a folder that is removed then.
pub async fn run(args: &Args) -> anyhow::Result<()> {
    let cancel = super::stopping()?;
    let dir = tempfile::Builder::new().prefix("linli-district-").tempdir()?;
    println!("正在启动数据库和消息服务器  starting database and broker …");
    let _database = database(dir.path(), args.database).await?;
    let _broker = broker(dir.path(), args.broker).await?;
    let text = format!(
        "[database]\nurl = \"postgres://postgres@127.0.0.1:{}/postgres\"\n\n[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\n\n\
         [web]\nlisten = \"{}\"\n\n[enrolment]\nrequired = false\n",
        args.database, args.broker, args.listen
    );
    let file = dir.path().join("district.toml");
    std::fs::write(&file, text)?;
    let checked: Checked = config::load(&file)?;
    let pool = service::pool(&checked).await?;
    migrate::migrate(&pool).await?;
    // The last ones are real, where the program of the gateway is beside this one.
    let program = std::env::current_exe()?.with_file_name("linli");
    let real = if program.is_file() { args.gateways.min(args.centres) } else { 0 };
    let simulated = args.centres - real;
    for number in 0..args.centres {
        enrolment::add(&pool, &entry(number, if number < simulated { "gw" } else { "demo" })?, "demo")
            .await?;
    }
    let log_ins = super::demo_people::prepare(&pool, dir.path()).await?;
    pool.close().await;
    let (listen, broker, begun, folder) =
        (args.listen.clone(), args.broker, cancel.clone(), dir.path().to_owned());
    tokio::spawn(async move {
        ready(&listen).await;
        for number in simulated..simulated + real {
            tokio::spawn(gateway(
                program.clone(),
                folder.join(format!("gateway-{number}")),
                number,
                broker,
                begun.clone(),
            ));
        }
        for number in 0..simulated {
            tokio::spawn(simulated::centre(number, broker, begun.clone()));
        }
    });
    let [drill, actual] = sample::write(dir.path(), args.centres)?;
    println!("网页  screens: http://{}/", args.listen);
    println!("登录  log-ins: {}", log_ins.display());
    println!(
        "  口令  passwords: NAME.password; 动态码  one-time codes: linli-district users code NAME.factor"
    );
    println!("已签名的演练指令  signed order, drill: {}", drill.display());
    println!("已签名的实战指令  signed order, actual: {}", actual.display());
    println!(
        "真实网关  real gateways: [mqtt] url = \"mqtt://127.0.0.1:{}\", acknowledge = \"district\"",
        args.broker
    );
    println!("模拟的中心  simulated centres: {simulated}; 真实网关  real gateways: {real}");
    if real < args.gateways.min(args.centres) {
        println!("旁边没有 linli，全部模拟  there is no linli beside this program: all are simulated");
    }
    println!("Ctrl-C 结束  ends it");
    service::run(checked, cancel).await
}

/// A real gateway with a simulated building, until cancelled. It answers orders as it must: it trusts other keys.
async fn gateway(program: PathBuf, folder: PathBuf, number: u16, broker: u16, cancel: CancellationToken) {
    let child = Command::new(program)
        .args(["demo", "--web", "127.0.0.1:0", "--centre", &format!("demo-{number:03}")])
        .args([
            "--district",
            &format!("mqtt://127.0.0.1:{broker}"),
            "--seed",
            &number.to_string(),
            "--data-dir",
        ])
        .arg(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    match child {
        Ok(mut child) => tokio::select! {
            () = cancel.cancelled() => {}
            ended = child.wait() => tracing::warn!(number, ?ended, "a gateway of the demonstration ended"),
        },
        Err(error) => tracing::warn!(number, %error, "a gateway of the demonstration cannot be started"),
    }
}

/// A centre of the demonstration.
fn entry(number: u16, gateway: &str) -> anyhow::Result<Entry> {
    let name = NAMES.get(usize::from(number) % NAMES.len()).copied().unwrap_or("中心");
    // On a spiral around a place, each as far from the next.
    let turn = f64::from(number) * 2.399_963;
    let far = 0.01 * f64::from(number + 1).sqrt();
    Ok(Entry {
        centre: Id::new(&format!("demo-{number:03}")).map_err(|error| anyhow::anyhow!("{error}"))?,
        gateway: Id::new(gateway).map_err(|error| anyhow::anyhow!("{error}"))?,
        name: Some(format!("{name}邻里中心")),
        phone: Some(format!("021-5550{number:04}")),
        place: Some((31.23 + far * turn.sin(), 121.47 + far * turn.cos())),
    })
}

async fn database(dir: &Path, port: u16) -> anyhow::Result<Child> {
    let bin = PathBuf::from("/usr/lib/postgresql/15/bin");
    ensure!(bin.join("initdb").is_file(), "缺少 PostgreSQL 15  is missing: apt-get install postgresql-15");
    let data = dir.join("database");
    std::fs::create_dir(&data)?;
    let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&data)?) == 0;
    if is_root {
        // PostgreSQL refuses to be root; its user has to reach its folder.
        std::fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
        let owned = Command::new("chown").arg("postgres").arg(&data).status().await?;
        ensure!(owned.success(), "没有用户 postgres  there is no user postgres");
    }
    let program = |name: &str| {
        let path = bin.join(name);
        let mut command = if is_root { Command::new("setpriv") } else { Command::new(&path) };
        if is_root {
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(&path);
        }
        command.current_dir(&data).stdin(Stdio::null());
        command
    };
    let pgdata = data.join("pg");
    let made = program("initdb")
        .args(["--auth=trust", "--username=postgres", "--no-sync", "--encoding=UTF8", "--locale=C", "-D"])
        .arg(&pgdata)
        .output()
        .await?;
    ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
    let child = program("postgres")
        .arg("-D")
        .arg(&pgdata)
        .args(["-p", &port.to_string(), "-h", "127.0.0.1", "-k", "", "-c", "shared_buffers=128MB"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    answers("PostgreSQL", port).await?;
    Ok(child)
}

async fn broker(dir: &Path, port: u16) -> anyhow::Result<Child> {
    let config = dir.join("mosquitto.conf");
    let text = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 0\n"
    );
    std::fs::write(&config, text)?;
    let places = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"].map(Path::new);
    let program = places.into_iter().find(|place| place.is_file());
    let child = Command::new(program.context("缺少 mosquitto  is missing: apt-get install mosquitto")?)
        .arg("-c")
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    answers("mosquitto", port).await?;
    Ok(child)
}

/// Waits until something listens on a port.
async fn answers(what: &str, port: u16) -> anyhow::Result<()> {
    let connected = async {
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(START, connected)
        .await
        .with_context(|| format!("{what}: 端口 port {port} 没有应答 does not answer"))
}

/// Waits until the service is ready: a message without a subscriber would be lost, and these centres keep none.
async fn ready(listen: &str) {
    loop {
        if let Ok(mut stream) = tokio::net::TcpStream::connect(listen).await {
            let mut answer = [0; 12];
            let asked = stream
                .write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                .await;
            if asked.is_ok() && stream.read_exact(&mut answer).await.is_ok() && answer.ends_with(b"200") {
                return;
            }
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
