//! The board as the loop sees it.

use cortex_m::peripheral::SYST;
use linli_board::frames::LONGEST;
use linli_board::note::Ended;
use linli_board::run::{Hardware, start_milliseconds};
use linli_board::serial::Uart;
use linli_node::node::Line;

use crate::clock::Clock;
use crate::flash::note;
use crate::interrupts::{LINE, enable};
use crate::serial::{CLOCK_HZ, CONSOLE};

/// The board, started.
#[derive(Debug)]
pub struct Mps2 {
    clock: Clock,
}

// === impl Mps2 ===

impl Mps2 {
    /// Starts clock and interrupts; one of them every millisecond, so that the loop goes round.
    #[must_use]
    pub fn start(mut timer: SYST) -> Self {
        start_milliseconds(&mut timer, CLOCK_HZ);
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
        LINE.set(line);
    }

    fn take(&mut self, request: &mut [u8; LONGEST]) -> Option<usize> {
        LINE.take(request)
    }

    fn has_lost(&mut self) -> bool {
        LINE.has_lost()
    }

    fn send(&mut self, bytes: &[u8], wait_us: u32) {
        LINE.send(bytes, wait_us);
    }

    fn rest(&mut self) {
        cortex_m::asm::wfi();
    }

    fn restart(&mut self) -> ! {
        note().reset(Ended::Asked)
    }
}
