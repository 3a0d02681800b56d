//! The interrupts this board uses, and its vector table.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use linli_board::frames::Frames;
use linli_board::vectors::{Vector, unexpected};

use crate::serial;

/// What the bus brings.
pub static FRAMES: Frames = Frames::new();
/// Bytes the UART lost because the interrupt came too late.
pub static LOST: AtomicU32 = AtomicU32::new(0);
/// Microseconds of silence that end a frame.
pub static GAP_MICROS: AtomicU32 = AtomicU32::new(1750);

/// The chip's part of the vector table.
#[unsafe(link_section = ".vector_table.interrupts")]
#[unsafe(no_mangle)]
pub static __INTERRUPTS: [Vector; 44] = {
    let mut table = unexpected();
    table[Used::Byte as usize] = on_byte;
    table[Used::Silence as usize] = on_silence;
    table
};

#[derive(Clone, Copy)]
enum Used {
    Byte = 5,
    Silence = 19,
}

// SAFETY: the numbers of the chip's interrupts, by its data sheet.
unsafe impl InterruptNumber for Used {
    fn number(self) -> u16 {
        self as u16
    }
}

/// From here on the bus is heard.
pub fn enable() {
    // SAFETY: everything the handlers use is static and shared by atomics or critical sections.
    unsafe {
        NVIC::unmask(Used::Byte);
        NVIC::unmask(Used::Silence);
    }
}

unsafe extern "C" fn on_byte() {
    if serial::BUS.interrupt(&FRAMES, serial::GAP, GAP_MICROS.load(Ordering::Relaxed)) {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
}

unsafe extern "C" fn on_silence() {
    serial::GAP.fired();
    FRAMES.end();
}
