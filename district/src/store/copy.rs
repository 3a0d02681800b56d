//! Rows of `message`, by COPY in PostgreSQL's binary format (documentation of COPY, "Binary Format").

use bytes::{BufMut, BytesMut};
use sqlx::{Postgres, Transaction};

use super::{Content, Numbered, Sample};

/// PostgreSQL counts microseconds from 2000-01-01.
const Y2000_MS: i64 = 946_684_800_000;

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
                "COPY message (at, seq, epoch, shape, value, dt, quality, text) FROM STDIN (FORMAT BINARY)",
            )
            .await?;
        copy.send(buffer.freeze()).await?;
        copy.finish().await?;
    }
    Ok(count)
}

fn row(out: &mut BytesMut, message: &Numbered, shape: i32, samples: &[Sample]) {
    let at = samples.first().map_or(0, |sample| sample.at);
    out.put_i16(8);
    field(out, &((at - Y2000_MS) * 1000).to_be_bytes());
    field(out, &message.seq.to_be_bytes());
    field(out, &message.epoch.to_be_bytes());
    field(out, &shape.to_be_bytes());
    // No value is null in the array.
    array(out, FLOAT8, samples.iter().map(|s| (!s.value.is_nan()).then_some(s.value)), |out, value| {
        field(out, &value.to_be_bytes());
    });
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
