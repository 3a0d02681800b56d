//! A software node: switched on, fed with bytes and microseconds, cut off, switched on again.

use linli_wire::identity::reset;
use linli_wire::kind::Kind;
use linli_wire::version::Version;

use super::{Disk, Eeprom, Flash, Keys, World};
use crate::board::{Board, Parts};
use crate::copies::InEeprom;
use crate::framer::Framer;
use crate::node::Node;
use crate::retained::Retained;
use crate::server::Answer;

/// The board that is made of memory.
#[derive(Debug)]
pub struct SimBoard;

impl Board for SimBoard {
    type I2c = World;
    type Inputs = World;
    type Outputs = World;
    type Copies = InEeprom<Eeprom>;
    type Slot = Flash;
    type Boot = Disk;
    type Crypto = Keys;
    type Watchdog = World;
    type Memory = Box<Retained>;
}

/// What a software node is.
#[derive(Debug, Clone)]
pub struct Options {
    /// Its kind until it is configured.
    pub kind: &'static Kind,
    /// The board it says it is.
    pub board: u16,
    /// The version of its first firmware.
    pub version: Version,
    /// The security version of its first firmware.
    pub security: u16,
    /// Its factory frame gap in 100 µs, 0 for the standard's.
    pub gap: u16,
    /// The keys it believes.
    pub keys: Keys,
}

/// A node, its world and its bootloader.
pub struct SoftwareNode {
    options: Options,
    world: World,
    disk: Disk,
    /// Absent only while it restarts.
    node: Option<Node<SimBoard>>,
    framer: Framer,
    answer: Answer,
}

// === impl SoftwareNode ===

impl SoftwareNode {
    /// Switches it on. A disk that was used before holds what it held.
    #[must_use]
    pub fn new(options: Options, world: World, disk: Disk, now_us: u64) -> Self {
        let node = start(&options, &world, &disk, Box::default(), reset::POWER_ON, now_us);
        let framer = Framer::new(node.line().gap_us);
        Self { options, world, disk, node: Some(node), framer, answer: Answer::new() }
    }

    /// Bytes came from the line.
    pub fn bytes(&mut self, now_us: u64, bytes: &[u8]) {
        for byte in bytes {
            self.framer.byte(now_us as u32, *byte);
        }
    }

    /// One round. Call it every millisecond or so; returns what goes out to the line.
    pub fn poll(&mut self, now_us: u64) -> Option<&[u8]> {
        let now_ms = (now_us / 1000) as u32;
        let node = self.node.as_mut()?;
        let count = match self.framer.poll(now_us as u32) {
            Some(frame) => node.frame(now_ms, frame, &mut self.answer),
            None => 0,
        };
        for _ in 0..self.framer.take_lost() {
            node.overrun();
        }
        let tick = node.tick(now_ms);
        self.framer.set_gap(node.line().gap_us);
        if tick.restart {
            self.restart(now_us, reset::SOFTWARE);
        }
        (count > 0).then_some(&self.answer[..count])
    }

    /// Serves one frame at once, without a line.
    pub fn ask(&mut self, now_us: u64, request: &[u8]) -> Option<&[u8]> {
        let count = self.node.as_mut()?.frame((now_us / 1000) as u32, request, &mut self.answer);
        (count > 0).then_some(&self.answer[..count])
    }

    /// Restarts with its memory intact, as after a watchdog reset.
    pub fn restart(&mut self, now_us: u64, cause: u16) {
        let memory = self.node.take().map_or_else(Box::default, Node::into_memory);
        self.start(memory, cause, now_us);
    }

    /// Power is cut and returns: only the disk remains.
    pub fn power_cycle(&mut self, now_us: u64) {
        self.disk.power.restore();
        self.start(Box::default(), reset::POWER_ON, now_us);
    }

    /// The node itself.
    pub fn node(&self) -> &Node<SimBoard> {
        self.node.as_ref().expect("a restart puts a new one in its place before it returns")
    }

    /// Its surroundings.
    pub const fn world(&self) -> &World {
        &self.world
    }

    /// What survives a power cut.
    pub const fn disk(&self) -> &Disk {
        &self.disk
    }

    fn start(&mut self, memory: Box<Retained>, cause: u16, now_us: u64) {
        self.world.drop_relays();
        let node = start(&self.options, &self.world, &self.disk, memory, cause, now_us);
        self.framer = Framer::new(node.line().gap_us);
        self.node = Some(node);
    }
}

fn start(
    options: &Options,
    world: &World,
    disk: &Disk,
    memory: Box<Retained>,
    cause: u16,
    now_us: u64,
) -> Node<SimBoard> {
    let firmware = disk.boot_up(options, &options.keys);
    let parts = Parts {
        i2c: world.clone(),
        inputs: world.clone(),
        outputs: world.clone(),
        copies: InEeprom::new(disk.eeprom.clone(), 0),
        slot: disk.slot.clone(),
        boot: disk.clone(),
        crypto: options.keys.clone(),
        watchdog: world.clone(),
        memory,
    };
    Node::new(parts, firmware, cause, (now_us / 1000) as u32)
}
