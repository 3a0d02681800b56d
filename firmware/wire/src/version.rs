//! The version of a firmware, as it travels and as people write it.

use core::fmt;

/// Major, minor and patch, in that order of weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version {
    /// Not compatible with the one before.
    pub major: u8,
    /// New things.
    pub minor: u8,
    /// Mended things.
    pub patch: u16,
}

// === impl Version ===

impl Version {
    /// A version from its three numbers.
    #[must_use]
    pub const fn new(major: u8, minor: u8, patch: u16) -> Self {
        Self { major, minor, patch }
    }

    /// As it travels: `major << 24 | minor << 16 | patch`. Later versions are greater numbers.
    #[must_use]
    pub const fn code(self) -> u32 {
        (self.major as u32) << 24 | (self.minor as u32) << 16 | self.patch as u32
    }

    /// Reverse of [`Version::code`].
    #[must_use]
    pub const fn from_code(code: u32) -> Self {
        Self { major: (code >> 24) as u8, minor: (code >> 16) as u8, patch: code as u16 }
    }

    /// Reads `1.2.3`; usable in a constant, so that a build takes it from its manifest.
    #[must_use]
    pub const fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let mut numbers = [0_u32; 3];
        let (mut at, mut which, mut digits) = (0, 0, 0);
        while at < bytes.len() {
            match bytes[at] {
                b'.' if digits > 0 && which < 2 => {
                    which += 1;
                    digits = 0;
                }
                digit @ b'0'..=b'9' if digits < 5 => {
                    numbers[which] = numbers[which] * 10 + (digit - b'0') as u32;
                    digits += 1;
                }
                _ => return None,
            }
            at += 1;
        }
        if which < 2 || digits == 0 || numbers[0] > 0xFF || numbers[1] > 0xFF || numbers[2] > 0xFFFF {
            return None;
        }
        Some(Self::new(numbers[0] as u8, numbers[1] as u8, numbers[2] as u16))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_numbers_that_fit_are_a_version() {
        assert_eq!(Version::parse("1.2.3"), Some(Version::new(1, 2, 3)));
        assert_eq!(Version::parse("255.255.65535").map(Version::code), Some(u32::MAX));
        for wrong in
            ["", "1", "1.2", "1.2.", ".1.2", "1..2", "1.2.3.4", "256.0.0", "1.2.65536", "1.2.x", "1.2.3-rc"]
        {
            assert_eq!(Version::parse(wrong), None, "{wrong}");
        }
        assert_eq!(Version::from_code(Version::new(9, 8, 7).code()), Version::new(9, 8, 7));
        assert!(Version::new(1, 2, 0).code() > Version::new(1, 1, 9999).code());
    }
}
