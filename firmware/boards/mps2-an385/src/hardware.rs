//! The board as the loop sees it.

use core::sync::atomic::Ordering;

use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use linli_board::frames::LONGEST;
use linli_board::note::Ended;
use linli_board::run::Hardware;
use linli_node::node::Line;

use crate::clock::Clock;
use crate::flash::note;
use crate::interrupts::{FRAMES, GAP_MICROS, LOST, enable};
use crate::serial::{BUS, CLOCK_HZ, CONSOLE};

/// The board, started.
#[derive(Debug)]
pub struct Mps2 {
    clock: Clock,
}

// === impl Mps2 ===

impl Mps2 {
    /// Starts clock and interrupts; one of them every millisecond, so that the loop goes round.
    #[must_use]
    pub fn start(mut beat: SYST) -> Self {
        beat.set_clock_source(SystClkSource::Core);
        beat.set_reload(CLOCK_HZ / 1000 - 1);
        beat.clear_current();
        beat.enable_counter();
        beat.enable_interrupt();
        CONSOLE.start(115_200);
        enable();
        Self { clock: Clock::start() }
    }
}

impl Hardware for Mps2 {
    fn now_ms(&mut self) -> u32 {
        self.clock.now_ms()
    }

    fn set_line(&mut self, line: &Line) {
        GAP_MICROS.store(line.gap_us, Ordering::Relaxed);
        BUS.start(line.baud.rate());
    }

    fn take(&mut self, request: &mut [u8; LONGEST]) -> Option<usize> {
        FRAMES.take(request)
    }

    fn has_lost(&mut self) -> bool {
        LOST.swap(0, Ordering::Relaxed) + FRAMES.take_dropped() > 0
    }

    fn send(&mut self, bytes: &[u8], wait_us: u32) {
        cortex_m::asm::delay(CLOCK_HZ / 1_000_000 * wait_us);
        BUS.send(bytes);
    }

    fn rest(&mut self) {
        cortex_m::asm::wfi();
    }

    fn restart(&mut self) -> ! {
        note().reset(Ended::Asked)
    }
}
