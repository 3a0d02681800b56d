//! The node on this board.

#![no_std]
#![no_main]

use core::cell::RefCell;
use core::fmt::Write;

use cortex_m_rt::{entry, exception};
use eeprom24x::{Eeprom24x, SlaveAddr, Storage, addr_size::TwoBytes, page_size::B32, unique_serial::No};
use linli_board::boot::reset_cause;
use linli_board::fixed::{Fixed, NoSlot, package_version};
use linli_board::note::Ended;
use linli_board::run::{Cycles, Hardware, run};
use linli_board::stack;
use linli_board::twowire::Shared;
use linli_bootloader::Salty;
use linli_node::board::NoWatchdog;
use linli_node::copies::InEeprom;
use linli_node::{Board, Firmware, Node, Parts, Retained, rtc};
use linli_wire::clock::Source;
use linli_wire::kind::KINDS;
use lm3s::hardware::{Lm3s, on_millisecond};
use lm3s::pins::{Buttons, Relay};
use lm3s::serial::{CLOCK_HZ, CONSOLE};
use lm3s::twowire::TwoWire;
use lm3s::{GAP, NUMBER, kept};

/// The parts this node is made of.
struct This;

impl Board for This {
    type I2c = Shared<'static, TwoWire>;
    type Inputs = Buttons;
    type Outputs = [Relay; 2];
    type Copies = InEeprom<Storage<Shared<'static, TwoWire>, B32, TwoBytes, No, Cycles>>;
    type Slot = NoSlot;
    type Boot = Fixed;
    type Crypto = Salty;
    type Watchdog = NoWatchdog;
    type Memory = &'static mut Retained;
}

#[entry]
fn main() -> ! {
    stack::paint();
    let core = cortex_m::Peripherals::take().expect("taken once");
    let hardware = &mut Lm3s::start(core.SYST);
    let note = kept::note();
    let cause = reset_cause(note);
    note.write(Ended::Running, 0);
    let bus: &'static RefCell<TwoWire> =
        cortex_m::singleton!(: RefCell<TwoWire> = RefCell::new(TwoWire::new())).expect("taken once");
    let eeprom = Eeprom24x::new_24x32(Shared(bus), SlaveAddr::default());
    let parts = Parts::<This> {
        i2c: Shared(bus),
        inputs: Buttons,
        outputs: [Relay(0), Relay(1)],
        copies: InEeprom::new(Storage::new(eeprom, Cycles::of(CLOCK_HZ)), 0),
        slot: NoSlot,
        boot: Fixed,
        // Nothing is received here; the node asks for somebody who would verify it.
        crypto: Salty(linli_board::key::TRUSTED),
        watchdog: NoWatchdog,
        // SAFETY: the only call.
        memory: unsafe { kept::retained() },
    };
    let firmware =
        Firmware { board: NUMBER, version: package_version(), security: 0, kind: &KINDS[0], gap: GAP };
    let mut node = Node::new(parts, firmware, cause, hardware.now_ms());
    if let Some(time) = rtc::read(&mut Shared(bus)) {
        node.set_time(time, Source::Rtc);
    }
    hardware.keeps_time_on(bus);
    let _ = writeln!(CONSOLE.clone(), "lm3s6965evb {} {}", firmware.version, node.kind().name);
    run(hardware, node)
}

#[exception]
fn SysTick() {
    on_millisecond();
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    kept::note().reset(Ended::Panic)
}
