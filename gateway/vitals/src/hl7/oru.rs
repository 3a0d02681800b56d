//! Results of an ORU^R01 message: the observations (OBX) of each order (OBR) as measurements.

use linli_domain::vital::{Caveat, Measurement, Patient, Reading, Taken};
use linli_domain::{Stamp, Timestamp};

use super::grouping::{Entry, grouped};
use super::message::Message;
use super::observation::observation;
use super::patients::Patients;
use super::refused::Refused;
use super::time;
use crate::zone::Zone;

/// Most characters of the header's fields that name a message: sending application and facility (HD, HL7
/// v2.5.1, 2.A.33), message control id (HL7 v2.7, 2.14.9.10; earlier versions permit 20).
const LONGEST: [(usize, usize); 3] = [(3, 227), (4, 227), (10, 199)];

/// The measurements of a message, received at `now`. A time without a zone is of the zone of MSH-7 if that has one,
/// else of `zone`.
pub fn results(message: &Message, now: Stamp, zone: &Zone) -> Result<Vec<Measurement>, Refused> {
    check_header(message)?;
    let own = time::zone(&message.header(7));
    let zone = own.as_ref().unwrap_or(zone);
    let (mut patients, mut orders, mut unreadable) = (Patients::default(), Vec::<Order>::new(), None);
    for segment in message.segments() {
        match segment.name() {
            "PID" | "PV1" => drop(patients.note(&segment)),
            "OBR" => {
                let ordered = time::read(&segment.component(7, 1), zone);
                let is_control = is_control(&[segment.text(13), segment.raw(15).to_owned()]);
                orders.push(Order { patient: patients.result(), ordered, is_control, entries: Vec::new() });
            }
            // The specimen: its type, and its role (table 0369: patient, group, replicate, else of quality control).
            "SPM" => {
                let role = segment.component(11, 1).to_uppercase();
                let is_own = matches!(role.as_str(), "" | "P" | "G" | "R");
                if let Some(order) = orders.last_mut() {
                    order.is_control |= !is_own || is_control(&[segment.raw(4).to_owned()]);
                }
            }
            "OBX" => {
                let Some(found) = observation(&segment)? else { continue };
                let patient = patients.result();
                // A result without an order, or after another patient began.
                if orders.last().is_none_or(|order| order.patient != patient) {
                    orders.push(Order {
                        patient,
                        ordered: (None, false),
                        is_control: false,
                        entries: Vec::new(),
                    });
                }
                unreadable = unreadable.or(found.unreadable.map(|value| (segment.text(1), value)));
                let (time, is_unclear) = time::read(&segment.component(14, 1), zone);
                let mut reading = found.reading;
                if is_unclear {
                    reading.doubt(Caveat::TimeUnclear);
                }
                let entry = Entry { group: segment.text(4), time, reading, amends: found.amends };
                orders.last_mut().into_iter().for_each(|order| order.entries.push(entry.clone()));
            }
            _ => {}
        }
    }
    let patients = patients.resolved();
    let name = format!("{}/{}/{}", message.header(3), message.header(4), message.header(10));
    let mut found = Vec::new();
    for (nth, order) in orders.into_iter().enumerate() {
        let patient = patients.get(order.patient).cloned().unwrap_or_default();
        found.extend(order.measurements(now, &format!("{name}/{nth}"), &patient));
    }
    let has_value = found.iter().any(|m| m.readings.iter().any(|reading| reading.value.is_ok()));
    match unreadable {
        _ if found.is_empty() => Err(Refused::NothingKnown),
        Some((set, value)) if !has_value => Err(Refused::Value { set, value }),
        _ => Ok(found),
    }
}

/// An order (OBR) with its observations.
struct Order {
    /// Number of the patient's group.
    patient: usize,
    /// OBR-7, and whether it says something that is no time.
    ordered: (Option<Timestamp>, bool),
    is_control: bool,
    entries: Vec<Entry>,
}

// === impl Order ===

impl Order {
    /// What was measured together, each with a part of the key.
    fn measurements(self, now: Stamp, key: &str, patient: &Patient) -> Vec<Measurement> {
        let Self { ordered, is_control, entries, .. } = self;
        let mut found = Vec::new();
        for (part, entries) in grouped(entries).into_iter().enumerate() {
            let part = if part == 0 { String::new() } else { format!(".{part}") };
            // The earliest: what began before a visit is not of it.
            let own = entries.iter().filter_map(|entry| entry.time).min();
            let (device, is_unclear) = own.map_or(ordered, |own| (Some(own), false));
            let amends =
                entries.iter().filter(|entry| entry.amends).map(|entry| entry.reading.quantity).collect();
            let mut readings: Vec<Reading> = entries.into_iter().map(|entry| entry.reading).collect();
            if is_control {
                readings.iter_mut().for_each(|reading| reading.doubt(Caveat::ControlSolution));
            }
            if is_unclear {
                readings.iter_mut().for_each(|reading| reading.doubt(Caveat::TimeUnclear));
            }
            found.push(Measurement {
                taken: Taken { at: now.at, clock: now.clock, device },
                readings,
                key: Some(format!("{key}{part}")),
                key_reused: false,
                amends,
                user: None,
                patient: patient.clone(),
            });
        }
        found
    }
}

fn check_header(message: &Message) -> Result<(), Refused> {
    let kind = message.segment("MSH").map(|header| [header.component(9, 1), header.component(9, 2)]);
    if kind != Some(["ORU".to_owned(), "R01".to_owned()]) {
        return Err(Refused::Kind(message.raw_header(9).to_owned()));
    }
    let processing = message.header(11);
    if !processing.is_empty() && !processing.starts_with('P') {
        return Err(Refused::Processing(processing));
    }
    if message.header(10).is_empty() {
        return Err(Refused::NoControlId);
    }
    for (field, most) in LONGEST {
        let characters = message.header(field).chars().count();
        if characters > most {
            return Err(Refused::TooLong { field, characters, most });
        }
    }
    Ok(())
}

/// Whether the words about a specimen say that it is control solution.
fn is_control(words: &[String]) -> bool {
    let marks = ["CONTROL", "CTRL", "QC", "质控"];
    words.iter().any(|word| marks.iter().any(|mark| word.to_uppercase().contains(mark)))
}
