//! Temperature Measurement (0x2A1C).

use linli_domain::Civil;
use linli_domain::vital::Site;

use super::float::Real;
use super::payload::{Payload, Truncated};

/// A temperature measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Temperature {
    /// UCUM code: `Cel` or `[degF]`.
    pub unit: &'static str,
    /// The temperature in `unit`.
    pub value: Real,
    /// Time of the measurement by the device's clock.
    pub time: Option<Civil>,
    /// Site of the measurement on the body.
    pub site: Option<Site>,
}

/// Temperature Type (0x2A1D), from 1 on.
const SITES: [Site; 9] = [
    Site::Axillary,
    Site::Body,
    Site::Ear,
    Site::Finger,
    Site::Gastrointestinal,
    Site::Oral,
    Site::Rectal,
    Site::Toe,
    Site::Tympanic,
];

// === impl Temperature ===

impl Temperature {
    /// Decodes a payload.
    pub fn decode(bytes: &[u8]) -> Result<Self, Truncated> {
        let mut payload = Payload(bytes);
        let flags = payload.u8()?;
        let value = payload.float()?;
        let time = payload.when(flags & 2 != 0, Payload::date_time)?;
        let site = payload.when(flags & 4 != 0, Payload::u8)?;
        let site = site.and_then(|number| SITES.get(usize::from(number).wrapping_sub(1)).copied());
        Ok(Self { unit: if flags & 1 == 0 { "Cel" } else { "[degF]" }, value, time, site })
    }
}
