//! A number at an address, and how it is spread over registers.

use core::marker::PhantomData;

/// A number that fills whole registers, high word first.
pub trait Value: Copy {
    /// How many registers it fills.
    const WORDS: u16;
    /// Reads it from exactly that many registers.
    fn read(words: &[u16]) -> Self;
    /// Writes it into exactly that many registers.
    fn write(self, words: &mut [u16]);
}

/// Where a number of this type lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<T> {
    /// Its first register, counted from 0 as in the frame.
    pub address: u16,
    kind: PhantomData<T>,
}

// === impl Field ===

impl<T: Value> Field<T> {
    /// A number at an address.
    #[must_use]
    pub const fn at(address: u16) -> Self {
        Self { address, kind: PhantomData }
    }

    /// The first address behind it.
    #[must_use]
    pub const fn end(self) -> u16 {
        self.address + T::WORDS
    }

    /// Its value in a run of registers that begins at `base`, if the run holds all of it.
    #[must_use]
    pub fn get(self, words: &[u16], base: u16) -> Option<T> {
        let from = usize::from(self.address.checked_sub(base)?);
        words.get(from..from + usize::from(T::WORDS)).map(T::read)
    }

    /// Sets its value in a run of registers that begins at `base`; what lies outside is left out.
    pub fn put(self, words: &mut [u16], base: u16, value: T) {
        let Some(from) = self.address.checked_sub(base) else { return };
        let from = usize::from(from);
        if let Some(place) = words.get_mut(from..from + usize::from(T::WORDS)) {
            value.write(place);
        }
    }
}

// === impl Value ===

impl Value for u16 {
    const WORDS: u16 = 1;

    fn read(words: &[u16]) -> Self {
        words[0]
    }

    fn write(self, words: &mut [u16]) {
        words[0] = self;
    }
}

impl Value for u32 {
    const WORDS: u16 = 2;

    fn read(words: &[u16]) -> Self {
        Self::from(words[0]) << 16 | Self::from(words[1])
    }

    fn write(self, words: &mut [u16]) {
        words[0] = (self >> 16) as u16;
        words[1] = self as u16;
    }
}

impl Value for u64 {
    const WORDS: u16 = 4;

    fn read(words: &[u16]) -> Self {
        Self::from(u32::read(&words[..2])) << 32 | Self::from(u32::read(&words[2..]))
    }

    fn write(self, words: &mut [u16]) {
        ((self >> 32) as u32).write(&mut words[..2]);
        (self as u32).write(&mut words[2..]);
    }
}

impl Value for i16 {
    const WORDS: u16 = 1;

    fn read(words: &[u16]) -> Self {
        words[0].cast_signed()
    }

    fn write(self, words: &mut [u16]) {
        words[0] = self.cast_unsigned();
    }
}

impl Value for i32 {
    const WORDS: u16 = 2;

    fn read(words: &[u16]) -> Self {
        u32::read(words).cast_signed()
    }

    fn write(self, words: &mut [u16]) {
        self.cast_unsigned().write(words);
    }
}

/// Copies bytes out of registers, high half first; returns how many there were room for.
pub fn to_bytes(words: &[u16], bytes: &mut [u8]) -> usize {
    let mut count = 0;
    for (place, byte) in bytes.iter_mut().zip(words.iter().flat_map(|word| word.to_be_bytes())) {
        *place = byte;
        count += 1;
    }
    count
}

/// Copies bytes into registers, high half first; an odd end is filled with zero.
pub fn from_bytes(bytes: &[u8], words: &mut [u16]) {
    for (word, pair) in words.iter_mut().zip(bytes.chunks(2)) {
        *word = u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_outside_the_run_is_none_and_never_half() {
        let field = Field::<u32>::at(10);
        assert_eq!(field.get(&[1, 2], 10), Some(0x0001_0002));
        assert_eq!(field.get(&[1], 10), None);
        assert_eq!(field.get(&[1, 2], 11), None);
        let mut words = [7; 1];
        field.put(&mut words, 10, 0);
        field.put(&mut words, 11, 0);
        assert_eq!(words, [7]);
    }

    #[test]
    fn every_width_comes_back() {
        let mut words = [0; 4];
        0x0102_0304_0506_0708_u64.write(&mut words);
        assert_eq!(words, [0x0102, 0x0304, 0x0506, 0x0708]);
        assert_eq!(u64::read(&words), 0x0102_0304_0506_0708);
        (-2_i32).write(&mut words[..2]);
        assert_eq!((words[0], words[1], i32::read(&words[..2])), (0xFFFF, 0xFFFE, -2));
        (-3_i16).write(&mut words[..1]);
        assert_eq!(i16::read(&words[..1]), -3);
    }

    #[test]
    fn bytes_fill_the_high_half_first() {
        let mut words = [0; 2];
        from_bytes(b"abc", &mut words);
        assert_eq!(words, [0x6162, 0x6300]);
        let mut bytes = [0; 3];
        assert_eq!(to_bytes(&words, &mut bytes), 3);
        assert_eq!(&bytes, b"abc");
    }
}
