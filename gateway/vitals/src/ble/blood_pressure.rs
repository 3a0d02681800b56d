//! Blood Pressure Measurement (0x2A35) and Intermediate Cuff Pressure (0x2A36).

use linli_domain::Civil;
use linli_domain::vital::Caveat;

use super::float::Real;
use super::payload::{Payload, Truncated};

/// A blood-pressure measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct BloodPressure {
    /// UCUM code of the pressures: `mm[Hg]` or `kPa`.
    pub unit: &'static str,
    /// Systolic pressure; in an intermediate measurement the pressure of the cuff.
    pub systolic: Real,
    /// Diastolic pressure.
    pub diastolic: Real,
    /// Mean arterial pressure.
    pub mean: Real,
    /// Time of the measurement by the device's clock.
    pub time: Option<Civil>,
    /// Pulse rate per minute.
    pub pulse: Option<Real>,
    /// The user's number; none when unknown.
    pub user: Option<u8>,
    /// Reasons to doubt the values.
    pub caveats: Vec<Caveat>,
    /// Whether the pulse was in the device's range.
    pub pulse_range: PulseRange,
}

/// Whether the pulse rate was in the device's range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PulseRange {
    /// In the range, or not reported.
    #[default]
    Within,
    /// Above the range.
    Above,
    /// Below the range.
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
