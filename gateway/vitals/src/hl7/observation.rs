//! One observation (OBX) to a reading. A field without a usable value is "no value"; it never costs its neighbours.

use linli_domain::vital::{
    CONTROL_GLUCOSE, Caveat, Comparator, NoReading, Quantity, Reading, Site, convert, is_placeholder,
    mdc_number, site_of,
};

use super::message::Segment;
use super::refused::Refused;

/// What OBX-3 says.
struct Code {
    quantity: Quantity,
    site: Option<Site>,
    is_control: bool,
    /// Whether all that it names is one quantity.
    agrees: bool,
}

/// What OBX-5 says.
enum Value {
    /// A number, exact or not.
    Number { number: f64, comparator: Option<Comparator>, upper: Option<f64> },
    /// Why there is none.
    None(NoReading),
    /// A text that is neither a number nor a word for having none.
    Text(String),
}

/// A reading, and what is wrong with its text or unit.
pub(super) struct Observation {
    pub reading: Reading,
    pub flaw: Option<Refused>,
    /// It replaces an earlier result, or withdraws it.
    pub amends: bool,
}

/// Words that devices send because there is no value.
const NONE: [&str; 16] = [
    "", "\"\"", "na", "n/a", "nan", "null", "none", "nil", "error", "err", "invalid", "inv", "fail",
    "failed", "无", "无效",
];

/// One observation; none when its code is not a vital sign.
pub(super) fn observation(segment: &Segment<'_>) -> Option<Observation> {
    let code = code(segment)?;
    let quantity = code.quantity;
    let status = segment.text(11).trim().to_uppercase();
    let (mut reading, mut flaw) = (Reading::none(quantity, NoReading::NotPerformed), None);
    // Result status (HL7 table 0085): cannot be obtained, pending, not asked for, deleted, posted as wrong.
    if !matches!(status.as_str(), "X" | "I" | "N" | "O" | "D" | "W") {
        match value(segment) {
            Value::Number { number, comparator, upper } => {
                let unit = segment.component(6, 1);
                let unit = if unit.is_empty() { segment.component(6, 4) } else { unit };
                let own = |number| convert(quantity, number, &unit);
                let value = own(number);
                let in_own_unit = *value.as_ref().unwrap_or(&number);
                if comparator.is_none() && is_placeholder(quantity, number, in_own_unit) {
                    reading.value = Err(NoReading::Error);
                } else {
                    match value {
                        Ok(value) => {
                            (reading.value, reading.comparator) = (Ok(value), comparator);
                            reading.upper = upper.and_then(|upper| own(upper).ok());
                        }
                        Err(reason) => {
                            reading.value = Err(NoReading::Error);
                            flaw = Some(Refused::Unit { set: segment.text(1), reason });
                        }
                    }
                }
            }
            Value::None(why) => reading.value = Err(why),
            Value::Text(value) => {
                reading.value = Err(NoReading::NotANumber);
                flaw = Some(Refused::Value { set: segment.text(1), value });
            }
        }
    }
    if !code.agrees {
        reading.refuse(NoReading::Error);
        flaw = Some(Refused::Codes { set: segment.text(1) });
    }
    match status.as_str() {
        "C" => reading.doubt(Caveat::Corrected),
        "P" | "R" | "S" | "B" => reading.doubt(Caveat::Preliminary),
        "" | "\"\"" | "F" | "U" | "V" | "X" | "I" | "N" | "O" | "D" | "W" => {}
        // A status that is not known may say anything.
        _ => reading.doubt(Caveat::Questionable),
    }
    if code.is_control {
        reading.doubt(Caveat::ControlSolution);
    }
    for word in flag_words(segment) {
        match flag(&word) {
            Flag::Nothing => {}
            Flag::Doubt(caveat) => reading.doubt(caveat),
            Flag::NoValue(why) => reading.refuse(why),
        }
    }
    if quantity == Quantity::Temperature {
        let named = || [segment.text(20), segment.component(20, 2), segment.component(3, 2)];
        reading.site = code.site.or_else(|| named().iter().find_map(|word| Site::find(word)));
    }
    let amends = matches!(status.as_str(), "C" | "D" | "W");
    Some(Observation { reading, flaw, amends })
}

/// By OBX-3: the identifier or the alternate identifier is a LOINC code, or a number or name of IEEE 11073.
fn code(segment: &Segment<'_>) -> Option<Code> {
    let mut all = codes(segment).into_iter();
    let first = all.next()?;
    let agrees = all.all(|other| other.quantity == first.quantity);
    Some(Code { agrees, ..first })
}

/// Everything that OBX-3 names.
fn codes(segment: &Segment<'_>) -> Vec<Code> {
    let mut all = Vec::new();
    for (at, system) in [(1, 3), (4, 6)] {
        let texts = [segment.component(3, at), segment.component(3, at + 1)];
        let system = segment.component(3, system).trim().to_uppercase();
        let is_loinc = matches!(system.as_str(), "LN" | "LNC" | "LOINC" | "");
        let is_mdc = matches!(system.as_str(), "ISO+" | "IEEE" | "")
            || system.contains("MDC")
            || system.contains("11073");
        if let Some(quantity) = Quantity::by_loinc(texts[0].trim()).filter(|_| is_loinc) {
            let site = site_of(texts[0].trim(), None);
            all.push(Code { quantity, site, is_control: false, agrees: true });
            continue;
        }
        let numbers = texts.iter().filter_map(|text| mdc_number(text)).filter(|_| is_mdc);
        let known =
            numbers.map(|number| Some((number, Quantity::by_mdc(number)?))).collect::<Option<Vec<_>>>();
        all.extend(known.into_iter().flatten().map(|(number, quantity)| Code {
            quantity,
            site: site_of("", Some(number)),
            is_control: number == CONTROL_GLUCOSE,
            agrees: true,
        }));
    }
    all
}

/// By OBX-5, whatever OBX-2 says: devices send `>33.3` as NM and plain numbers as ST.
fn value(segment: &Segment<'_>) -> Value {
    let repetitions = segment.components(5);
    // Two values of one result: it is not said which counts.
    if repetitions.windows(2).any(|pair| pair[0] != pair[1]) {
        return Value::None(NoReading::NotANumber);
    }
    let parts = repetitions.into_iter().next().unwrap_or_default();
    let part = |at: usize| parts.get(at).map_or("", |text| text.trim());
    // A comparator that stands by itself is one of SN, whatever type is named.
    let is_structured = segment.text(2).trim() == "SN" || (parts.len() > 1 && !part(1).is_empty());
    if !is_structured || ((1..4).all(|at| part(at).is_empty()) && !part(0).is_empty()) {
        return text(part(0));
    }
    // SN: comparator, number, separator or suffix, number (HL7 v2.5.1, 2.A.69).
    let (sign, rest) = Comparator::split(part(0));
    if !matches!(rest, "" | "=") {
        // `<>`: anything but the number.
        return Value::None(NoReading::NotANumber);
    }
    match (text(part(1)), part(2), text(part(3))) {
        (Value::Number { number, .. }, "-", Value::Number { number: upper, .. }) if number <= upper => {
            Value::Number { number, comparator: None, upper: Some(upper) }
        }
        (Value::Number { number, comparator, .. }, "" | ".", _) => {
            Value::Number { number, comparator: sign.or(comparator), upper: None }
        }
        // A ratio, or a grade such as 2+.
        (Value::Number { .. }, ..) => Value::None(NoReading::NotANumber),
        (other, ..) => other,
    }
}

fn text(text: &str) -> Value {
    let text = text.trim();
    let (comparator, rest) = Comparator::split(text);
    if let Ok(number) = rest.parse::<f64>()
        && number.is_finite()
    {
        return Value::Number { number, comparator, upper: None };
    }
    if let Some((low, high)) = rest.split_once('-')
        && let (Ok(number), Ok(upper)) = (low.trim().parse::<f64>(), high.trim().parse::<f64>())
        && number <= upper
    {
        return Value::Number { number, comparator: None, upper: Some(upper) };
    }
    let word = text.to_lowercase();
    match word.as_str() {
        // Glucose meters say so beyond what they measure.
        "hi" => Value::None(NoReading::PositiveInfinity),
        "lo" => Value::None(NoReading::NegativeInfinity),
        word if NONE.contains(&word) || !word.chars().any(char::is_alphanumeric) => {
            Value::None(NoReading::NotPerformed)
        }
        _ => Value::Text(text.to_owned()),
    }
}

/// What a word of OBX-8 says about the value.
enum Flag {
    /// How it lies to a reference range, or nothing.
    Nothing,
    Doubt(Caveat),
    NoValue(NoReading),
}

/// Words of HL7 table 0078, and devices' own, that say how the value lies to a reference range.
const OF_RANGE: [&str; 40] = [
    "", "\"\"", "L", "H", "LL", "HH", "<", ">", "N", "A", "AA", "U", "D", "B", "W", "S", "R", "I", "MS",
    "VS", "POS", "NEG", "HU", "LU", "HX", "LX", "NORMAL", "NORM", "ABNORMAL", "HIGH", "LOW", "OK", "VALID",
    "NULL", "正常", "高", "低", "偏高", "偏低", "异常",
];

/// The words of OBX-8: repetitions and components.
fn flag_words(segment: &Segment<'_>) -> Vec<String> {
    segment.components(8).iter().flatten().map(|word| word.trim().to_uppercase()).collect()
}

/// By table 0078, the words of IHE PCD-01 for the state of a measurement, and devices' own. One that is not known may
/// say anything: the value is doubtful.
fn flag(word: &str) -> Flag {
    let has = |parts: &[&str]| parts.iter().any(|part| word.contains(part));
    Flag::Doubt(if OF_RANGE.contains(&word) || !word.chars().any(char::is_alphanumeric) {
        return Flag::Nothing;
    } else if matches!(word, "ALACT" | "ALINH" | "ALARM") {
        // An alarm of the monitor is active, or switched off: not a word about the value.
        return Flag::Nothing;
    } else if matches!(word, "INV") || has(&["INVALID", "无效"]) {
        return Flag::NoValue(NoReading::Error);
    } else if matches!(word, "NAV") {
        return Flag::NoValue(NoReading::NotPerformed);
    } else if has(&["DEMO", "TEST", "SIMUL", "演示", "测试"])
        || matches!(word, "CAL" | "SIM")
        || has(&["CALIBR"])
    {
        Caveat::Demonstration
    } else if has(&["CONTROL", "QC", "CTRL", "质控"]) {
        Caveat::ControlSolution
    } else if has(&["CUFF", "LOOSE", "袖带"]) {
        Caveat::CuffLoose
    } else if has(&["MOTION", "MOVE", "ARTIFACT", "ARTEFACT", "体动"]) {
        Caveat::BodyMovement
    } else if has(&["IRREG", "ARRHYTHM", "心律不齐"]) {
        Caveat::IrregularPulse
    } else if has(&["POSITION", "体位"]) {
        Caveat::ImproperPosition
    } else if has(&["PERFUSION", "灌注"]) {
        Caveat::LowPerfusion
    } else if has(&["SIGNAL", "NOISE", "LEADOFF", "LEAD OFF", "PROBE", "信号"]) {
        Caveat::PoorSignal
    } else if matches!(word, "ERLY" | "ONG" | "BUSY") || has(&["EARLY", "PRELIM", "ONGOING"]) {
        Caveat::Preliminary
    } else {
        Caveat::Questionable
    })
}
