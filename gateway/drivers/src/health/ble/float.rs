//! IEEE 11073 SFLOAT and FLOAT: a signed mantissa and a signed decimal exponent, with five words
//! that are no numbers (HL7/phd, "MDER FLOATs and SFLOATs").

use linli_domain::vital::NoReading;

/// A decoded number. The decimals are its precision: 2, 2.0 and 2.00 differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Real {
    /// The number, or why it is none.
    pub value: Result<f64, NoReading>,
    /// Decimals the device gives.
    pub decimals: u8,
}

/// Decodes an SFLOAT: 4 bits exponent, 12 bits mantissa.
#[must_use]
pub fn sfloat(word: u16) -> Real {
    let special = match word {
        0x07FF => Some(NoReading::NotANumber),
        0x07FE => Some(NoReading::PositiveInfinity),
        0x0802 => Some(NoReading::NegativeInfinity),
        0x0800 | 0x0801 => Some(NoReading::Error),
        _ => None,
    };
    let signed = word.cast_signed();
    // Arithmetic shifts keep the signs.
    Real::new(special, i32::from(signed << 4 >> 4), i32::from(signed >> 12))
}

/// Decodes a FLOAT: 8 bits exponent, 24 bits mantissa.
#[must_use]
pub fn float(word: u32) -> Real {
    let special = match word {
        0x007F_FFFF => Some(NoReading::NotANumber),
        0x007F_FFFE => Some(NoReading::PositiveInfinity),
        0x0080_0002 => Some(NoReading::NegativeInfinity),
        0x0080_0000 | 0x0080_0001 => Some(NoReading::Error),
        _ => None,
    };
    let signed = word.cast_signed();
    Real::new(special, signed << 8 >> 8, signed >> 24)
}

// === impl Real ===

impl Real {
    fn new(special: Option<NoReading>, mantissa: i32, exponent: i32) -> Self {
        let decimals = u8::try_from(-exponent).unwrap_or(0);
        // Division by a power of ten gives the nearest number, multiplication by 0.1 does not.
        let value = if exponent < 0 {
            f64::from(mantissa) / 10_f64.powi(-exponent)
        } else {
            f64::from(mantissa) * 10_f64.powi(exponent)
        };
        Self { value: special.map_or(Ok(value), Err), decimals }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_numbers() {
        let short = [
            (0x0002, 2.0, 0),
            (0xF014, 2.0, 1),
            (0xE0C8, 2.0, 2),
            (0x1002, 20.0, 0),
            (0x2002, 200.0, 0),
            (0x04D2, 1234.0, 0),
            (0x0B2E, -1234.0, 0),
            (0xF16C, 36.4, 1),
            (0xE16C, 3.64, 2),
            (0x016C, 364.0, 0),
            (0x116C, 3640.0, 0),
            (0xFE94, -36.4, 1),
            (0xC038, 0.0056, 4),
        ];
        for (word, value, decimals) in short {
            assert_eq!(sfloat(word), Real { value: Ok(value), decimals }, "{word:04X}");
        }
        let long =
            [(0xFF00_016C, 36.4, 1), (0xFE00_0EB0, 37.6, 2), (0xFF00_0172, 37.0, 1), (0xFFFF_FE94, -36.4, 1)];
        for (word, value, decimals) in long {
            assert_eq!(float(word), Real { value: Ok(value), decimals }, "{word:08X}");
        }
    }

    #[test]
    fn words_that_are_no_numbers() {
        use NoReading::{Error, NegativeInfinity, NotANumber, PositiveInfinity};
        for (word, why) in [
            (0x07FF, NotANumber),
            (0x07FE, PositiveInfinity),
            (0x0802, NegativeInfinity),
            (0x0800, Error),
            (0x0801, Error),
        ] {
            assert_eq!(sfloat(word).value, Err(why), "{word:04X}");
        }
        for (word, why) in [
            (0x007F_FFFF, NotANumber),
            (0x007F_FFFE, PositiveInfinity),
            (0x0080_0002, NegativeInfinity),
            (0x0080_0000, Error),
            (0x0080_0001, Error),
        ] {
            assert_eq!(float(word).value, Err(why), "{word:08X}");
        }
    }
}
