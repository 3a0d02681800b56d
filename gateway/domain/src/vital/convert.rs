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
/// never guessed from the size of the number.
pub fn convert(quantity: Quantity, value: f64, unit: &str) -> Result<f64, NotConvertible> {
    use Quantity as Q;
    let converted = match (quantity, unit) {
        (_, unit) if unit == quantity.unit() => value,
        (Q::Systolic | Q::Diastolic | Q::MeanArterial, "kPa") => value / KPA,
        (Q::Systolic | Q::Diastolic | Q::MeanArterial, "mmHg" | "MDC_DIM_MMHG") => value,
        (Q::PulseRate, "{beats}/min" | "{Beats}/min" | "bpm" | "MDC_DIM_BEAT_PER_MIN")
        | (Q::RespirationRate, "{breaths}/min" | "MDC_DIM_RESP_PER_MIN")
        | (Q::OxygenSaturation, "MDC_DIM_PERCENT")
        | (Q::Temperature, "MDC_DIM_DEGC" | "°C")
        | (Q::Weight, "MDC_DIM_KILO_G")
        | (Q::Height, "MDC_DIM_CENTI_M") => value,
        (Q::Temperature, "[degF]" | "MDC_DIM_FAHR") => (value - 32.0) / 1.8,
        (Q::Weight, "g") => value / 1000.0,
        (Q::Weight, "[lb_av]") => value * POUND,
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
