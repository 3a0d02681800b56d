//! Looks at every decision of the table in every order of events, for a reading in the wrong visit.

use std::collections::BTreeSet;

use linli_domain::visit::{Arrival, Rule, decide_without};

use super::message::{Message, messages};
use super::world::{self, World};

/// Steps before a measurement begins, and after it in which its message may arrive.
const BEFORE: usize = 2;
const AFTER: usize = 4;

/// What the search found.
#[derive(Debug, Default)]
pub struct Found {
    /// Decisions looked at.
    pub decisions: usize,
    /// Measurements that came into the right visit.
    pub right: usize,
    /// A measurement in the wrong visit: the world, the message, and the visit.
    pub wrong: Option<String>,
}

/// Every state of the world a step after these.
fn later(worlds: &BTreeSet<World>) -> BTreeSet<World> {
    worlds.iter().flat_map(World::next).collect()
}

/// Looks at every message at every time at which it can arrive; stops at the first in a wrong visit.
pub fn search(without: Option<Rule>) -> Found {
    let mut found = Found::default();
    let mut worlds = BTreeSet::from([World::default()]);
    for _ in 0..=BEFORE {
        for world in &worlds {
            let mut futures = vec![BTreeSet::from([world.clone()])];
            for _ in 0..AFTER {
                futures.push(later(&futures[futures.len() - 1]));
            }
            for message in messages(world) {
                follow(&futures, message, without, &mut found);
                if found.wrong.is_some() {
                    return found;
                }
            }
        }
        worlds = later(&worlds);
    }
    found
}

/// Lets a message arrive at every step from its end: once, late, repeated. A decision remembers nothing, so one
/// message at a time shows what several do.
fn follow(futures: &[BTreeSet<World>], mut message: Message, without: Option<Rule>, found: &mut Found) {
    let room = world::room(message.room);
    for worlds in futures {
        if message.has_ended() {
            let (measurement, identities) = message.arrived();
            let arrival =
                Arrival { measurement: &measurement, room: room.as_ref(), is_elsewhere: false, identities };
            for world in worlds {
                found.decisions += 1;
                let Ok(position) = decide_without(&arrival, &world.candidates(), without) else { continue };
                if !world.is_right(position, &message) {
                    found.wrong = Some(format!("{message:?} in visit {position} of {world:?}"));
                    return;
                }
                found.right += 1;
            }
        }
        message.age += 2;
    }
}
