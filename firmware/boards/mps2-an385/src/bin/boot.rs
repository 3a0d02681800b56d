//! The bootloader of this board.

#![no_std]
#![no_main]

use board::hardware::Mps2;
use board::{GAP, NUMBER, flash, layout, watchdog};
use cortex_m_rt::{entry, exception};
use linli_board::boot::{Start, recover, reset_cause, start};
use linli_board::note::Ended;

/// A trial that hangs is over after this.
const PATIENCE_S: u32 = 8;

#[repr(align(4))]
struct Page([u8; 1024]);

#[entry]
fn main() -> ! {
    let mut buffer = Page([0; 1024]);
    let cause = reset_cause(flash::note());
    let begin = Start { board: NUMBER, parts: flash::parts(), active: layout::ACTIVE.0, note: flash::note() };
    let parts = start(begin, &mut buffer.0, cause, |_| watchdog::start(PATIENCE_S));
    flash::note().write(Ended::Running, 0);
    let core = cortex_m::Peripherals::take().expect("taken once");
    recover(NUMBER, parts, cause, GAP, &mut Mps2::start(core.SYST))
}

/// Wakes the loop.
#[exception]
fn SysTick() {}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    flash::note().reset(Ended::Panic)
}
