//! The node of this board as far as the emulator goes: the chip's own clock, no bootloader, nothing on
//! the two-wire bus. USART, interrupts, time and the node itself are those of the field.

#![no_std]
#![no_main]

use core::cell::RefCell;
use cortex_m_rt::{entry, exception};
use eeprom24x::{Eeprom24x, SlaveAddr, Storage, addr_size::TwoBytes, page_size::B32, unique_serial::No};
use field::hardware::{Field, on_beat};
use field::pins::{In, Out, Wires};
use field::serial::on_byte;
use field::{NUMBER, kept};
use linli_board::fixed::{Fixed, NoSlot, package_version};
use linli_board::key::TRUSTED;
use linli_board::note::Ended;
use linli_board::run::{Cycles, Hardware, run};
use linli_board::stack;
use linli_board::twowire::{Shared, TwoWire};
use linli_bootloader::Salty;
use linli_node::board::NoWatchdog;
use linli_node::copies::InEeprom;
use linli_node::{Board, Firmware, Node, Parts, Retained};
use linli_wire::identity::reset;
use linli_wire::kind::KINDS;
use stm32f4xx_hal::pac::{self, interrupt};
use stm32f4xx_hal::rcc::Config;

/// The longest there is: the emulated chip counts time ten times too fast at this clock.
const GAP: u16 = 1000;

type Bus = TwoWire<Wires>;

/// The parts this node is made of.
struct This;

impl Board for This {
    type I2c = Shared<'static, Bus>;
    type Inputs = [In; 4];
    type Outputs = [Out; 2];
    type Copies = InEeprom<Storage<Shared<'static, Bus>, B32, TwoBytes, No, Cycles>>;
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
    let chip = pac::Peripherals::take().expect("taken once");
    let (mut hardware, wired) = Field::start(chip, core.SYST, Config::hsi());
    let bus: &'static RefCell<Bus> =
        cortex_m::singleton!(: RefCell<Bus> = RefCell::new(TwoWire::new(wired.wires))).expect("taken once");
    let eeprom = Eeprom24x::new_24x32(Shared(bus), SlaveAddr::default());
    let parts = Parts::<This> {
        i2c: Shared(bus),
        inputs: wired.inputs,
        outputs: wired.relays,
        copies: InEeprom::new(Storage::new(eeprom, Cycles::of(16_000_000)), 0),
        slot: NoSlot,
        boot: Fixed,
        crypto: Salty(TRUSTED),
        watchdog: NoWatchdog,
        // SAFETY: the only call.
        memory: unsafe { kept::retained() },
    };
    let kind = &KINDS[0];
    let firmware = Firmware { board: NUMBER, version: package_version(), security: 0, kind, gap: GAP };
    let node = Node::new(parts, firmware, reset::POWER_ON, hardware.now_ms());
    run(&mut hardware, node)
}

#[interrupt]
fn USART1() {
    on_byte();
}

#[exception]
fn SysTick() {
    on_beat();
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    kept::note().reset(Ended::Panic)
}
