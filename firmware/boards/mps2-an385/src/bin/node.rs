//! The node on this board.

#![no_std]
#![no_main]

use core::cell::RefCell;
use core::fmt::Write;

use board::flash::{self, Flash};
use board::hardware::Mps2;
use board::inputs::{Expander, Relay};
use board::serial::CONSOLE;
use board::twowire::Sbcon;
use board::watchdog::Feeder;
use board::{GAP, layout};
use cortex_m_rt::{entry, exception};
use linli_board::key::TRUSTED;
use linli_board::note::Ended;
use linli_board::run::{Hardware, firmware, header, run};
use linli_board::stack;
use linli_board::twowire::{Shared, TwoWire};
use linli_bootloader::{Marks, Salty};
use linli_node::copies::InNor;
use linli_node::{Board, Node, Parts, Retained};

type Bus = TwoWire<Sbcon>;

/// The parts this node is made of.
struct This;

impl Board for This {
    type I2c = Shared<'static, Bus>;
    type Inputs = Expander<Shared<'static, Bus>>;
    type Outputs = [Relay; 2];
    type Copies = InNor<Flash>;
    type Slot = Flash;
    type Boot = Marks<Flash>;
    type Crypto = Salty;
    type Watchdog = Feeder;
    type Memory = &'static mut Retained;
}

#[entry]
fn main() -> ! {
    stack::paint();
    let core = cortex_m::Peripherals::take().expect("taken once");
    let hardware = &mut Mps2::start(core.SYST);
    let header = header(&mut flash::parts().active);
    let bus: &'static RefCell<Bus> =
        cortex_m::singleton!(: RefCell<Bus> = RefCell::new(TwoWire::new(Sbcon))).expect("taken once");
    let flash = flash::parts();
    let parts = Parts::<This> {
        i2c: Shared(bus),
        inputs: Expander::new(Shared(bus)),
        outputs: [Relay(0), Relay(1)],
        copies: InNor::new(flash::config(), 0),
        slot: flash.other,
        boot: Marks::new(flash.state, flash.counter, Some(&header), layout::ACTIVE.1),
        crypto: Salty(TRUSTED),
        watchdog: Feeder,
        // SAFETY: the only call.
        memory: unsafe { flash::retained() },
    };
    let node = Node::new(parts, firmware(&header, GAP), flash::note().told() as u16, hardware.now_ms());
    let mut flash = flash::parts();
    let mut marks = Marks::new(&mut flash.state, &mut flash.counter, Some(&header), layout::ACTIVE.1);
    // A mark that cannot be cleared is seen again at the next start.
    let _ = marks.acknowledge_revert();
    let _ = writeln!(CONSOLE.clone(), "mps2-an385 {} {}", header.firmware, node.kind().name);
    run(hardware, node)
}

/// Wakes the loop.
#[exception]
fn SysTick() {}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    flash::note().reset(Ended::Panic)
}
