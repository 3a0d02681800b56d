//! Codes of the quantities: LOINC, and ISO/IEEE 11073-10101 by number and by name. `docs/protocols/hl7.md` shows the
//! tables and names their sources.

use super::{Quantity, Site};

/// Terms of ISO/IEEE 11073-10101 for the quantities, by number and by name.
const TERMS: &[(u32, &str, Quantity)] = &[
    (150_021, "MDC_PRESS_BLD_NONINV_SYS", Quantity::Systolic),
    (150_022, "MDC_PRESS_BLD_NONINV_DIA", Quantity::Diastolic),
    (150_023, "MDC_PRESS_BLD_NONINV_MEAN", Quantity::MeanArterial),
    (150_301, "MDC_PRESS_CUFF_SYS", Quantity::Systolic),
    (150_302, "MDC_PRESS_CUFF_DIA", Quantity::Diastolic),
    (150_303, "MDC_PRESS_CUFF_MEAN", Quantity::MeanArterial),
    (150_456, "MDC_PULS_OXIM_SAT_O2", Quantity::OxygenSaturation),
    (149_530, "MDC_PULS_OXIM_PULS_RATE", Quantity::PulseRate),
    (149_514, "MDC_PULS_RATE", Quantity::PulseRate),
    (149_546, "MDC_PULS_RATE_NON_INV", Quantity::PulseRate),
    (149_522, "MDC_BLD_PULS_RATE_INV", Quantity::PulseRate),
    (149_554, "MDC_TTHOR_HEART_RATE", Quantity::PulseRate),
    (149_562, "MDC_PALPATION_HEART_RATE", Quantity::PulseRate),
    (147_842, "MDC_ECG_HEART_RATE", Quantity::PulseRate),
    (151_562, "MDC_RESP_RATE", Quantity::RespirationRate),
    (151_570, "MDC_AWAY_RESP_RATE", Quantity::RespirationRate),
    (151_578, "MDC_TTHOR_RESP_RATE", Quantity::RespirationRate),
    (151_594, "MDC_CO2_RESP_RATE", Quantity::RespirationRate),
    (151_602, "MDC_PRESS_RESP_RATE", Quantity::RespirationRate),
    (151_650, "MDC_ACOUSTIC_RESP_RATE", Quantity::RespirationRate),
    (151_658, "MDC_PULS_OXIM_PLETH_RESP_RATE", Quantity::RespirationRate),
    (150_344, "MDC_TEMP", Quantity::Temperature),
    (150_364, "MDC_TEMP_BODY", Quantity::Temperature),
    (150_368, "MDC_TEMP_CORE", Quantity::Temperature),
    (150_388, "MDC_TEMP_SKIN", Quantity::Temperature),
    (188_456, "MDC_TEMP_GIT", Quantity::Temperature),
    (150_392, "MDC_TEMP_TYMP", Quantity::Temperature),
    (188_420, "MDC_TEMP_RECT", Quantity::Temperature),
    (188_424, "MDC_TEMP_ORAL", Quantity::Temperature),
    (188_428, "MDC_TEMP_EAR", Quantity::Temperature),
    (188_432, "MDC_TEMP_FINGER", Quantity::Temperature),
    (188_448, "MDC_TEMP_TOE", Quantity::Temperature),
    (188_452, "MDC_TEMP_AXILLA", Quantity::Temperature),
    // As devices number the armpit and the gut beside the standard.
    (188_496, "MDC_TEMP_AXIL", Quantity::Temperature),
    (150_384, "MDC_TEMP_GASTROINTESTINAL", Quantity::Temperature),
    (188_736, "MDC_MASS_BODY_ACTUAL", Quantity::Weight),
    (188_740, "MDC_LEN_BODY_ACTUAL", Quantity::Height),
    (188_752, "MDC_RATIO_MASS_BODY_LEN_SQ", Quantity::BodyMassIndex),
    (160_184, "MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD", Quantity::Glucose),
    (160_188, "MDC_CONC_GLU_CAPILLARY_PLASMA", Quantity::Glucose),
    (160_192, "MDC_CONC_GLU_VENOUS_WHOLEBLOOD", Quantity::Glucose),
    (160_196, "MDC_CONC_GLU_VENOUS_PLASMA", Quantity::Glucose),
    (160_200, "MDC_CONC_GLU_ARTERIAL_WHOLEBLOOD", Quantity::Glucose),
    (160_204, "MDC_CONC_GLU_ARTERIAL_PLASMA", Quantity::Glucose),
    (160_208, "MDC_CONC_GLU_CONTROL", Quantity::Glucose),
    (160_364, "MDC_CONC_GLU_UNDETERMINED_WHOLEBLOOD", Quantity::Glucose),
    (160_368, "MDC_CONC_GLU_UNDETERMINED_PLASMA", Quantity::Glucose),
];

/// Earlier names of terms.
const EARLIER: &[(&str, u32)] = &[("MDC_ECG_CARD_BEAT_RATE", 147_842)];

/// The number of the term for the glucose of a control solution.
pub const CONTROL_GLUCOSE: u32 = 160_208;

/// Units of ISO/IEEE 11073-10101 by number and by name, as UCUM.
const UNITS: &[(u32, &str, &str)] = &[
    (266_016, "MDC_DIM_MMHG", "mm[Hg]"),
    (265_987, "MDC_DIM_KILO_PASCAL", "kPa"),
    (262_688, "MDC_DIM_PERCENT", "%"),
    (264_864, "MDC_DIM_BEAT_PER_MIN", "/min"),
    (264_928, "MDC_DIM_RESP_PER_MIN", "/min"),
    (264_672, "MDC_DIM_PER_MIN", "/min"),
    (268_192, "MDC_DIM_DEGC", "Cel"),
    (266_560, "MDC_DIM_FAHR", "[degF]"),
    (263_875, "MDC_DIM_KILO_G", "kg"),
    (263_872, "MDC_DIM_X_G", "g"),
    (263_904, "MDC_DIM_LB", "[lb_av]"),
    (263_424, "MDC_DIM_X_M", "m"),
    (263_441, "MDC_DIM_CENTI_M", "cm"),
    (263_442, "MDC_DIM_MILLI_M", "mm"),
    (263_520, "MDC_DIM_INCH", "[in_i]"),
    (264_096, "MDC_DIM_KG_PER_M_SQ", "kg/m2"),
    (264_274, "MDC_DIM_MILLI_G_PER_DL", "mg/dL"),
    (266_866, "MDC_DIM_MILLI_MOLE_PER_L", "mmol/L"),
];

/// Further LOINC codes that devices use for a quantity.
const LOINC: &[(&str, Quantity)] = &[
    ("76534-7", Quantity::Systolic),
    ("8459-0", Quantity::Systolic),
    ("8460-8", Quantity::Systolic),
    ("8461-6", Quantity::Systolic),
    ("76535-4", Quantity::Diastolic),
    ("8453-3", Quantity::Diastolic),
    ("8454-1", Quantity::Diastolic),
    ("8455-8", Quantity::Diastolic),
    ("76536-2", Quantity::MeanArterial),
    ("8889-8", Quantity::PulseRate),
    ("8893-0", Quantity::PulseRate),
    ("76282-3", Quantity::PulseRate),
    // The code that the FHIR profile requires.
    ("2708-6", Quantity::OxygenSaturation),
    ("20564-1", Quantity::OxygenSaturation),
    ("76270-8", Quantity::RespirationRate),
    ("8328-7", Quantity::Temperature),
    ("8329-5", Quantity::Temperature),
    ("8331-1", Quantity::Temperature),
    ("8332-9", Quantity::Temperature),
    ("8333-7", Quantity::Temperature),
    ("75539-7", Quantity::Temperature),
    ("76010-8", Quantity::Temperature),
    ("76011-6", Quantity::Temperature),
    ("3141-9", Quantity::Weight),
    ("8350-1", Quantity::Weight),
    ("8351-9", Quantity::Weight),
    ("3137-7", Quantity::Height),
    ("8301-4", Quantity::Height),
    ("8306-3", Quantity::Height),
    ("8308-9", Quantity::Height),
    // Blood in moles and mass, fasting, capillary by glucometer, serum or plasma.
    ("15074-8", Quantity::Glucose),
    ("2339-0", Quantity::Glucose),
    ("14771-0", Quantity::Glucose),
    ("1558-6", Quantity::Glucose),
    ("41653-7", Quantity::Glucose),
    ("32016-8", Quantity::Glucose),
    ("14749-6", Quantity::Glucose),
    ("2345-7", Quantity::Glucose),
];

// === impl Quantity ===

impl Quantity {
    /// By a LOINC code, of any of the codes devices use for it.
    #[must_use]
    pub fn by_loinc(code: &str) -> Option<Self> {
        let own = Self::ALL.into_iter().find(|quantity| quantity.loinc() == code);
        own.or_else(|| LOINC.iter().find(|(known, _)| *known == code).map(|(_, quantity)| *quantity))
    }

    /// By an IEEE 11073 nomenclature code (MDC), as IHE PCD messages carry them.
    #[must_use]
    pub fn by_mdc(code: u32) -> Option<Self> {
        TERMS.iter().find(|(number, ..)| *number == code).map(|(.., quantity)| *quantity)
    }
}

/// The number of a term of ISO/IEEE 11073-10101, given as a number or as a name.
#[must_use]
pub fn mdc_number(code: &str) -> Option<u32> {
    let code = code.trim();
    let named = || TERMS.iter().find(|(_, name, _)| name.eq_ignore_ascii_case(code)).map(|(n, ..)| *n);
    let earlier = || EARLIER.iter().find(|(name, _)| name.eq_ignore_ascii_case(code)).map(|(_, n)| *n);
    code.parse().ok().or_else(named).or_else(earlier)
}

/// The UCUM code of a unit of ISO/IEEE 11073-10101, given as a number or as a name.
#[must_use]
pub fn mdc_unit(code: &str) -> Option<&'static str> {
    let (code, number) = (code.trim(), code.trim().parse::<u32>().ok());
    let is_it = |(n, name, _): &&(u32, &str, &str)| number == Some(*n) || name.eq_ignore_ascii_case(code);
    UNITS.iter().find(is_it).map(|(.., unit)| *unit)
}

/// The site that a code of a temperature implies.
#[must_use]
pub fn site_of(loinc: &str, mdc: Option<u32>) -> Option<Site> {
    Site::by_loinc(loinc).or_else(|| mdc.and_then(Site::by_mdc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_there_once() {
        for (nth, (number, name, _)) in TERMS.iter().enumerate() {
            assert!(!TERMS[nth + 1..].iter().any(|(n, other, _)| n == number || other == name), "{name}");
            assert_eq!((mdc_number(name), mdc_number(&number.to_string())), (Some(*number), Some(*number)));
        }
        for (nth, (code, _)) in LOINC.iter().enumerate() {
            assert!(!LOINC[nth + 1..].iter().any(|(other, _)| other == code), "{code}");
        }
    }

    #[test]
    fn every_row_is_on_the_page_for_people() {
        let page = include_str!("../../../../docs/protocols/hl7.md");
        for (number, name, quantity) in TERMS {
            let row = format!("| {number} | `{name}` |");
            assert!(page.contains(&row), "{row} ({quantity:?}) is not in docs/protocols/hl7.md");
            // Partition 2: physiological quantities.
            assert_eq!(number >> 16, 2, "{name}");
        }
        for (number, name, unit) in UNITS {
            let row = format!("| {number} | `{name}` | {unit} |");
            assert!(page.contains(&row), "{row} is not in docs/protocols/hl7.md");
            // Partition 4: dimensions.
            assert_eq!(number >> 16, 4, "{name}");
        }
    }

    #[test]
    fn every_unit_is_one_of_a_quantity() {
        for (number, name, unit) in UNITS {
            assert_eq!((mdc_unit(name), mdc_unit(&number.to_string())), (Some(*unit), Some(*unit)));
            assert!(Quantity::ALL.iter().any(|q| super::super::convert(*q, 1.0, unit).is_ok()), "{unit}");
        }
    }
}
