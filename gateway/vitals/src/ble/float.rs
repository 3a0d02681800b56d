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
