//! A whole centre, simulated behind real protocols: nothing in the gateway knows that it is one.
//!
//! `world` is what happens there, `plant` the Modbus servers that tell of it, `cabin` the health
//! cabin's devices with their `resident`s, `hall` a gas sensor and a kiosk, `node` our
//! own sensor node (`emulated` the same as real firmware), `desk` the worker who receives them, `cable` the bytes
//! between devices and gateway, `broker` an MQTT broker, `faults` what can go wrong at a word.

mod broker;
mod cabin;
mod cable;
mod desk;
mod emulated;
mod faults;
mod hall;
mod mode_room;
mod node;
mod plant;
mod resident;
mod signers;
mod site;
mod world;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use broker::Broker;
pub use faults::Faults;
use world::World;

/// What a demonstration needs to know.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where configuration and data go; a temporary directory unless given.
    pub data_dir: Option<PathBuf>,
    /// The broker's port; any free one unless given.
    pub mqtt_port: u16,
    /// The listener of the gateway.
    pub web: std::net::SocketAddr,
    /// The same seed gives the same day.
    pub seed: u64,
    /// Where firmware is that an emulator runs as the fridge's node; otherwise its logic runs here.
    pub firmware: Option<PathBuf>,
}

/// A running centre. Everything ends when it is dropped.
pub struct Demo {
    /// The configuration to run.
    pub config_dir: PathBuf,
    /// `mqtt://…`.
    pub broker_url: String,
    /// A health worker's token.
    pub token: String,
    /// The newer firmware of the node.
    pub image: Option<PathBuf>,
    /// What can go wrong.
    pub faults: Faults,
    _tasks: JoinSet<()>,
    _temporary: Option<tempfile::TempDir>,
}

/// Starts the centre and writes the gateway's configuration for it.
pub async fn start(options: Options) -> anyhow::Result<Demo> {
    let temporary = match &options.data_dir {
        Some(_) => None,
        None => Some(tempfile::Builder::new().prefix("linli-demo-").tempdir()?),
    };
    let data_dir = match (&options.data_dir, &temporary) {
        (Some(dir), _) => dir.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => anyhow::bail!("no directory for the demonstration"),
    };
    let faults = Faults::default();
    let world = Arc::new(Mutex::new(World::new(options.seed)));
    let mut tasks = JoinSet::new();
    tasks.spawn(world::run(Arc::clone(&world), faults.clone()));
    let broker = Broker::start(options.mqtt_port, faults.clone(), &mut tasks).await?;
    let kitchen = plant::serial(&world, &plant::KITCHEN, &faults, &mut tasks)?;
    let north = plant::serial(&world, &plant::NORTH, &faults, &mut tasks)?;
    std::fs::create_dir_all(&data_dir)?;
    let plugged = match &options.firmware {
        Some(dir) => emulated::plug_in(&world, &data_dir, dir, &faults, &mut tasks).await?,
        None => node::plug_in(&world, &data_dir, &faults, &mut tasks)?,
    };
    let panel = plant::tcp(&world, &plant::PANEL, &faults, &mut tasks).await?;
    // The first resident comes when the gateway is up.
    let began = Instant::now() + Duration::from_secs(2);
    let oximeter = cabin::oximeter(options.seed, began, &faults, &mut tasks)?;
    // Free now, and the gateway listens on it in a moment.
    let monitor = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    cabin::monitor(options.seed, began, monitor, &mut tasks);
    desk::receive(options.seed, began, &data_dir, &mut tasks);
    let kiosks = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let config_dir = data_dir.join("config");
    let (broker_port, web) = (broker.port, options.web);
    let addresses = site::Addresses {
        broker: broker_port,
        web,
        kitchen,
        north,
        panel,
        node: plugged.path,
        node_gap: plugged.frame_gap,
        oximeter,
        monitor,
        kiosks,
    };
    let tokens = site::write(&config_dir, &addresses, &plugged.key)?;
    hall::gas(broker_port, &faults, &mut tasks);
    hall::kiosk(kiosks, tokens.kiosk, &faults, &mut tasks);
    let token = tokens.worker;
    let broker_url = format!("mqtt://127.0.0.1:{}", broker.port);
    let image = plugged.image;
    Ok(Demo { config_dir, broker_url, token, image, faults, _tasks: tasks, _temporary: temporary })
}
