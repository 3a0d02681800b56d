//! Units by their UCUM codes (The Unified Code for Units of Measure, version 2.2).
//!
//! Only codes in this table may stand in a profile: a misspelt unit is found when the
//! configuration is loaded, not when a consumer fails to convert it.

/// A unit linli knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unit {
    /// UCUM code, case sensitive, as it travels.
    pub code: &'static str,
    /// How people write it.
    pub symbol: &'static str,
    /// What it measures, in English.
    pub quantity: &'static str,
    /// What it measures, in Chinese.
    pub quantity_zh: &'static str,
}

const fn unit(
    code: &'static str,
    symbol: &'static str,
    quantity: &'static str,
    quantity_zh: &'static str,
) -> Unit {
    Unit { code, symbol, quantity, quantity_zh }
}

/// Every unit, by quantity.
pub const UNITS: &[Unit] = &[
    unit("1", "", "dimensionless", "无量纲"),
    unit("%", "%", "ratio, relative humidity", "百分比、相对湿度"),
    unit("[ppm]", "ppm", "concentration", "浓度"),
    unit("Cel", "°C", "temperature", "温度"),
    unit("[degF]", "°F", "temperature", "温度"),
    unit("K", "K", "temperature", "温度"),
    unit("V", "V", "voltage", "电压"),
    unit("mV", "mV", "voltage", "电压"),
    unit("A", "A", "current", "电流"),
    unit("mA", "mA", "current", "电流"),
    unit("W", "W", "active power", "有功功率"),
    unit("kW", "kW", "active power", "有功功率"),
    unit("V.A", "VA", "apparent power", "视在功率"),
    unit("var", "var", "reactive power", "无功功率"),
    unit("kvar", "kvar", "reactive power", "无功功率"),
    unit("W.h", "Wh", "energy", "电能"),
    unit("kW.h", "kWh", "energy", "电能"),
    unit("kvar.h", "kvarh", "reactive energy", "无功电能"),
    unit("Hz", "Hz", "frequency", "频率"),
    unit("deg", "°", "angle", "角度"),
    unit("Pa", "Pa", "pressure", "压力"),
    unit("kPa", "kPa", "pressure", "压力"),
    unit("mm[Hg]", "mmHg", "blood pressure", "血压"),
    unit("m3/h", "m³/h", "air or water flow", "流量"),
    unit("m/s", "m/s", "speed", "速度"),
    unit("lx", "lx", "illuminance", "照度"),
    unit("m", "m", "length", "长度"),
    unit("cm", "cm", "length", "长度"),
    unit("mm", "mm", "length", "长度"),
    unit("kg", "kg", "mass", "质量"),
    unit("g", "g", "mass", "质量"),
    unit("s", "s", "time", "时间"),
    unit("min", "min", "time", "时间"),
    unit("h", "h", "time", "时间"),
    unit("/min", "/min", "rate", "频次"),
    unit("mmol/L", "mmol/L", "substance concentration", "物质浓度"),
    unit("mg/dL", "mg/dL", "mass concentration", "质量浓度"),
    unit("kg/m2", "kg/m²", "body mass index", "体质指数"),
    unit("%{LEL}", "%LEL", "combustible gas, share of the lower explosive limit", "可燃气体爆炸下限百分比"),
];

/// Finds a unit by its UCUM code.
#[must_use]
pub fn find(code: &str) -> Option<&'static Unit> {
    UNITS.iter().find(|unit| unit.code == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_without_spaces() {
        for (i, unit) in UNITS.iter().enumerate() {
            assert!(UNITS[..i].iter().all(|other| other.code != unit.code), "{}", unit.code);
            assert!(unit.code.is_ascii() && !unit.code.contains(' '), "{}", unit.code);
        }
        assert_eq!(find("Cel").map(|u| u.symbol), Some("°C"));
        assert_eq!(find("cel"), None);
    }
}
