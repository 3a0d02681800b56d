//! Two cabins and three residents: visits begin, end and follow each other. A step is five seconds, the shortest
//! time that a measurement of a pulse rate takes; measurements begin and arrive between steps, visits begin and end
//! in the middle of one. Times are in half steps.

use std::sync::LazyLock;
use std::time::Duration;

use linli_domain::Id;
use linli_domain::visit::{Candidate, Span};

use super::message::Message;

/// Half a step.
pub const HALF: Duration = Duration::from_millis(2500);

/// Visits in one history at most.
const MOST: usize = 3;

static ROOMS: LazyLock<[Id; 2]> =
    LazyLock::new(|| [Id::new("cabin-1").unwrap(), Id::new("cabin-2").unwrap()]);

/// A room by its number; a device with another number stands in none.
pub fn room(number: u8) -> Option<Id> {
    ROOMS.get(usize::from(number)).cloned()
}

/// A visit, in half steps ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stay {
    pub room: u8,
    pub resident: u8,
    pub opened: u32,
    pub ended: Option<u32>,
}

/// What has happened so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct World {
    pub visits: Vec<Stay>,
}

// === impl World ===

impl World {
    /// The open visit of a room.
    pub fn open_in(&self, room: u8) -> Option<&Stay> {
        self.visits.iter().find(|stay| stay.room == room && stay.ended.is_none())
    }

    /// Whether a resident has an open visit somewhere.
    pub fn is_visiting(&self, resident: u8) -> bool {
        self.visits.iter().any(|stay| stay.resident == resident && stay.ended.is_none())
    }

    /// The worlds one step later: nothing happens, a visit ends, or one begins and ends the one before it.
    pub fn next(&self) -> Vec<Self> {
        let mut now = self.clone();
        now.age();
        let mut worlds = vec![now.clone()];
        for room in 0..2 {
            let ended = |world: &Self| {
                let mut world = world.clone();
                let here = world.visits.iter_mut().filter(|stay| stay.room == room && stay.ended.is_none());
                here.for_each(|stay| stay.ended = Some(0));
                world
            };
            if now.open_in(room).is_some() {
                worlds.push(ended(&now));
            }
            for resident in (0..3).filter(|resident| self.visits.len() < MOST && !self.is_visiting(*resident))
            {
                let mut world = ended(&now);
                world.visits.push(Stay { room, resident, opened: 0, ended: None });
                worlds.push(world);
            }
        }
        worlds.iter_mut().for_each(Self::age);
        worlds
    }

    fn age(&mut self) {
        for stay in &mut self.visits {
            stay.opened += 1;
            stay.ended = stay.ended.map(|ended| ended + 1);
        }
    }

    /// The visits as the gateway knows them. A resident is known by the code of the visit and a number.
    pub fn candidates(&self) -> Vec<Candidate<'static>> {
        let candidate = |(nth, stay): (usize, &Stay)| Candidate {
            room: &ROOMS[usize::from(stay.room)],
            span: Span { opened: HALF * stay.opened, ended: stay.ended.map(|ended| HALF * ended) },
            codes: vec![format!("code-{nth}")],
            known_as: vec![number(stay.resident)],
            name: None,
            born: None,
        };
        self.visits.iter().enumerate().map(candidate).collect()
    }

    /// Whether a measurement is of the resident of that visit, taken in its room, its result while it lasted.
    pub fn is_right(&self, position: usize, message: &Message) -> bool {
        let stay = self.visits[position];
        let result = message.since_result();
        let is_inside = stay.opened >= result && stay.ended.is_none_or(|ended| ended <= result);
        Some(stay.resident) == message.subject && stay.room == message.room && is_inside
    }
}

/// The number of a resident's card.
pub fn number(resident: u8) -> String {
    format!("number-{resident}")
}
