//! Blood Pressure Measurement (0x2A35) and Intermediate Cuff Pressure (0x2A36).

use linli_domain::Civil;
use linli_domain::vital::Caveat;

use super::float::Real;
use super::payload::{Payload, Truncated};

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct BloodPressure {
    /// UCUM code of the pressures: `mm[Hg]` or `kPa`.
    pub unit: &'static str,
    /// Systolic; the cuff's pressure in an intermediate one.
    pub systolic: Real,
    /// Diastolic.
    pub diastolic: Real,
    /// Mean arterial.
    pub mean: Real,
    /// When, by the device's clock.
    pub time: Option<Civil>,
    /// Pulse rate per minute.
    pub pulse: Option<Real>,
    /// The user's number; none when unknown.
    pub user: Option<u8>,
    /// Doubts.
    pub caveats: Vec<Caveat>,
    /// Whether the pulse was in the device's range.
    pub pulse_range: PulseRange,
}

/// Whether the pulse was in the device's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PulseRange {
    /// Within, or not told.
    #[default]
    Within,
    /// Above.
    Above,
    /// Below.
    Below,
}

// === impl BloodPressure ===

impl BloodPressure {
    /// Decodes a payload.
    pub fn decode(bytes: &[u8]) -> Result<Self, Truncated> {
        let mut payload = Payload(bytes);
        let flags = payload.u8()?;
        let (systolic, diastolic, mean) = (payload.sfloat()?, payload.sfloat()?, payload.sfloat()?);
        let time = payload.when(flags & 2 != 0, Payload::date_time)?;
        let pulse = payload.when(flags & 4 != 0, Payload::sfloat)?;
        let user = payload.when(flags & 8 != 0, Payload::u8)?.filter(|user| *user != 0xFF);
        let status = payload.when(flags & 16 != 0, Payload::u16)?.unwrap_or(0);
        let pulse_range = match status >> 3 & 3 {
            1 => PulseRange::Above,
            2 => PulseRange::Below,
            _ => PulseRange::Within,
        };
        let mut caveats = Vec::new();
        for (bit, caveat) in [
            (0, Caveat::BodyMovement),
            (1, Caveat::CuffLoose),
            (2, Caveat::IrregularPulse),
            (5, Caveat::ImproperPosition),
        ] {
            if status >> bit & 1 == 1 {
                caveats.push(caveat);
            }
        }
        if pulse_range != PulseRange::Within {
            caveats.push(Caveat::PulseOutOfRange);
        }
        let unit = if flags & 1 == 0 { "mm[Hg]" } else { "kPa" };
        Ok(Self { unit, systolic, diastolic, mean, time, pulse, user, caveats, pulse_range })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MMHG: [u8; 19] =
        [0x1E, 0x8A, 0, 0x58, 0, 0x78, 0, 0, 0, 4, 0x11, 0x14, 0x29, 0x3B, 0x3C, 0, 1, 0x27, 0];

    #[test]
    fn the_published_payloads() {
        let read = BloodPressure::decode(&MMHG).unwrap();
        assert_eq!(
            (read.systolic.value, read.diastolic.value, read.mean.value),
            (Ok(138.0), Ok(88.0), Ok(120.0))
        );
        assert_eq!((read.unit, read.pulse.unwrap().value, read.user), ("mm[Hg]", Ok(60.0), Some(1)));
        let time = read.time.unwrap();
        assert_eq!((time.year, time.month, time.day, time.hour), (0, 4, 17, 20));
        use Caveat::{BodyMovement, CuffLoose, ImproperPosition, IrregularPulse};
        assert_eq!(read.caveats, [BodyMovement, CuffLoose, IrregularPulse, ImproperPosition]);

        let bytes = [0x15, 0xBD, 0xF0, 0x0B, 0, 0x9F, 0xF0, 0x3C, 0, 0x12, 0];
        let read = BloodPressure::decode(&bytes).unwrap();
        assert_eq!((read.unit, read.systolic.value, read.diastolic.value), ("kPa", Ok(18.9), Ok(11.0)));
        assert_eq!((read.mean.value, read.pulse_range), (Ok(15.9), PulseRange::Below));
        assert_eq!(read.caveats, [Caveat::CuffLoose, Caveat::PulseOutOfRange]);
    }

    #[test]
    fn what_is_cut_short_is_rejected() {
        for length in 0..MMHG.len() {
            assert_eq!(BloodPressure::decode(&MMHG[..length]), Err(Truncated), "{length}");
        }
    }
}
