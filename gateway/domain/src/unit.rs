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
    unit("MW", "MW", "active power", "有功功率"),
    unit("kV", "kV", "voltage", "电压"),
    unit("V.A", "VA", "apparent power", "视在功率"),
    unit("var", "var", "reactive power", "无功功率"),
    unit("kV.A", "kVA", "apparent power", "视在功率"),
    unit("kvar", "kvar", "reactive power", "无功功率"),
    unit("W.h", "Wh", "energy", "电能"),
    unit("kW.h", "kWh", "energy", "电能"),
    unit("MW.h", "MWh", "energy", "电能"),
    unit("J", "J", "energy", "能量"),
    unit("kJ", "kJ", "energy", "能量"),
    unit("MJ", "MJ", "energy", "能量"),
    unit("GJ", "GJ", "heat", "热量"),
    unit("kvar.h", "kvarh", "reactive energy", "无功电能"),
    unit("Ohm", "\u{3a9}", "resistance", "电阻"),
    unit("kOhm", "k\u{3a9}", "resistance", "电阻"),
    unit("W/m2", "W/m²", "irradiance", "辐照度"),
    unit("Hz", "Hz", "frequency", "频率"),
    unit("deg", "°", "angle", "角度"),
    unit("Pa", "Pa", "pressure", "压力"),
    unit("kPa", "kPa", "pressure", "压力"),
    unit("hPa", "hPa", "pressure", "压力"),
    unit("MPa", "MPa", "pressure", "压力"),
    unit("bar", "bar", "pressure", "压力"),
    unit("mbar", "mbar", "pressure", "压力"),
    unit("[psi]", "psi", "pressure", "压力"),
    unit("mm[Hg]", "mmHg", "blood pressure", "血压"),
    unit("mm[H2O]", "mmH₂O", "pressure", "压力"),
    unit("[in_i'Hg]", "inHg", "pressure", "压力"),
    unit("m3/h", "m³/h", "air or water flow", "流量"),
    unit("m3/s", "m³/s", "flow", "流量"),
    unit("m3/min", "m³/min", "flow", "流量"),
    unit("L/s", "L/s", "flow", "流量"),
    unit("L/min", "L/min", "flow", "流量"),
    unit("L/h", "L/h", "flow", "流量"),
    unit("t/h", "t/h", "flow", "流量"),
    unit("L", "L", "volume", "体积"),
    unit("mL", "mL", "volume", "体积"),
    unit("m3", "m³", "volume", "体积"),
    unit("ug/m3", "µg/m³", "dust, mass concentration", "粉尘浓度"),
    unit("mg/m3", "mg/m³", "mass concentration", "质量浓度"),
    unit("mg/L", "mg/L", "mass concentration", "质量浓度"),
    unit("[ppb]", "ppb", "concentration", "浓度"),
    unit("uS/cm", "µS/cm", "conductivity", "电导率"),
    unit("mS/cm", "mS/cm", "conductivity", "电导率"),
    unit("[pH]", "pH", "acidity", "酸碱度"),
    unit("{NTU}", "NTU", "turbidity", "浊度"),
    unit("dB", "dB", "sound level", "声级"),
    unit("km/h", "km/h", "speed", "速度"),
    unit("{rev}/min", "rpm", "rotational speed", "转速"),
    unit("m/s", "m/s", "speed", "速度"),
    unit("lx", "lx", "illuminance", "照度"),
    unit("m", "m", "length", "长度"),
    unit("cm", "cm", "length", "长度"),
    unit("mm", "mm", "length", "长度"),
    unit("kg", "kg", "mass", "质量"),
    unit("g", "g", "mass", "质量"),
    unit("t", "t", "mass", "质量"),
    unit("ms", "ms", "time", "时间"),
    unit("s", "s", "time", "时间"),
    unit("min", "min", "time", "时间"),
    unit("h", "h", "time", "时间"),
    unit("d", "d", "time", "时间"),
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

/// Other ways of writing a unit: as people, data sheets and other programs do.
const SPELLINGS: &[(&str, &str)] = &[
    ("C", "Cel"),
    ("degC", "Cel"),
    ("deg C", "Cel"),
    ("celsius", "Cel"),
    ("摄氏度", "Cel"),
    ("F", "[degF]"),
    ("degF", "[degF]"),
    ("fahrenheit", "[degF]"),
    ("kelvin", "K"),
    ("percent", "%"),
    ("pct", "%"),
    ("%RH", "%"),
    ("% RH", "%"),
    ("%rF", "%"),
    ("LEL%", "%{LEL}"),
    ("none", "1"),
    ("-", "1"),
    ("volt", "V"),
    ("ampere", "A"),
    ("amp", "A"),
    ("watt", "W"),
    ("hertz", "Hz"),
    ("lux", "lx"),
    ("bar(g)", "bar"),
    ("barg", "bar"),
    ("lpm", "L/min"),
    ("l/m", "L/min"),
    ("cmh", "m3/h"),
    ("cbm/h", "m3/h"),
    ("cbm", "m3"),
    ("liter", "L"),
    ("litre", "L"),
    ("mcg/m3", "ug/m3"),
    ("r/min", "{rev}/min"),
    ("U/min", "{rev}/min"),
    ("1/min", "/min"),
    ("bpm", "/min"),
    ("per minute", "/min"),
    ("sec", "s"),
    ("second", "s"),
    ("minute", "min"),
    ("hour", "h"),
    ("day", "d"),
    ("dBA", "dB"),
    ("dB(A)", "dB"),
    ("ohm", "Ohm"),
    ("degree", "deg"),
    ("tonne", "t"),
    ("Nm3/h", "m3/h"),
    ("Nm3", "m3"),
    ("FNU", "{NTU}"),
    ("度", "kW.h"),
    ("千瓦时", "kW.h"),
    ("千瓦", "kW"),
    ("瓦", "W"),
    ("伏", "V"),
    ("安", "A"),
    ("赫兹", "Hz"),
    ("帕", "Pa"),
    ("千帕", "kPa"),
    ("兆帕", "MPa"),
    ("升", "L"),
    ("立方米", "m3"),
    ("方", "m3"),
    ("立方米/小时", "m3/h"),
    ("升/分", "L/min"),
    ("吨", "t"),
    ("吨/小时", "t/h"),
    ("公斤", "kg"),
    ("米", "m"),
    ("米/秒", "m/s"),
    ("转/分", "{rev}/min"),
    ("勒克斯", "lx"),
    ("分贝", "dB"),
];

/// Finds the unit that somebody means who does not write UCUM: by symbol, usual spelling, and without regard to case
/// where only one unit can be meant. None when it is not clear ("mw" may be milliwatt or megawatt).
///
/// ```
/// # use linli_domain::unit::spelled;
/// let code = |text| spelled(text).map(|unit| unit.code);
/// assert_eq!(code("°C"), Some("Cel"));
/// assert_eq!(code("l/min"), Some("L/min"));
/// assert_eq!(code("mw"), None);
/// ```
#[must_use]
pub fn spelled(text: &str) -> Option<&'static Unit> {
    let as_is = |unit: &&Unit| unit.code == text || (unit.symbol == text && !text.is_empty());
    if let Some(unit) = UNITS.iter().find(as_is) {
        return Some(unit);
    }
    let plain = plain(text);
    let exact = UNITS.iter().find(|unit| unit.code == plain || self::plain(unit.symbol) == plain);
    let other =
        || SPELLINGS.iter().find(|(word, _)| self::plain(word) == plain).and_then(|(_, code)| find(code));
    exact.filter(|_| !plain.is_empty()).or_else(other).or_else(|| without_case(&plain))
}

/// The only unit that is written like this without regard to case. Prefixes of one letter that differ only in case
/// make two units of one spelling: neither is meant.
fn without_case(plain: &str) -> Option<&'static Unit> {
    const AMBIGUOUS: [&str; 12] = ["mw", "mw.h", "mwh", "mj", "mpa", "mohm", "s", "g", "d", "t", "h", "m"];
    let lower = plain.to_lowercase();
    if lower.is_empty() || AMBIGUOUS.contains(&lower.as_str()) {
        return None;
    }
    let is_same = |word: &str| self::plain(word).to_lowercase() == lower;
    let written = UNITS.iter().filter(|unit| is_same(unit.code) || is_same(unit.symbol));
    let spelled = SPELLINGS.iter().filter(|(word, _)| is_same(word)).filter_map(|(_, code)| find(code));
    let mut found: Vec<&'static Unit> = written.chain(spelled).collect();
    found.sort_by_key(|unit| unit.code);
    found.dedup();
    match found.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// The text without the signs that are written in several ways.
fn plain(text: &str) -> String {
    let compatible = text.trim().chars().filter_map(|sign| match sign {
        '°' | '^' | ' ' => None,
        '℃' => Some('C'),
        '℉' => Some('F'),
        '²' | '₂' => Some('2'),
        '³' => Some('3'),
        'µ' | 'μ' => Some('u'),
        '·' | '*' | '⋅' => Some('.'),
        '％' => Some('%'),
        // The sign for ohm is a letter of its own beside omega.
        '\u{2126}' => Some('\u{3a9}'),
        other => Some(other),
    });
    compatible.collect()
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

    #[test]
    fn what_people_write_is_the_unit_they_mean_or_none() {
        for (written, code) in [
            ("bar", "bar"),
            ("Bar", "bar"),
            ("l/min", "L/min"),
            ("L/min", "L/min"),
            ("lpm", "L/min"),
            ("ug/m3", "ug/m3"),
            ("µg/m³", "ug/m3"),
            ("μg/m3", "ug/m3"),
            ("μg/m^3", "ug/m3"),
            ("°C", "Cel"),
            ("℃", "Cel"),
            ("degC", "Cel"),
            ("celsius", "Cel"),
            ("cel", "Cel"),
            ("°F", "[degF]"),
            ("°", "deg"),
            ("kWh", "kW.h"),
            ("KWH", "kW.h"),
            ("kW·h", "kW.h"),
            ("kW*h", "kW.h"),
            ("VA", "V.A"),
            ("%RH", "%"),
            ("%rh", "%"),
            ("ppm", "[ppm]"),
            ("PPM", "[ppm]"),
            ("mmHg", "mm[Hg]"),
            ("m³/h", "m3/h"),
            ("m^3/h", "m3/h"),
            ("psi", "[psi]"),
            ("rpm", "{rev}/min"),
            ("lux", "lx"),
            ("pH", "[pH]"),
            ("hz", "Hz"),
            ("MW", "MW"),
            ("\u{2126}", "Ohm"),
            ("inHg", "[in_i'Hg]"),
            ("Nm³/h", "m3/h"),
            ("NTU", "{NTU}"),
            ("立方米", "m3"),
            ("千瓦时", "kW.h"),
        ] {
            assert_eq!(spelled(written).map(|unit| unit.code), Some(code), "{written}");
        }
        for unclear in ["", " ", "mw", "MWH", "mpa", "bananas", "°°x"] {
            assert_eq!(spelled(unclear).map(|unit| unit.code), None, "{unclear:?}");
        }
        for unit in UNITS {
            assert_eq!(spelled(unit.code).map(|found| found.code), Some(unit.code), "a code means itself");
        }
        assert!(SPELLINGS.iter().all(|(word, code)| find(code).is_some() && !word.is_empty()));
    }
}
