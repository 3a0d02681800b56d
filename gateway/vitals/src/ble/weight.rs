//! Weight Measurement (0x2A9D).

use linli_domain::Civil;

use super::payload::{Payload, Truncated};

/// A weight measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// Weight and its UCUM unit; none when the device could not measure.
    pub weight: Option<(f64, &'static str)>,
    /// Time of the measurement by the device's clock.
    pub time: Option<Civil>,
    /// The user's number; none when unknown.
    pub user: Option<u8>,
    /// Body mass index, kg/m2.
    pub body_mass_index: Option<f64>,
    /// Height and its UCUM unit.
    pub height: Option<(f64, &'static str)>,
}

/// Numbers that stand for an unsuccessful measurement.
const UNSUCCESSFUL: [u16; 2] = [0, 0xFFFF];

// === impl Weight ===

impl Weight {
    /// Decodes a payload.
    pub fn decode(bytes: &[u8]) -> Result<Self, Truncated> {
        let mut payload = Payload(bytes);
        let flags = payload.u8()?;
        let is_metric = flags & 1 == 0;
        let weight = payload.u16()?;
        let time = payload.when(flags & 2 != 0, Payload::date_time)?;
        let user = payload.when(flags & 4 != 0, Payload::u8)?.filter(|user| *user != 0xFF);
        let body = payload.when(flags & 8 != 0, |rest| Ok((rest.u16()?, rest.u16()?)))?;
        let number = f64::from;
        let is_number = |number: u16| !UNSUCCESSFUL.contains(&number);
        let weight = is_number(weight).then(|| {
            // Resolutions of 0.005 kg and 0.01 lb.
            if is_metric { (number(weight) / 200.0, "kg") } else { (number(weight) / 100.0, "[lb_av]") }
        });
        let height = body.filter(|(_, height)| is_number(*height)).map(|(_, height)| {
            // Resolutions of 0.001 m and 0.1 in.
            if is_metric { (number(height) / 1000.0, "m") } else { (number(height) / 10.0, "[in_i]") }
        });
        let body_mass_index = body.filter(|(bmi, _)| is_number(*bmi)).map(|(bmi, _)| number(bmi) / 10.0);
        Ok(Self { weight, time, user, body_mass_index, height })
    }
}
