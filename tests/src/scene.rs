//! A centre with one of everything: a broker with a subscriber, a building controller with rooms
//! that switch, a monitor in the health cabin, a kiosk, a node, a device that takes commands, and
//! one whose messages are too large for the broker.
//!
//! Tests of a whole gateway (its stored form, its answers) use this centre.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use crate::broker::{Broker, Subscriber};
use crate::devices::counter_on;
use crate::flood::Flood;
use crate::gateway::{Gateway, device};
use crate::hl7_monitor::Hl7Monitor;
use crate::http;
use crate::nodes::{KEY, NodeLine, image, public_hex};
use crate::peer::Peer;
use crate::room::{Centre, Room};
use crate::workspace::{eventually, free_port, now_ms};

/// The token of the kiosk.
pub const KIOSK_TOKEN: &str = "kiosk-token-for-tests-0123456789";

/// The token of a display.
pub const DISPLAY_TOKEN: &str = "4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d4d";

/// The token of the health worker.
pub const WORKER_TOKEN: &str = "3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c";

/// A resident who does not exist: the number is the example of GB 11643.
pub const RESIDENT: (&str, &str) = ("欧阳若水", "11010519491231002X");

/// Largest packet that the broker takes: less than 125 values need.
const LARGEST_PACKET: usize = 4000;

/// Period of the counter in milliseconds: so long that its value is the same in every answer.
const STANDS_STILL: u32 = 86_400_000;

/// Longest wait, long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Secrets beside the configuration: file, content.
const SECRETS: [(&str, &str); 5] = [
    ("identity.key", "1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a"),
    ("district.key", "2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b"),
    ("worker.token", WORKER_TOKEN),
    ("display.token", DISPLAY_TOKEN),
    ("kiosk.token", KIOSK_TOKEN),
];

/// Ports of everything around the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// The broker.
    pub broker: u16,
    /// The building controller.
    pub controller: u16,
    /// The gateway, for the monitor.
    pub monitor: u16,
    /// The gateway, for the kiosk.
    pub kiosk: u16,
    /// The device that takes commands.
    pub counter: u16,
    /// The device with messages that are too large.
    pub block: u16,
    /// The line of the node.
    pub nodes: u16,
}

/// The centre and all that runs around its gateway.
pub struct Scene {
    /// The configuration, the data and the people's keys.
    pub centre: Centre,
    /// Where everything listens.
    pub ports: Ports,
    /// The broker.
    pub broker: Broker,
    /// What the district hears.
    pub subscriber: Subscriber,
    /// The rooms and their controller.
    pub room: Room,
    /// The monitor in the health cabin.
    pub monitor: Hl7Monitor,
    _counter: Peer,
    _block: Flood,
    _nodes: NodeLine,
}

// === impl Ports ===

impl Ports {
    /// What a stored configuration says; a copy of it gets free ones.
    pub const STORED: Self = Self {
        broker: 18_301,
        controller: 18_302,
        monitor: 18_303,
        kiosk: 18_304,
        counter: 18_305,
        block: 18_306,
        nodes: 18_307,
    };

    /// Returns free ports.
    pub fn free() -> anyhow::Result<Self> {
        Ok(Self {
            broker: free_port()?,
            controller: free_port()?,
            monitor: free_port()?,
            kiosk: free_port()?,
            counter: free_port()?,
            block: free_port()?,
            nodes: free_port()?,
        })
    }

    const fn all(self) -> [u16; 7] {
        [self.broker, self.controller, self.monitor, self.kiosk, self.counter, self.block, self.nodes]
    }

    /// Writes these ports into a configuration that has those.
    pub fn replace(self, those: Self, config: &Path) -> anyhow::Result<()> {
        for name in ["gateway.toml", "devices.toml"] {
            let file = config.join(name);
            let mut text = std::fs::read_to_string(&file)?;
            // By way of words: a new port may be another's old one.
            for (nth, port) in those.all().iter().enumerate() {
                text = text.replace(&format!("127.0.0.1:{port}"), &format!("PORT{nth}"));
            }
            for (nth, port) in self.all().iter().enumerate() {
                text = text.replace(&format!("PORT{nth}"), &format!("127.0.0.1:{port}"));
            }
            std::fs::write(&file, text)?;
        }
        Ok(())
    }
}

// === impl Scene ===

impl Scene {
    /// Configures a new centre and starts what is around its gateway.
    pub async fn new() -> anyhow::Result<Self> {
        let ports = Ports::free()?;
        let centre = Centre::with_controller("xinghe", Some(ports.broker), ports.controller).await?;
        configure(&centre.config, ports)?;
        Self::around(centre, ports, &json!({})).await
    }

    /// Starts what is around the gateway of a configured centre; the rooms are in that state.
    pub async fn around(centre: Centre, ports: Ports, rooms: &Value) -> anyhow::Result<Self> {
        // An earlier version's configuration has fewer.
        for file in SECRETS.map(|(file, _)| centre.config.join(file)).into_iter().filter(|file| file.exists())
        {
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600))?;
        }
        let broker = Broker::start_small_on(ports.broker, &centre.workspace, LARGEST_PACKET).await?;
        let subscriber = broker.subscribe(&centre.workspace).await?;
        let state = rooms.to_string();
        let room = Room::start_with(ports.controller, &["--lease", "2", "--state", &state]).await?;
        let nodes = NodeLine::connect_on(ports.nodes)?;
        nodes.put_set_up(&centre.workspace.path("n0"), "fridge", 1, |_| {})?;
        Ok(Self {
            monitor: Hl7Monitor::on(ports.monitor),
            _counter: Peer::tcp(ports.counter, 1, STANDS_STILL).await?,
            _block: Flood::start_on(ports.block).await?,
            _nodes: nodes,
            centre,
            ports,
            broker,
            subscriber,
            room,
        })
    }

    /// Starts the gateway under a wrapper and waits until every line is up.
    pub async fn start(&self, wrapper: &[&str]) -> anyhow::Result<Gateway> {
        let mut gateway = Gateway::start_under(wrapper, &self.centre.config, &self.centre.data).await?;
        gateway.answering().await?;
        let online = |status: &Value| {
            ["reading-mode", "hall-mode", "kitchen-mode", "d1", "block", "cold-1"]
                .iter()
                .all(|id| device(status, id).is_some_and(|device| device["online"] == true))
        };
        gateway.until("every device answers", PATIENCE, online).await?;
        self.monitor.listening().await?;
        Ok(gateway)
    }

    /// A resident comes and is measured. Returns the visit.
    pub async fn visit(&self, gateway: &Gateway, code: &str) -> anyhow::Result<Value> {
        let (name, number) = RESIDENT;
        let identity = json!({"name": name, "id_number": number, "phone": "13812345678"});
        let opening = json!({"by": "card", "code": code, "consent": "2026-1", "identity": identity});
        let (status, visit) = gateway.ask("POST", "/api/v1/visits", &opening)?;
        ensure!(status == 201, "{status} {visit}");
        let message = format!(
            "MSH|^~\\&|CABIN|S|GW|S|||ORU^R01^ORU_R01|{code}|P|2.6|||||||UNICODE UTF-8\rPID|||{code}\r\
             OBR|1|||85353-1^Vital signs^LN\rOBX|1|NM|59408-5^SpO2^LN||97|%^^UCUM|||||F\r"
        );
        let answers = self.monitor.send(&[message]).await?;
        ensure!(answers[0]["code"] == "AA", "{answers:?}");
        Ok(visit)
    }

    /// The kiosk reports that it has no paper.
    pub fn kiosk_reports(&self) -> anyhow::Result<()> {
        let stream = std::net::TcpStream::connect(("127.0.0.1", self.ports.kiosk))?;
        let headers = format!("Authorization: Bearer {KIOSK_TOKEN}\r\nContent-Type: application/json\r\n");
        let report =
            json!({"boot": "b1", "seq": 1, "parts": {"paper": "out", "touch": "ok"}, "version": "1.2"});
        let (status, answer) =
            http::ask(stream, "POST", "/kiosk/v1/k1/report", &headers, &report.to_string())?;
        ensure!(status == 200, "{status} {answer}");
        Ok(())
    }

    /// The canteen writes a note and signs the day; the node gets new firmware.
    pub async fn documents(&self, gateway: &Gateway) -> anyhow::Result<()> {
        succeeds(gateway, &["food", "note", "--by", "李梅", "冰箱门封条已更换"]).await?;
        succeeds(gateway, &["food", "sign", "--by", "李梅", "--note", "无异常"]).await?;
        let firmware = self.centre.workspace.path("fridge.bin");
        let board = linli_wire::board::Board::Software;
        std::fs::write(&firmware, image("fridge", "1.1.0", 4096, &KEY, board))?;
        let firmware = firmware.to_string_lossy().into_owned();
        succeeds(gateway, &["flash", &firmware, "--device", "cold-1"]).await.map(drop)
    }
}

/// Writes a value by a command with that id. Returns status and answer.
pub fn command(gateway: &Gateway, id: &str, value: &Value, expires: i64) -> anyhow::Result<(u16, Value)> {
    let command = json!({"id": id, "point": "set_point", "value": value, "expires": expires});
    gateway.ask("POST", "/api/v1/devices/d1/command", &command)
}

/// A moment at which a command sent now has not expired, in Unix milliseconds.
#[must_use]
pub fn soon() -> i64 {
    now_ms() + 60_000
}

/// Runs a verb that has to succeed. Returns what it printed.
pub async fn succeeds(gateway: &Gateway, arguments: &[&str]) -> anyhow::Result<String> {
    let output = gateway.verb(arguments).await?;
    let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    ensure!(output.status.success(), "{arguments:?}: {printed}");
    Ok(printed)
}

/// Waits until an alarm is in that state. Returns the alarm.
pub async fn alarm_is(gateway: &Gateway, id: &str, state: &str) -> anyhow::Result<Value> {
    let found = || crate::switching::alarm(gateway, id).unwrap_or_default();
    eventually(&format!("{id} is {state}"), PATIENCE, || found()["state"] == state)
        .await
        .with_context(|| format!("{}\n{}", found(), gateway.log()))?;
    Ok(found())
}

/// Adds to the example centre what it lacks.
fn configure(config: &Path, ports: Ports) -> anyhow::Result<()> {
    for (file, content) in SECRETS {
        std::fs::write(config.join(file), content)?;
    }
    let append = |file: &str, more: &str| -> anyhow::Result<()> {
        let file = config.join(file);
        Ok(std::fs::write(&file, std::fs::read_to_string(&file)? + more)?)
    };
    let tcp = |port: u16| format!("kind = \"modbus_tcp\"\nendpoint = \"127.0.0.1:{port}\"");
    let node = format!(
        "[[line]]\nid = \"nodes\"\nkind = \"modbus_rtu_over_tcp\"\nendpoint = \"127.0.0.1:{}\"\ntimeout = \"300ms\"\n\n\
         [[device]]\nid = \"cold-1\"\nline = \"nodes\"\nunit = 1\nserial = \"a001\"\n\
         profile = \"linli/node-fridge\"\npoll = \"500ms\"\n\n",
        ports.nodes
    );
    let kiosk = format!(
        "[[line]]\nid = \"kiosks\"\nkind = \"kiosk_http\"\nlisten = \"127.0.0.1:{}\"\n\n\
         [[device]]\nid = \"k1\"\nline = \"kiosks\"\nprofile = \"kiosk/terminal\"\nclass = \"kiosk\"\npoll = \"60s\"\n\
         token = \"file:kiosk.token\"\n\n",
        ports.kiosk
    );
    let block = format!(
        "[[line]]\nid = \"block\"\n{}\n\n\
         [[device]]\nid = \"block\"\nline = \"block\"\nunit = 1\nprofile = \"generic/block-125\"\npoll = \"2s\"\n\n",
        tcp(ports.block)
    );
    let counter = counter_on("l1", "d1", &tcp(ports.counter), "300ms");
    let monitor = Hl7Monitor::on(ports.monitor).device(Some("health-cabin"));
    append("devices.toml", &["\n", &monitor, &kiosk, &node, &block, &counter].concat())?;
    append(
        "gateway.toml",
        &format!(
            "\n[cabin]\nidentity_key = \"file:identity.key\"\npseudonym_key = \"file:district.key\"\n\n\
             [[worker]]\nname = \"wang\"\ntoken = \"file:worker.token\"\n\
             roles = [\"health_worker\", \"canteen\", \"auditor\"]\n\n\
             [[worker]]\nname = \"display\"\ntoken = \"file:display.token\"\nroles = [\"operator\"]\n\n\
             [nodes]\nimage_keys = [\"{}\"]\n",
            public_hex(&KEY)
        ),
    )
}
