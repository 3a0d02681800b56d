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

/// One slot of several bodies with a comma between, joined; each must have this many slots. A fraction of the work of
/// [`unpack_rollup`] for each: what is not asked for is stepped over.
pub fn join_rollups(bodies: &[u8], points: usize, slot: usize) -> Result<Option<Rollup>, Malformed> {
    let mut joined: Option<Rollup> = None;
    let mut reader = Reader(bodies);
    loop {
        if reader.byte()? != VERSION || reader.unsigned()? != points as u64 {
            return Err(Malformed);
        }
        for index in 0..points {
            let count = u32::try_from(reader.unsigned()?).map_err(|_| Malformed)?;
            if count == 0 {
                continue;
            }
            if index == slot {
                let rollup = Rollup {
                    min: Form::get(&mut reader)?,
                    max: Form::get(&mut reader)?,
                    sum: Form::get(&mut reader)?,
                    count,
                    last: Form::get(&mut reader)?,
                };
                joined = Some(joined.map_or(rollup, |so_far| so_far.merged(rollup)));
            } else {
                for _ in 0..4 {
                    Form::step_over(&mut reader)?;
                }
            }
        }
        match reader.byte() {
            Ok(b',') => {}
            Ok(_) => return Err(Malformed),
            Err(Malformed) => return Ok(joined),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_joined_as_one_by_one_and_a_wrong_one_is_noticed() {
        let minute = |value: f64| {
            vec![None, Some(Rollup::of(value)), Some(Rollup::of(1e300 * value)), Some(Rollup::of(0.1))]
        };
        let packed: Vec<Vec<u8>> =
            [4.25, -3.0, 44.0, 1.0 / 3.0].map(|value| pack_rollups(&minute(value))).to_vec();
        let all = packed.join(&b',');
        for slot in 0..5 {
            let single = packed.iter().filter_map(|body| unpack_rollup(body, slot).unwrap());
            assert_eq!(join_rollups(&all, 4, slot), Ok(single.reduce(Rollup::merged)), "slot {slot}");
        }
        assert_eq!(join_rollups(&all, 3, 1), Err(Malformed), "of another layout");
        for cut in 0..all.len() {
            let is_whole = packed
                .iter()
                .scan(0, |end, body| {
                    *end += body.len() + 1;
                    Some(*end - 1)
                })
                .any(|end| end == cut);
            assert_eq!(join_rollups(&all[..cut], 4, 1).is_ok(), is_whole, "cut at {cut}");
        }
    }

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
