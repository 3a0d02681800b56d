//! A measurement and the message about it: rightly named, wrongly, twice, not at all; with a clock that is right,
//! wrong or missing.
//!
//! What the model assumes, because no table can know it: a device without a clock sends at once, or marks what comes
//! out of its memory; a message that names only the resident of the visit in its room is about that resident; who
//! is measured in a cabin while somebody else's visit is open, is named as well.

use linli_domain::visit::Forms;
use linli_domain::vital::{Caveat, Measurement, Patient, Quantity, Reading, Taken, check};
use linli_domain::{ClockQuality, Timestamp};

use super::world::{HALF, World, number};

/// Now.
const NOW: i64 = 1_795_428_000_000;

/// The clock of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    None,
    Right,
    /// An hour ahead.
    Wrong,
}

/// A measurement on its way.
#[derive(Debug, Clone)]
pub struct Message {
    /// The room of the device; 2 is none.
    pub room: u8,
    /// Who was measured; nobody in a test.
    pub subject: Option<u8>,
    /// Half steps since it began.
    pub age: u32,
    /// Half steps it takes.
    takes: u32,
    ids: Vec<String>,
    is_unclear: bool,
    clock: Clock,
}

/// Every measurement that can begin now, with every message about it.
pub fn messages(world: &World) -> Vec<Message> {
    let mut all = Vec::new();
    // The rooms are alike, so one with a device is enough, and one that has none.
    for room in [0, 2] {
        let own = world.open_in(room).map(|stay| stay.resident);
        for subject in [None, Some(0), Some(1), Some(2)] {
            // Whoever has a visit in the other room sits there.
            if subject.is_some_and(|subject| own != Some(subject) && world.is_visiting(subject)) {
                continue;
            }
            for (ids, is_unclear) in labels(world, own, subject, room) {
                for clock in [Clock::None, Clock::Right, Clock::Wrong] {
                    // Who has no visit is done in the shortest time.
                    let long = if own.is_some() && own == subject { 6 } else { 2 };
                    for takes in [2, long] {
                        let ids = ids.clone();
                        all.push(Message { room, subject, age: 0, takes, ids, is_unclear, clock });
                    }
                }
            }
        }
    }
    all
}

/// What the message may name, and whether it is about several people without saying about whom.
fn labels(world: &World, own: Option<u8>, subject: Option<u8>, room: u8) -> Vec<(Vec<String>, bool)> {
    let Some(subject) = subject else {
        return [None, own].into_iter().map(|who| (who.map(number).into_iter().collect(), false)).collect();
    };
    let mut labels = Vec::new();
    let is_own = own == Some(subject);
    // A device that names nobody; a stranger in somebody's visit is named.
    if is_own || own.is_none() {
        labels.push((Vec::new(), false));
    }
    labels.push((vec![number(subject)], false));
    for (nth, stay) in world.visits.iter().enumerate() {
        let code = format!("code-{nth}");
        let is_open_here = stay.room == room && stay.ended.is_none();
        if is_open_here {
            // A message about this resident and about another person.
            labels.push((vec![code.clone()], !is_own));
            labels.push((vec![code.clone(), number(subject)], false));
        } else {
            // Left over from an earlier resident, or chosen wrongly at a central station.
            labels.push((vec![code.clone()], false));
            labels.push((vec![number(subject), code], false));
        }
    }
    labels
}

// === impl Message ===

impl Message {
    /// Whether there is a result.
    pub const fn has_ended(&self) -> bool {
        self.age >= self.takes
    }

    /// Half steps since its result.
    pub const fn since_result(&self) -> u32 {
        self.age - self.takes
    }

    /// The measurement as it arrives now, and the identities it names.
    pub fn arrived(&self) -> (Measurement, Vec<Forms>) {
        let late = i64::try_from((HALF * self.since_result()).as_millis()).unwrap();
        let mut reading = Reading::of(Quantity::PulseRate, 70.0);
        if self.subject.is_none() {
            reading.doubt(Caveat::Demonstration);
        }
        if self.clock == Clock::None && late > 0 {
            reading.doubt(Caveat::FromStorage);
        }
        let device = match self.clock {
            Clock::None => None,
            Clock::Right => Some(Timestamp(NOW - late)),
            Clock::Wrong => Some(Timestamp(NOW - late + 3_600_000)),
        };
        let patient = Patient { ids: self.ids.clone(), is_unclear: self.is_unclear, ..Patient::default() };
        let mut measurement = Measurement {
            taken: Taken { at: Timestamp(NOW), clock: ClockQuality::Synchronised, device },
            readings: vec![reading],
            key: None,
            key_reused: false,
            sent: None,
            amends: Vec::new(),
            attachments: Vec::new(),
            attached: Vec::new(),
            user: None,
            patient,
        };
        check(&mut measurement).unwrap();
        (measurement, self.ids.iter().map(|id| vec![id.clone()]).collect())
    }
}
