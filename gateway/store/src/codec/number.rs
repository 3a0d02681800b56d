//! The shortest exact form of a float.

use super::bytes::{Malformed, Reader, length, put_signed, zigzag};

/// Sensors report up to six decimals; more means the number is binary, not decimal.
const POWERS: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];

/// Largest mantissa for which the division gives the nearest float, i.e. exactly the value again.
const LARGEST_MANTISSA: f64 = 9_007_199_254_740_992.0;

/// A float in one of its forms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Form {
    /// `mantissa / 10^exponent`.
    Decimal { mantissa: i64, exponent: u8 },
    /// Loses nothing as `f32`.
    Single(f32),
    /// Needs all bits.
    Double(f64),
}

// === impl Form ===

impl Form {
    /// The shortest form of `value`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::float_cmp,
        reason = "each cast is checked by converting back"
    )]
    pub(super) fn of(value: f64) -> Self {
        for (exponent, power) in (0u8..).zip(POWERS) {
            let mantissa = (value * power).round();
            if mantissa.abs() < LARGEST_MANTISSA && mantissa / power == value {
                let mantissa = mantissa as i64;
                let single = f64::from(value as f32) == value;
                if length(zigzag(mantissa)) + 1 > if single { 4 } else { 8 } {
                    break;
                }
                return Self::Decimal { mantissa, exponent };
            }
        }
        let single = value as f32;
        if f64::from(single) == value { Self::Single(single) } else { Self::Double(value) }
    }

    /// Writes the form with its own tag byte.
    pub(super) fn put(self, out: &mut Vec<u8>) {
        match self {
            Self::Decimal { mantissa, exponent } => {
                out.push(exponent);
                put_signed(out, mantissa);
            }
            Self::Single(single) => {
                out.push(0x10);
                out.extend_from_slice(&single.to_le_bytes());
            }
            Self::Double(double) => {
                out.push(0x11);
                out.extend_from_slice(&double.to_le_bytes());
            }
        }
    }

    /// Reads what [`Form::put`] wrote.
    #[expect(clippy::cast_precision_loss, reason = "mantissas are below 2^53, larger ones are refused")]
    pub(super) fn get(reader: &mut Reader<'_>) -> Result<f64, Malformed> {
        let value = match reader.byte()? {
            0x10 => f64::from(f32::from_le_bytes(reader.array()?)),
            0x11 => f64::from_le_bytes(reader.array()?),
            exponent => {
                let power = POWERS.get(usize::from(exponent)).ok_or(Malformed)?;
                reader.signed()? as f64 / power
            }
        };
        if value.is_finite() { Ok(value) } else { Err(Malformed) }
    }

    /// Passes what [`Form::put`] wrote without computing it.
    pub(super) fn step_over(reader: &mut Reader<'_>) -> Result<(), Malformed> {
        match reader.byte()? {
            0x10 => reader.take(4).map(|_| ()),
            0x11 => reader.take(8).map(|_| ()),
            exponent if usize::from(exponent) < POWERS.len() => {
                let end = reader.0.iter().take(10).position(|byte| byte & 0x80 == 0).ok_or(Malformed)?;
                reader.take(end + 1).map(|_| ())
            }
            _ => Err(Malformed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn round_trip(value: f64) -> (f64, usize) {
        let mut out = Vec::new();
        Form::of(value).put(&mut out);
        (Form::get(&mut Reader(&out)).expect("own bytes"), out.len())
    }

    #[test]
    fn what_sensors_say_is_short() {
        for (value, bytes) in
            [(0.0, 2), (4.2, 2), (-20.5, 3), (65.8, 3), (230.2, 3), (1013.25, 4), (123.456, 4)]
        {
            assert_eq!(round_trip(value), (value, bytes), "{value}");
        }
        // An f32 register read as f64 is not decimal, but fits four bytes again.
        assert_eq!(round_trip(f64::from(123.456_f32)).1, 5);
    }

    proptest! {
        #[test]
        fn every_finite_float_comes_back(value in proptest::num::f64::NORMAL | proptest::num::f64::ZERO | proptest::num::f64::SUBNORMAL) {
            prop_assert_eq!(round_trip(value).0, value);
        }

        #[test]
        fn every_scaled_register_comes_back(raw in any::<i32>(), decimals in 0..4_i32) {
            let value = f64::from(raw) / 10_f64.powi(decimals);
            let (back, bytes) = round_trip(value);
            prop_assert_eq!(back, value);
            prop_assert!(bytes <= 6);
        }
    }
}
