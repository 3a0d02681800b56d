//! `linli flash`: updates the firmware of our own nodes over their line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use linli_drivers::modbus::maintenance;
use linli_drivers::node;
use serde_json::Value;
use tokio::sync::mpsc;

use super::config_dir::ConfigDir;
use super::node::offline::{self, Offline};
use super::port::Port;
use super::progress::Screen;
use super::{WRONG, socket};
use linli_config::settings::image_key::{ImageKeys, parse_public_key};
use linli_config::{self, Checked};
use linli_nodes::{Image, LONGEST_IMAGE, Target, update};

/// Queued progress messages.
const STEPS: usize = 16;

/// Update nodes with signed firmware: one at a time on each line, while the others are still polled.
///
/// Works through the running gateway, or directly when none runs. The image is refused when it is
/// for other hardware, for another kind of node, signed by an unknown key, or not newer than the
/// running firmware. To resume an interrupted update, run the same command again. New firmware runs
/// on trial until its self-test has passed; otherwise the node returns to the old firmware.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli flash node-1.1.0.bin --device fridge-node-1\n  linli flash node-1.1.0.bin --line kitchen --all-of-kind\n  linli flash node-1.1.0.bin --port /dev/ttyUSB0 --unit 5 --key firmware.pub\n  linli flash node-1.1.0.bin --port /dev/ttyUSB0 --recover --key firmware.pub\n\nExit codes: 0 every node runs it, 1 not, 2 wrong usage or configuration"
)]
pub struct Args {
    /// The signed image (固件镜像)
    image: PathBuf,
    /// Id of a node; may be repeated
    #[arg(long, conflicts_with_all = ["line", "port", "tcp"])]
    device: Vec<String>,
    /// Every node of this line
    #[arg(long, conflicts_with_all = ["port", "tcp"])]
    line: Option<String>,
    /// With --line: skip nodes of kinds that the image is not for
    #[arg(long, requires = "line")]
    all_of_kind: bool,
    /// Continue with the next node when one fails
    #[arg(long)]
    keep_going: bool,
    #[command(flatten)]
    port: Port,
    /// Unit id of the node, with --port or --tcp; with --recover, the one it gets afterwards
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=247))]
    unit: Option<u8>,
    /// The node has no valid firmware and waits at unit 247 (with --port or --tcp)
    #[arg(long, conflicts_with_all = ["device", "line"])]
    recover: bool,
    /// Public key of images: 64 hexadecimal digits or a file; in addition to those of the configuration
    #[arg(long)]
    key: Vec<String>,
    /// Print every step as JSON, one per line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: ConfigDir,
}

/// Unit id of a node without valid firmware.
const RECOVERY_UNIT: u8 = 247;

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let length = std::fs::metadata(&args.image).map(|found| found.len()).unwrap_or_default();
    anyhow::ensure!(length <= LONGEST_IMAGE as u64, "{}: {length} bytes is no image", args.image.display());
    let bytes =
        std::fs::read(&args.image).with_context(|| format!("{} cannot be read", args.image.display()))?;
    let image = Image::read(bytes).map_err(|why| anyhow::anyhow!("{}: {why}", args.image.display()))?;
    let mut screen = Screen::new(args.json);
    let runtime = super::runtime()?;
    if args.port.is_given() {
        let Some(unit) = args.recover.then_some(RECOVERY_UNIT).or(args.unit) else {
            eprintln!("linli: --port and --tcp need --unit, or --recover for a node without firmware");
            return Ok(ExitCode::from(WRONG));
        };
        let config = linli_config::load(&args.site.config).ok();
        return runtime.block_on(directly(args, &image, By::Port(unit), config.as_ref(), &mut screen));
    }
    let checked = linli_config::load(&args.site.config)?;
    let devices = match devices(args, &checked, &image) {
        Ok(devices) => devices,
        Err(why) => {
            eprintln!("linli: {why}");
            return Ok(ExitCode::from(WRONG));
        }
    };
    if socket::is_running(&args.site.data_dir()) {
        return runtime.block_on(through_gateway(args, &image, &devices, &mut screen));
    }
    runtime.block_on(directly(args, &image, By::Devices(&devices), Some(&checked), &mut screen))
}

/// Returns the selected nodes; the error is the message for wrong usage.
fn devices(args: &Args, checked: &Checked, image: &Image) -> Result<Vec<String>, String> {
    let Some(line) = &args.line else {
        if args.device.is_empty() {
            return Err("say which node: --device ID, --line ID, or --port PORT --unit N".to_owned());
        }
        for device in &args.device {
            linli_domain::Id::new(device).map_err(|why| format!("--device {device:?} {why}"))?;
        }
        return Ok(args.device.clone());
    };
    let Some(found) = checked.lines.iter().find(|found| found.plan.line().as_str() == line) else {
        let known: Vec<&str> = checked.lines.iter().map(|line| line.plan.line().as_str()).collect();
        return Err(format!("no line {line:?}; there are: {}", known.join(", ")));
    };
    let nodes = found.plan.layouts().iter().filter_map(|layout| {
        let kind = node::kind_of(&layout.profile)?;
        (!args.all_of_kind || image.header.is_for_kind(kind.id)).then(|| layout.device.to_string())
    });
    let nodes: Vec<String> = nodes.collect();
    if nodes.is_empty() {
        Err(format!("the line {line} has no node that this image is for"))
    } else {
        Ok(nodes)
    }
}

async fn through_gateway(
    args: &Args,
    image: &Image,
    devices: &[String],
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    if !args.key.is_empty() {
        eprintln!(
            "linli: the running gateway verifies with the keys of its configuration; --key is for --port"
        );
        return Ok(ExitCode::from(WRONG));
    }
    let path = format!("/api/v1/nodes/flash?devices={}&keep_going={}", devices.join(","), args.keep_going);
    let mut stream = socket::Stream::post(&args.site.target()?, &path, &image.bytes).await?;
    loop {
        let step = tokio::select! {
            step = stream.next() => step?,
            _ = tokio::signal::ctrl_c() => return Ok(screen.interrupted()),
        };
        match step {
            Some(step) => screen.show(&serde_json::from_str::<Value>(&step)?),
            None => break,
        }
    }
    Ok(screen.end(devices.len()))
}

/// Selection of nodes when no gateway runs.
enum By<'b> {
    Port(u8),
    Devices(&'b [String]),
}

// === impl By ===

impl By<'_> {
    /// Name in the record.
    fn named(&self) -> String {
        match self {
            Self::Port(unit) => format!("unit {unit}"),
            Self::Devices(devices) => devices.join(", "),
        }
    }
}

async fn directly(
    args: &Args,
    image: &Image,
    by: By<'_>,
    config: Option<&Checked>,
    screen: &mut Screen,
) -> anyhow::Result<ExitCode> {
    let keys = keys(args, config)?;
    let mut record = Offline::open(config).await;
    if let Err(why) = image.is_signed(&keys) {
        record.refused("flash", &by.named(), &why).await;
        anyhow::bail!("{}: {why}", args.image.display());
    }
    let targets = match by {
        By::Port(unit) => {
            let place = args.port.port.as_deref().or(args.port.tcp.as_deref()).unwrap_or_default();
            let device = format!("{place} unit {unit}");
            let maintenance = args.port.open_line().await?;
            vec![Target {
                device,
                unit,
                maintenance,
                serial: None,
                kind: None,
                afterwards: args.unit.filter(|_| args.recover),
                now: super::now(),
            }]
        }
        By::Devices(devices) => targets(devices, config).await?,
    };
    let about = format!("{} {:08x}", image.header.firmware, image.header.id());
    for target in &targets {
        record.note("flash", "begun", target, Some(about.clone()), None).await;
        let (progress, mut steps) = mpsc::channel(STEPS);
        let updating = update(target, image, &progress);
        tokio::pin!(updating);
        let answer = loop {
            tokio::select! {
                (answer, _) = &mut updating => break answer,
                Some(step) = steps.recv() => screen.show(&step),
                _ = tokio::signal::ctrl_c() => {
                    record.note("flash", "stopped", target, Some(about.clone()), None).await;
                    return Ok(screen.interrupted());
                }
            }
        };
        while let Ok(step) = steps.try_recv() {
            screen.show(&step);
        }
        let why = answer["why"].as_str().map(str::to_owned);
        record
            .note("flash", answer["result"].as_str().unwrap_or_default(), target, Some(about.clone()), why)
            .await;
        screen.show(&answer);
        if !screen.is_good() && !args.keep_going {
            break;
        }
    }
    record.close().await;
    Ok(screen.end(targets.len()))
}

/// Returns the keys of the configuration and of the command line.
fn keys(args: &Args, config: Option<&Checked>) -> anyhow::Result<ImageKeys> {
    let mut keys = config.map(|config| config.image_keys.clone()).unwrap_or_default();
    for given in &args.key {
        let path = given.strip_prefix("file:").unwrap_or(given);
        let text = std::fs::read_to_string(path).unwrap_or_else(|_| given.clone());
        keys.0.push(parse_public_key(&text).map_err(|why| anyhow::anyhow!("--key {given}: {why}"))?);
    }
    Ok(keys)
}

/// Opens the line of the devices and returns them as targets.
async fn targets(devices: &[String], config: Option<&Checked>) -> anyhow::Result<Vec<Target>> {
    let config = config.context("there is no configuration")?;
    let mut targets = Vec::new();
    let mut open: Option<(String, maintenance::MaintenanceHandle)> = None;
    for device in devices {
        let found = offline::find(config, device)?;
        let maintenance = match &open {
            Some((line, maintenance)) if *line == found.line => maintenance.clone(),
            Some((line, _)) => {
                anyhow::bail!("{device} is on the line {}, not on {line}: one line at a time", found.line)
            }
            None => found.open_line().await?,
        };
        open = Some((found.line.clone(), maintenance.clone()));
        targets.push(found.target(maintenance));
    }
    Ok(targets)
}
