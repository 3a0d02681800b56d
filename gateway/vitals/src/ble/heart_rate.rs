//! Heart Rate Measurement (0x2A37).

use super::payload::{Payload, Truncated};

/// A heart-rate measurement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartRate {
    /// Heart rate per minute.
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
