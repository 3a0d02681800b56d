//! The bootloader of this board.

#![no_std]
#![no_main]

use cortex_m_rt::{entry, exception};
use field::hardware::{Field, on_beat, reset_cause};
use field::serial::on_byte;
use field::{GAP, NUMBER, flash, kept, layout};
use linli_board::boot::{Start, recover, start};
use linli_board::note::Ended;
use stm32f4xx_hal::pac::{self, interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::watchdog::IndependentWatchdog;

#[repr(align(4))]
struct Piece([u8; 1024]);

#[entry]
fn main() -> ! {
    let mut buffer = Piece([0; 1024]);
    let cause = reset_cause();
    let chip = pac::Peripherals::take().expect("taken once");
    let core = cortex_m::Peripherals::take().expect("taken once");
    let begin = Start { board: NUMBER, parts: flash::parts(), active: layout::ACTIVE.0, note: kept::note() };
    // SAFETY: nobody else has it; the node only feeds it.
    let mut watchdog = IndependentWatchdog::new(unsafe { pac::IWDG::steal() });
    // Erasing a sector of 128 KB takes two seconds, and a node waits for it.
    let parts = start(begin, &mut buffer.0, cause, |_| watchdog.start(8.secs()));
    kept::note().write(Ended::Running, 0);
    let (mut hardware, _) = Field::start(chip, core.SYST, Field::crystal());
    recover(NUMBER, parts, cause, GAP, &mut hardware)
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
