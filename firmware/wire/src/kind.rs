//! What a node is for, as data: its points, inputs and relays.
//!
//! The firmware samples by this table, and the gateway's profile of every kind is made from it,
//! so the two cannot drift.

/// A kind of node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// As it travels; also the bit of an image's mask.
    pub id: u16,
    /// The word in configuration and commands.
    pub name: &'static str,
    /// What it is, in Chinese.
    pub zh: &'static str,
    /// What it is, in English.
    pub en: &'static str,
    /// The gateway's class of device: `telemetry`, `actuator`, `food_safety`.
    pub class: &'static str,
    /// What it measures.
    pub points: &'static [PointOf],
    /// Its digital inputs, as discrete inputs from 0.
    pub inputs: &'static [Switch],
    /// Its relays, as coils from 0.
    pub relays: &'static [Switch],
    /// How often it samples, unless configured otherwise.
    pub sample_ms: u16,
    /// Weight of a new sample in the smoothed value, in percent; 100 is no smoothing.
    pub filter_percent: u16,
}

/// What a kind measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointOf {
    /// The word in configuration and payloads.
    pub name: &'static str,
    /// What it is, in Chinese.
    pub zh: &'static str,
    /// UCUM code of its unit.
    pub unit: &'static str,
    /// Its number is in units of ten to the minus this.
    pub decimals: u8,
    /// The lowest number the sensor can mean.
    pub lowest: i32,
    /// The highest number the sensor can mean.
    pub highest: i32,
    /// More than this between two samples is doubted until the next one agrees.
    pub jump: i32,
    /// Where it comes from.
    pub sensor: Sensor,
}

/// Where a point comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sensor {
    /// An LM75, TMP75 or TMP105 on I²C, at this address.
    Lm75 {
        /// Seven bits.
        address: u8,
    },
}

/// A digital input or a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// The word in configuration and payloads.
    pub name: &'static str,
    /// What it is, in Chinese.
    pub zh: &'static str,
}

/// An LM75 measures -55 to 125 °C. A probe in a real room does not move 8 °C between samples.
const fn probe(name: &'static str, zh: &'static str, address: u8) -> PointOf {
    PointOf {
        name,
        zh,
        unit: "Cel",
        decimals: 2,
        lowest: -5500,
        highest: 12500,
        jump: 800,
        sensor: Sensor::Lm75 { address },
    }
}

const fn switch(name: &'static str, zh: &'static str) -> Switch {
    Switch { name, zh }
}

/// Every kind.
pub static KINDS: &[Kind] = &[
    Kind {
        id: 1,
        name: "fridge",
        zh: "冷柜节点：两路温度探头和门磁",
        en: "fridge: two temperature probes and a door contact",
        class: "food_safety",
        points: &[
            probe("air_temperature", "柜内空气温度", 0x48),
            probe("product_temperature", "食品温度", 0x49),
        ],
        inputs: &[switch("door", "柜门")],
        relays: &[],
        sample_ms: 1000,
        filter_percent: 30,
    },
    Kind {
        id: 2,
        name: "cabin",
        zh: "健康小屋节点：室温、检测台温度和人体感应",
        en: "health cabin: room and couch temperature, presence",
        class: "telemetry",
        points: &[probe("temperature", "室温", 0x48), probe("couch_temperature", "检测台温度", 0x49)],
        inputs: &[switch("presence", "有人")],
        relays: &[],
        sample_ms: 1000,
        filter_percent: 30,
    },
    Kind {
        id: 3,
        name: "room",
        zh: "房间节点：温度、四路开关量输入、两路继电器",
        en: "room: temperature, four digital inputs, two relays with lease",
        class: "actuator",
        points: &[probe("temperature", "室温", 0x48)],
        inputs: &[
            switch("input_1", "开关量输入 1"),
            switch("input_2", "开关量输入 2"),
            switch("input_3", "开关量输入 3"),
            switch("input_4", "开关量输入 4"),
        ],
        relays: &[switch("relay_1", "继电器 1"), switch("relay_2", "继电器 2")],
        sample_ms: 1000,
        filter_percent: 30,
    },
];

/// Inputs a node can have.
pub const MOST_INPUTS: usize = 8;

/// Relays a node can have.
pub const MOST_RELAYS: usize = 4;

/// The mask of an image that runs as every kind.
pub const ANY: u16 = 0xFFFF;

// === impl Kind ===

impl Kind {
    /// The kind with this number.
    #[must_use]
    pub fn from_id(id: u16) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.id == id)
    }

    /// The kind with this word.
    #[must_use]
    pub fn from_name(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Its bit in the mask of an image.
    #[must_use]
    pub const fn bit(&self) -> u16 {
        1 << self.id
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point;

    #[test]
    fn every_kind_fits_the_map_and_has_its_own_number_and_word() {
        for (at, kind) in KINDS.iter().enumerate() {
            assert!((1..16).contains(&kind.id), "{}: a bit of the mask", kind.name);
            assert!(kind.points.len() <= point::MOST, "{}", kind.name);
            assert!(kind.inputs.len() <= MOST_INPUTS && kind.relays.len() <= MOST_RELAYS, "{}", kind.name);
            assert!(!KINDS[..at].iter().any(|k| k.id == kind.id || k.name == kind.name), "{}", kind.name);
            let names = || {
                let points = kind.points.iter().map(|p| p.name);
                points.chain(kind.inputs.iter().chain(kind.relays).map(|s| s.name))
            };
            for (at, name) in names().enumerate() {
                assert!(!names().take(at).any(|before| before == name), "{}: {name} twice", kind.name);
            }
            for point in kind.points {
                assert!(point.lowest < point.highest && point.lowest > point::NO_VALUE, "{}", point.name);
            }
        }
    }
}
