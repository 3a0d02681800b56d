//! Decoding of a device's answers, and encoding of commanded values.

use std::time::Duration;

use linli_domain::{Quality, Reason, Value};

use crate::modbus::plan::{Block, Data, Decoded, DevicePlan, Span, Table, Write};
use crate::modbus::profile::Point;

/// What a register that scales a value holds when there is no value (SunSpec: `SunSpecNotImplemented` of a `sunssf`).
const NO_FACTOR: u16 = 0x8000;

// === impl DevicePlan ===

impl DevicePlan {
    /// Decodes every point of a block. A point that cannot be decoded is bad; the others are unaffected.
    pub fn decode(&self, block: &Block, data: &Data, mut each: impl FnMut(u16, Quality, Option<Value>)) {
        for &index in &block.points {
            let point = &self.profile.points[usize::from(index)];
            let from = usize::from(point.span.start - block.span.start);
            let (quality, value) = match data {
                Data::Bits(bits) => match bits.get(from) {
                    Some(bit) => (Quality::Good, Some(Value::Bool(*bit))),
                    None => (Quality::Bad(Reason::Garbled), None),
                },
                Data::Registers(all) => match all.get(from..from + usize::from(point.span.count)) {
                    Some(words) => {
                        let at = |address: u16| {
                            let from = address.checked_sub(block.span.start)?;
                            all.get(usize::from(from)).copied()
                        };
                        point.decode(words, point.factor.map(|factor| at(factor).unwrap_or(NO_FACTOR)))
                    }
                    None => (Quality::Bad(Reason::Garbled), None),
                },
            };
            each(index, quality, value);
        }
    }

    /// Whether the value may be written; the error is a sentence for the sender.
    pub fn accepts(&self, index: u16, value: &Value) -> Result<(), String> {
        self.encode(index, value).map(|_| ())
    }

    /// The request that writes `value`.
    pub fn encode(&self, index: u16, value: &Value) -> Result<Write, String> {
        let point = self.point(index)?;
        let rule = point.write.ok_or("is read-only")?;
        let address = point.span.start;
        if point.span.table == Table::Coil {
            let Value::Bool(on) = value else { return Err("must be true or false".to_owned()) };
            return Ok(match rule.multiple {
                true => Write::Coils { address, bits: vec![*on] },
                false => Write::Coil { address, on: *on },
            });
        }
        let number = match value {
            Value::Integer(_) | Value::Unsigned(_) | Value::Float(_) => value.as_f64(),
            Value::Bool(_) | Value::Text(_) => None,
        };
        let number = number.ok_or("must be a number")?;
        if !(rule.min..=rule.max).contains(&number) {
            return Err(format!("is outside {} to {}", rule.min, rule.max));
        }
        let words = point.codec.encode(number)?;
        let step = point.codec.resolution();
        let stored = point.codec.decode(&words).1.and_then(|v| v.as_f64());
        // Half a millionth of a step: what decimal fractions lose in binary, not what is rounded.
        if step > 0.0 && stored.is_none_or(|stored| (stored - number).abs() > step * 1e-6) {
            return Err(format!("is not a multiple of {step}"));
        }
        Ok(match words.as_slice() {
            [word] if !rule.multiple => Write::Register { address, word: *word },
            _ => Write::Registers { address, words },
        })
    }

    /// The request that reads a written point back.
    #[must_use]
    pub fn read_back(&self, index: u16) -> Block {
        let span = self.profile.points[usize::from(index)].span;
        Block { span, points: vec![index] }
    }

    /// Whether the read-back equals the commanded value.
    #[must_use]
    pub fn agrees(&self, index: u16, asked: &Value, got: &Decoded) -> bool {
        if !got.quality.is_good() {
            return false;
        }
        match (asked, &got.value) {
            (Value::Bool(asked), Some(Value::Bool(got))) => asked == got,
            (asked, Some(got)) => match (asked.as_f64(), got.as_f64()) {
                (Some(asked), Some(got)) => {
                    let codec = &self.profile.points[usize::from(index)].codec;
                    // A single has 24 bits; an integer register is off by half a step at most.
                    let slack = (codec.resolution() / 2.0).max(asked.abs() * 6e-8);
                    (asked - got).abs() <= slack
                }
                _ => false,
            },
            _ => false,
        }
    }

    /// Returns the registers that identify the model, if the profile names any.
    #[must_use]
    pub fn identity(&self) -> Option<Span> {
        self.profile.identity.as_ref().map(|identity| identity.span)
    }

    /// Whether the answer to [`DevicePlan::identity`] is plausible for the model.
    pub fn identity_holds(&self, data: &Data) -> Result<(), String> {
        let (Some(identity), Data::Registers(words)) = (&self.profile.identity, data) else { return Ok(()) };
        identity.holds(words, self.profile.name(), self.serial)
    }

    /// Returns how often a commanded output must be refreshed, if the device requires it.
    #[must_use]
    pub fn refresh(&self, index: u16) -> Option<Duration> {
        self.profile.points.get(usize::from(index))?.write?.refresh
    }

    fn point(&self, index: u16) -> Result<&Point, String> {
        self.profile.points.get(usize::from(index)).ok_or_else(|| "there is no such point".to_owned())
    }
}
