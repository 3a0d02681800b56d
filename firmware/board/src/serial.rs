//! A serial line by a UART and a timer that measures the silence after a byte: what happens in their
//! interrupts and what the loop does with them. A board brings the registers of both.

use core::sync::atomic::{AtomicU32, Ordering};

use linli_node::node::Line;

use crate::frames::{Frames, LONGEST};

/// Microseconds of silence that end a frame until the line is set: the standard's above 19200 baud.
const STANDARD_GAP_MICROS: u32 = 1750;

/// A UART with an interrupt for received bytes.
pub trait Uart: Copy {
    /// Enables sending and receiving, and the interrupt for received bytes.
    fn start(self, baud: u32);
    /// Sends all bytes; returns when the last one is given to the UART.
    fn send(self, bytes: &[u8]);
    /// Clears the interrupt and passes every received byte to `push`. Returns whether the UART lost a
    /// byte because the interrupt came too late.
    fn receive(self, push: impl FnMut(u8)) -> bool;
}

/// A timer that fires once, unless it is restarted before.
pub trait OneShot: Copy {
    /// Starts it, or starts it anew.
    fn restart(self, micros: u32);
    /// Clears its interrupt.
    fn clear(self);
}

/// A line, shared between the interrupts and the loop.
pub struct SerialLine<U, T> {
    uart: U,
    gap: T,
    /// The processor's clock, to wait by counting cycles.
    clock_hz: u32,
    frames: Frames,
    lost: AtomicU32,
    gap_micros: AtomicU32,
}

// === impl SerialLine ===

impl<U: Uart, T: OneShot> SerialLine<U, T> {
    /// A line by this UART, whose frames this timer ends.
    #[must_use]
    pub const fn new(uart: U, gap: T, clock_hz: u32) -> Self {
        let (lost, gap_micros) = (AtomicU32::new(0), AtomicU32::new(STANDARD_GAP_MICROS));
        Self { uart, gap, clock_hz, frames: Frames::new(), lost, gap_micros }
    }

    /// The interrupt of the UART.
    pub fn on_byte(&self) {
        if self.uart.receive(|byte| self.frames.push(byte)) {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
        self.gap.restart(self.gap_micros.load(Ordering::Relaxed));
    }

    /// The interrupt of the timer.
    pub fn on_silence(&self) {
        self.gap.clear();
        self.frames.end();
    }

    /// Sets the speed and the silence that ends a frame.
    pub fn set(&self, line: &Line) {
        self.gap_micros.store(line.gap_us, Ordering::Relaxed);
        self.uart.start(line.baud.rate());
    }

    /// Takes a whole frame, if there is one. Returns its length.
    pub fn take(&self, request: &mut [u8; LONGEST]) -> Option<usize> {
        self.frames.take(request)
    }

    /// Whether bytes or frames were lost since the last call.
    pub fn has_lost(&self) -> bool {
        self.lost.swap(0, Ordering::Relaxed) + self.frames.take_dropped() > 0
    }

    /// Waits, then sends.
    pub fn send(&self, bytes: &[u8], wait_us: u32) {
        cortex_m::asm::delay(self.clock_hz / 1_000_000 * wait_us);
        self.uart.send(bytes);
    }
}
