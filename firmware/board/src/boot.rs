//! The bootloader's way through a start: choose, then jump, or wait for an image.

use embedded_storage::nor_flash::NorFlash;
use linli_bootloader::{Choice, How, Marks, Parts, Recovery, Salty, choose, recovery};
use linli_node::server::Answer;
use linli_wire::config::Config;
use linli_wire::identity::reset;
use linli_wire::image::BODY;

use crate::frames::LONGEST;
use crate::key::TRUSTED;
use crate::note::{Ended, Note};
use crate::run::{Hardware, line_of};

/// What the choice needs.
pub struct Start<F> {
    /// The board's number.
    pub board: u16,
    /// The flash, part by part.
    pub parts: Parts<F>,
    /// Where the active slot lies.
    pub active: u32,
    /// The note over a reset.
    pub note: Note,
}

/// Why the last run ended, as the node will tell it, by the note alone. A chip that knows it better
/// gives its own.
#[must_use]
pub fn reset_cause(note: Note) -> u16 {
    match note.ended() {
        Ended::Power => reset::POWER_ON,
        Ended::Running => reset::WATCHDOG,
        Ended::Asked => reset::SOFTWARE,
        Ended::Panic => reset::LOCKUP,
    }
}

/// Chooses and jumps; `before` is called right before, for the watchdog. Comes back with the parts if
/// there is nothing to jump to.
pub fn start<F: NorFlash>(
    mut start: Start<F>,
    buffer: &mut [u8],
    cause: u16,
    before: impl FnOnce(How),
) -> Parts<F> {
    if let Choice::Run(_, how) = choose(&mut start.parts, start.board, &Salty(TRUSTED), buffer) {
        start.note.write(Ended::Running, u32::from(cause));
        before(how);
        // SAFETY: the image is whole, signed and for this board; its vector table follows its header.
        unsafe { jump(start.active + BODY) }
    }
    start.parts
}

/// Waits for an image over the line; `gap` is the silence between frames in 100 µs, 0 for the
/// standard's.
pub fn recover<F: NorFlash>(
    board: u16,
    parts: Parts<F>,
    cause: u16,
    gap: u16,
    hardware: &mut impl Hardware,
) -> ! {
    let capacity = parts.active.capacity() as u32;
    let marks = Marks::new(parts.state, parts.counter, None, capacity);
    let mut recovery = Recovery::new(parts.other, marks, Salty(TRUSTED), board, cause);
    hardware.set_line(&line_of(&Config { gap, ..recovery::LINE }));
    let (mut request, mut answer) = ([0; LONGEST], Answer::new());
    loop {
        if let Some(length) = hardware.take(&mut request) {
            if recovery.frame(&request[..length], &mut answer) > 0 {
                hardware.send(&answer, 0);
            }
        }
        if recovery.tick(hardware.now_ms() / 1000) {
            hardware.restart();
        }
        hardware.rest();
    }
}

/// Gives the processor to the program whose vector table lies there.
///
/// # Safety
/// A vector table lies there, and its program may run.
unsafe fn jump(vectors: u32) -> ! {
    // SAFETY: nothing of the bootloader runs any more; its interrupts are off.
    unsafe {
        cortex_m::interrupt::disable();
        let peripherals = cortex_m::Peripherals::steal();
        peripherals.SCB.vtor.write(vectors);
        cortex_m::asm::dsb();
        cortex_m::asm::isb();
        cortex_m::interrupt::enable();
        cortex_m::asm::bootload(vectors as *const u32)
    }
}
