//! The node on this board.

#![no_std]
#![no_main]

use core::cell::RefCell;

use cortex_m_rt::{entry, exception};
use eeprom24x::{Eeprom24x, SlaveAddr, Storage, addr_size::TwoBytes, page_size::B32, unique_serial::No};
use field::flash::Part;
use field::hardware::{Field, on_beat};
use field::pins::{In, Out, Wires};
use field::serial::on_byte;
use field::{GAP, flash, kept, layout};
use linli_board::key::TRUSTED;
use linli_board::note::Ended;
use linli_board::run::{Cycles, Hardware, firmware, header, run};
use linli_board::stack;
use linli_board::twowire::{Shared, TwoWire};
use linli_bootloader::{Marks, Salty};
use linli_node::copies::InEeprom;
use linli_node::{Board, Node, Parts, Retained, Watchdog};
use stm32f4xx_hal::pac::{self, interrupt};
use stm32f4xx_hal::watchdog::IndependentWatchdog;

type Bus = TwoWire<Wires>;

/// The parts this node is made of.
struct This;

impl Board for This {
    type I2c = Shared<'static, Bus>;
    type Inputs = [In; 4];
    type Outputs = [Out; 2];
    type Copies = InEeprom<Storage<Shared<'static, Bus>, B32, TwoBytes, No, Cycles>>;
    type Slot = Part;
    type Boot = Marks<Part>;
    type Crypto = Salty;
    type Watchdog = Feeder;
    type Memory = &'static mut Retained;
}

/// Feeds what the bootloader started.
struct Feeder(IndependentWatchdog);

impl Watchdog for Feeder {
    fn feed(&mut self) {
        self.0.feed();
    }
}

#[entry]
fn main() -> ! {
    stack::paint();
    let core = cortex_m::Peripherals::take().expect("taken once");
    let chip = pac::Peripherals::take().expect("taken once");
    // SAFETY: the bootloader that started it has ended.
    let watchdog = Feeder(IndependentWatchdog::new(unsafe { pac::IWDG::steal() }));
    let (mut hardware, wired) = Field::start(chip, core.SYST, Field::crystal());
    let flash = flash::parts();
    let header = header(&mut flash::parts().active);
    let bus: &'static RefCell<Bus> =
        cortex_m::singleton!(: RefCell<Bus> = RefCell::new(TwoWire::new(wired.wires))).expect("taken once");
    let eeprom = Eeprom24x::new_24x32(Shared(bus), SlaveAddr::default());
    let parts = Parts::<This> {
        i2c: Shared(bus),
        inputs: wired.inputs,
        outputs: wired.relays,
        copies: InEeprom::new(Storage::new(eeprom, Cycles::of(168_000_000)), 0),
        slot: flash.other,
        boot: Marks::new(flash.state, flash.counter, Some(&header), layout::ACTIVE.1),
        crypto: Salty(TRUSTED),
        watchdog,
        // SAFETY: the only call.
        memory: unsafe { kept::retained() },
    };
    let node = Node::new(parts, firmware(&header, GAP), kept::note().told() as u16, hardware.now_ms());
    let mut flash = flash::parts();
    let mut marks = Marks::new(&mut flash.state, &mut flash.counter, Some(&header), layout::ACTIVE.1);
    // A mark that cannot be cleared is seen again at the next start.
    let _ = marks.acknowledge_revert();
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
