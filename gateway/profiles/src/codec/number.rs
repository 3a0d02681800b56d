//! Raw bits as numbers, and exact decimal scaling.

use linli_domain::Value;

use super::Kind;

/// Most decimals a scale may have.
const DECIMALS: i32 = 9;

/// Value = raw × multiplier / divisor + offset, with a divisor that is a power of ten: 305 × 0.1
/// is then the double nearest to 30.5, and prints so.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    multiplier: f64,
    divisor: f64,
    offset: f64,
}

// === impl Scale ===

impl Default for Scale {
    fn default() -> Self {
        Self { multiplier: 1.0, divisor: 1.0, offset: 0.0 }
    }
}

#[expect(clippy::float_cmp, reason = "exact by construction")]
impl Scale {
    /// A scale as written in a profile; none if it is zero, not finite, or not decimal.
    #[must_use]
    pub fn new(scale: f64, offset: f64) -> Option<Self> {
        if !scale.is_finite() || scale == 0.0 || !offset.is_finite() {
            return None;
        }
        (0..=DECIMALS).map(|decimals| 10_f64.powi(decimals)).find_map(|divisor| {
            let multiplier = (scale * divisor).round();
            (multiplier / divisor == scale).then_some(Self { multiplier, divisor, offset })
        })
    }

    /// Whether raw integers stay integers.
    #[must_use]
    pub const fn is_identity(&self) -> bool {
        self.multiplier == 1.0 && self.divisor == 1.0 && self.offset == 0.0
    }

    #[expect(clippy::cast_precision_loss, reason = "scaled values are doubles")]
    pub(super) fn apply(&self, raw: i128) -> Value {
        if self.is_identity() {
            return u64::try_from(raw)
                .map_or_else(|_| Value::Integer(i64::try_from(raw).unwrap_or(i64::MIN)), Value::unsigned);
        }
        Value::Float(self.shift(raw as f64 * self.multiplier / self.divisor))
    }

    pub(super) fn apply_float(&self, raw: f64) -> f64 {
        if self.is_identity() { raw } else { self.shift(raw * self.multiplier / self.divisor) }
    }

    #[expect(clippy::cast_possible_truncation, reason = "bounded before")]
    pub(super) fn undo(&self, value: f64) -> Option<i128> {
        let raw = ((value - self.offset) * self.divisor / self.multiplier).round();
        (raw.is_finite() && raw.abs() < 1e20).then_some(raw as i128)
    }

    pub(super) fn undo_float(&self, value: f64) -> f64 {
        (value - self.offset) * self.divisor / self.multiplier
    }

    pub(super) const fn step(&self) -> f64 {
        (self.multiplier / self.divisor).abs()
    }

    fn shift(&self, value: f64) -> f64 {
        if self.offset == 0.0 { value } else { value + self.offset }
    }
}

/// The bits as an integer.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "the kind says how many bits count"
)]
pub(super) fn integer(kind: Kind, raw: u64) -> i128 {
    match kind {
        Kind::I16 => i128::from(raw as u16 as i16),
        Kind::I32 => i128::from(raw as u32 as i32),
        Kind::I64 => i128::from(raw as i64),
        _ => i128::from(raw),
    }
}

/// Reverse of [`integer`]; none when it does not fit.
pub(super) fn integer_bits(kind: Kind, raw: i128) -> Option<u64> {
    match kind {
        Kind::U16 => u16::try_from(raw).ok().map(u64::from),
        Kind::I16 => i16::try_from(raw).ok().map(|v| u64::from(v.cast_unsigned())),
        Kind::U32 => u32::try_from(raw).ok().map(u64::from),
        Kind::I32 => i32::try_from(raw).ok().map(|v| u64::from(v.cast_unsigned())),
        Kind::U64 => u64::try_from(raw).ok(),
        Kind::I64 => i64::try_from(raw).ok().map(i64::cast_unsigned),
        _ => None,
    }
}

/// The bits as a float; none for `NaN` and infinities. A single is given as the shortest decimal
/// that is the same single: the meter said 230.2, not 230.1999969482422.
#[expect(clippy::cast_possible_truncation, clippy::float_cmp, reason = "checked by converting back")]
pub(super) fn float(kind: Kind, raw: u64) -> Option<f64> {
    if kind == Kind::F64 {
        return Some(f64::from_bits(raw)).filter(|f| f.is_finite());
    }
    let single = f32::from_bits(raw as u32);
    if !single.is_finite() {
        return None;
    }
    let exact = f64::from(single);
    let mut power = 1.0;
    for _ in 0..=DECIMALS {
        let short = (exact * power).round() / power;
        if short as f32 == single {
            return Some(short);
        }
        power *= 10.0;
    }
    Some(exact)
}

/// Reverse of [`float`].
#[expect(clippy::cast_possible_truncation, reason = "a single holds what a single can")]
pub(super) fn float_bits(kind: Kind, value: f64) -> Option<u64> {
    match kind {
        Kind::F64 => value.is_finite().then(|| value.to_bits()),
        _ => {
            let single = value as f32;
            single.is_finite().then(|| u64::from(single.to_bits()))
        }
    }
}

/// Decimal digits, four bits each; none if one is above nine.
pub(super) fn from_bcd(raw: u64) -> Option<u64> {
    (0..16).rev().try_fold(0_u64, |value, digit| {
        let digit = raw >> (4 * digit) & 0xF;
        (digit <= 9).then(|| value * 10 + digit)
    })
}

/// Reverse of [`from_bcd`], for `words` registers.
pub(super) fn to_bcd(value: i128, words: u16) -> Option<u64> {
    let mut left = u64::try_from(value).ok()?;
    let mut raw = 0;
    for digit in 0..4 * u32::from(words) {
        raw |= (left % 10) << (4 * digit);
        left /= 10;
    }
    (left == 0).then_some(raw)
}
