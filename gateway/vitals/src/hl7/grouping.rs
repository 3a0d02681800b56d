//! Which observations of an order were taken together: several pressures in one OBR are several measurements.

use linli_domain::Timestamp;
use linli_domain::vital::{Quantity, Reading};

/// Observations further apart than this were not taken together, in milliseconds.
const TOGETHER_MS: i64 = 60_000;

/// An observation with what says to which others it belongs.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// OBX-4: the sub-id.
    pub group: String,
    /// OBX-14: its own time.
    pub time: Option<Timestamp>,
    pub reading: Reading,
    /// It replaces an earlier result, or withdraws it.
    pub amends: bool,
}

/// The observations of an order, as measurements in their order.
pub(super) fn grouped(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    by_time(entries).into_iter().flat_map(by_group).collect()
}

/// An observation without a time is taken with the one before it.
fn by_time(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut groups: Vec<Vec<Entry>> = Vec::new();
    let mut latest = 0;
    for entry in entries {
        let is_near = |group: &Vec<Entry>| {
            let time = group.iter().find_map(|other| other.time);
            match (time, entry.time) {
                (Some(one), Some(other)) => one.0.abs_diff(other.0) <= TOGETHER_MS.unsigned_abs(),
                _ => true,
            }
        };
        let known = match entry.time {
            None => groups.get(latest).map(|_| latest),
            Some(_) => groups.iter().position(is_near),
        };
        latest = known.unwrap_or(groups.len());
        match groups.get_mut(latest) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    groups
}

/// Splits what was taken at one time only where a quantity is there more than once: by the sub-id, by the sub-id
/// without its last part (IHE PCD: the part of each metric), else in their order.
fn by_group(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let most = most_of_a_quantity(&entries);
    if most <= 1 {
        return vec![entries];
    }
    let whole = |entry: &Entry| entry.group.clone();
    let channel = |entry: &Entry| entry.group.rsplit_once('.').map_or("", |(channel, _)| channel).to_owned();
    let keys: [&dyn Fn(&Entry) -> String; 2] = [&whole, &channel];
    for key in keys {
        let groups = keyed(&entries, key);
        if groups.len() == most && groups.iter().all(|group| most_of_a_quantity(group) <= 1) {
            return groups;
        }
    }
    let mut groups: Vec<Vec<Entry>> = Vec::new();
    for entry in entries {
        let is_there =
            |group: &Vec<Entry>| group.iter().any(|other| other.reading.quantity == entry.reading.quantity);
        match groups.last_mut().filter(|group| !is_there(group)) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    groups
}

/// How often the most frequent quantity is there. Two pulse rates beside something else are of one measurement:
/// by the cuff and by the finger.
fn most_of_a_quantity(entries: &[Entry]) -> usize {
    let count = |quantity| entries.iter().filter(|entry| entry.reading.quantity == quantity).count();
    let is_alone = entries.iter().all(|entry| entry.reading.quantity == Quantity::PulseRate);
    let counted = |quantity: &Quantity| is_alone || *quantity != Quantity::PulseRate;
    Quantity::ALL.into_iter().filter(counted).map(count).max().unwrap_or_default()
}

/// Groups with the same key, in the order of their first entries; one without a key belongs to the one before it.
fn keyed(entries: &[Entry], key: &dyn Fn(&Entry) -> String) -> Vec<Vec<Entry>> {
    let mut groups: Vec<(String, Vec<Entry>)> = Vec::new();
    let mut latest = 0;
    for entry in entries {
        let own = key(entry);
        let known = match own.is_empty() {
            true => groups.get(latest).map(|_| latest),
            false => groups.iter().position(|(key, _)| *key == own),
        };
        latest = known.unwrap_or(groups.len());
        match groups.get_mut(latest) {
            Some((_, group)) => group.push(entry.clone()),
            None => groups.push((own, vec![entry.clone()])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}
