//! The supported serial health devices: line settings and decoders.

use linli_domain::vital::Quantity;
pub use linli_vitals::{Decoded, Decoder};

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
