//! Order of bytes and words in values longer than one register.

use serde::Deserialize;

/// Named by where the bytes A (most significant) to D travel. Modbus itself fixes only the two
/// bytes of one register (big-endian); vendors disagree about the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// High word first: Eastron, Chint.
    #[default]
    Abcd,
    /// Low word first: PZEM.
    Cdab,
    /// High word first, bytes swapped.
    Badc,
    /// Low word first, bytes swapped.
    Dcba,
}

// === impl Order ===

impl Order {
    /// The words as one number, first word on top for `abcd`.
    pub(crate) fn join(self, words: &[u16]) -> u64 {
        let fold = |acc: u64, word: &u16| acc << 16 | u64::from(self.word(*word));
        match self {
            Self::Abcd | Self::Badc => words.iter().fold(0, fold),
            Self::Cdab | Self::Dcba => words.iter().rev().fold(0, fold),
        }
    }

    /// Reverse of [`Order::join`].
    pub(super) fn split(self, raw: u64, words: u16) -> Vec<u16> {
        let bytes = raw.to_be_bytes();
        let tail = &bytes[8 - 2 * usize::from(words.min(4))..];
        let mut split: Vec<u16> =
            tail.chunks_exact(2).map(|pair| self.word(u16::from_be_bytes([pair[0], pair[1]]))).collect();
        if matches!(self, Self::Cdab | Self::Dcba) {
            split.reverse();
        }
        split
    }

    /// The bytes of one register in the order of their weight.
    pub(super) const fn word(self, word: u16) -> u16 {
        match self {
            Self::Badc | Self::Dcba => word.swap_bytes(),
            _ => word,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_orders() {
        for (order, words) in [
            (Order::Abcd, [0x0A0B, 0x0C0D]),
            (Order::Cdab, [0x0C0D, 0x0A0B]),
            (Order::Badc, [0x0B0A, 0x0D0C]),
            (Order::Dcba, [0x0D0C, 0x0B0A]),
        ] {
            assert_eq!(order.join(&words), 0x0A0B_0C0D, "{order:?}");
            assert_eq!(order.split(0x0A0B_0C0D, 2), words, "{order:?}");
        }
    }
}
