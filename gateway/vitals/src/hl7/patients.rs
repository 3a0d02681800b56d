//! Who a message is about. One message may be about several people (`PATIENT_RESULT` of ORU^R01, HL7 v2.5.1,
//! 7.3.1): each PID, and each PV1 after results, begins a group.

use linli_domain::vital::{Patient, Sex};

use super::message::Segment;

/// Fields of PID that name the patient: external, internal (repeating) and alternate id, account number, social
/// security number, driver's licence.
const OF_PERSON: [usize; 6] = [2, 3, 4, 18, 19, 20];

/// Fields of PV1 that name the visit: preadmission, visit and alternate visit number.
const OF_VISIT: [usize; 3] = [5, 19, 50];

/// The field of PV1 with the patient's place, and its parts: point of care, room, bed (PL, HL7 v2.5.1, 2.A.53).
const PLACE: usize = 3;
const PARTS_OF_PLACE: [usize; 3] = [1, 2, 3];

/// The groups of a message, in their order.
#[derive(Debug, Default)]
pub(super) struct Patients {
    groups: Vec<Group>,
    /// PID was seen.
    is_person_known: bool,
    /// Something came before the PID that may be about its person.
    is_early: bool,
}

#[derive(Debug, Default, Clone)]
struct Group {
    /// What PID says.
    person: Patient,
    /// What PV1 says.
    visit: Vec<String>,
    places: Vec<String>,
    has_results: bool,
}

// === impl Patients ===

impl Patients {
    /// Notes a PID or PV1. Returns whether it is one.
    pub fn note(&mut self, segment: &Segment<'_>) -> bool {
        match segment.name() {
            "PID" => {
                self.is_early |= !self.is_person_known && !self.groups.is_empty();
                self.is_person_known = true;
                let person = Patient {
                    ids: ids(segment, &OF_PERSON),
                    names: names(segment),
                    places: Vec::new(),
                    is_unclear: false,
                    birth: birth(&segment.component(7, 1)),
                    sex: Sex::find(&segment.component(8, 1)),
                };
                self.groups.push(Group { person, ..Group::default() });
            }
            "PV1" => {
                let visit = ids(segment, &OF_VISIT);
                let places = PARTS_OF_PLACE.map(|part| segment.component(PLACE, part));
                let places: Vec<String> = places.into_iter().filter_map(said).collect();
                match self.groups.last_mut() {
                    Some(group) if !group.has_results => {
                        group.visit.extend(visit);
                        group.places.extend(places);
                    }
                    Some(group) => {
                        let person = group.person.clone();
                        self.groups.push(Group { person, visit, places, has_results: false });
                    }
                    None => self.groups.push(Group { visit, places, ..Group::default() }),
                }
            }
            _ => return false,
        }
        true
    }

    /// Notes a result; returns the number of its group.
    pub fn result(&mut self) -> usize {
        if self.groups.is_empty() {
            self.groups.push(Group::default());
        }
        let last = self.groups.len() - 1;
        self.groups[last].has_results = true;
        last
    }

    /// The patient of each group. If the message does not say which results are whose, all are unclear.
    pub fn resolved(self) -> Vec<Patient> {
        let patient = |group: &Group| {
            let mut patient = group.person.clone();
            patient.ids.extend(group.visit.iter().cloned());
            patient.places.clone_from(&group.places);
            let mut seen = Vec::new();
            patient.ids.retain(|id| {
                !seen.contains(id) && {
                    seen.push(id.clone());
                    true
                }
            });
            patient
        };
        let mut patients: Vec<Patient> = self.groups.iter().map(patient).collect();
        // Of two that name nobody it is not known whether they are one.
        let are_alike = patients.windows(2).all(|pair| pair[0] == pair[1]);
        let are_several = !are_alike || (patients.len() > 1 && !patients.iter().all(Patient::is_named));
        let is_whole = |(patient, group): (&Patient, &Group)| patient.is_named() && group.has_results;
        let is_unclear = self.is_early || (are_several && !patients.iter().zip(&self.groups).all(is_whole));
        patients.iter_mut().for_each(|patient| patient.is_unclear = is_unclear);
        patients
    }
}

/// The first component of every repetition of the fields; `""` means "no value" (HL7 v2.5.1, 2.5.3).
fn ids(segment: &Segment<'_>, fields: &[usize]) -> Vec<String> {
    let all = fields.iter().flat_map(|field| segment.components(*field));
    all.filter_map(|parts| parts.into_iter().next()).filter_map(said).collect()
}

/// The names of PID-5: family name and given names of each repetition.
fn names(segment: &Segment<'_>) -> Vec<String> {
    let name = |parts: Vec<String>| -> Option<String> {
        let parts = parts.into_iter().take(3).filter_map(said).collect::<Vec<_>>();
        said(parts.concat())
    };
    segment.components(5).into_iter().filter_map(name).collect()
}

/// The date of PID-7, to the day: `YYYYMMDD` and perhaps a time.
fn birth(text: &str) -> Option<(i64, u8, u8)> {
    let digits = text.trim().get(..8).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
    Some((digits[..4].parse().ok()?, digits[4..6].parse().ok()?, digits[6..].parse().ok()?))
}

fn said(text: String) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text != "\"\"").then(|| text.to_owned())
}
