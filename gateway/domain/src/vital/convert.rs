//! Into the unit a quantity is kept in.

use super::Quantity;

/// 1 kPa = 1 / 0.133322387 mmHg (conventional millimetre of mercury).
const KPA: f64 = 0.133_322_387;

/// Molar mass of glucose: 1 mmol/L = 18.016 mg/dL.
const GLUCOSE: f64 = 18.016;

/// 1 lb = 0.45359237 kg exactly; 1 in = 2.54 cm exactly.
const POUND: f64 = 0.453_592_37;
const INCH: f64 = 2.54;

/// A unit that is none of this quantity's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is not measured in {unit:?}; expected {} or one that converts to it", quantity.english(), quantity.unit())]
pub struct NotConvertible {
    /// What was to be measured.
    pub quantity: Quantity,
    /// In what.
    pub unit: String,
}

/// The value in the quantity's own unit. Only units that are named are converted: a wrong one is
/// never guessed from the size of the number. Units are UCUM, IEEE 11073 (number or name), or as people and devices
/// write them.
pub fn convert(quantity: Quantity, value: f64, unit: &str) -> Result<f64, NotConvertible> {
    use Quantity as Q;
    let ucum = super::mdc_unit(unit).or_else(|| written(unit)).unwrap_or(unit);
    let converted = match (quantity, ucum) {
        (_, unit) if unit == quantity.unit() => value,
        (Q::Systolic | Q::Diastolic | Q::MeanArterial, "kPa") => value / KPA,
        (Q::PulseRate, "{beats}/min") | (Q::RespirationRate, "{breaths}/min") => value,
        (Q::Temperature, "[degF]") => (value - 32.0) / 1.8,
        (Q::Weight, "g") => value / 1000.0,
        (Q::Weight, "[lb_av]") => value * POUND,
        (Q::Weight, "斤") => value / 2.0,
        (Q::Height, "m") => value * 100.0,
        (Q::Height, "mm") => value / 10.0,
        (Q::Height, "[in_i]") => value * INCH,
        (Q::Glucose, "mg/dL") => value / GLUCOSE,
        (Q::Glucose, "mol/L") => value * 1e3,
        // Mass per volume to moles per volume: kg/L = 1e5 mg/dL.
        (Q::Glucose, "kg/L") => value * 1e5 / GLUCOSE,
        _ => return Err(NotConvertible { quantity, unit: unit.to_owned() }),
    };
    Ok(converted)
}

/// The UCUM code of a unit as people and devices write it, whatever the case of its letters.
fn written(unit: &str) -> Option<&'static str> {
    let unit: String = unit.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    Some(match unit.as_str() {
        "mm[hg]" | "mmhg" | "毫米汞柱" => "mm[Hg]",
        "kpa" | "千帕" => "kPa",
        "%" | "％" | "percent" | "%{hgb}" | "%spo2" => "%",
        "/min" | "1/min" | "min-1" | "min^-1" | "/分" | "次/分" | "次/分钟" => "/min",
        "{beats}/min" | "beats/min" | "bpm" | "{beat}/min" => "{beats}/min",
        "{breaths}/min" | "breaths/min" | "brpm" | "rpm" | "{resp}/min" => "{breaths}/min",
        "cel" | "c" | "°c" | "℃" | "degc" | "摄氏度" | "celsius" => "Cel",
        "[degf]" | "f" | "°f" | "℉" | "degf" | "fahrenheit" => "[degF]",
        "kg" | "公斤" | "千克" | "kgs" => "kg",
        "g" | "克" => "g",
        "[lb_av]" | "lb" | "lbs" => "[lb_av]",
        "斤" | "市斤" => "斤",
        "m" | "米" => "m",
        "cm" | "厘米" | "公分" => "cm",
        "mm" | "毫米" => "mm",
        "[in_i]" | "in" | "inch" => "[in_i]",
        "kg/m2" | "kg/m^2" | "kg/m²" | "kg/㎡" => "kg/m2",
        "mmol/l" | "mmol/litre" | "毫摩尔/升" => "mmol/L",
        "mg/dl" | "mg/100ml" | "mg%" | "毫克/分升" => "mg/dL",
        "mol/l" => "mol/L",
        "kg/l" => "kg/L",
        _ => return None,
    })
}
