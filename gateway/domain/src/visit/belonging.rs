//! The table that decides whether a measurement belongs to a visit.
//!
//! It belongs to one only if every rule lets it pass; otherwise it is nobody's until a person says. The rules
//! are [`Rule::ALL`], each can be left out ([`decide_without`]), so that the model check shows what each of
//! them prevents.

use std::time::Duration;

use super::{Unassigned, window};
use crate::Id;
use crate::vital::{Birth, Measurement, Sex};

/// Devices give their time in whole seconds, so a measurement may be this much later than it says.
const RESOLUTION: Duration = Duration::from_secs(1);

/// Birthdays that devices send where nobody has entered one.
const DEFAULT_BIRTHS: [Birth; 3] = [(1900, 1, 1), (1970, 1, 1), (2000, 1, 1)];

/// How long ago a visit began and ended, by a clock that never jumps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Since it was opened.
    pub opened: Duration,
    /// Since it ended; `None` while it is open.
    pub ended: Option<Duration>,
}

/// A visit of the centre that is open or ended lately.
#[derive(Debug, Clone)]
pub struct Candidate<'v> {
    /// Its room.
    pub room: &'v Id,
    /// How long ago it began and ended.
    pub span: Span,
    /// What this visit alone is known by: its id and its code.
    pub codes: Vec<String>,
    /// What its resident is known by, at other visits, too: pseudonym, numbers of cards.
    pub known_as: Vec<String>,
    /// The resident's name, where it is known.
    pub name: Option<String>,
    /// The resident's birthday and sex, where they are known.
    pub born: Option<(Birth, Sex)>,
}

/// An identifier that a message names, in each form in which a visit may know it (as it is, hashed).
pub type Forms = Vec<String>;

/// What has to be decided: a measurement that arrived just now.
#[derive(Debug, Clone)]
pub struct Arrival<'m> {
    /// The measurement, after the check of its plausibility.
    pub measurement: &'m Measurement,
    /// The room of the device.
    pub room: Option<&'m Id>,
    /// The message says that the patient is in another room of the centre.
    pub is_elsewhere: bool,
    /// Every identifier the message names; one entry for each of `measurement.patient.ids`.
    pub identities: Vec<Forms>,
}

/// A rule of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A message about several people says about whom this is.
    OnePatient,
    /// A person was measured: no test, no control solution.
    OfAPerson,
    /// The device stands in the room of the visit.
    SameRoom,
    /// It is known when it was measured.
    KnownTime,
    /// Exactly one visit can be meant.
    OneVisit,
    /// Everybody the message names is the visit's resident.
    SamePerson,
    /// It was measured while the visit was open.
    Inside,
}

// === impl Rule ===

impl Rule {
    /// All rules.
    pub const ALL: [Self; 7] = [
        Self::OnePatient,
        Self::OfAPerson,
        Self::SameRoom,
        Self::KnownTime,
        Self::OneVisit,
        Self::SamePerson,
        Self::Inside,
    ];
}

/// To which of `visits` a measurement belongs that arrived just now; the answer is a position in it.
pub fn decide(arrival: &Arrival<'_>, visits: &[Candidate<'_>]) -> Result<usize, Unassigned> {
    decide_without(arrival, visits, None)
}

/// The visits of the device's room, open or ended, of the resident whom the message names, and nobody else: where an
/// earlier result of that resident is looked for.
#[must_use]
pub fn named(arrival: &Arrival<'_>, visits: &[Candidate<'_>]) -> Vec<usize> {
    let is_clear =
        !arrival.identities.is_empty() && !arrival.measurement.patient.is_unclear && !arrival.is_elsewhere;
    let is_theirs = |visit: &Candidate<'_>| arrival.room == Some(visit.room) && visit.is_of(arrival);
    (0..visits.len()).filter(|at| is_clear && is_theirs(&visits[*at])).collect()
}

/// As [`decide`], without one rule. For the model check; the gateway leaves out none.
pub fn decide_without(
    arrival: &Arrival<'_>,
    visits: &[Candidate<'_>],
    without: Option<Rule>,
) -> Result<usize, Unassigned> {
    let applies = |rule: Rule| without != Some(rule);
    let measurement = arrival.measurement;
    if applies(Rule::SameRoom) && arrival.room.is_none() {
        return Err(Unassigned::NoRoom);
    }
    if applies(Rule::OnePatient) && measurement.patient.is_unclear {
        return Err(Unassigned::PatientUnclear);
    }
    if applies(Rule::OfAPerson) && measurement.is_test() {
        return Err(Unassigned::Test);
    }
    let is_identified = !arrival.identities.is_empty();
    let names_visit = visits.iter().any(|visit| arrival.identities.iter().any(|forms| visit.has_code(forms)));
    let delay = match window::delay(measurement, is_identified, names_visit) {
        Err(unclear) if applies(Rule::KnownTime) => return Err(unclear),
        Err(_) => Duration::ZERO,
        Ok(delay) => delay,
    };
    let (shortest, longest) = window::takes(measurement);
    let is_open = |visit: &Candidate<'_>| visit.span.ended.is_none();
    // A visit that may be meant: the one that is named, or those of the room that lasted into the measuring.
    let may_be = |visit: &Candidate<'_>| {
        if is_identified {
            return is_open(visit) && arrival.identities.iter().any(|forms| visit.is_known_as(forms));
        }
        let touches = visit.span.ended.is_none_or(|ended| ended < longest + delay);
        touches && (Some(visit.room) == arrival.room)
    };
    let meant: Vec<usize> = (0..visits.len()).filter(|at| may_be(&visits[*at])).collect();
    let none = if measurement.patient.is_named() { Unassigned::OtherPatient } else { Unassigned::NoVisit };
    if meant.len() > 1 && applies(Rule::OneVisit) {
        return Err(if is_identified { Unassigned::SeveralPatients } else { Unassigned::TwoVisits });
    }
    let position =
        meant.iter().rev().find(|at| is_open(&visits[**at])).or(meant.last()).copied().ok_or(none)?;
    let visit = &visits[position];
    if applies(Rule::SameRoom) && (arrival.is_elsewhere || arrival.room != Some(visit.room)) {
        return Err(Unassigned::OtherRoom);
    }
    if applies(Rule::SamePerson) && !visit.is_of(arrival) {
        return Err(Unassigned::OtherPatient);
    }
    if applies(Rule::Inside) {
        // Somebody else may have sat down since.
        if !is_open(visit) {
            return Err(none);
        }
        let begun_inside = match is_identified {
            true => visit.span.opened + RESOLUTION >= delay,
            false => visit.span.opened >= shortest + delay,
        };
        if !begun_inside {
            return Err(Unassigned::BegunBefore);
        }
    }
    Ok(position)
}

// === impl Candidate ===

impl Candidate<'_> {
    fn has_code(&self, forms: &[String]) -> bool {
        forms.iter().any(|form| self.codes.iter().any(|known| is_same(known, form)))
    }

    fn is_known_as(&self, forms: &[String]) -> bool {
        self.has_code(forms)
            || forms.iter().any(|form| self.known_as.iter().any(|known| is_same(known, form)))
    }

    /// Whether everything the message says of the person fits this visit. A name that cannot be compared is
    /// not enough by itself, and no contradiction beside an identifier.
    fn is_of(&self, arrival: &Arrival<'_>) -> bool {
        let patient = &arrival.measurement.patient;
        if !arrival.identities.iter().all(|forms| self.is_known_as(forms)) || !self.is_as_born(arrival) {
            return false;
        }
        match self.is_called(&patient.names) {
            Some(is_same) => is_same,
            None => patient.names.is_empty() || !arrival.identities.is_empty(),
        }
    }

    /// Whether birthday and sex are not another person's. Beside an identifier they are often a monitor's defaults: they
    /// count where the message names nobody.
    fn is_as_born(&self, arrival: &Arrival<'_>) -> bool {
        let Some((born, own)) = self.born.filter(|_| arrival.identities.is_empty()) else { return true };
        let patient = &arrival.measurement.patient;
        let is_other_day =
            patient.birth.is_some_and(|birth| birth != born && !DEFAULT_BIRTHS.contains(&birth));
        let is_other_sex = patient.sex.is_some_and(|sex| sex != own);
        !is_other_day && !is_other_sex
    }

    /// Whether one of the names is the resident's; `None` if none of them can be compared.
    fn is_called(&self, names: &[String]) -> Option<bool> {
        let own = self.name.as_deref()?;
        let mut comparable = names.iter().filter(|name| name.is_ascii() == own.is_ascii()).peekable();
        comparable.peek()?;
        Some(comparable.any(|name| is_same_name(name, own)))
    }
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim().eq_ignore_ascii_case(other.trim())
}

fn is_same_name(one: &str, other: &str) -> bool {
    let letters = |name: &str| -> String { name.split_whitespace().flat_map(str::chars).collect() };
    letters(one).eq_ignore_ascii_case(&letters(other))
}
