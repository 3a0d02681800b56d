//! What the registers of a simulated device hold: every value says where and when it was held.
//!
//! The state of a bus has a version that rises with every request. A pair of registers holds its own address and the
//! version, the coils hold bits of both, so that a value that belongs to another register or another moment shows.

/// First pair of registers of the first block.
pub const FIRST: u16 = 100;

/// First pair of registers of the second block: an answer of the first has the same length.
pub const SECOND: u16 = 200;

/// Register of the counter.
pub const COUNTER: u16 = 300;

/// First coil: the request that reads them is as long as its answer and begins with the same bytes.
pub const COILS: u16 = 0x0300;

/// Number of coils.
pub const COIL_COUNT: u16 = 24;

/// Returns what the pair of registers at `address` of `unit` holds.
#[must_use]
pub const fn word_pair(unit: u8, address: u16, version: u16) -> u32 {
    let place = (unit as u32 & 0xF) << 28 | (address as u32 & 0xFFF) << 16;
    place | version as u32
}

/// Returns what the register at `address` of `unit` holds; registers come in pairs, the high word first.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "halves of a pair")]
pub const fn word(unit: u8, address: u16, version: u16) -> u16 {
    if address == COUNTER {
        return 0;
    }
    if address == COUNTER + 1 {
        return version;
    }
    let pair = word_pair(unit, address & !1, version);
    if address & 1 == 0 { (pair >> 16) as u16 } else { pair as u16 }
}

/// Returns what a coil holds.
#[must_use]
pub const fn coil(unit: u8, address: u16, version: u16) -> bool {
    let mixed = (unit as u32 * 0x9E37 + address as u32 * 0x85EB).wrapping_add(version as u32 * 0xC2B3);
    (mixed >> 7 ^ mixed >> 3) & 1 == 1
}
