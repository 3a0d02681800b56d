//! Whether an image may run here. The same judgement before it is taken, before it is marked, and
//! in the bootloader before it is jumped to.

use embedded_storage::nor_flash::ReadNorFlash;
use linli_wire::image::{BODY, HEADER, Header};
use linli_wire::update::Refusal;
use linli_wire::version::Version;

use super::PIECE;
use crate::board::{Crypto, Hash};

/// What an image must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The board.
    pub board: u16,
    /// The kind; `None` takes every kind.
    pub kind: Option<u16>,
    /// It must be above this version; `None` takes every version.
    pub above: Option<Version>,
    /// The lowest security version.
    pub floor: u16,
    /// The longest image.
    pub capacity: u32,
}

// === impl Rules ===

impl Rules {
    /// Judges a header, its signature included.
    pub fn judge(&self, header: &Header, crypto: &impl Crypto) -> Result<(), Refusal> {
        if header.board != self.board {
            return Err(Refusal::Board);
        }
        if self.kind.is_some_and(|kind| !header.is_for_kind(kind)) {
            return Err(Refusal::Kind);
        }
        if header.total() > self.capacity {
            return Err(Refusal::TooLarge);
        }
        if header.security < self.floor {
            return Err(Refusal::Security);
        }
        if self.above.is_some_and(|version| header.firmware <= version) {
            return Err(Refusal::OlderVersion);
        }
        if !crypto.knows(header.key) {
            return Err(Refusal::UnknownKey);
        }
        if crypto.is_signed(header) { Ok(()) } else { Err(Refusal::Signature) }
    }
}

/// Verifies the whole image that begins at `offset` of a flash.
pub fn verify<F: ReadNorFlash, C: Crypto>(
    flash: &mut F,
    offset: u32,
    crypto: &C,
    rules: &Rules,
) -> Result<Header, Refusal> {
    let mut bytes = [0; HEADER];
    flash.read(offset, &mut bytes).map_err(|_| Refusal::Flash)?;
    let header = Header::decode(&bytes).map_err(|_| Refusal::Header)?;
    rules.judge(&header, crypto)?;
    let (mut hash, mut at) = (C::Hash::new(), BODY);
    let mut piece = [0; PIECE as usize];
    while at < header.total() {
        let length = (header.total() - at).min(PIECE);
        let piece = &mut piece[..length as usize];
        flash.read(offset + at, piece).map_err(|_| Refusal::Flash)?;
        hash.update(piece);
        at += length;
    }
    if hash.finish() == header.hash { Ok(header) } else { Err(Refusal::Hash) }
}
