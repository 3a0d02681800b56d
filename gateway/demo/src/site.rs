//! The configuration of the simulated centre, as a technician would have written it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use linli_drivers::duration;

use super::{District, node, signers};
use linli_config::settings::key::Key;

/// Where the simulated centre can be reached.
pub struct Addresses {
    /// The broker's port on loopback.
    pub broker: u16,
    /// The gateway's listener.
    pub web: SocketAddr,
    /// Path of the bus of the kitchen.
    pub kitchen: String,
    /// Path of the bus of the north site.
    pub north: String,
    /// Address of the panel of the reading room.
    pub panel: SocketAddr,
    /// Path of our own node's line.
    pub node: String,
    /// Gap between frames that the node needs; `None`: the default.
    pub node_gap: Option<Duration>,
    /// Path of the oximeter's port.
    pub oximeter: String,
    /// Where the gateway listens for the monitor.
    pub monitor: SocketAddr,
    /// Where the gateway listens for the kiosk.
    pub kiosks: SocketAddr,
}

/// Bearer tokens of the demonstration.
pub struct Tokens {
    /// Token of a health worker.
    pub worker: String,
    /// Token of the kiosk.
    pub kiosk: String,
}

/// Writes the configuration, replacing existing files except keys. Returns the tokens.
pub fn write(
    dir: &Path,
    at: &Addresses,
    image_key: &str,
    district: Option<&District>,
) -> anyhow::Result<Tokens> {
    std::fs::create_dir_all(dir)?;
    std::fs::write(dir.join("gateway.toml"), gateway(at, image_key, district))?;
    let (facility, profile) = match district {
        Some(district) => (
            FACILITY.replacen("id = \"xinghe\"", &format!("id = \"{}\"", district.centre), 1),
            "report_profile = \"district\"\n\n",
        ),
        None => (FACILITY.to_owned(), ""),
    };
    std::fs::write(dir.join("facility.toml"), format!("{facility}{}", signers::write(dir)?))?;
    std::fs::write(dir.join("devices.toml"), format!("{profile}{}", devices(at)))?;
    std::fs::write(dir.join("alarms.toml"), ALARMS)?;
    std::fs::write(dir.join("matters.toml"), MATTERS)?;
    for file in ["identity.key", "district.key", "worker.token", "kiosk.token"] {
        if !dir.join(file).exists() {
            Key::write_new(&dir.join(file))?;
        }
    }
    let read =
        |file: &str| Ok::<_, std::io::Error>(std::fs::read_to_string(dir.join(file))?.trim().to_owned());
    Ok(Tokens { worker: read("worker.token")?, kiosk: read("kiosk.token")? })
}

fn gateway(at: &Addresses, image_key: &str, district: Option<&District>) -> String {
    let mqtt = match district {
        Some(district) => format!("url = \"{}\"\nacknowledge = \"district\"\ninbound_qos = 0", district.url),
        None => format!("url = \"mqtt://127.0.0.1:{}\"", at.broker),
    };
    format!(
        "[gateway]\nid = \"demo\"\n\n[store]\npath = \"../linli.db\"\nmax_bytes = \"64MiB\"\n\n\
         [mqtt]\n{mqtt}\n\n[web]\nlisten = \"{}\"\n\n\
         [cabin]\nidentity_key = \"file:identity.key\"\npseudonym_key = \"file:district.key\"\nconsent = \"demo-1\"\n\n\
         [[worker]]\nname = \"demo-worker\"\ntoken = \"file:worker.token\"\n\n\
         # Whoever runs the demonstration; a real centre gives each person an account of their own.\n\
         [[local_account]]\nname = \"demo\"\nuid = {}\n\
         roles = [\"health_worker\", \"canteen\", \"operator\", \"technician\", \"command\", \"auditor\", \"admin\"]\n\n\
         [nodes]\nimage_keys = [\"{image_key}\"]\n",
        at.web,
        rustix::process::geteuid().as_raw()
    )
}

/// Shortens delays: a spectator does not wait ten minutes.
const ALARMS: &str = "[[alarm]]\nid = \"fridge-1.warm\"\ndevice = \"fridge-1\"\npoint = \"temperature\"\nwhen = \"high\"\n\
    limit = 8\ndeadband = 1\non_delay = \"5s\"\npriority = \"high\"\ntext = \"一号冰箱：温度过高\"\n\n\
    [[alarm]]\nid = \"kitchen-meter.silent\"\ndevice = \"kitchen-meter\"\nwhen = \"silent\"\non_delay = \"10s\"\n\
    text = \"后厨电表：没有数据\"\n\n\
    [[alarm]]\nid = \"kitchen-gas.silent\"\ndevice = \"kitchen-gas\"\nwhen = \"silent\"\non_delay = \"10s\"\n\
    priority = \"high\"\ntext = \"后厨燃气传感器：没有数据\"\n\n\
    [[alarm]]\nid = \"specimen-fridge.warm\"\ndevice = \"specimen-fridge\"\npoint = \"temperature\"\nwhen = \"high\"\n\
    limit = 8\ndeadband = 1\non_delay = \"5s\"\npriority = \"high\"\nenabled = false\ntext = \"标本冰箱：高于 8 °C\"\n\n\
    [[alarm]]\nid = \"specimen-fridge.frost\"\ndevice = \"specimen-fridge\"\npoint = \"temperature\"\nwhen = \"low\"\n\
    limit = 2\ndeadband = 1\non_delay = \"5s\"\npriority = \"high\"\nenabled = false\ntext = \"标本冰箱：低于 2 °C\"\n";

const MATTERS: &str = include_str!("../../../deploy/example/matters.toml");

const FACILITY: &str = include_str!("../../../deploy/example/facility.toml");

fn devices(at: &Addresses) -> String {
    let mut text = format!(
        "[[line]]\nid = \"kitchen-bus\"\nkind = \"modbus_rtu\"\nport = \"{}\"\nbaud = 9600\ntimeout = \"500ms\"\n\n\
         [[line]]\nid = \"north-bus\"\nkind = \"modbus_rtu\"\nport = \"{}\"\nbaud = 4800\ntimeout = \"500ms\"\n\n\
         [[line]]\nid = \"panel\"\nkind = \"modbus_tcp\"\nendpoint = \"{}\"\ntimeout = \"500ms\"\n",
        at.kitchen, at.north, at.panel
    );
    for (id, name, room, line, unit, profile, class) in [
        ("fridge-1", "一号冰箱", "kitchen", "kitchen-bus", 1, "xy/md02", "food_safety"),
        ("freezer-1", "一号冷柜", "kitchen", "kitchen-bus", 2, "xy/md02", "food_safety"),
        ("hot-holding", "热藏柜", "kitchen", "kitchen-bus", 3, "generic/sht20", "food_safety"),
        ("kitchen-meter", "后厨电表", "kitchen", "kitchen-bus", 10, "eastron/sdm120", "telemetry"),
        ("reading-air", "阅览室温湿度", "reading-room", "north-bus", 1, "renke/rs-ws-n01", "telemetry"),
        ("specimen-fridge", "标本冰箱", "reading-room", "north-bus", 2, "renke/rs-ws-n01", "food_safety"),
        ("reading-io", "阅览室控制器", "reading-room", "panel", 1, "generic/room-io", "actuator"),
        ("reading-co2", "阅览室二氧化碳", "reading-room", "panel", 2, "generic/co2-ndir", "telemetry"),
        ("reading-mode", "阅览室切换控制器", "reading-room", "panel", 4, "generic/room-mode", "actuator"),
        ("hall-mode", "活动厅切换控制器", "hall", "panel", 5, "generic/room-mode", "actuator"),
        ("kitchen-mode", "后厨切换控制器", "kitchen", "panel", 6, "generic/room-mode", "actuator"),
        ("door-counter", "门口计数器", "reading-room", "panel", 3, "generic/counter", "telemetry"),
    ] {
        let keeps = match id {
            "fridge-1" => "keeps = \"cold\"\n",
            "freezer-1" => "keeps = \"frozen\"\n",
            "hot-holding" => "keeps = \"hot\"\n",
            _ => "",
        };
        text.push_str(&format!(
            "\n[[device]]\nid = \"{id}\"\nname = \"{name}\"\nroom = \"{room}\"\nline = \"{line}\"\nunit = {unit}\n\
             profile = \"{profile}\"\nclass = \"{class}\"\npoll = \"2s\"\n{keeps}"
        ));
    }
    let gap = at.node_gap.map(|gap| format!("frame_gap = \"{}\"\n", duration::format(gap)));
    let gap = gap.unwrap_or_default();
    text.push_str(&format!(
        "\n[[line]]\nid = \"node-bus\"\nkind = \"modbus_rtu\"\nport = \"{}\"\nbaud = 9600\ntimeout = \"500ms\"\n{gap}\n\
         [[device]]\nid = \"fridge-node-1\"\nname = \"一号冰箱节点\"\nroom = \"kitchen\"\nline = \"node-bus\"\nunit = {}\n\
         serial = \"{:016x}\"\nprofile = \"linli/node-fridge\"\nclass = \"food_safety\"\npoll = \"2s\"\n",
        at.node,
        node::UNIT,
        node::SERIAL
    ));
    text.push_str(&format!(
        "\n[[line]]\nid = \"oximeter-port\"\nkind = \"serial\"\nport = \"{}\"\n\n\
         [[device]]\nid = \"oximeter\"\nname = \"指夹式血氧仪\"\nroom = \"health-cabin\"\nline = \"oximeter-port\"\n\
         profile = \"contec/cms50d-plus\"\nclass = \"vital\"\n\n\
         [[line]]\nid = \"monitor-port\"\nkind = \"mllp\"\nlisten = \"{}\"\n\n\
         [[device]]\nid = \"monitor\"\nname = \"生命体征监护仪\"\nroom = \"health-cabin\"\nline = \"monitor-port\"\n\
         profile = \"hl7/oru-r01\"\nclass = \"vital\"\n",
        at.oximeter, at.monitor
    ));
    text.push_str(&format!(
        "\n[[line]]\nid = \"zigbee\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{}\"\n\n\
         [[device]]\nid = \"kitchen-gas\"\nname = \"后厨燃气传感器\"\nroom = \"kitchen\"\nline = \"zigbee\"\n\
         profile = \"zigbee2mqtt/gas\"\npoll = \"2s\"\n\n\
         [[line]]\nid = \"kiosks\"\nkind = \"kiosk_http\"\nlisten = \"{}\"\n\n\
         [[device]]\nid = \"kiosk-1\"\nname = \"一号政务终端\"\nline = \"kiosks\"\nprofile = \"kiosk/terminal\"\n\
         class = \"kiosk\"\npoll = \"2s\"\ntoken = \"file:kiosk.token\"\n",
        at.broker, at.kiosks
    ));
    text
}
