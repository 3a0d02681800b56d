//! As much of ELF as is needed: what lies in flash, and how large it is. 32 bits, little-endian.

use anyhow::{Context, ensure};

/// Sizes of a program, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Code and constants.
    pub text: u64,
    /// Copied from flash to memory at start.
    pub data: u64,
    /// Memory that is zeroed or left as it is at start.
    pub bss: u64,
}

/// An ELF file.
pub struct Elf<'a> {
    bytes: &'a [u8],
}

const LOAD: u32 = 1;
const NOBITS: u32 = 8;
const WRITE: u32 = 1;
const ALLOC: u32 = 2;

// === impl Elf ===

impl<'a> Elf<'a> {
    /// Parses the headers of a file.
    pub fn read(bytes: &'a [u8]) -> anyhow::Result<Self> {
        ensure!(bytes.starts_with(b"\x7fELF\x01\x01"), "not a 32-bit little-endian ELF file");
        Ok(Self { bytes })
    }

    fn half(&self, at: usize) -> anyhow::Result<usize> {
        let bytes = self.bytes.get(at..at + 2).context("the ELF file ends early")?;
        Ok(usize::from(u16::from_le_bytes(bytes.try_into()?)))
    }

    fn word(&self, at: usize) -> anyhow::Result<u32> {
        let bytes = self.bytes.get(at..at + 4).context("the ELF file ends early")?;
        Ok(u32::from_le_bytes(bytes.try_into()?))
    }

    /// Returns the sizes of its sections.
    pub fn sizes(&self) -> anyhow::Result<Sizes> {
        let (table, size, count) = (self.word(32)? as usize, self.half(46)?, self.half(48)?);
        let mut sizes = Sizes::default();
        for section in (0..count).map(|index| table + index * size) {
            let (kind, flags) = (self.word(section + 4)?, self.word(section + 8)?);
            let bytes = u64::from(self.word(section + 20)?);
            if flags & ALLOC == 0 {
                continue;
            }
            match (kind == NOBITS, flags & WRITE != 0) {
                (true, _) => sizes.bss += bytes,
                (false, true) => sizes.data += bytes,
                (false, false) => sizes.text += bytes,
            }
        }
        Ok(sizes)
    }

    /// Returns the contents of flash from the first byte to the last, with the address of the first.
    pub fn flash(&self) -> anyhow::Result<(u32, Vec<u8>)> {
        let (table, size, count) = (self.word(28)? as usize, self.half(42)?, self.half(44)?);
        let mut pieces = Vec::new();
        for header in (0..count).map(|index| table + index * size) {
            let (kind, from, length) = (self.word(header)?, self.word(header + 4)?, self.word(header + 16)?);
            if kind == LOAD && length > 0 {
                let bytes = self.bytes.get(from as usize..(from + length) as usize);
                pieces.push((self.word(header + 12)?, bytes.context("the ELF file ends early")?));
            }
        }
        pieces.sort_by_key(|(address, _)| *address);
        let begin = pieces.first().context("nothing to load")?.0;
        let mut image = Vec::new();
        for (address, bytes) in pieces {
            image.resize((address - begin) as usize, 0xFF);
            image.extend_from_slice(bytes);
        }
        Ok((begin, image))
    }
}
