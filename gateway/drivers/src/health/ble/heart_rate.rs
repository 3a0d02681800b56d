//! Heart Rate Measurement (0x2A37).

use super::payload::{Payload, Truncated};

/// One measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartRate {
    /// Per minute.
    pub rate: u16,
    /// Whether the sensor touches the skin; none when it cannot tell.
    pub contact: Option<bool>,
    /// Energy spent since the last reset, kJ.
    pub energy: Option<u16>,
    /// Intervals between beats, 1/1024 s, oldest first.
    pub intervals: Vec<u16>,
}

// === impl HeartRate ===

impl HeartRate {
    /// Decodes a payload.
    pub fn decode(bytes: &[u8]) -> Result<Self, Truncated> {
        let mut payload = Payload(bytes);
        let flags = payload.u8()?;
        let rate = if flags & 1 == 0 { u16::from(payload.u8()?) } else { payload.u16()? };
        let contact = (flags & 4 != 0).then_some(flags & 2 != 0);
        let energy = payload.when(flags & 8 != 0, Payload::u16)?;
        let mut intervals = Vec::new();
        while flags & 16 != 0 && !payload.0.is_empty() {
            intervals.push(payload.u16()?);
        }
        Ok(Self { rate, contact, energy, intervals })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_payloads() {
        let of = |bytes: &[u8]| HeartRate::decode(bytes).unwrap();
        assert_eq!((of(&[0, 0x55]).rate, of(&[0, 0x55]).contact), (85, None));
        assert_eq!((of(&[4, 0xFF]).rate, of(&[4, 0xFF]).contact), (255, Some(false)));
        let read = of(&[0x1E, 0x55, 0x32, 0, 0x21, 0]);
        assert_eq!((read.rate, read.contact, read.energy), (85, Some(true), Some(50)));
        assert_eq!(read.intervals, [33]);
        let read = of(&[0x1F, 1, 1, 0x32, 1, 1, 0, 2, 1, 0xFF, 0xFF]);
        assert_eq!((read.rate, read.energy), (257, Some(306)));
        assert_eq!(read.intervals, [1, 258, 65535]);
        assert_eq!(HeartRate::decode(&[0x17, 1]), Err(Truncated));
        assert_eq!(HeartRate::decode(&[0x10, 1, 1]), Err(Truncated), "half an interval");
    }
}
