//! The roll-ups of one device and minute.

use linli_domain::rollup::Rollup;

use super::bytes::{Malformed, Reader, put_unsigned};
use super::number::Form;

const VERSION: u8 = 1;

/// A device has at most as many points as a sample can number.
const MOST_POINTS: usize = 1 << 16;

/// Packs the roll-ups of a device, one slot per point.
pub fn pack_rollups(points: &[Option<Rollup>]) -> Vec<u8> {
    let mut out = vec![VERSION];
    put_unsigned(&mut out, points.len() as u64);
    for slot in points {
        let Some(rollup) = slot else {
            out.push(0);
            continue;
        };
        put_unsigned(&mut out, u64::from(rollup.count.max(1)));
        for number in [rollup.min, rollup.max, rollup.sum, rollup.last] {
            Form::of(number).put(&mut out);
        }
    }
    out
}

/// Reverse of [`pack_rollups`].
pub fn unpack_rollups(body: &[u8]) -> Result<Vec<Option<Rollup>>, Malformed> {
    let mut reader = Reader(body);
    if reader.byte()? != VERSION {
        return Err(Malformed);
    }
    let points = usize::try_from(reader.unsigned()?).map_err(|_| Malformed)?;
    if points > reader.0.len().min(MOST_POINTS) {
        return Err(Malformed);
    }
    let mut slots = Vec::with_capacity(points);
    for _ in 0..points {
        let count = u32::try_from(reader.unsigned()?).map_err(|_| Malformed)?;
        if count == 0 {
            slots.push(None);
            continue;
        }
        let [min, max, sum, last] = [
            Form::get(&mut reader)?,
            Form::get(&mut reader)?,
            Form::get(&mut reader)?,
            Form::get(&mut reader)?,
        ];
        slots.push(Some(Rollup { min, max, sum, count, last }));
    }
    if reader.0.is_empty() { Ok(slots) } else { Err(Malformed) }
}

/// One slot of [`pack_rollups`]; what follows it is not looked at.
pub fn unpack_rollup(body: &[u8], slot: usize) -> Result<Option<Rollup>, Malformed> {
    let mut reader = Reader(body);
    if reader.byte()? != VERSION {
        return Err(Malformed);
    }
    let points = usize::try_from(reader.unsigned()?).map_err(|_| Malformed)?;
    for index in 0..points.min(slot.saturating_add(1)) {
        let count = u32::try_from(reader.unsigned()?).map_err(|_| Malformed)?;
        if count == 0 {
            continue;
        }
        let [min, max, sum, last] = [
            Form::get(&mut reader)?,
            Form::get(&mut reader)?,
            Form::get(&mut reader)?,
            Form::get(&mut reader)?,
        ];
        if index == slot {
            return Ok(Some(Rollup { min, max, sum, count, last }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollups_come_back_exactly() {
        let slots = vec![None, Some(Rollup::of(4.25).merged(Rollup::of(-3.0))), None];
        assert_eq!(unpack_rollups(&pack_rollups(&slots)), Ok(slots.clone()));
        let packed = pack_rollups(&slots);
        assert_eq!(
            [0, 1, 2, 3].map(|slot| unpack_rollup(&packed, slot)),
            [0, 1, 2, 3].map(|slot| Ok(slots.get(slot).copied().flatten()))
        );
        assert_eq!(unpack_rollup(&packed[..4], 1), Err(Malformed));
        assert_eq!(unpack_rollups(&[1, 0xFF, 0xFF, 0x7F]), Err(Malformed));
        assert_eq!(unpack_rollups(&[]), Err(Malformed));
    }
}
