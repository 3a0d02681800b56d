//! `linli-district demo`: a district on this machine, with nothing installed but mosquitto and PostgreSQL.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, ensure};
use jiff::Timestamp;
use linli_domain::Id;
use mqtt_v5::mqttbytes::QoS;
use mqtt_v5::{AsyncClientBuilder, MqttOptions};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio_util::sync::CancellationToken;

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
    /// Number of simulated centres
    #[arg(long, default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..=1000))]
    centres: u16,
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
    let pool = service::pool(&checked)?;
    migrate::migrate(&pool).await?;
    for number in 0..args.centres {
        enrolment::add(&pool, &entry(number)?).await?;
    }
    pool.close().await;
    let (listen, broker, centres, begun) = (args.listen.clone(), args.broker, args.centres, cancel.clone());
    tokio::spawn(async move {
        ready(&listen).await;
        for number in 0..centres {
            tokio::spawn(centre(number, broker, begun.clone()));
        }
    });
    println!("网页  screens: http://{}/", args.listen);
    println!(
        "真实网关  real gateways: [mqtt] url = \"mqtt://127.0.0.1:{}\", acknowledge = \"district\"",
        args.broker
    );
    println!("Ctrl-C 结束  ends it");
    service::run(checked, cancel).await
}

/// A centre of the demonstration.
fn entry(number: u16) -> anyhow::Result<Entry> {
    let name = NAMES.get(usize::from(number) % NAMES.len()).copied().unwrap_or("中心");
    // On a spiral around a place, each as far from the next.
    let turn = f64::from(number) * 2.399_963;
    let far = 0.01 * f64::from(number + 1).sqrt();
    Ok(Entry {
        centre: Id::new(&format!("demo-{number:03}")).map_err(|error| anyhow::anyhow!("{error}"))?,
        gateway: Id::new("gw").map_err(|error| anyhow::anyhow!("{error}"))?,
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

/// A simulated centre: a cold cabinet, a reading room and a kiosk; an alarm now and then.
async fn centre(number: u16, broker: u16, cancel: CancellationToken) {
    let base = format!("linli/1/demo-{number:03}/gw");
    let options =
        MqttOptions::new(format!("demo-{number:03}"), mqtt_v5::Broker::tcp("127.0.0.1".to_owned(), broker));
    let (client, mut events) = AsyncClientBuilder::new(options).capacity(256).build();
    let driving = tokio::spawn(async move {
        loop {
            if events.poll().await.is_err() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    });
    let now = || Timestamp::now().as_millisecond();
    let epoch = format!("demo-{number:03}-{:x}", now());
    let publish = async |below: &str, retain: bool, body: serde_json::Value| {
        let options = mqtt_v5::PublishOptions::new(QoS::AtLeastOnce).retain(retain);
        let _ = client.publish(format!("{base}/{below}"), body.to_string(), options).await;
    };
    let status = json!({"online": true, "version": "demo", "boot": "demo", "epoch": epoch, "mode": "peace", "at": now()});
    publish("status", true, status).await;
    let devices = [
        ("fridge-1", "冷藏柜", "food_safety"),
        ("room-1", "阅览室", "telemetry"),
        ("kiosk-1", "政务终端", "kiosk"),
    ];
    for (device, name, class) in devices {
        let points =
            json!({"temperature": {"unit": "Cel", "type": "f64"}, "humidity": {"unit": "%", "type": "f64"}});
        let meta = json!({"device": device, "name": name, "room": "hall", "class": class, "profile": "demo", "points": points});
        publish(&format!("meta/{device}"), true, meta).await;
    }
    let (mut seq, mut is_warm) = (0_i64, false);
    let mut next = || {
        seq += 1;
        seq
    };
    for round in 0_u32.. {
        for (nth, (device, ..)) in devices.iter().enumerate() {
            let wave = (f64::from(round) / 20.0 + f64::from(number)).sin();
            let warm = if nth == 0 { 4.0 + 5.0 * wave.max(0.0).powi(8) } else { 22.0 + wave };
            let samples = json!([{"p": "temperature", "t": now(), "v": (warm * 10.0).round() / 10.0},
                {"p": "humidity", "t": now(), "v": (50.0 + 5.0 * wave).round()}]);
            let data = json!({"epoch": epoch, "seq": next(), "device": device, "samples": samples});
            publish(&format!("data/{device}"), false, data).await;
            if nth == 0 && (warm > 8.0) != is_warm {
                is_warm = !is_warm;
                let (from, to) =
                    if is_warm { ("normal", "unacknowledged") } else { ("unacknowledged", "normal") };
                let event = json!({"epoch": epoch, "seq": next(), "alarm": "fridge-1.warm", "device": "fridge-1",
                    "priority": "high", "from": from, "to": to, "text": "冷藏柜：温度过高（8 °C）", "at": now()});
                publish("event/alarm", false, event).await;
            }
        }
        tokio::select! {
            () = cancel.cancelled() => break,
            () = tokio::time::sleep(Duration::from_secs(5)) => {}
        }
    }
    driving.abort();
}
