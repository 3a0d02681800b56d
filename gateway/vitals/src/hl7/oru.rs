//! Results of an ORU^R01 message: the observations (OBX) of each order (OBR) as measurements.

use linli_domain::vital::{
    Attachment, Caveat, MOST_ATTACHMENTS, Measurement, NoReading, Patient, Reading, Taken,
};
use linli_domain::{Stamp, Timestamp};

use super::encapsulated::document;
use super::grouping::{Entry, grouped};
use super::message::{Message, Segment};
use super::observation::{Observation, observation};
use super::patients::Patients;
use super::refused::Refused;
use super::time;
use crate::zone::Zone;

/// Most characters of the header's fields that name a message: sending application and facility (HD, HL7
/// v2.5.1, 2.A.33), message control id (HL7 v2.7, 2.14.9.10; earlier versions permit 20).
const LONGEST: [(usize, usize); 3] = [(3, 227), (4, 227), (10, 199)];

/// A specimen action code (HL7 table 0065): a control specimen.
const CONTROL_SPECIMEN: &str = "Q";

/// Unsolicited observations: of a laboratory, and of a point of care (HL7 v2.5.1, 7.3); earlier versions name no event.
const EVENTS: [&str; 5] = ["R01", "R30", "R31", "R32", ""];

/// Flags that are no beginning of a longer one, in what devices send.
const WHOLE_FLAGS: [&str; 6] = ["N", "H", "L", "HH", "LL", "A"];

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub struct Results {
    /// What was measured.
    pub measurements: Vec<Measurement>,
    /// Results that have no value because their text or unit is none; those beside them are kept.
    pub flawed: Vec<Refused>,
}

/// The measurements of a message, received at `now`. A time without a zone is of the zone of MSH-7 if that has one,
/// else of `zone`. An error if nothing in it has a value.
pub fn results(message: &Message, now: Stamp, zone: &Zone) -> Result<Results, Refused> {
    check_header(message)?;
    let own = time::zone(&message.header(7));
    let zone = own.as_ref().unwrap_or(zone);
    let mut reader = Reader { zone, patients: Patients::default(), orders: Vec::new(), flawed: Vec::new() };
    message.segments().for_each(|segment| reader.read(message, &segment));
    let Reader { patients, orders, flawed, .. } = reader;
    let patients = patients.resolved();
    let name = format!("{}/{}/{}", message.header(3), message.header(4), message.header(10));
    let sent = time::read(&message.header(7), zone).0;
    let mut measurements = Vec::new();
    for (nth, order) in orders.into_iter().enumerate() {
        let patient = patients.get(order.patient).cloned().unwrap_or_default();
        measurements.extend(order.measurements(now, sent, &format!("{name}/{nth}"), &patient));
    }
    let has_value = measurements
        .iter()
        .any(|m| !m.attachments.is_empty() || m.readings.iter().any(|reading| reading.value.is_ok()));
    match flawed.first() {
        None if measurements.is_empty() => Err(Refused::NothingKnown),
        Some(flaw) if !has_value => Err(flaw.clone()),
        _ => Ok(Results { measurements, flawed }),
    }
}

/// Reads a message from front to back.
struct Reader<'z> {
    zone: &'z Zone,
    patients: Patients,
    orders: Vec<Order>,
    flawed: Vec<Refused>,
}

// === impl Reader ===

impl Reader<'_> {
    fn read(&mut self, message: &Message, segment: &Segment<'_>) {
        match segment.name() {
            "PID" | "PV1" => drop(self.patients.note(segment)),
            "OBR" => {
                // Begin and end of the observation, arrival of the specimen.
                let ordered = self.time(segment, &[7, 8, 14]);
                let is_control = is_control(&[segment.text(13), segment.raw(15).to_owned()])
                    || segment.text(11).trim().eq_ignore_ascii_case(CONTROL_SPECIMEN)
                    || is_said_control(&[segment.raw(4)]);
                self.begin(ordered, is_control);
            }
            // The specimen: its type, and its role (table 0369: patient, group, replicate, else of quality control).
            "SPM" => {
                let role = segment.component(11, 1).to_uppercase();
                let is_own = matches!(role.as_str(), "" | "P" | "G" | "R");
                let collected = self.time(segment, &[17]);
                if let Some(order) = self.orders.last_mut() {
                    order.is_control |= !is_own || is_control(&[segment.raw(4).to_owned()]);
                    if order.ordered == (None, false) {
                        order.ordered = collected;
                    }
                }
            }
            "NTE" => {
                if let Some(order) = self.orders.last_mut() {
                    order.is_control |= is_said_control(&[segment.raw(3)]);
                }
            }
            "OBX" => self.observed(message, segment),
            _ => {}
        }
    }

    /// The time in the first of these fields that says something, and whether it is none.
    fn time(&self, segment: &Segment<'_>, fields: &[usize]) -> (Option<Timestamp>, bool) {
        let mut read = fields.iter().map(|field| time::read(&segment.component(*field, 1), self.zone));
        read.find(|read| *read != (None, false)).unwrap_or_default()
    }

    fn begin(&mut self, ordered: (Option<Timestamp>, bool), is_control: bool) {
        let patient = self.patients.result();
        let (entries, attachments) = (Vec::new(), Vec::new());
        self.orders.push(Order { patient, ordered, is_control, entries, attachments });
    }

    /// Takes a document of the order, or says why it is not kept.
    fn attached(&mut self, document: Result<Attachment, Refused>, segment: &Segment<'_>) {
        let patient = self.patients.result();
        if self.orders.last().is_none_or(|order| order.patient != patient) {
            self.begin((None, false), false);
        }
        let Some(order) = self.orders.last_mut() else { return };
        match document {
            Ok(_) if order.attachments.len() >= MOST_ATTACHMENTS => {
                self.flawed
                    .push(Refused::Document { set: segment.text(1), why: "the order has eight already" });
            }
            Ok(document) => order.attachments.push(document),
            Err(why) => self.flawed.push(why),
        }
    }

    fn observed(&mut self, message: &Message, segment: &Segment<'_>) {
        if let Some(document) = document(segment) {
            return self.attached(document, segment);
        }
        let Some(Observation { mut reading, flaw, amends }) = observation(segment) else { return };
        let patient = self.patients.result();
        // A result without an order, or after another patient began.
        if self.orders.last().is_none_or(|order| order.patient != patient) {
            self.begin((None, false), false);
        }
        // Of the observation, else of its analysis.
        let (time, is_unclear) = self.time(segment, &[14, 19]);
        if is_unclear {
            reading.doubt(Caveat::TimeUnclear);
        }
        // Cut in the middle of its flags, which may have said that it is a test.
        let is_cut = message.is_open(segment) && segment.length() == 9;
        if is_cut && !WHOLE_FLAGS.contains(&segment.raw(8).trim()) {
            reading.refuse(NoReading::Error);
            self.flawed.push(Refused::Cut { set: segment.text(1) });
        }
        self.flawed.extend(flaw);
        let Some(order) = self.orders.last_mut() else { return };
        order.is_control |= is_said_control(&[segment.raw(3)]);
        order.entries.push(Entry { group: segment.text(4), time, reading, amends });
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
    attachments: Vec<Attachment>,
}

// === impl Order ===

impl Order {
    /// What was measured together, each with a part of the key.
    fn measurements(
        self,
        now: Stamp,
        sent: Option<Timestamp>,
        key: &str,
        patient: &Patient,
    ) -> Vec<Measurement> {
        let Self { ordered, is_control, entries, mut attachments, .. } = self;
        let (mut found, mut groups) = (Vec::new(), grouped(entries));
        if groups.is_empty() && !attachments.is_empty() {
            // Documents alone are a measurement without readings.
            groups.push(Vec::new());
        }
        for (part, entries) in groups.into_iter().enumerate() {
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
                sent,
                amends,
                // Those of an order are with what was measured first.
                attachments: std::mem::take(&mut attachments),
                attached: Vec::new(),
                user: None,
                patient: patient.clone(),
            });
        }
        found
    }
}

fn check_header(message: &Message) -> Result<(), Refused> {
    let part = |number| message.segment("MSH").map(|header| header.component(9, number)).unwrap_or_default();
    if part(1) != "ORU" || !EVENTS.contains(&part(2).as_str()) {
        return Err(Refused::Kind(message.raw_header(9).to_owned()));
    }
    let processing = message.header(11);
    if !processing.is_empty() && !processing.starts_with(['P', 'p']) {
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

/// Whether a free text says so: a comment, or the name of a test.
fn is_said_control(texts: &[&str]) -> bool {
    const MARKS: [&str; 5] = ["CONTROL SOLUTION", "QUALITY CONTROL", "CONTROL SAMPLE", "质控", "质量控制"];
    texts.iter().any(|text| MARKS.iter().any(|mark| text.to_uppercase().contains(mark)))
}
