//! The signed image: what a node boots, and what is believed about it.
//!
//! One file, the same in transit and in a slot: a header in a block of 512 bytes, then the body,
//! which begins with the vector table (512 is an alignment that VTOR of every board takes).
//!
//! ```text
//!   0  magic "LLFW"              24  reserved, 0 (24 bytes)
//!   4  header version u16        48  SHA-512 of the body (64 bytes)
//!   6  board u16                112  Ed25519 signature over bytes 0..112 (64 bytes)
//!   8  mask of kinds u16        176  0xFF up to 512
//!  10  security version u16     512  body
//!  12  firmware version u32
//!  16  length of the body u32
//!  20  key u32: first bytes of the public key, to tell keys apart
//! ```
//!
//! Numbers are big-endian. This crate checks the shape and what the header claims; the hash and
//! the signature are verified by its users, each with the cryptography that fits its place.

use crate::crc;
use crate::version::Version;

/// First bytes of every image.
pub const MAGIC: [u8; 4] = *b"LLFW";

/// The version of the header described here.
pub const HEADER_VERSION: u16 = 1;

/// Bytes that are signed.
pub const SIGNED: usize = 112;

/// Bytes of the header with its signature.
pub const HEADER: usize = SIGNED + 64;

/// Where the body begins.
pub const BODY: u32 = 512;

/// The whole file is a multiple of this, so that every flash writes whole words.
pub const ALIGN: u32 = 8;

/// A body shorter than its vector table does not run.
pub const SHORTEST_BODY: u32 = 64;

/// What an image says about itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The board it runs on, a [`crate::board::Board`].
    pub board: u16,
    /// A bit for every kind it can be, [`crate::kind::ANY`] for all.
    pub kinds: u16,
    /// No image with a lower one is taken after this one was confirmed.
    pub security: u16,
    /// Its version.
    pub firmware: Version,
    /// Bytes of the body.
    pub length: u32,
    /// First bytes of the public key that verifies it.
    pub key: u32,
    /// SHA-512 of the body.
    pub hash: [u8; 64],
    /// Ed25519 over the first [`SIGNED`] bytes.
    pub signature: [u8; 64],
}

codes! {
    /// Why a header is not one.
    Malformed {
        Short = 1 "short" "文件太短" "the file is too short";
        Magic = 2 "magic" "不是邻里固件镜像" "not an image of linli firmware";
        HeaderVersion = 3 "header_version" "镜像头版本不认识" "unknown version of the header";
        Reserved = 4 "reserved" "保留字节不为零" "reserved bytes are not zero";
        Length = 5 "length" "长度不合理" "the length is not plausible";
    }
}

// === impl Header ===

impl Header {
    /// The bytes that are signed.
    #[must_use]
    pub fn signed(&self) -> [u8; SIGNED] {
        let mut bytes = [0; SIGNED];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4..6].copy_from_slice(&HEADER_VERSION.to_be_bytes());
        bytes[6..8].copy_from_slice(&self.board.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.kinds.to_be_bytes());
        bytes[10..12].copy_from_slice(&self.security.to_be_bytes());
        bytes[12..16].copy_from_slice(&self.firmware.code().to_be_bytes());
        bytes[16..20].copy_from_slice(&self.length.to_be_bytes());
        bytes[20..24].copy_from_slice(&self.key.to_be_bytes());
        bytes[48..112].copy_from_slice(&self.hash);
        bytes
    }

    /// The header with its signature.
    #[must_use]
    pub fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..SIGNED].copy_from_slice(&self.signed());
        bytes[SIGNED..].copy_from_slice(&self.signature);
        bytes
    }

    /// Reads the header at the beginning of an image.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let bytes: &[u8; HEADER] =
            bytes.get(..HEADER).and_then(|b| b.try_into().ok()).ok_or(Malformed::Short)?;
        let half = |at: usize| u16::from_be_bytes([bytes[at], bytes[at + 1]]);
        let word = |at: usize| u32::from(half(at)) << 16 | u32::from(half(at + 2));
        if bytes[..4] != MAGIC {
            return Err(Malformed::Magic);
        }
        if half(4) != HEADER_VERSION {
            return Err(Malformed::HeaderVersion);
        }
        if bytes[24..48].iter().any(|byte| *byte != 0) {
            return Err(Malformed::Reserved);
        }
        let (mut hash, mut signature) = ([0; 64], [0; 64]);
        hash.copy_from_slice(&bytes[48..112]);
        signature.copy_from_slice(&bytes[112..]);
        let length = word(16);
        // Four gigabytes less a block: the sum with the header must not wrap.
        if length < SHORTEST_BODY || !length.is_multiple_of(ALIGN) || length > u32::MAX - BODY - ALIGN {
            return Err(Malformed::Length);
        }
        Ok(Self {
            board: half(6),
            kinds: half(8),
            security: half(10),
            firmware: Version::from_code(word(12)),
            length,
            key: word(20),
            hash,
            signature,
        })
    }

    /// Bytes of the whole file.
    #[must_use]
    pub const fn total(&self) -> u32 {
        BODY + self.length
    }

    /// Names the image: CRC-32 of the header. Also the session of its update, so that a broken
    /// session is found again by whoever holds the same image.
    #[must_use]
    pub fn id(&self) -> u32 {
        crc::crc32(&self.encode())
    }

    /// Whether it runs as this kind.
    #[must_use]
    pub const fn is_for_kind(&self, kind: u16) -> bool {
        self.kinds == crate::kind::ANY || (kind < 16 && self.kinds & (1 << kind) != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            board: 1,
            kinds: 0b0010,
            security: 2,
            firmware: Version::new(1, 0, 0),
            length: 4096,
            key: 0xDEAD_BEEF,
            hash: [7; 64],
            signature: [9; 64],
        }
    }

    #[test]
    fn a_header_comes_back_and_every_byte_before_the_signature_is_signed() {
        assert_eq!(Header::decode(&header().encode()), Ok(header()));
        assert_eq!(header().encode()[..SIGNED], header().signed());
    }

    #[test]
    fn what_is_not_a_header_is_refused_with_its_reason() {
        let changed = |at: usize, to: u8| {
            let mut bytes = header().encode();
            bytes[at] = to;
            Header::decode(&bytes).map(|_| ())
        };
        assert_eq!(changed(0, b'X'), Err(Malformed::Magic));
        assert_eq!(changed(5, 2), Err(Malformed::HeaderVersion));
        assert_eq!(changed(30, 1), Err(Malformed::Reserved));
        assert_eq!(changed(19, 3), Err(Malformed::Length));
        assert_eq!(changed(18, 0), Err(Malformed::Length));
        assert_eq!(Header::decode(&header().encode()[1..]).map(|_| ()), Err(Malformed::Short));
        let endless = Header { length: !7, ..header() };
        assert_eq!(Header::decode(&endless.encode()).map(|_| ()), Err(Malformed::Length));
    }

    #[test]
    fn the_mask_names_kinds() {
        assert!(header().is_for_kind(1));
        assert!(!header().is_for_kind(2));
        assert!(!header().is_for_kind(40));
        assert!(Header { kinds: crate::kind::ANY, ..header() }.is_for_kind(9));
    }
}
