//! Glucose Measurement (0x2A18).

use linli_domain::Civil;
use linli_domain::vital::{Caveat, NoReading};

use super::float::Real;
use super::payload::{Payload, Truncated};

/// A glucose measurement. Meters store measurements and send them again; the sequence number identifies them.
#[derive(Debug, Clone, PartialEq)]
pub struct Glucose {
    /// Rises by one with each measurement of the meter.
    pub sequence: u16,
    /// Time of the measurement by the device's clock, without the offset.
    pub base_time: Civil,
    /// Minutes by which the user has set the clock.
    pub offset_minutes: i16,
    /// Concentration and its UCUM unit: `kg/L` or `mol/L`.
    pub concentration: Option<(Real, &'static str)>,
    /// Kind of sample: 1 capillary whole blood … 10 control solution.
    pub sample: Option<u8>,
    /// Where it was taken: 1 finger, 2 other site, 3 earlobe, 4 control solution.
    pub location: Option<u8>,
    /// Bits of the sensor status.
    pub status: u16,
    /// Whether a context record follows.
    pub has_context: bool,
}

/// The kind of sample, and the location, that stand for control solution.
const CONTROL_SAMPLE: u8 = 10;
const CONTROL_LOCATION: u8 = 4;

// === impl Glucose ===

impl Glucose {
    /// Decodes a payload.
    pub fn decode(bytes: &[u8]) -> Result<Self, Truncated> {
        let mut payload = Payload(bytes);
        let flags = payload.u8()?;
        let (sequence, base_time) = (payload.u16()?, payload.date_time()?);
        let offset_minutes = payload.when(flags & 1 != 0, Payload::i16)?.unwrap_or(0);
        let measured = payload.when(flags & 2 != 0, |rest| Ok((rest.sfloat()?, rest.u8()?)))?;
        let status = payload.when(flags & 8 != 0, Payload::u16)?.unwrap_or(0);
        let unit = if flags & 4 == 0 { "kg/L" } else { "mol/L" };
        Ok(Self {
            sequence,
            base_time,
            offset_minutes,
            concentration: measured.map(|(value, _)| (value, unit)),
            sample: measured.map(|(_, kind)| kind & 0x0F),
            location: measured.map(|(_, kind)| kind >> 4),
            status,
            has_context: flags & 16 != 0,
        })
    }

    /// Whether it was control solution instead of blood.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.sample == Some(CONTROL_SAMPLE) || self.location == Some(CONTROL_LOCATION)
    }

    /// When, by the device's clock as the user has set it.
    #[must_use]
    pub fn wall_ms(&self) -> Option<i64> {
        Some(self.base_time.timestamp()?.0 + i64::from(self.offset_minutes) * 60_000)
    }

    /// Whether the meter calls it unusable: sample too small, strip wrong or pulled, sensor fault,
    /// out of its range or temperature (status bits 1 to 10 without the battery's).
    #[must_use]
    pub const fn is_faulty(&self) -> bool {
        self.status & 0b0000_0111_1111_1110 != 0
    }

    /// Why there is no value: beyond what the meter measures, or an error.
    #[must_use]
    pub const fn absent(&self) -> Option<NoReading> {
        match self.status >> 5 & 3 {
            _ if !self.is_faulty() => None,
            1 => Some(NoReading::PositiveInfinity),
            2 => Some(NoReading::NegativeInfinity),
            _ => Some(NoReading::Error),
        }
    }

    /// What the status (GATT Specification Supplement, Sensor Status Annunciation) says of the measurement.
    pub fn caveats(&self) -> impl Iterator<Item = Caveat> {
        const BITS: [(u16, Caveat); 9] = [
            (1, Caveat::DeviceFault),
            (2, Caveat::SampleTooSmall),
            (3, Caveat::StripError),
            (4, Caveat::StripError),
            (7, Caveat::TemperatureOutOfRange),
            (8, Caveat::TemperatureOutOfRange),
            (9, Caveat::Interrupted),
            (10, Caveat::DeviceFault),
            (11, Caveat::ClockSkew),
        ];
        let status = self.status;
        BITS.into_iter().filter(move |(bit, _)| status >> bit & 1 == 1).map(|(_, caveat)| caveat)
    }
}
