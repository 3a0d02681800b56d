//! What a board gives to its node.
//!
//! Pins, the sensors' bus and flash come by the traits of embedded-hal and embedded-storage; here
//! is what those have no words for.

use core::ops::DerefMut;

use embedded_hal::i2c::I2c;
use embedded_storage::nor_flash::NorFlash;
use linli_wire::identity::BootState;
use linli_wire::image::{Header, SIGNED};
use linli_wire::version::Version;

pub use crate::broken::Broken;
use crate::copies::Copies;
use crate::inputs::Inputs;
use crate::outputs::Outputs;
use crate::retained::Retained;

/// What the firmware that runs says about itself, from its build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Firmware {
    /// The board it was built for, a [`linli_wire::board::Board`].
    pub board: u16,
    /// Its version.
    pub version: Version,
    /// Its security version.
    pub security: u16,
    /// The kind it is before anyone configured it.
    pub kind: &'static linli_wire::kind::Kind,
    /// The frame gap of its factory configuration, in 100 µs; an emulated board needs a long one.
    pub gap: u16,
}

/// The types a board is made of.
pub trait Board {
    /// The sensors' bus.
    type I2c: I2c;
    /// The digital inputs.
    type Inputs: Inputs;
    /// The relays.
    type Outputs: Outputs;
    /// The memory of the configuration.
    type Copies: Copies;
    /// Where updates are received.
    type Slot: NorFlash;
    /// The bootloader's marks.
    type Boot: Boot;
    /// Hash and signature.
    type Crypto: Crypto;
    /// The watchdog.
    type Watchdog: Watchdog;
    /// Memory that a warm reset leaves alone.
    type Memory: DerefMut<Target = Retained>;
}

/// What a node is put together from.
pub struct Parts<B: Board + ?Sized> {
    /// The sensors' bus.
    pub i2c: B::I2c,
    /// The digital inputs.
    pub inputs: B::Inputs,
    /// The relays.
    pub outputs: B::Outputs,
    /// The memory of the configuration.
    pub copies: B::Copies,
    /// Where updates are received.
    pub slot: B::Slot,
    /// The bootloader's marks.
    pub boot: B::Boot,
    /// Hash and signature.
    pub crypto: B::Crypto,
    /// The watchdog.
    pub watchdog: B::Watchdog,
    /// Memory that a warm reset leaves alone.
    pub memory: B::Memory,
}

/// What the bootloader and the node tell each other.
pub trait Boot {
    /// How the firmware that runs came to run.
    fn state(&mut self) -> BootState;
    /// Orders the bootloader to take the received image at the next restart.
    fn mark_updated(&mut self) -> Result<(), Broken>;
    /// Keeps the firmware that runs.
    fn mark_booted(&mut self) -> Result<(), Broken>;
    /// The lowest security version that is taken.
    fn floor(&mut self) -> u16;
    /// Raises it for ever.
    fn raise_floor(&mut self, to: u16) -> Result<(), Broken>;
    /// CRC-32 of the header of the image that runs, 0 if there is none.
    fn image_id(&mut self) -> u32;
    /// The longest image, header block included; 0 if this board takes no updates over the line.
    fn capacity(&mut self) -> u32;
}

/// SHA-512, a piece at a time.
pub trait Hash {
    /// Nothing hashed yet.
    fn new() -> Self;
    /// One more piece.
    fn update(&mut self, bytes: &[u8]);
    /// The end.
    fn finish(self) -> [u8; 64];
}

/// The cryptography that fits the place: small on a board, fast on a host.
pub trait Crypto {
    /// SHA-512.
    type Hash: Hash;
    /// Whether the key, told by its first bytes, is one of those this node believes.
    fn knows(&self, key: u32) -> bool;
    /// Whether that key made this Ed25519 signature.
    fn verify(&self, key: u32, message: &[u8; SIGNED], signature: &[u8; 64]) -> bool;

    /// Whether a header is signed by a key that is believed.
    fn is_signed(&self, header: &Header) -> bool {
        self.knows(header.key) && self.verify(header.key, &header.signed(), &header.signature)
    }
}

/// The watchdog. It is fed only when the loop really went round.
pub trait Watchdog {
    /// Whether there is one.
    const RUNS: bool = true;
    /// Feeds it.
    fn feed(&mut self);
}

/// A board without a watchdog.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoWatchdog;

// === impl Watchdog ===

impl Watchdog for NoWatchdog {
    const RUNS: bool = false;

    fn feed(&mut self) {}
}
