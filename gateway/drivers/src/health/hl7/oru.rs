//! Results of an ORU^R01 message: one measurement per order (OBR) with its observations (OBX).

use linli_domain::vital::{
    Caveat, Measurement, NoReading, NotConvertible, Patient, Quantity, Reading, Taken, convert,
};
use linli_domain::{Stamp, Timestamp};

use super::message::{Message, Segment};
use super::patients::Patients;
use super::time;
use crate::health::zone::Zone;

/// Most characters of the header's fields that name a message: sending application and facility (HD, HL7
/// v2.5.1, 2.A.33), message control id (HL7 v2.7, 2.14.9.10; earlier versions permit 20).
const LONGEST: [(usize, usize); 3] = [(3, 227), (4, 227), (10, 199)];

/// Why a message has no usable results.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Another kind of message; to be rejected.
    #[error("{0:?} is not taken here, ORU^R01 is")]
    Kind(String),
    /// A test message sent to a production system; to be rejected.
    #[error("processing id {0:?} is not P (production)")]
    Processing(String),
    /// No control id (MSH-10).
    #[error("MSH-10 (message control id) is missing")]
    NoControlId,
    /// A field of the header that is longer than the standard permits.
    #[error("MSH-{field} has {characters} characters; at most {most} are permitted")]
    TooLong {
        /// Number of the field.
        field: usize,
        /// Its length.
        characters: usize,
        /// The longest permitted.
        most: usize,
    },
    /// None of its observations is a vital sign linli knows.
    #[error("no observation with a code linli knows (LOINC or MDC)")]
    NothingKnown,
    /// A unit that does not fit the code.
    #[error("OBX-{set}: {reason}")]
    Unit {
        /// OBX-1.
        set: String,
        /// The expected unit.
        reason: NotConvertible,
    },
    /// A value that is no number.
    #[error("OBX-{set}: {value:?} is not a number")]
    Value {
        /// OBX-1.
        set: String,
        /// The value received.
        value: String,
    },
}

// === impl Refused ===

impl Refused {
    /// Whether this type of message is rejected, as opposed to an error in this message.
    #[must_use]
    pub const fn is_rejection(&self) -> bool {
        matches!(self, Self::Kind(_) | Self::Processing(_))
    }
}

/// The measurements of a message, received at `now`.
pub fn results(message: &Message, now: Stamp, zone: Zone) -> Result<Vec<Measurement>, Refused> {
    let kind = message.raw_header(9);
    let mut parts = kind.split('^');
    if (parts.next(), parts.next()) != (Some("ORU"), Some("R01")) {
        return Err(Refused::Kind(kind.to_owned()));
    }
    let processing = message.header(11);
    if !processing.is_empty() && !processing.starts_with('P') {
        return Err(Refused::Processing(processing));
    }
    let control_id = message.header(10);
    if control_id.is_empty() {
        return Err(Refused::NoControlId);
    }
    for (field, most) in LONGEST {
        let characters = message.header(field).chars().count();
        if characters > most {
            return Err(Refused::TooLong { field, characters, most });
        }
    }
    let sender = format!("{}/{}", message.header(3), message.header(4));
    let mut patients = Patients::default();
    // Each with the number of its patient's group.
    let mut found: Vec<(usize, Measurement)> = Vec::new();
    let mut ordered = None;
    let begin = |ordered, nth: usize| Measurement {
        taken: Taken { at: now.at, clock: now.clock, device: ordered },
        readings: Vec::new(),
        key: Some(format!("{sender}/{control_id}/{nth}")),
        key_reused: false,
        user: None,
        patient: Patient::default(),
    };
    for segment in message.segments() {
        match segment.name() {
            "PID" | "PV1" => drop(patients.note(&segment)),
            "OBR" => {
                ordered = time::parse(&segment.component(7, 1), zone);
                found.push((patients.result(), begin(ordered, found.len())));
            }
            "OBX" => {
                let Some(reading) = reading(&segment)? else { continue };
                let group = patients.result();
                // A result without an order, or after another patient began.
                if found.last().is_none_or(|(of, _)| *of != group) {
                    ordered = None;
                    found.push((group, begin(None, found.len())));
                }
                let Some((_, measurement)) = found.last_mut() else { continue };
                let own: Option<Timestamp> = time::parse(&segment.component(14, 1), zone);
                measurement.taken.device = measurement.taken.device.or(own).or(ordered);
                measurement.readings.push(reading);
            }
            _ => {}
        }
    }
    let patients = patients.resolved();
    found.retain(|(_, measurement)| !measurement.readings.is_empty());
    for (group, measurement) in &mut found {
        measurement.patient = patients.get(*group).cloned().unwrap_or_default();
    }
    if found.is_empty() {
        return Err(Refused::NothingKnown);
    }
    Ok(found.into_iter().map(|(_, measurement)| measurement).collect())
}

/// One observation; none when its code is not a vital sign.
fn reading(segment: &Segment<'_>) -> Result<Option<Reading>, Refused> {
    let Some(quantity) = quantity(segment) else { return Ok(None) };
    let set = segment.text(1);
    let status = segment.text(11);
    let value = segment.component(5, 1);
    // A structured number is comparator, number; one with a comparator is no exact value.
    let value = if segment.text(2) == "SN" { segment.component(5, 2) } else { value };
    // Result status: cannot be obtained, pending, or deleted.
    if matches!(status.as_str(), "X" | "I" | "N" | "D" | "W") || value.is_empty() {
        return Ok(Some(Reading::none(quantity, NoReading::NotPerformed)));
    }
    let number: f64 = match value.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => number,
        _ => return Err(Refused::Value { set, value }),
    };
    let unit = segment.component(6, 1);
    let converted = convert(quantity, number, &unit).map_err(|reason| Refused::Unit { set, reason })?;
    let mut reading = Reading::of(quantity, converted);
    match status.as_str() {
        "C" => reading.doubt(Caveat::Corrected),
        "P" | "R" | "S" => reading.doubt(Caveat::Preliminary),
        _ => {}
    }
    Ok(Some(reading))
}

/// By OBX-3, whose first or second triplet may be the LOINC or MDC code.
fn quantity(segment: &Segment<'_>) -> Option<Quantity> {
    [(1, 3), (4, 6)].into_iter().find_map(|(code, system)| {
        let code = segment.component(3, code);
        match segment.component(3, system).as_str() {
            "LN" => Quantity::by_loinc(&code),
            "MDC" => Quantity::by_mdc(code.parse().ok()?),
            _ => None,
        }
    })
}
