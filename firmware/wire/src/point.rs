//! One measured value in the map: four registers, value, quality, age.

use crate::field::Value;
use crate::quality::Quality;

/// Registers of a point.
pub const WORDS: u16 = 4;

/// Where the points begin.
pub const BASE: u16 = 0x0020;

/// Points a node can have.
pub const MOST: usize = 8;

/// "No value". Never shown as a number.
pub const NO_VALUE: i32 = i32::MIN;

/// The age of what was never measured, or longer ago than fits.
pub const AGE_UNKNOWN: u16 = u16::MAX;

/// A point as it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The number in the point's unit times ten to the power of its decimals; `None` is no value.
    pub value: Option<i32>,
    /// How good it is.
    pub quality: Quality,
    /// Whole seconds since it was measured, [`AGE_UNKNOWN`] if that is not known.
    pub age_s: u16,
}

/// Where point `index` begins.
#[must_use]
pub const fn address(index: u16) -> u16 {
    BASE + WORDS * index
}

// === impl Point ===

impl Point {
    /// As it travels. A bad point never carries a number.
    #[must_use]
    pub fn encode(self) -> [u16; WORDS as usize] {
        let value = if self.quality.has_value() { self.value.unwrap_or(NO_VALUE) } else { NO_VALUE };
        let mut words = [0; WORDS as usize];
        value.write(&mut words[..2]);
        words[2] = self.quality.code();
        words[3] = self.age_s;
        words
    }

    /// Reverse of [`Point::encode`]; `None` if the quality is of a later version.
    #[must_use]
    pub fn decode(words: [u16; WORDS as usize]) -> Option<Self> {
        let quality = Quality::from_code(words[2])?;
        let value = Some(i32::read(&words[..2])).filter(|value| *value != NO_VALUE && quality.has_value());
        Some(Self { value, quality, age_s: words[3] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quality::Reason;

    #[test]
    fn a_bad_point_never_carries_a_number() {
        let point = Point { value: Some(412), quality: Quality::Bad(Reason::NoAnswer), age_s: 9 };
        assert_eq!(point.encode(), [0x8000, 0, 0x0202, 9]);
        assert_eq!(Point::decode(point.encode()), Some(Point { value: None, ..point }));
        assert_eq!(Point::decode([0, 412, 0x0202, 9]), Some(Point { value: None, ..point }));
    }

    #[test]
    fn a_good_point_comes_back() {
        let point = Point { value: Some(-1250), quality: Quality::Good, age_s: 0 };
        assert_eq!(point.encode(), [0xFFFF, 0xFB1E, 0, 0]);
        assert_eq!(Point::decode(point.encode()), Some(point));
        assert_eq!(Point::decode([0, 0, 0x0300, 0]), None);
    }
}
