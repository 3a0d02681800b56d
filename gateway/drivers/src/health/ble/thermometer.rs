//! Temperature Measurement (0x2A1C).

use linli_domain::Civil;

use super::float::Real;
use super::payload::{Payload, Truncated};

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Temperature {
    /// UCUM code: `Cel` or `[degF]`.
    pub unit: &'static str,
    /// The temperature.
    pub value: Real,
    /// When, by the device's clock.
    pub time: Option<Civil>,
    /// Where on the body.
    pub site: Option<Site>,
}

/// Where on the body (Temperature Type, 0x2A1D).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Site {
    /// Armpit.
    Armpit,
    /// Body, unspecified.
    Body,
    /// Ear.
    Ear,
    /// Finger.
    Finger,
    /// Gastro-intestinal tract.
    GastroIntestinal,
    /// Mouth.
    Mouth,
    /// Rectum.
    Rectum,
    /// Toe.
    Toe,
    /// Ear drum.
    Tympanum,
}

const SITES: [Site; 9] = [
    Site::Armpit,
    Site::Body,
    Site::Ear,
    Site::Finger,
    Site::GastroIntestinal,
    Site::Mouth,
    Site::Rectum,
    Site::Toe,
    Site::Tympanum,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_payload_and_its_truncation() {
        let bytes = [0x06, 0xB0, 0x0E, 0, 0xFE, 0xDC, 7, 0x0C, 5, 0x0B, 0x32, 0x1B, 4];
        let read = Temperature::decode(&bytes).unwrap();
        assert_eq!((read.unit, read.value.value, read.site), ("Cel", Ok(37.6), Some(Site::Finger)));
        let time = read.time.unwrap();
        assert_eq!((time.year, time.month, time.day, time.second), (2012, 12, 5, 27));
        assert_eq!(Temperature::decode(&bytes[..12]), Err(Truncated));
    }
}
