//! The interrupts this board uses, and its vector table.

use linli_board::serial::SerialLine;
use linli_board::vectors::{Vector, table, unmask};

use crate::serial::{BUS, CLOCK_HZ, GAP, Gap, Uart};

/// Number of the UART's interrupt, by the chip's data sheet.
const BYTE: u16 = 5;
/// Number of the timer's interrupt, by the same.
const SILENCE: u16 = 19;

/// The bus.
pub static LINE: SerialLine<Uart, Gap> = SerialLine::new(BUS, GAP, CLOCK_HZ);

/// The chip's part of the vector table.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
pub static __INTERRUPTS: [Vector; 44] = table(&[(BYTE, on_byte), (SILENCE, on_silence)]);

/// Enables the interrupts of the bus.
pub fn enable() {
    // SAFETY: everything the handlers use is static and shared by atomics or critical sections.
    unsafe { unmask(&[BYTE, SILENCE]) }
}

unsafe extern "C" fn on_byte() {
    LINE.on_byte();
}

unsafe extern "C" fn on_silence() {
    LINE.on_silence();
}
