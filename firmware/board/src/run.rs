//! The loop: a frame, a round of the node, rest until the next interrupt.

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use embedded_hal::delay::DelayNs;
use embedded_storage::nor_flash::ReadNorFlash;
use linli_node::node::{Line, Node};
use linli_node::server::Answer;
use linli_node::{Board, Firmware};
use linli_wire::config::Config;
use linli_wire::health::Counter;
use linli_wire::image::{HEADER, Header};
use linli_wire::kind::{ANY, KINDS, Kind};

use crate::frames::LONGEST;
use crate::stack;

/// What the loop needs of a board.
pub trait Hardware {
    /// Milliseconds since start; starts over after 49 days.
    fn now_ms(&mut self) -> u32;
    /// Drives the line like this from now on.
    fn set_line(&mut self, line: &Line);
    /// A whole frame, if one came.
    fn take(&mut self, request: &mut [u8; LONGEST]) -> Option<usize>;
    /// Whether bytes were lost since it was asked last.
    fn has_lost(&mut self) -> bool;
    /// Waits, then sends; returns when the line is free again.
    fn send(&mut self, bytes: &[u8], wait_us: u32);
    /// Until the next interrupt.
    fn rest(&mut self);
    /// Somebody set the time over the line: for a board with a clock that outlives the power.
    fn keep_time(&mut self, _unix_s: u32) {}
    /// The node asked for it.
    fn restart(&mut self) -> !;
}

/// How often the stack is looked at: walking over it takes a while.
const LOOK_MS: u32 = 1000;

/// Starts the system timer; its exception comes every millisecond. `clock_hz` is the processor's clock.
pub fn start_milliseconds(timer: &mut SYST, clock_hz: u32) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(clock_hz / 1000 - 1);
    timer.clear_current();
    timer.enable_counter();
    timer.enable_interrupt();
}

/// Runs a node for ever.
pub fn run<B: Board>(hardware: &mut impl Hardware, mut node: Node<B>) -> ! {
    let (mut request, mut answer) = ([0; LONGEST], Answer::new());
    let mut line = node.line();
    hardware.set_line(&line);
    let mut looked_at = 0;
    loop {
        let now = hardware.now_ms();
        if let Some(length) = hardware.take(&mut request) {
            let wait = line.turnaround_us;
            if node.frame(now, &request[..length], &mut answer) > 0 {
                hardware.send(&answer, wait);
            }
        }
        if hardware.has_lost() {
            node.overrun();
        }
        if now.wrapping_sub(looked_at) >= LOOK_MS {
            looked_at = now;
            node.set_counter(Counter::StackUnused, stack::never_used());
        }
        if node.tick(hardware.now_ms()).restart {
            hardware.restart();
        }
        if let Some(time) = node.take_time() {
            hardware.keep_time(time);
        }
        let next = node.line();
        if next != line {
            line = next;
            hardware.set_line(&line);
        }
        hardware.rest();
    }
}

/// The header of the image that runs.
///
/// # Panics
/// If there is none; the bootloader has seen it before.
pub fn header<F: ReadNorFlash>(active: &mut F) -> Header {
    let mut bytes = [0; HEADER];
    assert!(active.read(0, &mut bytes).is_ok(), "flash can be read");
    Header::decode(&bytes).expect("the bootloader has verified it")
}

/// Waits by counting cycles.
#[derive(Debug)]
pub struct Cycles {
    ns_per_16: u32,
}

impl Cycles {
    /// Of a processor with this clock.
    #[must_use]
    pub const fn of(hz: u32) -> Self {
        Self { ns_per_16: (16_000_000_000_u64 / hz as u64) as u32 }
    }
}

impl DelayNs for Cycles {
    fn delay_ns(&mut self, ns: u32) {
        cortex_m::asm::delay(((u64::from(ns) * 16) / u64::from(self.ns_per_16)) as u32 + 1);
    }
}

/// What the header of the image that runs says about it. A new node is the first kind that the image
/// can be. `gap` is the silence between frames in 100 µs, 0 for the standard's.
#[must_use]
pub fn firmware(header: &Header, gap: u16) -> Firmware {
    let kind = KINDS.iter().find(|kind| header.kinds != ANY && header.is_for_kind(kind.id));
    let kind: &'static Kind = kind.unwrap_or(&KINDS[0]);
    Firmware { board: header.board, version: header.firmware, security: header.security, kind, gap }
}

/// How the line is driven before anybody configured it.
#[must_use]
pub fn line_of(config: &Config) -> Line {
    Line {
        unit: config.unit,
        baud: config.baud,
        parity: config.parity,
        gap_us: config.gap_us(),
        turnaround_us: u32::from(config.turnaround) * 100,
    }
}
