//! Every state that can be reached, breadth first: the first violation has a shortest way to it.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};

use super::harm::violated;
use super::world::{Move, Rules, World};

/// What was found.
pub struct Found {
    pub states: usize,
    pub moves: usize,
    /// What was violated, and by which moves.
    pub violated: Option<(&'static str, Vec<Move>)>,
    /// States from which a settled one can no longer be reached.
    pub stuck: usize,
    /// How many states satisfy each of these.
    pub seen: [usize; 3],
}

/// Walks until something is violated, or everything was seen, or `most` states were.
pub fn explore(rules: &Rules<'_>, most: usize, is_settled: impl Fn(&World) -> bool) -> Found {
    // Two hashes of 64 bits stand for a state: 2^128 against some millions.
    let hashers = [RandomState::new(), RandomState::new()];
    let key = |world: &World| (hash(&hashers[0], world), hash(&hashers[1], world));
    let start = World::new();
    let mut known: HashMap<(u64, u64), u32> = HashMap::from([(key(&start), 0)]);
    let mut from: Vec<(u32, Option<Move>)> = vec![(0, None)];
    let mut back: Vec<Vec<u32>> = vec![Vec::new()];
    let mut settled = vec![is_settled(&start)];
    let mut front = std::collections::VecDeque::from([(0_u32, start)]);
    let (mut moves, mut seen) = (0, [0; 3]);
    while let Some((index, world)) = front.pop_front() {
        if let Some(what) = violated(rules, &world) {
            let violated = Some((what, way(&from, index)));
            return Found { states: from.len(), moves, violated, stuck: 0, seen };
        }
        count(&world, &mut seen);
        for made in world.moves(rules) {
            let Some(next) = world.made(rules, made) else { continue };
            moves += 1;
            let fresh = u32::try_from(from.len()).expect("fewer than 2^32 states");
            let found = *known.entry(key(&next)).or_insert(fresh);
            if found == fresh {
                from.push((index, Some(made)));
                back.push(Vec::new());
                settled.push(is_settled(&next));
                front.push_back((fresh, next));
            }
            back[found as usize].push(index);
        }
        assert!(from.len() <= most, "more than {most} states: the model grew");
    }
    let stuck = stuck(&back, &settled);
    Found { states: from.len(), moves, violated: None, stuck, seen }
}

fn hash(hasher: &RandomState, world: &World) -> u64 {
    hasher.hash_one(Hashed(world))
}

struct Hashed<'w>(&'w World);

impl Hash for Hashed<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

fn count(world: &World, seen: &mut [usize; 3]) {
    let ready = world.phase() == linli_domain::mode::Phase::Ready;
    seen[0] += usize::from(ready && !world.room.is_exercise());
    seen[1] += usize::from(ready && world.room.is_exercise());
    seen[2] += usize::from(world.phase() == linli_domain::mode::Phase::Held);
}

fn way(from: &[(u32, Option<Move>)], mut index: u32) -> Vec<Move> {
    let mut way = Vec::new();
    while let (before, Some(made)) = from[index as usize] {
        way.push(made);
        index = before;
    }
    way.reverse();
    way
}

/// How many states cannot reach a settled one any more (AG EF settled, by walking backwards).
fn stuck(back: &[Vec<u32>], settled: &[bool]) -> usize {
    let mut can = settled.to_vec();
    let mut front: Vec<usize> = (0..settled.len()).filter(|index| settled[*index]).collect();
    while let Some(index) = front.pop() {
        for before in &back[index] {
            if !std::mem::replace(&mut can[*before as usize], true) {
                front.push(*before as usize);
            }
        }
    }
    can.iter().filter(|can| !**can).count()
}
