//! Every state that can be reached, breadth first: the first violation has a shortest way to it.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::{BuildHasher, Hash, RandomState};

/// Something whose states can be walked through.
pub trait System {
    /// How things stand.
    type World: Clone + Hash;
    /// What can happen.
    type Move: Copy + Debug;

    fn start(&self) -> Self::World;

    /// Everything that can happen now.
    fn moves(&self, world: &Self::World) -> Vec<Self::Move>;

    /// What it leads to. None when it was refused and nothing changed.
    fn made(&self, world: &Self::World, made: Self::Move) -> Option<Self::World>;

    /// What must never be.
    fn violated(&self, world: &Self::World) -> Option<&'static str>;

    /// Whether things may stay so.
    fn is_settled(&self, world: &Self::World) -> bool;

    /// Which of the things that the model has to reach this is.
    fn seen(&self, world: &Self::World) -> [bool; 3];
}

/// What was found.
pub struct Found<M> {
    pub states: usize,
    pub moves: usize,
    /// What was violated, and by which moves.
    pub violated: Option<(&'static str, Vec<M>)>,
    /// States from which a settled one can no longer be reached.
    pub stuck: usize,
    /// Whether every state was seen; otherwise only those that take the fewest moves.
    pub is_whole: bool,
    /// How many states satisfy each of these.
    pub seen: [usize; 3],
}

/// Walks until something is violated, or everything was seen, or `most` states were.
pub fn explore<S: System>(system: &S, most: usize) -> Found<S::Move> {
    // Two hashes of 64 bits stand for a state: 2^128 against some millions.
    let hashers = [RandomState::new(), RandomState::new()];
    let key = |world: &S::World| (hashers[0].hash_one(world), hashers[1].hash_one(world));
    let start = system.start();
    let mut known: HashMap<(u64, u64), u32> = HashMap::from([(key(&start), 0)]);
    let mut from: Vec<(u32, Option<S::Move>)> = vec![(0, None)];
    let mut back: Vec<Vec<u32>> = vec![Vec::new()];
    let mut settled = vec![system.is_settled(&start)];
    let mut front = std::collections::VecDeque::from([(0_u32, start)]);
    let (mut moves, mut seen) = (0, [0; 3]);
    while let Some((index, world)) = front.pop_front() {
        if let Some(what) = system.violated(&world) {
            let violated = Some((what, way(&from, index)));
            return Found { states: from.len(), moves, violated, stuck: 0, is_whole: false, seen };
        }
        for (count, is) in seen.iter_mut().zip(system.seen(&world)) {
            *count += usize::from(is);
        }
        for made in system.moves(&world) {
            let Some(next) = system.made(&world, made) else { continue };
            moves += 1;
            let fresh = u32::try_from(from.len()).expect("fewer than 2^32 states");
            let found = *known.entry(key(&next)).or_insert(fresh);
            if found == fresh {
                from.push((index, Some(made)));
                back.push(Vec::new());
                settled.push(system.is_settled(&next));
                front.push_back((fresh, next));
            }
            back[found as usize].push(index);
        }
        if from.len() > most {
            return Found { states: from.len(), moves, violated: None, stuck: 0, is_whole: false, seen };
        }
    }
    let stuck = stuck(&back, &settled);
    Found { states: from.len(), moves, violated: None, stuck, is_whole: true, seen }
}

fn way<M: Copy>(from: &[(u32, Option<M>)], mut index: u32) -> Vec<M> {
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
