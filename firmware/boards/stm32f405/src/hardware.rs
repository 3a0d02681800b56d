//! The board as the loop sees it.

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{NVIC, SYST};
use linli_board::frames::LONGEST;
use linli_board::note::Ended;
use linli_board::run::Hardware;
use linli_node::node::Line;
use linli_wire::identity::reset;
use stm32f4xx_hal::gpio::{GpioExt, Speed};
use stm32f4xx_hal::pac::{self, Interrupt};
use stm32f4xx_hal::prelude::*;
use stm32f4xx_hal::rcc::Config;

use crate::kept::note;
use crate::pins::{In, Out, Wires};
use crate::serial::{self, BEAT_MICROS, FRAMES, LOST};

/// Beats in a millisecond.
const BEATS: u32 = 1000 / BEAT_MICROS;
/// Half a clock of the two-wire bus at 100 kHz.
const HALF_HZ: u32 = 200_000;

static BEAT: AtomicU32 = AtomicU32::new(0);

/// The board, started.
pub struct Field {
    driver: Out,
    bus_hz: u32,
    core_hz: u32,
    last: u32,
    beats: u64,
}

/// What is wired to it.
pub struct Wired {
    /// The two-wire bus.
    pub wires: Wires,
    /// Digital inputs.
    pub inputs: [In; 4],
    /// Relays.
    pub relays: [Out; 2],
}

/// Why the last run ended, by the chip itself; asking forgets it.
#[must_use]
pub fn reset_cause() -> u16 {
    // SAFETY: called before anything else uses the clocks.
    let clocks = unsafe { pac::RCC::steal() };
    let told = clocks.csr().read();
    clocks.csr().modify(|_, w| w.rmvf().set_bit());
    let bits = [
        (told.porrstf().bit(), reset::POWER_ON),
        // A brown-out also says so at every power-on.
        (told.borrstf().bit() && !told.porrstf().bit(), reset::BROWN_OUT),
        (told.wdgrstf().bit() || told.wwdgrstf().bit(), reset::WATCHDOG),
        (told.sftrstf().bit(), reset::SOFTWARE),
    ];
    let cause = bits.iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, bit)| all | bit);
    // The pin is pulled by every reset; it says something only when it is alone.
    if cause == 0 { reset::PIN } else { cause }
}

// === impl Field ===

impl Field {
    /// Starts clocks, pins and interrupts.
    #[must_use]
    pub fn start(chip: pac::Peripherals, mut beat: SYST, clocks: Config) -> (Self, Wired) {
        let mut rcc = chip.RCC.freeze(clocks);
        let (bus_hz, core_hz) = (rcc.clocks.pclk2().raw(), rcc.clocks.sysclk().raw());
        let a = chip.GPIOA.split(&mut rcc);
        let b = chip.GPIOB.split(&mut rcc);
        let c = chip.GPIOC.split(&mut rcc);
        // The USART itself is driven by its registers; the pins stay as they are set here.
        let _ = a.pa9.into_alternate::<7>().speed(Speed::Medium);
        let _ = a.pa10.into_alternate::<7>().internal_pull_up(true);
        <pac::USART1 as stm32f4xx_hal::rcc::Enable>::enable(&mut rcc);
        let driver = a.pa8.into_push_pull_output().erase();
        let wired = Wired {
            wires: Wires {
                clock: b.pb8.into_open_drain_output().erase(),
                data: b.pb9.into_open_drain_output().erase(),
                half: core_hz / HALF_HZ,
            },
            inputs: [
                c.pc0.into_pull_up_input().erase(),
                c.pc1.into_pull_up_input().erase(),
                c.pc2.into_pull_up_input().erase(),
                c.pc3.into_pull_up_input().erase(),
            ],
            relays: [c.pc6.into_push_pull_output().erase(), c.pc7.into_push_pull_output().erase()],
        };
        beat.set_clock_source(SystClkSource::Core);
        beat.set_reload(core_hz / (1_000_000 / BEAT_MICROS) - 1);
        beat.clear_current();
        beat.enable_counter();
        beat.enable_interrupt();
        // SAFETY: what the handler uses is static and shared by atomics or critical sections.
        unsafe { NVIC::unmask(Interrupt::USART1) };
        (Self { driver, bus_hz, core_hz, last: 0, beats: 0 }, wired)
    }

    /// The clock of a board with its crystal.
    #[must_use]
    pub fn crystal() -> Config {
        Config::hse(8.MHz()).sysclk(168.MHz())
    }
}

/// A beat passed; for the programs' exception handler.
pub fn on_beat() {
    BEAT.fetch_add(1, Ordering::Relaxed);
    serial::on_beat();
}

impl Hardware for Field {
    fn now_ms(&mut self) -> u32 {
        let beat = BEAT.load(Ordering::Relaxed);
        self.beats += u64::from(beat.wrapping_sub(self.last));
        self.last = beat;
        (self.beats / u64::from(BEATS)) as u32
    }

    fn set_line(&mut self, line: &Line) {
        serial::start(line, self.bus_hz);
    }

    fn take(&mut self, request: &mut [u8; LONGEST]) -> Option<usize> {
        FRAMES.take(request)
    }

    fn has_lost(&mut self) -> bool {
        LOST.swap(0, Ordering::Relaxed) + FRAMES.take_dropped() > 0
    }

    fn send(&mut self, bytes: &[u8], wait_us: u32) {
        cortex_m::asm::delay(self.core_hz / 1_000_000 * wait_us);
        self.driver.set_high();
        serial::send(bytes);
        self.driver.set_low();
    }

    fn rest(&mut self) {
        cortex_m::asm::wfi();
    }

    fn restart(&mut self) -> ! {
        note().reset(Ended::Asked)
    }
}
