//! What a decoder makes of the bytes of a device that is no HL7 device.

use linli_domain::Civil;
use linli_domain::vital::{NoReading, Quantity, Reading, is_placeholder};

use crate::{contec, nonin, spp};

const PRESSURE: [Quantity; 4] =
    [Quantity::Systolic, Quantity::Diastolic, Quantity::MeanArterial, Quantity::PulseRate];

/// A decoder of a device's bytes.
pub trait Decoder: Send {
    /// Decodes one byte. Returns what a complete frame contains.
    fn push(&mut self, byte: u8) -> Option<Decoded>;

    /// Returns the number of bytes skipped so far.
    fn skipped(&self) -> u64;

    /// The answer that the device waits for: whether it may forget what it sent, or has to send it again. `None` if
    /// it waits for none.
    fn answer(&self, _may_forget: bool) -> Option<&'static [u8]> {
        None
    }
}

/// What a device reports.
#[derive(Debug, Clone, PartialEq)]
pub enum Decoded {
    /// A sample of a continuous stream: saturation in percent and pulse rate per minute, if any.
    Moment(Option<(u16, u16)>),
    /// A sample of such a stream that the device itself doubts: shown, never part of a measurement.
    Doubted((u16, u16)),
    /// Present values that do not form a measurement by themselves.
    Values(Vec<(Quantity, Option<f64>)>),
    /// A complete measurement.
    Measured {
        /// The readings.
        readings: Vec<Reading>,
        /// The time by the device's clock.
        time: Option<Civil>,
        /// An identifier by the device, to detect repetitions.
        key: Option<String>,
        /// The user's number on a device with several users.
        user: Option<u8>,
    },
}

// === impl Decoder ===

impl Decoder for contec::Stream {
    fn push(&mut self, byte: u8) -> Option<Decoded> {
        let frame = Self::push(self, byte)?;
        let moment = frame.saturation.zip(frame.pulse);
        Some(Decoded::Moment(moment.map(|(saturation, pulse)| (saturation.into(), pulse.into()))))
    }

    fn skipped(&self) -> u64 {
        Self::skipped(self)
    }
}

impl Decoder for nonin::Stream {
    fn push(&mut self, byte: u8) -> Option<Decoded> {
        let line = Self::push(self, byte)?;
        Some(Decoded::Moment(
            line.saturation.zip(line.pulse).map(|(saturation, pulse)| (saturation.into(), pulse)),
        ))
    }

    fn skipped(&self) -> u64 {
        0
    }
}

impl Decoder for spp::Stream {
    fn push(&mut self, byte: u8) -> Option<Decoded> {
        let packet = Self::push(self, byte)?;
        let [year, rest @ ..] = packet.time;
        let [month, day, hour, minute, second] = rest.map(|part| u8::try_from(part).unwrap_or(0));
        let year = i64::from(year);
        let time = Civil { year, month, day, hour, minute, second };
        let serial: String =
            packet.serial.iter().filter(|b| b.is_ascii_graphic()).map(|b| char::from(*b)).collect();
        let key = format!("{serial}/{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}");
        let reading = |quantity: Quantity, number: u16| match f64::from(number) {
            value if is_placeholder(quantity, value, value) => {
                Reading::none(quantity, NoReading::NotPerformed)
            }
            value => Reading::of(quantity, value),
        };
        let readings = match packet.pressures {
            Some(p) => vec![
                reading(Quantity::Systolic, p.systolic),
                reading(Quantity::Diastolic, p.diastolic),
                reading(Quantity::MeanArterial, p.mean),
                reading(Quantity::PulseRate, p.pulse),
            ],
            None => PRESSURE.iter().map(|quantity| Reading::none(*quantity, NoReading::Error)).collect(),
        };
        Some(Decoded::Measured { readings, time: Some(time), key: Some(key), user: None })
    }

    fn skipped(&self) -> u64 {
        Self::skipped(self)
    }

    fn answer(&self, may_forget: bool) -> Option<&'static [u8]> {
        Some(if may_forget { spp::TAKEN } else { spp::SEND_AGAIN })
    }
}
