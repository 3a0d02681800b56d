//! PLX Spot-Check (0x2A5E) and PLX Continuous (0x2A5F) Measurement.

use linli_domain::Civil;
use linli_domain::vital::Caveat;

use super::float::Real;
use super::payload::{Payload, Truncated};

/// Saturation and pulse rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Oximetry {
    /// Oxygen saturation in percent.
    pub saturation: Real,
    /// Pulse rate per minute.
    pub pulse: Real,
}

/// Measurement status bits, from 5 up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MeasurementStatus(pub u16);

/// Device and sensor status bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SensorStatus(pub u32);

/// A spot-check measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Spot {
    /// The values.
    pub reading: Oximetry,
    /// Time of the measurement by the device's clock.
    pub time: Option<Civil>,
    /// Whether the device's clock was never set, so that `time` is meaningless.
    pub is_clock_unset: bool,
    /// State of the measurement.
    pub status: MeasurementStatus,
    /// State of device and sensor.
    pub sensor: SensorStatus,
    /// Pulse amplitude index, percent.
    pub amplitude: Option<Real>,
}

/// A measurement of a continuous series.
#[derive(Debug, Clone, PartialEq)]
pub struct Continuous {
    /// Values with the normal averaging time.
    pub reading: Oximetry,
    /// Values with a short averaging time.
    pub fast: Option<Oximetry>,
    /// Values with a long averaging time.
    pub slow: Option<Oximetry>,
    /// State of the measurement.
    pub status: MeasurementStatus,
    /// State of device and sensor.
    pub sensor: SensorStatus,
    /// Pulse amplitude index, percent.
    pub amplitude: Option<Real>,
}

fn oximetry(payload: &mut Payload<'_>) -> Result<Oximetry, Truncated> {
    Ok(Oximetry { saturation: payload.sfloat()?, pulse: payload.sfloat()? })
}

// === impl MeasurementStatus ===

impl MeasurementStatus {
    /// Whether there is a measurement to use at all: not invalid, not unavailable, not a
    /// calibration or test.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        self.0 & (1 << 10 | 1 << 11 | 1 << 12 | 1 << 13 | 1 << 15) == 0
    }

    /// What makes it doubtful.
    pub fn caveats(self) -> impl Iterator<Item = Caveat> {
        let table = [
            (5, Caveat::Preliminary),
            (6, Caveat::Preliminary),
            (9, Caveat::FromStorage),
            (10, Caveat::Demonstration),
            (11, Caveat::Demonstration),
            (14, Caveat::Questionable),
        ];
        table.into_iter().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, caveat)| caveat)
    }
}

// === impl SensorStatus ===

impl SensorStatus {
    /// Whether the sensor is on the body and works.
    #[must_use]
    pub const fn is_usable(self) -> bool {
        self.0 & (1 << 1 | 1 << 11 | 1 << 14 | 1 << 15) == 0
    }

    /// What makes it doubtful.
    pub fn caveats(self) -> impl Iterator<Item = Caveat> {
        let table = [
            (3, Caveat::PoorSignal),
            (4, Caveat::PoorSignal),
            (5, Caveat::LowPerfusion),
            (6, Caveat::PoorSignal),
            (7, Caveat::PoorSignal),
            (10, Caveat::PoorSignal),
            (13, Caveat::PoorSignal),
        ];
        table.into_iter().filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, caveat)| caveat)
    }
}

// === impl Spot ===

impl Spot {
    /// Decodes a payload.
    pub fn decode(bytes: &[u8]) -> Result<Self, Truncated> {
        let mut payload = Payload(bytes);
        let flags = payload.u8()?;
        Ok(Self {
            reading: oximetry(&mut payload)?,
            time: payload.when(flags & 1 != 0, Payload::date_time)?,
            status: MeasurementStatus(payload.when(flags & 2 != 0, Payload::u16)?.unwrap_or(0)),
            sensor: SensorStatus(payload.when(flags & 4 != 0, Payload::u24)?.unwrap_or(0)),
            amplitude: payload.when(flags & 8 != 0, Payload::sfloat)?,
            is_clock_unset: flags & 16 != 0,
        })
    }
}

// === impl Continuous ===

impl Continuous {
    /// Decodes a payload.
    pub fn decode(bytes: &[u8]) -> Result<Self, Truncated> {
        let mut payload = Payload(bytes);
        let flags = payload.u8()?;
        Ok(Self {
            reading: oximetry(&mut payload)?,
            fast: payload.when(flags & 1 != 0, oximetry)?,
            slow: payload.when(flags & 2 != 0, oximetry)?,
            status: MeasurementStatus(payload.when(flags & 4 != 0, Payload::u16)?.unwrap_or(0)),
            sensor: SensorStatus(payload.when(flags & 8 != 0, Payload::u24)?.unwrap_or(0)),
            amplitude: payload.when(flags & 16 != 0, Payload::sfloat)?,
        })
    }
}
