//! Rows of `message`, by COPY in PostgreSQL's binary format (documentation of COPY, "Binary Format").

use std::fmt::Write as _;

use bytes::{BufMut, BytesMut};
use sqlx::{Postgres, Transaction};

use super::{Content, Numbered, Sample};

/// PostgreSQL counts microseconds from 2000-01-01.
const Y2000_MS: i64 = 946_684_800_000;

/// Bytes of an array before its elements (PostgreSQL's `ArrayType`).
const ARRAY_HEAD: usize = 20;

/// Object ids of the types of elements of arrays (`pg_type.dat`).
const INT2: i32 = 21;
const INT4: i32 = 23;
const TEXT: i32 = 25;
const FLOAT8: i32 = 701;

/// Copies the samples of these messages. Returns how many there were.
pub async fn messages(tx: &mut Transaction<'_, Postgres>, fresh: &[&Numbered]) -> Result<u64, sqlx::Error> {
    let mut buffer = BytesMut::with_capacity(64 << 10);
    buffer.put_slice(b"PGCOPY\n\xff\r\n\0");
    buffer.put_u64(0);
    let (mut rows, mut count) = (0_u64, 0_u64);
    for message in fresh {
        let Content::Samples(samples) = &message.content else { continue };
        if samples.samples.is_empty() {
            continue;
        }
        row(&mut buffer, message, samples.shape, &samples.samples);
        rows += 1;
        count += samples.samples.len() as u64;
    }
    buffer.put_i16(-1);
    if rows > 0 {
        let mut copy = tx
            .copy_in_raw(
                "COPY message (at, seq, epoch, shape, value, dt, quality, text, short) FROM STDIN (FORMAT BINARY)",
            )
            .await?;
        copy.send(buffer.freeze()).await?;
        copy.finish().await?;
    }
    Ok(count)
}

fn row(out: &mut BytesMut, message: &Numbered, shape: i32, samples: &[Sample]) {
    let at = samples.first().map_or(0, |sample| sample.at);
    out.put_i16(9);
    field(out, &((at - Y2000_MS) * 1000).to_be_bytes());
    field(out, &message.seq.to_be_bytes());
    field(out, &message.epoch.to_be_bytes());
    field(out, &shape.to_be_bytes());
    let short = decimals(samples);
    match short {
        Some(_) => out.put_i32(-1),
        // No value is null in the array.
        None => array(
            out,
            FLOAT8,
            samples.iter().map(|s| (!s.value.is_nan()).then_some(s.value)),
            |out, value| {
                field(out, &value.to_be_bytes());
            },
        ),
    }
    // Offsets beyond 24 days only come from a clock that was set in between: the nearest that fits.
    let offset = |sample: &Sample| {
        let ms = (sample.at - at).clamp(i64::from(i32::MIN), i64::from(i32::MAX));
        i32::try_from(ms).unwrap_or_default()
    };
    match samples.iter().all(|sample| sample.at == at) {
        true => out.put_i32(-1),
        false => {
            array(out, INT4, samples.iter().map(|s| Some(offset(s))), |out, dt| field(out, &dt.to_be_bytes()))
        }
    }
    match samples.iter().all(|sample| sample.quality == 0) {
        true => out.put_i32(-1),
        false => {
            array(out, INT2, samples.iter().map(|s| Some(s.quality)), |out, q| field(out, &q.to_be_bytes()))
        }
    }
    match samples.iter().all(|sample| sample.text.is_none()) {
        true => out.put_i32(-1),
        false => array(out, TEXT, samples.iter().map(|s| s.text.as_deref()), |out, text| {
            field(out, text.as_bytes())
        }),
    }
    match short {
        Some(short) => field(out, short.as_bytes()),
        None => out.put_i32(-1),
    }
}

/// The numbers as decimals with commas between, each as short as it can be read back without a change; `None` where an
/// array of float8 is shorter. No number is nothing.
fn decimals(samples: &[Sample]) -> Option<String> {
    let most = ARRAY_HEAD + 8 * samples.len();
    let mut text = String::new();
    for (nth, sample) in samples.iter().enumerate() {
        if nth > 0 {
            text.push(',');
        }
        if !sample.value.is_finite() && !sample.value.is_nan() {
            return None;
        }
        if !sample.value.is_nan() {
            // The shortest that is read back as the same number; never with an exponent.
            let _ = write!(text, "{}", sample.value);
        }
        if text.len() > most {
            return None;
        }
    }
    Some(text)
}

fn length(bytes: usize) -> i32 {
    i32::try_from(bytes).unwrap_or(i32::MAX)
}

fn field(out: &mut BytesMut, bytes: &[u8]) {
    out.put_i32(length(bytes.len()));
    out.put_slice(bytes);
}

/// An array of one dimension, as `array_send` writes it.
fn array<T>(
    out: &mut BytesMut,
    element: i32,
    values: impl ExactSizeIterator<Item = Option<T>>,
    put: impl Fn(&mut BytesMut, T),
) {
    let start = out.len();
    out.put_i32(0);
    out.put_i32(1);
    let has_null = out.len();
    out.put_i32(0);
    out.put_i32(element);
    out.put_i32(length(values.len()));
    out.put_i32(1);
    for value in values {
        match value {
            Some(value) => put(out, value),
            None => {
                out[has_null + 3] = 1;
                out.put_i32(-1);
            }
        }
    }
    let bytes = length(out.len() - start - 4);
    out[start..start + 4].copy_from_slice(&bytes.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> Option<String> {
        let sample = |value: &f64| Sample { series: 1, at: 0, value: *value, quality: 0, text: None };
        decimals(&values.iter().map(sample).collect::<Vec<_>>())
    }

    #[test]
    fn numbers_are_decimals_unless_an_array_is_shorter() {
        assert_eq!(of(&[23.4, 17.0, f64::NAN, 0.5, -0.0]).as_deref(), Some("23.4,17,,0.5,-0"));
        assert_eq!(of(&[f64::NAN]).as_deref(), Some(""));
        assert_eq!(of(&[1e300]), None, "301 digits");
        assert_eq!(of(&[0.1 + 0.2; 9]), None, "an array is shorter");
        assert_eq!(of(&[f64::INFINITY]), None);
    }

    #[test]
    fn what_is_written_is_read_back_as_the_same_number() {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..20_000 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let value = f64::from_bits(random);
            if let Some(text) = of(&[value]).filter(|text| !text.is_empty()) {
                assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()), "{text}");
            }
        }
    }
}
