//! The samples of one record.

use linli_domain::{ClockQuality, Quality, Sample, Timestamp, Value};

use super::bytes::{Malformed, Reader, put_signed, put_unsigned};
use super::number::Form;

/// First byte of a body.
const VERSION: u8 = 1;

// The head byte of a sample: three bits of value tag, then flags for what follows.
const TAG: u8 = 0x07;
const POINT_FOLLOWS: u8 = 0x08;
const TIME_FOLLOWS: u8 = 0x10;
const QUALITY_FOLLOWS: u8 = 0x20;
const CLOCK_FOLLOWS: u8 = 0x40;

const NONE: u8 = 0;
const FALSE: u8 = 1;
const TRUE: u8 = 2;
const INTEGER: u8 = 3;
const UNSIGNED: u8 = 4;
const FLOAT: u8 = 5;
const TEXT: u8 = 6;

/// Packs samples. Point order and times are kept exactly.
pub fn pack(samples: &[Sample]) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + samples.len() * 4);
    out.push(VERSION);
    let first = samples.first();
    let mut at = first.map(|s| s.at).unwrap_or_default();
    let mut clock = first.map(|s| s.clock).unwrap_or_default();
    let mut point = 0_u16;
    put_signed(&mut out, at.0);
    out.push(clock as u8);
    put_unsigned(&mut out, samples.len() as u64);
    for sample in samples {
        let mut head = tag(sample.value.as_ref());
        let flag = |on: bool, bit: u8| if on { bit } else { 0 };
        head |= flag(sample.point != point, POINT_FOLLOWS);
        head |= flag(sample.at != at, TIME_FOLLOWS);
        head |= flag(!sample.quality.is_good(), QUALITY_FOLLOWS);
        head |= flag(sample.clock != clock, CLOCK_FOLLOWS);
        out.push(head);
        if sample.point != point {
            put_unsigned(&mut out, u64::from(sample.point));
        }
        if sample.at != at {
            put_signed(&mut out, sample.at.0.wrapping_sub(at.0));
        }
        if !sample.quality.is_good() {
            out.push(sample.quality.code());
        }
        if sample.clock != clock {
            out.push(sample.clock as u8);
        }
        put_value(&mut out, sample.value.as_ref());
        (point, at, clock) = (sample.point.wrapping_add(1), sample.at, sample.clock);
    }
    out
}

/// Reverse of [`pack`].
pub fn unpack(body: &[u8]) -> Result<Vec<Sample>, Malformed> {
    let mut reader = Reader(body);
    if reader.byte()? != VERSION {
        return Err(Malformed);
    }
    let mut at = Timestamp(reader.signed()?);
    let mut clock = clock_of(reader.byte()?)?;
    let count = reader.unsigned()?;
    // Each sample takes at least its head byte: a count beyond that is a lie.
    if count > reader.0.len() as u64 {
        return Err(Malformed);
    }
    let mut samples = Vec::with_capacity(usize::try_from(count).map_err(|_| Malformed)?);
    let mut point = 0_u16;
    for _ in 0..count {
        let head = reader.byte()?;
        if head & POINT_FOLLOWS != 0 {
            point = u16::try_from(reader.unsigned()?).map_err(|_| Malformed)?;
        }
        if head & TIME_FOLLOWS != 0 {
            at = Timestamp(at.0.wrapping_add(reader.signed()?));
        }
        let quality = match head & QUALITY_FOLLOWS {
            0 => Quality::Good,
            _ => Quality::from_code(reader.byte()?).ok_or(Malformed)?,
        };
        if head & CLOCK_FOLLOWS != 0 {
            clock = clock_of(reader.byte()?)?;
        }
        let value = get_value(&mut reader, head & TAG)?;
        samples.push(Sample { point, at, clock, quality, value });
        point = point.wrapping_add(1);
    }
    if reader.0.is_empty() { Ok(samples) } else { Err(Malformed) }
}

const fn tag(value: Option<&Value>) -> u8 {
    match value {
        None => NONE,
        Some(Value::Bool(false)) => FALSE,
        Some(Value::Bool(true)) => TRUE,
        Some(Value::Integer(_)) => INTEGER,
        Some(Value::Unsigned(_)) => UNSIGNED,
        Some(Value::Float(_)) => FLOAT,
        Some(Value::Text(_)) => TEXT,
    }
}

fn put_value(out: &mut Vec<u8>, value: Option<&Value>) {
    match value {
        None | Some(Value::Bool(_)) => {}
        Some(Value::Integer(integer)) => put_signed(out, *integer),
        Some(Value::Unsigned(unsigned)) => put_unsigned(out, *unsigned),
        Some(Value::Float(float)) => Form::of(*float).put(out),
        Some(Value::Text(text)) => {
            put_unsigned(out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

fn get_value(reader: &mut Reader<'_>, tag: u8) -> Result<Option<Value>, Malformed> {
    Ok(match tag {
        NONE => None,
        FALSE => Some(Value::Bool(false)),
        TRUE => Some(Value::Bool(true)),
        INTEGER => Some(Value::Integer(reader.signed()?)),
        UNSIGNED => Some(Value::Unsigned(reader.unsigned()?)),
        FLOAT => Some(Value::Float(Form::get(reader)?)),
        TEXT => {
            let length = usize::try_from(reader.unsigned()?).map_err(|_| Malformed)?;
            let text = std::str::from_utf8(reader.take(length)?).map_err(|_| Malformed)?;
            Some(Value::Text(text.into()))
        }
        _ => return Err(Malformed),
    })
}

fn clock_of(code: u8) -> Result<ClockQuality, Malformed> {
    [ClockQuality::Synchronised, ClockQuality::FreeRunning, ClockQuality::Unset]
        .into_iter()
        .find(|clock| *clock as u8 == code)
        .ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use linli_domain::Reason;
    use proptest::prelude::*;

    fn any_value() -> impl Strategy<Value = Option<Value>> {
        prop_oneof![
            Just(None),
            any::<bool>().prop_map(|b| Some(Value::Bool(b))),
            any::<i64>().prop_map(|i| Some(Value::Integer(i))),
            any::<u64>().prop_map(|u| Some(Value::unsigned(u))),
            proptest::num::f64::NORMAL.prop_map(|f| Some(Value::Float(f))),
            ".{0,20}".prop_map(|t| Some(Value::Text(t.as_str().into()))),
        ]
    }

    fn any_sample() -> impl Strategy<Value = Sample> {
        let clock = prop_oneof![
            Just(ClockQuality::Synchronised),
            Just(ClockQuality::FreeRunning),
            Just(ClockQuality::Unset)
        ];
        let quality = prop_oneof![
            Just(Quality::Good),
            Just(Quality::Bad(Reason::Silent)),
            Just(Quality::Uncertain(Reason::Stale))
        ];
        (any::<u16>(), any::<i64>(), clock, quality, any_value()).prop_map(
            |(point, at, clock, quality, value)| Sample { point, at: Timestamp(at), clock, quality, value },
        )
    }

    proptest! {
        #[test]
        fn samples_come_back_exactly(samples in proptest::collection::vec(any_sample(), 0..40)) {
            prop_assert_eq!(unpack(&pack(&samples)), Ok(samples));
        }

        #[test]
        fn no_bytes_make_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&body);
        }

        #[test]
        fn a_cut_body_is_malformed(samples in proptest::collection::vec(any_sample(), 1..10), cut in 1..20_usize) {
            let mut body = pack(&samples);
            body.truncate(body.len().saturating_sub(cut));
            prop_assert_eq!(unpack(&body), Err(Malformed));
        }
    }

    #[test]
    fn a_block_of_registers_takes_few_bytes_a_value() {
        let samples: Vec<Sample> = (0..125)
            .map(|i| Sample {
                point: i,
                at: Timestamp(1_795_428_000_123),
                clock: ClockQuality::Synchronised,
                quality: Quality::Good,
                value: Value::float(f64::from(i) / 10.0 + 20.0),
            })
            .collect();
        let body = pack(&samples);
        assert!(body.len() <= 125 * 4 + 16, "{} bytes", body.len());
    }

    #[test]
    fn frozen_bytes_of_version_1() {
        // If this fails, do not change the test: give the new form a new version byte.
        let sample = Sample {
            point: 3,
            at: Timestamp(1000),
            clock: ClockQuality::FreeRunning,
            quality: Quality::Uncertain(Reason::Stale),
            value: Value::float(4.2),
        };
        assert_eq!(pack(&[sample]), [1, 0xD0, 0x0F, 1, 1, 0x2D, 3, 10, 1, 84]);
    }
}
