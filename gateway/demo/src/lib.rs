//! A whole centre, simulated behind real protocols: the gateway cannot distinguish it from a real one.
//!
//! `world` simulates temperatures, power and people. The simulated devices read from it: `plant`
//! (Modbus servers), `hall` (a gas sensor and a kiosk), `node` (our own sensor node; `emulated` runs
//! its real firmware). `cabin` has the devices of the health cabin, `resident` the people they
//! measure, `reception` the worker who opens visits. `cable` copies bytes between devices and
//! gateway, `broker` is an MQTT broker, `faults` switches faults, and `drill` orders
//! a drill.

mod broker;
mod cabin;
mod cable;
pub mod drill;

mod emulated;
pub mod example;
mod faults;
mod hall;
pub mod log_ins;
mod mode_room;
mod node;
mod plant;
mod reception;
mod resident;
mod signers;
mod site;
pub mod visitors;
mod world;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use broker::Broker;
pub use faults::Faults;
use linli_domain::Id;
use linli_services::mode::{OrderNumbersFile, commission};
use world::World;

/// Settings of the demonstration.
#[derive(Debug, Clone)]
pub struct Options {
    /// Directory for configuration and data; `None`: a temporary one.
    pub data_dir: Option<PathBuf>,
    /// Port of the broker; 0: any free one.
    pub mqtt_port: u16,
    /// Address of the network listener of the gateway.
    pub web: std::net::SocketAddr,
    /// Seed of the simulation: the same seed gives the same day.
    pub seed: u64,
    /// The district that the gateway delivers to instead of the broker of the simulation, and its centre there.
    pub district: Option<District>,
    /// Directory of firmware that QEMU runs as the fridge node; `None`: the node logic runs in this process.
    pub firmware: Option<PathBuf>,
}

/// A district that a demonstration is a centre of.
#[derive(Debug, Clone)]
pub struct District {
    /// URL of its broker.
    pub url: String,
    /// The centre.
    pub centre: Id,
}

/// A running simulation. It ends when this is dropped.
pub struct Demo {
    /// Directory of the configuration for the gateway.
    pub config_dir: PathBuf,
    /// URL of the broker.
    pub broker_url: String,
    /// Bearer token of a health worker.
    pub token: String,
    /// Path of a newer firmware image for the node.
    pub image: Option<PathBuf>,
    /// Faults to switch.
    pub faults: Faults,
    _tasks: JoinSet<()>,
    _temporary: Option<tempfile::TempDir>,
}

/// Starts the simulation and writes the configuration of the gateway for it.
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
    // The first resident comes when the gateway has started.
    let began = Instant::now() + Duration::from_secs(2);
    let oximeter = cabin::oximeter(options.seed, began, &faults, &mut tasks)?;
    // A free port, which the gateway opens shortly afterwards.
    let monitor = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    cabin::monitor(options.seed, began, monitor, &mut tasks);
    reception::receive(options.seed, began, &data_dir, &mut tasks);
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
    let tokens = site::write(&config_dir, &addresses, &plugged.key, options.district.as_ref())?;
    let database = linli_config::store_path(&config_dir);
    if !database.exists() && OrderNumbersFile::beside(&database).read().is_none() {
        commission(&database, 0)?;
    }
    hall::gas(broker_port, &faults, &mut tasks);
    hall::kiosk(kiosks, tokens.kiosk, &faults, &mut tasks);
    let token = tokens.worker;
    let broker_url = format!("mqtt://127.0.0.1:{}", broker.port);
    let image = plugged.image;
    Ok(Demo { config_dir, broker_url, token, image, faults, _tasks: tasks, _temporary: temporary })
}
