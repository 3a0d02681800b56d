//! `linli demo`: a simulated centre on one machine, with faults to switch on.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::runtime::gateway::Gateway;
use linli_demo::drill::DrillOrders;
use linli_demo::log_ins::LogIns;
use linli_demo::visitors::People;
use linli_demo::{Demo, Options};
use linli_services::live::DeviceView;
use linli_web::status::GatewayStatus;

/// Interval at which the table is drawn on a terminal.
const DRAW: Duration = Duration::from_secs(1);

/// Interval at which the table is printed elsewhere.
const PRINT: Duration = Duration::from_secs(5);

/// Run a simulated centre behind real protocols, with its own broker and database.
///
/// Needs no other program and leaves no files. Type the name of a fault and Enter to switch it on,
/// again to switch it off; `quit` ends.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli demo\n  linli demo --mqtt-port 1883 --fault fridge-warming\n  linli demo --for 30s --data-dir ./demo\n  linli demo --emulated --firmware target/firmware\n\nWatch the data:  mosquitto_sub -p PORT -t 'linli/#' -v"
)]
pub struct Args {
    /// Port of the broker; any free one unless given
    #[arg(long, default_value_t = 0)]
    mqtt_port: u16,
    /// Address of the web interface and metrics; port 0 is any free one
    #[arg(long, default_value = "127.0.0.1:0")]
    web: SocketAddr,
    /// Directory for configuration and database; a temporary one unless given
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Stop after this time
    #[arg(long = "for", value_parser = linli_drivers::duration::parse)]
    duration: Option<Duration>,
    /// Fault that is on from the start; may be repeated
    #[arg(long)]
    fault: Vec<String>,
    /// Broker of a district that it delivers to, as `linli-district demo` starts it
    #[arg(long, value_name = "URL", requires = "centre")]
    district: Option<String>,
    /// Its centre in that district
    #[arg(long, value_name = "ID", requires = "district", value_parser = centre)]
    centre: Option<linli_domain::Id>,
    /// Seed of the simulation: the same seed gives the same day
    #[arg(long, default_value_t = 20_261_123)]
    seed: u64,
    /// The fridge's node is real firmware, run by QEMU (真固件仿真)
    #[arg(long)]
    emulated: bool,
    /// Directory with the output of `cargo xtask firmware build`
    #[arg(long, default_value = "target/firmware", requires = "emulated")]
    firmware: PathBuf,
}

fn centre(text: &str) -> Result<linli_domain::Id, String> {
    linli_domain::Id::new(text).map_err(|error| error.to_string())
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // The table is the output; only warnings and errors are logged.
    super::logging::start("error");
    crate::runtime::state_dir::keep_to_ourselves();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(show(args))?;
    // A thread may still wait for standard input.
    runtime.shutdown_background();
    Ok(ExitCode::SUCCESS)
}

async fn show(args: &Args) -> anyhow::Result<()> {
    let (data_dir, seed) = (args.data_dir.clone(), args.seed);
    let firmware = args.emulated.then(|| args.firmware.clone());
    let district = args.district.clone().zip(args.centre.clone());
    let district = district.map(|(url, centre)| linli_demo::District { url, centre });
    let options = Options { data_dir, mqtt_port: args.mqtt_port, web: args.web, seed, district, firmware };
    let demo = linli_demo::start(options).await?;
    for fault in &args.fault {
        demo.faults.switch(fault, true).map_err(|why| anyhow::anyhow!(why))?;
    }
    let gateway = Gateway::start(&demo.config_dir).await?;
    let status = gateway.status.clone();
    let log_ins = linli_demo::log_ins::prepare(&demo.config_dir, &gateway.accounts).await?;
    let head = header(&demo, gateway.web_address, &log_ins);
    gateway.welcome(|clock, mode| {
        let drills = DrillOrders { config: demo.config_dir.clone(), clock, mode };
        People::new(gateway.accounts.clone(), drills, log_ins.keys, demo.faults.clone())
    });
    println!("{head}");
    let stop = CancellationToken::new();
    let running = tokio::spawn(gateway.run(stop.clone()));
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let is_terminal = std::io::stdout().is_terminal();
    let mut draw = tokio::time::interval(if is_terminal { DRAW } else { PRINT });
    let end = args.duration.map(|duration| Instant::now() + duration);
    let mut typing = true;
    let mut note = String::new();
    while !running.is_finished() {
        tokio::select! {
            _ = draw.tick() => {
                let screen = if is_terminal { format!("\x1b[2J\x1b[H{head}\n") } else { String::new() };
                print!("{screen}{}{note}", table(&demo, &status));
                std::io::stdout().flush()?;
            }
            line = lines.next_line(), if typing => match line {
                Ok(Some(word)) if word.trim() == "quit" => break,
                Ok(Some(word)) => note = toggle(&demo, word.trim()),
                // Standard input is closed: the demonstration continues.
                Ok(None) | Err(_) => typing = false,
            },
            () = tokio::time::sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => break,
        }
    }
    stop.cancel();
    running.await?
}

fn header(demo: &Demo, web: SocketAddr, log_ins: &LogIns) -> String {
    let port = demo.broker_url.rsplit(':').next().unwrap_or_default();
    let (url, config, token) = (&demo.broker_url, demo.config_dir.display(), &demo.token);
    let LogIns { cabin, kitchen, .. } = log_ins;
    let program =
        std::env::current_exe().map_or_else(|_| "linli".to_owned(), |path| path.display().to_string());
    let flash = demo.image.as_ref().map_or_else(String::new, |image| {
        format!("     linli flash {} --device fridge-node-1", image.display())
    });
    let screens = match linli_web::without_screens() {
        None => {
            format!("screens  http://{web}/   屏幕：在浏览器里打开，点一个人登录 open it, click on a person")
        }
        Some(how) => format!(
            "screens  not in this build: {how}\n           屏幕未构建：装 Node 20.19 以上和 npm 后重新构建"
        ),
    };
    format!(
        "linli demo · 邻里演示\n  {screens}\n  broker   {url}   mosquitto_sub -p {port} -t 'linli/#' -v\n  \
         metrics  http://{web}/metrics   ready http://{web}/readyz\n  \
         cabin    curl -H 'Authorization: Bearer {token}' http://{web}/api/v1/visits\n\
         in another terminal · 在另一个终端:\n  \
         export LINLI_CONFIG={config}; alias linli={program}; cd $LINLI_CONFIG\n  \
         linli command reading-io fan false     linli alarms list     linli kiosks     linli export haccp\n\
         log in as a role · 按角色登录 (only the demonstration has prepared log-ins):\n  \
         export LINLI_SESSIONS=$LINLI_CONFIG/sessions; log_in() {{ linli login $1 --password-file log-ins/$1.password --factor-file log-ins/$1.factor $2 $3; }}\n  \
         log_in zhao (operator, technician); qian, sun (operator); chen, deng (command); shen (auditor); guan (admin)\n  \
         log_in mei --screen {cabin} (health worker)     log_in lan --screen {kitchen} (canteen)\n  \
         linli mode confirm reading-room notice --login qian\n\
         switch a room · 平急转换 (people: zhao leads, qian, sun; chen and deng sign):\n  \
         linli mode enter reading-room.sampling@1 --class actual --key chen.key --key deng.key --password-file log-ins/chen.password --password-file log-ins/deng.password\n  \
         linli mode status --watch     (who is to do what; here: type rooms-cleared before the sweep)\n  \
         linli mode confirm reading-room notice --login qian     linli mode stop reading-room\n  \
         linli mode return reading-room.from-sampling@1 --class actual --key chen.key --key deng.key\n\
         drill it · 演练:\n  \
         linli drill run hall.command@1 --key drill-chen.key --key drill-deng.key --password-file log-ins/chen.password --password-file log-ins/deng.password\n\
         our own node · 自有节点:\n  \
         linli node status fridge-node-1{flash}"
    )
}

fn toggle(demo: &Demo, word: &str) -> String {
    let known = demo.faults.list().into_iter().find(|(_, known, ..)| *known == word);
    let (was_on, name) = known.map_or((false, word), |(on, name, ..)| (on, name));
    match demo.faults.switch(name, !was_on) {
        Ok(()) => format!("{name} is {}\n", if was_on { "off" } else { "ON" }),
        Err(_) if word.is_empty() => String::new(),
        Err(why) => format!("{why}\n"),
    }
}

fn table(demo: &Demo, status: &GatewayStatus) -> String {
    let mut text = String::from("\n");
    for device in status.live.view(Instant::now()) {
        text.push_str(&row(&device));
    }
    let rooms = status.mode.metrics();
    let rooms: Vec<String> =
        rooms.rooms.iter().map(|room| format!("{} {}", room.room, room.stage.as_str())).collect();
    text.push_str(&format!("\nrooms · 房间: {}", rooms.join(", ")));
    let standing = status.alarms.standing.each_ref().map(|count| count.load(Ordering::Relaxed));
    let (store, uplink) = (status.store.borrow().clone(), status.uplink.borrow().clone());
    text.push_str(&format!(
        "\nalarms · 报警: {} high, {} medium, {} low; visits open {}\nbroker {}, acknowledged {}, waiting {}, used {} KiB\n\nfaults · 故障\n",
        standing[2],
        standing[1],
        standing[0],
        status.cabin.open_visits.load(Ordering::Relaxed),
        status.uplink_word(),
        uplink.acknowledged,
        store.waiting(),
        store.used_bytes / 1024
    ));
    for (on, word, en, zh) in demo.faults.list() {
        text.push_str(&format!("  [{}] {word:15} {en} · {zh}\n", if on { "x" } else { " " }));
    }
    text
}

fn row(device: &DeviceView) -> String {
    let shown = device.points.iter().take(4).map(|point| {
        let value = match &point.value {
            Some(linli_domain::Value::Float(float)) => format!("{float:.1}"),
            Some(value) => value.to_string(),
            None => "—".to_owned(),
        };
        let symbol = linli_domain::unit::find(&point.unit).map_or("", |unit| unit.symbol);
        format!("{} {value}{symbol}", point.point)
    });
    let shown: Vec<String> = shown.collect();
    let state = match device.reason {
        Some(reason) => format!("{} ({reason})", device.state),
        None => device.state.to_owned(),
    };
    format!("{:14} {:20} {}\n", device.device.as_str(), state, shown.join(", "))
}
