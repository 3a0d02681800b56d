//! `linli provision`: sets up a new node, adds it to the configuration, and prints its label.

mod file;
mod label;

use std::path::PathBuf;
use std::process::ExitCode;

use linli_drivers::modbus::maintenance;
use linli_drivers::modbus::plan::{Medium, ModbusPlan, Parity};
use linli_wire::config::Config;
use linli_wire::identity::{Identity, status};
use linli_wire::kind::{KINDS, Kind};
use serde_json::json;

use super::config_dir::ConfigDir;
use super::node::ask;
use super::node::offline::Offline;
use super::port::{Port, TIMING};
use super::{WRONG, socket};
use linli_config::{self, Checked};
use linli_nodes::provision::{Provisioned, Settings, label as label_text, new_serial, set};
use linli_nodes::{Client, Do, NodeEvent, shown_identity};

/// Set up a new node: address, name, serial number, calibration, and its entry in devices.toml.
///
/// A new node waits at unit 247 with 9600 baud, 8N1. It gets the settings of its line, and reverts
/// by itself after half a minute unless they are confirmed at the new address. devices.toml is
/// checked after the change, and the earlier version is kept in devices.toml.before.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  linli provision --line kitchen --device fridge-node-1 --name 东厨一号冷柜 --room kitchen\n  linli provision --port /dev/ttyUSB0 --line kitchen --device fridge-node-1 --unit 5 --label fridge-node-1.svg\n  linli provision --line kitchen --device fridge-node-1 --offset product_temperature=-0.3\n  linli provision --port /dev/ttyUSB0 --from 5 --again --line kitchen --device fridge-node-9\n\nExit codes: 0 done, 1 failed, 2 wrong usage or configuration"
)]
pub struct Args {
    /// Line of the configuration that the node is on
    #[arg(long)]
    line: String,
    /// Id of the new device
    #[arg(long)]
    device: String,
    /// Name for people; also stored in the node, up to 32 bytes
    #[arg(long)]
    name: Option<String>,
    /// The room it is in
    #[arg(long)]
    room: Option<String>,
    /// Kind of node: fridge, cabin, room; unchanged unless given
    #[arg(long)]
    kind: Option<String>,
    /// New unit id; the lowest free one of the line unless given
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=246))]
    unit: Option<u8>,
    /// Present unit id
    #[arg(long, default_value_t = 247, value_parser = clap::value_parser!(u8).range(1..=247))]
    from: u8,
    /// Serial number, up to 16 hexadecimal digits; the stored one, or a random one, unless given
    #[arg(long, value_parser = serial)]
    serial: Option<u64>,
    /// Calibration, point=offset in the point's unit; may be repeated
    #[arg(long, value_parser = offset, allow_hyphen_values = true)]
    offset: Vec<(String, f64)>,
    /// Seconds after which outputs reset unless written again
    #[arg(long, value_parser = clap::value_parser!(u16).range(60..=3600))]
    lease: Option<u16>,
    /// Poll interval
    #[arg(long, default_value = "5s")]
    poll: String,
    /// Set up a node again that was set up before
    #[arg(long)]
    again: bool,
    /// Output file for the label as SVG
    #[arg(long, value_name = "FILE")]
    label: Option<PathBuf>,
    #[command(flatten)]
    port: Port,
    /// Print as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    site: ConfigDir,
}

/// Runs the verb.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let checked = linli_config::load(&args.site.config)?;
    let (plan, unit) = match place(args, &checked) {
        Ok(place) => place,
        Err(why) => {
            eprintln!("linli: {why}");
            return Ok(ExitCode::from(WRONG));
        }
    };
    let settings = settings(args, plan, unit)?;
    let is_running = socket::is_running(&args.site.data_dir());
    let provisioned = match is_running && !args.port.is_given() {
        true => through_gateway(args, settings)?,
        false => super::runtime()?.block_on(directly(args, plan, &settings, &checked))?,
    };
    let kind = Kind::from_id(provisioned.config.kind);
    let kind = kind.ok_or_else(|| anyhow::anyhow!("the node is of a kind not known here"))?;
    let entry = file::Entry {
        id: &args.device,
        name: args.name.as_deref(),
        room: args.room.as_deref(),
        line: &args.line,
        kind,
        unit,
        serial: provisioned.identity.serial,
        poll: &args.poll,
    };
    let backup = file::append(&args.site.config, &entry)?;
    let text = label_text(&args.device, &provisioned);
    if let Some(path) = &args.label {
        label::write_svg(path, &text, &entry)?;
    }
    if args.json {
        let shown = json!({"device": args.device, "unit": unit, "label": text, "node": shown_identity(&provisioned.identity)});
        println!("{}", serde_json::to_string_pretty(&shown)?);
        return Ok(ExitCode::SUCCESS);
    }
    println!("{}: {} node at unit {unit}, serial {:016x} (已设置)", args.device, kind.name, entry.serial);
    println!("devices.toml has it now; the one before is {} (配置已写入)\n", backup.display());
    println!("{}{text}\n", label::text(&text)?);
    if let Some(path) = &args.label {
        println!("label 标签: {}", path.display());
    }
    println!(
        "Next: {}, then `linli probe {}`.",
        if is_running { "`linli reload`" } else { "`linli run`" },
        args.device
    );
    Ok(ExitCode::SUCCESS)
}

/// Returns the line and a free unit id on it.
fn place<'c>(args: &Args, checked: &'c Checked) -> Result<(&'c ModbusPlan, u8), String> {
    linli_domain::Id::new(&args.device).map_err(|why| format!("--device {:?} {why}", args.device))?;
    linli_drivers::duration::parse(&args.poll).map_err(|why| format!("--poll: {why}"))?;
    if let Some(kind) = args.kind.as_deref().filter(|kind| Kind::from_name(kind).is_none()) {
        let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
        return Err(format!("--kind {kind:?} is none of {}", known.join(", ")));
    }
    let lines = || checked.lines.iter().filter_map(|line| line.plan.as_any().downcast_ref::<ModbusPlan>());
    let plan = lines().find(|plan| plan.line.as_str() == args.line).ok_or_else(|| {
        let known: Vec<&str> = lines().map(|plan| plan.line.as_str()).collect();
        format!(
            "--line {:?} is no Modbus line of the configuration; there are: {}",
            args.line,
            known.join(", ")
        )
    })?;
    let mut all = checked.lines.iter().flat_map(|line| line.plan.layouts());
    if all.any(|layout| layout.device.as_str() == args.device) {
        return Err(format!("--device {}: the configuration has it already; take another id", args.device));
    }
    if let Some(room) =
        args.room.as_deref().filter(|r| checked.rooms.iter().all(|room| room.id.as_str() != *r))
    {
        let known: Vec<&str> = checked.rooms.iter().map(|room| room.id.as_str()).collect();
        return Err(format!("--room {room:?} is no room; there are: {}", known.join(", ")));
    }
    let taken = |unit: u8| plan.devices.iter().find(|device| device.unit == unit);
    match args.unit {
        Some(unit) => match taken(unit) {
            Some(device) => Err(format!("--unit {unit} is {}'s already", device.layout.device)),
            None => Ok((plan, unit)),
        },
        None => (1..=246)
            .find(|unit| taken(*unit).is_none())
            .map(|unit| (plan, unit))
            .ok_or_else(|| format!("the line {} is full", args.line)),
    }
}

/// Returns the settings of the node; on a serial line these include its speed and parity.
fn settings(args: &Args, plan: &ModbusPlan, unit: u8) -> anyhow::Result<Settings> {
    let (baud, parity) = match &plan.medium {
        Medium::Rtu(serial) => {
            let parity = match serial.parity {
                Parity::None => "none",
                Parity::Even => "even",
                Parity::Odd => "odd",
            };
            (Some(serial.baud), Some(parity.to_owned()))
        }
        Medium::Tcp { .. } | Medium::RtuOverTcp { .. } => (None, None),
    };
    Ok(Settings {
        unit: Some(unit),
        baud,
        parity,
        kind: args.kind.clone(),
        name: Some(args.name.clone().unwrap_or_else(|| args.device.clone())),
        serial: Some(args.serial.map_or_else(new_serial, Ok)?),
        lease_s: args.lease,
        offsets: args.offset.clone(),
    })
}

/// The line of the gateway keeps its settings: the node must answer with its speed and parity.
fn through_gateway(args: &Args, settings: Settings) -> anyhow::Result<Provisioned> {
    let look = ask(&args.site, &Do::Look { line: args.line.clone(), unit: args.from }).map_err(|why| {
        anyhow::anyhow!(
            "{why:#}. A new node answers at 9600 baud, 8N1: if the line is faster, stop the gateway, or set the node up on a port of its own with --port"
        )
    })?;
    is_new(args, look["is_provisioned"] == true, look["serial"].as_str().unwrap_or_default())?;
    let settings = Settings { baud: None, parity: None, ..settings };
    let answer = ask(&args.site, &Do::Provision { line: args.line.clone(), from: args.from, settings })?;
    let words = |key: &str| -> Vec<u16> { serde_json::from_value(answer[key].clone()).unwrap_or_default() };
    let strange = || anyhow::anyhow!("the gateway's answer could not be understood");
    let config: [u16; linli_wire::config::WORDS] = words("config").try_into().map_err(|_| strange())?;
    Ok(Provisioned {
        identity: Identity::decode(&words("identity")).map_err(|_| strange())?,
        config: Config::decode(&config).map_err(|_| strange())?,
    })
}

fn is_new(args: &Args, is_provisioned: bool, serial: &str) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.again || !is_provisioned,
        "the node at unit {} was set up before (serial {serial}); give --again to set it up anew (节点已设置过)",
        args.from
    );
    Ok(())
}

async fn directly(
    args: &Args,
    plan: &ModbusPlan,
    settings: &Settings,
    checked: &Checked,
) -> anyhow::Result<Provisioned> {
    let open = async |baud: u32, parity: &str| match args.port.is_given() {
        true => args.port.with(baud, parity).open_line().await,
        false => {
            let medium = match &plan.medium {
                Medium::Rtu(serial) => {
                    let port = Port { port: Some(serial.path.clone()), ..args.port.clone() };
                    port.with(baud, parity).medium().unwrap_or_else(|| plan.medium.clone())
                }
                other => other.clone(),
            };
            maintenance::open(medium, TIMING).await.map_err(|why| anyhow::anyhow!(why))
        }
    };
    let client = Client::new(open(args.port.baud, &args.port.parity).await?, args.from);
    let node = client.identity().await.map_err(|trouble| {
        anyhow::anyhow!(
            "{trouble}. A new node waits at unit 247 with 9600 baud, 8N1: check power, A and B; one that was set up before is found by `linli scan`"
        )
    })?;
    let is_provisioned = node.serial != 0 && node.status & status::CONFIG_DEFAULT == 0;
    is_new(args, is_provisioned, &format!("{:016x}", node.serial))?;
    let config = client.config().await?;
    let wanted = settings.apply(&node, config).map_err(|why| anyhow::anyhow!(why))?;
    let unit = wanted.unit;
    let again = async || {
        let maintenance = open(wanted.baud.rate(), wanted.parity.as_str()).await;
        maintenance.map(|maintenance| Client::new(maintenance, unit)).map_err(|why| format!("{why:#}"))
    };
    let done = set(&client, &wanted, again).await;
    // A running gateway owns the record: a message then says that this action is not in it.
    let mut record = Offline::open(Some(checked)).await;
    record
        .keep(NodeEvent {
            action: "provision".to_owned(),
            result: if done.is_ok() { "done" } else { "failed" }.to_owned(),
            device: args.device.clone(),
            serial: done.as_ref().ok().map(|done| format!("{:016x}", done.identity.serial)),
            about: serde_json::to_string(settings).ok(),
            detail: done.as_ref().err().cloned(),
            ..NodeEvent::default()
        })
        .await;
    record.close().await;
    done.map_err(|why| anyhow::anyhow!(why))
}

fn serial(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is not a serial number of 1 to 16 hexadecimal digits, other than 0");
    u64::from_str_radix(text, 16).ok().filter(|serial| *serial != 0).ok_or_else(wrong)
}

fn offset(text: &str) -> Result<(String, f64), String> {
    let wrong = || format!("{text:?} is not point=offset, such as product_temperature=-0.3");
    let (point, offset) = text.split_once('=').ok_or_else(wrong)?;
    Ok((point.to_owned(), offset.parse().map_err(|_| wrong())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_is_understood() {
        assert_eq!(serial("00ff"), Ok(255));
        assert!(serial("0").is_err() && serial("xyz").is_err());
        assert_eq!(offset("a=-0.3"), Ok(("a".to_owned(), -0.3)));
        assert!(offset("a").is_err() && offset("a=b").is_err());
    }
}
