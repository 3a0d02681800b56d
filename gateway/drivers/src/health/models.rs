//! The supported serial health devices: line settings and decoders.

use linli_domain::Civil;
use linli_domain::vital::{NoReading, Quantity, Reading, is_placeholder};

use crate::port::Parity;
use linli_vitals::{contec, nonin, spp};

/// A supported model.
pub struct Model {
    /// Name of its profile, `vendor/model`.
    pub name: &'static str,
    /// Description in English.
    pub title: &'static str,
    /// Description in Chinese.
    pub title_zh: &'static str,
    /// Line settings: baud rate, parity, stop bits.
    pub line: (u32, Parity, u8),
    /// Quantities that it measures.
    pub quantities: &'static [Quantity],
    /// Makes a decoder in its initial state.
    pub decoder: fn() -> Box<dyn Decoder>,
}

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

const OXIMETRY: &[Quantity] = &[Quantity::OxygenSaturation, Quantity::PulseRate];
const PRESSURE: &[Quantity] =
    &[Quantity::Systolic, Quantity::Diastolic, Quantity::MeanArterial, Quantity::PulseRate];

/// All supported models.
pub static MODELS: &[Model] = &[
    Model {
        name: "contec/cms50d-plus",
        title: "Contec CMS50D+ pulse oximeter",
        title_zh: "康泰 CMS50D+ 指夹式血氧仪",
        line: (19_200, Parity::Odd, 1),
        quantities: OXIMETRY,
        decoder: || Box::<contec::Stream>::default(),
    },
    Model {
        name: "contec/cms50-4800",
        title: "Contec CMS50 pulse oximeter, older units at 4800 baud",
        title_zh: "康泰 CMS50 血氧仪（4800 波特旧款）",
        line: (4800, Parity::None, 1),
        quantities: OXIMETRY,
        decoder: || Box::<contec::Stream>::default(),
    },
    Model {
        name: "nonin/8500",
        title: "Nonin 8500 and 9847 pulse oximeters, real-time ASCII",
        title_zh: "Nonin 8500/9847 血氧仪",
        line: (9600, Parity::None, 1),
        quantities: OXIMETRY,
        decoder: || Box::<nonin::Stream>::default(),
    },
    Model {
        name: "nonin/avant-9600",
        title: "Nonin Avant 9600 pulse oximeter, real-time ASCII",
        title_zh: "Nonin Avant 9600 血氧仪",
        line: (9600, Parity::None, 2),
        quantities: OXIMETRY,
        decoder: || Box::<nonin::Stream>::default(),
    },
    Model {
        name: "and/ua-767pbt",
        title: "A&D UA-767PBT blood-pressure monitor",
        title_zh: "A&D UA-767PBT 血压计",
        line: (9600, Parity::None, 1),
        quantities: PRESSURE,
        decoder: || Box::<spp::Stream>::default(),
    },
];

/// Finds a model by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Model> {
    MODELS.iter().find(|model| model.name == name)
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
