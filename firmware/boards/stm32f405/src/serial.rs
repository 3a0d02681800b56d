//! USART 1 with an RS-485 driver. The silence after a byte is counted by the beat of the system's
//! timer, every 100 µs, so that no other timer is needed.

use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use linli_board::frames::Frames;
use linli_node::node::Line;
use linli_wire::config::Parity;
use stm32f4xx_hal::pac::USART1;

/// Length of a beat.
pub const BEAT_MICROS: u32 = 100;

/// What the bus brings.
pub static FRAMES: Frames = Frames::new();
/// Bytes the USART lost because the interrupt came too late.
pub static LOST: AtomicU32 = AtomicU32::new(0);
static GAP_BEATS: AtomicU32 = AtomicU32::new(18);
static SILENT_BEATS: AtomicU32 = AtomicU32::new(0);
static IS_OPEN: AtomicBool = AtomicBool::new(false);

fn usart() -> USART1 {
    // SAFETY: only this module uses it, each register by the loop or by the interrupt alone; the data
    // register is two registers at one address.
    unsafe { USART1::steal() }
}

/// Sends and receives like this. `clock_hz` is the clock of the USART's bus.
pub fn start(line: &Line, clock_hz: u32) {
    GAP_BEATS.store(line.gap_us.div_ceil(BEAT_MICROS), Ordering::Relaxed);
    let (has_parity, is_odd) = match line.parity {
        Parity::None => (false, false),
        Parity::Even => (true, false),
        Parity::Odd => (true, true),
    };
    let usart = usart();
    usart.cr1().reset();
    // SAFETY: any divider is valid.
    usart.brr().write(|w| unsafe { w.bits((clock_hz / line.baud.rate()) as u16) });
    // With parity a character has nine bits, the ninth of them is the parity.
    usart.cr1().write(|w| {
        w.ue().set_bit().re().set_bit().te().set_bit().rxneie().set_bit();
        w.m().bit(has_parity).pce().bit(has_parity).ps().bit(is_odd)
    });
}

/// Sends all of it; returns when the last bit has left.
pub fn send(bytes: &[u8]) {
    let usart = usart();
    for byte in bytes {
        while usart.sr().read().txe().bit_is_clear() {}
        usart.dr().write(|w| w.dr().set(u16::from(*byte)));
    }
    while usart.sr().read().tc().bit_is_clear() {}
}

/// In the interrupt: a byte, or a broken one. A frame with a broken byte fails its checksum.
pub fn on_byte() {
    let usart = usart();
    let state = usart.sr().read();
    if state.ore().bit_is_set() {
        LOST.fetch_add(1, Ordering::Relaxed);
    }
    // Reading the data clears the errors.
    let byte = usart.dr().read().dr().bits() as u8;
    if state.rxne().bit_is_set() {
        FRAMES.push(byte);
        SILENT_BEATS.store(0, Ordering::Relaxed);
        IS_OPEN.store(true, Ordering::Relaxed);
    }
}

/// In the interrupt: a beat passed.
pub fn on_beat() {
    let silent = SILENT_BEATS.load(Ordering::Relaxed).saturating_add(1);
    SILENT_BEATS.store(silent, Ordering::Relaxed);
    // One more: the first beat may come right after the byte.
    if silent > GAP_BEATS.load(Ordering::Relaxed) && IS_OPEN.swap(false, Ordering::Relaxed) {
        FRAMES.end();
    }
}
